#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Whose a node is and what is a node's: seen from other PID and mount namespaces, with
# numbers of processes and names of namespaces that belong to others by now.
#
# where: uml debug
# timeout: 240

. "$(dirname "$0")/ockamd.inc"
unset QUIET

show()
{
	ockam node show "$1" --jq "$2" --compact-output
}

pin_of()
{
	echo "ockam-$hash-$1"
}

# with_device NAMESPACE: it has the device that was put into it
with_device()
{
	ip -n "$1" -o link show mine >/dev/null 2>&1
}

# foreign NAMESPACE: somebody else's of that name
foreign()
{
	ip netns add "$1" && ip -n "$1" link add mine type veth peer name yours
}

kill_node()
{
	local pid

	pid=$(node_pid "$1")
	kill -9 "$pid"
	wait_for 5 gone "$pid"
}

run_ok "a node" ockam node create n0
hash=$(basename "$(dirname "$(ls /run/ockam/*/n0)")")
[ -e "/run/netns/$(pin_of n0)" ]
ok $? "it is pinned"
same "$(show n0 .netns)" "\"$(pin_of n0)\"" "and says so"

# ---- in a PID namespace of its own ----

# container COMMAND: with PID and mount namespaces of its own, sharing home and /run
container()
{
	unshare --pid --fork --kill-child --mount-proc bash -c "$1"
}

mkfifo "$OCKAM_HOME.up" "$OCKAM_HOME.go"
container 'ockam node create n1 2>"$OCKAM_HOME.err"; ockam node show n1 --jq .pid >"$OCKAM_HOME.up"
	read -r line <"$OCKAM_HOME.go"' >/dev/null & job=$!
inside=$(timeout 60 cat "$OCKAM_HOME.up")
same "$(grep -c "is not pinned at /run/netns/$(pin_of n1)" "$OCKAM_HOME.err")" 1 \
	"a node in a container says that it is not pinned"
[ ! -e "/run/netns/$(pin_of n1)" ]
ok $? "and leaves no file there" "$(ls -l /run/netns)"
same "$(show n1 '.status, has("netns")')" '"running"
false' "it is seen to run from outside"
grep -q "is not pinned" <<<"$(show n1 .netns_missing)"
ok $? "not pinned"
pid=$(node_pid n1)
[ -n "$inside" ] && [ -n "$pid" ] && [ "$pid" != "$inside" ] && [ "$(cat /proc/$pid/comm)" = ockamd ]
ok $? "with the number that it has there" "inside $inside, outside $pid"
same "$(ockam node list --jq '.[1].pid')" "$pid" "in the list too"
[ -S "/run/ockam/$hash/n1" ]
ok $? "its control socket is left alone"
same "$(upper over --from n0 --to /node/n1/service/uppercase 2>/dev/null)" OVER "it serves"
it 70 "Node n1 is already running" ockam node create n1
same "$(container 'ockam node show n1 --jq ".status, has(\"pid\")"')" '"running"
false' "from another container it runs too, without a number"
same "$(container 'ockam node show n0 --jq .status')" '"running"' "as does one of the machine"
it 0 "was stopped" container 'ockam node stop n0'
same "$(show n0 .status)" '"stopped"' "which stops when it is asked to from there"
! ls /run/netns | grep -q "$(pin_of n0)"
ok $? "and takes its pin along" "$(ls /run/netns)"
same "$(ockam node delete n1 -y)" n1 "the node in the container is deleted from outside"
wait_for 5 gone "$pid"
ok $? "its process has ended"
echo >"$OCKAM_HOME.go"
wait $job

# ---- a mount namespace of its own ----

said=$(unshare --mount ockam node create n1 2>&1)
same "$(grep -c "is not pinned at" <<<"$said")" 1 "a private mount namespace: said once" "$said"
same "$(find /run/netns -type f -size 0 -name "*n1")" "" "and no empty file is left"
run_ok "it is deleted" ockam node delete n1 -y

# ---- a number that is a stranger's by now ----

run_ok "a node" ockam node create n1
lock=$OCKAM_HOME/nodes/.n1.lock
kill_node n1
sleep 1000 & stranger=$!
ticks=$(sed 's/.*) //' "/proc/$stranger/stat" | cut -d' ' -f20)
said=$(sed "s/^process .*, started [0-9]*,/process $stranger, started $ticks,/" "$lock")
# In place, as if the machine had given its number again.
cat <<<"$said" >"$lock"
grep -q "process $stranger, started $ticks," "$lock"
ok $? "its number is a stranger's by now" "$(cat "$lock")"
it 0 "There are no nodes running" ockam node stop n1
kill -0 $stranger
ok $? "who is left alone"
run_ok "it is deleted" ockam node delete n1 -y
kill -0 $stranger
ok $? "and the stranger is not"
kill $stranger
wait $stranger 2>/dev/null

# ---- a namespace that is another's ----

pin=$(pin_of n2)
foreign "$pin"
it 70 "/run/netns/$pin is there already" ockam node create n2
with_device "$pin"
ok $? "a namespace of that name is left alone"
same "$(find "$OCKAM_HOME/nodes" -name '*n2*')" "" "nothing is left of the node"
it 0 "" ockam node list
with_device "$pin"
ok $? "by lists too"
ip netns delete "$pin"
run_ok "without it the node is made" ockam node create n2
ip netns delete "$pin" && foreign "$pin"
ok $? "the pin is replaced by hand"
grep -q "was removed or replaced" <<<"$(show n2 .netns_missing)"
ok $? "the node says so" "$(show n2 .)"
grep -q "was removed or replaced" "$(ockam node logs n2)"
ok $? "its log too"
same "$(upper still --from n2 --to /service/uppercase 2>/dev/null)" STILL "and goes on"
run_ok "it is stopped" ockam node stop n2
with_device "$pin"
ok $? "what took its place stays"
ip netns delete "$pin"
run_ok "it starts" ockam node start n2
# The number of the namespace that died goes to the next one.
kill_node n2
ip netns delete "$pin" && foreign "$pin"
it 0 '"stopped"' ockam node show n2
with_device "$pin"
ok $? "nor does the sweep take it"
ip netns delete "$pin"
run_ok "the node starts again" ockam node start n2
kill_node n2
it 0 '"stopped"' ockam node show n2
[ ! -e "/run/netns/$pin" ]
ok $? "and its own pin is swept"
umount_left=$(findmnt -rno TARGET | grep -c "$pin")
same "$umount_left" 0 "mount and all"

# ---- files that are others' ----

echo precious >"$OCKAM_HOME.file"
mkdir -m 700 "$OCKAM_HOME.dir"; mv "$OCKAM_HOME.file" "$OCKAM_HOME.dir/file"
said=$(ockamd node --name n3 --control-path "$OCKAM_HOME.dir/file" --ready-fd 3 3>&1 >/dev/null 2>&1)
grep -q "^error: .*is no socket" <<<"$said"
ok $? "a file is no place for a control socket" "$said"
same "$(cat "$OCKAM_HOME.dir/file")" precious "and stays as it is"
run_ok "a node" ockam node create n3
pid=$(node_pid n3)
rm "$OCKAM_HOME/nodes/.n3.lock"
it 0 "n3" ockam node list
[ -S "/run/ockam/$hash/n3" ] && [ -e "/run/netns/$(pin_of n3)" ]
ok $? "without its lock a node that listens is not swept"
kill "$pid"
wait_for 5 gone "$pid"

# ---- a copy of the home ----

run_ok "a node" ockam node create n4
cp -a "$OCKAM_HOME" "$OCKAM_HOME.copy"
same "$(OCKAM_HOME=$OCKAM_HOME.copy ockam node list --jq 'map(.status.status) | unique' --compact-output)" \
	'["stopped"]' "the nodes of a copy do not run"
run_ok "reset of the copy" env OCKAM_HOME="$OCKAM_HOME.copy" ockam reset -y
same "$(show n4 '.status, .netns')" "\"running\"
\"$(pin_of n4)\"" "the node of the original does, with its pin"
rm -rf "$OCKAM_HOME.copy"

# ---- where they live ----

mkdir -p "$OCKAM_HOME.mnt"
mount -t tmpfs tmpfs "$OCKAM_HOME.mnt"
run_ok "a node made from another file system" sh -c 'cd "$OCKAM_HOME.mnt" && ockam node create n5'
pid=$(node_pid n5)
same "$(readlink "/proc/$pid/cwd" "/proc/$(worker_of "$pid")/cwd" | sort -u)" / \
	"lives in /, with its worker"
run_ok "which can be taken away" umount "$OCKAM_HOME.mnt"
mkdir "$OCKAM_HOME.mnt/home"
run_ok "a home by a relative path" sh -c 'cd "$OCKAM_HOME.mnt" && OCKAM_HOME=home ockam node create n6'
same "$(OCKAM_HOME=$OCKAM_HOME.mnt/home ockam node list --jq '.[0].status.status')" '"running"' \
	"is found by its absolute one"
run_ok "and reset" env OCKAM_HOME="$OCKAM_HOME.mnt/home" ockam reset -y

run_ok "reset" ockam reset -y
wait_for 5 module_unused
ok $? "the module is unused" "$(cat /sys/module/ockam/refcnt)"
same "$(ls /run/netns; find /run/ockam -type s)" "" "nothing is left"
rm -rf "$OCKAM_HOME".*
finish
