# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
# shellcheck shell=sh
# Shell functions to run the Rust peer in a test. Source this file; it needs a POSIX shell with
# `local`, as dash, bash and busybox have it.
#
#   peer_binary                     path of the binary (builds it if need be)
#   peer_start NAME listen ARGS...  run it in the background and wait until it is ready
#   peer_identifier NAME            its identifier
#   peer_port NAME                  its port
#   peer_output NAME                everything it printed so far
#   peer_wait NAME REGEX [SECONDS]  wait for a line that matches (extended regular expression)
#   peer_count NAME REGEX           number of lines that match
#   peer_signal NAME SIGNAL         USR1 = present next credential, USR2 = close channels,
#                                   HUP = rotate the identity
#   peer_stop NAME                  orderly stop, waits for the end
#   peer_kill NAME                  vanish without a word
#   peer_stop_all                   stop what is still running (for traps and teardown)
#   peer_alive NAME                 is it running?
#   peer_send ARGS...               `ockam-peer send ARGS...` in the foreground
#
# Files are kept in $PEER_DIR (default: a new directory in ${TMPDIR:-/tmp}).

PEER_LIB_DIR=${PEER_LIB_DIR:-$(cd "$(dirname "${BASH_SOURCE:-$0}")" && pwd)}

peer_binary() {
	if [ -z "${OCKAM_PEER:-}" ]; then
		OCKAM_PEER=$("$PEER_LIB_DIR/build") || return 1
		export OCKAM_PEER
	fi
	echo "$OCKAM_PEER"
}

peer_dir() {
	if [ -z "${PEER_DIR:-}" ]; then
		PEER_DIR=$(mktemp -d "${TMPDIR:-/tmp}/ockam-peer.XXXXXX") || return 1
		export PEER_DIR
	fi
	mkdir -p "$PEER_DIR"
}

peer_start() {
	local name="$1"
	shift
	peer_dir && peer_binary >/dev/null || return 1
	: >"$PEER_DIR/$name.out"
	# 3>&-: bats waits for everybody who holds its descriptor 3.
	"$OCKAM_PEER" "$@" >"$PEER_DIR/$name.out" 2>"$PEER_DIR/$name.err" </dev/null 3>&- &
	echo $! >"$PEER_DIR/$name.pid"
	if ! peer_wait "$name" '^ready ' 20; then
		peer_kill "$name"
		return 1
	fi
}

peer_pid() {
	cat "$PEER_DIR/$1.pid" 2>/dev/null
}

peer_identifier() {
	sed -n 's/^ready \([^ ]*\) .*/\1/p' "$PEER_DIR/$1.out"
}

peer_port() {
	sed -n 's/^ready [^ ]* //p' "$PEER_DIR/$1.out"
}

peer_output() {
	cat "$PEER_DIR/$1.out" "$PEER_DIR/$1.err"
}

peer_count() {
	grep -cE -- "$2" "$PEER_DIR/$1.out" || true
}

# Is it running? `kill -0` would say yes to a zombie, which is what a child is until waited for.
peer_alive() {
	local pid
	pid=$(peer_pid "$1") && [ -r "/proc/$pid/status" ] &&
		! grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null
}

# Wait for the line, not for a time: 50 ms steps, and an end when the peer is gone.
peer_wait() {
	local left=$((${3:-10} * 20)) gone=
	while ! grep -qE -- "$2" "$PEER_DIR/$1.out"; do
		if [ "$left" -le 0 ] || [ -n "$gone" ]; then
			echo "peer $1: no line matching '$2'${gone:+; it has ended}; it said:" >&2
			peer_output "$1" >&2
			return 1
		fi
		left=$((left - 1))
		# One more look after its end, for what it printed last.
		peer_alive "$1" || gone=yes
		sleep 0.05
	done
}

peer_signal() {
	kill -s "$2" "$(peer_pid "$1")"
}

# End peer NAME with SIGNAL and wait until it is gone; after 5 s it is killed, which is a failure.
peer_end() {
	local pid left=100 result=0
	pid=$(peer_pid "$1") || true
	[ -n "$pid" ] || return 0
	kill -s "$2" "$pid" 2>/dev/null || true
	while peer_alive "$1"; do
		if [ "$left" -le 0 ]; then
			echo "peer $1: still running 5 s after SIG$2, killed" >&2
			kill -s KILL "$pid" 2>/dev/null || true
			result=1
			left=100
		fi
		left=$((left - 1))
		sleep 0.05
	done
	wait "$pid" 2>/dev/null || true
	rm -f "$PEER_DIR/$1.pid"
	return $result
}

peer_stop() {
	peer_end "$1" TERM
}

peer_kill() {
	peer_end "$1" KILL
}

peer_stop_all() {
	local file result=0
	[ -n "${PEER_DIR:-}" ] || return 0
	for file in "$PEER_DIR"/*.pid; do
		[ -e "$file" ] || continue
		file=${file##*/}
		peer_stop "${file%.pid}" || result=1
	done
	return $result
}

peer_send() {
	peer_binary >/dev/null || return 1
	"$OCKAM_PEER" send "$@"
}
