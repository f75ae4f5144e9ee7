#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# A channel over two hops: the node in the middle only routes. Everything on
# its links is captured; neither plain text nor a key is in it. A byte that is
# changed on the way is refused and counted.
#
# where: uml
# long: vm debug
# timeout: 240

. "$(dirname "$0")/ockamd.inc"

wire=$(dirname "$0")/wire.py
capture=$OCKAM_HOME/../capture.$$
trap 'kill $(jobs -p) 2>/dev/null; ockamctl reset -y >/dev/null 2>&1; rm -rf "$OCKAM_HOME" "$capture" "$capture".*' EXIT

for i in 1 2 3; do
	run_ok "n$i starts" ockamctl node create "n$i"
done

python3 "$wire" capture "$capture" >"$capture.ready" &
sniffer=$!
wait_for 60 grep -q ready "$capture.ready"
ok $? "the capture runs"

# First that it captures: a message in plain text is seen.
same "$(upper "plain words" --from n1 --to /node/n2/service/uppercase)" "PLAIN WORDS" \
	"plain text arrives"
seen()
{
	grep -aq "PLAIN WORDS" "$capture"
}
wait_for 5 seen
ok $? "and is seen on the wire"

channel=$(ockamctl secure-channel create --from n1 --to /node/n2/node/n3/service/api)
ok $? "a channel over two hops"
same "$(upper "hello ockam!" --from n1 --to "$channel/service/uppercase")" "HELLO OCKAM!" \
	"carries a message and its answer"
same "$(counter n2 channel_packets_rx)" 0 "the node in the middle opened nothing"
same "$(counter n2 channels_opened)" 0 "and has no channel"
[ "$(counter n2 link_frames_rx)" -ge 7 ]
ok $? "all went through it"
kill $sniffer
wait $sniffer
said=$(TEXTS="hello ockam!|HELLO OCKAM!" python3 "$wire" search "$capture" \
	"$OCKAM_HOME/database.sqlite3" 2>&1)
ok $? "neither plain text nor a key was on the wire" "$said"

# ---- a byte changed between n2 and n3 ----

python3 "$wire" proxy "$(node_port n3)" "$capture.flag" >"$capture.port" &
wait_for 60 test -s "$capture.port"
port=$(cat "$capture.port")
channel=$(ockamctl secure-channel create --from n1 \
	--to "/node/n2/ip4/127.0.0.1/tcp/$port/service/api")
ok $? "a channel through somebody who interferes"
same "$(upper before --from n1 --to "$channel/service/uppercase")" BEFORE "works"
same "$(counter n3 drop_packet_bad_tag)" 0 "nothing was refused so far"
touch "$capture.flag"
ockamctl message send during --timeout 1s --from n1 --to "$channel/service/uppercase" \
	>"$capture.out" 2>"$capture.err"
same $? 70 "a changed packet gets no answer"
grep -q timeout "$capture.err"
ok $? "which is a timeout"
same "$(counter n3 drop_packet_bad_tag)" 1 "it was refused and counted"
same "$(upper after --from n1 --to "$channel/service/uppercase")" AFTER "the channel works on"
run_ok "the channel is deleted" ockamctl secure-channel delete "$channel" --at n1 -y
finish
