#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# ockamctl: kinds of keys, rotation, export and import of histories of any length.

. "$(dirname "$0")/ctl.inc"

hex()
{
	ockam identity show "$1" --full --encoding hex
}

# key_types NAME: the kinds of the changes, in order
key_types()
{
	ockam identity show "$1" --full | sed -n 's/^ *primary_public_key: *\([^:]*\):.*/\1/p' |
		tr '\n' ' '
}
ed=EdDSACurve25519 p256=ECDSASHA256CurveP256

# ---- kinds ----

exits 0 "an identity with a P-256 key" ockam identity create p --key-type p256
p=$out
same "$(key_types p)" "$p256 " "is shown as such"
ockam identity show p --full | grep -qE "^ +primary_public_key:      $p256: 04[0-9a-f]{128}$"
ok $? "with its 65 bytes"
exits 0 "an identity with an Ed25519 key" ockam identity create e --key-type ed25519
e=$out
exits 0 "without a word about it" ockam identity create d
same "$(key_types e)$(key_types d)" "$ed $ed " "it is the same"
exits 64 "an unknown kind" ockam identity create x --key-type rsa
says "possible values are ed25519 and p256"
exits 64 "a kind for a key that is there" ockam identity create x --key-type p256 --key-id 00
exits 64 "a kind for a history that is there" ockam identity create x --key-type p256 --identity 00
exits 0 "the kind as JSON" ockam identity show p --full --jq '.changes[0].primary_public_key_type'
prints "\"$p256\"" "too"

# ---- rotate ----

before=$(hex p)
exits 0 "rotate" ockam identity rotate p
prints "$p" "prints the identifier, which stays"
silent "nothing else"
same "$(key_types p)" "$p256 $p256 " "the kind is kept"
after=$(hex p)
same "82${before:2}" "${after:0:${#before}}" "the history begins as it did"
exits 0 "rotate to another kind" ockam identity rotate p --key-type ed25519 --output json
grep -q "\"identifier\": \"$p\"" <<<"$out"
ok $? "as JSON" "$out"
exits 0 "and back" ockam identity rotate p --key-type p256
same "$(key_types p)" "$p256 $p256 $ed $p256 " "four changes"
exits 0 "rotate the default one" ockam identity rotate
prints "$p" "without its name"
exits 0 "in JSON" ockam identity show p --full --jq '.changes | length'
prints 5 "five changes"
exits 70 "rotate an unknown one" ockam identity rotate nobody
says "no identifier found with name nobody"
exits 64 "to an unknown kind" ockam identity rotate p --key-type p384
exits 64 "--all is for delete" ockam identity rotate --all
exits 70 "in an empty home" env OCKAM_HOME="$work/none" ockam identity rotate
says "no default identifier found"
[ ! -e "$work/none" ]
ok $? "which is not made for it"
for i in {1..8}; do
	ockam identity rotate e >/dev/null &
done
wait
exits 0 "eight rotations at once" ockam identity show e --full --jq '.changes | length'
prints 9 "each has added a change"

# ---- import ----

long=$(hex p)
export OCKAM_HOME=$work/second
exits 0 "import of a history of two changes" ockam identity create imp --identity "$after"
prints "$p" "prints its identifier"
same "$(hex imp)" "$after" "exports it exactly"
exits 70 "without its key it cannot be rotated" ockam identity rotate imp
says "the key of the identity imp is not in this home"
exits 0 "the same again" ockam identity create --identity "$after"
prints "$p" "changes nothing"
exits 70 "a shorter one" ockam identity create --identity "$before"
says "this change history is older than the one that is known of the identity"
same "$(hex imp)" "$after" "changes nothing"
exits 0 "a longer one" ockam identity create --identity "$long"
same "$(hex imp)" "$long" "replaces it"
same "$(key_types imp)" "$p256 $p256 $ed $p256 $p256 " "with all its kinds"
exits 0 "still one identity" ockam identity list --jq length
prints 1 "in the list"
exits 70 "no CBOR at all" ockam identity create g --identity ff00
exits 70 "nothing" ockam identity create g --identity ""
exits 64 "no hex" ockam identity create g --identity xyz0
exits 70 "the last byte missing" ockam identity create g --identity "${long:0:-2}"
exits 0 "nothing of it stays" ockam identity list --jq length
prints 1 "in the list"

# ---- another home rotates a copy: the histories part ----

cp -a "$work/home" "$work/copy"
export OCKAM_HOME=$work/copy
ockam identity rotate p >/dev/null
parted=$(hex p)
export OCKAM_HOME=$work/home
ockam identity rotate p >/dev/null
mine=$(hex p)
exits 70 "a history that conflicts" ockam identity create --identity "$parted"
says "this change history conflicts with the one that is known of the identity"
same "$(hex p)" "$mine" "changes nothing"
exits 0 "own identity again" ockam identity create p --identity "$mine"
exits 0 "it still has its key" ockam identity rotate p
finish
