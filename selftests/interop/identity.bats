#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
# where: uml
# timeout: 400
#
# Identities of both implementations, as old as they may be, in both roles: histories of one, two
# and five changes, keys of both kinds; peers that rotate; histories that go back.

bats_require_minimum_version 1.5.0

setup() {
	PEER_LIB_DIR=$BATS_TEST_DIRNAME
	. "$BATS_TEST_DIRNAME/lib.inc"
	. "$BATS_TEST_DIRNAME/kernel.inc"
	export PEER_DIR=$BATS_TEST_TMPDIR/peer OCKAM_HOME=$BATS_TEST_TMPDIR/home
	export QUIET=true NO_COLOR=true
	mkdir -p "$PEER_DIR"
	peer_binary >/dev/null
}

teardown() {
	peer_stop_all
	ockamctl reset -y >/dev/null 2>&1
	[ ! -d "$OCKAM_HOME.old" ] || OCKAM_HOME=$OCKAM_HOME.old ockamctl reset -y >/dev/null 2>&1
}

# history_of NAME: of an identity of this home
history_of() {
	ockamctl identity show "$1" --full --encoding hex
}

# file_history FILE: of an identity of the peer
file_history() {
	sed -n 's/^history //p' "$1"
}

# rust_identity FILE KIND...: an identity of the peer with one change for each kind
rust_identity() {
	local file=$1 verb=create kind
	shift
	for kind; do
		"$OCKAM_PEER" identity "$verb" --identity-file "$file" --key-type "$kind" >"$file.said"
		verb=rotate
	done
	sed -n 's/^identifier //p' "$file.said"
}

# kernel_identity NAME KIND...: the same in this home
kernel_identity() {
	local name=$1 verb=create kind
	shift
	for kind; do
		ockamctl identity "$verb" "$name" --key-type "$kind"
		verb=rotate
	done | tail -1
}

# to_peer NAME ARGS...: make a channel from n1 to peer NAME, print its route
to_peer() {
	local name=$1
	shift
	ockamctl secure-channel create --from n1 --timeout 20s \
		--to "/ip4/127.0.0.1/tcp/$(peer_port "$name")/service/api" "$@"
}

# upper TEXT ROUTE
upper() {
	ockamctl message send "$1" --from n1 --to "$2/service/uppercase" --timeout 10s
}

kinds_of() {
	case $1 in
	1) echo p256 ;;
	2) echo p256 ed25519 ;;
	5) echo ed25519 ed25519 p256 p256 ed25519 ;;
	esac
}

@test "histories with one oddity: the crate says what is written in the vectors" {
	python3 - "$BATS_TEST_DIRNAME/../vectors/identity_cases.json" >"$PEER_DIR/cases" <<'END'
import json, sys
for case in json.load(open(sys.argv[1]))["cases"]:
    print(int(case["rust"]), case["history"], case["why"])
END
	cut -d" " -f2 "$PEER_DIR/cases" >"$PEER_DIR/histories"
	"$OCKAM_PEER" identity check "$PEER_DIR/histories" >"$PEER_DIR/said"
	# 1 where it accepted, 0 where it refused: the first column.
	sed 's/^accepted .*/1/; s/^refused .*/0/' "$PEER_DIR/said" >"$PEER_DIR/verdicts"
	[ "$(wc -l <"$PEER_DIR/verdicts")" -gt 60 ]
	cut -d" " -f1 "$PEER_DIR/cases" | diff - "$PEER_DIR/verdicts"
}

@test "identities of the crate are accepted here, in both roles" {
	local how id route
	ockamctl node create n1
	for how in 1 2 5; do
		# shellcheck disable=SC2046 # one word a kind
		id=$(rust_identity "$PEER_DIR/$how" $(kinds_of $how))
		peer_start "r$how" listen --identity-file "$PEER_DIR/$how"
		[ "$(peer_identifier "r$how")" = "$id" ]
		route=$(to_peer "r$how" --authorized "$id")
		[ "$(upper "kind $how" "$route")" = "KIND $how" ]
		# What is remembered is what was shown, byte for byte.
		[ "$(ockamctl secure-channel show --at "/node/n1$route" --output json |
			sed -n 's/.*"their_change_history": "\(.*\)".*/\1/p')" = \
			"$(file_history "$PEER_DIR/$how")" ]
		peer_stop "r$how"
		peer_send --identity-file "$PEER_DIR/$how" --to "127.0.0.1:$(node_port n1)" \
			--channel api --service uppercase hello | grep '^reply HELLO$'
	done
}

