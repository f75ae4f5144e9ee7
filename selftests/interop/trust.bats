#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
# where: uml
# timeout: 600
#
# Trust with the Rust peer: identifiers, credentials of an authority that is kept there, policies,
# refreshes, rules that change; in both roles.

bats_require_minimum_version 1.5.0

setup_file() {
	PEER_LIB_DIR=$BATS_TEST_DIRNAME
	. "$BATS_TEST_DIRNAME/lib.inc"
	export PEER_DIR=$BATS_FILE_TMPDIR OCKAM_HOME=$BATS_FILE_TMPDIR/home QUIET=true NO_COLOR=true
	peer=$(peer_binary)
	for name in authority stranger friend; do
		"$peer" identity create --identity-file "$PEER_DIR/$name" >"$PEER_DIR/$name.id"
	done
	ockamctl identity create me >/dev/null
	ockamctl node create n1 --identity me --authority-identity "$(history_of authority)" \
		--credential-scope team
	ockamctl credential store --at n1 --scope team --issuer "$(id_of authority)" \
		--credential "$(issue_me -a n=1)"
}

teardown_file() {
	ockamctl reset -y >/dev/null
}

setup() {
	PEER_LIB_DIR=$BATS_TEST_DIRNAME
	. "$BATS_TEST_DIRNAME/lib.inc"
	. "$BATS_TEST_DIRNAME/../lib/node.inc"
	PEER_DIR=$BATS_FILE_TMPDIR
	peer=$(peer_binary)
	port=$(ockamctl node show n1 --jq .route.verbose | sed -n 's,.*/tcp/\([0-9]*\).*,\1,p')
	me=$(ockamctl identity show me)
}

teardown() {
	peer_stop_all
}

id_of() {
	sed -n 's/^identifier //p' "$PEER_DIR/$1.id"
}

history_of() {
	sed -n 's/^history //p' "$PEER_DIR/$1.id"
}

# issue_to SUBJECT ISSUER ARGS...: a credential made there
issue_to() {
	"$peer" issue --subject "$1" --identity-file "$PEER_DIR/$2" "${@:3}" | sed -n 's/^credential //p'
}

issue_me() {
	issue_to "$(ockamctl identity show me --full --encoding hex)" authority --attribute "$2"
}

# send LISTENER ARGS...: as friend, through a channel
send() {
	peer_send --identity-file "$PEER_DIR/friend" --to "127.0.0.1:$port" --channel "$1" \
		--timeout 5 "${@:2}"
}

# linger NAME LISTENER ARGS...: a channel in use, until it ends; the rest is as with peer_start
linger() {
	"$peer" send --identity-file "$PEER_DIR/$1" --to "127.0.0.1:$port" --channel "$2" \
		--service uppercase hello --count 1000 --interval 500 --timeout 5 "${@:3}" \
		>"$PEER_DIR/$1.out" 2>"$PEER_DIR/$1.err" 3>&- &
	echo $! >"$PEER_DIR/$1.pid"
	peer_wait "$1" '^reply HELLO$' 20
}

# create ROUTE ARGS...: a channel to a Rust peer
create() {
	ockamctl secure-channel create --from n1 --to "/ip4/127.0.0.1/tcp/$(peer_port "$1")/service/api" \
		--timeout 30s "${@:2}"
}

show() {
	ockamctl secure-channel show --at "/node/n1$1" --jq "$2"
}

@test "the Rust peer's identifier: one, a list, everyone, the wrong one" {
	peer_start a listen --trust "$me"
	id=$(peer_identifier a)
	create a
	create a -a "$id"
	create a -a "$me" -a "$id"
	run -70 create a -a "$me"
	grep -q "$id is not trusted here" <<<"$output"
	peer_stop a

	# It refuses us: it says nothing, so all we know is that there is no sign of life.
	peer_start b listen --trust "$(id_of friend)" --no-echo
	channel=$(create b)
	[ "$(show "$channel" .confirmed)" = false ]
	peer_wait b "^refused $me$"
}

