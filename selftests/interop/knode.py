# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""A kernel node as the scripts beside this file see it: its node process by the
control protocol, its counters, its log, its handshake worker, its sockets."""
import contextlib
import ctypes
import glob
import json
import os
import re
import socket
import sys
import time

AF_OCKAM, SOL_OCKAM, OCKAM_REACH, REACH_ALL = 18, 318, 3, 7
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
libc = ctypes.CDLL(None, use_errno=True)


def wait_until(condition, seconds=20):
    """The condition's last value: it holds, or the time is up."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return value


class Failed(Exception):
    """The node process refused a request; the text is for people."""


class KernelNode:
    def __init__(self, name):
        self.name, self.calls, self.answers = name, 0, {}
        (path,) = glob.glob(f"/run/ockam/*/{name}")
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20)
        self.control.connect(path)
        self.info = self.call("node.info")
        (log,) = glob.glob(f"{os.environ['OCKAM_HOME']}/nodes/{name}/stdout*.log")
        self.log = open(log, encoding="utf-8")
        self.log.seek(0, os.SEEK_END)
        self.lines = []

    def call(self, op, **args):
        return self.reply(self.ask(op, **args))

    def ask(self, op, **args):
        """A request whose answer is fetched later, by the number returned."""
        self.calls += 1
        request = {"v": 1, "id": self.calls, "op": op, "args": args}
        self.control.send(json.dumps(request).encode())
        return self.calls

    def reply(self, number, seconds=60):
        self.control.settimeout(seconds)
        while number not in self.answers:
            answer = json.loads(self.control.recv(1 << 20))
            self.answers[answer["id"]] = answer
        answer = self.answers.pop(number)
        if not answer["ok"]:
            error = answer["error"]
            raise Failed(error["text"])
        return answer.get("result")

    def where(self):
        """HOST:PORT of its TCP listener."""
        return self.call("tcp-listener.list")[0]["address"]

    def counters(self):
        return self.call("node.info")["counters"]

    def count(self, name):
        return self.counters().get(name, 0)

    def pending(self):
        """Handshakes that are neither done nor failed."""
        now = self.counters()
        return now.get("handshakes_started", 0) - now.get("handshakes_done", 0) - \
            now.get("handshakes_failed", 0)

    def open_links(self):
        now = self.counters()
        return now.get("links_opened", 0) - sum(
            value for name, value in now.items()
            if name == "links_closed" or name.startswith("links_failed"))

    def open_channels(self):
        now = self.counters()
        return now.get("channels_opened", 0) - now.get("channels_closed", 0)

    def logged(self, pattern, seconds=20):
        """The first new line that matches; those before it are forgotten."""
        def look():
            self.lines += self.log.read().splitlines()
            while self.lines:
                line = self.lines.pop(0)
                if re.search(pattern, line):
                    return line
            return None
        return wait_until(look, seconds)

    def forget_log(self):
        self.log.read()
        self.lines = []

    @contextlib.contextmanager
    def inside(self):
        """The calling thread in the node's network namespace."""
        (path,) = glob.glob(f"/run/netns/ockam-*-{self.name}") or \
            glob.glob(f"/run/netns/ockam-{self.name}")
        with open("/proc/thread-self/ns/net") as home, open(path) as there:
            enter(there)
            try:
                yield
            finally:
                enter(home)

    def limit(self, name, value=None):
        """The limit before; sets another one."""
        with self.inside():
            with open(f"/proc/sys/net/ockam/{name}", encoding="ascii") as file:
                before = int(file.read())
            if value is not None:
                with open(f"/proc/sys/net/ockam/{name}", "w", encoding="ascii") as file:
                    file.write(str(value))
        return before

    def worker_memory(self):
        """Resident kilobytes of the handshake worker."""
        pid = self.call("node.info")["worker_pid"]
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s*(\d+)", file.read())[1])

    def socket(self, name):
        """A datagram socket bound to a name that everybody may send to."""
        with self.inside():
            fd = libc.socket(AF_OCKAM, socket.SOCK_DGRAM, 0)
        if fd < 0:
            raise OSError(ctypes.get_errno(), "socket")
        for level, option, value in ((SOL_OCKAM, OCKAM_REACH, REACH_ALL),
                                     (socket.SOL_SOCKET, SO_SNDBUFFORCE, 64 << 20),
                                     (socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)):
            number = ctypes.c_int(value)
            if libc.setsockopt(fd, level, option, ctypes.byref(number), 4):
                raise OSError(ctypes.get_errno(), "setsockopt")
        address = sockaddr(name)
        if libc.bind(fd, address, len(address)):
            raise OSError(ctypes.get_errno(), "bind")
        # send() and recv() do not look at addresses, so Python's do.
        return socket.socket(AF_OCKAM, socket.SOCK_DGRAM, 0, fileno=fd)


def enter(namespace):
    if libc.setns(namespace.fileno(), 0):
        raise OSError(ctypes.get_errno(), "setns")


def sockaddr(*names):
    packed = b"".join(bytes([0, len(name)]) + name.encode() for name in names)
    return AF_OCKAM.to_bytes(2, sys.byteorder) + bytes([len(names), 0]) + packed


def send_to(sock, names, data):
    """One message along a route; raises OSError as the kernel says."""
    address = sockaddr(*names)
    if libc.sendto(sock.fileno(), data, ctypes.c_size_t(len(data)), 0, address,
                   len(address)) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
