#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Identities that rotate under running nodes: channels go on, new ones have the
# new key, older and parted histories are refused in both roles, purpose keys are
# renewed as the clock moves, an expired identity says what to do.
#
# where: uml
# long: debug
# timeout: 240

. "$(dirname "$0")/ockamd.inc"
home=$OCKAM_HOME copy=$OCKAM_HOME.copy

# The clock as it would be if nobody had set it: it is the machine's for all tests.
began=$(($(date +%s) - $(cut -d. -f1 /proc/uptime)))
end()
{
	OCKAM_HOME=$copy ockamctl reset -y
	OCKAM_HOME=$home ockamctl reset -y
	rm -rf "$home" "$copy"
	date -s "@$((began + $(cut -d. -f1 /proc/uptime)))"
}
trap 'end >/dev/null 2>&1' EXIT

create()
{
	ockamctl secure-channel create --timeout 20s "$@"
}

log_says()
{
	grep -q "$2" "$OCKAM_HOME/nodes/$1"/*.log
}

channels_of()
{
	ockamctl secure-channel list --at "$1" --jq length
}

run_ok "an identity for the responder" ockamctl identity create a
run_ok "one for the initiator" ockamctl identity create b --key-type p256

# A copy of the home as it is now: the same identities with what will be old histories.
cp -a "$home" "$copy"
OCKAM_HOME=$copy ockamctl identity rotate b --key-type ed25519 >/dev/null
ockamctl identity show a --full --encoding hex >"$home/a.hex"

run_ok "a node with the first" ockamctl node create n1 --identity a
run_ok "a node with the second" ockamctl node create n2 --identity b
run_ok "the first identity at a second listener" ockamctl secure-channel-listener create other \
	--at n1 --identity b
n1=/ip4/127.0.0.1/tcp/$(node_port n1)
a=$(ockamctl identity show a)
b=$(ockamctl identity show b)

first=$(create --from n2 --to "$n1/service/api")
ok $? "a channel, from a P-256 key to an Ed25519 one"
same "$(upper one --from n2 --to "$first/service/uppercase")" ONE "carries messages"

# ---- rotation ----

said=$(ockamctl identity rotate a | cat)
same "$said" "$a" "the responder's identity is rotated"
run_ok "so is the initiator's" ockamctl identity rotate b
run_ok "twice" ockamctl identity rotate b --key-type ed25519
log_says n1 "identity a: has a new key" && log_says n1 "identity b: has a new key"
ok $? "the responder has both new keys" "$(cat "$OCKAM_HOME"/nodes/n1/*.log)"
log_says n2 "identity b: has a new key"
ok $? "the initiator has its own"
same "$(upper two --from n2 --to "$first/service/uppercase")" TWO "the channel goes on"
second=$(create --from n2 --to "$n1/service/api" --authorized "$a")
ok $? "a new channel with the new keys, to the same identifier"
same "$(upper three --from n2 --to "$second/service/uppercase")" THREE "carries messages"
third=$(create --from n2 --to "$n1/service/other" --authorized "$b")
ok $? "and one to the other identity of the node"
same "$(upper four --from n2 --to "$third/service/uppercase")" FOUR "carries messages"
same "$(ockamctl secure-channel list --at n2 --jq 'map(.their_identifier) | unique | length')" 2 \
	"two peers"

pid=$(node_pid n1)
worker=$(worker_of "$pid")
kill -KILL "$worker"
wait_for 10 new_worker "$pid" "$worker"
ok $? "the handshake worker is started again"
create --from n2 --to "$n1/service/api" >/dev/null
ok $? "and has the new keys"

# ---- histories that are older or have parted ----

export OCKAM_HOME=$copy
run_ok "a node of the copy, with an older history" ockamctl node create o1 --identity a
run_ok "one with a parted history" ockamctl node create o2 --identity b
old=/ip4/127.0.0.1/tcp/$(node_port o1)
parted=/ip4/127.0.0.1/tcp/$(node_port o2)
said=$(create --from o1 --to "$n1/service/api" 2>&1)
same $? 70 "the older one as initiator is refused"
said=$(create --from o2 --to "$n1/service/api" 2>&1)
same $? 70 "the parted one as initiator is refused"
export OCKAM_HOME=$home
log_says n1 "refused: $a shows an older change history than it did before"
ok $? "with the reason in the responder's log" "$(tail -5 "$OCKAM_HOME"/nodes/n1/*.log)"
log_says n1 "refused: $b shows a change history that conflicts with the known one"
ok $? "each its own"
said=$(create --from n2 --to "$old/service/api" 2>&1)
same $? 70 "the older one as responder is refused"
grep -q "shows an older change history" <<<"$said"
ok $? "with a sentence" "$said"
said=$(create --from n2 --to "$parted/service/api" 2>&1)
same $? 70 "the parted one as responder is refused"
grep -q "shows a change history that conflicts with the known one" <<<"$said"
ok $? "with a sentence" "$said"
OCKAM_HOME=$copy ockamctl reset -y >/dev/null

# ---- an identity without its key ----

export OCKAM_HOME=$copy
ockamctl identity create pub --identity "$(cat "$home/a.hex")" >/dev/null 2>&1
said=$(ockamctl node create w1 --identity pub 2>&1)
same $? 70 "a node with an identity without its key does not start"
grep -q "the identity pub was imported without its key, it can be trusted but not used" <<<"$said"
ok $? "and says why" "$said"
same "$(ockamctl node list --jq 'map(select(.is_up)) | length')" 0 "no node is left of it"
export OCKAM_HOME=$home

# ---- time goes by ----

before=$(channels_of n2)
date -s '+1825 days' >/dev/null
wait_for 10 log_says n1 "identity a: purpose key renewed"
ok $? "five years later the responder renews its purpose key" "$(tail -3 "$OCKAM_HOME"/nodes/n1/*.log)"
log_says n1 "identity b: purpose key renewed"
ok $? "of each identity"
wait_for 10 log_says n2 "identity b: purpose key renewed"
ok $? "and so does the initiator"
same "$(channels_of n2)" "$before" "no channel has ended"
same "$(upper five --from n2 --to "$first/service/uppercase")" FIVE "the first one still works"
create --from n2 --to "$n1/service/api" >/dev/null
ok $? "and a new one"

date -s '+1830 days' >/dev/null
said=$(create --from n2 --to "$n1/service/api" 2>&1)
same $? 70 "ten years later the identity has expired"
grep -q "the key of the identity b has expired: give it a new one with 'ockam identity rotate b'" \
	<<<"$said"
ok $? "which says what to do" "$said"
same "$(upper six --from n2 --to "$first/service/uppercase")" SIX "the first channel still works"
ockamctl identity rotate b >/dev/null
said=$(create --from n2 --to "$n1/service/api" 2>&1)
same $? 70 "a responder that has expired is refused"
grep -q "the attestation has expired" <<<"$said"
ok $? "for that reason" "$said"
run_ok "it is rotated as well" ockamctl identity rotate a
last=$(create --from n2 --to "$n1/service/api")
ok $? "then a channel is made"
same "$(upper seven --from n2 --to "$last/service/uppercase")" SEVEN "and works"

date -s '-3650 days' >/dev/null
said=$(create --from n2 --to "$n1/service/api" 2>&1)
same $? 70 "a clock that went back ten years"
grep -q "the clock is behind the time when the key of the identity b was made" <<<"$said"
ok $? "is said so" "$said"
finish
