#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""Write a seed corpus for each fuzz target, from the vectors and a few words.

    seeds.py OUTPUT_DIRECTORY

Makes OUTPUT_DIRECTORY/<target>/<name>. What a target expects before the bytes
that it is about (flags, sizes) is at the top of its file.
"""

import json
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "vectors")


def load(name):
    with open(os.path.join(VECTORS, name), encoding="ascii") as file:
        return json.load(file)


class Corpus:
    """The seeds of one target."""

    def __init__(self, out, target):
        self.directory = os.path.join(out, target)
        os.makedirs(self.directory, exist_ok=True)
        self.count = 0

    def add(self, data):
        path = os.path.join(self.directory, f"seed-{self.count:03}")
        with open(path, "wb") as file:
            file.write(data)
        self.count += 1


# CBOR, as much as seeds need.
def head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    for info, form in ((24, ">B"), (25, ">H"), (26, ">I"), (27, ">Q")):
        if value < 1 << 8 * struct.calcsize(form):
            return bytes([major << 5 | info]) + struct.pack(form, value)
    raise ValueError(value)


def cbor(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(
        cbor(key) + cbor(item) for key, item in value.items())


def varint(value):
    out = b""
    while value > 0x7f:
        out += bytes([value & 0x7f | 0x80])
        value >>= 7
    return out + bytes([value])


ROUTES = (
    [],
    [[0, b"uppercase"]],
    [[0, b"0123456789abcdef0123456789abcdef"], [0, b"api"]],
    [[1, b"127.0.0.1:4000"], [0, b"\xff\x00"]],
    [[0, b"x"]] * 32,
    [[0, b"y" * 255]] * 7,
)


def packed(route):
    return b"".join(bytes([kind, len(name)]) + name for kind, name in route)


def frames():
    """Bodies of frames, good and bad."""
    data = load("frames.json")
    for case in data["accepted"] + data["refused"]:
        yield bytes.fromhex(case["frame"])[4:]
    for onward in ROUTES:
        yield cbor([onward, ROUTES[2], b"hello", "{}"])
    yield b"\x9f\x9f\xff\x9f\x9f\x00\x41a\xff\xff\x43abc\xf6\xff"


def plaintexts():
    channel = load("channel.json")
    for case in channel["packets"][:8]:
        yield bytes.fromhex(case["plaintext"])
    yield bytes.fromhex("8282028040")
    history = bytes.fromhex(load("identity.json")["identities"][0]["change_history"])
    yield b"\x82\x82\x01\x81\x82" + history + b"\x80\x40"
    for route in ROUTES:
        yield cbor([[0, [[route, ROUTES[1], b"x"]]], b"pad"])


def kernel(out):
    target = Corpus(out, "k_cbor")
    for body in list(frames()) + list(plaintexts()):
        target.add(body)
    for text in ("00", "1bffffffffffffffff", "5f41614162ff", "bf0001ff", "c1c2c300",
                 "9f" * 31 + "00" + "ff" * 31, "81" * 32 + "00", "fb3ff0000000000000", "f8ff"):
        target.add(bytes.fromhex(text))

    target = Corpus(out, "k_addr")
    for route in ROUTES:
        data = packed(route)
        target.add(b"\x03" + struct.pack(">H", len(data)) + data)
    target.add(b"\x00\x00\x05hell\x01\x01\x03abc\x02\x84\x87\x05\x85")
    target.add(b"\x00\x00\xff" * 40)

    for name in ("k_scan", "k_wire"):
        target = Corpus(out, name)
        for body in frames():
            target.add(b"\x00" + body)
        for plain in plaintexts():
            target.add(b"\x01" + plain)

    target = Corpus(out, "k_stream")
    stream = b"\x01"
    for body in frames():
        one = struct.pack(">I", len(body)) + body
        if len(body) and body[0] >> 5 == 4:
            target.add(b"\x02\x03\x00\x05\x20\x01" + one)
            stream += one
    target.add(b"\x02\x04\x01\x02\x03\x04" + stream)
    target.add(b"\x00\x00" + stream)
    target.add(b"\x03\x00\x01" + struct.pack(">I", 1 << 24) + b"\x83")
    target.add(b"\x02\x00\x02")

    target = Corpus(out, "k_replay")
    for case in load("window.json")["cases"]:
        data, highest = b"\x02", 0
        for step in case["steps"]:
            distance = step["nonce"] - highest
            if -30 <= distance <= 33:
                data += bytes([0x80 | (distance + 30) * 2 | step["tag_ok"]])
            elif -48 <= distance <= 15:
                data += bytes([(distance + 48) * 2 | step["tag_ok"]])
            else:
                data += b"\xff" + struct.pack(">Q", step["nonce"] % (1 << 64))
            if step["refused"] is None:
                highest = max(highest, step["nonce"])
        target.add(data)


def identities(out):
    data = load("identity.json")
    histories = [bytes.fromhex(each["change_history"])
                 for each in data["identities"] + [data["rotation"]] +
                 data["rejected_change_histories"]]
    attestations = [bytes.fromhex(each["attestation"]) for each in data["identities"]]
    issuer = bytes.fromhex(data["identities"][1]["identifier"][1:])
    subject = bytes.fromhex(data["identities"][0]["identifier"][1:])

    def signed(kind, inner, *signatures):
        return cbor([cbor([1, kind, cbor(inner)])] +
                    [[number, [bytes([number]) * 64]] for number in signatures])

    def attest(who, change, key, created, expires):
        return signed(2, [who, change, key, created, expires], 0)

    latest = {  # hash of the latest change is the identifier before a rotation
        issuer: issuer, subject: subject}
    now = 1767226000
    signing = attest(issuer, latest[issuer], [1, [[0, [b"k" * 32]]]], now - 50, now + 10000)
    credential = [
        signed(3, [subject, subject, [1, {b"app": b"demo", b"ockam-role": b"member"}],
                   now - 5, now + 3600], 0) for _ in range(1)] + [
        signed(3, [None, None, [0, {}], now, now], 0),
        signed(3, [subject, None, [1, {bytes([i]): b"v" for i in range(65)}], now, now + 9], 0)]
    credentials = [b"\x82" + one + signing for one in credential]
    p256 = signed(1, [None, [1, [b"\x04" + b"p" * 64]], False, now - 9, now + 9], 1)

    target = Corpus(out, "history")
    for flags in (b"\x00", b"\x01"):
        for history in histories:
            target.add(flags + history)
        target.add(flags + b"\x81" + p256)
    target = Corpus(out, "attestation")
    for flags in range(4):
        for attestation in attestations + [signing]:
            target.add(bytes([flags]) + attestation)
    target = Corpus(out, "credential")
    for flags in (0x00, 0x03, 0x0d, 0x15):
        for one in credentials:
            target.add(bytes([flags]) + one)
    target.add(b"\x2c")
    target.add(b"\x2c\x00\x10\x01")

    target = Corpus(out, "payload")
    for number, history in enumerate(histories[:3]):
        for listed in (b"\x80", b"\x81" + credentials[0], b"\x82" + b"".join(credentials[:2])):
            for flags in (0x00, 0x02, 0x03, 0x07):
                payload = history + attestations[number % 2] + listed
                target.add(bytes([flags, number % 2]) + b"\x83" + payload)
                target.add(bytes([flags, number % 2 | 64]) + b"\x83" + payload)
                target.add(bytes([flags | 8, number % 2]) + b"\x82" + history + listed)
                target.add(bytes([flags | 8, 4 + number % 2 | 64]) + b"\x82" + history + listed)


def exchanges(out):
    target = Corpus(out, "noise")
    target.add(b"\x00")
    target.add(b"\x00" + (b"\x20" + b"\x08" + b"payload." + b"\x21\x00\x05\x01" * 5 + b"\x00" * 3) * 3)
    target.add(b"\x01" + b"\x09" + b"\x00" * 31)
    target.add(b"\x01" + b"\x00" * 32)
    target.add(b"\x01" + bytes.fromhex(load("handshake.json")["messages"][0]["message"]))

    target = Corpus(out, "packet")
    channel = load("channel.json")
    target.add(b"\x00" + bytes([101]) * 140)
    target.add(b"\x00" + bytes([100, 132, 99, 98, 68, 69, 133, 120, 121]) * 4)
    for case in channel["packets"][:3]:
        target.add(b"\x01" + bytes.fromhex(case["packet"]))
    for plain in plaintexts():
        target.add(b"\x02" + plain)

    target = Corpus(out, "workerpipe")
    ids = [bytes([number]) * 32 for number in range(3)]
    for who in ([0, []], [1, [ids[0]]], [2, [ids]], [2, [[]]]):
        for rest in ([None, None], [ids[1], '(= subject.app "demo")']):
            target.add(b"\x00" + cbor([1, [who, *rest], [b"credential"]]))
            target.add(b"\x01" + cbor([who, *rest]))
    for packet in ([1, 2, b"history", ids[0], b"attestation"], [3, ids[0], None], [16],
                   [20, 2, "text"], [21, b"encryptor", 99]):
        target.add(b"\x02" + cbor(packet))


def texts(out):
    target = Corpus(out, "bare")
    for data in (b"\x05hello", b"\x00", b"\xff" * 9 + b"\x01", b"\x80\x00", b"stra\xc3\x9fe",
                 b"\xed\xa0\x80", b"\xf4\x8f\xbf\xbf", b"a\x00b"):
        target.add(data)

    target = Corpus(out, "multiaddr")
    for text in ("self", "/node/n1/service/api", "node/n1", "/ip4/127.0.0.1/tcp/4000/secure/api",
                 "/ip6/::1/tcp/1/worker/w", "/dnsaddr/localhost/udp/65535/project/p/space/s"):
        target.add(b"\x00" + text.encode())
    for parts in (((4, b"\x7f\x00\x00\x01"), (6, b"\x0f\xa0"), (99526, b"\x03api"),
                   (62526, b"\x09uppercase")),
                  ((41, b"\x00" * 15 + b"\x01"), (273, b"\x00\x35")), ((72526, b"\x02n1"),)):
        target.add(b"\x01" + b"".join(varint(code) + value for code, value in parts))

    target = Corpus(out, "route")
    for text in ("0#a => 1#127.0.0.1:4000 => b", " x=>y ", "256#x", "a#b#c", "=>"):
        target.add(b"\x00" + text.encode())
    for route in ROUTES:
        target.add(b"\x01" + packed(route))
        target.add(b"\x02" + cbor(route))
        target.add(b"\x03" + struct.pack("=HBB", 18, len(route), 0) + packed(route)[:124])

    target = Corpus(out, "hex")
    for text in ("00ff", "Aa", "I" + "0f" * 32, "  I" + "AB" * 32 + "\n", "n1", "my-vault",
                 "Ig" + "0" * 63, "\u00e4"):
        target.add(text.encode())

    target = Corpus(out, "value")
    request = {"v": 1, "id": 7, "op": "node.info", "args": {"route": ["a", "b"], "hex": "00ff"}}
    for value in (request, {**request, "v": 2}, {"v": 1}, [1, -1, None, True, "\u00e4"],
                  "a\x00b", {"a\x00b": 1, "a\x00c": 2}, -(1 << 63), (1 << 63) - 1, 1 << 63, 1.5,
                  [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]):
        target.add(json.dumps(value).encode())
        target.add(json.dumps({"a": value}, ensure_ascii=False).encode())


def policies(out):
    target = Corpus(out, "policy")
    attributes = b"\x00" + cbor({b"app": b"demo", b"component.db": b"true", b"raw": b"\xff"})
    for text in ("app", "app=demo", "component.db or component.web", "not (a and b) or c",
                 "((((a))))", 'a="b c"', "notnot", "notary and andy or orders",
                 "not(not-a)"):
        target.add(b"\x00" + text.encode())
        target.add(b"\x02" + text.encode() + attributes)
    for text in ('(= subject.app "demo")', "(and true (or false (not false)))",
                 '(member? subject.app ["x" "demo"])', "(exists? subject.app subject.b)",
                 "(if (< 1 2 3) (> 3 -2) (!= 1 1))", '(= subject.has_credential true)',
                 '(= [1 2] [1 2])', '(= subject.identifier "I' + "01" * 32 + '")',
                 '(= subject.a "q\\"b\\\\s")', "(and true)"):
        target.add(b"\x01" + text.encode())
        target.add(b"\x03" + text.encode() + attributes)
        target.add(b"\x02" + text[1:-1].encode() + attributes)


def netlink(out):
    def attribute(kind, data):
        return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)

    def message(kind, seq, body, flags=0):
        return struct.pack("=IHHII", 16 + len(body), kind, flags, seq, 0) + body

    target = Corpus(out, "nl")
    everything = b"".join(attribute(kind, data) for kind in range(1, 64)
                          for data in (b"\x01\x00\x00\x00", b"name\x00"))
    nest = attribute(6, attribute(7, attribute(8, b"drop_dead\x00") + attribute(9, bytes(8))))
    for command in range(1, 24):
        body = bytes([command, 1, 0, 0]) + everything
        target.add(bytes([1, command]) + message(0x1c, 1, body))
        target.add(b"\x00\x00" + message(0x1c, 0, body))
    target.add(b"\x01\x01" + message(0x1c, 1, b"\x01\x01\x00\x00" + nest + attribute(5, nest)))
    status = struct.pack("=i", -22)
    target.add(b"\x01\x01" + message(2, 1, status + message(0x1c, 1, bytes(4)) +
                                     attribute(1, b"why\x00"), 0x200))
    target.add(b"\x01\x01" + message(2, 1, status + message(0x1c, 1, b"")[:16] +
                                     attribute(1, b"why\x00"), 0x300))
    target.add(b"\x01\x01" + message(3, 1, status + attribute(1, b"why\x00"), 0x202))
    target.add(b"\x00\x00" + message(4, 0, b""))


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    for make in (kernel, identities, exchanges, texts, policies, netlink):
        make(sys.argv[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
