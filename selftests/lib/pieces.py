# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""What tests that stand between the two ends of a link have in common."""
import contextlib
import socket


def pieces(sock):
    """A link's version byte, then frame by frame, length and body, to the end of the stream."""
    read = sock.makefile("rb")
    piece = read.read(1)
    while piece:
        yield piece
        head = read.read(4)
        size = int.from_bytes(head, "big")
        piece = head + read.read(size)
        if len(piece) < 4 + size:
            return


def end(*socks):
    for sock in socks:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