@test "identities made here are accepted by the crate, in both roles" {
	local how id route
	ockamctl node create n1
	peer_start r listen --messages
	for how in 1 2 5; do
		# shellcheck disable=SC2046 # one word a kind
		id=$(kernel_identity "k$how" $(kinds_of $how))
		route=$(to_peer r --identity "k$how")
		[ "$(upper "kind $how" "$route")" = "KIND $how" ]
		peer_wait r "^channel-made [^ ]+ $id responder$"
		ockamctl secure-channel-listener create "l$how" --at n1 --identity "k$how"
		peer_send --trust "$id" --to "127.0.0.1:$(node_port n1)" --channel "l$how" \
			--service uppercase hello | grep '^reply HELLO$'
		# The export is what the crate takes and gives back.
		"$OCKAM_PEER" identity show --identity-file "$PEER_DIR/any" \
			--authority "$(history_of "k$how")"
	done
}

@test "an identity of the crate, exported, is the same here and back" {
	local id history
	id=$(rust_identity "$PEER_DIR/i" ed25519 p256 ed25519)
	history=$(file_history "$PEER_DIR/i")
	[ "$(ockamctl identity create i --identity "$history")" = "$id" ]
	[ "$(history_of i)" = "$history" ]
	ockamctl identity show i --full | grep -c '^ *primary_public_key: *ECDSASHA256CurveP256: 04' |
		grep '^1$'
}

@test "a peer rotates between two handshakes, and a shorter history is refused then" {
	local id first second
	ockamctl node create n1
	id=$(rust_identity "$PEER_DIR/i" ed25519)
	cp "$PEER_DIR/i" "$PEER_DIR/old"
	peer_start r listen --identity-file "$PEER_DIR/i" --key-type p256
	first=$(to_peer r --authorized "$id")
	[ "$(upper one "$first")" = ONE ]
	peer_signal r HUP
	peer_wait r '^rotated$'
	[ "$(upper two "$first")" = TWO ]
	second=$(to_peer r --authorized "$id")
	[ "$(upper three "$second")" = THREE ]
	peer_stop r

	# As responder.
	peer_start o listen --identity-file "$PEER_DIR/old"
	run -70 to_peer o
	grep -q "$id shows an older change history than it did before" <<<"$output"
	peer_stop o
	# As initiator.
	run -1 peer_send --identity-file "$PEER_DIR/old" --timeout 3 \
		--to "127.0.0.1:$(node_port n1)" --channel api --service uppercase hello
	grep "refused: $id shows an older change history" "$OCKAM_HOME"/nodes/n1/*.log
	# One that has parted.
	"$OCKAM_PEER" identity rotate --identity-file "$PEER_DIR/old" >/dev/null
	run -1 peer_send --identity-file "$PEER_DIR/old" --timeout 3 \
		--to "127.0.0.1:$(node_port n1)" --channel api --service uppercase hello
	grep "refused: $id shows a change history that conflicts" "$OCKAM_HOME"/nodes/n1/*.log
	# The right one still comes in.
	peer_send --identity-file "$PEER_DIR/i" --to "127.0.0.1:$(node_port n1)" --channel api \
		--service uppercase hello | grep '^reply HELLO$'
}

@test "our rotation is accepted by the crate, and a node with the older history refused" {
	local id first second port
	id=$(kernel_identity me ed25519)
	cp -a "$OCKAM_HOME" "$OCKAM_HOME.old"
	ockamctl node create n1 --identity me
	peer_start r listen --messages
	first=$(to_peer r)
	[ "$(upper one "$first")" = ONE ]
	ockamctl identity rotate me --key-type p256
	[ "$(upper two "$first")" = TWO ]
	second=$(to_peer r)
	[ "$(upper three "$second")" = THREE ]
	[ "$(peer_count r "^channel-made [^ ]+ $id responder$")" = 2 ]
	ockamctl node delete n1 -y
	history_of me >"$PEER_DIR/new"

	# The crate refuses in silence: no channel at its side, no answers at ours.
	export OCKAM_HOME=$OCKAM_HOME.old
	ockamctl node create n1 --identity me
	if first=$(to_peer r); then
		run ! upper four "$first"
	fi
	[ "$(peer_count r "^channel-made [^ ]+ $id responder$")" = 2 ]
	# As initiator, one that knows the newer history from elsewhere.
	port=$(node_port n1)
	run -1 peer_send --authority "@$PEER_DIR/new" --timeout 3 --to "127.0.0.1:$port" \
		--channel api --service uppercase hello
	grep -q 'no channel with api' <<<"$output"
	peer_send --to "127.0.0.1:$port" --channel api --service uppercase hello |
		grep '^reply HELLO$'
	ockamctl reset -y >/dev/null
	export OCKAM_HOME=${OCKAM_HOME%.old}
}
