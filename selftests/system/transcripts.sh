#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# The three transcripts, exactly as people type them, as ockam and as ockamctl,
# and their pipes when the first half fails.
#
# where: uml vm
# long: debug
# timeout: 240

. "$(dirname "$0")/ockamd.inc"
unset QUIET

# typed NAME WANT: the lines of standard input, as a script of their own, print
# WANT as their last line and fail nowhere
typed()
{
	local script said status

	script=$(cat)
	said=$(bash -e -o pipefail -c "$script" 2>"$OCKAM_HOME.err")
	status=$?
	[ $status = 0 ] && [ "$(tail -n 1 <<<"$said")" = "$2" ]
	ok $? "$1" "status $status, printed '$said'
$(cat "$OCKAM_HOME.err")"
	run_ok "and reset" ockam reset -y
	! ls -A /run/netns | grep -q ockam
	ok $? "leaves no namespace"
	same "$(find /run/ockam -type s 2>/dev/null)" "" "and no socket"
}

typed "ockam: a channel between two nodes" HELLO <<'END'
ockam node create n1
ockam node create n2
ockam secure-channel create --from /node/n1 --to /node/n2/service/api \
    | ockam message send hello --from /node/n1 --to -/service/uppercase
END

typed "ockam: a channel over two hops" "HELLO OCKAM!" <<'END'
for i in {1..3}; do ockam node create "n$i"; done
ockam secure-channel create --from n1 --to /node/n2/node/n3/service/api \
    | ockam message send "hello ockam!" --from n1 --to -/service/uppercase
END

typed "ockam: a listener of one's own" HELLO <<'END'
ockam node create n1
ockam node create n2
ockam secure-channel-listener create "listener" --at /node/n2
ockam secure-channel create --from /node/n1 --to /node/n2/service/listener \
    | ockam message send hello --from /node/n1 --to -/service/uppercase
END

as_ockamctl()
{
	typed "ockamctl: a channel between two nodes" HELLO <<'END'
ockamctl node create n1
ockamctl node create n2
ockamctl secure-channel create --from /node/n1 --to /node/n2/service/api \
    | ockamctl message send hello --from /node/n1 --to -/service/uppercase
END

	typed "ockamctl: a channel over two hops" "HELLO OCKAM!" <<'END'
for i in {1..3}; do ockamctl node create "n$i"; done
ockamctl secure-channel create --from n1 --to /node/n2/node/n3/service/api \
    | ockamctl message send "hello ockam!" --from n1 --to -/service/uppercase
END

	typed "ockamctl: a listener of one's own" HELLO <<'END'
ockamctl node create n1
ockamctl node create n2
ockamctl secure-channel-listener create "listener" --at /node/n2
ockamctl secure-channel create --from /node/n1 --to /node/n2/service/listener \
    | ockamctl message send hello --from /node/n1 --to -/service/uppercase
END
}

# ---- the first half fails: so does the second, and nothing is sent ----

# broken NAME TO: a pipe whose first half cannot make a channel
broken()
{
	local said status before

	before=$(counter n1 messages_delivered)
	said=$(ockam secure-channel create --from n1 --to "$2" --timeout 5s \
		2>"$OCKAM_HOME.err1" | ockam message send secret --from n1 --to -/service/uppercase \
		2>"$OCKAM_HOME.err2"; echo "${PIPESTATUS[*]}")
	same "$said" "70 70" "$1: both halves fail and print nothing"
	[ -s "$OCKAM_HOME.err1" ]
	ok $? "the first says why" "$(cat "$OCKAM_HOME.err1")"
	grep -q "produced no route" "$OCKAM_HOME.err2"
	ok $? "and so does the second" "$(cat "$OCKAM_HOME.err2")"
	same "$(counter n1 messages_delivered)" "$before" "n1's own service got nothing"
}

broken_pipes()
{
	ockam node create n1 >/dev/null 2>&1 && ockam node create n2 >/dev/null 2>&1
	ok $? "two nodes"
	broken "an unknown node" /node/n9/service/api
	broken "an unknown listener" /node/n2/service/nothing
	broken "an unknown second hop" /node/n2/node/n9/service/api
	broken "a port where nobody listens" /ip4/127.0.0.1/tcp/1/service/api
	broken "a route that is none" /nonsense
	run_ok "n2 is stopped" ockam node stop n2
	broken "a stopped node" /node/n2/service/api
	same "$(ockam tcp-connection list --at n1)" "No TCP Connections found on n1" "no link is left"
	same "$(ockam secure-channel list --at n1)" "[]" "and no channel"
}

# The rest is the same on every kernel.
if [ "$OCKAM_MACHINE" = uml ] || [ -n "$OCKAM_LONG" ]; then
	as_ockamctl
	broken_pipes
fi
run_ok "reset" ockam reset -y
wait_for 5 module_unused
ok $? "the module is unused" "$(cat /sys/module/ockam/refcnt)"
rm -f "$OCKAM_HOME".err*
finish
