#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Handshakes through a hop that repeats, delays and loses their messages.
#
# where: uml
# timeout: 240

. "$(dirname "$0")/nodes.inc"

# to_kernel NAME ARGS...: a Rust initiator through the hop
to_kernel()
{
	relay_start hop "$(node_port n1)" "${@:2}"
	said=$(peer_send --to "127.0.0.1:$port" --channel api --service uppercase hello 2>&1)
	ok $? "a Rust initiator: $1" "$said"
	relay_end hop
}

to_rust()
{
	relay_start hop "$(peer_port r)" "${@:2}"
	said=$(ockamctl message send hello --from n1 --timeout 10s \
		--to "/ip4/127.0.0.1/tcp/$port/secure/api/service/uppercase" 2>&1)
	same "$?$said" "0HELLO" "a kernel initiator: $1"
	relay_end hop
}

run_ok "a kernel node starts" ockamctl node create n1
run_ok "a Rust node starts" peer_start r listen
for whom in kernel rust; do
	to_$whom "msg1 comes twice" --up "m1 m1 m3 0"
	to_$whom "msg2 comes twice" --down "m2 m2 0"
	to_$whom "msg3 comes twice" --up "m1 m3 m3 0"
	to_$whom "all come late" --up "~200 m1 ~300 m3 ~100 0" --down "~200 m2 ~200 0"
	to_$whom "all come twice" --up "m1 m1 m3 m3 0 0" --down "m2 m2 0 0"
done

# The packet that comes too early is lost, in both; the handshake is not.
to_rust "packet 0 overtakes msg3" --up "m1 0 m3"

came()
{
	[ "$(sed -n 's/^got //p' "$PEER_DIR/served.said" | tr '\n' ' ')" = "$1" ]
}

begin served in_node n1 traffic -b app -a
wait_for 10 grep -q ready "$PEER_DIR/served.said"
relay_start hop "$(node_port n1)" --up "m1 1 0 m3"
begin sent peer_send --to "127.0.0.1:$port" --channel api --service app --size 1000 --grow \
	--count 4 --no-reply --keep-open --linger 30
wait_for 20 came "1002 1003 "
ok $? "a Rust initiator: packets 1 and 0 overtake msg3" "$(cat "$PEER_DIR/served.said")"
same "$(counter n1 drop_handshake_stray)" 2 "two messages were none of the handshake"
kill "${job[sent]}" "${job[served]}"
wait "${job[sent]}" "${job[served]}" 2>/dev/null
relay_end hop

relay_start hop "$(peer_port r)" --down "1000"
said=$(ockamctl secure-channel create --from n1 --timeout 2s \
	--to "/ip4/127.0.0.1/tcp/$port/service/api" 2>&1)
ok $? "packets of the responder that are lost leave the channel unconfirmed" "$said"
relay_end hop
relay_start hop "$(peer_port r)" --up "m3 0"
said=$(ockamctl secure-channel create --from n1 --timeout 2s \
	--to "/ip4/127.0.0.1/tcp/$port/service/api" 2>&1)
same $? 70 "a msg1 that is lost is a failure"
has "for want of time" timeout
relay_end hop
same "$(channels n1)" 0 "no channel is left"
peer_stop r
finish
