#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# ockamctl credential: issue, verify, store, list, show; bytes of strangers in
# attributes, bad input, export and import of the issuer.

. "$(dirname "$0")/ctl.inc"

file=$work/credential
export SHELL=/bin/bash	# of script, for the bytes

# issue NAME ARGUMENT...: a credential of NAME in hex, in $credential
issue()
{
	credential=$(ockam credential issue --as "$@" --encoding hex 2>/dev/null)
}

# valid WHAT CREDENTIAL ISSUER
valid()
{
	exits 0 "$1" ockam credential verify --issuer "$3" --credential "$2"
	prints true "is valid"
}

# invalid WHAT CREDENTIAL ISSUER WHY
invalid()
{
	exits 0 "$1" ockam credential verify --issuer "$3" --credential "$2"
	prints false "is not valid"
	says "$4"
}

# node_record NAME IDENTIFIER: as a stopped node leaves it
node_record()
{
	python3 - "$OCKAM_HOME/database.sqlite3" "$1" "${2#I}" <<-'EOP'
		import sqlite3, sys
		db = sqlite3.connect(sys.argv[1])
		first = not db.execute("SELECT count(*) FROM nodes").fetchone()[0]
		db.execute("INSERT INTO nodes (name, is_default, tcp_listener,"
		           " identity, identifier, control, in_background)"
		           " VALUES (?, ?, '', 'bob', ?, '', 1)",
		           (sys.argv[2], first, bytes.fromhex(sys.argv[3])))
		db.commit()
	EOP
}

# ---- nothing yet ----

nobody=I$(printf '%064d' 7)
exits 0 "verify in an empty home" ockam credential verify --issuer "$nobody" --credential 00
prints false "is false"
exits 70 "issue as nobody" ockam credential issue --as nobody --for "$nobody"
says "no identifier found with name nobody"
[ ! -e "$OCKAM_HOME" ]
ok $? "neither makes a home"
exits 70 "list without a node" ockam credential list
says "There is no default node"
exits 70 "list at a node that is not there" ockam credential list --at n1
says "There is no node with name n1"

# ---- issue ----

authority=$(ockam identity create authority 2>/dev/null)
bob=$(ockam identity create bob 2>/dev/null)
exits 0 "issue in hex" ockam credential issue --as authority --for "$bob" \
	-a 'city=New York' --attribute name=value= --encoding hex
grep -qE '^([0-9a-f]{2})+$' <<<"$out" && [ "$(wc -l <<<"$out")" = 1 ]
ok $? "is one line of hex" "$out"
silent "and no remark"
credential=$out
valid "it" "$credential" "$authority"
invalid "of another issuer" "$credential" "$bob" "which is no accepted authority"
exits 0 "issue" ockam credential issue --as authority --for "$bob" -a 'city=New York' \
	-a empty= --output json
grep -q '^    "city": "New York",$' <<<"$out" && grep -q '^    "empty": ""$' <<<"$out" &&
	grep -q "^  \"issuer\": \"$authority\"," <<<"$out" &&
	grep -q "^  \"subject\": \"$bob\"\$" <<<"$out"
ok $? "as an object" "$out"
exits 0 "which lives" ockam credential issue --as authority --for "$bob" \
	--jq '.expires_at - .created_at'
prints 1800 "half an hour"
exits 0 "or as long as it is told" ockam credential issue --as authority --for "$bob" \
	--ttl 2d --jq '.expires_at - .created_at'
prints 172800 "two days"
exits 0 "its own hex" ockam credential issue --as authority --for "$bob" --jq .credential
valid "is valid" "${out//\"/}" "$authority"
exits 0 "on a terminal" script -qec "ockam credential issue --as authority --for $bob -a a=b" \
	/dev/null
for text in Credential: "Subject:    $bob" "Issuer:     $authority" 'Purpose key:' \
	'"a": "b"' 'Created at: 20' 'Expires at: 20' 'Version:    1'; do
	says "$text"
done
exits 0 "without attributes" ockam credential issue --as authority --for "$nobody" --encoding hex
valid "about somebody unknown" "$out" "$authority"
exits 0 "by the default identity" ockam credential issue --for "$bob" --jq .issuer
prints "\"$authority\"" "which is the first one"
exits 0 "without any identity" env OCKAM_HOME="$work/new" ockam credential issue --for "$bob" \
	--encoding hex
