#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Life and death of node processes: orderly, by SIGKILL, with their namespace
# unpinned by hand, and what the next command finds.
#
# where: uml vm
# long: debug
# timeout: 240

. "$(dirname "$0")/ockamd.inc"

port_is_free()
{
	! (exec 3<>"/dev/tcp/127.0.0.1/$1")
}

runs()
{
	[ -n "$(node_pid "$1")" ]
}

# ---- what a running node looks like ----

run_ok "a node starts" ockamctl node create n1
run_ok "and a second one" ockamctl node create n2
p1=$(node_pid n1) p2=$(node_pid n2)
w1=$(worker_of "$p1")
same "$(readlink "/proc/$p1/fd/0")" /dev/null "its input is /dev/null"
same "$(ps -o sid= -p "$p1" | tr -d ' ')" "$p1" "it leads its own session"
[ "$(readlink "/proc/$p1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
ok $? "it lives in a network namespace of its own"
same "$(readlink "/proc/$p1/ns/net")" "$(readlink "/proc/$w1/ns/net")" "with its worker"
same "$(nsenter --net="/proc/$p1/ns/net" ip -o link show up | wc -l)" 1 "where one interface is up"
nsenter --net="/proc/$p1/ns/net" ip -o link show lo up | grep -q lo
ok $? "which is lo"
pin1=$(cd /run/netns && echo ockam-*-n1)
same "$(stat -fc %T "/run/netns/$pin1")" nsfs "the namespace is pinned"
same "$(stat -c %a /run/ockam/*/n1 | head -1)" 600 "the control socket is private"
same "$(stat -c %a "$(dirname "$(ls /run/ockam/*/n1 | head -1)")")" 700 "in a private directory"
same "$(upper hello --from n1 --to "/node/n2/service/uppercase")" HELLO "messages get through"

# Descriptors that a caller has open are not kept.
exec 7</dev/null 8>"$OCKAM_HOME/kept"
run_ok "a node starts from a caller with open files" ockamctl node create n3
exec 7<&- 8>&-
ls -l "/proc/$(node_pid n3)/fd" "/proc/$(worker_of "$(node_pid n3)")/fd" | grep -q kept
[ $? != 0 ]
ok $? "neither process keeps them"
run_ok "it is stopped" ockamctl node stop n3
! ls /run/netns | grep -q -- -n3
ok $? "its pin is gone"
[ ! -e "$(dirname "$(ls /run/ockam/*/n1 | head -1)")/n3" ]
ok $? "its control socket is gone"

# ---- SIGKILL ----

channel=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api)
ok $? "a channel from n1 to n2"
port=$(node_port n2)
w2=$(worker_of "$p2")
kill -9 "$p2"
wait_for 5 gone "$p2"
ok $? "n2 is killed"
wait_for 5 gone "$w2"
ok $? "its worker dies with it"
wait_for 5 port_is_free "$port"
ok $? "its port is free"
wait_for 5 sh -c "! ockamctl tcp-connection list --at n1 | grep -q :$port"
ok $? "n1 sees its link end"
wait_for 5 sh -c "! ockamctl secure-channel list --at n1 --output json | grep -q ${channel#/service/}"
ok $? "and forgets the channel over it" "$(ockamctl secure-channel list --at n1 --output json 2>&1)"
same "$(ockamctl node list --output json | grep -c '"status": "stopped"')" 2 "the next command says stopped"
! ls /run/netns | grep -q -- -n2
ok $? "and has swept its pin"
run_ok "it is created again on the same port" ockamctl node create n2 -t "127.0.0.1:$port"
same "$(upper again --from n1 --to "/node/n2/service/uppercase")" AGAIN "and serves"

# A dead process that nobody swept must not be in the way either.
p2=$(node_pid n2)
kill -9 "$p2"
wait_for 5 gone "$p2"
run_ok "a killed node is started again at once" ockamctl node start n2
same "$(node_port n2)" "$port" "on its port"

# ---- the namespace's pin deleted by hand ----

umount "/run/netns/$pin1" && rm "/run/netns/$pin1"
ok $? "the pin of n1 is deleted by hand"
same "$(upper still --from n1 --to "/node/n2/service/uppercase")" STILL "n1 goes on"
same "$(upper there --from n2 --to "/node/n1/service/uppercase")" THERE "and is reached"
run_ok "n1 is stopped" ockamctl node stop n1

# ---- refusals ----

run_ok "n1 starts again" ockamctl node start n1
said=$(ockamctl node create n1 2>&1)
[ $? = 70 ] && grep -q "Node n1 is already running" <<<"$said"
ok $? "a second one of that name is refused" "$said"
said=$(ockamctl node create n4 -t "127.0.0.1:$port" 2>&1)
[ $? = 70 ] && grep -q "$port" <<<"$said"
ok $? "a port in use is an error that names it" "$said"
said=$(cd / && setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/tmp OCKAM_HOME=/tmp/nobody.$$ \
	ockamd node --name n9 --ready-fd 3 3>&1 1>/dev/null)
grep -q '^error: .*root' <<<"$said"
ok $? "without privileges a node says what it needs" "$said"
rm -rf "/tmp/nobody.$$"

# ---- two at once ----

ockamctl node create twin >/dev/null 2>&1 & a=$!
ockamctl node create twin >/dev/null 2>&1 & b=$!
wait $a; ra=$?
wait $b; rb=$?
same "$(((ra == 0) + (rb == 0)))" 1 "of two creations of one name one wins"

# ---- nodes that belong to a command ----

ockamctl node create front -f >"$OCKAM_HOME/front.log" 2>&1 & job=$!
wait_for 10 runs front
ok $? "a foreground node"
front=$(node_pid front)
kill -9 $job
wait_for 5 gone "$front"
ok $? "dies with the command that runs it, when that is killed"
ockamctl message send x --to /node/n2/service/nobody --timeout 60s >/dev/null 2>&1 & job=$!
wait_for 10 pgrep -P $job
temporary=$(pgrep -P $job)
kill -9 $job
wait_for 5 gone "$temporary"
ok $? "and so does the temporary node of message send"

# ---- everything away ----

run_ok "all nodes are deleted" ockamctl node delete --all -y
wait_for 5 module_unused
ok $? "the module is unused" "$(cat /sys/module/ockam/refcnt)"
finish
