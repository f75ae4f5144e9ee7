#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
# long: uml
#
# The Rust peer against itself: when this fails, do not look for the fault in the kernel.

bats_require_minimum_version 1.5.0

setup() {
	PEER_LIB_DIR=$BATS_TEST_DIRNAME
	. "$BATS_TEST_DIRNAME/lib.inc"
	PEER_DIR=$BATS_TEST_TMPDIR
}

teardown() {
	peer_stop_all
}

to() {
	echo "127.0.0.1:$(peer_port "$1")"
}

@test "plaintext: uppercase and echo, 100 messages" {
	peer_start a listen
	peer_send --to "$(to a)" --service uppercase "straße" --count 100 >"$PEER_DIR/sent"
	[ "$(grep -c '^reply STRASSE$' "$PEER_DIR/sent")" -eq 100 ]
	peer_send --to "$(to a)" --service echo --size 1000000
}

@test "channel: 100 messages, rekeyed three times, both sides know the other" {
	peer_start a listen --messages
	run -0 peer_send --print-identifier --to "$(to a)" --channel api --service uppercase hello --count 100
	[ "$(grep -c '^reply HELLO$' <<<"$output")" -eq 100 ]
	grep -q "^trusted $(peer_identifier a)\$" <<<"$output"
	id=$(sed -n 's/^identifier //p' <<<"$output")
	peer_wait a "^channel-made [^ ]+ $id responder$"
	peer_wait a "^channel-closed [^ ]+ $id$"
	[ "$(peer_count a "^message uppercase $id ")" -eq 100 ]
}

@test "trust lists: only who is listed" {
	friend=$(peer_binary)
	friend=$("$friend" identity create --identity-file "$PEER_DIR/friend" | sed -n 's/^identifier //p;T;q')
	peer_start a listen --trust "$friend"
	peer_send --identity-file "$PEER_DIR/friend" --trust "$(peer_identifier a)" \
		--to "$(to a)" --channel api --service uppercase hello

	# The responder refuses: the initiator cannot know, its messages get no answer.
	run -1 peer_send --timeout 1 --to "$(to a)" --channel api --service uppercase hello
	grep -q 'no reply to message 1' <<<"$output"
	peer_wait a '^refused '

	# The initiator refuses: no channel.
	run -1 peer_send --timeout 1 --identity-file "$PEER_DIR/friend" --trust "$friend" \
		--to "$(to a)" --channel api --service uppercase hello
	grep -q 'no channel with api' <<<"$output"
}

@test "identity: rotated key, same identifier" {
	p=$(peer_binary)
	"$p" identity create --identity-file "$PEER_DIR/i" >"$PEER_DIR/1"
	"$p" identity rotate --identity-file "$PEER_DIR/i" >"$PEER_DIR/2"
	[ "$(grep identifier "$PEER_DIR/1")" = "$(grep identifier "$PEER_DIR/2")" ]
	[ "$(wc -c <"$PEER_DIR/2")" -gt "$(wc -c <"$PEER_DIR/1")" ]
	peer_start a listen --identity-file "$PEER_DIR/i"
	peer_send --trust "$(peer_identifier a)" --to "$(to a)" --channel api --service echo --size 10
}

@test "identity: P-256 keys, kept or left in a rotation, also of a peer that runs" {
	p=$(peer_binary)
	"$p" identity create --identity-file "$PEER_DIR/i" --key-type p256 >"$PEER_DIR/1"
	grep -q '^history 8182.*8201815841' "$PEER_DIR/1"
	"$p" identity rotate --identity-file "$PEER_DIR/i" >"$PEER_DIR/2"
	grep -q '^history 82.*820181584104.*820181584104' "$PEER_DIR/2"
	peer_start a listen --identity-file "$PEER_DIR/i" --key-type ed25519
	peer_send --key-type p256 --trust "$(peer_identifier a)" --to "$(to a)" --channel api \
		--service echo --size 10
	peer_signal a HUP
	peer_wait a '^rotated$'
	grep -q '^history 83.*82008158' "$PEER_DIR/i"
	peer_send --trust "$(peer_identifier a)" --to "$(to a)" --channel api --service echo --size 10
	[ "$(peer_identifier a)" = "$(sed -n 's/^identifier //p' "$PEER_DIR/1")" ]
}

