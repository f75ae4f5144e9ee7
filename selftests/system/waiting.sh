#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Who waits for an answer is told when none can come any more: the way has
# ended, the channel is dead, there is no such address. And a time limit is one
# for the whole command. Commands that are told get a limit far above what the
# test waits for them.
#
# where: uml
# long: vm

. "$(dirname "$0")/ockamd.inc"

# told NAME TEXT COMMAND...: it fails, says so, and long before its own limit
told()
{
	local name=$1 text=$2 said

	shift 2
	said=$(timeout 40 "$@" --timeout 1000s 2>&1)
	same $? 70 "$name"
	grep -qF -- "$text" <<<"$said"
	ok $? "and says: $text" "$said"
}

# in_node NODE COMMAND...
in_node()
{
	nsenter --net="/proc/$(node_pid "$1")/ns/net" "${@:2}"
}

for node in n1 n2 n3; do
	run_ok "node $node" ockamctl node create $node
done
big=$(printf '%09000d' 0)

# ---- addresses that are not there ----

told "an address that this node does not have" "This node has no address 0#nosuch" \
	ockamctl message send hello --from n1 --to /service/nosuch
told "a channel that never was" "This node has no address 0#$(printf '%032x' 1)" \
	ockamctl message send hello --from n1 --to "/service/$(printf '%032x' 1)/service/echo"

# ---- a node on the way refuses ----

in_node n2 sysctl -qw net.ockam.max_frame_bytes=4096
channel=$(ockamctl secure-channel create --from n1 --to /node/n2/node/n3/service/api)
ok $? "a channel through a node that takes small frames" "$channel"
same "$(ockamctl message send hello --from n1 --to "$channel/service/uppercase")" HELLO \
	"a small message passes"
told "a larger one ends the connection" "ended before there was an answer" \
	ockamctl message send "$big" --from n1 --to "$channel/service/echo"
told "and the channel leads nowhere" "leads to no other node any more" \
	ockamctl message send hello --from n1 --to "$channel/service/uppercase"
in_node n2 sysctl -qw net.ockam.max_frame_bytes=1048576

# ---- the peer goes while somebody waits ----

channel=$(ockamctl secure-channel create --from n1 --to /node/n3/service/api)
ok $? "another channel" "$channel"
before=$(counter n3 drop_no_address)
timeout 100 ockamctl message send hello --from n1 --to "$channel/service/nosuch" \
	--timeout 1000s >"$OCKAM_HOME/said" 2>&1 &
waiter=$!
run_ok "the peer has dropped the message" wait_for 30 counts n3 drop_no_address $((before + 1))
run_ok "its node is stopped" ockamctl node stop n3
wait $waiter
same $? 70 "the waiter is told"
grep -q "ended before there was an answer" "$OCKAM_HOME/said"
ok $? "and says why" "$(cat "$OCKAM_HOME/said")"
run_ok "the node starts again" ockamctl node start n3

# ---- limits of time ----

it 64 "expected at most 1d" ockamctl message send hello --from n1 --to /service/echo --timeout 25h
it 64 "expected at most 1d" ockamctl secure-channel create --from n1 --to /node/n2/service/api \
	--timeout 400d
kill -STOP "$(worker_of "$(node_pid n2)")"
said=$(timeout 40 ockamctl message send hello --from n1 --timeout 3s \
	--to /node/n2/secure/api/service/echo 2>&1)
same $? 70 "a handshake that does not come to an end has the command's limit"
grep -q timeout <<<"$said"
ok $? "and is a timeout" "$said"
kill -CONT "$(worker_of "$(node_pid n2)")"
same "$(ockamctl message send hello --from n1 --to /node/n2/secure/api/service/uppercase)" HELLO \
	"afterwards it works"
finish
