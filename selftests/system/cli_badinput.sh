#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Bad input to ockamctl: each gives a sentence that names the cause, a status
# that is not zero, and leaves everything as it was.
#
# where: uml
# long: vm debug
# timeout: 300

. "$(dirname "$0")/ockamd.inc"
export QUIET=true

# Everything that a command could have left in the home and in /run. It is
# asked after each command, so that it takes few processes.
left()
{
	sqlite3 "$OCKAM_HOME/database.sqlite3" "select name, is_default, tcp_listener, identity
		from nodes; select name, is_default from identities; select name from vaults"
	ls -A "$OCKAM_HOME" "$OCKAM_HOME/nodes" /run/netns /run/ockam/* 2>/dev/null
}

# And what could be left in nodes and as processes, asked after each section.
state()
{
	local node

	left
	for node in $up; do
		ockam node show "$node" --compact-output --jq '.transports, .secure_channel_listeners,
			(.counters.channels_opened // 0) - (.counters.channels_closed // 0)'
	done
	# One that answers for uppercase comes and goes with the messages.
	pgrep -x 'ockamd|ockamd-worker|ockamd-keeper' | sort
}

settled()
{
	[ "$(state)" = "$before" ]
}

# begin: what comes now must change nothing, until unchanged SECTION
begin()
{
	before=$(state)
	before_left=$(left)
}

unchanged()
{
	# Links and channels end a moment after the command.
	wait_for 5 settled
	ok $? "$1 left everything as it was" "$(diff <(echo "$before") <(state))"
}

# refused TEXT COMMAND...: fails with 70, says TEXT, leaves nothing
refused()
{
	local text=$1 said status

	shift
	said=$("$@" 2>&1 >"$OCKAM_HOME.out" </dev/null)
	status=$?
	if [ $status != 70 ] || [[ $said != *"$text"* ]]; then
		said="status $status, want 70 and: $text
$said"
	elif [ -s "$OCKAM_HOME.out" ]; then
		said="a result: $(cat "$OCKAM_HOME.out")"
	elif [ "$(left)" != "$before_left" ]; then
		said=$(diff <(echo "$before_left") <(left))
	else
		said=
	fi
	[ -z "$said" ]
	ok $? "$*: $text" "$said"
}

credential=$(ockam credential issue --for "$(ockam identity create)" --encoding hex)
up="n1 n2"
run_ok "n1" ockam node create n1
run_ok "n2" ockam node create n2
run_ok "n3" ockam node create n3
run_ok "n3 is stopped" ockam node stop n3
port1=$(node_port n1)
me=$(ockam identity show)
run_ok "another identity" ockam identity create other
other=$(ockam identity show other)
address=$(ockam secure-channel create --from n1 --to /node/n2/service/api)
ok $? "a channel"
same "$(ockam secure-channel list --at n1 --jq '.[0] | has("confirmed")')" false "that is confirmed"

# ---- names ----

begin
refused "There is no node with name n9" ockam secure-channel create --from n9 --to /node/n2/service/api
refused "There is no node with name n9" ockam secure-channel create --from n1 --to /node/n9/service/api
refused "There is no node with name n9" ockam message send hi --from n9 --to /service/echo
refused "There is no node with name n9" ockam message send hi --to /node/n9/service/echo
refused "There is no node with name n9" ockam tcp-connection create --from n9 --to 1
refused "There is no node with name n9" ockam secure-channel-listener create x --at n9
refused "There is no node with name n9" ockam node show n9
refused "The node n9 was not found" ockam node delete n9 -y
refused "The node n9 was not found" ockam node stop n9
refused "There is no node with name n9" ockam node start n9
refused "There is no node with name n9" ockam node default n9
refused "The node 'n1' is already the default" ockam node default n1
refused "This node has no address 0#nothing" ockam message send hi --from n1 --to /service/nothing --timeout 1s
refused "timeout" ockam message send hi --from n1 --to /node/n2/service/nothing --timeout 1s
refused "timeout" ockam message send hi --to /node/n2/service/nothing --timeout 1s
refused "timeout" ockam message send hi --from n1 --to "$address/service/nothing" --timeout 1s
refused "timeout" ockam secure-channel create --from n1 --to /node/n2/service/nothing --timeout 1s
refused "The secure channel was not made" \
	ockam secure-channel create --from n1 --to /node/n2/service/echo --timeout 1s
refused "Secure channel with address, 0#00112233445566778899aabbccddeeff, not found" \
	ockam secure-channel show --at /node/n1/service/00112233445566778899aabbccddeeff
refused "Secure channel with address, 0#nothing, not found" \
	ockam secure-channel delete nothing --at n1 -y
refused "Connection 00ff was not found in the registry." ockam tcp-connection delete 00ff --at n1 -y
refused "Connection 00ff was not found in the registry." ockam tcp-connection show 00ff --at n1
refused "Listener 127.0.0.1:1 was not found in the registry." \
	ockam tcp-listener delete 127.0.0.1:1 --at n1 -y
refused "nothing" ockam secure-channel-listener delete nothing --at n1
refused "nothing" ockam secure-channel-listener show nothing --at n1
refused "no identifier found with name nobody" ockam message send hi --to /node/n2/service/echo \
	--identity nobody
refused "nobody" ockam secure-channel create --from n1 --to /node/n2/service/api --identity nobody
refused "what is to be presented is no credential" ockam secure-channel create --from n1 \
	--to /node/n2/service/api --credential abcd
refused "something follows the credential" ockam secure-channel create --from n1 \
	--to /node/n2/service/api --credential "${credential}00"
refused "nobody" ockam secure-channel-listener create l --at n1 --identity nobody
unchanged "all of this"

# ---- a node that is stopped ----

begin
refused "The node n3 is not running" ockam secure-channel create --from n3 --to /node/n2/service/api
refused "The node n3 is not running" ockam secure-channel create --from n1 --to /node/n3/service/api
refused "The node n3 is not running" ockam secure-channel create --from n1 \
	--to /node/n2/node/n3/service/api
refused "The node n3 is not running" ockam message send hi --from n3 --to /service/echo
refused "The node n3 is not running" ockam message send hi --to /node/n3/service/echo
refused "The node n3 is not running" ockam secure-channel list --at n3
refused "The node n3 was not found" ockam node stop n3
unchanged "all of this"

# ---- names and ports that are taken ----

begin
refused "Node n1 is already running" ockam node create n1
refused "Node n1 is already running" ockam node create n1 --foreground
refused "Node n1 is already running" ockam node create n1 --skip-is-running-check
refused "port $port1 is in use" ockam node create n4 -t "127.0.0.1:$port1"
refused "port $port1 is in use" ockam node create n4 -t "127.0.0.1:$port1" --foreground
refused "port $port1 is in use" ockam node create n4 -t "127.0.0.1:$port1" --identity new
refused "port $port1 is in use" ockam node create n3 -t "127.0.0.1:$port1" --identity other
refused "Unable to listen on 127.0.0.1:$port1" ockam tcp-listener create "127.0.0.1:$port1" --at n2
refused "address api" ockam secure-channel-listener create api --at n1
refused "address echo" ockam secure-channel-listener create echo --at n1
refused "Unable to listen on 192.0.2.1:1" ockam tcp-listener create 192.0.2.1:1 --at n2
refused "cannot be deleted because it is used by the node(s): n1, n2, n3" \
	ockam identity delete "$(ockam identity list --jq '.[0].name' | tr -d '"')" -y
unchanged "all of this"

# ---- addresses ----

begin
refused "Could not convert /node into route" ockam secure-channel create --from n1 --to /node
refused "Could not convert /nonsense/x into route" ockam message send hi --from n1 --to /nonsense/x
refused "Could not convert //x into route" ockam message send hi --from n1 --to //x
refused "names no channel" ockam secure-channel show --at /node/n1
refused "Unable to connect to 127.0.0.1:1" ockam tcp-connection create --from n1 --to 127.0.0.1:1
refused "127.0.0.1:1" ockam message send hi --from n1 --to /ip4/127.0.0.1/tcp/1/service/echo
refused "no-such-host.invalid" ockam message send hi --from n1 \
	--to /dnsaddr/no-such-host.invalid/tcp/1/service/echo
refused "is not one of this home" ockam message send hi --from n1 \
	--to "/node/n2/secure/api/node/n1/service/echo"
for wrong in I123 "$me"0 "${me%?}" "X${me#I}" "${me%?}g"; do
	said=$(ockam secure-channel create --from n1 --to /node/n2/service/api -a "$wrong" 2>&1)
	[ $? = 64 ] && grep -q "invalid value '$wrong' for '--authorized <IDENTIFIER>'" <<<"$said"
	ok $? "the identifier $wrong is refused" "$said"
done
refused "Invalid value for NAME_OR_CONFIGURATION: n.1" ockam node create n.1
unchanged "all of this"

# ---- identities that are not wanted: the initiator learns it, neither keeps a channel ----

run_ok "a listener for somebody else" ockam secure-channel-listener create locked --at n2 \
	--authorized "$other"
begin
refused "The secure channel was not made" \
	ockam secure-channel create --from n1 --to /node/n2/service/locked
unchanged "this"
run_ok "he gets in" ockam secure-channel create --from n1 --to /node/n2/service/locked --identity other
begin
refused "The secure channel was not made" \
	ockam secure-channel create --from n1 --to /node/n2/service/api --authorized "$other"
refused "The secure channel was not made" \
	ockam message send hi --from n1 --to /node/n2/secure/locked/service/echo
refused "The secure channel was not made" \
	ockam message send hi --to /node/n2/secure/locked/service/echo
unchanged "all of this"
run_ok "the right one is accepted" ockam secure-channel create --from n1 --to /node/n2/service/api \
	--authorized "$other" --authorized "$me"

# ---- the handshake worker is not there ----

w1=$(worker_of "$(node_pid n1)")
kill -STOP "$w1"
begin
refused "timeout" ockam secure-channel create --from n1 --to /node/n2/service/api --timeout 1s
unchanged "this"
kill -9 "$w1"
said=$(ockam secure-channel create --from n1 --to /node/n2/service/api 2>&1)
status=$?
[ $status = 0 ] || { [ $status = 70 ] && grep -q "no handshake worker is bound" <<<"$said"; }
ok $? "without a worker there is a sentence, unless a new one was faster" "$said"
wait_for 15 new_worker "$(node_pid n1)" "$w1"
ok $? "a new worker comes"
same "$(upper still --from n1 --to "$address/service/uppercase")" STILL "the old channel works"

# ---- the node process does not answer ----

p1=$(node_pid n1)
kill -STOP "$p1"
same "$(ockam node show n1 --jq '[.status, .pid == '"$p1"', .services]' --compact-output)" \
	'["running",true,[]]' "a node that hangs is shown, without what only it knows"
said=$(OCKAM_DEFAULT_TIMEOUT=1s ockam secure-channel list --at n1 2>&1)
[ $? = 70 ] && grep -q timeout <<<"$said"
ok $? "asking it for more is a timeout" "$said"
kill -CONT "$p1"

# ---- not root ----

as_nobody()
{
	(cd / && setpriv --reuid 65534 --regid 65534 --clear-groups "$@")
}
begin
said=$(as_nobody env OCKAM_HOME=/tmp/nobody.$$ ockam node create n1 2>&1)
[ $? = 70 ] && grep -q "needs root" <<<"$said"
ok $? "a node of another user needs root" "$said"
[ ! -e /tmp/nobody.$$ ]
ok $? "and no home is made for it"
for command in "node list" "node show n1" "secure-channel list --at n1" "node stop n1" "reset -y"; do
	said=$(as_nobody ockam $command 2>&1)
	[ $? = 70 ] && grep -qE "belongs to user|Permission denied" <<<"$said"
	ok $? "$command in a home of root" "$said"
done
unchanged "all of this"

# ---- processes of a node, by hand ----

for command in worker uppercase "lookup localhost"; do
	# shellcheck disable=SC2086
	it 64 "is started by a node process, not by hand" ockamd $command
done

# ---- the module is not installed ----

up=
run_ok "all nodes are deleted" ockam node delete --all -y
wait_for 5 module_unused
ok $? "nothing uses the module"
begin
run_ok "the module is unloaded" rmmod ockam
run_ok "and not to be found" mount -t tmpfs none /lib/modules
if [ -z "$(ls /lib/modules)" ]; then
	refused "The kernel module ockam is not loaded" ockam node create n1
	refused "The kernel module ockam is not loaded" ockam node create n1 --foreground
	refused "The kernel module ockam is not loaded" ockam tcp-listener create 4444
	refused "The kernel module ockam is not loaded" \
		ockam message send hi --to /ip4/127.0.0.1/tcp/1/service/echo
	unchanged "all of this"
	umount /lib/modules
fi
modprobe ockam 2>/dev/null || insmod "$OCKAM_MODULES/kmod/ockam.ko"
ok $? "it is loaded again"
run_ok "a node" ockam node create n1
run_ok "it is deleted" ockam node delete n1 -y
rm -f "$OCKAM_HOME.out"
finish
