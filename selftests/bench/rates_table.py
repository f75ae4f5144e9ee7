# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""Tables, ratios and goals of what selftests/bench/rates prints."""

import collections
import statistics

NAMES = {"ockam": "this module", "ockam-hop": "this module and a hop", "ktls": "kTLS",
         "tcp": "plain TCP", "tcp-hop": "plain TCP and a hop", "wireguard": "WireGuard, UDP",
         "wireguard-tcp": "WireGuard, TCP", "rust": "Rust crate 0.150", "ping": "WireGuard, ping",
         "aead": "AEAD alone", "floor": "floor: TCP and AEAD"}
TITLES = {"oneway": "one way, one channel", "ask": "requests and replies",
          "channels": "channels and processors", "hops": "one more hop",
          "beside": "requests of 64 bytes beside a stream of 48 KB",
          "netem": "30 ms, 1 % loss, reordering"}
FIELDS = ("part", "system", "size", "batch", "flows", "cpus", "ask", "beside")
Key = collections.namedtuple("Key", FIELDS)


def summary(found):
    return {"median": statistics.median(found), "least": min(found), "most": max(found)}


def gather(lines):
    """By what was measured: medians and spread of each value, or why there is none."""
    runs = collections.defaultdict(list)
    for line in lines:
        runs[Key(*(line[field] for field in FIELDS))].append(line)
    table = {}
    for key, some in runs.items():
        why = next((line["missing"] for line in some if "missing" in line), None)
        table[key] = {"missing": why} if why else {
            value: summary([line[value] for line in some])
            for value in ("rate", "p50", "p99", "lost", "stream") if value in some[0]}
    add_floors(table)
    return table


def add_floors(table):
    """The same bytes through plain TCP, and sealed and opened."""
    for key in [key for key in table if key.system == "aead"]:
        tcp = value(table, key._replace(system="tcp"))
        aead = value(table, key)
        if tcp and aead:
            rate = 1 / (1 / tcp + 1 / aead)
            table[key._replace(system="floor")] = {"rate": summary([rate])}


def value(table, key, what="rate"):
    found = table.get(key, {}).get(what)
    return found["median"] if found else None


def cell(found, scale, digits):
    if not found:
        return "-"
    numbers = [f"{found[name] * scale:,.{digits}f}" for name in ("median", "least", "most")]
    return f"{numbers[0]} ({numbers[1]}-{numbers[2]})"


def print_rows(table, part):
    before = None
    for key in sorted((key for key in table if key.part == part),
                      key=lambda k: (k.ask, -k.cpus, k.size, k.batch, k.flows)):
        found = table[key]
        group = (key.ask, key.cpus, key.size, key.batch, key.flows)
        if group != before:
            print(f"\n  {key.size} bytes, " + ("answered" if key.ask else f"{key.batch} a call")
                  + f", {key.flows} channel{'s' * (key.flows > 1)}, {key.cpus} "
                  f"processor{'s' * (key.cpus > 1)}")
            before = group
        system = key.system.removeprefix("bad-")
        name = NAMES[system] + (f", same {key.beside}" if key.beside else "")
        if "missing" in found:
            print(f"    {name:<28} none: {found['missing']}")
            continue
        if key.ask:
            row = (f"{cell(found['p50'], 1e6, 0):>28} us p50"
                   f"{cell(found['p99'], 1e6, 0):>28} us p99")
        else:
            row = f"{cell(found['rate'], 1, 0):>28}/s"
            row += f"{found['rate']['median'] * key.size / 1e6:>10.1f} MB/s"
        ours = key._replace(system="bad-ockam" if key.system.startswith("bad-") else "ockam")
        ours = value(table, ours, "p50" if key.ask else "rate")
        theirs = found["p50" if key.ask else "rate"]["median"]
        if ours and theirs and system != "ockam" and not key.beside:
            row += f"{(theirs / ours if key.ask else ours / theirs):>8.2f} x"
        if found.get("lost", {}).get("median"):
            row += f"  lost {found['lost']['median']:.0f}"
        print(f"    {name:<28}{row}")


def print_table(table, parts):
    print("median of the rounds (least-most); x: this module's rate over the other's, or the\n"
          "other's time over this module's: above 1 this module is ahead")
    for part in parts:
        if any(key.part == part for key in table):
            print(f"\n{TITLES[part]}")
            print_rows(table, part)
    print()


# ---- goals ----

def key(part, system, size, batch=1, flows=1, cpus=2, ask=False, beside=""):
    return Key(part, system, size, batch, flows, cpus, ask, beside)


def compare(goal, table, what, factor, ours, theirs):
    """The first at least so many times the second."""
    a, b = value(table, ours), value(table, theirs)
    goal(a >= factor * b if a and b else None,
         f"{what} (" + (f"{a / b:.2f} x)" if a and b else "-)"))


def goals(goal, table):
    for size in 64, 1024:
        compare(goal, table, f"{size} bytes, a message at a time: a higher rate than kTLS's", 1,
                key("oneway", "ockam", size), key("oneway", "ktls", size))
        compare(goal, table, f"{size} bytes, batches of 32: 10 times the Rust crate's rate", 10,
                key("oneway", "ockam", size, 32), key("oneway", "rust", size))
        compare(goal, table, f"{size} bytes, batches of 32: 3 times WireGuard's rate", 3,
                key("oneway", "ockam", size, 32), key("oneway", "wireguard", size, 32))
    for size in 16384, 49152:
        compare(goal, table, f"{size} bytes: at least 90 % of the floor's rate", 0.9,
                key("oneway", "ockam", size), key("oneway", "floor", size))
    latency_goals(goal, table)
    both = [[value(table, key("channels", system, 16384, 1, flows, cpus))
             for flows, cpus in ((8, 2), (1, 1))] for system in ("ockam", "aead")]
    known = all(both[0] + both[1])
    ours, alone = [many / one for many, one in both] if known else (0, 0)
    goal(ours >= 0.95 * alone if known else None,
         "16384 bytes: 8 channels on 2 processors gain 95 % of what AEAD alone gains ("
         + (f"{ours:.2f} x of {alone:.2f} x)" if known else "-)"))


def latency_goals(goal, table):
    ours = value(table, key("ask", "ockam", 64, ask=True), "p50")
    theirs = value(table, key("ask", "wireguard", 64, ask=True), "p50")
    goal(ours <= 1.3 * theirs if ours and theirs else None,
         "64 bytes answered: p50 within 30 % of WireGuard's ("
         + (f"{ours * 1e6:.0f} us of {theirs * 1e6:.0f})" if ours and theirs else "-)"))
    for where in "link", "channel":
        beside = value(table, key("beside", "ockam", 64, ask=True, beside=where), "p99")
        goal(beside <= 3 * ours if ours and beside else None,
             f"64 bytes answered beside a stream, same {where}: p99 within 3 times p50 alone ("
             + (f"{beside * 1e6:.0f} us of {ours * 1e6:.0f})" if ours and beside else "-)"))
    one, two, three, four = [value(table, key("hops", system, 64, ask=True), "p50")
                             for system in ("ockam", "ockam-hop", "tcp", "tcp-hop")]
    known = one and two and three and four
    goal(two - one <= 1.2 * (four - three) if known else None,
         "64 bytes answered: one more hop at most 20 % over one more of plain TCP ("
         + (f"{(two - one) * 1e6:.0f} us of {(four - three) * 1e6:.0f})" if known else "-)"))
