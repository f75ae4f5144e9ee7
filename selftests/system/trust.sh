#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Trust between two nodes: identifiers, an authority's credentials, policies;
# presented by either side, refreshed, expired; rules that change under
# channels that there are.
#
# where: uml
# long: debug
# timeout: 240

. "$(dirname "$0")/ockamd.inc"

for name in authority stranger alice bob; do
	ockamctl identity create "$name" >/dev/null 2>&1
done
authority=$(ockamctl identity show authority --full --encoding hex)
stranger=$(ockamctl identity show stranger --full --encoding hex)
authority_id=$(ockamctl identity show authority)
alice=$(ockamctl identity show alice)
bob=$(ockamctl identity show bob)
stranger_id=$(ockamctl identity show stranger)

# issue ISSUER SUBJECT ARGS...
issue()
{
	ockamctl credential issue --as "$1" --for "$2" --encoding hex "${@:3}"
}

# store NODE SCOPE CREDENTIAL
store()
{
	ockamctl credential store --at "$1" --scope "$2" --issuer "$authority_id" --credential "$3"
}

# channel FROM TO LISTENER ARGS...: its address
channel()
{
	ockamctl secure-channel create --from "$1" --to "/node/$2/service/$3" --timeout 20s "${@:4}" 2>&1
}

# refused WORD NAME COMMAND...: fails with exit status 70, and says WORD
refused()
{
	local said status

	said=$("${@:3}" 2>&1)
	status=$?
	[ $status = 70 ] && grep -qF -- "$1" <<<"$said"
	ok $? "$2" "status $status: $said"
}

run_ok "a node" ockamctl node create n1 --identity alice
run_ok "a node with an authority" ockamctl node create n2 --identity bob --authority-identity "$authority"

# ---- who ----

run_ok "a listener for one" ockamctl secure-channel-listener create one --at n2 -a "$alice"
run_ok "one for two" ockamctl secure-channel-listener create two --at n2 -a "$bob" -a "$alice"
run_ok "one for somebody else" ockamctl secure-channel-listener create other --at n2 -a "$bob"
run_ok "one comes" channel n1 n2 one
run_ok "one of two comes" channel n1 n2 two
refused "refused the channel" "somebody else does not" channel n1 n2 other
refused "$bob is not trusted here" "nor does the initiator take anybody" channel n1 n2 api -a "$alice"
run_ok "but the right one" channel n1 n2 api -a "$bob"
said=$(ockamctl secure-channel-listener list --at n2)
[ "$(grep -c "Admits" <<<"$said")" = 4 ] && grep -q "Admits everyone" <<<"$said" &&
	grep -q "Admits $bob, $alice" <<<"$said"
ok $? "the list says whom each admits" "$said"

# ---- a credential of the initiator ----

run_ok "a listener for members" ockamctl secure-channel-listener create members --at n2 \
	--authority-identity "$authority"
run_ok "one for some members" ockamctl secure-channel-listener create demo --at n2 --allow app=demo
refused "refused the channel" "without a credential nobody is a member" channel n1 n2 members
good=$(issue authority "$alice" -a app=demo -a "city=New York" --ttl 10m)
run_ok "with one alice is" channel n1 n2 members --credential "$good"
run_ok "and satisfies the policy" channel n1 n2 demo --credential "$good"
refused "refused the channel" "not with another attribute" \
	channel n1 n2 demo --credential "$(issue authority "$alice" -a app=other)"
refused "refused the channel" "not with a stranger's credential" \
	channel n1 n2 members --credential "$(issue stranger "$alice" -a app=demo)"
refused "refused the channel" "not with somebody else's credential" \
	channel n1 n2 members --credential "$(issue authority "$bob" -a app=demo)"
refused "refused the channel" "not with a flipped bit" \
	channel n1 n2 members --credential "${good:0:200}$(tr '0-9a-f' '1-9a-f0' <<<"${good:200:1}")${good:201}"
run_ok "a bad credential is no harm where none is wanted" \
	channel n1 n2 api --credential "$(issue stranger "$alice")"

# ---- echo is for members ----

echo_through()
{
	ockamctl message send hello --from n1 --to "$1/service/echo" --timeout "${2:-5s}" 2>&1
}

