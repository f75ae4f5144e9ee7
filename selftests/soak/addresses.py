# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""How many addresses a node has, asked of the kernel by generic netlink."""

import os
import re
import socket
import struct

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
GENL_CONTROLLER, CTRL_GET_FAMILY, CTRL_FAMILY_ID, CTRL_FAMILY_NAME = 16, 3, 1, 2
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
NETLINK_GENERIC = 16


def command_number(name):
    """Of enum ockam_cmd: the header is the only place that has it."""
    with open(os.path.join(TOP, "include/uapi/linux/ockam_netlink.h"), encoding="utf-8") as file:
        names = re.findall(r"^\t(OCKAM_CMD_\w+),", file.read(), re.M)
    return names.index(name)


def messages(sock):
    """(type, body) of the answer's messages."""
    while True:
        data = sock.recv(1 << 17)
        while len(data) >= 16:
            length, kind = struct.unpack_from("=IH", data)
            yield kind, data[16:length]
            if kind in (NLMSG_DONE, NLMSG_ERROR):
                return
            data = data[(length + 3) & ~3:]


def request(sock, family, command, flags, attributes=b""):
    body = struct.pack("=BBH", command, 1, 0) + attributes
    sock.send(struct.pack("=IHHII", 16 + len(body), family, flags, 1, 0) + body)
    return messages(sock)


def family_number(sock, name):
    name = name.encode() + b"\0"
    attribute = struct.pack("=HH", 4 + len(name), CTRL_FAMILY_NAME) + name
    attribute += bytes(-len(attribute) % 4)
    for kind, body in request(sock, GENL_CONTROLLER, CTRL_GET_FAMILY, NLM_F_REQUEST | 4,
                              attribute):
        at = 4
        while kind == GENL_CONTROLLER and at + 4 <= len(body):
            length, number = struct.unpack_from("=HH", body, at)
            if number == CTRL_FAMILY_ID:
                family = struct.unpack_from("=H", body, at + 4)[0]
            at += (length + 3) & ~3
    return family


def count(pid):
    """Addresses in the network namespace of process @pid."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
            if hasattr(os, "setns"):
                os.setns(namespace, 0)
            else:
                import ctypes
                if ctypes.CDLL(None, use_errno=True).setns(namespace, 0):
                    raise OSError(ctypes.get_errno(), "setns")
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC) as sock:
                family = family_number(sock, "ockam")
                number = sum(kind == family for kind, _ in request(
                    sock, family, command_number("OCKAM_CMD_ADDRESS_GET"),
                    NLM_F_REQUEST | NLM_F_DUMP))
            os.write(write_end, b"%d" % number)
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as file:
        said = file.read()
    os.waitpid(child, 0)
    if not said:
        raise RuntimeError("the kernel does not tell the addresses")
    return int(said)
