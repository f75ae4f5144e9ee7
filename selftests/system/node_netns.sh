#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Nodes of network namespaces that are there already: named by a path or by a
# process, the machine's own, stopped, killed, started again; what is not ours
# stays as it is.
#
# where: uml vm
# long: debug
# timeout: 300

. "$(dirname "$0")/ockamd.inc"

export PYTHONPATH
PYTHONPATH=$(cd "$(dirname "$0")/../.." && pwd)/tools/python
started=
trap 'ockamctl reset -y >/dev/null 2>&1; ip netns delete app 2>/dev/null
	for pid in $started; do kill "$pid" 2>/dev/null; done; rm -rf "$OCKAM_HOME"' EXIT

# echo_in COMMAND... ROUTE: a program that COMMAND starts has its bytes echoed over ROUTE
cat >"$OCKAM_HOME/echo.py" <<'EOP'
import sys
from ockam_socket import Socket

with Socket() as sock:
    sock.bind()
    sock.settimeout(10)
    sock.sendto(b"\x05hello", sys.argv[1])
    print(sock.recvfrom(100)[0][1:].decode())
EOP
echo_in()
{
	"${@:1:$# - 1}" python3 "$OCKAM_HOME/echo.py" "${@: -1}"
}

inode()
{
	stat -Lc %i "$1"
}

pin_of()
{
	echo /run/netns/$(ockamctl node show "$1" --jq .netns | tr -d '"')
}

# All that is in the namespace of "ip netns".
contents()
{
	ip -n app -o address show
	ip -n app -o link show | sed 's/state.*//'
	ip -n app route show table all
}

channel_from()
{
	ockamctl secure-channel create --from "$1" --to "/node/$2/service/api" | sed 's,.*/,,'
}

run_ok "a node" ockamctl node create far
ip netns add app && ip link add outer0 type veth peer name inner0 netns app &&
	ip -n app address add 192.0.2.1/24 dev inner0 && ip -n app link set inner0 up
ok $? "a namespace of somebody else"
before=$(contents)

# ---- by its path ----

run_ok "a node is made of it" ockamctl node create n1 --netns /run/netns/app
same "$(ockamctl node show n1 --jq .netns_of)" '"/run/netns/app"' "it says of what"
same "$(inode "/proc/$(node_pid n1)/ns/net")" "$(inode /run/netns/app)" \
	"the node process is in there"
same "$(inode "$(pin_of n1)")" "$(inode /run/netns/app)" "it has a name of the node's, too"
same "$(contents)" "$before" "nothing else has changed in it, lo is as it was"
channel=$(channel_from n1 far)
same "$(echo_in ip netns exec app "$channel => echo")" hello \
	"a program that is in there has channels"
same "$(upper in --from far --to /node/n1/service/uppercase)" IN "others reach the node"

# ---- a namespace is one node ----

it 70 "The network namespace of /run/netns/app is a node already, the node n1" \
	ockamctl node create n2 --netns /run/netns/app
it 70 "is a node already, the node n1" ockamctl node create n2 --netns "$(node_pid n1)"
it 70 "is a node already, the node far" ockamctl node create n2 --netns "$(node_pid far)"
said=$(OCKAM_HOME=$OCKAM_HOME/other ockamctl node create n2 --netns /run/netns/app 2>&1)
grep -q "is a node already, a node of another home, /run/netns/ockam-[0-9a-f]*-n1" <<<"$said"
ok $? "one of another home is found by its pin" "$said"
it 70 "There is no node with name n2" ockamctl node show n2
same "$(echo_in ip netns exec app "$channel => echo")" hello "n1 goes on"

# ---- stop and start ----

run_ok "the node stops" ockamctl node stop n1
same "$(ls /run/netns | grep -c -- -n1)" 0 "its own name is gone"
same "$(contents)" "$before" "the namespace is as before"
run_ok "the node starts" ockamctl node start n1
same "$(inode "/proc/$(node_pid n1)/ns/net")" "$(inode /run/netns/app)" "in the same namespace"
channel=$(channel_from n1 far)
same "$(echo_in ip netns exec app "$channel => echo")" hello "and serves its programs"
pid=$(node_pid n1)
kill -9 "$pid"
wait_for 5 gone "$pid"
run_ok "killed, it starts at once" ockamctl node start n1
pid=$(node_pid n1)
kill -9 "$pid"
wait_for 5 gone "$pid"
run_ok "a sweep of its left-overs" ockamctl node list
same "$(ls /run/netns | grep -c -- -n1)" 0 "takes its own name"
same "$(contents)" "$before" "and nothing of the namespace"
[ -e /sys/class/net/outer0 ]
ok $? "devices stay"
ip netns delete app && ip netns add app
ok $? "the namespace is made anew under its name"
run_ok "the node starts" ockamctl node start n1
same "$(inode "/proc/$(node_pid n1)/ns/net")" "$(inode /run/netns/app)" "in the new one"
ip netns delete app
ok $? "the name is deleted while the node runs"
[ -n "$(node_pid n1)" ]
ok $? "which goes on"
run_ok "and stops" ockamctl node stop n1
it 70 "There is no network namespace /run/netns/app" ockamctl node start n1
run_ok "created again without it" ockamctl node create n1
same "$(ockamctl node show n1 --jq 'has("netns_of")')" false "it has one of its own"
same "$(ip -n "$(basename "$(pin_of n1)")" -o link show up | wc -l)" 1 "with lo up"

