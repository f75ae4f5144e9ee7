#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# The benchmarks of messages still run and say what they are to say; what the
# figures are is nobody's concern here. What a kernel lacks is said to be missing.
#
# where: uml vm
# timeout: 480

. "$(dirname "$0")/ockamd.inc"

top=$(cd "$(dirname "$0")/../.." && pwd)
programs=$(cd "$OCKAM_TOOLS/../bench" && pwd)
export BENCH_COUNT=100000 BENCH_ROUNDS=1 BENCH_ONLY='64 16k'

# look LINES: prints "pass|fail WHAT" for what must be true of them
look()
{
	python3 - "$1" "$2" <<'EOP'
import json
import sys

lines = [json.loads(line) for line in sys.argv[1].splitlines()]
for text in sys.argv[2].splitlines():
    name, condition = text.split(": ", 1)
    mine = [x for x in lines if (x.get("part"), x["system"]) == tuple(name.split()[:2])]
    good = bool(mine) and all(
        eval(condition, {"__builtins__": {}}, {"x": {"rate": 0, "missing": "", **x}}) for x in mine)
    print("pass" if good else "fail", name, len(mine), [x for x in mine if "missing" in x])
EOP
}

# results TEXT: one check for each line of look
results()
{
	local result what

	while read -r result what; do
		[ "$result" = pass ]
		ok $? "${what%% [0-9]*}" "$what"
	done <<<"$1"
}

for options in "tcp -b 32 -n 50,200" "tcp -q -n 10,20" "tcp -h 2 -q -n 10" "tcp -f 4 -n 50" \
	"udp -b 7 -n 50,99" "udp -q -x 4096 -n 20" "udp -p -s 8 -n 600"; do
	# shellcheck disable=SC2086
	said=$("$programs/traffic" $options 2>&1)
	grep -q '"received"' <<<"$said" &&
		python3 -c 'import json, sys
for phase in json.loads(sys.argv[1])["phases"]: assert phase["received"] == phase["count"]' "$said"
	ok $? "traffic $options: all arrives" "$said"
done
it 2 "traffic SYSTEM OPTIONS" "$programs/traffic" tcp -s 7
it 2 "traffic SYSTEM OPTIONS" "$programs/traffic" pigeon
it 1 "flow 0 has no route" "$programs/traffic" ockam
it 1 "too many phases" "$programs/traffic" tcp -n 1,1,1,1,1,1,1,1,1
it 1 "a phase of no messages" "$programs/traffic" tcp -n 5,0

said=$(BENCH_PARTS='oneway ask hops beside' BENCH_SYSTEMS='ockam ockam-hop tcp tcp-hop' \
	"$top/selftests/bench/rates" "$programs" "" 2>"$OCKAM_HOME/why")
ok $? "rates run" "$(cat "$OCKAM_HOME/why")"
results "$(look "$said" 'oneway ockam: x["rate"] > 0 and x["lost"] == 0
oneway tcp: x["rate"] > 0 and x["lost"] == 0
ask ockam: x["rate"] and 0 < x["p50"] <= x["p99"] and x["lost"] == 0
hops ockam-hop: x["rate"] > 0 and x["lost"] == 0
hops tcp-hop: x["rate"] > 0 and x["lost"] == 0
beside ockam: x["rate"] and x["stream"] > 0 and x["lost"] == 0')"

said=$(BENCH_PARTS='oneway' BENCH_SYSTEMS='rust aead' BENCH_ONLY=64 \
	"$top/selftests/bench/rates" /nonexistent "" 2>&1)
results "$(look "$said" 'oneway rust: "not built" in x["missing"] and not x["rate"]
oneway aead: "insmod" in x["missing"] and not x["rate"]')"

said=$(BENCH_SYSTEMS='ockam tcp' "$top/selftests/bench/inside" "$programs" insn 100000 2>&1)
same "$(grep -c '"instructions": -\{0,1\}[0-9]' <<<"$said")" 8 \
	"instructions: two systems, two sizes, two batches"
said=$(BENCH_NUMBERS='2 4' "$top/selftests/bench/inside" "$programs" scale 100000 2>&1)
same "$(grep -c '"message": -\{0,1\}[0-9]' <<<"$said")" 6 "beside two and four of three kinds"
same "$(grep -c '"create_first": [1-9].*"list": [1-9]' <<<"$said")" 4 "two of which are listed"
finish
