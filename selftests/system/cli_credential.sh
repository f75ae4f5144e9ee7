#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Stored credentials and real nodes: the default node that is made for one, a
# node that runs, what survives stop, kill, start and creation anew.
#
# where: uml
# long: vm
# timeout: 180

. "$(dirname "$0")/ockamd.inc"

# scopes [NODE]: those stored, in order
scopes()
{
	ockam credential list ${1:+--at "$1"} --jq 'map(.scope) | join(" ")' | tr -d '"'
}

ockam identity create authority >/dev/null
authority=$(ockam identity show authority)
us=$(ockam identity create us)
ockam identity default us >/dev/null
credential=$(ockam credential issue --as authority --for "$us" -a app=demo --encoding hex)
file=$(mktemp) && echo "$credential" >"$file"
store=(ockam credential store --issuer "$authority" --credential-path "$file")

# ---- a default node is made, but not for what is no credential ----

it 70 "Credential is not verified" ockam credential store --issuer "$authority" --scope s \
	--credential 00
same "$(ockam node list)" "[]" "no node is made for a bad credential"
it 70 "There is no default node" ockam credential list
same "$("${store[@]}" --scope first)" "$credential" "store prints the credential and nothing else"
same "$(ockam node list --jq length)" 1 "a node is made for a good one"
n=$(ockam node list --jq '.[0].node_name' | tr -d '"')
same "$(ockam node show "$n" --jq .status)" '"running"' "it runs"
same "$(scopes)" first "it has the credential"
run_ok "a second one for the node that runs" "${store[@]}" --scope second --at "$n"
same "$(ockam credential show --issuer "$authority" --scope second \
	--jq '.is_verified, .credential.attributes.app')" 'true
"demo"' "is shown"
it 0 "[]" ockam credential list --subject "$authority"

# ---- what survives ----

run_ok "stop" ockam node stop "$n"
same "$(scopes)" "first second" "both are kept"
run_ok "start" ockam node start "$n"
same "$(scopes)" "first second" "and kept"
it 0 "" "${store[@]}" --scope first
same "$(scopes)" "second first" "stored again: it is the newest"
pid=$(node_pid "$n")
kill -9 "$pid"
wait_for 10 gone "$pid"
it 70 "Default node exists but is not running" "${store[@]}" --scope third
run_ok "a node that is stopped, named" "${store[@]}" --scope third --at "$n"
run_ok "start after a kill" ockam node start "$n"
same "$(scopes)" "second first third" "kept"
run_ok "stop" ockam node stop "$n"
run_ok "create anew" ockam node create "$n"
same "$(scopes)" "second first third" "kept as long as the node is not deleted"
run_ok "another node" ockam node create n2
same "$(scopes n2)" "" "has none of them"
run_ok "store at it" "${store[@]}" --scope other --at n2
run_ok "delete the first node" ockam node delete "$n" -y
it 70 "There is no node with name $n" ockam credential list --at "$n"
run_ok "a new one of its name" ockam node create "$n"
same "$(scopes "$n")" "" "has none"
same "$(scopes n2)" other "the other node has its own"
run_ok "reset" ockam reset -y
rm -f "$file"
same "$(ls -A "$OCKAM_HOME" | grep -c sqlite)" 1 "only the trace of earlier nodes is left"
finish
