#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""Ockam once more, written from the description of the protocol alone.

It shares no code with the kernel module, its tools or the Rust crates, and is
as small as it can be: TCP links, identities with Ed25519 keys, attestations,
credentials, the Noise handshake in both roles, channel packets.

tiny.py send HOST:PORT LISTENER SERVICE TEXT [COUNT]
    makes a channel, sends TEXT that often and prints each answer
tiny.py listen
    prints "ready IDENTIFIER PORT", then serves the listener api, uppercase and
    echo in plain text and through channels, until it is killed

As a module it also lies: whoever makes an Identity or a handshake may pass a
Plan, which changes any value just before it is encoded, signed or sent.
"""
import hashlib
import hmac
import os
import socket
import sys
import threading
import time

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey, Ed25519PublicKey)
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey, X25519PublicKey)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FRAME_MAX = 16 << 20
SUITE = b"OCKAM_XX_25519_AES256_GCM_SHA256"
CHANGE, ATTESTATION, CREDENTIAL = 1, 2, 3    # types of signed data
PAYLOAD, REFRESH, CLOSE = 0, 1, 2            # kinds of channel messages
YEAR = 365 * 86400


class Refused(Exception):
    """The peer's bytes are not what the protocol wants."""


class Plan:
    """What to change on the way: {name of a value: function of the value}."""

    def __init__(self, changes=None):
        self.changes = changes or {}

    def __call__(self, name, value):
        change = self.changes.get(name)
        return change(value) if change else value


HONEST = Plan()


# ---- CBOR, as far as the protocol goes ----

class Raw(bytes):
    """Bytes that are CBOR already."""


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    size = next(size for size in range(4) if n >> (8 << size) == 0)
    return bytes([major << 5 | 24 + size]) + n.to_bytes(1 << size, "big")


def encode(value):
    match value:
        case Raw():
            return bytes(value)
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case list():
            return head(4, len(value)) + b"".join(map(encode, value))
        case dict():
            return head(5, len(value)) + b"".join(
                encode(key) + encode(value[key]) for key in value)
    raise TypeError(value)


def decode(data, at=0):
    """The item at a position, and the position behind it."""
    major, n = data[at] >> 5, data[at] & 31
    at += 1
    endless = n == 31
    if 23 < n < 31:
        size = 1 << n - 24
        n, at = int.from_bytes(data[at:at + size], "big"), at + size
    if major == 0:
        return n, at
    if major in (2, 3):
        if at + n > len(data):
            raise IndexError
        text = data[at:at + n]
        return text if major == 2 else text.decode(), at + n
    if major in (4, 5):
        items, wanted = [], n * (major - 3)
        while data[at] != 0xff if endless else len(items) < wanted:
            item, at = decode(data, at)
            items.append(item)
        at += endless
        return (items if major == 4 else dict(zip(items[::2], items[1::2]))), at
    if major == 7 and 20 <= n <= 22:
        return {20: False, 21: True, 22: None}[n], at
    raise Refused(f"CBOR of major type {major} with {n}")


def understand(data):
    """One item; what follows it does not matter."""
    try:
        return decode(data)[0]
    except (IndexError, UnicodeDecodeError) as error:
        raise Refused("CBOR that ends too early") from error


def bare(text):
    """A string as BARE writes it."""
    data, n, count = text.encode(), len(text.encode()), b""
    while n > 127:
        count, n = count + bytes([n & 127 | 128]), n >> 7
    return count + bytes([n]) + data


def unbare(data):
    n = shift = 0
    for at, byte in enumerate(data):
        n |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return data[at + 1:at + 1 + n].decode()
    raise Refused("a string without a length")


def route(*names):
    return [[0, name.encode() if isinstance(name, str) else name] for name in names]


def first(way):
    return way[0][1] if way else b""


# ---- TCP ----

class Link:
    """One connection; frames in and out."""

    def __init__(self, sock, preamble=b"\x01"):
        self.sock, self.data, self.greeted = sock, b"", False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(20)
        sock.sendall(preamble)

    @classmethod
    def to(cls, where, **options):
        host, port = where.rsplit(":", 1)
        return cls(socket.create_connection((host, int(port)), 10), **options)

    def send(self, onward, back, payload, *trace):
        body = encode([onward, back, payload, *trace])
        self.sock.sendall(len(body).to_bytes(4, "big") + body)

    def need(self, n):
        while len(self.data) < n:
            more = self.sock.recv(1 << 18)
            if not more:
                raise EOFError
            self.data += more
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def receive(self):
        """(onward, return, payload) of the next message that is no heartbeat."""
        if not self.greeted and self.need(1) != b"\x01":
            raise Refused("another version of the protocol")
        self.greeted = True
        while True:
            size = int.from_bytes(self.need(4), "big")
            if not 0 < size <= FRAME_MAX:
                raise Refused(f"a frame of {size} bytes")
            onward, back, payload, *_ = understand(self.need(size))
            if onward:
                return onward, back, payload

    def close(self):
        self.sock.close()


