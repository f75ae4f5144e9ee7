#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# What the processes of a node have kept, as /proc tells it, what a node can do
# without the rest, and how much memory all of it takes.
#
# where: uml vm
# long: debug

. "$(dirname "$0")/ockamd.inc"

# field PID NAME
field()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

limit()
{
	sed -n "s/^$2  *\([^ ]*\).*/\1/p" "/proc/$1/limits"
}

child()
{
	pgrep -P "$1" -x "$2"
}

# children PID COUNT NAME: it has so many
children()
{
	[ "$(child "$1" "$3" | wc -l)" = "$2" ]
}

# Pages of processes that nobody else has, in kB.
private()
{
	local pid

	for pid; do
		cat "/proc/$pid/smaps_rollup"
	done | awk '/^Private_(Clean|Dirty)/ { n += $2 } END { print n }'
}

run_ok "a node" ockamctl node create n1
node=$(node_pid n1)
worker=$(worker_of "$node")
keeper=$(child "$node" ockamd-keeper)

# ---- the node process ----

# Of each thread.
fields()
{
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$node/task/"*/status | sort -u
}

# DAC_READ_SEARCH, KILL, NET_BIND_SERVICE
for set in CapPrm CapEff CapBnd; do
	same "$(fields $set)" 0000000000000424 "$set of the node process"
done
same "$(field "$node" CapInh)$(field "$node" CapAmb)" 00000000000000000000000000000000 \
	"it has none to inherit"
same "$(fields NoNewPrivs)" 1 "no new privileges"
same "$(fields Seccomp)" 2 "system calls are filtered"
same "$(limit "$node" 'Max core file size')" 0 "no core dump"
[ "$(field "$node" VmLck | tr -dc 0-9)" -gt 0 ]
ok $? "its memory is locked"

# ---- the keeper ----

# SETGID SETUID SETPCAP NET_ADMIN IPC_LOCK SYS_CHROOT SYS_ADMIN SYS_RESOURCE
for set in CapPrm CapEff CapBnd; do
	same "$(field "$keeper" $set)" 00000000012451c0 "$set of the keeper"
done
same "$(readlink "/proc/$keeper/ns/net")" "$(readlink /proc/self/ns/net)" \
	"it is in the caller's network namespace"
[ "$(readlink "/proc/$node/ns/net")" != "$(readlink /proc/self/ns/net)" ]
ok $? "the node process is not"
same "$(readlink "/proc/$keeper/fd/"[012] | sort -u)" /dev/null "it holds no log and no terminal"

# ---- what a node can do ----

run_ok "a listener at a port below 1024" ockamctl tcp-listener create 127.0.0.1:81 --at n1
it 70 "port 81 is in use by another process" ockamctl tcp-listener create 127.0.0.1:81 --at n1
run_ok "a name is looked up to listen" ockamctl tcp-listener create localhost:0 --at n1
run_ok "and to connect" ockamctl tcp-connection create --from n1 --to localhost:81
it 70 "Cannot resolve no.such.invalid" \
	ockamctl tcp-connection create --from n1 --to no.such.invalid:1
run_ok "an address of IPv6 is one" ockamctl tcp-listener create '[::1]:0' --at n1
run_ok "an identity is made while it runs" ockamctl identity create late
run_ok "and used" ockamctl secure-channel-listener create late --at n1 --identity late

# ---- the service uppercase ----

same "$(child "$node" ockamd-upper)" "" "no process for uppercase before it is asked"
same "$(upper 'straße' --to /node/n1/service/uppercase)" STRASSE "uppercase answers"
text=$(child "$node" ockamd-upper)
same "$(wc -w <<<"$text")" 1 "from a process of its own"
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
	same "$(field "$text" $set)" 0000000000000000 "its $set is empty"
done
same "$(field "$text" Uid)" $'65534\t65534\t65534\t65534' "it is nobody"
same "$(field "$text" Seccomp)" 2 "its system calls are filtered"
same "$(ls -A "/proc/$text/root/" | wc -l)" 0 "its root directory is empty"
same "$(ls "/proc/$text/fd" | wc -l)" 1 "one socket is open"
private=$(private "$node" "$worker" "$keeper" "$text")
[ "$private" -gt 0 ] && [ "$private" -lt 9000 ]
ok $? "a node takes less than 9 MB" "$private kB"
kill -9 "$text"
wait_for 20 gone "$text"
same "$(ockamctl message send again --to /node/n1/service/uppercase --timeout 20s)" AGAIN \
	"when it is killed another one answers"
wait_for 5 children "$node" 1 ockamd-upper
ok $? "one again"

# ---- as a service ----

# The capabilities that the unit of systemd leaves it.
unit=$(dirname "$0")/../../Documentation/examples/ockam-node@.service
caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr ' \n' ',,' | tr A-Z a-z |
	sed 's/cap_/+/g;s/,$//')
run_ok "a node with the capabilities of the service" \
	setpriv --no-new-privs --bounding-set "-all,$caps" ockamctl node create n2
same "$(upper b --to /node/n2/service/uppercase)" B "works"
run_ok "and takes its pin away" ockamctl node delete n2 -y
[ -z "$(ls /run/netns 2>/dev/null | grep "^ockam-.*n2$")" ]
ok $? "which is gone"

# ---- the end ----

run_ok "the node stops" ockamctl node stop n1
[ -z "$(ls /run/netns 2>/dev/null | grep "^ockam-.*n1$")" ]
ok $? "its pin is gone"
for pid in "$keeper" "$worker"; do
	wait_for 5 gone "$pid"
	ok $? "so is process $pid"
done
run_ok "it starts again" ockamctl node start n1
node=$(node_pid n1)
kill -9 "$(child "$node" ockamd-keeper)"
wait_for 10 gone "$node"
ok $? "without its keeper a node ends"
run_ok "and starts again" ockamctl node start n1
node=$(node_pid n1)
keeper=$(child "$node" ockamd-keeper)
kill -STOP "$keeper"
kill -9 "$node"
wait_for 5 gone "$keeper"
ok $? "a keeper that is stopped dies with its node process"
finish
