#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# ockamctl: the parser, usage errors, help and version.

. "$(dirname "$0")/ctl.inc"

# ---- version ----

exits 0 "--version" ockam --version
grep -qE '^ockam [0-9]+\.[0-9]+\.[0-9]+$' <<<"$out"
ok $? "names the version" "$out"
grep -qE '^ +compiled from [0-9a-z]+$' <<<"$out"
ok $? "and where it comes from, indented" "$out"
first=$out
exits 0 "-V" ockam -V
prints "$first" "says the same"
exits 0 "ockamctl is the same program" ockamctl --version
prints "$first" "with the same version"
exits 0 "the version wins over errors" ockam node frobnicate --nonsense --version
prints "$first" "and is all there is"
exits 0 "and over help" ockam node create --help -V
prints "$first" "in any order"
exits 64 "behind -- it is no flag" ockam node -- --version

# ---- help ----

exits 0 "--help" ockam --help
says "Usage: ockam [OPTIONS] <COMMAND>"
for group in node identity secure-channel secure-channel-listener tcp-connection tcp-listener \
	flow-control message reset; do
	says "  $group" "help lists $group"
done
! grep -q enroll <<<"$out"
ok $? "and nothing that cannot work here"
exits 0 "hidden commands can be shown" env OCKAM_HELP_SHOW_HIDDEN=1 ockam --help
says enroll
exits 0 "-h is there too" ockam node create -h
short=$out
says "--tcp-listener-address <SOCKET_ADDRESS>"
exits 0 "--help" ockam node create --help
[ ${#out} -gt ${#short} ]
ok $? "--help says more than -h"
says "[default: 127.0.0.1:0]"
for words in "help node create" "node help create" "node create --help"; do
	exits 0 "ockam $words" ockam $words
	says "Usage: ockam node create"
done
exits 64 "help of nothing" ockam help nothing
exits 0 "help for every command works" bash -c '
	for command in "node create" "node list" "node show" "node stop" "node start" \
		"node delete" "node default" "node logs" "node exec" "node shell" "identity create" "identity show" \
		"identity list" "identity default" "identity delete" "secure-channel create" \
		"secure-channel list" "secure-channel show" "secure-channel delete" \
		"secure-channel-listener create" "secure-channel-listener list" \
		"secure-channel-listener show" "secure-channel-listener delete" \
		"tcp-connection create" "tcp-connection list" "tcp-connection show" \
		"tcp-connection delete" "tcp-listener create" "tcp-listener list" \
		"tcp-listener show" "tcp-listener delete" "flow-control add-consumer" "worker list" \
		"message send" reset; do
		ockam $command --help | grep -q "^Usage: ockam $command" || exit 1
	done'
[ ! -e "$OCKAM_HOME" ]
ok $? "none of this makes a home"

# ---- usage errors: 64, the text, a usage line, a hint ----

usage()
{
	local text=$1

	shift
	exits 64 "ockam $*" ockam "$@"
	says "error: $text"
	says "Usage: ockam"
	says "For more information, try '--help'."
}

usage "unrecognized subcommand 'frobnicate'" frobnicate
usage "unrecognized subcommand 'frobnicate'" node frobnicate
usage "unexpected argument '--frobnicate' found" node create --frobnicate
usage "unexpected argument '-X' found" node create -X
usage "unexpected argument 'b' found" node create a b
usage "the following required arguments were not provided" secure-channel create --from a
usage "the following required arguments were not provided: <MESSAGE>" message send --to /node/n
usage "a value is required for '--from <NODE>' but none was supplied" \
	secure-channel create --from --to /node/n/service/api
usage "a value is required for '--to <ROUTE>' but none was supplied" message send hi --to
usage "the argument '[NODE_NAME]' cannot be used with '--all'" node delete n --all
usage "the argument '[NAME]' cannot be used with '--all'" identity delete n --all
usage "the following required arguments were not provided: --foreground" node create n -e
usage "the argument '--key-id' cannot be used with '--identity'" \
	identity create x --key-id 1 --identity 00
usage "the following required arguments were not provided: --full" identity show --encoding hex
usage "invalid value 'a/b' for '<ADDRESS>': an address has no '/' and no control character" \
	secure-channel-listener create a/b
usage "invalid value 'a?[2J' for '<ADDRESS>': an address has no '/' and no control character" \
	secure-channel-listener create $'a\e[2J'
usage "invalid value '1.5s' for '--timeout <TIMEOUT>': expected a number of seconds, or" \
	message send hi --to /node/n --timeout 1.5s
usage "the argument '--allow' cannot be used with '--everyone'" \
	secure-channel-listener update a --everyone --allow x
usage "invalid value 'yaml' for '--output <OUTPUT>'" node list --output yaml
usage "invalid value 'xml' for '--encoding <ENCODING>'" identity show --full --encoding xml
usage "invalid value '127.0.0.1:65536' for '--tcp-listener-address <SOCKET_ADDRESS>'" \
	node create n -t 127.0.0.1:65536
usage "invalid value '70000' for '--to <ADDRESS>'" tcp-connection create --to 70000
usage "invalid value '1:2:3' for '--to <ADDRESS>'" tcp-connection create --to 1:2:3
usage "invalid value 'x' for '<ADDRESS>'" tcp-listener create x
usage "invalid value 'soon' for '--timeout <TIMEOUT>'" message send hi --to /node/n --timeout soon
usage "invalid value '-1' for '--timeout <TIMEOUT>'" message send hi --to /node/n --timeout -1
usage "invalid value 'Iabc' for '--authorized <IDENTIFIER>'" \
	secure-channel create --from a --to /node/b/service/api --authorized Iabc
usage "invalid value 'xyz' for '--identity <IDENTITY>'" identity create a --identity xyz
usage "invalid value 'A' for '--env <KEY=VALUE>'" node list --env A
usage "unexpected value '1' for '--quiet' found" node list --quiet=1
usage "the argument '--no-status-endpoint' cannot be used with '--status-endpoint-port'" \
	node create n --no-status-endpoint --status-endpoint-port 1000
usage "invalid value '70000' for '--status-endpoint-port <PORT>'" \
	node create n --status-endpoint-port 70000
exits 64 "a wrong default from a variable" env OCKAM_DEFAULT_TIMEOUT=soon \
	ockam secure-channel create --from a --to /node/b/service/api
says "variable OCKAM_DEFAULT_TIMEOUT"
for group in node identity secure-channel secure-channel-listener tcp-connection tcp-listener \
	flow-control \
	message; do
	exits 64 "the group $group without a command" ockam $group
	says "Usage: ockam $group"
	says "Commands:"
done
exits 64 "no command at all" ockam
says "Usage: ockam"
[ ! -e "$OCKAM_HOME" ]
ok $? "no usage error makes a home"

# ---- forms of flags ----

for line in "--output json" "--output=json" "--compact-output" "-q --output json"; do
	exits 0 "ockam node list $line" ockam node list $line
	prints "[]" "prints JSON"
	exits 0 "ockam $line node list" ockam $line node list
	prints "[]" "before the command as well"
done
exits 0 "--env sets a variable for the run" ockam node list --env "OCKAM_HOME=$work/other"
exits 70 "and is no flag of --env's own" ockam identity show --env "OCKAM_HOME=$work/other"
exits 0 "--pretty is accepted" ockam node list --pretty
says "deprecated"

# ---- what needs the cloud ----

for command in enroll space "space list" admin lease share subscription; do
	exits 70 "ockam $command" ockam $command --whatever
	says "Please enroll using 'ockam enroll' before using this command"
done
finish
