#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# A network between two nodes that loses, repeats, delays and reorders, that is
# cut for a while, and whose cable is pulled out for good: TCP heals what it
# can, the channel sees none of it, and what cannot be healed ends.
#
# where: uml
# long: vm debug
# timeout: 240

. "$(dirname "$0")/ockamd.inc"

there=ockam-test-far
trap 'ockamctl reset -y >/dev/null 2>&1; ip netns delete $there; rm -rf "$OCKAM_HOME"' EXIT

network()
{
	ip netns add $there &&
		ip link add near type veth peer name far netns $there &&
		ip address add 10.85.0.1/24 dev near && ip link set near up &&
		ip -n $there address add 10.85.0.2/24 dev far && ip -n $there link set far up
}

# netem WORD...: the same in both directions
netem()
{
	tc qdisc replace dev near root netem "$@" &&
		tc -n $there qdisc replace dev far root netem "$@"
}

echoes()
{
	same "$(in_node n1 traffic -t "${channel#/service/},echo" -T 60 "$@" 2>&1)" \
		"done sent=$2 replies=$2 served=0" "$2 messages and answers$note"
}

run_ok "two namespaces and a cable" network
run_ok "a node" ockamctl node create n1
run_ok "a node at the other end" ip netns exec $there ockamctl node create n2 -t 10.85.0.2:0
port=$(node_port n2)
ockamctl tcp-listener list --at n2 | grep -qF "10.85.0.2:$port"
ok $? "it listens there" "$(ockamctl tcp-listener list --at n2)"
channel=$(ockamctl secure-channel create --from n1 --to "/ip4/10.85.0.2/tcp/$port/service/api")
ok $? "a channel" "$channel"
note=
echoes -n 100 -w 8
run_ok "now it loses 5 %, repeats 3 %, delays and reorders" \
	netem delay 5ms 4ms loss 5% duplicate 3% reorder 25% 50%
note=" over that"
echoes -n 200 -w 16 -s 10,3000,20000
second=$(ockamctl secure-channel create --from n1 --to "/ip4/10.85.0.2/tcp/$port/service/api" \
	--timeout 60s)
ok $? "a handshake over it" "$second"

run_ok "now it loses everything" netem loss 100%
in_node n1 traffic -t "${channel#/service/},echo" -n 50 -w 8 -T 60 >"$OCKAM_HOME/said" 2>&1 &
sender=$!
lost()
{
	# "Sent ... (dropped N, ..."
	[ "$(tc -s qdisc show dev near | sed -n 's/.*dropped \([0-9]*\),.*/\1/p')" -ge 2 ]
}
wait_for 30 lost
ok $? "and has lost some" "$(tc -s qdisc show dev near)"
kill -0 $sender
ok $? "the sender waits" "$(cat "$OCKAM_HOME/said")"
run_ok "the cable is whole again" netem delay 1ms
wait $sender
same "$?$(cat "$OCKAM_HOME/said")" "0done sent=50 replies=50 served=0" "it has all its answers"
same "$(refusals n1) $(refusals n2)" "0 0" "no packet of a channel was refused"
same "$(counter n2 drop_packet_replayed)" 0 "none came twice"

# A reset instead of an end: the other host has gone and come back without the connection.
run_ok "the node at the other end dies" kill -9 "$(node_pid n2)"
none()
{
	[ "$(ockamctl secure-channel list --at n1 --jq length)" = 0 ]
}
wait_for 60 none
ok $? "both channels end" "$(ockamctl secure-channel list --at n1)"
finish