plain=$(channel n1 n2 api)
before=$(counter n2 echo_refused)
member=$(channel n1 n2 members --credential "$(issue authority "$alice" -a app=demo --ttl 10m)")
same "$(echo_through "$member")" hello "echo answers a member"
same "$(upper hello --from n1 --to "$member/service/uppercase")" HELLO "uppercase too"
same "$(upper hello --from n1 --to /node/n2/service/uppercase)" HELLO "and in plain text"
echo_through /node/n2 500ms >/dev/null
same $? 70 "echo does not answer in plain text"
run_ok "a third node" ockamctl node create n3 --identity stranger
said=$(ockamctl message send hello --from n3 --to "$(channel n3 n2 api)/service/echo" --timeout 500ms 2>&1)
same $? 70 "nor whoever has shown no credential" "$said"
[ "$(counter n2 echo_refused)" -ge $((before + 2)) ]
ok $? "both are counted"

# ---- a credential of the node, on channels it opens and accepts ----

run_ok "the nodes stop" ockamctl node stop n1
run_ok "n1 gets a scope" ockamctl node create n1 --identity alice \
	--authority-identity "$authority" --credential-scope team
refused "has no credential of $authority_id" "without the credential no channel is opened" \
	channel n1 n2 api
refused "refused the channel" "nor accepted" channel n2 n1 api
run_ok "the credential comes" store n1 team "$(issue authority "$alice" -a app=demo -a n=1 --ttl 10m)"
mine=$(channel n1 n2 members)
same $? 0 "now n1 is a member" "$mine"
theirs=$(channel n2 n1 api --allow n=1)
same $? 0 "and is one as responder" "$theirs"
same "$(ockamctl secure-channel list --at n2 --jq '.[] | select(.their_attributes) | .their_attributes.n')" '"1"' \
	"its attributes are shown"
same "$(ockamctl secure-channel show --at "/node/n2$theirs" --jq .their_credential.issuer)" \
	"\"$authority_id\"" "and who attested them"
[ "$(ockamctl secure-channel show --at "/node/n2$theirs" --jq .their_credential.expires_at)" -gt "$(date +%s)" ]
ok $? "until when"
refused "does not satisfy" "a responder must satisfy the policy" channel n2 n1 api --allow n=2
refused "no valid credential of $stranger_id" "and be of the authority that is asked for" \
	channel n2 n1 api --authority-identity "$stranger"

attribute_is()
{
	[ "$(ockamctl secure-channel list --at n2 --jq ".[] | select(.their_attributes) | .their_attributes.n")" = "\"$1\"" ]
}

run_ok "a new credential" store n1 team "$(issue authority "$alice" -a app=demo -a n=1 -a m=2 --ttl 20m)"
run_ok "is shown on the channel that there is" wait_for 10 bash -c \
	"ockamctl secure-channel list --at n2 --output json | grep -q '\"m\": *\"2\"'"
run_ok "the channel the other way goes" ockamctl secure-channel delete "$mine" --at n1 -y
run_ok "one that the rule does not admit" store n1 team "$(issue authority "$alice" -a n=9 --ttl 20m)"
run_ok "does not count there" wait_for 20 grep -rq "a refreshed credential does not count" \
	"$OCKAM_HOME/nodes/n2"
run_ok "and changes nothing" attribute_is 1
run_ok "back" store n1 team "$(issue authority "$alice" -a app=demo -a n=1 --ttl 10m)"
same "$(upper hello --from n2 --to "$theirs/service/uppercase")" HELLO "the channel works on"

ockamctl node stop n1 >/dev/null
run_ok "n1 starts again" ockamctl node start n1
run_ok "and is a member still" channel n1 n2 members

# ---- the end of a credential ----

run_ok "a credential for a moment" store n1 team "$(issue authority "$alice" -a app=demo --ttl 8s)"
short=$(channel n1 n2 members)
free=$(channel n1 n2 api)
same "$(echo_through "$free")" hello "is good for echo"
gone_short()
{
	! ockamctl secure-channel show --at "/node/n1$short"
}
run_ok "with it the channel ends that needs it" wait_for 30 gone_short
same "$(upper hello --from n1 --to "$free/service/uppercase")" HELLO "the one that does not stays"
echo_through "$free" 500ms >/dev/null
same $? 70 "without attributes"
refused "has expired" "and no more channel is opened" channel n1 n2 api
run_ok "until there is a new one" store n1 team "$(issue authority "$alice" -a app=demo --ttl 10m)"
run_ok "which opens it" channel n1 n2 members

