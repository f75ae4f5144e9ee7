#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Routes over several nodes and channels in channels: what was made on the way
# works, belongs to somebody, and goes when that one does.
#
# where: uml
# long: vm debug
# timeout: 240

. "$(dirname "$0")/ockamd.inc"

connections()
{
	ockamctl tcp-connection list --at "$1" | grep -c TCP,
}

channels()
{
	ockamctl secure-channel list --at "$1" --output json | grep -c '"address"'
}

has()
{
	[ "$("$1" "$2")" = "$3" ]
}

for n in n1 n2 n3; do
	ockamctl node create $n >/dev/null || failed=1
done
ok "${failed:-0}" "three nodes"

# ---- n1 to n3 through n2 ----

same "$(upper hi --from n1 --to /node/n2/node/n3/service/uppercase)" HI "a message over two transport hops"
same "$(upper hi --from n1 --to /node/n2/node/n3/secure/api/service/uppercase)" HI "and in a channel end to end"
wait_for 5 has connections n2 0
ok $? "nothing of it stays at n2" "$(ockamctl tcp-connection list --at n2)"
wait_for 5 has channels n1 0
ok $? "nor at n1"
channel=$(ockamctl secure-channel create --from n1 --to /node/n2/node/n3/service/api)
ok $? "a channel over two transport hops"
same "$(upper hi --from n1 --to "$channel/service/uppercase")" HI "works"
same "$(connections n2)" 2 "n2 has the two links that it joined"
said=$(upper hi --from n2 --to /node/n3/service/nobody 2>&1)
ok $((! $?)) "n2 is no open relay: an address that is not there does not answer" "$said"
ockamctl node stop n3 >/dev/null
wait_for 5 has connections n2 0
ok $? "when n3 goes both links go"
wait_for 5 has connections n1 0
ok $? "n1 notices"
wait_for 5 has channels n1 0
ok $? "and its channel has ended"
ockamctl node start n3 >/dev/null

# ---- channels in channels ----

outer=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api)
ok $? "a channel"
same "$(upper hi --from n1 --to "$outer/secure/api/service/uppercase")" HI "one inside of it for one message"
wait_for 5 has channels n1 1
ok $? "which ends with the message"
inner=$(ockamctl secure-channel create --from n1 --to "$outer/service/api")
ok $? "one inside of it that stays"
same "$(upper hi --from n1 --to "$inner/service/uppercase")" HI "works"
run_ok "it is deleted" ockamctl secure-channel delete "$inner" --at n1 -y
same "$(upper hi --from n1 --to "$outer/service/uppercase")" HI "the outer one, made by its own command, stays"

both=$(ockamctl secure-channel create --from n1 --to /node/n2/secure/api/service/api)
ok $? "two in each other by one command"
same "$(channels n1)" 3 "both are listed"
run_ok "the inner one is deleted" ockamctl secure-channel delete "$both" --at n1 -y
same "$(channels n1)" 1 "and takes the outer one along that was made for it"
run_ok "the first one is deleted" ockamctl secure-channel delete "$outer" --at n1 -y
wait_for 5 has connections n1 0
ok $? "no link is left at n1"
wait_for 5 has connections n2 0
ok $? "nor at n2"

# ---- who may, and who is nobody ----

bob=$(ockamctl identity create bob)
said=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api --authorized "$bob" 2>&1)
same $? 70 "an initiator refuses who is not on its list"
run_ok "a listener for bob" ockamctl secure-channel-listener create only-bob --at n2 --authorized "$bob"
said=$(ockamctl secure-channel create --from n1 --to /node/n2/service/only-bob 2>&1)
same $? 70 "refuses others"
grep -q refused <<<"$said"
ok $? "and says so" "$said"
wait_for 5 has channels n1 0
ok $? "neither end keeps a channel"
run_ok "bob is let in" ockamctl secure-channel create --from n1 --to /node/n2/service/only-bob --identity bob

# ---- clients that are killed on the way ----

before=$(connections n1)
for i in 1 2 3 4; do
	ockamctl secure-channel create --from n1 --to /node/n2/node/n3/secure/api/service/nobody \
		--timeout 60s >/dev/null 2>&1 & job=$!
	sleep 0.$((i * 2))
	kill -9 $job
	wait $job 2>/dev/null
done
wait_for 10 has connections n1 "$before"
ok $? "killed commands leave no link behind" "$(ockamctl tcp-connection list --at n1)"
wait_for 10 has channels n1 1
ok $? "and no channel"
wait_for 10 has connections n3 0
ok $? "nor anything at n3"

run_ok "all nodes are deleted" ockamctl node delete --all -y
wait_for 5 module_unused
ok $? "the module is unused"
finish
