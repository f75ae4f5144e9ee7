#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# A hop that loses, repeats and disorders packets. What a kernel node and a Rust
# node accept of them is the same, and is what the protocol says; what the kernel
# refuses is counted by reason.
#
# where: uml
# timeout: 400

. "$(dirname "$0")/nodes.inc"

relay=$here/relay.py

declare -A expect

# model PLAN: what is to become of it, in $expect
model()
{
	local what rest

	while read -r what rest; do
		expect[$what]=$rest
	done < <(python3 "$relay" model "$1" "$last")
}

# Sizes of what came, as numbers of packets.
came_to_kernel()
{
	sed -n 's/^got //p' "$PEER_DIR/served.said" | awk '{ printf "%s%d", s, $1 - 1000; s = " " }'
}

came_to_rust()
{
	sed -n 's/^message sink .* bytes=\([0-9]*\) .*/\1/p' "$PEER_DIR/r.out" |
		awk '{ printf "%s%d", s, $1 - 1000; s = " " }'
}

equals()
{
	[ "$($1)" = "$2" ]
}

# What the kernel has refused so far, by reason.
reasons()
{
	ockamctl node show n1 --compact-output --jq '[.counters | .drop_packet_replayed // 0,
		.drop_packet_too_old // 0, .drop_packet_too_far // 0]' | tr -d '[]' | tr , ' '
}

# reasons_after REPLAYED TOO_OLD TOO_FAR: what it is to be then
reasons_after()
{
	echo $(($1 + expect[replayed])) $(($2 + expect[too_old])) $(($3 + expect[too_far]))
}

# ---- a kernel node receives ----

# from_rust NAME PLAN: a Rust node sends packets 0 to $last to the kernel.
from_rust()
{
	local name=$1 plan=$2 want=${expect[accepted]} refused

	# shellcheck disable=SC2046
	refused=$(reasons_after $(reasons))
	begin served in_node n1 traffic -b app -a
	wait_for 10 grep -q ready "$PEER_DIR/served.said"
	ok $? "$name: a program receives" "$(cat "$PEER_DIR/served.complaint")"
	relay_start hop "$(node_port n1)" --up "$plan"
	begin sent peer_send --to "127.0.0.1:$port" --channel api --service app --size 1000 --grow \
		--count $((last + 1)) --no-reply --keep-open --linger 30
	wait_for 20 equals reasons "$refused"
	same "$(reasons)" "$refused" "$name: the kernel refuses what it must, for the right reasons"
	wait_for 20 equals came_to_kernel "$want"
	same "$(came_to_kernel)" "$want" "$name: and accepts the rest"
	kill "${job[sent]}" "${job[served]}"
	wait "${job[sent]}" "${job[served]}" 2>/dev/null
	relay_end hop
}

# ---- a Rust node receives ----

# to_rust NAME PLAN: packet 0 is our question whether the channel is confirmed.
to_rust()
{
	local name=$1 plan=$2 want=${expect[accepted]#0 } channel

	[ "$want" != 0 ] || want=
	if ! peer_start r listen --service-as sink=sink --messages; then
		ok 1 "$name: a Rust node starts" "$(peer_output r)"
		return
	fi
	relay_start hop "$(peer_port r)" --up "$plan"
	channel=$(ockamctl secure-channel create --from n1 --to "/ip4/127.0.0.1/tcp/$port/service/api")
	ok $? "$name: a channel" "$channel"
	in_node n1 traffic -t "${channel#/service/},sink" -q -n "$last" -s 1001+ \
		>"$PEER_DIR/sent" 2>&1
	# What came last of all, accepted or not.
	peer_wait r "^problem |^message sink .* bytes=$((1000 + last)) " >/dev/null 2>&1
	wait_for 20 equals came_to_rust "$want"
	same "$(came_to_rust)" "$want" "$name: the Rust node accepts the same packets"
	ockamctl secure-channel delete "$channel" --at n1 -y >/dev/null 2>&1
	relay_end hop
	peer_kill r
}

both()
{
	model "$2"
	from_rust "$@"
	to_rust "$@"
}

run_ok "a kernel node starts" ockamctl node create n1
last=80
both "in order" "0"
both "reversed by 32" "0 32-1 64-33"
both "31 lost" "0-9 41"
both "32 lost" "0-9 42"
both "32 lost at the start" "32"
both "33 lost at the start" "33"
both "each twice" "0 0 1 1 2 2 31 31 30 30 32 32 33 33 63 63 33"
both "the lower edge" "0-40 8 7 40 9-60 28 27"
for seed in 1 ${OCKAM_LONG:+2 3 4}; do
	both "seed $seed" "$(python3 "$relay" plan $seed 70)"
done

# ---- a kernel initiator receives what its Rust responder sends ----

last=70
plan=$(python3 "$relay" plan 3 60)
model "$plan"
# shellcheck disable=SC2046
refused=$(reasons_after $(reasons))
peer_start r listen
relay_start hop "$(peer_port r)" --down "$plan"
channel=$(ockamctl secure-channel create --from n1 --to "/ip4/127.0.0.1/tcp/$port/service/api")
ok $? "an initiator behind the hop" "$channel"
# The answers are packets 1 to $last: packet 0 has confirmed the channel.
in_node n1 traffic -t "${channel#/service/},echo" -q -n $last >"$PEER_DIR/sent" 2>&1
wait_for 15 grep -q "^down done" "$PEER_DIR/hop.said"
ok $? "the whole plan was carried out" "$(cat "$PEER_DIR/hop.said" "$PEER_DIR/hop.complaint")
$(ockamctl node show n1 --jq .counters; peer_output r | tail -5)"
wait_for 10 equals reasons "$refused"
same "$(reasons)" "$refused" "the kernel refuses what it must"
relay_end hop
peer_kill r

finish
