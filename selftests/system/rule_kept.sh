#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# The rule of the listener "api" protects a node also after it was stopped, or
# killed, and started again.
#
# where: uml vm
# timeout: 200

. "$(dirname "$0")/ockamd.inc"

create()
{
	ockamctl secure-channel create --from n1 --to /node/n2/service/api --timeout 10s "$@"
}

refused()
{
	! create "$@" >/dev/null 2>&1
}

ockamctl node create n1 >/dev/null && ockamctl node create n2 >/dev/null
ok $? "two nodes"
ockamctl identity create friend >/dev/null
friend=$(ockamctl identity show friend)
run_ok "anybody may come" create
run_ok "a rule" ockamctl secure-channel-listener update api --at n2 --authorized "$friend"
run_ok "keeps others out" refused
run_ok "but not whom it names" create --identity friend
ockamctl node stop n2 >/dev/null && ockamctl node start n2 >/dev/null
ok $? "stopped and started"
run_ok "it still does" refused
run_ok "and still lets that one in" create --identity friend
kill -9 "$(node_pid n2)"
wait_for 10 ockamctl node start n2 >/dev/null 2>&1
ok $? "killed and started"
run_ok "and still does" refused
run_ok "everyone is a rule" ockamctl secure-channel-listener update api --at n2 --everyone
ockamctl node stop n2 >/dev/null && ockamctl node start n2 >/dev/null
ok $? "stopped and started"
run_ok "anybody may come again" create
run_ok "the listener is deleted" ockamctl secure-channel-listener delete api --at n2
run_ok "and made with a rule" \
	ockamctl secure-channel-listener create api --at n2 --authorized "$friend"
it 70 "api" ockamctl secure-channel-listener create api --at n2
ockamctl node stop n2 >/dev/null && ockamctl node start n2 >/dev/null
ok $? "stopped and started"
run_ok "it keeps others out" refused
run_ok "but not whom it names" create --identity friend
finish