# ---- identities ----

def sha256(data):
    return hashlib.sha256(data).digest()


def raw(public):
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def wrap(plan, name, kind, data):
    data = plan(name + ".bytes", encode(plan(name + ".data", data)))
    return encode(plan(name + ".versioned", [1, kind, data]))


def seal(plan, name, key, data):
    return plan(name, [0, [key.sign(sha256(data))]])


class Identity:
    """A change history and its latest key."""

    def __init__(self, rotations=0, plan=HONEST):
        self.key = self.latest = self.identifier = None
        self.changes, self.plan = [], plan
        for _ in range(1 + rotations):
            self.rotate()
        self.history = Raw(encode(plan("history", self.changes)))

    def rotate(self):
        plan, before, now = self.plan, self.key, int(time.time())
        self.key = Ed25519PrivateKey.generate()
        name = f"change{len(self.changes)}"
        data = wrap(plan, name, CHANGE, [
            self.latest, [0, [raw(self.key.public_key())]], False, now, now + 10 * YEAR])
        change = [data, seal(plan, name + ".signature", self.key, data)]
        if before:
            change.append(seal(plan, name + ".previous", before, data))
        self.latest = sha256(data)
        self.identifier = self.identifier or self.latest
        self.changes.append(plan(name, change))

    def attest(self, key, name="attestation", plan=None):
        """key: [0, [X25519]] for channels, [1, [[0, [Ed25519]]]] for credentials."""
        plan, now = plan or self.plan, int(time.time())
        data = wrap(plan, name, ATTESTATION, [
            self.identifier, self.latest, key, now, now + 5 * YEAR])
        return plan(name, [data, seal(plan, name + ".signature", self.key, data)])

    def issue(self, subject, attributes, plan=HONEST):
        """A credential about another identity, with the attestation of its key."""
        key, now = Ed25519PrivateKey.generate(), int(time.time())
        data = wrap(plan, "credential", CREDENTIAL, [
            subject.identifier, subject.latest, [1, attributes], now, now + 3600])
        credential = plan("credential", [data, seal(plan, "credential.signature", key, data)])
        attested = self.attest([1, [[0, [raw(key.public_key())]]]], "issuer", plan)
        return [credential, attested]


def check(key, data, signature):
    kind, (value,) = signature
    if kind != 0 or key[0] != 0:
        raise Refused("keys that are not of Ed25519")
    try:
        Ed25519PublicKey.from_public_bytes(key[1][0]).verify(value, sha256(data))
    except (InvalidSignature, ValueError) as error:
        raise Refused("a wrong signature") from error


def opened(data, kind):
    version, found, inner = understand(data)
    if (version, found) != (1, kind):
        raise Refused(f"version {version} type {found}, not {kind}")
    return understand(inner)


def verify(payload, static):
    """Who has sent this payload: an identifier; all checks of a stranger."""
    try:
        history, (data, signature), _ = understand(payload)
        latest = key = identifier = None
        for change, own, *previous in history:
            before, new, *_ = opened(change, CHANGE)
            if before != latest:
                raise Refused("a change that does not follow")
            check(new, change, own)
            if key:
                check(key, change, previous[0])
            key, latest = new, sha256(change)
            identifier = identifier or latest
        subject, at, purpose, created, expires = opened(data, ATTESTATION)
        check(key, data, signature)
    except (ValueError, TypeError, IndexError) as error:
        raise Refused(f"a payload of another form: {error}") from error
    if (subject, at, purpose) != (identifier, latest, [0, [static]]):
        raise Refused("an attestation of something else")
    if created > time.time() + 60 or expires < time.time():
        raise Refused("an attestation out of its time")
    return identifier


# ---- handshake ----

def aead(key, nonce, data, plain, how="encrypt"):
    cipher = getattr(AESGCM(key), how)
    try:
        return cipher(bytes(4) + nonce.to_bytes(8, "big"), plain, data)
    except InvalidTag as error:
        raise Refused("a message that does not open") from error


