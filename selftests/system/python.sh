#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# The Python module ockam_socket: addresses, every call that takes or returns
# one, routes of any length, timeouts, select and asyncio; in a node's namespace
# and through a channel to another one.
#
# where: uml
# long: vm

. "$(dirname "$0")/ockamd.inc"

top=$(cd "$(dirname "$0")/../.." && pwd)
run_ok "a node" ockamctl node create n1
run_ok "and another one" ockamctl node create n2
channel=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api)
ok $? "a channel" "$channel"
peer=$(ockamctl identity show "$(ockamctl node show n2 --output json |
	sed -n 's/.*"identity_name": "\(.*\)",*$/\1/p')")

cat >"$OCKAM_HOME/program.py" <<'EOP'
import asyncio
import errno
import select
import socket
import sys

from ockam_socket import AF_OCKAM, OCKAM_REACH, OCKAM_REACH_ALL, SOL_OCKAM, Route, Socket

channel, identifier = sys.argv[1:]


def check(good, name):
    print("pass" if good else "fail", name)


def raises(code, call, *args):
    try:
        call(*args)
    except OSError as error:
        return error.errno == code
    return False


def refuses(*hops):
    try:
        Route(hops)
    except ValueError:
        return True
    return False


# Routes.
route = Route("0#a => 1#127.0.0.1:4000 => plain")
check(str(route) == "0#a => 1#127.0.0.1:4000 => 0#plain", "a route is text")
check(Route.unpack(route.pack()) == route, "and bytes")
check(Route("a") + "b => c" == Route(["a", b"b", (0, "c")]), "and grows")
check(Route() == Route("") == (), "or is none")
check(refuses("") and refuses("x" * 256) and refuses((256, "a")), "a bad hop is refused")

# Addresses.
mine, other = Socket(), Socket()
mine.bind("mine")
check(mine.getsockname() == Route("mine"), "bind and getsockname")
other.bind()
check(len(other.getsockname()[0][1]) == 32, "a random name")
far = Socket()
check(raises(errno.EADDRINUSE, far.bind, "mine"), "a name that is taken")
check(raises(errno.EMSGSIZE, far.connect, ["x" * 200]), "a route that fits no address")
check(raises(errno.ENOTCONN, other.getpeername), "no peer yet")
check(mine.family == AF_OCKAM and mine.type == socket.SOCK_DGRAM, "family and type")

# Messages.
other.sendto(b"to mine", "mine")
data, back = mine.recvfrom(100)
check((data, back) == (b"to mine", other.getsockname()) and mine.peer is None, "sendto and recvfrom")
check(mine.sendto(b"back", 0, back) == 4 and other.recvfrom(2, socket.MSG_TRUNC)[0] == b"ba",
      "a reply, cut")
check(raises(errno.EHOSTUNREACH, other.sendto, b"x", "nobody"), "an address that is not there")
other.sendto(b"", "mine")
check(mine.recvfrom(10) == (b"", other.getsockname()), "an empty message")
buffer = bytearray(16)
other.sendmsg([b"two ", bytearray(b"parts")], address="mine")
check(mine.recvfrom_into(buffer) == (9, other.getsockname()) and buffer[:9] == b"two parts",
      "sendmsg and recvfrom_into")
far.setsockopt(SOL_OCKAM, OCKAM_REACH, OCKAM_REACH_ALL)
check(far.getsockopt(SOL_OCKAM, OCKAM_REACH) == OCKAM_REACH_ALL, "options")
far.bind()

# Connected.
other.connect("mine")
check(other.getpeername() == Route("mine") and other.send(b"short") == 5 and
      mine.recv(10) == b"short", "connect and send")
far.sendto(b"stranger", other.getsockname())
mine.sendto(b"peer", other.getsockname())
check(other.recvfrom(10)[0] == b"peer", "only the peer is heard")
other.disconnect()
check(raises(errno.ENOTCONN, other.getpeername), "disconnect")
check(far.connect_ex("nobody") in (0, errno.EHOSTUNREACH), "connect_ex")

# Time.
mine.settimeout(0.05)
try:
    mine.recvfrom(10)
    check(False, "a timeout")
except socket.timeout:
    check(True, "a timeout")
mine.setblocking(False)
check(raises(errno.EAGAIN, mine.recvfrom, 10), "no waiting")
with mine.dup() as copy:
    check(copy.gettimeout() == 0 and copy.getsockname() == Route("mine"), "nor by a copy")
other.sendto(b"x", "mine")
check(select.select([mine], [], [], 10)[0] == [mine] and mine.recv(1) == b"x", "select")
for sock in mine, other, far:
    sock.close()


async def ask(to, data):
    loop = asyncio.get_running_loop()
    with Socket() as sock:
        sock.setblocking(False)
        sock.bind()
        sock.sendto(data, to)
        return await asyncio.wait_for(loop.sock_recv(sock, 100), 10), sock.peer


# Through the channel.
with Socket() as sock:
    sock.settimeout(10)
    sock.sendto(b"\x05hello", [channel, "uppercase"])
    data, back = sock.recvfrom(100)
    check(data == b"\x05HELLO" and back == Route([channel, "uppercase"]), "a service at the peer")
    check(sock.peer is not None and "I" + sock.peer.hex() == identifier, "and who it is")
check(asyncio.run(ask([channel, "echo"], b"async"))[0] == b"async", "asyncio")
with Socket() as sock:
    sock.settimeout(10)
    sock.bind("r" * 122)
    hops = [channel, "echo"]
    sock.sendto(b"far", hops)
    check(sock.recvfrom(10) == (b"far", Route(hops)), "a long way back")
    sock.sendto(b"itself", ["r" * 122])
    check(sock.recvfrom(10) == (b"itself", Route("r" * 122)), "an address of full length")
    # 3 x 124 bytes: ancillary data both ways.
    try:
        sock.sendto(b"loop", [channel] + ["n" * 122] * 3)
        check(True, "a route that fits no address is sent all the same")
    except OSError as error:
        check(False, f"a route that fits no address is sent all the same: {error}")
EOP

while read -r result name; do
	[ "$result" = pass ]
	ok $? "$name"
	checked=$((checked + 1))
done < <(PYTHONPATH=$top/tools/python PYTHONDONTWRITEBYTECODE=1 \
	nsenter --net="/proc/$(node_pid n1)/ns/net" /usr/bin/python3 -W error \
	"$OCKAM_HOME/program.py" "${channel#/service/}" "$peer" 2>"$OCKAM_HOME/err")
same "${checked:-0}" 31 "every check was reached"
same "$(cat "$OCKAM_HOME/err")" "" "without a word on standard error"
finish
