#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Programs with connection-oriented sockets and a Rust node, in both roles: what
# makes a channel to a listening socket and sends there, and what a socket
# connects to.
#
# where: uml
# long: debug
# timeout: 240

. "$(dirname "$0")/nodes.inc"

top=$(cd "$here/../.." && pwd)
bin=$OCKAM_HOME/examples

in_n1()
{
	nsenter --net="/proc/$(node_pid n1)/ns/net" "$bin/$1" "${@:2}"
}

# What the server has said so far has this line.
served()
{
	grep -q -F -- "$1" "$OCKAM_HOME/server.out"
}

run_ok "the examples compile" make -s -C "$top/Documentation/examples" "BUILD=$bin" \
	"$bin/record_server" "$bin/record_client"
run_ok "a kernel node starts" ockamctl node create n1
us=$(kernel_id n1)

# ---- the Rust node initiates ----

in_n1 record_server chat >"$OCKAM_HOME/server.out" 2>&1 &
server=$!
wait_for 10 in_n1 record_client x chat
ok $? "a program listens"
friend=$("$OCKAM_PEER" identity create --identity-file "$PEER_DIR/friend" |
	sed -n 's/^identifier //p')
# shellcheck disable=SC2046
run_ok "a Rust node sends to it through a channel" peer_send $(kernel_to n1) --channel chat \
	--trust "$us" --identity-file "$PEER_DIR/friend" --service chat --size 1000 --count 100
wait_for 10 served "$friend"
ok $? "the program knows who it was"
# shellcheck disable=SC2046
run_ok "records grow through all sizes, over rekeys" peer_send $(kernel_to n1) --channel chat \
	--service chat --size 1 --grow --count 200 --window 8
# shellcheck disable=SC2046
run_ok "a large one" peer_send $(kernel_to n1) --channel chat --service chat --size 60000
# shellcheck disable=SC2046
run_ok "whatever address it sends to, it is the program's" peer_send $(kernel_to n1) \
	--channel chat --service anything --size 10

# ---- the program initiates ----

run_ok "a Rust node that speaks first starts" peer_start r listen --greet hello --messages
link=$(ockamctl tcp-connection create --from n1 --to "127.0.0.1:$(peer_port r)")
ok $? "a link" "$link"
link=${link#/worker/}
said=$(in_n1 record_client -l "and back" "$link" api)
ok $? "a program connects to it" "$said"
has "hears it" hello
has "and is answered" "and back"
peer_wait r "^channel-closed .* $us$"
ok $? "its close() is heard"
peer_stop r
run_ok "a Rust node that trusts somebody else starts" \
	peer_start r listen --trust "$friend" --no-echo
link=$(ockamctl tcp-connection create --from n1 --to "127.0.0.1:$(peer_port r)")
link=${link#/worker/}
in_n1 record_client "" "$link" api
same $? 0 "a silent refusal cannot be known, see unconfirmed"
peer_stop r

in_n1 record_client "" chat
wait $server
ok $? "the server ends"
finish