def hkdf(salt, secret):
    t = hmac.digest(salt, secret, "sha256")
    one = hmac.digest(t, b"\x01", "sha256")
    return one, hmac.digest(t, one + b"\x02", "sha256")


class Handshake:
    """Noise XX. The initiator: one, two(msg2), three; the responder the others."""

    def __init__(self, identity, credentials=(), plan=HONEST):
        self.identity, self.credentials, self.plan = identity, list(credentials), plan
        self.h, self.ck, self.k, self.n = sha256(SUITE), SUITE, None, 0
        self.s, self.e = X25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.peer = self.their_s = self.their_e = None

    def mix(self, data):
        self.h = sha256(self.h + data)

    def dh(self, name, secret, public):
        try:
            shared = secret.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError as error:
            raise Refused("a key of low order") from error
        self.ck, self.k = hkdf(self.ck, self.plan(name, shared))
        self.n = 0

    def seal(self, plain):
        sealed = aead(self.k, self.n, self.h, plain)
        self.n += 1
        self.mix(sealed)
        return sealed

    def open(self, sealed):
        plain = aead(self.k, self.n, self.h, sealed, "decrypt")
        self.n += 1
        self.mix(sealed)
        return plain

    def public(self, name):
        return self.plan(name, raw(getattr(self, name).public_key()))

    def payload(self):
        static = [0, [raw(self.s.public_key())]]
        value = [self.identity.history, self.identity.attest(static), self.credentials]
        return self.plan("payload.bytes", encode(self.plan("payload", value)))

    def keys(self):
        """Those of the initiator's and of the responder's direction."""
        responders, initiators = hkdf(self.ck, b"")
        return initiators, responders

    def write_1(self):
        e = self.public("e")
        self.mix(e)
        self.mix(b"")
        return self.plan("msg1", e)

    def read_1(self, message):
        if len(message) < 32:
            raise Refused("a short first message")
        self.their_e = message[:32]
        self.mix(self.their_e)
        self.mix(message[32:])

    def write_2(self):
        e = self.public("e")
        self.mix(e)
        self.dh("ee", self.e, self.their_e)
        sealed = self.seal(self.public("s"))
        self.dh("es", self.s, self.their_e)
        return self.plan("msg2", e + sealed + self.seal(self.payload()))

    def read_2(self, message):
        if len(message) < 96:
            raise Refused("a short second message")
        self.their_e = message[:32]
        self.mix(self.their_e)
        self.dh("ee", self.e, self.their_e)
        self.their_s = self.open(message[32:80])
        self.dh("es", self.e, self.their_s)
        self.peer = verify(self.open(message[80:]), self.their_s)

    def write_3(self):
        sealed = self.seal(self.public("s"))
        self.dh("se", self.s, self.their_e)
        return self.plan("msg3", sealed + self.seal(self.payload()))

    def read_3(self, message):
        if len(message) < 64:
            raise Refused("a short third message")
        self.their_s = self.open(message[:48])
        self.dh("se", self.e, self.their_s)
        self.peer = verify(self.open(message[48:]), self.their_s)


def new_name():
    return os.urandom(16).hex().encode()


class Initiator(Handshake):
    """Handshake over a link: start(), finish() and then a Channel."""

    def __init__(self, link, identity, to=("api",), **options):
        super().__init__(identity, **options)
        self.link, self.to, self.name = link, list(to), new_name()

    def start(self):
        self.link.send(route(*self.to), route(self.name), self.write_1())

    def second(self):
        """Await msg2 and take it; the way to the responder."""
        while True:
            onward, back, message = self.link.receive()
            if first(onward) == self.name:
                self.read_2(message)
                return back

    def finish(self):
        back = self.second()
        self.link.send(back, route(self.name), self.write_3())
        return Channel(self.link, back, *self.keys(), name=self.name, peer=self.peer)


class Responder(Handshake):
    """The other side: answer(msg1, return route), then accept(msg3)."""

    def __init__(self, link, identity, **options):
        super().__init__(identity, **options)
        self.link, self.name, self.back = link, new_name(), None

    def answer(self, message, back):
        self.back = back
        self.read_1(message)
        self.link.send(back, route(self.name), self.write_2())

    def accept(self, message):
        self.read_3(message)
        rx, tx = self.keys()
        return Channel(self.link, self.back, tx, rx, name=self.name, peer=self.peer)


