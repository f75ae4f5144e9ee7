#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
# where: uml
# timeout: 400
#
# Credentials across both implementations: what one issues the other one takes.

bats_require_minimum_version 1.5.0

setup() {
	PEER_LIB_DIR=$BATS_TEST_DIRNAME
	. "$BATS_TEST_DIRNAME/lib.inc"
	. "$BATS_TEST_DIRNAME/kernel.inc"
	kernel_home
	peer=$(peer_binary)
}

teardown() {
	kernel_teardown
}

# identifier, history: of an identity file of the Rust peer
identifier() {
	"$peer" identity show --identity-file "$1" | sed -n 's/^identifier //p'
}

history_of() {
	"$peer" identity show --identity-file "$1" | sed -n 's/^history //p'
}

# rust_issue ARGUMENT...: a credential by $PEER_DIR/authority
rust_issue() {
	"$peer" issue --identity-file "$PEER_DIR/authority" "$@" | sed -n 's/^credential //p'
}

@test "issued here, accepted there" {
	ockamctl identity create authority
	"$peer" identity create --identity-file "$PEER_DIR/member" >/dev/null
	member=$(identifier "$PEER_DIR/member")
	# Nothing is known of the member: no hash of its latest change is in it.
	ockamctl credential issue --as authority --for "$member" -a app=demo -a 'city=New York' \
		-a empty= -a köln=straße --encoding hex >"$PEER_DIR/credential"
	peer_start a listen --authority "$(ockamctl identity show authority --full --encoding hex)"
	peer_send --identity-file "$PEER_DIR/member" --credential "@$PEER_DIR/credential" \
		--to "127.0.0.1:$(peer_port a)" --channel api --service echo --size 9 --linger 0.2
	peer_wait a "^attributes $member app=demo,city=New York,empty=,köln=straße$"
}

@test "issued here for an identity that is known, without attributes" {
	ockamctl identity create authority
	"$peer" identity create --identity-file "$PEER_DIR/member" >/dev/null
	member=$(identifier "$PEER_DIR/member")
	ockamctl identity create member --identity "$(history_of "$PEER_DIR/member")"
	ockamctl credential issue --as authority --for "$member" --encoding hex >"$PEER_DIR/credential"
	peer_start a listen --authority "$(ockamctl identity show authority --full --encoding hex)"
	peer_send --identity-file "$PEER_DIR/member" --credential "@$PEER_DIR/credential" \
		--to "127.0.0.1:$(peer_port a)" --channel api --service echo --size 9 --linger 0.2
	peer_wait a "^attributes $member "
}

@test "issued here for somebody else, or expired: nothing granted there" {
	ockamctl identity create authority
	"$peer" identity create --identity-file "$PEER_DIR/member" >/dev/null
	"$peer" identity create --identity-file "$PEER_DIR/other" >/dev/null
	member=$(identifier "$PEER_DIR/member")
	short=$(ockamctl credential issue --as authority --for "$member" --ttl 1s -a app=demo \
		--encoding hex)
	ockamctl credential issue --as authority --for "$(identifier "$PEER_DIR/other")" \
		-a app=demo --encoding hex >"$PEER_DIR/credential"
	authority=$(ockamctl identity show authority)
	peer_start a listen --authority "$(ockamctl identity show authority --full --encoding hex)"
	peer_send --identity-file "$PEER_DIR/member" --credential "@$PEER_DIR/credential" \
		--to "127.0.0.1:$(peer_port a)" --channel api --service echo --size 9
	expired() {
		[ "$(ockamctl credential verify --issuer "$authority" --credential "$short")" = false ]
	}
	wait_for 20 expired
	peer_send --identity-file "$PEER_DIR/member" --credential "$short" \
		--to "127.0.0.1:$(peer_port a)" --channel api --service echo --size 9
	# Both channels are there, and neither grants anything.
	both() {
		[ "$(peer_count a '^channel-made ')" = 2 ]
	}
	wait_for 10 both
	! grep -q "^attributes .*app=demo" "$PEER_DIR/a.out"
}

