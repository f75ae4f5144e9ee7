#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# What strangers do at a TCP port, scans, health checks, aborted connections:
# a debug line each at most, counted by kind, and links that carried messages
# still have theirs.
#
# where: uml

. "$(dirname "$0")/ockamd.inc"

run_ok "a node" ockamctl node create n1
run_ok "another one" ockamctl node create n2
port=$(node_port n1)
log()
{
	cat "$OCKAM_HOME"/nodes/n1/*.log
}
lines=$(log | wc -l)

# since LEVEL...: lines of links and listeners since then
since()
{
	log | tail -n +$((lines + 1)) | grep -E " ($1) +(link|listener|worker)" | wc -l
}

# probe KIND COUNT
probe()
{
	python3 - "$port" "$1" "$2" <<'EOP'
import socket, struct, sys
port, kind, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for _ in range(count):
    with socket.create_connection(("127.0.0.1", port)) as s:
        if kind == "http":
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while True:
                try:
                    if not s.recv(100):
                        break
                except OSError:
                    break
        elif kind == "abort":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif kind == "silent":
            s.settimeout(60)
            try:
                while s.recv(1):
                    pass
            except ConnectionError:
                pass
EOP
}

no_links()
{
	[ "$(ockamctl node show n1 --jq '.transports | length')" = 1 ]
}

run_ok "the time of half a frame is short" nsenter --net="/proc/$(node_pid n1)/ns/net" \
	sysctl -qw net.ockam.half_frame_ms=500
probe close 20
probe http 20
probe silent 1
probe abort 200
run_ok "all have gone" wait_for 30 no_links
same "$(since 'info|warn|error')" 0 "nobody is told of them"
[ "$(since debug)" -le 241 ]
ok $? "there is a debug line each at most" "$(since debug) lines"
log | grep -q "did not say anything"
ok $? "of him who was silent it says so"
same "$(counter n1 links_failed_version)" 20 "those of another protocol are counted"
same "$(counter n1 links_failed_half_frame)" 1 "so is he"

same "$(ockamctl message send hello --from n2 --to /node/n1/service/uppercase)" HELLO \
	"somebody with a message"
said_so()
{
	log | grep -qE " info +link [0-9a-f]{32}: from 127.0.0.1:[0-9]+, ended after [1-9]"
}
run_ok "has a line in the log" wait_for 30 said_so
finish
