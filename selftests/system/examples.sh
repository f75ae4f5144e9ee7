#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# The programs of Documentation/examples: compiled as a reader would, run in
# the namespaces of two nodes, their output compared.
#
# where: uml
# long: vm
# timeout: 240

. "$(dirname "$0")/ockamd.inc"

top=$(cd "$(dirname "$0")/../.." && pwd)
bin=$OCKAM_HOME/examples

# in_node NODE PROGRAM ARGUMENTS...
in_node()
{
	local node=$1 program=$2

	shift 2
	nsenter --net="/proc/$(node_pid "$node")/ns/net" "$bin/$program" "$@"
}

start_server()
{
	nsenter --net="/proc/$(node_pid "$1")/ns/net" "$bin/echo_server" "${@:2}" \
		2>"$OCKAM_HOME/server.err" &
	server=$!
}

# Sent until somebody listens there.
answers()
{
	wait_for 10 in_node "$1" echo_client x "$2"
}

# Installed for this alone, as its own test shows; what is built already is used.
make -s -C "$top/tools" BUILD="$OCKAM_TOOLS" DESTDIR="$OCKAM_HOME/staged" PREFIX=/usr \
	install >/dev/null 2>&1
ok $? "libockam installs"
export PKG_CONFIG_PATH=$OCKAM_HOME/staged/usr/lib/pkgconfig
export PKG_CONFIG_SYSROOT_DIR=$OCKAM_HOME/staged
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export LD_LIBRARY_PATH=$OCKAM_HOME/staged/usr/lib
run_ok "the examples compile" make -s -C "$top/Documentation/examples" "BUILD=$bin"
run_ok "a node starts" ockamctl node create n1
run_ok "and another one" ockamctl node create n2

# ---- one node ----

same "$(in_node n1 echo_client hello echo)" hello "a client talks to the service echo"
said=$(in_node n1 echo_client hello nobody 2>&1)
same $? 1 "an address that does not exist fails"
same "$said" "send: this node has no such address" "and says so"
said=$(in_node n1 echo_client hello api 2>&1)
same "$said" "recv: no answer" "a channel listener does not answer a text"

start_server n1 mine
answers n1 mine
ok $? "a server of one's own answers"
same "$(in_node n1 echo_client "to mine" mine)" "to mine" "the same text"
same "$(in_node n1 long_route hi mine)" "hi
hop: mine" "its return route is its name"
said=$(in_node n1 echo_server mine 2>&1)
same "$said" "bind: Address already in use" "a second one may not have the name"
in_node n1 echo_client "" mine >/dev/null 2>&1
wait $server
ok $? "an empty message ends it"

# ---- a secure channel ----

start_server n2 mine
answers n2 mine
ok $? "a server at the other node"
channel=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api)
ok $? "a channel" "$channel"
channel=${channel#/service/}
same "$(in_node n1 echo_client through "$channel" mine)" through "an answer through the channel"
identifier=$(ockamctl identity show "$(ockamctl node show n2 --output json |
	sed -n 's/.*"identity_name": "\(.*\)",*$/\1/p')")
same "$(in_node n1 long_route who "$channel" mine)" "who
hop: $channel
hop: mine
peer: $identifier" "with its return route and the peer's identifier"

same "$(in_node n1 library n1 "by the library" "$channel => mine")" "has echo
by the library
from 0#$channel => 0#mine, authenticated" "the same by libockam"
said=$(in_node n1 library n1 lost "nobody => mine" 2>&1 >/dev/null)
same $? 1 "and a first address that is not there fails"
same "$said" "No route to host" "with its errno"

# ---- a link, in plain text ----

link=$(ockamctl tcp-connection create --from n1 --to "127.0.0.1:$(node_port n2)")
ok $? "a link" "$link"
link=${link#/worker/}
same "$(in_node n1 long_route plain "$link" echo)" "plain
hop: $link
hop: echo" "an answer over the bare link, without a peer"
said=$(in_node n1 long_route plain "$link" mine 2>&1)
same "$said" "recvmsg: Resource temporarily unavailable" \
	"a server that did not ask for links is not reached"
said=$(in_node n1 echo_client plain "$link" echo 2>&1)
same "$said" "recv: no answer" "nor is such a client"
in_node n2 echo_client "" mine >/dev/null 2>&1
wait $server
ok $? "the server ends"

# ---- a secure channel as a connection ----

n1_id=$(ockamctl identity show "$(ockamctl node show n1 --output json |
	sed -n 's/.*"identity_name": "\(.*\)",*$/\1/p')")
bob=$(ockamctl identity create bob)

# records NODE ARGUMENTS...: a server, which has its name by the time it is asked
records()
{
	nsenter --net="/proc/$(node_pid "$1")/ns/net" "$bin/record_server" "${@:2}" \
		>"$OCKAM_HOME/server.out" 2>&1 &
	server=$!
}

records n2 chat
wait_for 10 in_node n2 record_client x chat
ok $? "a server of connections answers"
same "$(in_node n1 record_client hello "$link" chat)" hello "an answer over a connection"
same "$(in_node n1 record_client again "$link" chat)" again "and over the next one"
same "$(in_node n2 record_client within chat)" within "and within the node"
same "$(in_node n1 record_client -i bob "it is bob" "$link" chat)" "it is bob" "and by another identity"
same "$(cat "$OCKAM_HOME/server.out")" "$identifier
$n1_id
$n1_id
$identifier
$bob" "the server knows who it was"
said=$(in_node n1 record_client -i nobody x "$link" chat 2>&1)
same "$said" "connect: No such file or directory" "an identity that is not there is none"
in_node n1 record_client "" "$link" chat
wait $server
ok $? "an empty record ends it"
records n2 -a "$bob" -i bob chat
wait_for 10 in_node n2 record_client -i bob x chat
ok $? "one for bob alone lets him in"
said=$(in_node n1 record_client x "$link" chat 2>&1)
same "$said" "connect: Connection refused" "and refuses others"
in_node n1 record_client -i bob "" "$link" chat
wait $server
ok $? "it ends"

# ---- return routes that fit no address structure ----

long=$(printf '%0122d' 0)
same "$(in_node n1 long_route -b "$long" far "$link" echo)" "far
hop: $link
hop: echo" "an answer along a return route of 158 bytes"
start_server n2 -a mine
answers n2 mine
ok $? "a server that takes links"
same "$(in_node n1 long_route near "$link" mine)" "near
hop: $link
hop: mine" "answers"
said=$(in_node n1 long_route -b "$long" far "$link" mine 2>&1)
same "$said" "recvmsg: Resource temporarily unavailable" \
	"a server without OCKAM_RECVROUTE cannot answer there"
grep -q "return route is too long" "$OCKAM_HOME/server.err"
ok $? "and says why"
in_node n2 echo_client "" mine >/dev/null 2>&1
wait $server
ok $? "it ends"
finish
