#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# ockamctl on a terminal: what people see, and what they are asked.

. "$(dirname "$0")/ctl.inc"
export LC_ALL=C.UTF-8 NO_COLOR=true

# term INPUT COMMAND...: run it on a terminal of its own, typing INPUT
term()
{
	local input=$1

	shift
	out=$(printf '%b' "$input" | script -qec "$*" /dev/null | tr -d '\r')
	status=${PIPESTATUS[0]}
	err=
}

# rc COMMAND: exit code on a terminal
rc()
{
	printf '%b' "${2:-}" | script -qec "$1" /dev/null >/dev/null
	echo "${PIPESTATUS[1]}"
}

# ---- empty lists are sentences ----

term '' ockam identity list
says "No identities found on this system."
term '' ockam identity delete x
says "There are no identities to delete"
term '' ockam node list
says "No nodes found on this system"
term '' ockam node show
says "There are no nodes to show"
term '' ockam node delete n1
says "There are no nodes to delete"
term '' ockam node list --output json
says "[]"

# ---- plain forms ----

term '' ockam identity create alice
says "Identity I"
says "created successfully as alice"
says "Created a new Vault named default."
term '' ockam identity create alice
says "already exists as alice"
ockam identity create bob >/dev/null
ockam identity create carol >/dev/null
term '' ockam identity list
says "  │ alice (default)"
says "  │ bob"
term '' ockam identity list --jq '.[0].name'
says '"alice"'
term '' ockam identity default bob
says "The identity named 'bob' is now the default"
term '' ockam identity show alice --output json
says '"identifier": "I'
! grep -q $'\e' <<<"$(NO_COLOR=true script -qec 'ockam identity show nobody' /dev/null)"
ok $? "no colours when they are not wanted"
grep -q $'\e\[31m' <<<"$(env -u NO_COLOR script -qec 'ockam identity show nobody' /dev/null)"
ok $? "an error has colour otherwise"
says_ascii=$(LC_ALL=C script -qec 'ockam identity show nobody' /dev/null)
grep -q '    x no identifier found' <<<"$says_ascii"
ok $? "without UTF-8 the marks are ASCII" "$says_ascii"

# ---- questions ----

term 'n\n' ockam identity delete alice
says "Are you sure you want to proceed?"
says "Nothing was changed"
same "$(ockam identity list --jq length)" 3 "no means no"
same "$(rc 'ockam identity delete alice' 'n\n')" 70 "and fails"
term '\n' ockam identity delete alice
same "$(ockam identity list --jq length)" 3 "nothing means no"
term '' "ockam identity delete alice --no-input"
says "Use --yes to confirm"
term '' "ockam identity delete alice --quiet"
says "Use --yes to confirm"
term '' "NO_INPUT=1 ockam identity delete alice"
says "Use --yes to confirm"
term 'y\n' ockam identity delete alice
says "The identity named alice has been deleted"
term '2\ny\n' ockam identity delete
says "Which identity shall be deleted?"
says "  1) bob"
says "The identity named carol has been deleted"
term 'dave\n' ockam identity delete
same "$(ockam identity list --jq length)" 1 "a choice that is none changes nothing"
term 'y\n' ockam identity delete --all
says "Are you sure you want to delete your only identity?"
says "The identity named bob has been deleted"
ockam identity create a >/dev/null
ockam identity create b >/dev/null
term 'y\n' ockam identity delete --all
says "Are you sure you want to delete your 2 identities?"
same "$(ockam identity list)" "[]" "all are gone"
term 'y\n' ockam reset
says "Local Ockam configuration deleted"

# ---- help through a pager ----

term '' "PAGER='sed s/^/paged:/' ockam node create --help"
says "paged:Create a node"
term '' "PAGER=/nowhere/pager ockam node create --help"
says "Create a node" "a pager that cannot be started is done without"
term '' "PAGER='sed s/^/paged:/' ockam node create -h"
! grep -q paged: <<<"$out"
ok $? "short help needs none"
finish