# ---- by a process ----

unshare -n sleep 1000 & container=$!
started="$started $container"
wait_for 5 sh -c "[ \$(stat -Lc %i /proc/$container/ns/net) != $(inode /proc/self/ns/net) ]"
run_ok "a node is made for a process" ockamctl node create c1 --netns "$container"
same "$(ockamctl node show c1 --jq .netns_of)" "\"process $container\"" "it says for which"
channel=$(channel_from c1 far)
same "$(echo_in nsenter -t "$container" -n "$channel => echo")" hello "its programs have channels"
run_ok "the node stops" ockamctl node stop c1
run_ok "and starts while the process lives" ockamctl node start c1
same "$(inode "/proc/$(node_pid c1)/ns/net")" "$(inode "/proc/$container/ns/net")" \
	"with its namespace"
kill -9 "$container"
wait "$container" 2>/dev/null
same "$(upper on --from far --to /node/c1/service/uppercase)" ON \
	"the process ends, the node goes on"
run_ok "it stops" ockamctl node stop c1
it 70 "Process $container, whose network namespace the node had, has ended" ockamctl node start c1
unshare -n sleep 1000 & container=$!
started="$started $container"
wait_for 5 sh -c "[ \$(stat -Lc %i /proc/$container/ns/net) != $(inode /proc/self/ns/net) ]"
run_ok "it is created for the next one" ockamctl node create c1 --netns "/proc/$container/ns/net"
same "$(ockamctl node show c1 --jq .netns_of)" "\"process $container\"" \
	"a path of a process is the process"
run_ok "deleted" ockamctl node delete c1 -y

# ---- the caller's own ----

run_ok "the namespace of the machine is a node" ockamctl node create host --netns 1
same "$(ockamctl node show host --jq .netns_of)" '"/proc/1/ns/net"' "process 1 is always there"
channel=$(channel_from host far)
same "$(echo_in env "$channel => echo")" hello "any program has its channels"
same "$(upper own --from host --to /node/host/service/uppercase)" OWN "it connects to itself"
same "$(upper back --from far --to /node/host/service/uppercase)" BACK "others connect to it"
same "$(upper still --from n1 --to /node/far/service/uppercase)" STILL "and to each other as before"
links=$(ip -o address show)
pid=$(node_pid host)
kill -9 "$pid"
wait_for 5 gone "$pid"
run_ok "killed, it starts again" ockamctl node start host
run_ok "it is deleted" ockamctl node delete host -y
same "$(ip -o address show)" "$links" "devices and addresses of the machine stay"
ip netns add app && ip -n app link set lo up
ip netns exec app \
	ockamctl node create inside --netns /proc/self/ns/net >/dev/null 2>"$OCKAM_HOME/said"
ok $? "a caller's own, when that is another one" "$(cat "$OCKAM_HOME/said")"
same "$(inode "/proc/$(node_pid inside)/ns/net")" "$(inode /run/netns/app)" "it is that"
same "$(upper loop --from inside --to /node/inside/service/uppercase)" LOOP \
	"its connections are in there"
run_ok "it is deleted" ockamctl node delete inside -y

# ---- refusals ----

it 64 "expected a path or the number of a process" ockamctl node create n9 --netns ""
it 70 "There is no network namespace /run/netns/nothing" \
	ockamctl node create n9 --netns /run/netns/nothing
it 70 "There is no process 4194304, or it has ended" ockamctl node create n9 --netns 4194304
it 70 "/proc/self/ns/mnt is no network namespace" ockamctl node create n9 --netns /proc/self/ns/mnt
it 70 "$OCKAM_HOME/echo.py is no network namespace" \
	ockamctl node create n9 --netns "$OCKAM_HOME/echo.py"
cd "$OCKAM_HOME" || exit
it 70 "$OCKAM_HOME/echo.py is no network namespace" ockamctl node create n9 --netns echo.py
it 64 "a path of at most 1023 bytes is possible" \
	ockamctl node create n9 --netns "/$(head -c 1100 /dev/zero | tr '\0' x)"
cd / || exit
it 70 "There is no node with name n9" ockamctl node show n9
run_ok "a relative path" sh -c "cd /run/netns && ockamctl node create n9 --netns app"
same "$(ockamctl node show n9 --jq .netns_of)" '"/run/netns/app"' "is kept as an absolute one"
touch "/run/netns/ockam-$(basename "$(pin_of n9)" | cut -d- -f2)-n8"
it 70 "and no node of this home has made it" ockamctl node create n8 --netns "$$"
ls /run/netns/ockam-*-n8 >/dev/null
ok $? "a foreign file of the pin's name stays"
rm /run/netns/ockam-*-n8
run_ok "all nodes are deleted" ockamctl node delete --all -y
[ -e /run/netns/app ]
ok $? "the name of somebody else stays"
wait_for 5 module_unused
ok $? "the module is unused" "$(cat /sys/module/ockam/refcnt)"
finish
