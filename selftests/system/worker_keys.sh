#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# What the node process has told its worker counts for every handshake after
# it: eight identities used at once for the first time, on both sides; more keys
# than the pipe between both holds, told to a worker that has just started.
#
# where: uml vm
# timeout: 300

. "$(dirname "$0")/ockamd.inc"

# Channels with identity NAME1 to NAME$2 at the same time; prints the failures.
all_at_once()
{
	local i jobs=()

	for ((i = 1; i <= $2; i++)); do
		ockamctl secure-channel create --from n1 --to "/node/n2/service/l$i" \
			--identity "$1$i" --timeout 30s >/dev/null 2>"$OCKAM_HOME/said.$i" &
		jobs+=($!)
	done
	for i in "${!jobs[@]}"; do
		wait "${jobs[$i]}" || cat "$OCKAM_HOME/said.$((i + 1))"
	done
}

ockamctl node create n1 >/dev/null && ockamctl node create n2 >/dev/null
ok $? "two nodes"
p1=$(node_pid n1)
failed=0
for i in 1 2 3 4 5 6 7 8; do
	ockamctl identity create "a$i" >/dev/null && ockamctl identity create "b$i" >/dev/null &&
		ockamctl secure-channel-listener create "l$i" --at n2 --identity "b$i" >/dev/null ||
		failed=1
done
ok $failed "eight identities and listeners each"

started()
{
	ockamctl node show n1 --output json | sed -n 's/.*"handshakes_started": \([0-9]*\).*/\1/p'
}

# Node n1 has begun eight more than $1.
eight_began()
{
	[ "$(started)" -ge $(($1 + 8)) ]
}

# While the worker stands still everything queues behind everything else.
w1=$(worker_of "$p1")
kill -STOP "$w1"
(wait_for 20 eight_began "$(started)"; kill -CONT "$w1") &
same "$(all_at_once a 8)" "" "eight identities at once, each for the first time"
wait
same "$(all_at_once a 8)" "" "and once more"

# ---- a worker that starts while its node goes on ----

kill -9 "$(worker_of "$p1")"
wait_for 15 new_worker "$p1" "$w1"
same "$(all_at_once a 8)" "" "the next worker knows all of them"

ockamctl node delete --all -y >/dev/null 2>&1
finish