# ---- channels ----

class Keys:
    """Key number j is for nonces 32 j to 32 j + 31."""

    def __init__(self, key):
        self.known = [key]

    def __getitem__(self, nonce):
        while len(self.known) <= nonce // 32:
            self.known.append(aead(self.known[-1], 2 ** 64 - 1, b"", bytes(32))[:32])
        return self.known[nonce // 32]


class Channel:
    """Packets of one channel; name is the address where the peer's arrive."""

    def __init__(self, link, to, tx, rx, name, peer):
        self.link, self.to, self.name, self.peer = link, to, name, peer
        self.tx, self.rx, self.sent, self.seen = Keys(tx), Keys(rx), 0, set()

    def packet(self, kind, *fields, nonce=None):
        if nonce is None:
            nonce, self.sent = self.sent, self.sent + 1
        plain = encode([[kind, list(fields)], b""])
        return nonce.to_bytes(8, "big") + aead(self.tx[nonce], nonce, None, plain)

    def send(self, onward, back, payload):
        self.link.send(self.to, [], self.packet(PAYLOAD, [onward, back, payload]))

    def close(self):
        self.link.send(self.to, [], self.packet(CLOSE))

    def open(self, packet):
        """(kind, fields) of a packet."""
        nonce = int.from_bytes(packet[:8], "big")
        if nonce in self.seen or abs(nonce - max(self.seen, default=0)) > 32:
            raise Refused(f"nonce {nonce} again, or outside of the window")
        plain = aead(self.rx[nonce], nonce, None, packet[8:], "decrypt")
        self.seen.add(nonce)
        (kind, fields), _ = understand(plain)
        return kind, fields

    def receive(self):
        """(onward, return, payload) of the next message for an application."""
        while True:
            onward, _, packet = self.link.receive()
            if first(onward) != self.name:
                continue
            kind, fields = self.open(packet)
            if kind == CLOSE:
                raise EOFError("the peer has closed the channel")
            if kind == PAYLOAD:
                return fields[0]

    def ask(self, service, text):
        """One request to a service that talks BARE strings, and its answer."""
        self.send(route(service), route("me"), bare(text))
        return unbare(self.receive()[2])


# ---- programs ----

def answer(name, payload):
    if name == b"uppercase":
        return bare(unbare(payload).upper())
    return payload if name == b"echo" else None


class Node:
    """What listens: one connection, any number of channels."""

    def __init__(self, link, identity, report=lambda *_: None):
        self.link, self.identity, self.report, self.places = link, identity, report, {}

    def plain(self, onward, back, payload):
        name = first(onward)
        place = self.places.get(name)
        if name == b"api":
            responder = Responder(self.link, self.identity)
            responder.answer(payload, back)
            self.places[responder.name] = responder
        elif isinstance(place, Responder):
            channel = self.places[name] = place.accept(payload)
            self.report("channel", "I" + channel.peer.hex())
        elif place:
            self.packet(place, payload)
        else:
            reply = answer(name, payload)
            if reply is not None:
                self.link.send(back, route(name), reply)

    def packet(self, channel, payload):
        kind, fields = channel.open(payload)
        if kind == CLOSE:
            del self.places[channel.name]
        elif kind == PAYLOAD:
            onward, back, inner = fields[0]
            reply = answer(first(onward), inner)
            if reply is not None:
                channel.send(back, route(first(onward)), reply)

    def serve(self):
        self.link.sock.settimeout(None)
        try:
            while True:
                message = self.link.receive()
                try:
                    self.plain(*message)
                except Refused as error:
                    self.report("refused", error)
        except (EOFError, OSError):
            self.link.close()


def listen():
    def report(*words):
        print(*words, flush=True)

    identity = Identity()
    server = socket.create_server(("127.0.0.1", 0))
    report("ready", "I" + identity.identifier.hex(), server.getsockname()[1])
    while True:
        node = Node(Link(server.accept()[0]), identity, report)
        threading.Thread(target=node.serve, daemon=True).start()


def send(where, listener, service, text, count=1):
    initiator = Initiator(Link.to(where), Identity(), to=[listener])
    initiator.start()
    channel = initiator.finish()
    print("channel", "I" + channel.peer.hex())
    for _ in range(int(count)):
        print("reply", channel.ask(service, text))
    channel.close()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["listen"]:
            listen()
        case ["send", where, listener, service, text, *count]:
            send(where, listener, service, text, *count)
        case _:
            sys.exit(__doc__)
