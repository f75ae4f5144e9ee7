#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# A thousand messages and answers each way through one channel, over thirty-one
# rekeys, one direction at a time and both at once; sizes at every edge up to
# the largest and one above it.
#
# where: uml
# long: debug
# timeout: 240

. "$(dirname "$0")/nodes.inc"

count=1000
edges=0,1,23,24,255,256,65535,65536
mix=100,0,70000,1,23,256,24,1000,255,5000

rekeys()
{
	local before=$1

	[ $(($(counter n1 channel_rekeys) - before)) -ge "$2" ]
}

run_ok "a kernel node starts" ockamctl node create n1

# ---- the kernel initiates ----

run_ok "a Rust node starts" peer_start r listen --service-as sink=sink
channel=$(ockamctl secure-channel create --from n1 --to "$(rust_route r)/service/api")
ok $? "a channel from the kernel" "$channel"
channel=${channel#/service/}
rx=$(counter n1 channel_packets_rx) tx=$(counter n1 channel_packets_tx)
rekeyed=$(counter n1 channel_rekeys)
said=$(in_node n1 traffic -t "$channel,echo" -n $count -s $mix -w 16 2>&1)
same "$said" "done sent=$count replies=$count served=0" "$count messages to a Rust service"
same $(($(counter n1 channel_packets_tx) - tx)) $count "one packet each"
same $(($(counter n1 channel_packets_rx) - rx)) $count "one packet each answer"
rekeys "$rekeyed" 31
ok $? "31 rekeys" "$(counter n1 channel_rekeys)"
said=$(in_node n1 traffic -t "$channel,echo" -n 8 -s $edges 2>&1)
same "$said" "done sent=8 replies=8 served=0" "sizes $edges"

# ---- the largest ----

limit=$(in_node n1 cat /proc/sys/net/ockam/max_frame_bytes)
# Around it: the heads of the frame and of the plaintext with the routes
# [decryptor] and [sink], [random name], nonce and tag.
largest=$(in_node n1 traffic -t "$channel,sink" -x)
same $((limit - largest)) $((1 + 37 + 1 + 5 + 8 + 5 + 8 + 37 + 5 + 1 + 16)) "the largest message is known"
said=$(in_node n1 traffic -t "$channel,sink" -q -s $((largest + 1)) 2>&1)
same "$said" "traffic: message 1 of $((largest + 1)) bytes: Message too long" \
	"one byte more is refused by name"
said=$(in_node n1 traffic -t "$channel,sink" -q -n 2 -s "$largest" 2>&1)
same "$said" "done sent=2 replies=0 served=0" "the largest goes"
# A Rust node's frames have a fourth element, of three bytes.
said=$(in_node n1 traffic -t "$channel,echo" -n 2 -s $((largest - 3)) 2>&1)
same "$said" "done sent=2 replies=2 served=0" "the largest that it can return comes back"
same "$(counter n1 links_failed_too_large)" 0 "the link lives"
same "$(refusals n1)" 0 "no packet was refused"
in_node n1 traffic -t "$channel,echo" -s $((largest - 2)) -T 5 >/dev/null 2>&1
same $? 1 "one more byte makes the answer too large"
wait_for 5 counts n1 links_failed_too_large 1
ok $? "which ends the link and is counted"
wait_for 5 open_channels n1 0
ok $? "with the channel"
peer_stop r

# ---- the Rust node initiates ----

port=$(node_port n1)
begin served in_node n1 traffic -b app -m $((count + 8))
wait_for 10 grep -q ready "$PEER_DIR/served.said"
rekeyed=$(counter n1 channel_rekeys)
said=$(peer_send --to "127.0.0.1:$port" --channel api --service app --size 100 --count $count \
	--window 16 --quiet --grow 2>&1)
ok $? "$count messages to a program at the kernel node" "$said"
rekeys "$rekeyed" 31
ok $? "31 rekeys" "$(counter n1 channel_rekeys)"
failed=
for size in ${edges//,/ }; do
	said=$(peer_send --to "127.0.0.1:$port" --channel api --service app --size "$size" 2>&1) ||
		failed="$failed $size: $said"
done
same "$failed" "" "sizes $edges"
ended served
same "$?$said" "0ready
done sent=0 replies=0 served=$((count + 8))" "the program has seen them all"

# Our frame with the answer is three bytes shorter, so here the request decides.
largest=$((largest - 3))
begin served in_node n1 traffic -b app -m 2
wait_for 10 grep -q ready "$PEER_DIR/served.said"
said=$(peer_send --to "127.0.0.1:$port" --channel api --service app --size $((largest + 1)) --count 2 \
	2>&1)
ok $? "the largest that the kernel takes" "$said"
ended served
ok $? "arrived" "$said"
said=$(peer_send --to "127.0.0.1:$port" --channel api --service echo --size $((largest + 1)) \
	--timeout 2 2>&1)
same $? 1 "one byte more does not arrive"
wait_for 5 counts n1 links_failed_too_large 2
ok $? "it ends the link and is counted"

# ---- both at once, in one channel ----

begin both in_node n1 traffic -b app -m $count -f echo -n $count -s $mix -w 8
wait_for 10 grep -q ready "$PEER_DIR/both.said"
wait_for 10 open_channels n1 0
rekeyed=$(counter n1 channel_rekeys) opened=$(counter n1 channels_opened)
begin rust peer_send --to "127.0.0.1:$port" --channel api --service app --size 3000 \
	--count $count --window 8 --quiet --serve --linger 20
ended both
same "$?$said" "0ready
done sent=$count replies=$count served=$count" "$count messages and answers each way at once"
rekeys "$rekeyed" 62
ok $? "62 rekeys" "$(counter n1 channel_rekeys)"
same $(($(counter n1 channels_opened) - opened)) 1 "one channel"
wait_for 10 grep -q "^done messages=$count" "$PEER_DIR/rust.said"
ok $? "the Rust node has all its answers" "$(cat "$PEER_DIR/rust.said" "$PEER_DIR/rust.complaint")"
kill "${job[rust]}"
same "$(refusals n1)" 0 "no packet was refused"
same "$(counter n1 drop_socket_full)" 0 "none was dropped"

# ---- the same, begun by the kernel ----

run_ok "a Rust node that speaks first" peer_start r listen --greet "$(printf '%0300d' 0)" \
	--greet-to pong
begin served in_node n1 traffic -b pong -m $count -u
wait_for 10 grep -q ready "$PEER_DIR/served.said"
channel=$(ockamctl secure-channel create --from n1 --to "$(rust_route r)/service/api")
ok $? "a channel in which it does" "$channel"
said=$(in_node n1 traffic -t "${channel#/service/},echo" -n $count -s $mix -w 8 2>&1)
same "$said" "done sent=$count replies=$count served=0" "$count messages to it"
ended served
ok $? "while $count of its own were answered" "$said"
same "$(refusals n1)" 0 "no packet was refused"
finish