@test "issued there, verified and stored here" {
	"$peer" identity create --identity-file "$PEER_DIR/authority" >/dev/null
	ockamctl node create n1
	us=$(ockamctl identity show)
	credential=$(rust_issue --subject "$(ockamctl identity show --full --encoding hex)" \
		--attribute app=demo --attribute köln=straße)
	issuer=$(identifier "$PEER_DIR/authority")
	[ "$(ockamctl credential verify --issuer "$issuer" --credential "$credential")" = false ]
	ockamctl identity create authority --identity "$(history_of "$PEER_DIR/authority")"
	[ "$(ockamctl credential verify --issuer "$issuer" --credential "$credential")" = true ]
	[ "$(ockamctl credential verify --issuer "$us" --credential "$credential")" = false ]

	[ "$(ockamctl credential store --issuer "$issuer" --credential "$credential" --scope s --at n1)" = \
		"$credential" ]
	ockamctl node stop n1
	ockamctl node start n1
	run -0 ockamctl credential show --at n1 --issuer "$issuer" --scope s --compact-output
	[ "$(jq -c '[.is_verified, .credential.attributes, .credential.subject]' <<<"$output")" = \
		"[true,{\"app\":\"demo\",\"köln\":\"straße\"},\"$us\"]" ]
}

@test "issued there, presented by a node, also by one that is started again" {
	"$peer" identity create --identity-file "$PEER_DIR/authority" >/dev/null
	issuer=$(identifier "$PEER_DIR/authority")
	ockamctl node create n1 --authority-identity "$(history_of "$PEER_DIR/authority")" \
		--credential-scope s
	us=$(ockamctl identity show)
	ours=$(ockamctl identity show --full --encoding hex)
	peer_start a listen --authority "@$PEER_DIR/authority"
	to=/ip4/127.0.0.1/tcp/$(peer_port a)/service/api
	run ockamctl secure-channel create --from n1 --to "$to"
	[ "$status" != 0 ]
	[[ $output == *"has no credential of $issuer"* ]]
	ockamctl credential store --issuer "$issuer" --scope s --at n1 \
		--credential "$(rust_issue --subject "$ours" --attribute app=demo)"
	ockamctl secure-channel create --from n1 --to "$to"
	peer_wait a "^attributes $us app=demo$"

	# The next one is presented on the channel that is there.
	ockamctl credential store --issuer "$issuer" --scope s --at n1 \
		--credential "$(rust_issue --subject "$ours" --attribute app=other)"
	peer_wait a "^attributes $us app=other$"

	ockamctl node stop n1
	ockamctl node start n1
	peer_start b listen --authority "@$PEER_DIR/authority"
	ockamctl secure-channel create --from n1 --to "/ip4/127.0.0.1/tcp/$(peer_port b)/service/api"
	peer_wait b "^attributes $us app=other$"
}

@test "issued there, changed on the way" {
	"$peer" identity create --identity-file "$PEER_DIR/authority" >/dev/null
	ockamctl identity create authority --identity "$(history_of "$PEER_DIR/authority")"
	issuer=$(identifier "$PEER_DIR/authority")
	credential=$(rust_issue --subject "@$PEER_DIR/authority" --attribute a=b)
	[ "$(ockamctl credential verify --issuer "$issuer" --credential "$credential")" = true ]
	# A byte in each part of it.
	local at changed step=$((${#credential} / 10 * 2))
	for ((at = 10; at < ${#credential}; at += step)); do
		changed=${credential:0:at}$(printf %02x $((0x${credential:at:2} ^ 4)))${credential:at+2}
		[ "$(ockamctl credential verify --issuer "$issuer" --credential "$changed")" = false ] || {
			echo "byte $((at / 2)) may change" >&2
			false
		}
	done
}
