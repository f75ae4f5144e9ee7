#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# The module comes and goes 40 times, now and then after nodes have talked;
# rmmod is refused exactly while something lives. Under emulation it is 8 times,
# and five times as many with OCKAM_LONG.
#
# where: uml vm
# long: debug
# timeout: 300

. "$(dirname "$0")/ockamd.inc"

load()
{
	modprobe ockam 2>/dev/null || insmod "$OCKAM_MODULES/kmod/ockam.ko"
}

loaded()
{
	[ -e /sys/module/ockam ]
}

# rmmod fails and the module stays
refused()
{
	! rmmod ockam 2>/dev/null && loaded
	ok $? "rmmod is refused while there is $1"
}

unload()
{
	wait_for 10 module_unused && rmmod ockam
}

loaded || load
run_ok "a node starts" ockamctl node create n1
refused "a node"
run_ok "another one" ockamctl node create n2
channel=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api)
ok $? "a channel between them"
refused "a channel"
run_ok "the nodes are deleted" ockamctl node delete --all -y
wait_for 10 module_unused
ok $? "nothing uses the module then"

# An application's socket alone, in this namespace, without any node.
python3 -c '
import signal, socket
s = socket.socket(18, socket.SOCK_DGRAM)
print("open", flush=True)
signal.pause()' >"$OCKAM_HOME/socket" &
holder=$!
wait_for 10 grep -q open "$OCKAM_HOME/socket"
ok $? "an application opens a socket"
refused "a socket"
kill $holder
wait $holder 2>/dev/null
unload
ok $? "it is unloaded when nothing lives"
! loaded
ok $? "and gone"

many=40
[ "$OCKAM_MACHINE" = uml ] || many=8
[ -z "$OCKAM_LONG" ] || many=$((many * 5))
rounds=0
for ((i = 1; i <= many; i++)); do
	load || break
	if [ $((i % (many / 4))) = 0 ]; then
		ockamctl node create n1 && ockamctl node create n2 || break
		channel=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api) || break
		[ "$(upper "round $i" --from n1 --to "$channel/service/uppercase")" = "ROUND $i" ] || break
		# One dies without a word, the other as it should.
		kill -9 "$(node_pid n1)"
		ockamctl node delete --all -y >/dev/null || break
	fi
	unload || break
	rounds=$i
done
same $rounds $many "loaded and unloaded $many times, with traffic in between"
left=$(ls /run/netns 2>/dev/null; find /run/ockam -type s 2>/dev/null; pgrep -x 'ockamd|ockamd-worker')
same "$left" "" "no namespace, socket or process is left"
load
ok $? "and it loads once more"
finish