says "There is no default Identity on this machine, generating one..."
exits 0 "the vault may be named" ockam credential issue default --for "$bob" --encoding hex
exits 70 "a vault that is not there" ockam credential issue other --for "$bob"
says "There is no vault with name other"
ockam identity create carol --vault second >/dev/null 2>&1
exits 70 "a vault that has not got the key" ockam credential issue second --as bob --for "$bob"
says "The key of the identity bob is in the vault default, not in second"
exits 0 "a key in a file" ockam credential issue second --as carol --for "$bob" --encoding hex
valid "it" "$out" "$(ockam identity show carol)"

# ---- what cannot be issued ----

exits 64 "nobody to issue for" ockam credential issue --as authority
says "--for <IDENTIFIER>"
exits 64 "for what is no identifier" ockam credential issue --for bob
says "for '--for <IDENTIFIER>'"
exits 64 "an attribute without a value" ockam credential issue --for "$bob" -a city
says "invalid value 'city' for '--attribute <ATTRIBUTE>': expected name=value"
exits 64 "an attribute without a name" ockam credential issue --for "$bob" -a =value
exits 70 "an attribute twice" ockam credential issue --for "$bob" -a x=1 -a y=2 -a x=3
says "The attribute 'x' is given twice"
exits 64 "a life of nothing" ockam credential issue --for "$bob" --ttl 0
says "expected one second at least"
exits 64 "a life of less than a second" ockam credential issue --for "$bob" --ttl 999ms
exits 64 "a life of words" ockam credential issue --for "$bob" --ttl long
exits 70 "a life longer than the key's" ockam credential issue --for "$bob" --ttl 2000d
says "choose a shorter --ttl"
exits 70 "an absurd one" ockam credential issue --for "$bob" --ttl 400000000d
exits 64 "a more absurd one" ockam credential issue --for "$bob" --ttl 99999999999999999999d
exits 64 "another encoding" ockam credential issue --for "$bob" --encoding base64
many=()
for i in {1..65}; do
	many+=(-a "a$i=")
done
exits 70 "65 attributes" ockam credential issue --for "$bob" "${many[@]}"
says "at most 64 attributes"
exits 0 "64 attributes" ockam credential issue --for "$bob" "${many[@]:2}" \
	--jq '.attributes | length'
prints 64 "are all there"
exits 70 "attributes of more than 4 KiB" ockam credential issue --for "$bob" \
	-a "long=$(printf '%4090d' 0)"
says "of 4096 bytes together"
exits 0 "just below" ockam credential issue --for "$bob" -a "long=$(printf '%4080d' 0)" \
	--encoding hex

# ---- bytes ----

exits 0 "attributes of any bytes" ockam credential issue --as authority --for "$bob" \
	-a $'esc=\e[31mred\r\n' -a $'bad=\xff\xc3' -a $'caf\xc3\xa9=\xe2\x82\xac' \
	-a $'rtl=\xe2\x80\xaeevil' -a $'c1=\xc2\x9b2J' -a $'tag=\xf3\xa0\x80\x81' \
	-a $'quote="\\' --jq .attributes
grep -qF '"esc": "\u001b[31mred\r\n"' <<<"$out" && grep -qF '"bad": "\\xff\\xc3"' <<<"$out" &&
	grep -qF $'"caf\xc3\xa9": "\xe2\x82\xac"' <<<"$out"
ok $? "are JSON" "$out"
grep -qF '"rtl": "\u202eevil"' <<<"$out" && grep -qF '"c1": "\u009b2J"' <<<"$out" &&
	grep -qF '"tag": "\udb40\udc01"' <<<"$out"
ok $? "with what would not be seen escaped" "$out"
exits 0 "for people" script -qec "ockam credential issue --as authority --for $bob \
	-a \$'esc=\e[31mred\r\n' -a \$'bad=\xff\xc3' -a \$'rtl=\xe2\x80\xaeevil' -a 'quote=\"\\'" \
	/dev/null
