#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# With all tracepoints of the module switched on and somebody who reads them:
# handshakes, traffic, refused messages and failing calls, with the tests of
# channels and sockets; and the module comes and goes meanwhile.
#
# where: uml vm
# long: debug
# timeout: 240

. "$(dirname "$0")/ockamd.inc"

tracing=/sys/kernel/tracing
reader=

load()
{
	modprobe ockam 2>/dev/null || insmod "$OCKAM_MODULES/kmod/ockam.ko"
}

# Everything that comes, with the program and the time of each.
switch_on()
{
	echo >$tracing/trace
	echo 1 >$tracing/events/ockam/enable || return
	cat $tracing/trace_pipe >"$OCKAM_HOME/trace" &
	reader=$!
	[ "$(cat $tracing/events/ockam/enable)" = 1 ]
}

switch_off()
{
	echo 0 >$tracing/events/ockam/enable
	kill "$reader" 2>/dev/null
	wait "$reader" 2>/dev/null
}

seen()
{
	grep -q " $1: " "$OCKAM_HOME/trace"
}

switch_on
ok $? "all tracepoints are on, and read"
for program in test_channel test_handshake_end test_sock test_hangup; do
	run_ok "$program" $program
done
run_ok "a node" ockamctl node create n1
run_ok "another one" ockamctl node create n2
channel=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api)
ok $? "a channel between them" "$channel"
same "$(upper hello --from n1 --to "$channel/service/uppercase")" HELLO "a message and its answer"
before=$(grep -c " ockam_deliver: " "$OCKAM_HOME/trace")
same "$(in_node n1 traffic -t "${channel#/service/},echo" -n 300 -w 8 -s 10,5000,100 2>&1)" \
	"done sent=300 replies=300 served=0" "300 more"
delivered()
{
	[ $(($(grep -c " ockam_deliver: " "$OCKAM_HOME/trace") - before)) -ge 600 ]
}
wait_for 20 delivered
ok $? "each is seen" "$before before, $(grep -c " ockam_deliver: " "$OCKAM_HOME/trace") after"
for event in $(ls -d $tracing/events/ockam/*/); do
	event=${event%/}
	wait_for 20 seen "${event##*/}"
	ok $? "${event##*/} is seen" "$(tail -5 "$OCKAM_HOME/trace")"
done
# What they print: no pointer, no key.
! grep -qE "0x[0-9a-f]{8}|\(____ptrval____\)|ffff[0-9a-f]{12}" "$OCKAM_HOME/trace"
ok $? "no address of the kernel is told" "$(grep -m3 -E "0x[0-9a-f]{8}|ffff[0-9a-f]{12}" "$OCKAM_HOME/trace")"
run_ok "the nodes are deleted" ockamctl node delete --all -y
wait_for 20 module_unused
run_ok "the module goes with its tracepoints on" rmmod ockam
kill "$reader"
wait "$reader" 2>/dev/null
run_ok "and comes back" load
switch_on
ok $? "they are on again, and read"
run_ok "test_quota" test_quota
switch_off
same "$(cat $tracing/events/ockam/enable)" 0 "they are off"
finish
