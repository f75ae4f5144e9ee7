#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""The TCP wire of the kernel node n1, beside the real Rust peer at RUST (HOST:PORT).

frames.py verdicts RUST     the same bytes to both: answered, ignored or closed
frames.py splits RUST       frames in pieces, many frames in one piece, both ways
frames.py sizes RUST        frames at and above the limits, both ways
frames.py unsent            frames that are announced and not sent, on many links
frames.py drops RUST        connections that end at every step of a handshake

Exits with 1 and says what was wrong.
"""
import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time

from knode import Failed, KernelNode, send_to, wait_until
from tiny import Identity, Initiator, Link, bare, encode, first, head, new_name, route

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from pieces import end, pieces  # pylint: disable=wrong-import-position

MIB = 1 << 20
wrong = []


def check(good, what, why=""):
    if not good:
        wrong.append(f"{what}: {why}")


# ---- the same bytes to both ----

ECHO = encode(route("echo"))
BACK = encode(route("case"))
HI = encode(b"hi")


def body(*parts, count=None):
    return head(4, len(parts) if count is None else count) + b"".join(parts)


def hop(kind, name):
    return b"\x82" + kind + name


def back(*hops):
    return body(ECHO, body(*hops), HI)


def long(major, n):
    """A head in its longest form."""
    return bytes([major << 5 | 27]) + n.to_bytes(8, "big")


def frame(data):
    return len(data).to_bytes(4, "big") + data


CASE = encode([0, b"case"])
TRACE = '{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}'
deep = b"\x81" * 12 + b"\x80"
deeper = b"\x81" * 500 + b"\x80"

# What the Rust crates do with it; the kernel node the same, but for DELIBERATE.
CASES = {
    # The tracing context.
    "no tracing context": ("answered", body(ECHO, BACK, HI)),
    "null": ("answered", body(ECHO, BACK, HI, b"\xf6")),
    "an empty map as text": ("answered", body(ECHO, BACK, HI, encode("{}"))),
    "a traceparent": ("answered", body(ECHO, BACK, HI, encode(TRACE))),
    "empty text": ("answered", body(ECHO, BACK, HI, encode(""))),
    "text that is no JSON": ("answered", body(ECHO, BACK, HI, encode("no JSON"))),
    "text of 100000 bytes": ("answered", body(ECHO, BACK, HI, encode("x" * 100000))),
    "text of indefinite length": ("closed", body(ECHO, BACK, HI, b"\x7f\x61x\xff")),
    "text that is not UTF-8": ("closed", body(ECHO, BACK, HI, b"\x62\xff\xfe")),
    "a number": ("closed", body(ECHO, BACK, HI, b"\x01")),
    "bytes": ("closed", body(ECHO, BACK, HI, encode(b"{}"))),
    "an array": ("closed", body(ECHO, BACK, HI, b"\x80")),
    "a map": ("closed", body(ECHO, BACK, HI, b"\xa0")),
    "false": ("closed", body(ECHO, BACK, HI, b"\xf4")),
    "undefined": ("closed", body(ECHO, BACK, HI, b"\xf7")),
    "text with a tag": ("closed", body(ECHO, BACK, HI, b"\xc0" + encode("{}"))),
    "text cut short": ("closed", body(ECHO, BACK, HI, b"\x63{}")),
    # More than is needed.
    "a fifth element": ("answered", body(ECHO, BACK, HI, b"\xf6", b"\x01")),
    "a fifth that is a map": ("answered", body(ECHO, BACK, HI, b"\xf6", b"\xa1\x01\x02")),
    "a fifth with a tag": ("answered", body(ECHO, BACK, HI, b"\xf6", b"\xc1\x01")),
    "a fifth that is a float": ("answered", body(ECHO, BACK, HI, b"\xf6", b"\xfb" + bytes(8))),
    "a fifth of 12 arrays": ("answered", body(ECHO, BACK, HI, b"\xf6", deep)),
    "a fifth of 500 arrays": ("answered", body(ECHO, BACK, HI, b"\xf6", deeper)),
    "a fifth of indefinite length":
        ("answered", body(ECHO, BACK, HI, b"\xf6", b"\x9f\x5f\x41a\xff\xbf\x01\x02\xff\xff")),
    "a fifth that is missing": ("closed", body(ECHO, BACK, HI, b"\xf6", count=5)),
    "a byte behind": ("answered", body(ECHO, BACK, HI) + b"\0"),
    "a break behind": ("answered", body(ECHO, BACK, HI) + b"\xff"),
    "a message behind": ("answered", body(ECHO, BACK, HI) * 2),
    # Other forms of the same.
    "an array of indefinite length": ("answered", b"\x9f" + ECHO + BACK + HI + b"\xff"),
    "one with a tracing context": ("answered", b"\x9f" + ECHO + BACK + HI + b"\xf6\xff"),
    "one without an end": ("closed", b"\x9f" + ECHO + BACK + HI),
    "routes of indefinite length":
        ("answered", body(b"\x9f" + ECHO[1:] + b"\xff", b"\x9f" + BACK[1:] + b"\xff", HI)),
    "an address of indefinite length":
        ("answered", body(b"\x81\x9f" + ECHO[2:] + b"\xff", BACK, HI)),
    "a long count": ("answered", long(4, 3) + ECHO + BACK + HI),
    "a long count of hops": ("answered", body(long(4, 1) + ECHO[1:], BACK, HI)),
    "a long count in an address": ("answered", body(b"\x81" + long(4, 2) + ECHO[2:], BACK, HI)),
    "a long type": ("answered", body(b"\x81" + hop(long(0, 0), encode(b"echo")), BACK, HI)),
    "a long name": ("answered", body(b"\x81" + hop(b"\0", long(2, 4) + b"echo"), BACK, HI)),
    "a long payload": ("answered", body(ECHO, BACK, long(2, 2) + b"hi")),
    "a third element of an address":
        ("answered", body(b"\x81\x83" + ECHO[2:] + b"\x80", BACK, HI)),
    "an array with a tag": ("closed", b"\xc1" + body(ECHO, BACK, HI)),
    "a payload with a tag": ("closed", body(ECHO, BACK, b"\xc2" + HI)),
    "a count of a reserved form": ("closed", b"\x9c" + ECHO + BACK + HI),
    # Less than is needed.
    "two elements": ("closed", body(ECHO, BACK)),
    "one element": ("closed", body(ECHO)),
    "no elements": ("closed", body()),
    "a map of three": ("closed", b"\xa3" + ECHO + BACK + HI),
    "a payload as text": ("closed", body(ECHO, BACK, encode("hi"))),
    "a payload of indefinite length": ("closed", body(ECHO, BACK, b"\x5f" + HI + b"\xff")),
    "a payload that is null": ("closed", body(ECHO, BACK, b"\xf6")),
    "a payload as array": ("closed", body(ECHO, BACK, b"\x82\x01\x02")),
    "a payload cut short": ("closed", body(ECHO, BACK, b"\x43hi")),
    "a payload of 2^64 bytes": ("closed", body(ECHO, BACK, long(2, 2 ** 64 - 1))),
    "a route that is null": ("closed", body(ECHO, b"\xf6", HI)),
    "a route as map": ("closed", body(b"\xa0", BACK, HI)),
    "a route as bytes": ("closed", body(encode(b"echo"), BACK, HI)),
    "a route of 2^64 hops": ("closed", body(long(4, 2 ** 64 - 1), BACK, HI)),
    "an address of one": ("closed", body(b"\x81\x81\x00", BACK, HI)),
    "an address of none": ("closed", body(b"\x81\x80", BACK, HI)),
    "an address as text": ("closed", body(b"\x81" + encode("echo"), BACK, HI)),
    "a type of 256": ("closed", back(hop(b"\x19\x01\x00", encode(b"x")), CASE)),
    "a type below zero": ("closed", back(hop(b"\x20", encode(b"x")), CASE)),
    "a type as text": ("closed", back(hop(b"\x60", encode(b"x")), CASE)),
    "a name as text": ("closed", back(hop(b"\0", encode("x")), CASE)),
    "a name of indefinite length": ("closed", back(hop(b"\0", b"\x5f\x41x\xff"), CASE)),
    "no CBOR": ("closed", b"\xff\xff\xff"),
    "another break": ("closed", b"\xff"),
    # Routes.
    "hops behind a service": ("answered", body(encode(route("echo", "x", "y")), BACK, HI)),
    "a name that is not UTF-8": ("answered", back(CASE, hop(b"\0", encode(b"\xff\xfe")))),
    "a hop of type 7": ("answered", back(CASE, hop(b"\x07", encode(b"x")))),
    "a hop of type 255": ("answered", back(CASE, hop(b"\x18\xff", encode(b"x")))),
    "a name of 255 bytes": ("answered", back(CASE, encode([0, b"n" * 255]))),
    "a name of 256 bytes": ("answered", back(CASE, encode([0, b"n" * 256]))),
    "a name of none": ("answered", back(CASE, encode([0, b""]))),
    "31 hops back": ("answered", back(CASE, *[encode([0, b"x"])] * 30)),
    "32 hops back": ("answered", back(CASE, *[encode([0, b"x"])] * 31)),
    "a route of 3000 bytes back": ("answered", back(CASE, *[encode([0, b"n" * 200])] * 15)),
    "an empty return route": ("ignored", body(ECHO, b"\x80", HI)),
    "an unknown address": ("ignored", body(encode(route("nobody")), BACK, HI)),
    "an empty address": ("ignored", body(encode(route("")), BACK, HI)),
    "a TCP address": ("ignored", body(encode([[1, b"127.0.0.1:1"]]), BACK, HI)),
    "a heartbeat": ("ignored", body(b"\x80", b"\x80", b"\x40")),
    "a heartbeat with a payload": ("ignored", body(b"\x80", BACK, HI)),
    "a heartbeat with a context": ("ignored", body(b"\x80", b"\x80", b"\x40", encode("{}"))),
}

# Where the kernel node is another: stricter limits of its own, documented in limits.rst and
# in the table of protocol features. A text is not looked at, so it need not be UTF-8.
DELIBERATE = {
    "text that is not UTF-8": "answered",
    "a name of 256 bytes": "ignored",
    "a name of none": "ignored",
    "32 hops back": "ignored",
    "a route of 3000 bytes back": "ignored",
    "a fifth of 500 arrays": "closed",
}

# Before or instead of a body.
STREAMS = {
    "a length of 0": bytes(4),
    "a length above 16 MiB": (16 * MIB + 1).to_bytes(4, "big"),
    "a length of 4 GiB": b"\xff" * 4,
}


def dialled(node, server):
    """A connection that the node has begun."""
    node.call("tcp-connection.create", to="127.0.0.1:%d" % server.getsockname()[1])
    return Link(server.accept()[0])


def verdict(link, data):
    """What becomes of bytes that are followed by a proper request."""
    name = new_name()
    seen = "ignored"
    try:
        link.sock.sendall(data)
        link.send(route("echo"), route(name), b"and now?")
        while True:
            onward, _, _ = link.receive()
            if first(onward) == name:
                return seen
            seen = "answered"
    except (EOFError, ConnectionError):
        return "closed"
    except socket.timeout:
        return "silent"
    finally:
        link.close()


def ends(where, preamble):
    """The peer ends the connection of its own accord."""
    link = Link.to(where, preamble=preamble)
    try:
        while link.receive():
            pass
    except (EOFError, ConnectionError):
        return True
    except socket.timeout:
        return False
    finally:
        link.close()


def verdicts(rust):
    node = KernelNode("n1")
    kernel = node.where()
    server = socket.create_server(("127.0.0.1", 0))
    before = node.counters()
    for case, (want, data) in CASES.items():
        got = verdict(Link.to(rust), frame(data))
        check(got == want, f"Rust, {case}", f"{got}, not {want}")
        want = DELIBERATE.get(case, want)
        got = verdict(Link.to(kernel), frame(data))
        check(got == want, f"kernel, {case}", f"{got}, not {want}")
        got = verdict(dialled(node, server), frame(data))
        check(got == want, f"kernel that has dialled, {case}", f"{got}, not {want}")
    for case, data in STREAMS.items():
        for peer, where in (("Rust", rust), ("kernel", kernel)):
            got = verdict(Link.to(where), data)
            check(got == "closed", f"{peer}, {case}", got)
    for byte in (0, 2, 0x81, 255):
        for peer, where in (("Rust", rust), ("kernel", kernel)):
            check(ends(where, bytes([byte])), f"{peer}, version {byte}", "not closed")

    # Each of them has its counter.
    now = node.counters()
    closed = sum(DELIBERATE.get(case, want) == "closed" for case, (want, _) in CASES.items())
    for name, want in (("links_failed_frame", 2 * closed + 1), ("links_failed_too_large", 2),
                       ("links_failed_version", 4), ("link_heartbeats", 6),
                       ("drop_no_address", 2), ("drop_not_local", 2), ("drop_route_limit", 10)):
        got = wait_until(lambda name=name, want=want: grown(node, before, name) == want, 10)
        check(got, f"kernel, {name}", f"{grown(node, before, name)}, not {want}")
    check(wait_until(lambda: node.open_links() == 0), "links are left", node.counters())


def grown(node, before, name):
    return node.count(name) - before.get(name, 0)


# ---- pieces ----

class Between:
    """A listener that passes one connection on to somewhere else.

    change(way, number, data): called for the preamble (number 0) and each frame
    of a way ("there", "back"); returns the pieces to pass on, and None in them
    ends both connections, False resets them.
    """

    def __init__(self, where, change):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.server.getsockname()[1]
        self.change = change
        threading.Thread(target=self.run, args=(where,), daemon=True).start()

    def run(self, where):
        client = self.server.accept()[0]
        host, port = where.split(":")
        server = socket.create_connection((host, int(port)))
        ends = (client, server)
        for one in ends:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for way, source, sink in (("there", client, server), ("back", server, client)):
            threading.Thread(target=self.copy, args=(way, source, sink, ends),
                             daemon=True).start()

    def copy(self, way, source, sink, ends):
        try:
            for number, data in enumerate(pieces(source)):
                for piece in self.change(way, number, data):
                    if not piece:
                        finish(ends, reset=piece is False)
                        return
                    sink.sendall(piece)
        except (OSError, ValueError):
            pass
        end(*ends)


def finish(socks, reset):
    if reset:
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                sock.close()
    end(*socks)


def bytewise(_way, _number, data):
    return [data[at:at + 1] for at in range(len(data))]


def rust_send(where, *args):
    return subprocess.run([os.environ["OCKAM_PEER"], "send", "--to", where, *args],
                          capture_output=True, text=True, check=False)


def hops(*names):
    return "".join("/service/" + name for name in names)


def make(node, where, **args):
    """A channel of the kernel node over a connection of its own: its address."""
    host, port = where.split(":")
    return node.call("secure-channel.create", route=f"/ip4/{host}/tcp/{port}/service/api",
                     **args)["address"]


def ask(node, *names, payload=bare("hello"), timeout_ms=20000):
    return bytes.fromhex(node.call("message.send", route=hops(*names), payload=payload.hex(),
                                   timeout_ms=timeout_ms)["reply"])


def splits(rust):
    node = KernelNode("n1")
    kernel = node.where()
    message = frame(body(ECHO, BACK, HI, encode(TRACE)))
    for peer, where in (("Rust", rust), ("kernel", kernel)):
        link = Link.to(where)
        for at in range(1, len(message)):
            link.sock.sendall(message[:at])
            time.sleep(0.001)
            link.sock.sendall(message[at:])
            check(link.receive()[2] == b"hi", f"{peer}, split at {at}", "another answer")
        link.sock.sendall(message * 100)
        answers = [link.receive()[2] for _ in range(100)]
        check(answers == [b"hi"] * 100, f"{peer}, 100 frames in one piece", "other answers")
        link.close()

    # A datagram socket drops what does not fit its buffer; this one is large.
    many = node.socket("many")
    many.settimeout(20)
    link = Link.to(kernel)
    to = encode(route("many"))
    link.sock.sendall(b"".join(frame(body(to, BACK, encode(n.to_bytes(4, "big"))))
                               for n in range(3000)))
    got = [int.from_bytes(many.recv(100), "big") for _ in range(3000)]
    check(got == list(range(3000)), "kernel, 3000 frames in a row", "not in order")
    link.close()
    many.close()

    # A whole handshake and messages, byte by byte both ways, in both roles.
    between = Between(kernel, bytewise)
    ran = rust_send(between.address, "--channel", "api", "--service", "uppercase", "hello",
                    "--count", "40")
    check(ran.stdout.count("reply HELLO") == 40, "Rust to kernel, byte by byte", ran.stderr)
    between = Between(rust, bytewise)
    channel = make(node, between.address)
    for _ in range(3):
        check(ask(node, channel, "uppercase") == bare("HELLO"), "kernel to Rust, byte by byte")
    node.call("secure-channel.delete", address=channel)
    check(wait_until(lambda: node.open_links() == 0), "links are left", node.counters())


# ---- sizes ----

# Of a frame of the Rust peer to a service of four letters: head, both routes, payload head and {}.
RUST_FRAME = 1 + 8 + 37 + 5 + 3


def sizes(rust):
    node = KernelNode("n1")
    kernel = node.where()
    big = node.socket("size")
    received = []

    def collect():
        # Told to end by an empty message.
        while data := big.recv(32 * MIB):
            received.append(len(data))
    thread = threading.Thread(target=collect, daemon=True)
    thread.start()

    def from_rust(limit, what):
        """Exactly the limit arrives, one above it does not."""
        received.clear()
        rust_send(kernel, "--service", "size", "--no-reply", "--linger", "6", "--size",
                  str(limit - RUST_FRAME))
        check(wait_until(lambda: received == [limit - RUST_FRAME]), f"Rust to kernel, {what}",
              received)

    def above(limit, what):
        before = node.count("links_failed_too_large")
        link = Link.to(kernel)
        with contextlib.suppress(ConnectionError):
            link.sock.sendall((limit + 1).to_bytes(4, "big") + bytes(1000))
        try:
            link.receive()
            check(False, what, "a message came back")
        except (EOFError, ConnectionError):
            pass
        check(node.count("links_failed_too_large") == before + 1, what, "not counted")
        link.close()

    def to_rust(limit, what):
        link = node.call("tcp-connection.create", to=rust)["address"]
        # Head, onward, return with the socket's name, payload head.
        over = 1 + len(ECHO) + 8 + 5
        before = node.counters()
        sender = node.socket("from")
        send_to(sender, [link, "sink"], bytes(limit - over))
        try:
            send_to(sender, [link, "sink"], bytes(limit - over + 1))
            check(False, f"kernel to Rust, one above {what}", "sent")
        except OSError as error:
            check("too long" in str(error), f"kernel to Rust, one above {what}", error)
        check(grown(node, before, "drop_too_large") == 1, f"one above {what}", "not counted")
        # The connection is as good as before.
        check(ask(node, link, "uppercase") == bare("HELLO"), f"kernel to Rust, after {what}")
        for entry in node.call("tcp-connection.list"):
            if entry["address"] == link:
                node.call("tcp-connection.delete", address=link)
        sender.close()
        return limit - over

    from_rust(MIB, "1 MiB")
    ran = rust_send(kernel, "--service", "size", "--size", str(MIB + 1 - RUST_FRAME),
                    "--timeout", "2")
    check(ran.returncode == 1, "Rust to kernel, 1 MiB and one byte", ran.stdout)
    check(node.count("links_failed_too_large") == 1, "Rust to kernel, 1 MiB and one byte",
          "not counted")
    above(MIB, "1 MiB and one byte announced")
    sent = [to_rust(MIB, "1 MiB")]
    node.limit("max_frame_bytes", 16 * MIB)
    from_rust(16 * MIB, "16 MiB")
    above(16 * MIB, "16 MiB and one byte announced")
    sent.append(to_rust(16 * MIB, "16 MiB"))
    node.limit("max_frame_bytes", MIB)
    # Through a channel as well; a control request has 1 MiB and its payload is hexadecimal.
    channel = make(node, rust)
    text = "x" * 400000
    check(ask(node, channel, "uppercase", payload=bare(text)) == bare(text.upper()),
          "400000 bytes through a channel")
    node.call("secure-channel.delete", address=channel)
    send_to(big, ["size"], b"")
    thread.join()
    big.close()
    print("sent", *sent)
    check(wait_until(lambda: node.open_links() == 0), "links are left", node.counters())


# ---- announced and not sent ----

def memory():
    with open("/proc/meminfo", encoding="ascii") as file:
        return int(re.search(r"MemAvailable:\s*(\d+)", file.read())[1]) * 1024


def unsent():
    """16 MiB announced on 200 links, and then as much sent as memory is given for."""
    node = KernelNode("n1")
    where = node.where()
    node.limit("max_frame_bytes", 16 * MIB)
    limit = 8 * MIB
    node.limit("partial_bytes", limit)
    honest = Initiator(Link.to(where), Identity())
    honest.start()
    channel = honest.finish()
    before, free = node.counters(), memory()

    links = [Link.to(where) for _ in range(200)]
    for link in links:
        link.sock.sendall((16 * MIB).to_bytes(4, "big"))
    check(channel.ask("uppercase", "hello") == "HELLO", "announced: the channel")
    check(wait_until(lambda: node.open_links() == 201), "announced: links", node.counters())
    check(free - memory() < 64 * MIB, "announced: memory was taken", f"{free - memory()} bytes")
    check(grown(node, before, "links_failed_evicted") == 0, "announced: evicted", "already")

    # 256 KiB each are 50 MiB: most of them must go.
    for link in links:
        link.sock.settimeout(5)
        with contextlib.suppress(OSError):
            link.sock.sendall(bytes(256 << 10))
    check(channel.ask("uppercase", "hello") == "HELLO", "begun: the channel")
    evicted = wait_until(lambda: grown(node, before, "links_failed_evicted") >= 150)
    check(evicted, "begun: evicted", node.counters())
    check(free - memory() < limit + 64 * MIB, "begun: memory", f"{free - memory()} bytes")
    left = 200 - grown(node, before, "links_failed_evicted")
    check(left > 4, "begun: links that are left", left)
    late = Initiator(Link.to(where), Identity())
    late.start()
    check(late.finish().ask("uppercase", "new") == "NEW", "begun: a new handshake")
    for link in links:
        link.close()
    check(wait_until(lambda: node.open_links() == 2), "closed: links", node.counters())
    check(channel.ask("uppercase", "hello") == "HELLO", "closed: the channel")
    check(wait_until(lambda: memory() > free - 32 * MIB), "closed: memory", free - memory())
    honest.link.close()
    late.link.close()
    node.limit("max_frame_bytes", MIB)
    node.limit("partial_bytes", 64 * MIB)
    check(wait_until(lambda: node.open_links() == 0), "links are left", node.counters())


# ---- dropped ----

# Where it ends: (what, way, number of the frame there, share of it that still goes through).
STEPS = (
    ("before msg1", "there", 1, 0), ("within the length of msg1", "there", 1, 0.01),
    ("half msg1", "there", 1, 0.5), ("after msg1", "there", 1, 1),
    ("before msg2", "back", 1, 0), ("half msg2", "back", 1, 0.5), ("after msg2", "back", 1, 1),
    ("half msg3", "there", 2, 0.5), ("after msg3", "there", 2, 1),
    ("within the first packet back", "back", 2, 0.5),
    ("within a data packet", "there", 3, 0.5), ("after a data packet", "there", 3, 1),
)
CLEAR = re.compile("connection|link|peer|way|address")


def dropper(step, reset):
    _, way, number, share = step

    def change(now, count, data):
        if (now, count) != (way, number):
            return [data]
        n = -(-len(data) * share // 1)
        return [data[:int(n)] or (False if reset else None), False if reset else None]
    return change


def drops(rust):
    node = KernelNode("n1")
    kernel = node.where()
    begun = Initiator(Link.to(kernel), Identity())
    begun.start()
    old = begun.finish()
    old.ask("uppercase", "so it is established")
    base = node.open_channels()

    def settled(what):
        """Handshakes and links are gone at once, a responder's channel 30 s after its link."""
        def state():
            return node.pending(), node.open_links()
        check(wait_until(lambda: state() == (0, 1), 10), what, f"left: {state()}")
        check(old.ask("uppercase", "old") == "OLD", what, "the old channel")

    for k, step in enumerate(STEPS):
        # By turns the connection is ended and reset.
        what = f"kernel to Rust, {step[0]}" + (", reset" if k % 2 else "")
        between = Between(rust, dropper(step, k % 2))
        began = time.monotonic()
        try:
            channel = make(node, between.address)
            ask(node, channel, "uppercase", timeout_ms=1000)
            check("after a data packet" in what, what, "all went well")
        except Failed as error:
            check(CLEAR.search(str(error)) or "data packet" in what, what, f"not clear: {error}")
        took = time.monotonic() - began
        check(took < 10, what, f"took {took} s")
        settled(what)

        what = f"Rust to kernel, {step[0]}" + ("" if k % 2 else ", reset")
        between = Between(kernel, dropper(step, not k % 2))
        ran = rust_send(between.address, "--channel", "api", "--service", "uppercase", "hello",
                        "--timeout", "0.5")
        # An answer may be as quick as the end.
        check(ran.returncode == 1 or "after a data packet" in what, what, ran.stdout)
        settled(what)
    check(wait_until(lambda: node.open_channels() == base, 60), "channels are left", base)
    begun.link.close()


def main():
    match sys.argv[1:]:
        case ["verdicts", rust]:
            verdicts(rust)
        case ["splits", rust]:
            splits(rust)
        case ["sizes", rust]:
            sizes(rust)
        case ["unsent", *_]:
            unsent()
        case ["drops", rust]:
            drops(rust)
        case _:
            sys.exit(__doc__)
    for line in wrong:
        print(line)
    sys.exit(bool(wrong))


main()