says '"esc": "\x1b[31mred\x0d\x0a"'
says '"bad": "\xff\xc3"'
says '"rtl": "\u{202e}evil"'
says '"quote": "\"\\"'
[[ $out != *$'\e[31'* ]]
ok $? "nothing steers the terminal"

# ---- verify ----

issue authority --for "$bob" -a a=b
printf '  %s\n\n' "$credential" >"$file"
exits 0 "a file" ockam credential verify --issuer "$authority" --credential-path "$file"
prints true "is trimmed"
says "Verifying credential..."
exits 0 "quietly" ockam credential verify -q --issuer "$authority" --credential-path "$file"
silent "without a remark"
exits 0 "as an object" ockam credential verify --issuer "$authority" --credential-path "$file" \
	--compact-output
prints '{"is_valid":true}' "is_valid"
exits 0 "upper case" ockam credential verify --issuer "$authority" --credential "${credential^^}"
prints true "is hex too"
exits 0 "from a pipe" ockam credential verify --issuer "$authority" --credential-path \
	<(echo "$credential")
prints true "is read"
invalid "not hex" "hello there" "$authority" "this is no credential"
invalid "nothing" "" "$authority" "this is no credential: it is empty"
invalid "an odd digit" "${credential}0" "$authority" "this is no credential"
invalid "one byte more" "${credential}00" "$authority" "something follows the credential"
invalid "one byte less" "${credential:0:-2}" "$authority" "does not decode"
invalid "an identity" "$(ockam identity show authority --full --encoding hex)" "$authority" \
	"this is no credential"
last=${credential: -2}
invalid "a changed signature of the key" "${credential:0:-2}$(printf %02x $((0x$last ^ 1)))" \
	"$authority" "signature does not verify"
invalid "a changed byte in it" "${credential:0:20}$(printf %02x $((0x${credential:20:2} ^ 1)))${credential:22}" \
	"$authority" ""
invalid "an issuer nobody knows" "$credential" "$nobody" "is not known here"
exits 64 "an issuer that is none" ockam credential verify --issuer authority --credential 00
exits 64 "no issuer" ockam credential verify --credential "$credential"
exits 64 "no credential" ockam credential verify --issuer "$authority"
says "--credential <CREDENTIAL_STRING>"
exits 64 "two credentials" ockam credential verify --issuer "$authority" --credential 00 \
	--credential-path "$file"
exits 70 "a file that is not there" ockam credential verify --issuer "$authority" \
	--credential-path "$work/none"
says "Cannot read $work/none: No such file or directory"
exits 70 "a directory" ockam credential verify --issuer "$authority" --credential-path "$work"
truncate -s 8G "$work/huge"
exits 0 "a huge file" ockam credential verify --issuer "$authority" --credential-path "$work/huge"
prints false "is none"
says "is too large for a credential"
exits 0 "a file without an end" ockam credential verify --issuer "$authority" \
	--credential-path /dev/zero
prints false "is none"

# ---- time ----

issue authority --for "$bob" --ttl 1s
short=$credential
valid "one that lives for a second" "$short" "$authority"
for _ in {1..100}; do
	[ "$(ockam credential verify -q --issuer "$authority" --credential "$short")" = true ] || break
	sleep 0.1
done
invalid "after it" "$short" "$authority" "the credential has expired"

# ---- an issuer of another home ----

history=$(ockam identity show authority --full --encoding hex)
export OCKAM_HOME=$work/other
issue_at_home=$(OCKAM_HOME=$work/home ockam credential issue --as authority --for "$bob" \
	--encoding hex)
invalid "an issuer of another home" "$issue_at_home" "$authority" "is not known here"
exits 0 "its history imported" ockam identity create far --identity "$history"
valid "then it" "$issue_at_home" "$authority"
exits 70 "but it cannot issue" ockam credential issue --as far --for "$bob"
says "was imported without its key"
export OCKAM_HOME=$work/home

# ---- store, list, show ----

issue authority --for "$bob" -a 'city=New York'
exits 70 "store at a node that is not there" ockam credential store --issuer "$authority" \
	--credential "$credential" --scope s --at n1
