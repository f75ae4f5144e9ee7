# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""What a hostile peer may say about itself in a handshake, and why it must be
refused. Whatever is signed is signed after it was changed, by the liar's own
keys, so that no check can hide behind a signature that does not verify."""
import os
import time

from tiny import Identity, Raw, decode, encode

NOW = int(time.time())


def put(index, value):
    """Another value for one element; a function is applied to the old one."""
    def change(items):
        old = items[index] if index < len(items) else None
        return items[:index] + [value(old) if callable(value) else value] + items[index + 1:]
    return change


def keep(count):
    return lambda items: items[:count]


def flip(data):
    return data[:-1] + bytes([data[-1] ^ 1])


def swap(items):
    return [items[1], items[0], *items[2:]]


def value(new):
    return lambda _: new


def flip_signature(signature):
    return [signature[0], [flip(signature[1][0])]]


# The seven points of low order of Curve25519, as they are sent.
P = 2 ** 255 - 19
LOW_ORDER = [n.to_bytes(32, "little") for n in (
    0, 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1, P, P + 1)]
# The topmost bit is ignored: the same points once more.
LOW_ORDER += [point[:31] + bytes([point[31] | 128]) for point in LOW_ORDER]


# ---- one field of the payload each: (what, what to change, reason) ----

def wrapped(name, reason):
    """Signed data itself: version, type, bytes."""
    versioned = f"{name}.versioned"
    return [(f"{name}: {what}", {versioned: change}, reason) for what, change in (
        ("version 0", put(0, 0)), ("version 2", put(0, 2)), ("version 257", put(0, 257)),
        ("version null", put(0, None)), ("version as text", put(0, "1")),
        ("the next type", put(1, lambda old: old % 3 + 1)),
        ("the type after it", put(1, lambda old: (old + 1) % 3 + 1)),
        ("type 4", put(1, 4)), ("type as bytes", put(1, b"\x01")),
        ("data as text", put(2, "data")), ("data as number", put(2, 7)),
        ("no data", keep(2)), ("nothing", value([])), ("a map", value({1: 1})),
    )] + [(f"{name}: data cut at {n}", {f"{name}.bytes": lambda data, n=n: data[:n]}, reason)
          for n in (0, 1, 2, 20, 40)]


def signed(name, field, reason, decoding):
    """A signature."""
    return [(f"{name}: {what}", {field: change}, why) for what, change, why in (
        ("a bit of it", flip_signature, reason),
        ("all zero", value([0, [bytes(64)]]), reason),
        ("of P-256", lambda old: [1, old[1]], reason),
        ("of an unknown kind", lambda old: [2, old[1]], decoding),
        ("of 63 bytes", value([0, [bytes(63)]]), decoding),
        ("of 65 bytes", value([0, [bytes(65)]]), decoding),
        ("as text", value("signature"), decoding),
        ("null", value(None), decoding),
        ("without value", value([0, []]), decoding),
        ("three elements", lambda old: [*old, 0], decoding),
    )]


CHANGE_0 = "change 0 of the change history does not decode"
CHANGE_1 = "change 1 of the change history does not decode"
ATTESTED = "the purpose-key attestation does not decode"
BEYOND = "the attestation reaches beyond the identity's own validity"

CHANGES = wrapped("change0", CHANGE_0) + \
    signed("signature of change 0", "change0.signature",
           "the signature of change 0 does not verify under its own key", CHANGE_0) + [
    (f"change 0: {what}", {"change0.data": change}, reason) for what, change, reason in (
        ("previous change given", put(0, bytes(32)), "the first change names a previous one"),
        ("previous change of 31 bytes", put(0, bytes(31)), CHANGE_0),
        ("previous change as number", put(0, 0), CHANGE_0),
        ("another's key", put(1, [0, [os.urandom(32)]]),
         "the signature of change 0 does not verify under its own key"),
        ("key of low order", put(1, [0, [bytes(32)]]),
         "the signature of change 0 does not verify under its own key"),
        ("key of P-256 that is no point", put(1, [1, [b"\x04" + bytes(64)]]),
         "the signature of change 0 does not verify under its own key"),
        ("key of P-256, compressed", put(1, [1, [b"\x02" + bytes(32)]]), CHANGE_0),
        ("key of an unknown kind", put(1, [2, [bytes(32)]]), CHANGE_0),
        ("key of 31 bytes", put(1, [0, [bytes(31)]]), CHANGE_0),
        ("key of 33 bytes", put(1, [0, [bytes(33)]]), CHANGE_0),
        ("key null", put(1, None), CHANGE_0),
        ("flag as number", put(2, 0), CHANGE_0),
        ("flag null", put(2, None), CHANGE_0),
        ("from as text", put(3, "0"), CHANGE_0),
        ("from below zero", put(3, -1), CHANGE_0),
        ("from after the attestation", put(3, NOW + 7200), BEYOND),
        ("until before the attestation's end", put(4, NOW + 7200), BEYOND),
        ("until null", put(4, None), CHANGE_0),
        ("until before from", lambda old: put(4, old[3] - 1)(old), BEYOND),
        ("no until", keep(4), CHANGE_0),
        ("flag left out", lambda old: old[:2] + old[3:], CHANGE_0),
        ("key and flag swapped", lambda old: [old[0], old[2], old[1], *old[3:]], CHANGE_0),
    )] + [
    ("change 0: no signature", {"change0": keep(1)}, CHANGE_0),
    ("change 0: signature first", {"change0": swap}, CHANGE_0),
    ("change 0: data as text", {"history": lambda c: [["x", c[0][1]]]}, CHANGE_0),
    ("change 0: null", {"history": value([None])}, CHANGE_0),
    ("history: empty", {"history": value([])}, "the change history is empty"),
    ("history: a map", {"history": value({})}, "it must be a CBOR array"),
    ("history: bytes", {"history": value(b"history")}, "it must be a CBOR array"),
    ("history: null", {"history": value(None)}, "it must be a CBOR array"),
    ("history: a change twice", {"history": lambda c: [c[0], c[0]]},
     "change 1 does not name the one before it"),
]

# The same with a second change: (..., rotations).
ROTATED = wrapped("change1", CHANGE_1) + \
    signed("signature of change 1", "change1.signature",
           "the signature of change 1 does not verify under its own key", CHANGE_1) + \
    signed("previous signature of change 1", "change1.previous",
           "the previous signature of change 1 does not verify under the key of change 0",
           # What is unknown or null counts as absent.
           f"{CHANGE_1}|change 1 is not signed by the key before it") + [
    ("change 1: names another", {"change1.data": put(0, bytes(32))},
     "change 1 names another previous change than change 0"),
    ("change 1: names none", {"change1.data": put(0, None)},
     "change 1 does not name the one before it"),
    ("change 1: from an earlier time", {"change1.data": put(3, 1)},
     "change 1 is valid from an earlier time than change 0"),
    ("change 1: no previous signature", {"change1": keep(2)},
     "change 1 is not signed by the key before it"),
    ("change 1: signatures swapped", {"change1": lambda c: [c[0], c[2], c[1]]},
     "the signature of change 1 does not verify under its own key"),
    ("history: out of order", {"history": swap}, "the first change names a previous one"),
    ("history: without its first", {"history": lambda c: c[1:]},
     "the first change names a previous one"),
    ("history: the last twice", {"history": lambda c: [*c, c[1]]},
     "change 2 names another previous change than change 1"),
    ("history: older than the attestation", {"history": keep(1)},
     "the attestation was not made after the identity's latest change"),
]

ATTESTATIONS = wrapped("attestation", ATTESTED) + \
    signed("signature of the attestation", "attestation.signature",
           "the attestation's signature does not verify", ATTESTED) + [
    (f"attestation: {what}", {"attestation.data": change}, reason)
    for what, change, reason in (
        ("another subject", put(0, bytes(32)), "the attestation is about another identity"),
        ("subject of 31 bytes", put(0, bytes(31)), ATTESTED),
        ("subject null", put(0, None), ATTESTED),
        ("another change", put(1, bytes(32)),
         "the attestation was not made after the identity's latest change"),
        ("change as text", put(1, "change"), ATTESTED),
        ("for credentials", put(2, [1, [[0, [bytes(32)]]]]), "not for secure channels"),
        ("a credential's key as the channel's", put(2, lambda old: [1, old[1]]), ATTESTED),
        ("another key", put(2, [0, [bytes(32)]]), "another key than the one it used"),
        ("key of an unknown kind", put(2, lambda old: [2, old[1]]), ATTESTED),
        ("key of 31 bytes", put(2, [0, [bytes(31)]]), ATTESTED),
        ("key null", put(2, None), ATTESTED),
        ("made before the identity", put(3, NOW - 86400), BEYOND),
        ("made in the future", put(3, NOW + 3600), "the attestation was made in the future"),
        ("made at a negative time", put(3, -1), ATTESTED),
        ("made at a time of text", put(3, "now"), ATTESTED),
        ("beyond the identity's end", put(4, 2 ** 40), BEYOND),
        ("for ever", put(4, 2 ** 64 - 1), BEYOND),
        ("expired", put(4, NOW - 5), "the attestation has expired"),
        ("no end", keep(4), ATTESTED),
        ("times swapped", lambda old: [*old[:3], old[4], old[3]],
         "the attestation was made in the future"),
    )] + [
    ("attestation: no signature", {"attestation": keep(1)}, ATTESTED),
    ("attestation: signature first", {"attestation": swap}, ATTESTED),
    ("attestation: null", {"attestation": value(None)}, ATTESTED),
    ("attestation: a change", {"attestation": value([b"", [0, [bytes(64)]]])}, ATTESTED),
]

NO_DECODE = "the peer's identity message does not decode"
CREDENTIALS = "the peer's credentials do not decode"
CREDENTIAL_DATA = "the credential does not decode"

PAYLOADS = [
    ("payload: no credentials", {"payload": keep(2)}, "has no credentials"),
    ("payload: history only", {"payload": keep(1)}, NO_DECODE),
    ("payload: empty array", {"payload": value([])}, NO_DECODE),
    ("payload: no bytes", {"payload.bytes": value(b"")}, NO_DECODE),
    ("payload: no CBOR", {"payload.bytes": value(b"\xff" * 300)}, NO_DECODE),
    ("payload: a map", {"payload.bytes": value(b"\xa0")}, NO_DECODE),
    ("payload: 2^64 elements", {"payload.bytes": value(b"\x9b" + b"\xff" * 8)}, NO_DECODE),
    ("payload: deep arrays", {"payload.bytes": value(b"\x81" * 20000)}, NO_DECODE),
    ("payload: attestation first", {"payload": swap}, ATTESTED),
    ("payload: history twice", {"payload": lambda p: [p[0], p[0], p[2]]}, ATTESTED),
    ("payload: attestation twice", {"payload": lambda p: [p[1], p[1], p[2]]}, "change 0 of"),
    ("payload: credentials null", {"payload": put(2, None)}, CREDENTIALS),
    ("payload: credentials as map", {"payload": put(2, {})}, CREDENTIALS),
    ("payload: a credential that is a number", {"payload": put(2, [1])}, "credential"),
    ("payload: a credential that is null", {"payload": put(2, [None])}, "credential"),
    ("payload: a credential without attestation", {"payload": put(2, [[[b"", [0, [bytes(64)]]]]])},
     "credential"),
] + [(f"payload: cut at {n}", {"payload.bytes": lambda data, n=n: data[:n]},
      "does not decode|ends too early|has no credentials|do not decode")
     for n in (1, 2, 3, 5, 60, 100, 130, 135, 140, 200, 321, 322)]


def stolen(_):
    """What another identity has shown once, to somebody else."""
    other = Identity()
    return [other.history, other.attest([0, [os.urandom(32)]]), []]


def stolen_history(payload):
    return [Identity().history, *payload[1:]]


THEFT = [
    ("another's history and attestation", {"payload": stolen}, "another key than the one it used"),
    ("another's history", {"payload": stolen_history}, "the attestation is about another identity"),
    ("another's key under one's own name", {"attestation": lambda own: [
        own[0], Identity().attest([0, [bytes(32)]])[1]]},
     "the attestation's signature does not verify"),
]

# ---- credentials: they spoil the message, or only themselves ----

NONE = "this is no credential: it does not decode|the purpose-key attestation does not decode"
UNDATED = "the credential reaches beyond the validity of the key that signed it"
SUBJECT = "the credential is about another identity"

CREDENTIAL_LIES = wrapped("credential", NONE) + wrapped("issuer", NONE) + \
    signed("signature of the credential", "credential.signature",
           "the credential's signature does not verify", NONE) + \
    signed("signature of the issuer's attestation", "issuer.signature",
           "issuer: the attestation's signature does not verify", NONE) + [
    (f"credential: {what}", {"credential.data": change}, reason)
    for what, change, reason in (
        ("another subject", put(0, bytes(32)), SUBJECT),
        ("no subject", put(0, None), "the credential names no subject"),
        ("subject of 31 bytes", put(0, bytes(31)), NONE),
        ("subject as text", put(0, "me"), NONE),
        ("change as number", put(1, 1), NONE),
        ("attributes null", put(2, None), NONE),
        ("attributes without schema", put(2, [{b"role": b"x"}]), NONE),
        ("schema as text", put(2, ["1", {}]), NONE),
        ("attributes as array", put(2, [1, [b"role", b"x"]]), NONE),
        ("a name as text", put(2, [1, {"role": b"x"}]), NONE),
        ("a value as text", put(2, [1, {b"role": "x"}]), NONE),
        ("attributes of 5 KiB", put(2, [1, {b"role": bytes(5000)}]), "credential"),
        ("made before its key", put(3, 1), UNDATED),
        ("made in the future", put(3, NOW + 3000), "the credential was made in the future"),
        ("made at a time of text", put(3, "now"), NONE),
        ("beyond its key", put(4, 2 ** 40), UNDATED),
        ("expired", put(4, NOW - 5), "the credential has expired"),
        ("no end", keep(4), NONE),
    )] + [
    (f"issuer: {what}", {"issuer.data": change}, reason)
    for what, change, reason in (
        ("another subject", put(0, bytes(32)), "which is no accepted authority"),
        ("another change", put(1, bytes(32)), "not made after the identity's latest change"),
        ("a key for channels", put(2, [0, [bytes(32)]]), "a key that is not for credentials"),
        ("another key", put(2, [1, [[0, [bytes(32)]]]]), "signature does not verify"),
        ("key of an unknown kind", put(2, [1, [[7, [bytes(32)]]]]), NONE),
        ("expired", put(4, NOW - 5), "the attestation has expired"),
        ("made in the future", put(3, NOW + 3600), "the attestation was made in the future"),
    )] + [
    ("credential: no signature", {"credential": keep(1)}, NONE),
    ("credential: signature first", {"credential": swap}, NONE),
    ("issuer: no signature", {"issuer": keep(1)}, NONE),
    ("list: the attestation first", {"credentials": lambda c: [swap(c[0])]}, NONE),
    ("list: half of one", {"credentials": lambda c: [c[0][:1]]}, NONE),
    ("list: no list around it", {"credentials": lambda c: c[0]}, NONE),
    ("list: empty", {"credentials": value([])}, "has shown no valid credential"),
    ("list: too late", {"credentials": lambda c: [
        [c[0][0], Identity().attest([1, [[0, [bytes(32)]]]], "issuer")]] * 8 + c},
     "has shown no valid credential"),
]

LIES = [(*lie, 0) for lie in CHANGES + ATTESTATIONS + PAYLOADS + THEFT] + \
    [(*lie, 1) for lie in ROTATED]


# ---- unusual, and accepted, as the Rust implementation accepts it ----

def wider(data):
    """The outer array's head in an indefinite form, with a byte behind it."""
    items, _ = decode(data)
    return b"\x9f" + b"".join(map(encode, items)) + b"\xff" + b"behind"


def long_head(items):
    """An array whose count takes eight bytes."""
    return Raw(b"\x9b" + len(items).to_bytes(8, "big") + b"".join(map(encode, items)))


UNUSUAL = [
    ("bytes behind the payload", {"payload.bytes": lambda data: data + b"\xff\x00"}, 0),
    ("a payload of indefinite length", {"payload.bytes": wider}, 0),
    ("a fourth element of the payload", {"payload": lambda p: [*p, {1: [2]}]}, 0),
    ("a long count of the history", {"history": long_head}, 0),
    ("bytes behind a change", {"change0.bytes": lambda data: data + b"\xff"}, 0),
    ("a sixth element of a change", {"change0.data": lambda d: [*d, None]}, 0),
    ("a fourth element of signed data", {"change0.versioned": lambda d: [*d, "x"]}, 0),
    ("a flag that revokes", {"change0.data": put(2, True)}, 0),
    ("a previous signature of the first change",
     {"change0": lambda c: [*c, [0, [bytes(64)]]]}, 0),
    ("an attestation 30 s ahead", {"attestation.data": put(3, lambda old: old + 30)}, 0),
    ("a second change", {}, 1),
    ("a fourth change", {}, 3),
]
