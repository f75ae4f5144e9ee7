#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""Make identity_cases.json: change histories with one oddity each.

    gen_identity_cases.py >identity_cases.json

Each says whether the published Rust implementation takes it (the interop tests
ask it), what is expected here, and what with strict identities at the time
"now". Keys and nonces are fixed, so that the file always comes out the same.
The arithmetic is the schoolbook's, in no way fit for secrets.
"""

import hashlib
import json

NOW = 1800000000
YEAR = 365 * 86400


def sha256(data):
    return hashlib.sha256(data).digest()


# Ed25519 (RFC 8032)

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def ed_add(a, b):
    k = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + a[1] * b[0]) * pow(1 + k, P - 2, P) % P
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, P - 2, P) % P
    return (x, y)


def ed_mul(scalar, point):
    out = (0, 1)
    while scalar:
        if scalar & 1:
            out = ed_add(out, point)
        point = ed_add(point, point)
        scalar >>= 1
    return out


def ed_base():
    y = 4 * pow(5, P - 2, P) % P
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_M1 % P
    return (P - x if x & 1 else x, y)


def ed_encode(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


class Ed25519:
    kind = 0

    def __init__(self, seed):
        digest = hashlib.sha512(bytes([seed] * 32)).digest()
        self.scalar = int.from_bytes(digest[:32], "little")
        self.scalar = self.scalar & ~7 & ~(1 << 255) | 1 << 254
        self.prefix = digest[32:]
        self.public = ed_encode(ed_mul(self.scalar, ed_base()))

    def sign(self, data):
        message = sha256(data)
        r = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % L
        point = ed_encode(ed_mul(r, ed_base()))
        k = hashlib.sha512(point + self.public + message).digest()
        s = (r + int.from_bytes(k, "little") * self.scalar) % L
        return point + s.to_bytes(32, "little")


# P-256

Q = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)


def p256_add(a, b):
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0]:
        if (a[1] + b[1]) % Q == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], Q - 2, Q)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], Q - 2, Q)
    x = (slope * slope - a[0] - b[0]) % Q
    return (x, (slope * (a[0] - x) - a[1]) % Q)


def p256_mul(scalar, point):
    out = None
    while scalar:
        if scalar & 1:
            out = p256_add(out, point)
        point = p256_add(point, point)
        scalar >>= 1
    return out


class P256:
    kind = 1

    def __init__(self, seed):
        self.scalar = int.from_bytes(bytes([seed] * 32), "big")
        x, y = p256_mul(self.scalar, G)
        self.public = b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")

    def sign(self, data, high=False):
        hashed = sha256(sha256(data))
        nonce = int.from_bytes(sha256(hashed + bytes([self.scalar & 255])), "big") % N
        r = p256_mul(nonce, G)[0] % N
        s = pow(nonce, N - 2, N) * (int.from_bytes(hashed, "big") + r * self.scalar) % N
        if (s > N // 2) != high:
            s = N - s
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


# CBOR

def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 1 << 8 * size:
            return bytes([major << 5 | code]) + n.to_bytes(size, "big")
    raise OverflowError


def array(*items):
    return head(4, len(items)) + b"".join(items)


def data(raw):
    return head(2, len(raw)) + raw


def number(n):
    return head(0, n)


NULL = b"\xf6"


def variant(kind, raw):
    return array(number(kind), array(data(raw)))


class Change:
    """One change; what a case does not set is as it should be."""

    def __init__(self, key, before=None, **odd):
        get = odd.get
        start = get("start", NOW - 1000)
        inner = array(
            get("previous", data(sha256(before.data)) if before else NULL),
            get("public", variant(key.kind, key.public)),
            get("revoke", b"\xf4"),
            number(start), number(get("until", start + 10 * YEAR)))
        self.key = key
        self.start = start
        self.data = array(number(get("version", 1)), number(get("type", 1)), data(inner))
        signer = get("signer", key)
        own = get("own", variant(signer.kind, signer.sign(self.data)))
        parts = [data(self.data), own]
        if before:
            signer = get("old_signer", before.key)
            parts.append(variant(signer.kind, signer.sign(self.data)))
        if "third" in odd:
            parts[2:] = odd["third"]
        if get("swap"):
            parts[1], parts[2] = parts[2], parts[1]
        self.bytes = array(*parts)


cases = []


def case(why, rust, ours, strict, *changes):
    cases.append({
        "why": why, "rust": rust, "default": ours, "strict": strict,
        "history": array(*(c.bytes for c in changes)).hex(),
    })


def raw_ed(public, signature):
    """A key that is bytes only, with a signature that is bytes only."""
    return {"public": variant(0, public), "own": variant(0, signature)}


def times(a, b):
    first = Change(a)
    case("one change", True, True, True, first)
    case("a change that ends before it begins", True, True, False,
         Change(a, until=NOW - 1001))
    case("a change that ends as it begins, in the past", True, True, False,
         Change(a, until=NOW - 1000))
    case("a change that ends now", True, True, True, Change(a, until=NOW))
    case("a change that ended a second ago", True, True, False, Change(a, until=NOW - 1))
    case("a change that begins in a minute", True, True, True, Change(a, start=NOW + 60))
    case("a change that begins a second later", True, True, False, Change(a, start=NOW + 61))
    case("times at the end of the numbers", True, True, False,
         Change(a, start=2**64 - 1, until=2**64 - 1))
    short = Change(a, start=NOW - 1000, until=NOW - 500)
    case("continued in the last second of the old key", True, True, True, short,
         Change(b, short, start=NOW - 500))
    case("continued a second after the old key has expired", True, True, False, short,
         Change(b, short, start=NOW - 499))
    case("the second change begins before the first", False, False, False, first,
         Change(b, first, start=NOW - 1001))
    case("the second change begins with the first", True, True, True, first, Change(b, first))
    case("the second change ends before the first", True, True, True, first,
         Change(b, first, until=NOW + 5))


def shapes(a, b):
    first = Change(a)
    for version in (0, 2, 255):
        case("version %d" % version, False, False, False, Change(a, version=version))
    for kind in (0, 2, 3, 255):
        case("data of type %d" % kind, False, False, False, Change(a, type=kind))
    case("the second change is of type 2", False, False, False, first, Change(b, first, type=2))
    case("signatures swapped", False, False, False, first, Change(b, first, swap=True))
    case("both signatures by the new key", False, False, False, first,
         Change(b, first, old_signer=b))
    case("both signatures by the old key", False, False, False, first, Change(b, first, signer=a))
    case("signed by the first key instead of the second", False, False, False, first,
         *chain(first, b, a))
    case("no previous signature", False, False, False, first, Change(b, first, third=[]))
    case("a null as previous signature", False, False, False, first,
         Change(b, first, third=[NULL]))
    case("a null as previous signature of the first change", True, True, True,
         Change(a, third=[NULL]))
    case("a wrong previous signature of the first change", True, True, True,
         Change(a, third=[variant(0, bytes(64))]))
    case("a previous signature of a kind that is not known, first change", True, True, True,
         Change(a, third=[variant(2, bytes(64))]))
    case("no signature at all", False, False, False, Change(a, own=NULL))
    case("a signature of 63 bytes", False, False, False, Change(a, own=variant(0, bytes(63))))
    case("a public key of 31 bytes", False, False, False, Change(a, public=variant(0, bytes(31))))
    case("a public key of a kind that is not known", False, False, False,
         Change(a, public=variant(2, a.public)))
    case("the hash of the change before with a bit changed", False, False, False, first,
         Change(b, first, previous=data(bytes([sha256(first.data)[0] ^ 1]) +
                                        sha256(first.data)[1:])))
    case("null instead of the hash", False, False, False, first, Change(b, first, previous=NULL))
    case("a hash in the first change", False, False, False, Change(a, previous=data(bytes(32))))
    case("the same change twice", False, False, False, first, first)
    case("all purpose keys revoked", True, True, True, Change(a, revoke=b"\xf5"))
    case("a number as revocation", False, False, False, Change(a, revoke=b"\x00"))
    case("no change", False, False, False)


def chain(first, b, a):
    second = Change(b, first)
    return second, Change(Ed25519(9), second, old_signer=a)


def curves(a, b):
    p = P256(7)
    first = Change(a)
    own = Change(p)
    case("P-256", True, True, True, own)
    case("P-256, the higher s", True, True, True,
         Change(p, own=variant(1, p.sign(own.data, high=True))))
    case("Ed25519, then P-256", True, True, True, first, Change(p, first))
    case("P-256, then Ed25519", True, True, True, own, Change(b, own))
    case("P-256, then P-256", True, True, True, own, Change(P256(8), own))
    case("a P-256 key with an Ed25519 signature", False, False, False,
         Change(p, own=variant(0, a.sign(own.data))))
    case("an Ed25519 key with a P-256 signature", False, False, False,
         Change(a, own=variant(1, p.sign(first.data))))
    case("P-256, signature of zeros", False, False, False, Change(p, own=variant(1, bytes(64))))
    good = p.sign(own.data)
    case("P-256, r is 0", False, False, False,
         Change(p, own=variant(1, bytes(32) + good[32:])))
    case("P-256, s is 0", False, False, False,
         Change(p, own=variant(1, good[:32] + bytes(32))))
    case("P-256, s is the order", False, False, False,
         Change(p, own=variant(1, good[:32] + N.to_bytes(32, "big"))))
    case("P-256, r and s in little endian", False, False, False,
         Change(p, own=variant(1, good[31::-1] + good[:31:-1])))
    for why, public in (
            ("compressed", bytes([2 + (p.public[64] & 1)]) + p.public[1:33]),
            ("compressed and filled up", bytes([2]) + p.public[1:]),
            ("in hybrid form", bytes([6 + (p.public[64] & 1)]) + p.public[1:]),
            ("no point of the curve", p.public[:64] + bytes([p.public[64] ^ 1])),
            ("the point 0, 0", b"\x04" + bytes(64)),
            ("the point at infinity", bytes(65)),
            ("a coordinate above the field", b"\x04" + (Q + 5).to_bytes(32, "big") +
             p.public[33:])):
        case("P-256 key: " + why, False, False, False, Change(p, public=variant(1, public)))


def edges(a):
    """What RFC 8032 leaves to the implementation: both accept the same."""
    first = Change(a)
    sig = a.sign(first.data)
    over = (int.from_bytes(sig[32:], "little") + L).to_bytes(32, "little")
    case("Ed25519, s above the order", False, False, False,
         Change(a, own=variant(0, sig[:32] + over)))
    one = (1).to_bytes(32, "little")
    zero = one + bytes(32)
    case("Ed25519, the key is the neutral point", True, True, True, Change(a, **raw_ed(one, zero)))
    odd = (1 | 1 << 255).to_bytes(32, "little")
    case("Ed25519, the neutral point with the sign of -0", True, True, True,
         Change(a, **raw_ed(odd, zero)))
    odd = (P + 1).to_bytes(32, "little")
    case("Ed25519, the neutral point in a longer form", True, True, True,
         Change(a, **raw_ed(odd, zero)))
    case("Ed25519, R in a longer form", False, False, False,
         Change(a, **raw_ed(one, odd + bytes(32))))
    case("Ed25519, the key is no point", False, False, False,
         Change(a, **raw_ed((2).to_bytes(32, "little"), zero)))


def main():
    a = Ed25519(1)
    b = Ed25519(2)
    times(a, b)
    shapes(a, b)
    curves(a, b)
    edges(a)
    print(json.dumps({"note": "made by gen_identity_cases.py", "now": NOW, "cases": cases},
                     indent=1))


main()
