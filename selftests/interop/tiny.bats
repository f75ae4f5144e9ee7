#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
# where: uml
#
# A second reading of the protocol (tiny.py) with the Rust peer and with a kernel node, in both
# roles: what all three agree on is not our misunderstanding.

bats_require_minimum_version 1.5.0

setup() {
	PEER_LIB_DIR=$BATS_TEST_DIRNAME
	. "$BATS_TEST_DIRNAME/lib.inc"
	. "$BATS_TEST_DIRNAME/kernel.inc"
	kernel_home
}

teardown() {
	[ -z "${tiny:-}" ] || kill "$tiny"
	[ ! -d "$OCKAM_HOME" ] || ockamctl reset -y >/dev/null
	peer_stop_all
}

tiny() {
	python3 "$BATS_TEST_DIRNAME/tiny.py" "$@"
}

tiny_listen() {
	local left=200
	python3 "$BATS_TEST_DIRNAME/tiny.py" listen >"$PEER_DIR/tiny" 3>&- &
	tiny=$!
	while ! grep -q '^ready ' "$PEER_DIR/tiny"; do
		left=$((left - 1))
		[ $left -gt 0 ]
		sleep 0.1
	done
	read -r _ tiny_id tiny_port <"$PEER_DIR/tiny"
}

kernel_node() {
	ockamctl node create n1
	port=$(node_port n1)
	identifier=$(ockamctl identity show)
}

@test "the Rust peer answers: 100 messages through a channel" {
	peer_start a listen --messages
	run -0 tiny send "127.0.0.1:$(peer_port a)" api uppercase "straße" 100
	[ "$(grep -c '^reply STRASSE$' <<<"$output")" -eq 100 ]
	grep -qx "channel $(peer_identifier a)" <<<"$output"
	peer_wait a '^channel-closed '
}

@test "the Rust peer begins: plain text, 100 messages, a large one" {
	tiny_listen
	peer_send --to "127.0.0.1:$tiny_port" --service uppercase hello
	run -0 peer_send --to "127.0.0.1:$tiny_port" --channel api --service uppercase hello --count 100
	[ "$(grep -c '^reply HELLO$' <<<"$output")" -eq 100 ]
	grep -qx "trusted $tiny_id" <<<"$output"
	peer_send --to "127.0.0.1:$tiny_port" --channel api --service echo --size 300000
}

@test "a kernel node answers: 100 messages through a channel" {
	kernel_node
	run -0 tiny send "127.0.0.1:$port" api uppercase "straße" 100
	[ "$(grep -c '^reply STRASSE$' <<<"$output")" -eq 100 ]
	grep -qx "channel $identifier" <<<"$output"
}

@test "a kernel node begins: plain text, messages, the right identity only" {
	kernel_node
	tiny_listen
	to=/ip4/127.0.0.1/tcp/$tiny_port/service
	[ "$(ockamctl message send hello --from n1 --to "$to/uppercase")" = HELLO ]
	channel=$(ockamctl secure-channel create --from n1 --to "$to/api" --authorized "$tiny_id")
	for i in 1 2 3; do
		[ "$(ockamctl message send "hello $i" --from n1 --to "$channel/service/uppercase")" = "HELLO $i" ]
	done
	grep -qx "channel $identifier" "$PEER_DIR/tiny"
	run ! ockamctl secure-channel create --from n1 --to "$to/api" --authorized "$identifier"
	grep -q 'is not trusted' <<<"$output"
}

# Talk to node $1 as somebody whose first key had expired when it signed the second one.
lapsed() {
	python3 -B - "$BATS_TEST_DIRNAME" "127.0.0.1:$(node_port "$1")" <<-'END'
	import sys, time
	sys.path.insert(0, sys.argv[1])
	import tiny
	past = int(time.time()) - 2000
	plan = tiny.Plan({"change0.data": lambda data: [*data[:3], past, past + 1000]})
	initiator = tiny.Initiator(tiny.Link.to(sys.argv[2]), tiny.Identity(1, plan))
	initiator.start()
	print(initiator.finish().ask("uppercase", "hello"))
	END
}

@test "a lapsed key: taken as the Rust peer takes it, refused by a strict node, restarted too" {
	ockamctl node create n1
	ockamctl node create n2 --strict-identities
	[ "$(lapsed n1)" = HELLO ]
	run ! lapsed n2
	[ "$(ockamctl node show n2 --jq .counters.handshakes_failed_identity)" -eq 1 ]
	[ "$(tiny send "127.0.0.1:$(node_port n2)" api uppercase hello | tail -n 1)" = "reply HELLO" ]
	ockamctl node stop n2
	ockamctl node start n2
	run ! lapsed n2
	[ "$(ockamctl node show n2 --jq .counters.handshakes_failed_identity)" -eq 1 ]
}
