# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""AF_OCKAM sockets for Python.

Python's own socket module makes sockets of the family, but refuses each call
that takes or returns an address. This one is a socket.socket with those calls
replaced; all else, select, asyncio and options included, is as usual.

    import ockam_socket

    with ockam_socket.Socket() as sock:
        sock.bind("mine")
        data, back = sock.recvfrom(65536)
        sock.sendto(data, back)

An address is a Route: hops, first one first. Wherever one is taken a text does
as well: "channel => echo". A Route that does not fit a socket address goes as
ancillary data by itself, in both directions.
"""

import ctypes
import errno
import os
import select
import socket
import struct
import time

AF_OCKAM = 18
SOL_OCKAM = 318
OCKAM_CMSG_ROUTE = 1
OCKAM_CMSG_PEER = 2
OCKAM_RECVROUTE = 1
OCKAM_RECVPEER = 2
OCKAM_REACH = 3
OCKAM_REACH_LOCAL = 1
OCKAM_REACH_LINKS = 2
OCKAM_REACH_CHANNELS = 4
OCKAM_REACH_ALL = 7

LOCAL = 0
_HEAD = struct.Struct("=HBB")       # family, hops, zero
_ADDRESS_BYTES = 128                # struct sockaddr_ockam
_ROUTE_BYTES = 2048                 # OCKAM_ROUTE_MAX_BYTES
_IDENTIFIER_BYTES = 32

_libc = ctypes.CDLL(None, use_errno=True)


class _Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class _Msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32),
                ("iov", ctypes.POINTER(_Iovec)), ("iovlen", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


for _name, _args in (
        ("bind", (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)),
        ("connect", (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)),
        ("getsockname", (ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(ctypes.c_uint32))),
        ("getpeername", (ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(ctypes.c_uint32)))):
    getattr(_libc, _name).argtypes = _args
for _name in ("sendmsg", "recvmsg"):
    getattr(_libc, _name).argtypes = (ctypes.c_int, ctypes.POINTER(_Msghdr), ctypes.c_int)
    getattr(_libc, _name).restype = ctypes.c_ssize_t


class Route(tuple):
    """Hops, each (type, name) with a name of 1 to 255 bytes."""

    def __new__(cls, hops=()):
        """From a text, a name in bytes, or hops: texts, bytes, (type, name)."""
        if isinstance(hops, str):
            hops = [hop.strip() for hop in hops.split("=>")] if hops.strip() else []
        elif isinstance(hops, (bytes, bytearray)):
            hops = [hops]
        return super().__new__(cls, map(cls._hop, hops))

    @staticmethod
    def _hop(hop):
        kind, name = LOCAL, hop
        if isinstance(hop, str):
            head, mark, tail = hop.partition("#")
            if mark and head.isdigit():
                kind, name = int(head), tail
        elif not isinstance(hop, (bytes, bytearray)):
            kind, name = hop
        name = name.encode() if isinstance(name, str) else bytes(name)
        if not 0 <= kind <= 255 or not 1 <= len(name) <= 255:
            raise ValueError(f"no hop of a route: {hop!r}")
        return kind, name

    def __add__(self, other):
        return Route(tuple(self) + tuple(Route(other)))

    def __str__(self):
        return " => ".join(f"{kind}#{name.decode(errors='replace')}" for kind, name in self)

    def pack(self):
        """The bytes that the kernel takes and gives."""
        return b"".join(bytes((kind, len(name))) + name for kind, name in self)

    @classmethod
    def unpack(cls, packed):
        hops = []
        while packed:
            if len(packed) < 2 or len(packed) < 2 + packed[1]:
                raise ValueError("bytes that are no packed route")
            hops.append((packed[0], packed[2:2 + packed[1]]))
            packed = packed[2 + packed[1]:]
        return cls(hops)

    def _sockaddr(self):
        """A socket address, or None when it does not fit one."""
        packed = self.pack()
        if len(packed) > _ADDRESS_BYTES - _HEAD.size:
            return None
        return _HEAD.pack(AF_OCKAM, len(self), 0) + packed

    @classmethod
    def _from_sockaddr(cls, raw):
        return cls.unpack(raw[_HEAD.size:])


def _check(result):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


class Socket(socket.socket):
    """A datagram socket of the node of this network namespace.

    After recvfrom(), recvfrom_into() or recvmsg() the attribute peer holds the 32
    bytes of the identifier of who sent the message, when it came through a
    secure channel, else None.
    """

    def __init__(self, kind=socket.SOCK_DGRAM, proto=0, fileno=None):
        super().__init__(AF_OCKAM, kind, proto, fileno)
        self.peer = None
        if kind & ~(socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) == socket.SOCK_DGRAM:
            self.setsockopt(SOL_OCKAM, OCKAM_RECVROUTE, 1)
            self.setsockopt(SOL_OCKAM, OCKAM_RECVPEER, 1)

    def _wait(self, event, call):
        """Repeat a call that would block until the socket's timeout."""
        timeout = self.gettimeout()
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return _check(call())
            except InterruptedError:
                continue
            except BlockingIOError:
                # In blocking mode it is SO_RCVTIMEO or SO_SNDTIMEO that has passed.
                if not timeout:
                    raise
            left = end - time.monotonic()
            poll = select.poll()
            poll.register(self.fileno(), event)
            if left <= 0 or not poll.poll(left * 1000):
                raise socket.timeout("timed out")

    def bind(self, address=()):
        """Take a name; without one the kernel makes a random one."""
        raw = self._raw(address)
        _check(_libc.bind(self.fileno(), raw, len(raw)))

    def connect(self, address):
        """Where send() goes, and whose messages alone are received."""
        raw = self._raw(address)
        self._wait(select.POLLOUT, lambda: _libc.connect(self.fileno(), raw, len(raw)))

    def connect_ex(self, address):
        try:
            self.connect(address)
        except OSError as error:
            return error.errno or errno.EAGAIN
        return 0

    def disconnect(self):
        """Undo connect()."""
        raw = struct.pack("=H14x", socket.AF_UNSPEC)
        _check(_libc.connect(self.fileno(), raw, len(raw)))

    @staticmethod
    def _raw(address):
        raw = Route(address)._sockaddr()
        if raw is None:
            raise OSError(errno.EMSGSIZE, "the route does not fit a socket address")
        return raw

    def _name(self, call):
        buffer = ctypes.create_string_buffer(_ADDRESS_BYTES)
        size = ctypes.c_uint32(_ADDRESS_BYTES)
        _check(call(self.fileno(), buffer, ctypes.byref(size)))
        return Route._from_sockaddr(buffer.raw[:size.value])

    def getsockname(self):
        return self._name(_libc.getsockname)

    def getpeername(self):
        return self._name(_libc.getpeername)

    def sendto(self, data, *args):
        """sendto(data, address) or sendto(data, flags, address)"""
        if not 1 <= len(args) <= 2:
            raise TypeError("sendto(data[, flags], address)")
        return self.sendmsg([data], (), args[0] if len(args) == 2 else 0, args[-1])

    def sendmsg(self, buffers, ancdata=(), flags=0, address=None):
        data = b"".join(bytes(buffer) for buffer in buffers)
        ancdata = list(ancdata)
        raw = b""
        if address is not None:
            route = Route(address)
            raw = route._sockaddr()
            if raw is None:
                raw = b""
                ancdata.append((SOL_OCKAM, OCKAM_CMSG_ROUTE, route.pack()))
        control = b"".join(self._cmsg(*item) for item in ancdata)
        iov = _Iovec(ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), len(data))
        name = ctypes.create_string_buffer(raw, len(raw) or 1)
        ancillary = ctypes.create_string_buffer(control, len(control) or 1)
        message = _Msghdr(ctypes.addressof(name) if raw else None, len(raw), ctypes.pointer(iov),
                          1, ctypes.addressof(ancillary) if control else None, len(control), 0)
        return self._wait(select.POLLOUT, lambda: _libc.sendmsg(
            self.fileno(), ctypes.byref(message), flags | socket.MSG_NOSIGNAL))

    @staticmethod
    def _cmsg(level, kind, data):
        data = bytes(data)
        head = struct.pack("@Nii", socket.CMSG_LEN(len(data)), level, kind)
        return (head + data).ljust(socket.CMSG_SPACE(len(data)), b"\0")

    def recvmsg(self, bufsize, ancbufsize=0, flags=0):
        """(data, ancillary data, flags, return route)"""
        room = ancbufsize + socket.CMSG_SPACE(_ROUTE_BYTES) + socket.CMSG_SPACE(_IDENTIFIER_BYTES)
        data = ctypes.create_string_buffer(bufsize or 1)
        name = ctypes.create_string_buffer(_ADDRESS_BYTES)
        ancillary = ctypes.create_string_buffer(room)
        iov = _Iovec(ctypes.addressof(data), bufsize)
        message = _Msghdr(ctypes.addressof(name), _ADDRESS_BYTES, ctypes.pointer(iov), 1,
                          ctypes.addressof(ancillary), room, 0)

        def call():
            message.namelen, message.controllen = _ADDRESS_BYTES, room
            return _libc.recvmsg(self.fileno(), ctypes.byref(message), flags)

        length = self._wait(select.POLLIN, call)
        found, rest = [], ancillary.raw[:message.controllen]
        route = Route._from_sockaddr(name.raw[:message.namelen]) if message.namelen else None
        self.peer = None
        while len(rest) >= socket.CMSG_LEN(0):
            size, level, kind = struct.unpack_from("@Nii", rest)
            body = rest[socket.CMSG_LEN(0):size]
            if (level, kind) == (SOL_OCKAM, OCKAM_CMSG_ROUTE):
                route = Route.unpack(body)
            elif (level, kind) == (SOL_OCKAM, OCKAM_CMSG_PEER):
                self.peer = body
            else:
                found.append((level, kind, body))
            rest = rest[max(socket.CMSG_SPACE(len(body)), 1):]
        # With MSG_TRUNC the kernel tells how long the message was.
        return data.raw[:min(length, bufsize)], found, message.flags, route

    def recvfrom(self, bufsize, flags=0):
        """(data, return route)"""
        data, _, _, route = self.recvmsg(bufsize, 0, flags)
        return data, route

    def recvfrom_into(self, buffer, nbytes=0, flags=0):
        data, route = self.recvfrom(nbytes or len(memoryview(buffer).cast("B")), flags)
        memoryview(buffer).cast("B")[:len(data)] = data
        return len(data), route

    def dup(self):
        sock = type(self)(self.type, self.proto, os.dup(self.fileno()))
        sock.settimeout(self.gettimeout())
        return sock
