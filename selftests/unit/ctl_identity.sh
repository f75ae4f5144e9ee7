#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# ockamctl: identities, forms of output, JSON, jq filters, homes, reset.

. "$(dirname "$0")/ctl.inc"

identifier='^I[0-9a-f]{64}$'

# ---- nothing yet ----

exits 0 "list of no identities" ockam identity list
prints "[]" "is an empty list"
silent "without a remark"
[ ! -e "$OCKAM_HOME" ]
ok $? "and makes no home"
exits 70 "show without any" ockam identity show
says "no default identifier found"
exits 70 "show of a name without any" ockam identity show nobody
says "no identifier found with name nobody"
exits 0 "delete without any" ockam identity delete nobody
prints "[]" "is an empty list"
exits 0 "delete --all -y without any" ockam identity delete --all -y
prints "[]" "too"

# ---- create ----

exits 0 "create" ockam identity create alice
grep -qE "$identifier" <<<"$out"
ok $? "prints the identifier alone" "$out"
alice=$out
says "Created a new Vault named default."
says "Marked this new Vault as your default Vault, on this machine."
exits 0 "create the same again" ockam identity create alice
prints "$alice" "prints the same identifier"
exits 0 "create another" ockam identity create bob --output json
grep -q '"identifier": "I' <<<"$out"
ok $? "as JSON" "$out"
silent "no remark: there is a vault"
exits 0 "without a name" ockam identity create
exits 0 "names are shown" ockam identity list --jq '.[2].name'
grep -qE '^"[a-z]+-[a-z]+"$' <<<"$out"
ok $? "a random one is two words" "$out"
exits 70 "a bad name" ockam identity create 'a/b'
says "is no name for the identity"
exits 70 "a key that is not there" ockam identity create carol --key-id 1234
says "has no key 1234"
exits 0 "leaves no identity" ockam identity list --jq length
prints 3 "behind"

# ---- list, in order of creation ----

ockam identity create aaa >/dev/null 2>&1
exits 0 "list" ockam identity list --jq 'map(.name) | join(" ")'
grep -qE '^"alice bob [a-z]+-[a-z]+ aaa"$' <<<"$out"
ok $? "in order of creation" "$out"
try ockam identity list
grep -q '^    "identifier": "I' <<<"$out" && grep -q '^    "is_default": true,$' <<<"$out" &&
	grep -q '^    "name": "alice",$' <<<"$out" && grep -q '^    "vault_name": "default"$' <<<"$out"
ok $? "JSON with sorted keys, two spaces, one space after the colon" "$out"
exits 0 "plain on a pipe is JSON all the same" ockam identity list --output plain
grep -q '"name": "alice"' <<<"$out"
ok $? "the table of forms" "$out"
exits 0 "on one line" ockam identity list --compact-output --jq '.[0] | {name, is_default}'
prints '{"is_default":true,"name":"alice"}' "without spaces"

# ---- jq ----

jq_is()
{
	exits 0 "jq $1" ockam identity list --jq "$1"
	prints "$2" "gives $2"
}
jq_is '. | length' 4
jq_is '.[0].name' '"alice"'
jq_is '.[0:2] | .[].name' '"alice"
"bob"'
jq_is 'map(select(.is_default)) | map(.name)' '[
  "alice"
]'
jq_is '.[0] | keys | length' 4
jq_is '.[0].missing // "nothing"' '"nothing"'
jq_is '[.[] | .name == "bob"] | any' true
jq_is 'empty' ''
exits 70 "a filter that is none" ockam identity list --jq '.['
says "invalid jq filter"
exits 70 "one that fails" ockam identity list --jq '.[0].name.x'
says "the jq filter failed"
exits 70 "a bad filter is found before anything is done" ockam identity create dave --jq '.['
exits 70 "so that" ockam identity show dave
exits 0 "plain overrides jq" ockam identity show alice --output plain --jq '.['
prints "$alice" "as the table says"

# ---- show ----

exits 0 "show" ockam identity show alice
prints "$alice" "the identifier alone"
exits 0 "show without a name" ockam identity show
prints "$alice" "shows the default"
exits 70 "show of an unknown one" ockam identity show nobody
says "no identifier found with name nobody"
exits 0 "show --full" ockam identity show alice --full
says "Identifier: $alice"
says "Change[0]:"
grep -qE '^ +primary_public_key:      EdDSACurve25519: [0-9a-f]{64}$' <<<"$out"
ok $? "with its key" "$out"
says "revoke_all_purpose_keys: false"
exits 0 "show --full --encoding hex" ockam identity show alice --full --encoding hex
grep -qE '^[0-9a-f]+$' <<<"$out" && [ "$(wc -l <<<"$out")" = 1 ]
ok $? "one line of hex" "$out"
history=$out
exits 0 "as JSON" ockam identity show alice --full --encoding hex --jq .encoded
prints "\"$history\"" "the same"
exits 0 "the changes as JSON" ockam identity show alice --full --jq '.changes | length'
prints 1 "one change"

# ---- import ----