@test "channel in channel, over two hops" {
	peer_start a listen
	peer_start h relay-hop --forward "next=$(to a)" --messages
	peer_send --to "$(to h)" --via hop --via next --channel api --channel api \
		--service echo --size 70000 --count 40 --quiet
	[ "$(peer_count h '^message hop plain ')" -gt 40 ]
}

@test "close from either side, and vanishing" {
	peer_start a listen --close-after 3
	run -1 peer_send --timeout 1 --to "$(to a)" --channel api --service uppercase hello --count 5 --interval 300
	[ "$(grep -c '^reply HELLO$' <<<"$output")" -eq 3 ]
	grep -q 'message 4 could not be sent' <<<"$output"
	peer_wait a '^channel-closed '

	run -1 peer_send --timeout 1 --to "$(to a)" --channel api --service echo --size 9 --count 5 --close-after 2
	[ "$(grep -c '^reply bytes=9$' <<<"$output")" -eq 2 ]

	peer_send --to "$(to a)" --channel api --service echo --size 9 --count 5 --abort-after 2
	peer_start b listen --abort-after 2
	run -1 peer_send --timeout 1 --to "$(to b)" --channel api --service echo --size 9 --count 5
	peer_wait b '^aborting$'
	! peer_alive b
}

@test "credentials: presented, verified, refreshed by both sides" {
	p=$(peer_binary)
	"$p" identity create --identity-file "$PEER_DIR/authority" >/dev/null
	peer_start a listen --authority "@$PEER_DIR/authority" --issue-from "$PEER_DIR/authority" \
		--attribute side=a --refresh-after 2
	run -0 peer_send --to "$(to a)" --channel api --service echo --size 9 --count 6 \
		--authority "@$PEER_DIR/authority" --issue-from "$PEER_DIR/authority" \
		--attribute side=b --refresh-after 4 --linger 0.5
	grep -q '^attributes I[0-9a-f]* refresh=0,side=a$' <<<"$output"
	grep -q '^credentials-received$' <<<"$output"
	peer_wait a '^attributes I[0-9a-f]+ refresh=0,side=b$'
	peer_wait a '^attributes I[0-9a-f]+ refresh=1,side=b$'
	peer_wait a '^credentials-received$'
}

@test "issue: a credential for somebody else" {
	p=$(peer_binary)
	"$p" identity create --identity-file "$PEER_DIR/authority" >/dev/null
	"$p" identity create --identity-file "$PEER_DIR/member" >/dev/null
	"$p" issue --identity-file "$PEER_DIR/authority" --subject "@$PEER_DIR/member" --attribute app=demo |
		sed -n 's/^credential //p' >"$PEER_DIR/credential"
	peer_start a listen --authority "@$PEER_DIR/authority"
	peer_send --identity-file "$PEER_DIR/member" --credential "@$PEER_DIR/credential" \
		--to "$(to a)" --channel api --service echo --size 9 --linger 0.2
	peer_wait a '^attributes I[0-9a-f]+ app=demo$'
}

@test "a channel moves to another connection" {
	peer_start a listen
	peer_send --to "$(to a)" --channel api --service echo --size 9 --count 10 --reroute-after 5
	peer_wait a '^connection-closed'
}

@test "relay, greeting, signals" {
	peer_start r listen --relay-service
	peer_start a listen --register-relay "x@$(to r)" --greet hi --greet-to echo
	peer_wait a '^relay-made '
	run -0 peer_send --to "$(to r)" --via forward_to_x --channel api --serve --messages \
		--service uppercase hello --linger 0.3
	grep -q '^message echo .* bytes=3 ' <<<"$output"

	peer_send --to "$(to a)" --channel api --service echo --size 9 --linger 1 >"$PEER_DIR/sent" &
	sender=$!
	peer_wait a '^channel-made .* responder$'
	peer_signal a USR2
	peer_wait a '^channel-closed '
	wait "$sender"
}
