#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""A hop that does what networks do, on purpose: it stands between two nodes on
one TCP connection, knows the frames of one secure channel and hands them over
in the order it was told. The same plan gives the same order each time.

relay.py proxy PORT [--up PLAN] [--down PLAN]
    Listens on a port (printed), forwards one connection to 127.0.0.1:PORT.
    PLAN says in which order the frames towards the server (up) or the client
    (down) are released: words m1, m2, m3 (messages of the handshake), numbers
    of packets, ranges 3-9 and 9-3, ~MS (wait so many milliseconds). A word may
    come several times. What is not in the plan and is older than its highest
    number is dropped; what is newer follows, in order, when the plan is done,
    and then a line "up done" or "down done" is printed. A plan with a word m
    must name all that is to pass; without one the handshake passes.
relay.py model PLAN LAST
    What a receiver must do with PLAN and then the packets up to LAST: a line
    "accepted N N ..." and "replayed N", "too_old N", "too_far N".
relay.py plan SEED COUNT
    A plan for COUNT packets that a channel survives: loss, repetition and
    disorder within the window.
"""
import argparse
import os
import random
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from pieces import end, pieces  # pylint: disable=wrong-import-position

BACK = AHEAD = 32


def words(plan):
    """[label or number or ("wait", ms)]"""
    out = []
    for word in plan.split():
        if word.startswith("m"):
            out.append(word)
        elif word.startswith("~"):
            out.append(("wait", int(word[1:])))
        elif "-" in word:
            first, last = map(int, word.split("-"))
            step = 1 if first <= last else -1
            out += range(first, last + step, step)
        else:
            out.append(int(word))
    return out


def numbers(plan):
    return [word for word in words(plan) if isinstance(word, int)]


# ---- frames ----


def read_head(body, pos):
    """One CBOR head of definite length: (major type, value, position behind)."""
    first = body[pos]
    kind, small = first >> 5, first & 31
    if small < 24:
        return kind, small, pos + 1
    size = 1 << (small - 24)
    return kind, int.from_bytes(body[pos + 1:pos + 1 + size], "big"), pos + 1 + size


def skip_route(body, pos):
    _, hops, pos = read_head(body, pos)
    for _ in range(hops):
        pos = read_head(body, pos)[2]
        pos = read_head(body, pos)[2]
        _, length, pos = read_head(body, pos)
        pos += length
    return pos


def payload_of(body):
    pos = read_head(body, 0)[2]
    pos = skip_route(body, skip_route(body, pos))
    _, length, pos = read_head(body, pos)
    return body[pos:pos + length]


def is_packet(payload):
    """A nonce of few bits in front; a handshake message begins with random bytes."""
    return len(payload) >= 24 and payload[:5] == bytes(5)


class Direction:
    """Frames from one side to the other, in the order of a plan."""

    def __init__(self, name, source, sink, plan):
        self.name, self.source, self.sink = name, source, sink
        self.plan = words(plan)
        self.highest = max(numbers(plan), default=-1)
        self.handshake = [f"m{2 if name == 'down' else 1}", "m3"]
        self.plans_handshake = any(str(word).startswith("m") for word in self.plan)
        self.held = {}
        self.planned = bool(self.plan)

    def label(self, frame):
        payload = payload_of(frame[4:])
        if is_packet(payload):
            return int.from_bytes(payload[:8], "big")
        # The answer to a repeated msg1 and the like: as it comes.
        return self.handshake.pop(0) if self.handshake else None

    def take(self, frame):
        label = self.label(frame)
        if label is None or not self.planned or \
           (isinstance(label, str) and not self.plans_handshake):
            if self.planned or not isinstance(label, int) or label > self.highest:
                self.sink.sendall(frame)
            return
        self.held[label] = frame
        self.release()

    def release(self):
        while self.plan:
            word = self.plan[0]
            if isinstance(word, tuple):
                time.sleep(word[1] / 1000)
            elif word in self.held:
                self.sink.sendall(self.held[word])
            else:
                return
            self.plan.pop(0)
        self.planned = False
        for number in sorted(n for n in self.held if isinstance(n, int) and n > self.highest):
            self.sink.sendall(self.held[number])
        self.held.clear()
        print(f"{self.name} done", flush=True)

    def run(self):
        try:
            for number, piece in enumerate(pieces(self.source)):
                if number:
                    self.take(piece)
                else:
                    self.sink.sendall(piece)
        except OSError:
            pass
        end(self.source, self.sink)


def proxy(port, up, down):
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", port))
    for sock in (client, server):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    threads = [threading.Thread(target=Direction(*args).run)
               for args in (("up", client, server, up), ("down", server, client, down))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# ---- what must come out ----


def model(plan, last):
    """Section by section what the protocol says about the receive window."""
    order = numbers(plan)
    order += range(max(order, default=-1) + 1, last + 1)
    highest, seen = 0, set()
    result = {"accepted": [], "replayed": 0, "too_old": 0, "too_far": 0}
    for number in order:
        if number > highest + AHEAD:
            result["too_far"] += 1
        elif number < highest - BACK:
            result["too_old"] += 1
        elif number in seen:
            result["replayed"] += 1
        else:
            seen.add(number)
            highest = max(highest, number)
            result["accepted"].append(number)
    print("accepted", *result.pop("accepted"))
    for name, count in result.items():
        print(name, count)


def make_plan(seed, count):
    """Every packet is late by fewer than 32; some are lost, some come twice."""
    rand = random.Random(seed)
    order = []
    lost = 0
    for number in range(count):
        # The first one stays: whoever made the channel may wait for it.
        if number and lost < 10 and rand.random() < 0.15:
            lost += 1
            continue
        lost = 0
        order.append((number + (rand.randrange(31) if number and rand.random() < 0.4 else 0),
                      number))
        if rand.random() < 0.15:
            order.append((number + rand.randrange(60), number))
    # Late packets come after those of the same time.
    order.sort(key=lambda item: (item[0], -item[1]))
    print(*(number for _, number in order))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("proxy")
    one.add_argument("port", type=int)
    one.add_argument("--up", default="")
    one.add_argument("--down", default="")
    one = commands.add_parser("model")
    one.add_argument("plan")
    one.add_argument("last", type=int)
    one = commands.add_parser("plan")
    one.add_argument("seed", type=int)
    one.add_argument("count", type=int)
    args = parser.parse_args()
    if args.command == "proxy":
        proxy(args.port, args.up, args.down)
    elif args.command == "model":
        model(args.plan, args.last)
    else:
        make_plan(args.seed, args.count)
    sys.stdout.flush()


main()
