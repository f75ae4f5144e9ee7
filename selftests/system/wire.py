#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""Looks at the wire and interferes with it, for tests.

wire.py capture FILE         everything on lo, until SIGTERM
wire.py proxy PORT FLAG      listens on a port (printed), forwards to 127.0.0.1:PORT;
                             while the file FLAG exists, one bit in the last byte of
                             the next frame from the client is flipped, and FLAG removed
wire.py search FILE DB...    exit 1 when a text of the environment variable TEXTS
                             (separated by |) or a secret key of a database is in FILE
wire.py written KEYS DB FILE...   exit 1 when a secret key of a database or of the file
                             KEYS (hexadecimal, one a line) is in a FILE, in any form
"""
import base64
import os
import signal
import socket
import sqlite3
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from pieces import end, pieces  # pylint: disable=wrong-import-position

ETH_P_ALL = 3


def capture(path):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.bind(("lo", 0))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    sock.settimeout(0.1)
    with open(path, "wb", buffering=0) as out:
        print("ready", flush=True)
        while not stop.is_set():
            try:
                out.write(sock.recv(1 << 17))
            except socket.timeout:
                continue


def copy_frames(source, sink, flag):
    """Frame by frame; tampers with one while the flag is up."""
    try:
        for number, piece in enumerate(pieces(source)):
            if number and flag and os.path.exists(flag):
                os.unlink(flag)
                piece = piece[:-1] + bytes([piece[-1] ^ 1])
            sink.sendall(piece)
    except OSError:
        pass
    end(source, sink)


def proxy(port, flag):
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", port))
        for args in ((client, server, flag), (server, client, None)):
            threading.Thread(target=copy_frames, args=args, daemon=True).start()


def secrets(path):
    """What the columns named secret hold."""
    db = sqlite3.connect(path)
    return [secret for (secret,) in db.execute("select secret from keys")]


def search(path, databases):
    data = open(path, "rb").read()
    needles = [text.encode() for text in os.environ["TEXTS"].split("|")]
    keys = [key for db in databases for key in secrets(db)]
    if not data or not keys:
        sys.exit("nothing captured, or no keys to look for")
    for needle in needles + keys:
        if needle in data:
            sys.exit("found on the wire: " + (needle.decode() if needle in needles else "a key"))
    print(f"{len(data)} bytes, {len(needles)} texts, {len(keys)} keys: nothing found")


def written(keys, database, paths):
    """Logs: bytes, hexadecimal and base64 of each key."""
    with open(keys, encoding="ascii") as file:
        known = [bytes.fromhex(line) for line in file]
    stored = secrets(database)
    data = b"".join(open(path, "rb").read() for path in paths)
    if not data or not known or not stored:
        sys.exit("no log, or no keys to look for")
    for key in known + stored:
        # Half of one is too much as well.
        for form in (key[:16], key.hex().encode()[:32], key.hex().upper().encode()[:32],
                     base64.b64encode(key)[:20]):
            if form in data:
                sys.exit("a secret key was written down")
    print(f"{len(data)} bytes, {len(known)} and {len(stored)} keys: nothing found")


def main():
    match sys.argv[1:]:
        case ["capture", path]:
            capture(path)
        case ["proxy", port, flag]:
            proxy(int(port), flag)
        case ["search", path, *databases]:
            search(path, databases)
        case ["written", keys, database, *paths]:
            written(keys, database, paths)
        case _:
            sys.exit(__doc__)


main()
