#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# The handshake worker killed at every step of a handshake: what is pending
# fails or goes on, what is established stays, and a new worker comes.
#
# where: uml
# long: vm debug
# timeout: 300

. "$(dirname "$0")/ockamd.inc"

create()
{
	ockamctl secure-channel create --from "$1" --to "/node/$2/service/api" --timeout 15s
}

# Kill the worker of node process $1, wait for the next one.
replace_worker()
{
	local old

	old=$(worker_of "$1")
	kill -9 "$old"
	wait_for 15 new_worker "$1" "$old"
}

ockamctl node create n1 >/dev/null && ockamctl node create n2 >/dev/null
ok $? "two nodes"
p1=$(node_pid n1) p2=$(node_pid n2)
channel=$(create n1 n2)
ok $? "a channel"
same "$(upper a --from n1 --to "$channel/service/uppercase")" A "works"

# Handshakes that node $1 has begun, as initiator or responder.
started()
{
	ockamctl node show "$1" --output json | sed -n 's/.*"handshakes_started": \([0-9]*\).*/\1/p'
}

# Node $1 has begun more than $2.
more_started()
{
	[ "$(started "$1")" -gt "$2" ]
}

# ---- at rest ----

w1=$(worker_of "$p1")
kill -9 "$w1"
same "$(upper b --from n1 --to "$channel/service/uppercase")" B \
	"an established channel goes on without its initiator's worker"
wait_for 15 new_worker "$p1" "$w1"
ok $? "a new worker comes"
run_ok "and does handshakes" create n1 n2
w2=$(worker_of "$p2")
kill -9 "$w2"
same "$(upper c --from n1 --to "$channel/service/uppercase")" C "the same for the responder's"
wait_for 15 new_worker "$p2" "$w2"
ok $? "a new worker comes there too"
run_ok "and accepts" create n1 n2

# ---- the initiator's worker, before message 1 ----

w1=$(worker_of "$p1")
before=$(started n1)
kill -STOP "$w1"
create n1 n2 >"$OCKAM_HOME/said" 2>&1 & job=$!
wait_for 20 more_started n1 "$before"
kill -9 "$w1"
start=$SECONDS
wait $job
[ $? = 70 ] && [ $((SECONDS - start)) -lt 10 ]
ok $? "the initiator's worker dies before message 1: the request fails at once" \
	"$(cat "$OCKAM_HOME/said")"
wait_for 15 new_worker "$p1" "$w1"
run_ok "the next handshake succeeds" create n1 n2

# ---- the responder's worker, before message 2; the initiator waits for it ----

w2=$(worker_of "$p2")
before=$(started n2)
kill -STOP "$w2"
create n1 n2 >"$OCKAM_HOME/said" 2>&1 & job=$!
wait_for 20 more_started n2 "$before"
w1=$(worker_of "$p1")
kill -9 "$w1"
start=$SECONDS
wait $job
[ $? = 70 ] && [ $((SECONDS - start)) -lt 10 ]
ok $? "the initiator's worker dies waiting for message 2: the request fails at once" \
	"$(cat "$OCKAM_HOME/said")"
wait_for 15 new_worker "$p1" "$w1"

before=$(started n2)
ockamctl secure-channel create --from n1 --to /node/n2/service/api --timeout 3s \
	>"$OCKAM_HOME/said" 2>&1 & job=$!
wait_for 20 more_started n2 "$before"
kill -9 "$w2"
wait $job
[ $? = 70 ] && grep -q timeout "$OCKAM_HOME/said"
ok $? "the responder's worker dies before message 2: the initiator's time runs out" \
	"$(cat "$OCKAM_HOME/said")"
wait_for 15 new_worker "$p2" "$w2"
run_ok "the next handshake succeeds" create n1 n2

# ---- any moment: a storm ----

for i in 1 2 3 4 5 6; do
	create n1 n2 >/dev/null 2>&1 & job=$!
	sleep 0.0$((i * 2))
	kill -9 "$(worker_of "$([ $((i % 2)) = 0 ] && echo "$p1" || echo "$p2")")" 2>/dev/null
	wait $job
done
wait_for 30 new_worker "$p1" 0 && wait_for 30 new_worker "$p2" 0
ok $? "workers come back from a storm"
wait_for 30 create n1 n2
ok $? "and do their work"
same "$(upper d --from n1 --to "$channel/service/uppercase")" D "the first channel works all the time"

# ---- a worker that does not move ----

kill -STOP "$(worker_of "$p2")"
ockamctl secure-channel create --from n1 --to /node/n2/service/api --timeout 1s \
	>"$OCKAM_HOME/said" 2>&1
[ $? = 70 ] && grep -q timeout "$OCKAM_HOME/said"
ok $? "a worker that hangs costs time, nothing else" "$(cat "$OCKAM_HOME/said")"
same "$(upper e --from n1 --to "$channel/service/uppercase")" E "messages do not need it"
kill -CONT "$(worker_of "$p2")"
run_ok "it goes on where it was" create n1 n2

# ---- it dies with its node process, even when stopped ----

w1=$(worker_of "$p1")
kill -STOP "$w1"
kill -9 "$p1"
wait_for 5 gone "$w1"
ok $? "a stopped worker dies with its node process"
run_ok "n1 comes back" ockamctl node start n1
run_ok "all nodes are deleted" ockamctl node delete --all -y
wait_for 5 module_unused
ok $? "the module is unused"
finish
