#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# The benchmark of handshakes says what it is to say, here and of the Rust
# crate; what the figures are is nobody's concern here.
#
# where: uml
# timeout: 240

. "$(dirname "$0")/ockamd.inc"
. "$(dirname "$0")/../interop/lib.inc"

top=$(cd "$(dirname "$0")/../.." && pwd)
programs=$(cd "$OCKAM_TOOLS/../bench" && pwd)
ok $? "the benchmark's programs are built"

said=$("$top/selftests/bench/rounds" "$programs" "$(peer_binary)" 2 1 2>"$OCKAM_HOME/why")
ok $? "a round of two handshakes each" "$(cat "$OCKAM_HOME/why")"
python3 - "$said" <<'EOP' >"$OCKAM_HOME/checked"
import json
import sys

lines = [json.loads(line) for line in sys.argv[1].splitlines()]
for system in "kernel", "worker", "rust":
    for kind in "known", "new", "credential":
        mine = [x for x in lines if (x["system"], x["kind"]) == (system, kind)]
        good = (len(mine) == 1 and mine[0].get("count") == 2 and mine[0]["busy"] >= 0 and
                (system == "worker" or mine[0]["seconds"] > 0))
        print("pass" if good else "fail", system, kind, mine)
EOP
while read -r result what; do
	[ "$result" = pass ]
	ok $? "a figure of ${what%% \[*}" "$what"
done <"$OCKAM_HOME/checked"
same "$(wc -l <"$OCKAM_HOME/checked")" 9 "three systems, three kinds of peer"

said=$("$top/selftests/bench/rounds" "$programs" "" 1 1 2>&1 | grep '"rust"')
same "$(grep -c 'missing.*not built' <<<"$said")" 3 "what is not there is said to be missing"
same "$(grep -c seconds <<<"$said")" 0 "and gets no figure"
it 1 "is at most 250" "$top/selftests/bench/rounds" "$programs" "" 126 2
it 1 "usage" "$programs/channels" known
it 1 "Cannot reach the node process" "$programs/channels" known nobody 127.0.0.1:1 api 1

finish
