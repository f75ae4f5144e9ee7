#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# A machine that goes to sleep: channels and handshakes end with a reason while
# messages are under way, none begins before it is awake, and then all works.
# The kernel goes as far as freezing all tasks, and back (its pm_test).
#
# where: vm

. "$(dirname "$0")/ockamd.inc"

counter()
{
	ockamctl node show "$1" --jq ".counters.$2 // 0"
}

channels()
{
	ockamctl secure-channel list --at "$1" --output json
}

fall_asleep()
{
	echo freeze >/sys/power/state
}

begun()
{
	[ "$(counter n1 handshakes_started)" -gt "$1" ]
}

# Messages all the time, each over a channel of its own or over the one of $1.
talk()
{
	while [ -e "$OCKAM_HOME/talk" ]; do
		ockamctl message send hello --from n1 --to "$1" --timeout 2s
	done >/dev/null 2>&1
}

echo freezer >/sys/power/pm_test
echo 1 >/sys/module/suspend/parameters/pm_test_delay

ockamctl node create n1 >/dev/null && ockamctl node create n2 >/dev/null
ok $? "two nodes"
channel=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api)
ok $? "a channel"
exec 3< <(exec python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    s.accept()[0].makefile("rb").read()
')
mute=$!
read -r port <&3
started=$(counter n1 handshakes_started)
ockamctl secure-channel create --from n1 --to "/ip4/127.0.0.1/tcp/$port/service/api" \
	>"$OCKAM_HOME/pending" 2>&1 &
pending=$!
wait_for 20 begun "$started"
ok $? "a handshake whose peer says nothing"
touch "$OCKAM_HOME/talk"
talk "$channel/service/uppercase" &
talk "/node/n2/secure/api/service/uppercase" &

ended=$(($(counter n1 channels_machine) + $(counter n2 channels_machine)))
failed=$(counter n1 handshakes_failed_machine)
run_ok "the machine falls asleep and wakes up" fall_asleep
! wait $pending
ok $? "the handshake has failed"
grep -qF "the machine went to sleep" "$OCKAM_HOME/pending"
ok $? "and its command says why" "$(cat "$OCKAM_HOME/pending")"
[ "$(counter n1 handshakes_failed_machine)" -gt "$failed" ]
ok $? "it is counted"
channels n1 | grep -q "${channel#/service/}"
[ $? = 1 ]
ok $? "the channel is there no more" "$(channels n1)"
[ $(($(counter n1 channels_machine) + $(counter n2 channels_machine))) -gt "$ended" ]
ok $? "channels that ended are counted"
grep -q "channel ${channel#/service/}: ended: " <(ockamctl node logs n1 | xargs cat)
ok $? "the log of the node says that it ended and why" "$(ockamctl node logs n1 | xargs tail)"

run_ok "once more, with handshakes all the time" fall_asleep
rm "$OCKAM_HOME/talk"
kill $mute
wait
same "$(upper again --from n1 --to /node/n2/secure/api/service/uppercase)" AGAIN \
	"awake, new channels are made"
same "$(upper hello --from n1 --to "/node/n2/service/uppercase")" HELLO "and links were not touched"

echo none >/sys/power/pm_test
finish