exits 0 "the same identity again" ockam identity create copy --identity "$history"
prints "$alice" "is the one there is"
exits 0 "nothing new" ockam identity list --jq length
prints 4 "in the list"
export OCKAM_HOME=$work/second
exits 0 "in another home" ockam identity create copy --identity "$history"
prints "$alice" "it is new"
exits 0 "its history" ockam identity show copy --full --encoding hex
prints "$history" "is exactly what was imported"
exits 0 "the first one of a home" ockam identity default
prints "The name of the default identity is 'copy'" "is the default"
exits 70 "a name that is taken by another one" ockam identity create other --identity "${history/8182/8183}"
exits 70 "a history cut short" ockam identity create other --identity "${history:0:-2}"
last=${history: -2}
exits 70 "a history with a byte changed" ockam identity create other \
	--identity "${history:0:-2}$(printf %02x $((0x$last ^ 1)))"
exits 0 "nothing of them stays" ockam identity list --jq length
prints 1 "in the list"
exits 0 "homes do not mix" ockam identity list --jq '.[].name'
prints '"copy"' "this one has its own"
export OCKAM_HOME=$work/home

# ---- default ----

exits 0 "default" ockam identity default
prints "The name of the default identity is 'alice'" "is printed on a pipe too"
exits 0 "under --quiet" ockam identity default --quiet
prints "The name of the default identity is 'alice'" "as well"
exits 70 "set the one that it is" ockam identity default alice
says "The identity named 'alice' is already the default"
exits 0 "set another" ockam identity default bob
prints bob "prints its name"
exits 70 "set an unknown one" ockam identity default nobody
says "no identifier found with name nobody"

# ---- delete ----

exits 70 "delete without --yes" ockam identity delete bob
says "Use --yes to confirm"
exits 70 "delete --all without --yes" ockam identity delete --all
says "Use --yes to confirm"
exits 70 "delete of nothing in particular, surely" ockam identity delete -y
says "Nothing was deleted: which identity?"
exits 0 "delete of nothing in particular" ockam identity delete
prints "" "does nothing"
exits 0 "all are still there" ockam identity list --jq length
prints 4 "four"
exits 70 "delete an unknown one" ockam identity delete nobody -y
says "The identity nobody was not found"
exits 0 "delete the default one" ockam identity delete bob -y
prints bob "prints its name"
exits 0 "another becomes the default" ockam identity default
prints "The name of the default identity is 'alice'" "the oldest"
exits 70 "delete it again" ockam identity delete bob -y
exits 0 "delete all" ockam identity delete --all -y
same "$(wc -l <<<"$out")" 3 "a line for each"
exits 0 "nothing is left" ockam identity list
prints "[]" "at all"
exits 0 "the default is made when asked for" ockam identity default
says "There is no default Identity on this machine, generating one..."
says "Marked "

# ---- vaults ----

exits 0 "a vault that is named is made" ockam identity create eve --vault second
says "Created a new Vault named second."
[ -f "$OCKAM_HOME/vault-second" ]
ok $? "with its file"
exits 70 "with several vaults one must be named" ockam identity create frank
says "There are 2 vaults, please specify which vault should be used"

# ---- quiet, broken output ----

exits 0 "QUIET" env QUIET=true OCKAM_HOME="$work/quiet" ockam identity create
silent "no remark"
exits 0 "QUIET=0" env QUIET=0 OCKAM_HOME="$work/loud" ockam identity create
says "Created a new Vault"
exits 70 "an output that is full" bash -c 'ockam identity list >/dev/full'
says "Cannot write to standard output"

# ---- the home ----

same "$(stat -c %a "$OCKAM_HOME")" 700 "the home is private"
same "$(stat -c %a "$OCKAM_HOME/database.sqlite3")" 600 "so is the database"
exits 0 "a home is made with its parents" env OCKAM_HOME="$work/a/b/c" ockam identity create
[ -f "$work/a/b/c/database.sqlite3" ]
ok $? "where it was asked for"
exits 0 "without OCKAM_HOME" env -u OCKAM_HOME HOME="$work/user" ockam identity create
[ -f "$work/user/.ockam/database.sqlite3" ]
ok $? "it is ~/.ockam"
touch "$work/file"
exits 70 "a home that is a file" env OCKAM_HOME="$work/file" ockam identity create
mkdir -m 777 "$work/open"
exits 70 "a home that others may write to" env OCKAM_HOME="$work/open" ockam identity create
says "other users may write to the home $work/open (mode 0777)"
mkdir -m 700 "$work/broken"
head -c 8192 /dev/urandom >"$work/broken/database.sqlite3"
chmod 600 "$work/broken/database.sqlite3"
exits 70 "a damaged database" env OCKAM_HOME="$work/broken" ockam identity list
exits 0 "is no error for reset" env OCKAM_HOME="$work/broken" ockam reset -y
same "$(ls -A "$work/broken")" "" "which leaves nothing"

# ---- reset ----

touch "$OCKAM_HOME/mine"
mkdir -p "$OCKAM_HOME/nodes/n1" "$OCKAM_HOME/commands"
exits 70 "reset without --yes" ockam reset
says "Use --yes to confirm"
exits 0 "reset" ockam reset -y
prints "Local Ockam configuration deleted" "says so"
same "$(ls -A "$OCKAM_HOME")" mine "the user's files stay, nothing else"
exits 0 "reset again" ockam reset --yes --all
exits 0 "reset of a home that is not there" env OCKAM_HOME="$work/never" ockam reset -y
[ ! -e "$work/never" ]
ok $? "does not make it"
exits 0 "afterwards" ockam identity list
prints "[]" "nothing is there"
finish
