#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# ockamctl: routes from standard input, addresses, and what commands say when
# there is no node.

. "$(dirname "$0")/ctl.inc"

send()
{
	ockam message send hi "$@"
}

# ---- routes that come through a pipe ----

exits 70 "standard input that ends at once" send --from n1 --to -/service/x
says "produced no route"
printf '\n' >"$work/in"
exits 70 "an empty line" send --from n1 --to -/service/x <"$work/in"
says "produced no route"
printf 'Node n1 does not run\n' >"$work/in"
exits 70 "a line that is no route" send --from n1 --to -/service/x <"$work/in"
says "produced no route"
says "Node n1 does not run" "and it is quoted"
printf '/service\n' >"$work/in"
exits 70 "a route that is cut short" send --from n1 --to -/service/x <"$work/in"
says "produced no route"
printf '/nonsense/x\n' >"$work/in"
exits 70 "a route with an unknown protocol" send --from n1 --to /node/n1/- <"$work/in"
says "produced no route"
exits 70 "the whole pipe, when its first half fails" bash -c '
	set -o pipefail
	ockam secure-channel create --from n1 --to /node/n2/service/api |
		ockam message send hi --from n1 --to -/service/uppercase'
says "There is no node with name n1"
says "produced no route" "and the second half says why it fails too"
prints "" "nothing comes out"
printf '  /service/abc  \nmore\n' >"$work/in"
exits 70 "a route is trimmed and taken from the first line" \
	send --from n1 --to /node/n1/-/service/x <"$work/in"
says "There is no node with name n1" "then the command goes on"
exits 70 "a dash elsewhere is literal" timeout 5 ockam message send - --from n1 --to /service/x
says "There is no node with name n1"
exits 70 "a dash within a segment too" timeout 5 ockam message send hi --from n1 --to /service/a-b
says "There is no node with name n1"
mkfifo "$work/fifo"
exec 3<>"$work/fifo"
exits 70 "standard input is not read without a dash" \
	timeout 5 ockam message send hi --from n1 --to /service/x <&3
exec 3<&-
says "There is no node with name n1"

# ---- addresses ----

invalid()
{
	exits 70 "message send --to '$1'" send --to "$1"
	says "Argument '--to' is invalid"
	says "Could not convert $1 into route"
}
invalid /node
invalid /node/
invalid //service/x
invalid /node//service/x
invalid /nonsense/x
invalid /service/x/
invalid /ip4/127.0.0.1
invalid /ip4/300.0.0.1/tcp/1
invalid /ip4/127.0.0.1/tcp/70000
invalid /tcp/1000
invalid "/service/$(printf 'x%.0s' {1..256})"
exits 70 "an empty route" send --to ""
says "Argument '--to' is invalid"
exits 70 "secure-channel create with a bad route" ockam secure-channel create --from n1 --to /nonsense
for route in /service/echo /worker/abc/service/echo /secure/api/service/echo; do
	exits 70 "$route begins at no node" send --to "$route"
	says "--from"
done
exits 70 "a node that is not there" send --to /node/n9/service/echo
says "Argument '--to' is invalid"
says "There is no node with name n9"
exits 70 "with an empty message" ockam message send "" --to /node/n9/service/echo
says "There is no node with name n9"
exits 70 "a message that is no hexadecimal" send --hex --to /node/n9/service/echo
says "not hexadecimal"
exits 70 "a project" send --from n1 --to /project/p/service/echo

# ---- no node at all ----

exits 0 "node list" ockam node list
prints "[]" "empty"
exits 0 "node show" ockam node show
prints "[]" "empty"
exits 0 "node show of a name" ockam node show n1
prints "[]" "empty"
exits 0 "node delete" ockam node delete n1
prints "[]" "empty"
exits 0 "node delete --all -y" ockam node delete --all -y
prints "[]" "empty"
exits 0 "node stop" ockam node stop n1
prints "There are no nodes running" "says so"
exits 70 "node start" ockam node start n1
says "There is no node with name n1"
exits 70 "node start of the default one" ockam node start
says "There is no default node"
exits 70 "node default" ockam node default
says "There is no default node"
exits 70 "node default n1" ockam node default n1
says "There is no node with name n1"
exits 70 "node logs" ockam node logs n1
says "There is no node with name n1"
for command in "secure-channel list" "secure-channel-listener list" "tcp-connection list" \
	"tcp-listener list" "worker list" "tcp-connection show x" "tcp-listener show 1" \
	"secure-channel delete x -y"; do
	exits 70 "$command" ockam $command
	says "There is no default node"
	exits 70 "$command --at n1" ockam $command --at n1
	says "There is no node with name n1"
	exits 70 "$command --at /node/n1" ockam $command --at /node/n1
	says "There is no node with name n1"
done
for command in "secure-channel delete x" "tcp-connection delete x" "tcp-listener delete 1"; do
	exits 70 "$command" ockam $command
	says "Use --yes to confirm"
done
[ ! -e "$OCKAM_HOME" ]
ok $? "none of this makes a home"

# ---- nodes that cannot be made here ----

for name in 'n!' n.1 './x' 'a b' '' "$(printf 'n%.0s' {1..64})" /node/n1; do
	exits 70 "node create '$name'" ockam node create "$name"
	says "Invalid value for NAME_OR_CONFIGURATION: $name"
done
exits 70 "--in-memory without --foreground" ockam node create n1 --in-memory
says "Only foreground nodes can be created in-memory"
exits 70 "the same by its variable" env OCKAM_SQLITE_IN_MEMORY=true ockam node create n1
says "Only foreground nodes can be created in-memory"
if [ "$(id -u)" = 0 ] && ! grep -qs '^ockam ' /proc/modules && ! modinfo ockam >/dev/null 2>&1; then
	exits 70 "without the module" ockam node create n1
	says "The kernel module ockam is not loaded"
	says "modprobe ockam"
	exits 70 "message send without --from needs it too" send --to /ip4/127.0.0.1/tcp/1/service/x
	says "The kernel module ockam is not loaded"
	exits 70 "and what makes a default node" ockam tcp-listener create 5000
	says "The kernel module ockam is not loaded"
fi
[ ! -e "$OCKAM_HOME" ]
ok $? "and they leave nothing behind"

# ---- trying again ----

exits 70 "what cannot pass is not tried again" timeout 5 ockam message send hi --to /node/n9/service/x \
	--retry-count 9 --retry-delay 9s
says "There is no node with name n9"
exits 64 "a count that is none" send --to /node/n9 --retry-count x
exits 64 "a count that is none, in the variable" env OCKAM_COMMAND_RETRY_COUNT=x \
	ockam message send hi --to /node/n9
exits 70 "--no-retry is accepted" send --to /node/n9/service/x --no-retry --retry 5
finish
