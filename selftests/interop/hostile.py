#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""A hostile peer of the kernel node n1, in both roles, batch after batch.

Prints a line for each check: pass or fail, a tab, what it was, a tab, what went
wrong; hostile.sh counts them. After each batch nothing may be left in the node,
and channels that were there before must work.
"""
import os
import re
import socket
import threading
import time

import lies
from knode import Failed, KernelNode, wait_until
from tiny import (HONEST, PAYLOAD, REFRESH, Channel, Identity, Initiator, Link, Node, Plan,
                  Refused, Responder, bare, first, new_name, route, unbare)

PROMPT = 10    # seconds; the time that a handshake may take is 120
NOT_OPEN = "handshake message {} does not open"
BASE_POINT = bytes([9]) + bytes(31)
LOW = "the peer's key in handshake message {} is of low order"


def say(good, what, why=""):
    print("pass" if good else "fail", what, "" if good else why, sep="\t", flush=True)


class Batch:
    """Counts what went as it should, and reports what did not."""

    def __init__(self, what):
        self.what, self.good, self.bad = what, 0, []

    def check(self, good, case, why):
        if good:
            self.good += 1
        else:
            self.bad.append(f"{case}: {why}")

    def report(self):
        say(not self.bad, f"{self.what} ({self.good})", "; ".join(self.bad[:12]))


def listening():
    server = socket.create_server(("127.0.0.1", 0))
    return server, "127.0.0.1:%d" % server.getsockname()[1]


class Field:
    """The node, our links to it, and two channels that nothing may hurt."""

    def __init__(self):
        self.node = KernelNode("n1")
        self.where = self.node.where()
        self.honest = Identity()
        self.link = Link.to(self.where)
        self.ours = self.channel(self.link, self.honest)
        server, where = listening()
        address = self.dial(where)
        peer = Node(Link(server.accept()[0]), self.honest)
        threading.Thread(target=peer.serve, daemon=True).start()
        self.theirs = self.node.call("secure-channel.create", route=f"/service/{address}/service/api")["address"]
        server, where = listening()
        self.dialled = self.dial(where)
        self.called = Link(server.accept()[0])
        self.base = self.state()

    def dial(self, where):
        return self.node.call("tcp-connection.create", to=where)["address"]

    def ask(self):
        """For a channel over the link on which we are called: (request, way back, msg1)."""
        request = self.node.ask("secure-channel.create", route=f"/service/{self.dialled}/service/api")
        while True:
            # What channels before it said at their end may come first.
            onward, back, message = self.called.receive()
            if first(onward) == b"api":
                return request, back, message

    @staticmethod
    def channel(link, identity, **options):
        initiator = Initiator(link, identity, **options)
        initiator.start()
        return initiator.finish()

    def state(self):
        return self.node.pending(), self.node.open_channels(), self.node.open_links()

    def intact(self, what):
        """Nothing is left, and the old channels work."""
        left = wait_until(lambda: self.state() == self.base)
        say(left, f"after {what} nothing is left in the node", f"{self.state()}, not {self.base}")
        answers = [self.ours.ask("uppercase", what)]
        answers.append(unbare(bytes.fromhex(self.node.call(
            "message.send", route=f"/service/{self.theirs}/service/uppercase",
            payload=bare(what).hex(), timeout_ms=20000)["reply"])))
        say(answers == [what.upper()] * 2, f"after {what} both channels work", answers)

    def confess(self):
        """Secrets that the node shares with us: nobody else may have written them down."""
        secrets = [self.ours.tx[0], self.ours.rx[0], *self.ours.tx.known, *self.ours.rx.known]
        with open(os.environ["OCKAM_HOME"] + "/secrets", "w", encoding="ascii") as file:
            file.write("".join(secret.hex() + "\n" for secret in secrets))

    def silent(self):
        """Nothing has been sent on the link before the answer to a question now."""
        name = new_name()
        self.link.send(route("echo"), route(name), b"silent?")
        got = first(self.link.receive()[0])
        return got == name

    # One handshake with a lie each: the reason of its refusal.

    def as_initiator(self, plan, rotations=0, refusal=True):
        """We begin. A refusal after msg3 comes sealed, and only then."""
        self.node.forget_log()
        initiator = Initiator(self.link, Identity(rotations, plan), plan=plan)
        initiator.start()
        channel = initiator.finish()
        if refusal:
            try:
                channel.receive()
                return "not refused"
            except EOFError:
                pass
        return self.node.logged(r"exchange \d+: (refused|failed): ") or "nothing logged"

    def as_responder(self, plan, rotations=0):
        """The node begins, and must know at once that nothing will come of it."""
        began = time.monotonic()
        request, back, message = self.ask()
        responder = Responder(self.called, Identity(rotations, plan), plan=plan)
        responder.answer(message, back)
        try:
            self.node.reply(request)
        except Failed as error:
            late = time.monotonic() - began > PROMPT
            logged = self.node.logged(r"exchange \d+: failed: ")
            return f"too late: {error}" if late else f"{logged} and {error}"
        return "not refused"


def kind(reason):
    """The counter of a refusal."""
    if re.search("decode|CBOR array|no credentials|end too early|ends too early", reason):
        return "malformed"
    if re.search("beyond|in the future|has expired", reason):
        return "expired"
    return "identity"


def refused(field, cases, what):
    """cases: (what, plan, reason, rotations), as initiator and as responder."""
    for role, handshake in (("initiator", field.as_initiator), ("responder", field.as_responder)):
        batch = Batch(f"{what}, as {role}: each is refused for its own reason")
        before, kinds = field.node.counters(), {"malformed": 0, "expired": 0, "identity": 0}
        for case, changes, reason, rotations in cases:
            try:
                got = handshake(Plan(changes), rotations)
            except (Refused, EOFError, OSError) as error:
                got = repr(error)
            batch.check(re.search(reason, got), case, got)
            kinds[kind(got)] += 1
        batch.report()
        now = field.node.counters()
        counted = {name: now[f"handshakes_failed_{name}"] - before[f"handshakes_failed_{name}"]
                   for name in kinds}
        say(counted == kinds and now["handshakes_failed"] - before["handshakes_failed"] ==
            len(cases), f"{what}, as {role}: each is counted under its reason",
            f"{counted}, want {kinds}")
        field.intact(f"{what} as {role}")


def credentials(field):
    """A listener that wants a credential, and who has only bad ones."""
    authority, node = Identity(), field.node
    node.call("secure-channel-listener.create", address="members",
              authority=authority.history.hex())
    batch = Batch("bad credentials: each is refused for its own reason")

    def come(plan):
        me = Identity()
        shown = plan("credentials", [authority.issue(me, {b"role": b"member"}, plan)])
        return field.channel(field.link, me, to=["members"], credentials=shown)

    before, kinds = node.counters(), {"malformed": 0, "trust": 0}
    for case, changes, reason in lies.CREDENTIAL_LIES:
        node.forget_log()
        channel = come(Plan(changes))
        try:
            channel.receive()
            got = "not refused"
        except EOFError:
            got = node.logged(r"exchange \d+: (refused|failed): ") or "nothing logged"
        batch.check(re.search(reason, got), case, got)
        kinds["trust" if "has shown no valid credential" in got else "malformed"] += 1
    batch.report()
    now = node.counters()
    counted = {name: now[f"handshakes_failed_{name}"] - before[f"handshakes_failed_{name}"]
               for name in kinds}
    say(counted == kinds, "bad credentials: each is counted under its reason",
        f"{counted}, want {kinds}")
    channel = come(Plan({"credentials": lambda c: [c[0], c[0]]}))
    say(channel.ask("uppercase", "member") == "MEMBER", "a good one lets its owner in")
    channel.close()
    node.call("secure-channel-listener.delete", address="members")
    field.intact("bad credentials")


def accepted(field, cases):
    batch = Batch("unusual forms are accepted in both roles")
    for case, changes, rotations in cases:
        plan = Plan(changes)
        try:
            identity = Identity(rotations, plan)
            channel = field.channel(field.link, identity, plan=plan)
            batch.check(channel.ask("uppercase", "hello") == "HELLO", case, "no answer")
            channel.close()
            made = welcome(field, identity, plan)
            batch.check(made["confirmed"], case, "not confirmed")
            field.node.call("secure-channel.delete", address=made["address"])
        except (Refused, EOFError, OSError, Failed) as error:
            batch.check(False, case, repr(error))
    drain(field.called)
    batch.report()
    field.intact("unusual forms")


def welcome(field, identity, plan=HONEST):
    """Answer a handshake of the node; the first packet says that we are willing."""
    request, back, message = field.ask()
    responder = Responder(field.called, identity, plan=plan)
    responder.answer(message, back)
    while True:
        onward, _, message = field.called.receive()
        if first(onward) == responder.name:
            break
    channel = responder.accept(message)
    field.called.send(back, [], channel.packet(REFRESH, [identity.history, []]))
    return field.node.reply(request)


def drain(link):
    """What is left to be read: packets of channels that have ended."""
    link.sock.settimeout(0.2)
    try:
        while True:
            link.receive()
    except socket.timeout:
        link.sock.settimeout(20)


# ---- batches ----

def messages(field):
    """The Noise messages themselves."""
    def cut(n):
        return lambda message: message[:n]

    def bit(at):
        return lambda message: message[:at] + bytes([message[at] ^ 0x10]) + message[at + 1:]

    batch = Batch("third messages that are damaged behind the sealed key end their exchange")
    cases = [(f"bit at {at}", bit(at), NOT_OPEN.format(3)) for at in (48, 100, 200, 300)]
    cases += [(f"cut at {n}", cut(n), NOT_OPEN.format(3)) for n in (64, 65, 100, 386)]
    cases += [(f"cut at {n}", cut(n), f"handshake message 3 of {n} bytes is too short")
              for n in (48, 63)]
    cases += [("a byte more", lambda m: m + b"\0", NOT_OPEN.format(3)),
              ("32768 bytes", lambda m: m + bytes(32768 - len(m)), NOT_OPEN.format(3)),
              ("twice itself", lambda m: m + m, NOT_OPEN.format(3))]
    for case, change, reason in cases:
        got = field.as_initiator(Plan({"msg3": change}), refusal=False)
        batch.check(re.search(reason, got), case, got)
    batch.report()
    strays(field, [(f"bit at {at}", bit(at)) for at in (0, 20, 31, 40, 47)] +
           [(f"cut at {n}", cut(n)) for n in (0, 1, 32, 47)] +
           [("halves swapped", lambda m: m[48:] + m[:48]), ("32768 bytes", lambda _: bytes(32768)),
            ("random bytes", lambda m: os.urandom(len(m)))])

    batch = Batch("second messages that are damaged")
    spots = (0, 20, 32, 50, 79, 80, 100, 300, 418)
    cases = [(f"bit at {at}", bit(at), NOT_OPEN.format(2)) for at in spots]
    cases += [(f"cut at {n}", cut(n), NOT_OPEN.format(2)) for n in (96, 97, 200, 418)]
    cases += [(f"cut at {n}", cut(n), f"handshake message 2 of {n} bytes is too short")
              for n in (0, 1, 32, 80, 95)]
    cases += [("a byte more", lambda m: m + b"\0", NOT_OPEN.format(2)),
              ("32768 bytes", lambda m: m + bytes(32768 - len(m)), NOT_OPEN.format(2)),
              ("twice itself", lambda m: m + m, NOT_OPEN.format(2))]
    for case, change, reason in cases:
        got = field.as_responder(Plan({"msg2": change}))
        batch.check(re.search(reason, got), case, got)
    batch.report()

    drain(field.called)
    batch = Batch("first messages that are damaged")
    for n in (0, 1, 16, 31):
        field.node.forget_log()
        field.link.send(route("api"), route("nobody"), bytes(n))
        got = field.node.logged(r"exchange \d+: failed") or "nothing logged"
        batch.check(f"handshake message 1 of {n} bytes is too short" in got, f"{n} bytes", got)
        batch.check(field.silent(), f"{n} bytes", "answered")
    before = field.node.count("drop_handshake_too_large")
    field.link.send(route("api"), route("nobody"), bytes([9]) + bytes(32768))
    batch.check(field.silent(), "32769 bytes", "answered")
    batch.check(field.node.count("drop_handshake_too_large") == before + 1, "32769 bytes",
                "not counted")
    channel = field.channel(field.link, field.honest, plan=Plan({"msg1": lambda m: m}))
    channel.close()
    batch.report()
    field.intact("damaged messages")


def strays(field, cases):
    """Before the third message something that is none comes to its place."""
    def handshake(changes):
        initiator = Initiator(field.link, field.honest)
        initiator.start()
        way = initiator.second()
        third = initiator.write_3()
        for change in changes:
            field.link.send(way, route(initiator.name), change(third))
        field.link.send(way, route(initiator.name), third)
        return Channel(field.link, way, *initiator.keys(), name=initiator.name,
                       peer=initiator.peer)

    batch, node = Batch("strays before the third message are dropped, and it counts"), field.node
    cases = [(case, [change]) for case, change in cases]
    for case, changes in cases + [("32 at once", cases[0][1] * 32)]:
        before = node.count("drop_handshake_stray")
        channel = handshake(changes)
        batch.check(channel.ask("uppercase", "after") == "AFTER", case, "no answer")
        dropped = node.count("drop_handshake_stray") - before
        batch.check(dropped == len(changes), case, f"{dropped} are counted")
        channel.close()
    node.forget_log()
    handshake(cases[0][1] * 33)
    got = node.logged(r"exchange \d+: failed: ") or "nothing logged"
    batch.check(NOT_OPEN.format(3) in got, "33 at once", got)
    batch.report()


def low_order(field):
    batch = Batch("ephemeral keys of low order in msg1: refused, nothing is answered")
    for point in lies.LOW_ORDER:
        field.node.forget_log()
        initiator = Initiator(field.link, field.honest, plan=Plan({"e": lies.value(point)}))
        initiator.start()
        got = field.node.logged(r"exchange \d+: failed") or "nothing logged"
        batch.check("is of low order" in got, point.hex(), got)
        batch.check(field.silent(), point.hex(), "an answer was sent")
    batch.report()

    batch = Batch("static keys of low order in msg3: refused")
    zero = lies.value(bytes(32))
    for point in lies.LOW_ORDER:
        got = field.as_initiator(Plan({"s": lies.value(point), "se": zero}), refusal=False)
        batch.check(LOW.format(3) in got, point.hex(), got)
        batch.check(field.silent(), point.hex(), "an answer was sent")
    batch.report()

    for key, shared, what in (("e", "ee", "ephemeral"), ("s", "es", "static")):
        batch = Batch(f"{what} keys of low order in msg2: refused, no msg3 is sent")
        for point in lies.LOW_ORDER:
            got = field.as_responder(Plan({key: lies.value(point), shared: zero}))
            batch.check(LOW.format(2) in got, point.hex(), got)
            batch.check(not nothing_came(field), point.hex(), "a message was sent")
        batch.report()
    field.intact("points of low order")


def nothing_came(field):
    """Ask the node for something on the dialled link; what came before that?"""
    name = new_name()
    field.called.send(route("echo"), route(name), b"")
    onward, _, _ = field.called.receive()
    return first(onward) != name


def states(field):
    """Right messages at the wrong time or place."""
    batch = Batch("messages out of order, twice, reflected and for other exchanges")
    node, link = field.node, field.link

    def counted(case, name, action):
        before = node.count(name)
        action()
        batch.check(wait_until(lambda: node.count(name) > before), case, f"{name} stands still")

    def begin():
        initiator = Initiator(link, field.honest)
        initiator.start()
        return initiator, initiator.second()

    def finish(case, initiator, way, third):
        link.send(way, route(initiator.name), third)
        made = Channel(link, way, *initiator.keys(), name=initiator.name, peer=initiator.peer)
        batch.check(made.ask("uppercase", "x") == "X", case, "no channel")
        made.close()

    def stray(case, way, message, initiator):
        counted(case, "drop_handshake_stray",
                lambda: link.send(way, route(initiator.name), message))

    # Towards a responder.
    one, way_one = begin()
    two, way_two = begin()
    third_one, third_two = one.write_3(), two.write_3()
    stray("msg3 of another exchange", way_one, third_two, two)
    stray("msg3 of the first in the second", way_two, third_one, two)
    stray("msg1 again instead of msg3", way_one, os.urandom(32), one)
    finish("the first after that", one, way_one, third_one)
    finish("the second after that", two, way_two, third_two)
    one = Initiator(link, field.honest)
    one.start()
    _, way, second = link.receive()
    one.read_2(second)
    stray("msg2 reflected as msg3", way, second, one)
    third = one.write_3()
    channel = Channel(link, way, *one.keys(), name=one.name, peer=one.peer)
    packet = channel.packet(PAYLOAD, [route("uppercase"), route("me"), bare("too soon")])
    stray("packet 0 before msg3", way, packet, one)
    link.send(way, route(one.name), third)
    batch.check(channel.ask("uppercase", "x") == "X", "msg3 behind packet 0", "no channel")
    channel.close()
    one, way = begin()
    third = one.write_3()
    for _ in range(3):
        link.send(way, route(one.name), third)
    channel = Channel(link, way, *one.keys(), name=one.name, peer=one.peer)
    batch.check(channel.ask("uppercase", "x") == "X", "msg3 three times", "no channel")
    counted("msg3 of an old exchange to a channel", "drop_packet_too_far",
            lambda: link.send(channel.to, [], b"\xff" * 8 + third))
    counted("a packet of another channel", "drop_packet_bad_tag",
            lambda: link.send(channel.to, [], field.ours.packet(
                REFRESH, [field.honest.history, []], nonce=1 << 4)))
    counted("a packet too short", "drop_packet_short", lambda: link.send(channel.to, [], b"x"))
    channel.send(route("echo"), route("me"), b"reflect me")
    _, _, packet = link.receive()
    counted("a packet reflected", "drop_packet_bad_tag",
            lambda: link.send(channel.to, [], packet[:7] + b"\x08" + packet[8:]))
    sent = channel.packet(0, [route("echo"), route("me"), b"once"])
    link.send(channel.to, [], sent)
    batch.check(channel.receive()[2] == b"once", "a packet once", "no answer")
    counted("a packet twice", "drop_packet_replayed", lambda: link.send(channel.to, [], sent))
    counted("a data packet to the listener", "handshakes_failed",
            lambda: (node.forget_log(), link.send(route("api"), route("me"), b"\xff" * 31),
                     node.logged("is too short")))
    batch.check(channel.ask("uppercase", "y") == "Y", "the channel", "has suffered")
    channel.close()

    # Towards an initiator.
    def answered(number, case, pattern):
        try:
            got = str(node.reply(number))
        except Failed as error:
            got = str(error)
        batch.check(re.search(pattern, got), case, got)

    number, back, message = field.ask()
    field.called.send(back, route(new_name()), message)
    answered(number, "msg1 reflected as msg2", "handshake message 2 of 32 bytes is too short")
    number, back, message = field.ask()
    responder = Responder(field.called, field.honest)
    responder.read_1(message)
    second = responder.write_2()
    field.called.send(back, route(responder.name), second)
    field.called.send(back, route(responder.name), second)
    _, _, third = field.called.receive()
    responder.back = back
    channel = responder.accept(third)
    field.called.send(back, [], channel.packet(REFRESH, [field.honest.history, []]))
    made = node.reply(number)
    batch.check(made["confirmed"], "msg2 twice", made)
    field.called.send(back, route(responder.name), second)
    node.call("secure-channel.delete", address=made["address"])
    number, back, message = field.ask()
    mixed = Responder(field.called, field.honest)
    mixed.answer(os.urandom(32), back)
    answered(number, "msg2 for another msg1", NOT_OPEN.format(2))
    drain(field.called)
    batch.report()
    field.intact("messages out of their state")


def abandoned(field):
    """Handshakes that stop, on links that go on: they end by their time."""
    node = field.node
    before = node.limit("responder_ms", 1500)
    timed_out = node.count("handshakes_failed_timeout")
    for k in range(40):
        initiator = Initiator(field.link, field.honest)
        initiator.start()
        if k % 2:
            initiator.second()
    ended = wait_until(lambda: node.pending() == field.base[0])
    say(ended and node.count("handshakes_failed_timeout") == timed_out + 40,
        "40 handshakes that stop are ended by their time", node.counters())
    node.limit("responder_ms", before)
    drain(field.link)
    field.intact("handshakes that stop")


def many(field, count):
    """Memory after a quarter of many hostile handshakes, and after all."""
    link, node, begun = field.link, field.node, node_failures(field)
    plans = [Plan(changes) for _, changes, _, rotations in lies.LIES if not rotations]
    plans += [Plan({"msg3": lies.flip})] * (len(plans) // 4)
    memory = None
    for k in range(0, count, 2):
        if k == count // 4:
            wait_until(lambda: node_failures(field) >= begun + count // 4, 60)
            memory = node.worker_memory()
        plan = plans[k // 2 % len(plans)]
        field.channel(link, Identity(0, plan), plan=plan)
        link.send(route("api"), route("nobody"), lies.LOW_ORDER[k % 14][:k % 33])
    ended = wait_until(lambda: node_failures(field) >= begun + count, 60)
    say(ended, f"{count} hostile handshakes are all refused", node_failures(field) - begun)
    more = node.worker_memory() - memory
    say(more < 1024, "the worker's memory stays as it was", f"{more} KiB more")
    drain(link)
    field.intact(f"{count} hostile handshakes")


def node_failures(field):
    return field.node.count("handshakes_failed")


def flood(field):
    """msg1 from many links, above every limit."""
    node = field.node
    limits = {name: node.limit(name, value) for name, value in (
        ("max_pending", 50), ("max_pending_per_link", 8), ("responder_ms", 8000))}
    one = Initiator(field.link, field.honest)
    one.start()
    way = one.second()
    before = node.counters()
    links = [Link.to(field.where) for _ in range(12)]
    for k, link in enumerate(links, 1):
        for _ in range(20):
            link.send(route("api"), route(new_name()), BASE_POINT)
        # Links are read in parallel: which limit a message meets depends on who came before.
        wait_until(lambda: grown(node, before, "drop_handshake") +
                   grown(node, before, "handshakes_started") == 20 * k)
    say(node.pending() == 50 and grown(node, before, "drop_handshake_link_limit") == 6 * 12 and
        grown(node, before, "drop_handshake_limit") == 191 - 6 * 12,
        "of 240 first messages over 12 links 49 become handshakes beside the one that is there",
        f"{node.pending()} pending, {node.counters()}")
    say(field.ours.ask("uppercase", "flooded") == "FLOODED", "the old channel does not notice")
    field.link.send(way, route(one.name), one.write_3())
    channel = Channel(field.link, way, *one.keys(), name=one.name, peer=one.peer)
    say(channel.ask("uppercase", "third") == "THIRD",
        "a handshake from before the flood comes through")
    channel.close()
    # The one that has become a channel left a place to whoever is next.
    link = Link.to(field.where)
    channel = field.channel(link, field.honest)
    say(channel.ask("uppercase", "new") == "NEW", "a new one over another link comes through")
    channel.close()
    link.close()

    limits["max_pending_rate"] = node.limit("max_pending_rate", 5)
    node.limit("max_pending", 1024)
    node.limit("max_pending_per_link", 64)
    time.sleep(1.1)
    before = node.counters()
    for _ in range(60):
        field.link.send(route("api"), route(new_name()), b"short")
    wait_until(lambda: grown(node, before, "drop_handshake_rate") +
               grown(node, before, "handshakes_failed") >= 60)
    rate = grown(node, before, "drop_handshake_rate")
    say(30 < rate <= 55, "60 first messages over one link, with 5 a second", f"{rate} dropped")
    for name, value in limits.items():
        node.limit(name, value)
    for link in links:
        link.close()
    say(wait_until(lambda: node.pending() == 0, 60), "the flood runs off", node.pending())
    field.intact("the flood")


def grown(node, before, prefix):
    now = node.counters()
    return sum(now[name] - before.get(name, 0) for name in now if name.startswith(prefix))


def main():
    field = Field()
    messages(field)
    low_order(field)
    states(field)
    accepted(field, lies.UNUSUAL)
    refused(field, lies.LIES, "lies")
    credentials(field)
    abandoned(field)
    many(field, 2000)
    flood(field)
    field.confess()


main()
