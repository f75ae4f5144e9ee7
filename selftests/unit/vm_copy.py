#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""A virtual machine that is copied while it runs: no key and nonce twice.

Two nodes talk in a small machine, through a program that writes all frames to
the outside. The machine is saved. It goes on and sends a message over the
channel; a copy of it, made from what was saved, tries the same with another
one. In the copy all channels and pending handshakes must have ended.
"""
# needs: modules-vm tools
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("OCKAM_BUILD") or os.path.join(TOP, "build")
LIMIT = 60

INIT = """#!/bin/sh
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mkdir -p /dev/pts /run/netns
for module in $(cat /modules/order); do insmod /modules/$module; done
ifconfig lo 127.0.0.1
stty raw -echo </dev/ttyS1
export HOME=/root QUIET=true NO_COLOR=true
# What is answered begins with a mark: other things may be said on the line.
while :; do
	echo @ready
	read -r line || continue
	eval "$line" 2>&1 | sed 's/^/@/'
done </dev/ttyS1 >/dev/ttyS1
"""

# What comes to port $1 goes to the node and to /dev/vport0p$2, answers to the next one.
BETWEEN = """#!/bin/sh
mkfifo /tmp/$1
(nc -l -p $1 </tmp/$1 | tee /dev/vport0p$2 |
	nc 127.0.0.1 $(cat /tmp/port) | tee /dev/vport0p$(($2 + 1)) >/tmp/$1) >/dev/null 2>&1 &
