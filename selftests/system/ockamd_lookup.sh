#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# A name server that never answers: nobody else waits for it, and a look-up ends
# when its time is over or nobody wants it any more.
#
# where: uml

. "$(dirname "$0")/ockamd.inc"

ip link set lo up
python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
print("bound", flush=True)
while True:
    s.recv(4096)
    print("asked", flush=True)' >"$OCKAM_HOME.asked" &
server=$!
disown
cp -L /etc/resolv.conf "$OCKAM_HOME.resolv" 2>/dev/null
cp -L /etc/nsswitch.conf "$OCKAM_HOME.nsswitch" 2>/dev/null
rm -f /etc/resolv.conf
restore()
{
	kill "$server"
	cp "$OCKAM_HOME.resolv" /etc/resolv.conf
	cp "$OCKAM_HOME.nsswitch" /etc/nsswitch.conf
	ockamctl reset -y >/dev/null 2>&1
	rm -rf "$OCKAM_HOME" "$OCKAM_HOME".*
}
trap restore EXIT
printf 'nameserver 127.0.0.1\noptions timeout:30 attempts:5\n' >/etc/resolv.conf
echo 'hosts: files dns' >/etc/nsswitch.conf
wait_for 20 grep -q bound "$OCKAM_HOME.asked"
ok $? "a name server that says nothing"

lookups()
{
	pgrep -P "$node" -x ockamd-lookup
}

# lookups_are COUNT
lookups_are()
{
	[ "$(lookups | wc -l)" = "$1" ]
}

asked()
{
	grep -q asked "$OCKAM_HOME.asked"
}

# Its filter is set last; it has had the time to open files before.
confined()
{
	grep -q '^Seccomp:[[:space:]]*2' "/proc/$(lookups | head -1)/status"
}

run_ok "a node" ockamctl node create n1
node=$(node_pid n1)
port=$(node_port n1)

# ---- listening at a name ----

ockamctl tcp-listener create slow.example:0 --at n1 >"$OCKAM_HOME/said" 2>&1 & job=$!
wait_for 20 asked
ok $? "the name of a listener is being looked up"
pid=$(lookups)
run_ok "the node answers meanwhile" ockamctl node show n1
same "$(lookups)" "$pid" "while the look-up is under way"
wait_for 5 confined
ok $? "its system calls are filtered"
same "$(sed -n 's/^CapBnd:[[:space:]]*//p;s/^CapEff:[[:space:]]*//p' "/proc/$pid/status" | sort -u)" \
	0000000000000000 "it has no capability"
same "$(stat -c %u "/proc/$pid/fd" 2>/dev/null; sed -n 's/^Uid:[[:space:]]*//p' "/proc/$pid/status")" \
	$'0\n65534\t65534\t65534\t65534' "it is nobody, and nobody may look into it"
run_ok "the node connects to an address" \
	ockamctl tcp-connection create --from n1 --to "127.0.0.1:$port"
run_ok "and to another name" ockamctl tcp-connection create --from n1 --to "localhost:$port"
same "$(upper a --to /node/n1/service/uppercase)" A "services answer"
wait $job
[ $? = 70 ] && grep -q "Cannot resolve slow.example: timeout" "$OCKAM_HOME/said"
ok $? "the look-up ends when its time is over" "$(cat "$OCKAM_HOME/said")"
wait_for 5 lookups_are 0
ok $? "its process too"

# ---- nobody waits ----

ockamctl tcp-connection create --from n1 --to slow.example:1 >/dev/null 2>&1 & job=$!
wait_for 20 lookups_are 1
ok $? "a connection to a name"
kill -9 $job
wait $job 2>/dev/null
wait_for 5 lookups_are 0
ok $? "whose client goes away: the look-up ends at once"

# ---- many ----

jobs=
for _ in $(seq 8); do
	ockamctl tcp-connection create --from n1 --to slow.example:1 >/dev/null 2>&1 &
	jobs="$jobs $!"
done
ockamctl tcp-connection create --from n1 --to slower.example:1 >/dev/null 2>&1 &
jobs="$jobs $!"
wait_for 10 lookups_are 2
ok $? "one process for each name"
run_ok "another name is not held up" \
	ockamctl tcp-connection create --from n1 --to "localhost:$port"
kill -9 $jobs
wait_for 20 lookups_are 0
ok $? "they end with those who wait"
run_ok "a name is looked up again" \
	ockamctl tcp-connection create --from n1 --to "localhost:$port"

# ---- the node ends while one is under way ----

ockamctl tcp-connection create --from n1 --to slow.example:1 >/dev/null 2>&1 & job=$!
wait_for 20 lookups_are 1
pid=$(lookups)
kill -9 "$node"
wait_for 5 gone "$pid"
ok $? "a look-up dies with its node process"
wait $job
[ $? = 70 ]
ok $? "and its client is told"
finish
