#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# The least of volume.sh, for a kernel whose AES is a driver that registers as
# asynchronous: a thousand messages and answers each way at once through a
# channel that a Rust node begins, and a few hundred through one of the kernel's.
#
# where: vm
# timeout: 240

. "$(dirname "$0")/nodes.inc"

count=1000 mix=100,0,20000,1,23,256,24,1000,255,5000

run_ok "a kernel node starts" ockamctl node create n1
begin both in_node n1 traffic -b app -m $count -f echo -n $count -s $mix -w 16 -T 60
wait_for 30 grep -q ready "$PEER_DIR/both.said"
begin rust peer_send --to "127.0.0.1:$(node_port n1)" --channel api --service app --size 300 --grow \
	--count $count --window 16 --quiet --serve --linger 60 --timeout 60
ended both
same "$?$said" "0ready
done sent=$count replies=$count served=$count" "$count messages and answers each way at once"
rekeys=$(counter n1 channel_rekeys)
[ "$rekeys" -ge 62 ]
ok $? "62 rekeys" "$rekeys"
wait_for 30 grep -q "^done messages=$count" "$PEER_DIR/rust.said"
ok $? "the Rust node has all its answers" "$(cat "$PEER_DIR/rust.said" "$PEER_DIR/rust.complaint")"
kill "${job[rust]}"

run_ok "a Rust node starts" peer_start r listen
channel=$(ockamctl secure-channel create --from n1 --to "$(rust_route r)/service/api" --timeout 60s)
ok $? "a channel from the kernel" "$channel"
said=$(in_node n1 traffic -t "${channel#/service/},echo" -n 330 -s "$mix" -w 16 -T 60 2>&1)
same "$said" "done sent=330 replies=330 served=0" "330 messages and answers"
said=$(in_node n1 traffic -t "${channel#/service/},echo" -n 2 -s 65536,500000 -T 60 2>&1)
same "$said" "done sent=2 replies=2 served=0" "and large ones"
same "$(refusals n1)" 0 "no packet was refused"
same "$(counter n1 drop_socket_full)" 0 "none was dropped"
finish