says "There is no node with name n1"
node_record n1 "$bob"
node_record n2 "$bob"
exits 0 "an empty list" ockam credential list --at n1
prints "[]" "is []"
exits 0 "on a terminal" script -qec "ockam credential list --at n1" /dev/null
says "No Credentials found for node: n1"
exits 0 "store" ockam credential store --issuer "$authority" --credential "$credential" \
	--scope 'my scope' --at n1
prints "$credential" "prints it"
says "Storing credential..."
exits 0 "store of a file" ockam credential store --issuer "$authority" --credential-path "$file" \
	--scope other --at /node/n1 --jq '.issuer'
prints "\"$authority\"" "as an object"
exits 0 "on a terminal" script -qec "ockam credential store --issuer $authority \
	--credential-path $file --scope other --at n1" /dev/null
says "Credential stored"
exits 70 "the default node must run" ockam credential store --issuer "$authority" \
	--credential "$credential" --scope s
says "Default node exists but is not running"
exits 0 "list" ockam credential list --at n1
[ "$(jq -c 'map([.scope, .is_verified, .credential.issuer, .credential.subject])' <<<"$out")" = \
	"[[\"my scope\",true,\"$authority\",\"$bob\"],[\"other\",true,\"$authority\",\"$bob\"]]" ]
ok $? "in order of storing" "$out"
says '"city": "New York"'
exits 0 "by issuer" ockam credential list --at n1 --issuer "$bob" --jq length
prints 0 "nothing"
exits 0 "by subject" ockam credential list --at n1 --subject "$bob" --jq length
prints 2 "both"
exits 0 "the default node's" ockam credential list --jq length
prints 2 "are these"
exits 0 "the other node's" ockam credential list --at n2
prints "[]" "are none"
exits 0 "show" ockam credential show --issuer "$authority" --scope 'my scope' --at n1 \
	--jq '.credential.attributes.city'
prints '"New York"' "the attributes"
exits 0 "show" ockam credential show --issuer "$authority" --scope 'my scope' --at n1
shown=$out
exits 0 "of the list" ockam credential list --at n1 --jq '.[0]'
prints "$shown" "the same object"
exits 0 "on a terminal" script -qec "ockam credential show --issuer $authority --scope other" \
	/dev/null
says "Scope: other"
says "Verified: yes"
exits 70 "show of another scope" ockam credential show --issuer "$authority" --scope none
says "The node n1 has no credential of $authority with the scope none"
exits 64 "show without a scope" ockam credential show --issuer "$authority"
exits 70 "store of one that has expired" ockam credential store --issuer "$authority" \
	--credential "$short" --scope s --at n1
says "Credential is not verified"
says "the credential has expired"
exits 70 "store of what is none" ockam credential store --issuer "$authority" --credential xyz \
	--scope s --at n1
says "Credential is not verified"
exits 70 "store of a file that is not there" ockam credential store --issuer "$authority" \
	--credential-path "$work/none" --scope s --at n1
exits 64 "a scope of nothing" ockam credential store --issuer "$authority" \
	--credential "$credential" --scope '' --at n1
exits 64 "a scope of control characters" ockam credential store --issuer "$authority" \
	--credential "$credential" --scope $'a\nb' --at n1
exits 64 "no scope" ockam credential store --issuer "$authority" --credential "$credential"
exits 0 "nothing of them" ockam credential list --at n1 --jq length
prints 2 "was stored"
issue authority --for "$authority" -a who=else
exits 0 "one about somebody else" ockam credential store --issuer "$authority" \
	--credential "$credential" --scope 'my scope' --at n1
says "It is about another identity than the one that the node n1 has"
exits 0 "show with a subject" ockam credential show --issuer "$authority" --scope 'my scope' \
	--subject "$bob" --jq .credential.attributes.city
prints '"New York"' "tells them apart"

# ---- what becomes of the issuer ----

exits 0 "the issuer deleted" ockam identity delete authority -y
exits 0 "is not known any more" ockam credential list --at n1 --jq 'map(.is_verified) | any'
prints false "nothing is verified"
exits 0 "the node deleted" ockam node delete n1 -y
exits 0 "takes them along" ockam credential list --at n2
prints "[]" "nothing there"
node_record n1 "$bob"
exits 0 "a new node of its name" ockam credential list --at n1
prints "[]" "has none"
finish
