#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Smoke test with the published Rust implementation as the peer, in both roles:
# in plain text, through a secure channel, over several rekeys.
#
# where: uml
# long: vm
# timeout: 240

. "$(dirname "$0")/ockamd.inc"
. "$(dirname "$0")/../interop/lib.inc"
export PEER_DIR=$OCKAM_HOME/peer
trap 'peer_stop_all; ockamctl reset -y >/dev/null 2>&1; rm -rf "$OCKAM_HOME"' EXIT

run_ok "a kernel node starts" ockamctl node create n1
port=$(node_port n1)
us=$(ockamctl node show n1 --jq .identity_name | tr -d '"')
us=$(ockamctl identity show "$us")

# ---- the kernel initiates ----

run_ok "a Rust node starts" peer_start rust listen --port 0
rust=$(peer_port rust)
them=$(peer_identifier rust)
same "$(upper "straße" --from n1 --to "/ip4/127.0.0.1/tcp/$rust/service/uppercase")" STRASSE \
	"its uppercase answers in plain text"
channel=$(ockamctl secure-channel create --from n1 \
	--to "/ip4/127.0.0.1/tcp/$rust/service/api" --timeout 30s)
ok $? "a channel from the kernel to the Rust node"
same "$(upper hello --from n1 --to "$channel/service/uppercase")" HELLO \
	"uppercase answers through the channel"
same "$(ockamctl secure-channel list --at n1 --jq '.[0].their_identifier' | tr -d '"')" "$them" \
	"the peer is who it says it is"
peer_wait rust "channel-made .* $us responder"
ok $? "and knows who we are"

good=0
for i in {1..70}; do
	[ "$(upper "message $i" --from n1 --to "$channel/service/uppercase")" = "MESSAGE $i" ] &&
		good=$((good + 1))
done
same $good 70 "70 messages and answers, over two rekeys each way"

run_ok "the Rust node closes its channels" peer_signal rust USR2
channel_gone()
{
	[ "$(ockamctl secure-channel list --at n1 --output json)" = "[]" ]
}
wait_for 5 channel_gone
ok $? "the kernel's end is gone at once"

said=$(ockamctl secure-channel create --from n1 --to "/ip4/127.0.0.1/tcp/$rust/service/api" \
	--authorized "$us" --timeout 10s 2>&1)
same $? 70 "a peer that is not the authorised one is refused"
grep -q "$them\|identifier\|authori" <<<"$said"
ok $? "for that reason" "$said"
run_ok "the Rust node stops" peer_stop rust

# ---- the Rust node initiates ----

said=$(peer_send --to "127.0.0.1:$port" --service uppercase hello 2>&1)
same $? 0 "the kernel's uppercase answers a Rust client in plain text"
grep -q HELLO <<<"$said"
ok $? "with the right text" "$said"
said=$(peer_send --to "127.0.0.1:$port" --channel api --service uppercase hello 2>&1)
same $? 0 "a channel from the Rust client to the kernel"
grep -q HELLO <<<"$said"
ok $? "carries message and answer" "$said"
said=$(peer_send --to "127.0.0.1:$port" --channel api --service echo --size 40000 --count 100 \
	--quiet 2>&1)
same $? 0 "100 messages of 40,000 bytes are echoed" "$said"
said=$(peer_send --to "127.0.0.1:$port" --channel api --service echo --size 200000 --count 40 \
	--window 16 --quiet 2>&1)
same $? 0 "so are 40 of 200,000 bytes, 16 of them under way" "$said"
said=$(peer_send --to "127.0.0.1:$port" --channel api --channel api --service uppercase deep 2>&1)
same $? 0 "a channel inside a channel" "$said"
run_ok "a listener for one identity" ockamctl secure-channel-listener create picky --at n1 \
	--authorized "$us"
peer_send --to "127.0.0.1:$port" --channel picky --service uppercase no --timeout 3 >/dev/null 2>&1
[ $? != 0 ]
ok $? "refuses the Rust client"
# One of them has lost its way to the peer without a Close: it gets half a minute.
wait_for 60 open_channels n1 0
ok $? "no channel is left" "$(ockamctl node show n1 --jq .counters)"
finish
