#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# What Ockam for Linux does, shown in a machine with the module loaded: each
# command, what it prints, and a failure if that is not what it should be.

set -o pipefail
export OCKAM_HOME=${TMPDIR:-/tmp}/ockam-demo
export NO_COLOR=true
failures=0

# show COMMAND: the command as typed and its output. The result of the whole
# is left in $out.
show()
{
	local line first='$ '

	while IFS= read -r line; do
		echo "$first$line"
		first='  '
	done <<<"$1"
	out=$(eval "$1" 2>"$OCKAM_HOME.err")
	status=$?
	[ -z "$out" ] || echo "$out"
	if [ $status != 0 ]; then
		cat "$OCKAM_HOME.err"
		echo "--- exit status $status"
		failures=$((failures + 1))
	fi
}

# expect COMMAND RESULT
expect()
{
	show "$1"
	if [ "$out" != "$2" ]; then
		echo "--- expected: $2"
		cat "$OCKAM_HOME.err"
		failures=$((failures + 1))
	fi
}

again()
{
	ockam reset --yes >/dev/null 2>&1
	echo
	echo "# $*"
}

echo "# A stock kernel, and the module in it"
show 'uname -sr'
show 'modprobe ockam'
show 'lsmod | grep -w ^ockam'

again "A secure channel between two nodes"
show 'ockam node create n1'
show 'ockam node create n2'
expect 'ockam secure-channel create --from /node/n1 --to /node/n2/service/api \
    | ockam message send hello --from /node/n1 --to -/service/uppercase' HELLO

again "A secure channel over two hops: n2 only passes on what it cannot read"
show 'for i in {1..3}; do ockam node create "n$i"; done'
expect 'ockam secure-channel create --from n1 --to /node/n2/node/n3/service/api \
    | ockam message send "hello ockam!" --from n1 --to -/service/uppercase' \
	'HELLO OCKAM!'

again "A listener of one's own"
show 'ockam node create n1'
show 'ockam node create n2'
show 'ockam secure-channel-listener create "listener" --at /node/n2'
expect 'ockam secure-channel create --from /node/n1 --to /node/n2/service/listener \
    | ockam message send hello --from /node/n1 --to -/service/uppercase' HELLO

ockam reset --yes >/dev/null 2>&1
echo
if [ $failures != 0 ]; then
	echo "# $failures of these did not do what they should"
	exit 1
fi
echo "# all as expected"