# ---- another rule ----

# accepted FILTER: of the channels that others began at n2
accepted()
{
	ockamctl secure-channel list --accepted --at n2 --jq "$1"
}

for node in n1 n3; do
	ockamctl secure-channel list --at $node --jq '.[].address' | tr -d '"' | while read -r address; do
		ockamctl secure-channel delete "$address" --at $node -y >/dev/null
	done
done
run_ok "all channels end" wait_for 20 open_channels n2 0
run_ok "a listener" ockamctl secure-channel-listener create gate --at n2
channel n1 n2 gate >/dev/null
channel n3 n2 gate >/dev/null
open_channels n2 2
ok $? "for everyone"
run_ok "is for members from now on" ockamctl secure-channel-listener update gate --at n2 \
	--authority-identity "$authority" --allow app=demo
open_channels n2 2
ok $? "who is there stays"
refused "refused the channel" "a stranger does not come" channel n3 n2 gate
run_ok "a member does" channel n1 n2 gate
same "$(accepted 'map(.their_identifier) | sort | unique | length')" 2 "both are listed"
same "$(accepted 'map(.listener) | unique | .[0]')" '"gate"' "with their listener"
same "$(accepted 'map(select(.their_attributes.app == "demo") | .their_identifier) | unique | length')" 1 \
	"and what a member has proved"
same "$(ockamctl secure-channel list --at n2)" "[]" "n2 has begun none"
said=$(ockamctl secure-channel-listener show gate --at n2)
grep -qF "Admits everyone with a credential of $authority_id satisfying (= subject.app \"demo\")" <<<"$said"
ok $? "show says the rule" "$said"
same "$(ockamctl secure-channel-listener update gate --at n2 --close --jq .closed)" 1 \
	"the stranger's channel is ended"
run_ok "and only that" open_channels n2 2
same "$(ockamctl secure-channel-listener update gate --at n2 -a "$bob" --close --jq .closed)" 2 \
	"a rule that admits nobody of them"
run_ok "ends all" open_channels n2 0
run_ok "everyone again" ockamctl secure-channel-listener update gate --at n2 --everyone
run_ok "comes in" channel n3 n2 gate
address=$(accepted '.[0].address' | tr -d '"')
shown=$(QUIET='' script -qec "ockamctl secure-channel show --at /node/n2$address" /dev/null)
grep -qF "Accepted by listener gate" <<<"$shown"
ok $? "an accepted channel is shown" "$shown"
run_ok "and deleted" ockamctl secure-channel delete "$address" --at n2 -y
run_ok "at both ends" open_channels n3 0
refused "not found" "twice it is not" ockamctl secure-channel delete "$address" --at n2 -y

# ---- what is refused ----

refused "no secure channel listener at address nothing" "a listener that is not there" \
	ockamctl secure-channel-listener update nothing --at n2 --everyone
refused "Nothing is to be changed" "an update of nothing" ockamctl secure-channel-listener update gate --at n2
ockamctl secure-channel-listener update gate --at n2 --everyone -a "$bob" >/dev/null 2>&1
same $? 64 "everyone and somebody"
ockamctl secure-channel-listener update gate --at n2 --everyone --allow n=1 >/dev/null 2>&1
same $? 64 "everyone and who satisfies something"
ockamctl node create n9 --authority-identity 00 >/dev/null 2>&1
same $? 64 "an authority that is none"
ockamctl node create n9 --credential-scope team >/dev/null 2>&1
same $? 64 "a scope without an authority"
said=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api --allow "a or" 2>&1)
same $? 64 "an expression that cannot be read"
grep -qF "invalid value 'a or' for '--allow <POLICY_EXPRESSION>': Cannot parse the expression as either a simple boolean expression or a full policy expression:" <<<"$said" &&
	grep -qxF " - successfully parsed: \`a\`, but \` or\` cannot be parsed" <<<"$said"
ok $? "is explained" "$said"
finish
