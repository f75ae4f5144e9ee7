#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Channels whose route is made again when what it was made of has ended: a connection
# that is cut on either side, a node on the way that comes back elsewhere.
#
# where: uml
# long: vm debug

. "$(dirname "$0")/ockamd.inc"

# asked NODE OPERATION ARGUMENTS: what the node answers
asked()
{
	python3 - "$(ls /run/ockam/*/"$1")" "$2" "$3" <<-'END'
		import json, socket, sys
		path, op, args = sys.argv[1:]
		node = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		node.connect(path)
		request = {"v": 1, "id": 1, "op": op, "args": json.loads(args)}
		node.send(json.dumps(request).encode())
		print(json.dumps(json.loads(node.recv(1 << 20))))
	END
}

# first_link NODE: its oldest connection
first_link()
{
	asked "$1" tcp-connection.list '{}' | sed 's/.*"address": "\([0-9a-f]*\)", "mode.*/\1/'
}

links()
{
	ockamctl tcp-connection list --at "$1" | grep -c TCP,
}

has()
{
	[ "$(links "$1")" = "$2" ]
}

answers()
{
	[ "$(ockamctl message send "$1" --timeout 1s --from n1 \
		--to "$channel/service/uppercase")" = "${1^^}" ]
}

for i in 1 2 3; do
	run_ok "node n$i" ockamctl node create "n$i"
done
said=$(asked n1 secure-channel.create '{"route": "/node/n2/node/n3/service/api", "keep": true}')
channel=/service/$(sed -n 's/.*"address": "\([0-9a-f]*\)".*/\1/p' <<<"$said")
same "$(upper once --from n1 --to "$channel/service/uppercase")" ONCE "a channel over two hops"
same "$(links n1) $(links n2) $(links n3)" "1 2 1" "with its connections"

cut=$(first_link n1)
run_ok "the first connection is cut" ockamctl tcp-connection delete "$cut" --at n1 -y
wait_for 20 answers again
ok $? "the channel goes on" "$(tail "$OCKAM_HOME"/nodes/n1/*.log)"
[ "$(first_link n1)" != "$cut" ]
ok $? "over another one"
wait_for 5 has n2 2
ok $? "n2 has as many as before"
run_ok "the second one is cut" ockamctl tcp-connection delete "$(first_link n3)" --at n3 -y
wait_for 20 answers more
ok $? "the channel goes on"
same "$(counter n3 channels_opened)" 1 "without another handshake"

port=$(node_port n2)
run_ok "n2 stops" ockamctl node stop n2
wait_for 10 has n1 0
ok $? "n1 has no connection"
run_ok "n2 starts elsewhere" ockamctl node create n2 -t 127.0.0.1:0
[ "$(node_port n2)" != "$port" ]
ok $? "at another port"
wait_for 20 answers there
ok $? "the channel has found it" "$(tail "$OCKAM_HOME"/nodes/n1/*.log)"
same "$(ockamctl secure-channel list --at n1 --jq '.[0].state')" '"up"' "it is up"

run_ok "it is deleted" ockamctl secure-channel delete "${channel##*/}" --at n1 -y
wait_for 5 has n1 0
ok $? "with its connection"
wait_for 5 has n2 0
ok $? "and what n2 had made for it"

# One that cannot come back is deleted as any other, and a node stops meanwhile.
said=$(asked n1 secure-channel.create '{"route": "/node/n2/service/api", "keep": true}')
channel=/service/$(sed -n 's/.*"address": "\([0-9a-f]*\)".*/\1/p' <<<"$said")
said=$(asked n1 secure-channel.create '{"route": "/node/n2/service/api", "keep": true}')
run_ok "n2 stops" ockamctl node stop n2
wait_for 10 has n1 0
ok $? "two channels have lost their connections"
same "$(ockamctl secure-channel list --at n1 --jq 'length')" 2 "and are there"
run_ok "one is deleted" ockamctl secure-channel delete "${channel##*/}" --at n1 -y
run_ok "all nodes are deleted" ockamctl node delete --all -y
wait_for 5 module_unused
ok $? "the module is unused"
finish
