# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
# shellcheck shell=bash
# For bats files that run a kernel node beside the Rust peer; source it after lib.sh.

. "$(dirname "${BASH_SOURCE[0]}")/../lib/node.inc"

# In setup(): a home and a directory for peers of the test's own.
kernel_home() {
	PEER_DIR=$BATS_TEST_TMPDIR
	export OCKAM_HOME=$BATS_TEST_TMPDIR/home QUIET=true NO_COLOR=true
	peer_binary >/dev/null
}

# The same, and node n1.
kernel_setup() {
	kernel_home
	ockamctl node create n1
}

# In teardown().
kernel_teardown() {
	peer_stop_all
	ockamctl reset -y >/dev/null 2>&1
}

# counter NAME: of n1
counter() {
	ockamctl node show n1 --jq ".counters.$1 // 0"
}

# state_is STATE: of the first channel that n1 began
state_is() {
	[ "$(ockamctl secure-channel list --at n1 --jq '.[0].state' | tr -d '"')" = "$1" ]
}