@test "our listeners: one, a list, the wrong one" {
	ockamctl secure-channel-listener create one --at n1 -a "$(id_of friend)"
	ockamctl secure-channel-listener create list --at n1 -a "$me" -a "$(id_of friend)"
	ockamctl secure-channel-listener create other --at n1 -a "$me"
	send one --service uppercase hello --trust "$me"
	send list --service uppercase hello
	failed=$(counter n1 handshakes_failed)
	run -1 send other --service uppercase hello
	[ "$(counter n1 handshakes_failed)" -eq $((failed + 1)) ]
	grep -rhq "$(id_of friend) is not trusted here" "$OCKAM_HOME/nodes/n1"
}

@test "a credential of the Rust peer as initiator: needed, satisfying, and echo is for members" {
	ockamctl secure-channel-listener create members --at n1 \
		--authority-identity "$(history_of authority)"
	ockamctl secure-channel-listener create demo --at n1 --allow 'app=demo and not old'
	ockamctl secure-channel-listener create demo2 --at n1 \
		--allow '(and (= subject.app "demo") (not (exists? subject.old)))'
	run -1 send members --service uppercase hello --timeout 2
	good=$(issue_to "@$PEER_DIR/friend" authority --attribute app=demo)
	send members --service uppercase hello --credential "$good"
	send members --service echo --size 9 --credential "$good"
	send demo2 --service uppercase hello --credential "$good"
	# An attribute that is not there is no answer, not a no.
	run -1 send demo --service uppercase hello --timeout 2 --credential "$good"
	run -1 send demo2 --service uppercase hello --timeout 2 \
		--credential "$(issue_to "@$PEER_DIR/friend" authority --attribute app=other)"
}

# What others make of it: the channel is there, and grants nothing.
no_member() {
	refused=$(counter n1 echo_refused)
	peer_send --to "127.0.0.1:$port" --channel api --timeout 5 --service uppercase hello \
		--identity-file "$PEER_DIR/$1" --credential "$2"
	run -1 peer_send --to "127.0.0.1:$port" --channel api --timeout 1 --service echo --size 9 \
		--identity-file "$PEER_DIR/$1" --credential "$2"
	[ "$(counter n1 echo_refused)" -gt "$refused" ]
}

# The clock shows seconds.
later_than() {
	[ "$(date +%s)" -gt $(($1 + 1)) ]
}

@test "bad credentials end no channel and grant nothing" {
	for name in i1 i2 i3 i4; do
		"$peer" identity create --identity-file "$PEER_DIR/$name" >/dev/null
	done
	no_member i1 "$(issue_to "@$PEER_DIR/i1" stranger --attribute app=demo)"
	no_member i2 "$(issue_to "@$PEER_DIR/friend" authority --attribute app=demo)"
	flipped=$(issue_to "@$PEER_DIR/i3" authority --attribute app=demo)
	# The last digit of the name "app" in the attributes.
	no_member i3 "${flipped/617070/617071}"
	expired=$(issue_to "@$PEER_DIR/i4" authority --attribute app=demo --credential-ttl 0)
	now=$(date +%s)
	wait_for 10 later_than "$now"
	no_member i4 "$expired"
}

@test "a credential of the Rust peer as responder: shown, and required" {
	peer_start a listen --issue-from "$PEER_DIR/authority" --attribute side=rust
	channel=$(create a --authority-identity "$(history_of authority)" --allow side=rust)
	[ "$(show "$channel" .their_attributes.side)" = '"rust"' ]
	[ "$(show "$channel" .their_credential.issuer)" = "\"$(id_of authority)\"" ]
	[ "$(show "$channel" .their_credential.expires_at)" -gt "$(date +%s)" ]
	run -70 create a --allow side=other
	grep -q "does not satisfy (= subject.side \"other\")" <<<"$output"
	run -70 create a --authority-identity "$(history_of stranger)"
	grep -q "no valid credential of $(id_of stranger)" <<<"$output"
	peer_stop a
	peer_start b listen
	run -70 create b --authority-identity "$(history_of authority)"
	# Without a rule it is welcome without one.
	create b
}

