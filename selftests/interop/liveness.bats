#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
# where: uml
# timeout: 400
#
# The real peer goes away: silently, with its connection, with a Close; in both
# roles. Times are long enough for a busy machine and are never asserted.

bats_require_minimum_version 1.5.0

setup() {
	PEER_LIB_DIR=$BATS_TEST_DIRNAME
	. "$BATS_TEST_DIRNAME/lib.inc"
	. "$BATS_TEST_DIRNAME/kernel.inc"
	kernel_setup
	port=$(node_port n1)
}

teardown() {
	[ -z "${client:-}" ] || kill -s KILL "$client" 2>/dev/null || true
	kernel_teardown
}

counter_is() {
	[ "$(counter n1 "$1")" -ge "$2" ]
}

no_channel() {
	[ "$(ockamctl secure-channel list --at n1 --output json)" = "[]" ]
}

# to_rust [OPTION...]: a channel of n1 to the peer "rust"
to_rust() {
	channel=$(ockamctl secure-channel create --from n1 \
		--to "/ip4/127.0.0.1/tcp/$(peer_port rust)/service/api" --timeout 30s "$@")
}

upper() {
	[ "$(ockamctl message send "$1" --from n1 --to "$channel/service/uppercase" --timeout 20s)" = "${1^^}" ]
}

# from_rust ARGUMENT...: a client that stays; its process is $client
from_rust() {
	"$OCKAM_PEER" send --to "127.0.0.1:$port" --service echo --size 9 "$@" \
		>"$PEER_DIR/client.out" 2>&1 3>&- &
	client=$!
	wait_for 20 grep -q '^reply ' "$PEER_DIR/client.out"
}

# meanwhile TIME: until another node, with a peer that answers, has sent ten probes
meanwhile() {
	ockamctl node create n2
	peer_start other listen
	ockamctl secure-channel create --from n2 --liveness "$1" \
		--to "/ip4/127.0.0.1/tcp/$(peer_port other)/service/api" --timeout 30s
	ten() {
		[ "$(counter n2 channel_probes)" -ge 10 ]
	}
	wait_for 60 ten
}

@test "a peer that answers and then falls silent" {
	peer_start rust listen
	to_rust --liveness 1s
	wait_for 30 counter_is channel_probes 2
	upper "still there"
	peer_signal rust STOP
	wait_for 60 no_channel
	counter_is channels_silent 1
	peer_signal rust CONT
}

@test "a peer without echo is not taken for dead" {
	peer_start rust listen --no-echo
	to_rust --liveness 200ms
	wait_for 30 counter_is channel_probes 3
	meanwhile 200ms
	[ "$(counter n1 channel_probes)" = 3 ]
	state_is up
	upper "no echo here"
}

@test "a peer without echo, if silence means death" {
	peer_start rust listen --no-echo
	to_rust --liveness 300ms --liveness-strict
	wait_for 30 no_channel
	counter_is channels_silent 1
}

@test "a peer that does not answer now, without liveness" {
	peer_start rust listen
	to_rust --liveness 0
	peer_signal rust STOP
	meanwhile 200ms
	[ "$(counter n1 channel_probes)" = 0 ]
	state_is up
	peer_signal rust CONT
	upper again
}

@test "a client that answers and then falls silent" {
	ockamctl secure-channel-listener create watchful --at n1 --liveness 1s
	from_rust --channel watchful --serve --linger 200
	wait_for 30 counter_is channel_probes 2
	open_channels n1 1
	kill -s STOP "$client"
	wait_for 60 open_channels n1 0
	counter_is channels_silent 1
	kill -s CONT "$client"
}

@test "a client that is killed: its channel ends with the half minute" {
	from_rust --channel api --serve --linger 200
	open_channels n1 1
	kill -s KILL "$client"
	wait_for 60 open_channels n1 0
}

@test "a peer that is killed: the channel ends with its connection" {
	peer_start rust listen
	to_rust
	peer_kill rust
	wait_for 10 no_channel
}

@test "a peer that is killed, over a connection of its own: no route" {
	peer_start rust listen
	worker=$(ockamctl tcp-connection create --from n1 --to "127.0.0.1:$(peer_port rust)")
	channel=$(ockamctl secure-channel create --from n1 --to "$worker/service/api" --timeout 30s)
	state_is up
	peer_kill rust
	wait_for 10 state_is no-route
	run ockamctl message send x --from n1 --to "$channel/service/echo" --timeout 1s
	[ "$status" != 0 ]
	counter_is drop_channel_no_route 1
}

@test "Close from here, as initiator" {
	peer_start rust listen
	to_rust
	ockamctl secure-channel delete "${channel#/service/}" --at n1 -y
	peer_wait rust '^channel-closed '
}

@test "Close from there, to the initiator" {
	peer_start rust listen
	to_rust
	peer_signal rust USR2
	wait_for 10 no_channel
}

@test "Close from here, as responder" {
	ockamctl secure-channel-listener create open --at n1
	from_rust --channel open --count 100000 --interval 50 --timeout 5
	nobody=I$(printf '0%.0s' {1..64})
	ockamctl secure-channel-listener update open --at n1 -a "$nobody" --close
	wait_for 10 open_channels n1 0
	# What it sends finds no channel any more.
	if wait "$client"; then false; fi
}

@test "Close from there, to the responder" {
	from_rust --channel api --close-after 1 --count 1 --linger 200
	wait_for 10 open_channels n1 0
}

@test "times that make no sense" {
	run ockamctl secure-channel-listener create x --at n1 --liveness 5ms
	[ "$status" != 0 ]
	[[ $output == *liveness* ]]
	run ockamctl secure-channel-listener create x --at n1 --liveness 0 --liveness-strict
	[ "$status" != 0 ]
	run ockamctl secure-channel-listener update api --at n1 --liveness 2d
	[ "$status" != 0 ]
	ockamctl secure-channel-listener update api --at n1 --liveness 1m
}
