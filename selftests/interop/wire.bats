#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
# where: uml
# timeout: 300
#
# The TCP wire of a kernel node beside the real Rust peer (frames.py says what happens).

bats_require_minimum_version 1.5.0

setup_file() {
	export PEER_LIB_DIR=$BATS_TEST_DIRNAME PEER_DIR=$BATS_FILE_TMPDIR
	export OCKAM_HOME=$BATS_FILE_TMPDIR/home QUIET=true NO_COLOR=true
	. "$BATS_TEST_DIRNAME/lib.inc"
	peer_binary >/dev/null
	export OCKAM_PEER
}

setup() {
	. "$BATS_TEST_DIRNAME/lib.inc"
	ockamctl node create n1 3>&-
	peer_start rust listen --service-as sink=sink --messages
	rust=127.0.0.1:$(peer_port rust)
}

teardown() {
	ockamctl reset -y >/dev/null 3>&-
	peer_stop_all
}

frames() {
	python3 "$BATS_TEST_DIRNAME/frames.py" "$@" 3>&-
}

@test "the same bytes have the same fate" {
	frames verdicts "$rust"
}

@test "frames in pieces, and many in one" {
	frames splits "$rust"
}

@test "frames at the limits and one byte above" {
	run -0 frames sizes "$rust"
	for size in $(sed -n 's/^sent //p' <<<"$output"); do
		peer_wait rust "^message sink plain bytes=$size "
	done
	[ "$(peer_count rust '^message sink ')" -eq 2 ]
}

@test "16 MiB announced and not sent, on 200 links" {
	frames unsent
}

@test "connections that end at every step" {
	frames drops "$rust"
}