@test "ours is presented in both roles, and a new one on the channels that there are" {
	peer_start a listen --authority "$(history_of authority)"
	create a
	peer_wait a "^attributes $me n=1$"
	linger friend api --authority "$(history_of authority)"
	peer_wait friend "^attributes $me n=1$"
	ockamctl credential store --at n1 --scope team --issuer "$(id_of authority)" \
		--credential "$(issue_me -a n=2)"
	peer_wait a "^attributes $me n=2$"
	peer_wait a '^credentials-received$'
	# As initiator it only says that it has taken them; the first time, that there are none.
	wait_for 20 received friend 2
	peer_kill friend
	# The same again is not presented again.
	same=$(issue_me -a n=3)
	for _ in 1 2; do
		ockamctl credential store --at n1 --scope team --issuer "$(id_of authority)" \
			--credential "$same"
	done
	# What is presented next comes behind it.
	ockamctl credential store --at n1 --scope team --issuer "$(id_of authority)" \
		--credential "$(issue_me -a n=4)"
	peer_wait a "^attributes $me n=3$"
	peer_wait a "^attributes $me n=4$"
	wait_for 20 received a 3
}

peer_ended() {
	! peer_alive "$1"
}

received() {
	[ "$(peer_count "$1" '^credentials-received$')" -eq "$2" ]
}

@test "a refresh of the Rust peer as responder" {
	peer_start a listen --issue-from "$PEER_DIR/authority" --attribute side=rust --refresh-after 2
	channel=$(create a --allow side=rust)
	[ "$(show "$channel" .their_attributes.refresh)" = '"0"' ]
	for _ in 1 2; do
		ockamctl message send hello --from n1 --to "$channel/service/uppercase" >/dev/null
	done
	refreshed() {
		[ "$(show "$channel" .their_attributes.refresh)" = '"1"' ]
	}
	wait_for 20 refreshed
	[ "$(show "$channel" .their_attributes.side)" = '"rust"' ]
	ockamctl message send hello --from n1 --to "$channel/service/uppercase"
}

@test "a refresh of the Rust peer as initiator keeps its channel; a bad one does no harm" {
	long=$(issue_to "@$PEER_DIR/friend" authority --attribute app=demo)
	bad=$(issue_to "@$PEER_DIR/friend" stranger --attribute app=demo)
	alien=$(issue_to "@$PEER_DIR/stranger" authority --attribute app=demo)
	short=$(issue_to "@$PEER_DIR/friend" authority --attribute app=demo --credential-ttl 6)
	send members --service uppercase hello --credential "$short" --credential "$long" \
		--refresh-after 1 --count 8 --interval 1000 --quiet
	short=$(issue_to "@$PEER_DIR/friend" authority --attribute app=demo --credential-ttl 6)
	run -1 send members --service uppercase hello --credential "$short" --count 12 --interval 1000 \
		--timeout 2
	grep -q '^reply HELLO$' <<<"$output"
	for credential in "$bad" "$alien"; do
		send members --service uppercase hello --credential "$long" --credential "$credential" \
			--refresh-after 2 --count 5 --quiet
	done
}

@test "another rule at run time, with and without an end to channels" {
	ockamctl secure-channel-listener create gate --at n1
	linger friend gate
	linger stranger gate
	ockamctl secure-channel-listener update gate --at n1 -a "$(id_of friend)"
	run -1 peer_send --identity-file "$PEER_DIR/stranger" --to "127.0.0.1:$port" --channel gate \
		--service uppercase hello --timeout 2
	send gate --service uppercase hello
	peer_alive stranger
	[ "$(ockamctl secure-channel-listener update gate --at n1 -a "$(id_of friend)" --close --jq .closed)" -eq 1 ]
	wait_for 20 peer_ended stranger
	peer_alive friend
	peer_kill friend
}
