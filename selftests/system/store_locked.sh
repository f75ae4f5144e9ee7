#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# A home whose database a stopped process has locked, that cannot be written, or
# whose database was emptied: nodes do not wait for it on behalf of their peers,
# who reads does not either, who writes is told why not.
#
# where: uml vm
# timeout: 300

. "$(dirname "$0")/ockamd.inc"

guests=$(mktemp -d "${TMPDIR:-/tmp}/ockam-test.XXXXXX")
trap 'kill -9 "$holder" 2>/dev/null; umount "$OCKAM_HOME" 2>/dev/null
	OCKAM_HOME=$guests ockamctl reset -y >/dev/null 2>&1
	ockamctl reset -y >/dev/null 2>&1; rm -rf "$OCKAM_HOME" "$guests"' EXIT
db=$OCKAM_HOME/database.sqlite3

# A process that stops within a transaction; its status is that of waiting for it.
lock()
{
	python3 -c '
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
os.kill(os.getpid(), signal.SIGSTOP)' "$db" &
	holder=$!
	wait_for 20 is_stopped "$holder"
}

unlock()
{
	kill -9 "$holder"
	wait "$holder" 2>/dev/null
}

# A command in the home of the peers.
guest()
{
	OCKAM_HOME=$guests ockamctl "$@"
}

known()
{
	ockamctl identity peers list --output json | grep -c '"identifier"'
}

knows()
{
	[ "$(known)" -ge "$1" ]
}

is_stopped()
{
	grep -q '^State:[[:space:]]*T' "/proc/$1/status"
}

ockamctl node create n1 --tcp-listener-address 127.0.0.1:4100 >/dev/null
ok $? "a node"
ockamctl identity create cold >/dev/null
ok $? "an identity that no node has used"
guest node create g1 >/dev/null
ok $? "another one, in a home of its own"
failed=0
for i in 1 2 3 4 5 6 7 8 9; do
	guest identity create "i$i" >/dev/null || failed=1
done
ok $failed "with nine identities"
route=$(guest tcp-connection create --from g1 --to 127.0.0.1:4100 --output json |
	sed -n 's/^ *"address": "\(.*\)".*/\1/p' | head -n 1)
[ -n "$route" ]
ok $? "a connection"

# ---- locked ----

lock
ok $? "a process stops within a transaction"
failed=0
for i in 1 2 3 4 5 6; do
	guest secure-channel create --from g1 --to "$route/service/api" \
		--identity "i$i" --timeout 8s >/dev/null 2>"$guests/said" || failed=1
done
ok $failed "six peers that are new to the node come while it is locked" "$(cat "$guests/said")"
channel=$(guest secure-channel create --from g1 --to "$route/service/api" --timeout 8s)
same "$(guest message send hello --from g1 --to "$channel/service/uppercase" --timeout 5s)" HELLO \
	"the node answers"
run_ok "it is listed" ockamctl node list
run_ok "and shown" ockamctl node show n1
it 70 "process $holder (python3), which is stopped" ockamctl identity create late
it 70 "process $holder (python3), which is stopped" \
	ockamctl secure-channel-listener create l1 --at n1 --identity cold
unlock
wait_for 20 knows 6
ok $? "what was learnt meanwhile is in the store"
run_ok "which can be written" ockamctl identity create late

# A lock that is given back while somebody waits.
lock
ok $? "it is locked again"
ockamctl secure-channel-listener create l2 --at n1 --identity late >"$guests/said" 2>&1 & job=$!
run_ok "others are served while a request waits for the lock" ockamctl node show n1
unlock
wait $job
ok $? "and it succeeds when that is free" "$(cat "$guests/said")"

# ---- what waits when the node ends ----

known=$(known)
lock
ok $? "it is locked once more"
failed=0
for i in 7 8 9; do
	guest secure-channel create --from g1 --to "$route/service/api" \
		--identity "i$i" --timeout 8s >/dev/null 2>"$guests/said" || failed=1
done
ok $failed "three more peers come" "$(cat "$guests/said")"
node=$(node_pid n1)
# It finds both at once, and the first peer alone was given to be written.
kill -STOP "$node"
unlock
kill -TERM "$node"
kill -CONT "$node"
wait_for 20 gone "$node"
ok $? "the node is ended as soon as the lock is free"
same "$(known)" $((known + 3)) "what was learnt of them is in the store"
run_ok "the node starts again" ockamctl node start n1

# ---- to be read only ----

mount --bind "$OCKAM_HOME" "$OCKAM_HOME" && mount -o remount,ro,bind "$OCKAM_HOME"
ok $? "the home cannot be written"
it 0 n1 ockamctl node list
it 0 late ockamctl identity list
it 70 "cannot be written" ockamctl identity create later
umount "$OCKAM_HOME"

# ---- emptied, below a node that runs ----

: >"$db"
it 70 "is empty" ockamctl node list
it 70 "is empty" ockamctl node create n2
run_ok "a reset takes everything away" ockamctl reset -y
run_ok "and a node can be made" ockamctl node create n2
finish
