#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Trust at its edges: a start that fails leaves the trust options as they were, a
# rule of api lasts as long as the node and that is said, a listener that is gone
# prolongs no channel, what peers say of themselves does not steer a terminal, and
# a clock that is set ends what it says has expired.
#
# where: uml
# long: debug
# timeout: 180

. "$(dirname "$0")/ockamd.inc"

hex()
{
	ockamctl identity show "$1" --full --encoding hex
}

# present TTL ATTRIBUTE...: the node that presents credentials has this one from now on
present()
{
	local ttl=$1 attributes=()

	shift
	for a; do attributes+=(-a "$a"); done
	ockamctl credential store --issuer "$(ockamctl identity show x)" --scope s --at nx \
		--credential "$(ockamctl credential issue --as x --ttl "$ttl" --encoding hex \
			--for "$(ockamctl identity show client)" "${attributes[@]}")"
}

channels_of()
{
	ockamctl secure-channel list --at "$1" --jq length
}

ended()
{
	[ "$(channels_of "$1")" = 0 ]
}

for name in x server client; do ockamctl identity create $name >/dev/null; done
run_ok "a node whose authority is x" ockamctl node create n1 --identity server \
	--authority-identity "$(hex x)"
run_ok "one that presents what x says" ockamctl node create nx --identity client \
	--authority-identity "$(hex x)" --credential-scope s
gate=/ip4/127.0.0.1/tcp/$(node_port n1)/service/gate

# ---- text of strangers ----

run_ok "a credential with odd attributes" present 1h $'c1=\xc2\x9b2J' $'esc=\e[2J' \
	$'rtl=\xe2\x80\xaex'
channel=$(ockamctl secure-channel create --from n1 --timeout 20s \
	--to "/ip4/127.0.0.1/tcp/$(node_port nx)/service/api")
ok $? "the other side shows it"
shown=$(QUIET='' script -qec "ockamctl secure-channel show --at /node/n1$channel" /dev/null)
grep -qF 'Their attributes: {"c1":"\u009b2J","esc":"\u001b[2J","rtl":"\u202ex"}' <<<"$shown"
ok $? "and nothing of it steers a terminal" "$shown"

# ---- a rule that is gone ----

run_ok "a listener for admins" ockamctl secure-channel-listener create gate --at n1 \
	--authority-identity "$(hex x)" --allow role=admin
ockamctl secure-channel create --from nx --to "$gate" --timeout 20s >/dev/null 2>&1
same $? 70 "refuses who is none"
run_ok "an admin for a moment" present 15s role=admin
run_ok "is admitted" ockamctl secure-channel create --from nx --to "$gate" --timeout 20s
run_ok "the listener is deleted" ockamctl secure-channel-listener delete gate --at n1
same "$(channels_of nx)" 1 "its channel stays"
run_ok "its peer shows that it is none any more" present 1h role=guest
run_ok "the channel ends with the first credential" wait_for 40 ended nx

# ---- the rule of api ----

run_ok "api gets a rule" ockamctl secure-channel-listener update api --at n1 \
	-a "$(ockamctl identity show x)"
to_api()
{
	ockamctl secure-channel create --from nx --timeout 20s \
		--to "/ip4/127.0.0.1/tcp/$(node_port n1)/service/api"
}
to_api >/dev/null 2>&1
same $? 70 "it counts"
ockamctl node stop n1 >/dev/null
ockamctl node start n1 >/dev/null
to_api >/dev/null 2>&1
same $? 70 "and does after a start"
run_ok "everyone may come again" ockamctl secure-channel-listener update api --at n1 --everyone
run_ok "and does" to_api

# ---- starts that fail ----

run_ok "stop" ockamctl node stop n1
db=$OCKAM_HOME/database.sqlite3
trust()
{
	python3 - "$db" <<'P'
import sqlite3, sys
row = sqlite3.connect(sys.argv[1]).execute(
    "SELECT authority, strict_identities FROM nodes WHERE name = 'n1'").fetchone()
print(len(row[0] or b''), row[1])
P
}
before=$(trust)
[ "${before%% *}" -gt 100 ]
ok $? "a stopped node keeps its authority" "$before"
ockamctl node create n1 --tcp-listener-address 192.0.2.1:1 >/dev/null 2>&1
ok $((! $?)) "it cannot be made without one at an address that is not there"
same "$(trust)" "$before" "and still has it"
ockamctl node create n3 --authority-identity "$(hex x)" --tcp-listener-address 192.0.2.1:1 \
	>/dev/null 2>&1
ok $((! $?)) "nor can a new one"
ockamctl node show n3 >/dev/null 2>&1
ok $((! $?)) "of which nothing is left"
run_ok "start" ockamctl node start n1
run_ok "with the authority: a peer that shows nothing has a channel" ockamctl node create n4
channel=$(ockamctl secure-channel create --from n4 --timeout 20s \
	--to "/ip4/127.0.0.1/tcp/$(node_port n1)/service/api")
ok $? "made"
timeout 20 ockamctl message send hello --from n4 --to "$channel/service/echo" --timeout 2s \
	>/dev/null 2>&1
ok $((! $?)) "but no echo"

# ---- a clock that is set ----

to_api >/dev/null
ok $? "a member has a channel"
expired()
{
	cat "$OCKAM_HOME"/nodes/n1/*.log | grep -c "credentials of peers have expired"
}
more_expired()
{
	[ "$(expired)" -gt "$before" ]
}
before=$(expired)
date -s '+2 hours' >/dev/null
wait_for 20 more_expired
ok $? "two hours later by the clock its attributes are forgotten" \
	"$(tail -n 3 "$OCKAM_HOME"/nodes/n1/*.log)"
date -s '-2 hours' >/dev/null

finish