until netstat -ltn | grep -q :$1; do sleep 0.1; done
"""

results = []


def ok(good, name, detail=""):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}", flush=True)
    if not good:
        for line in str(detail).splitlines():
            print(f"#   {line}")


# ---- the machine ----

def shell(command):
    return subprocess.run(["bash", "-euc", command], cwd=TOP, check=True,
                          stdout=subprocess.PIPE, text=True).stdout.split()


def make_initrd(directory, version):
    root = os.path.join(directory, "root")
    for place in ("bin", "dev", "proc", "sys", "run", "tmp", "root", "etc", "modules"):
        os.makedirs(os.path.join(root, place))
    shutil.copy(shutil.which("busybox"), os.path.join(root, "bin"))
    for applet in shell("busybox --list"):
        if applet != "busybox":
            os.symlink("busybox", os.path.join(root, "bin", applet))
    tools = [os.path.join(BUILD, "tools", name) for name in ("ockamd", "ockamctl")]
    libraries = shell(r"ldd %s | grep -o '/[^ :]*\.so[^ :]*' | sort -u" % " ".join(tools))
    for path in tools:
        shutil.copy(path, os.path.join(root, "bin"))
    for path in libraries:
        os.makedirs(root + os.path.dirname(path), exist_ok=True)
        shutil.copy(path, root + path)
    modules = shell("for m in virtio_pci virtio_console gcm ctr ghash_generic; do "
                    f"modprobe -S {version} --show-depends $m; done | "
                    "awk '$1 == \"insmod\" && !seen[$2]++ { print $2 }'")
    modules.append(os.path.join(BUILD, "modules/vm/kmod/ockam.ko"))
    with open(os.path.join(root, "modules/order"), "w", encoding="ascii") as order:
        for path in modules:
            shutil.copy(path, os.path.join(root, "modules"))
            print(os.path.basename(path), file=order)
    for name, text in (("init", INIT), ("bin/between", BETWEEN)):
        with open(os.path.join(root, name), "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(os.path.join(root, name), 0o755)
    subprocess.run("find . | cpio --quiet -o -H newc -R 0:0 >../initrd", shell=True,
                   cwd=root, check=True)


class Machine:
    def __init__(self, directory, version, name, *options):
        self.directory = os.path.join(directory, name)
        os.mkdir(self.directory)
        self.console = os.path.join(self.directory, "console")
        ports = []
        for number in range(1, 5):
            ports += ["-chardev", f"file,id=c{number},path={self.capture(number)}",
                      "-device", f"virtserialport,chardev=c{number},nr={number}"]
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-nodefaults",
             "-no-user-config", "-machine", "q35,accel=" + os.environ.get("OCKAM_ACCEL", "tcg"),
             "-cpu", "max,la57=off", "-smp", "2", "-m", "512M", "-display", "none",
             "-no-reboot", "-kernel", f"/boot/vmlinuz-{version}",
             "-initrd", os.path.join(directory, "initrd"),
             "-append", "console=ttyS0 panic=-1 nokaslr",
             "-serial", f"file:{self.console}",
             "-serial", f"unix:{self.directory}/line,server=on,wait=off",
             "-qmp", f"unix:{self.directory}/qmp,server=on,wait=off",
             "-device", "vmgenid,guid=auto", "-device", "virtio-serial-pci", *ports,
             *options], stdin=subprocess.DEVNULL)
        self.qmp = self.connect("qmp").makefile("rw")
        self.line = self.connect("line").makefile("rw", errors="replace")
        json.loads(self.qmp.readline())
        self.order("qmp_capabilities")

    def connect(self, name):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(LIMIT)
        end = time.monotonic() + LIMIT
        while True:
            try:
                sock.connect(f"{self.directory}/{name}")
                return sock
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def capture(self, number):
        return os.path.join(self.directory, f"capture{number}")

    def order(self, command, **arguments):
        print(json.dumps({"execute": command, "arguments": arguments}), file=self.qmp,
              flush=True)
        while True:
            said = json.loads(self.qmp.readline())
            if "error" in said:
                raise RuntimeError(said["error"])
            if "return" in said:
                return said["return"]

    def ready(self):
        while not self.line.readline().startswith("@ready"):
            pass

    def run(self, command):
        """What a command in the machine says; it must have been made ready."""
        print(command, file=self.line, flush=True)
        said = []
        while True:
            line = self.line.readline()
            if not line:
                raise RuntimeError(f"the machine died in: {command}")
            if line.startswith("@ready"):
                return "\n".join(said)
            if line.startswith("@"):
                said.append(line[1:].rstrip())

    def save(self, path):
        self.order("migrate", uri=f"exec:cat >{path}")
        end = time.monotonic() + LIMIT
        while True:
            status = self.order("query-migrate").get("status")
            if status == "completed":
                return
            if status == "failed" or time.monotonic() > end:
                raise RuntimeError(f"the machine cannot be saved: {status}")
            time.sleep(0.1)

    def end(self):
        self.process.kill()
        self.process.wait()


# ---- what went over the link ----

def decode(data, at):
    """One CBOR item of those that a frame is made of."""
    major, value = data[at] >> 5, data[at] & 31
    at += 1
    if value > 23:
        size = 1 << (value - 24)
        value = int.from_bytes(data[at:at + size], "big")
        at += size
    if major == 2:
        return data[at:at + value], at + value
    if major == 4:
        items = []
        for _ in range(value):
            item, at = decode(data, at)
            items.append(item)
        return tuple(items), at
    return value, at


def packets(data):
    """(where it goes, nonce) -> the packet, for each frame."""
    found = {}
    at = 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        onward, _, payload = decode(data[at + 4:at + 4 + size], 0)[0]
        found.setdefault((onward, payload[:8]), set()).add(payload[8:])
        at += 4 + size
    return found


def read(path, skip):
    with open(path, "rb") as file:
        return file.read()[skip:]


def twice(before, there, here):
    """Keys and nonces with which the two machines sealed something different."""
    return [place for place in here if here[place] != there.get(place, here[place])
            or here[place] != before.get(place, here[place])]


# ---- the test ----

def prepare(machine):
    """Two nodes, a channel between them, a handshake that waits."""
    machine.ready()
    for name in ("n1", "n2"):
        machine.run(f"ockamctl node create {name}")
    machine.run("ockamctl node show n2 --output json | sed -n "
                r"'s,.*\"/dnsaddr/localhost/tcp/\([0-9]*\)\".*,\1,p' >/tmp/port")
    machine.run("between 7001 1")
    machine.run("(sleep 1000 | nc -l -p 7003) >/dev/null 2>&1 &")
    machine.run("until netstat -ltn | grep -q :7003; do sleep 0.1; done")
    channel = machine.run("ockamctl secure-channel create --from n1 "
                          "--to /ip4/127.0.0.1/tcp/7001/service/api").strip()
    said = send(machine, channel, "before")
    ok(said == "BEFORE", "a channel through which messages go", f"{channel}: {said}")
    machine.run("ockamctl secure-channel create --from n1 --timeout 100s "
                "--to /ip4/127.0.0.1/tcp/7003/service/api >/tmp/pending 2>&1 &")
    machine.run("until ockamctl node show n1 --jq .counters.handshakes_started | grep -q 2; "
                "do sleep 0.1; done")
    return channel


def send(machine, channel, text):
    return machine.run(f"ockamctl message send {text} --from n1 --timeout 5s "
                       f"--to {channel}/service/uppercase")


def another(machine):
    """The first frame of a handshake, which has a fresh public key at its end."""
    machine.run("between 7002 3")
    said = machine.run("ockamctl secure-channel create --from n1 "
                       "--to /ip4/127.0.0.1/tcp/7002/service/api")
    data = read(machine.capture(3), 1)
    return said, decode(data[4:], 0)[0][2] if len(data) > 4 else b""


def check_copy(copy, channel):
    copy.run("until dmesg | grep -q 'virtual machine fork'; do sleep 0.1; done")
    copy.run("n=0; until [ $n = 50 ] || grep -q . /tmp/pending; do sleep 0.1; n=$((n+1)); done")
    said = copy.run("cat /tmp/pending")
    ok("the virtual machine was copied or restored" in said,
       "in the copy the handshake that waited has failed, with the reason", said)
    said = send(copy, channel, "secret")
    ok("SECRET" not in said, "in the copy the channel takes no message", said)
    said = copy.run("for n in n1 n2; do for c in channels_machine handshakes_failed_machine; "
                    "do ockamctl node show $n --jq \".counters.$c // 0\"; done; done")
    ok(said.split() == ["1", "1", "1", "0"], "both ends and the handshake are counted", said)
    return [packets(read(copy.capture(way), 0)) for way in (1, 2)]


def run(directory, machines):
    version = shell(". scripts/common.sh; ockam_vm_version")[0]
    make_initrd(directory, version)
    saved = os.path.join(directory, "saved")
    original = Machine(directory, version, "original")
    machines.append(original)
    channel = prepare(original)
    original.save(saved)
    sizes = [os.path.getsize(original.capture(way)) for way in (1, 2)]
    original.order("cont")
    said = send(original, channel, "public")
    ok(said == "PUBLIC", "the machine that was saved goes on", said)
    first = another(original)
    ok(len(first[1]) == 32, "and makes another channel", first)
    before = [packets(read(original.capture(way), 1)[:sizes[way - 1] - 1]) for way in (1, 2)]
    there = [packets(read(original.capture(way), 1)) for way in (1, 2)]
    original.end()

    copy = Machine(directory, version, "copy", "-incoming", f"exec:cat {saved}")
    machines.append(copy)
    here = check_copy(copy, channel)
    ok(sum(map(len, there)) > sum(map(len, before)) > 0,
       "what the original sent was seen outside", [list(map(len, there)), list(map(len, before))])
    ok(not any(twice(*each) for each in zip(before, there, here)),
       "no key and nonce served twice", [twice(*each) for each in zip(before, there, here)])
    second = another(copy)
    ok(len(second[1]) == 32 and second[1] != first[1],
       "a new channel of the copy begins with a key of its own", second)
    with open(copy.console, encoding="utf-8", errors="replace") as console:
        complaints = [line for line in console if re.search(r"BUG|WARNING|Oops|Call Trace", line)]
    ok(not complaints, "the kernel did not complain", "".join(complaints))


def main():
    subprocess.run(["make", "-s", "-C", TOP, f"BUILD={BUILD}", "modules-vm", "tools"],
                   check=True, stdout=sys.stderr, stderr=subprocess.DEVNULL)
    machines = []
    with tempfile.TemporaryDirectory(prefix="ockam-copy.") as directory:
        try:
            run(directory, machines)
        except (OSError, RuntimeError, AttributeError) as error:
            ok(False, "the machines run", repr(error))
            for machine in machines:
                with contextlib.suppress(OSError), open(machine.console, errors="replace",
                                                        encoding="utf-8") as console:
                    print("#   " + "#   ".join(console.readlines()[-20:]))
        finally:
            for machine in machines:
                machine.end()
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
