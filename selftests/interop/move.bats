#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
# where: uml
# timeout: 400
#
# Channels move to another connection without a new handshake, in both roles,
# and messages go on.

bats_require_minimum_version 1.5.0

setup() {
	PEER_LIB_DIR=$BATS_TEST_DIRNAME
	. "$BATS_TEST_DIRNAME/lib.inc"
	. "$BATS_TEST_DIRNAME/kernel.inc"
	kernel_setup
}

teardown() {
	kernel_teardown
}

closed_connections() {
	[ "$(peer_count rust '^connection-closed ')" -ge "$1" ]
}

start_rust() {
	peer_start rust listen
	rust=/ip4/127.0.0.1/tcp/$(peer_port rust)
	channel=$(ockamctl secure-channel create --from n1 --to "$rust/service/api" --timeout 30s)
}

# upper COUNT: so many messages and answers through the channel
upper() {
	local i
	for ((i = 0; i < $1; i++)); do
		[ "$(ockamctl message send "message $i" --from n1 --to "$channel/service/uppercase" \
			--timeout 20s)" = "MESSAGE $i" ] || return 1
	done
}

update() {
	ockamctl secure-channel update "${channel#/service/}" --at n1 "$@"
}

@test "to other connections, over several rekeys" {
	start_rust
	upper 20
	for i in 1 2 3; do
		[ "$(update --to "$rust/service/api")" = "$channel" ]
		upper 20
		# What was made for the old path is given back, and the channel stays.
		wait_for 20 closed_connections "$i"
	done
	upper 1
	[ "$(peer_count rust '^channel-made ')" = 1 ]
	[ "$(peer_count rust '^connection-made ')" = 4 ]
}

@test "through another node and back" {
	start_rust
	ockamctl node create n2
	upper 5
	update --to "/node/n2$rust/service/api"
	upper 35
	[ "$(ockamctl node show n2 --jq .counters.link_frames_rx)" -ge 70 ]
	update --to "$rust/service/api"
	upper 5
	[ "$(peer_count rust '^channel-made ')" = 1 ]
}

@test "a channel that has lost its connection goes on over another one" {
	peer_start rust listen
	rust=/ip4/127.0.0.1/tcp/$(peer_port rust)
	worker=$(ockamctl tcp-connection create --from n1 --to "127.0.0.1:$(peer_port rust)")
	channel=$(ockamctl secure-channel create --from n1 --to "$worker/service/api" --timeout 30s)
	upper 3
	ockamctl tcp-connection delete "${worker##*/}" --at n1 -y
	wait_for 10 state_is no-route
	update --to "$rust/service/api"
	state_is up
	upper 35
}

@test "what fails leaves the channel as it was" {
	start_rust
	run update --to /ip4/127.0.0.1/tcp/1/service/api
	[ "$status" != 0 ]
	upper 2
	run update --to /worker/nobody/service/api
	[ "$status" != 0 ]
	[[ $output == *hop* ]]
	upper 2
	run ockamctl secure-channel update nobody --at n1 --to "$rust/service/api"
	[ "$status" != 0 ]
	[[ $output == *"not found"* ]]
	run update
	[ "$status" != 0 ]
	upper 2
	[ "$(ockamctl secure-channel list --at n1 --jq length)" = 1 ]
}

@test "the Rust initiator moves" {
	run peer_send --to "127.0.0.1:$(node_port n1)" --channel api --service echo --size 100 --count 120 \
		--reroute-after 50 --quiet
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *rerouted* ]]
	[[ $output == *"done messages=120"* ]]
	[ "$(counter n1 channel_route_updates)" -ge 1 ]
	[ "$(counter n1 channels_opened)" = 1 ]
}

@test "between kernel nodes" {
	ockamctl node create n2
	ockamctl node create n3
	channel=$(ockamctl secure-channel create --from n1 --to /node/n3/service/api)
	upper 10
	update --to /node/n2/node/n3/service/api
	upper 40
	[ "$(ockamctl node show n3 --jq .counters.channel_route_updates)" -ge 1 ]
	update --to /node/n3/service/api
	upper 10
	[ "$(ockamctl node show n3 --jq .counters.channels_opened)" = 1 ]
}
