#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# What the handshake worker has given up, as /proc tells it.
#
# where: uml vm
# long: debug

. "$(dirname "$0")/ockamd.inc"

field()
{
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$worker/status"
}

limit()
{
	sed -n "s/^$1  *\([^ ]*\).*/\1/p" "/proc/$worker/limits"
}

run_ok "a node" ockamctl node create n1
process=$(node_pid n1)
worker=$(worker_of "$process")
same "$(wc -w <<<"$worker")" 1 "it has one worker"

for set in CapInh CapPrm CapEff CapBnd CapAmb; do
	same "$(field $set)" 0000000000000000 "$set is empty"
done
same "$(field NoNewPrivs)" 1 "no new privileges"
same "$(field Seccomp)" 2 "system calls are filtered"
same "$(field Threads)" 1 "one thread"

fds=$(ls -l "/proc/$worker/fd")
! grep -qv -e '^total' -e 'socket:' -e 'anon_inode:\[event' <<<"$fds"
ok $? "no file is open, not even standard output" "$fds"
same "$(grep -c socket: <<<"$fds")" 2 "one pipe and one netlink socket"
same "$(ls -A "/proc/$worker/root/" | wc -l)" 0 "its root directory is empty"
same "$(stat -fc %T "/proc/$worker/root/")" tmpfs "and no file system of the machine"
same "$(wc -l <"/proc/$worker/mountinfo")" 1 "its mount namespace holds nothing else"
[ "$(readlink "/proc/$worker/ns/mnt")" != "$(readlink "/proc/$process/ns/mnt")" ]
ok $? "it has a mount namespace of its own"

same "$(limit 'Max core file size')" 0 "no core dump"
same "$(limit 'Max processes')" 0 "no new process"
same "$(limit 'Max file size')" 0 "no file to write"
# (User-Mode Linux marks every heap executable.)
! grep '^[0-9a-f-]* rwx' "/proc/$worker/maps" | grep -qv '\[heap\]'
ok $? "no memory is writable and executable"

# Nobody but root may look into it or trace it.
same "$(stat -c %U "/proc/$worker/fd" 2>/dev/null)" root "it is not dumpable"

# Secrets are not in the log, nor on the command line, nor in the environment.
log=$(cat "$OCKAM_HOME"/nodes/n1/*.log)
ockamctl secure-channel create --from n1 --to /service/api >/dev/null
keys=$(sqlite3 "$OCKAM_HOME/database.sqlite3" .dump | grep -o "X'[0-9a-fA-F]\{64\}'" |
	tr -d "X'" | tr A-F a-f | sort -u)
[ -n "$keys" ]
ok $? "there are keys to look for"
log=$(cat "$OCKAM_HOME"/nodes/n1/*.log; tr '\0' '\n' <"/proc/$worker/cmdline"
	tr '\0' '\n' <"/proc/$worker/environ")
for key in $keys; do
	! grep -q "$key" <<<"$log" || { found=$key; break; }
done
[ -z "${found:-}" ]
ok $? "none is in the log, the arguments or the environment"

run_ok "the node is deleted" ockamctl node delete n1 -y
wait_for 5 gone "$worker"
ok $? "the worker goes with it"
finish
