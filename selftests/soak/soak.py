#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""Mixed traffic between kernel nodes and the Rust implementation for a long time.

soak.py SECONDS

Runs as root in a machine with the module loaded (make soak). Two kernel nodes and
three Rust ones; several loops talk to each other through them at the same time,
see class Traffic. Sixty times during the run, at most once a minute, a line of
figures is printed. What must hold in the end is in judge() and finish(), as TAP.
"""

import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import addresses

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
SIZES = (0, 1, 23, 24, 255, 256, 4000, 65535, 65536, 200000, 900000)
PATIENCE = 120  # seconds for one command: the machine may be busy

# Counters of drops that traffic with aborts, deleted links and garbage explains.
# All others must stay at zero.
EXPECTED_DROPS = {
    "drop_no_address",       # answers to somebody who has gone
    "drop_dead", "drop_link_down", "drop_channel_dead",
    "drop_channel_no_route",  # a channel whose connection has gone
    "drop_handshake_state",  # garbage sent to a pending exchange
}
# The same of links and handshakes.
EXPECTED_FAILURES = {
    "links_failed_version", "links_failed_frame", "links_failed_io",
    "handshakes_failed_malformed", "handshakes_failed_route", "handshakes_failed_timeout",
    "handshakes_failed_cancelled", "handshakes_failed_state",
}
UNWANTED = ("drop_", "links_failed_", "handshakes_failed_", "events_lost")

# How much more may be in use in the last quarter than in the first, in kB.
# Memory of the whole machine has the caches of files and of KASAN in it.
TOLERANCE = {"used": 24576, "slab": 12288, "ockam_slab": 8192, "node": 2048, "worker": 2048}


class Result:
    """TAP."""

    def __init__(self):
        self.number = self.failed = 0

    def ok(self, good, name, *details):
        self.number += 1
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.number} - {name}")
        for line in details:
            print(f"#   {line}")
        sys.stdout.flush()


result = Result()


def run(*command, timeout=PATIENCE, data=None):
    """(exit status, output) of a command; -1 when it took too long."""
    try:
        ran = subprocess.run(command, input=data, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, errors="replace",
                             timeout=timeout, check=False,
                             stdin=None if data else subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return -1, f"took more than {timeout} s"
    return ran.returncode, ran.stdout if ran.returncode == 0 else ran.stderr + ran.stdout


def must(*command):
    status, said = run(*command)
    if status:
        raise RuntimeError(f"{' '.join(command)}: {said}")
    return said.strip()


class RustNode:
    """ockam-peer listen"""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [PEER, "listen", "--port", "0", *options], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = None
        for line in self.process.stdout:
            found = re.match(r"ready \S+ (\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        if self.port is None:
            raise RuntimeError("the Rust node does not start")
        # What it prints about channels is of no use here, but must be read.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait()


class KernelNode:
    """A node of ockamctl, and what can be seen of it."""

    def __init__(self, name):
        self.name = name
        must("ockamctl", "node", "create", name)
        shown = self.show()
        self.pid = shown["pid"]
        self.port = int(shown["route"]["verbose"].rsplit("/", 1)[1])
        self.at_first = self.addresses()

    def show(self):
        return json.loads(must("ockamctl", "node", "show", self.name, "--output", "json"))

    def counters(self):
        return self.show()["counters"]

    def addresses(self):
        return addresses.count(self.pid)

    def worker(self):
        for pid in run("pgrep", "-P", str(self.pid), "-x", "ockamd-worker")[1].split():
            return int(pid)
        return 0

    def open(self, counters):
        """Links, channels and handshakes that are not over."""
        def over(kind, *more):
            return sum(counters.get(name, 0) for name in counters
                       if name == f"{kind}_closed" or name.startswith(f"{kind}_failed_") or
                       name in more)
        return (counters.get("links_opened", 0) - over("links"),
                counters.get("channels_opened", 0) - counters.get("channels_closed", 0),
                counters.get("handshakes_started", 0) - counters.get("handshakes_done", 0) -
                counters.get("handshakes_failed", 0))


class Traffic:
    """Loops that run beside each other until stop is set."""

    def __init__(self, kernel, rust, home):
        self.first, self.second = kernel
        self.rust = rust
        self.home = home
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.done = {}
        self.problems = []
        self.threads = [threading.Thread(target=self.loop, args=(work,)) for work in (
            self.rust_begins, self.kernel_begins, self.nested, self.plain, self.broken,
            self.refreshed)]
        for thread in self.threads:
            thread.start()

    def loop(self, work):
        name = work.__name__
        count = 0
        while not self.stop.is_set():
            try:
                work(count)
            except Exception as error:  # told in the end
                with self.lock:
                    self.problems.append(f"{name}: {str(error)[:300]}")
                time.sleep(1)
            count += 1
            with self.lock:
                self.done[name] = count

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def send(self, port, *options):
        return must(PEER, "send", "--to", f"127.0.0.1:{port}", "--quiet",
                    "--timeout", "60", *options)

    def rust_begins(self, count):
        """Channels from Rust, all sizes, many keys."""
        size = SIZES[count % len(SIZES)]
        self.send(self.first.port, "--channel", "api", "--service", "echo", "--size", str(size),
                  "--count", "40" if size > 10000 else "400", "--window", "4")

    def kernel_begins(self, count):
        """Channels from the kernel to Rust, ended in one of five ways."""
        victim = None
        if count % 5 == 4:
            victim = RustNode()
        port = (victim or self.rust["closer"]).port
        link = None
        if count % 5 == 1:
            link = must("ockamctl", "tcp-connection", "create", "--from", "n1", "--to",
                        f"127.0.0.1:{port}")
        route = f"{link}/service/api" if link else f"/ip4/127.0.0.1/tcp/{port}/service/api"
        channel = must("ockamctl", "secure-channel", "create", "--from", "n1", "--to", route,
                       "--timeout", "60s")
        for number in range(40 if count % 4 == 0 else 5):
            text = f"message {number} of round {count}" * (1 + count % 7)
            said = must("ockamctl", "message", "send", text, "--from", "n1", "--to",
                        f"{channel}/service/uppercase", "--timeout", "60s")
            if said != text.upper():
                raise RuntimeError(f"uppercase of {text!r} is {said!r}")
        if victim:
            victim.end(9)
        elif link:
            must("ockamctl", "tcp-connection", "delete", link.rsplit("/", 1)[1], "--at", "n1",
                 "--yes")
        elif count % 5 == 2:
            self.rust["closer"].process.send_signal(12)     # USR2: Close
        elif count % 5 == 3:
            must("ockamctl", "secure-channel", "delete", channel.rsplit("/", 1)[1], "--at",
                 "n1", "--yes")
        else:
            return  # left to the end
        time.sleep(0.5)

    def nested(self, count):
        """A channel inside a channel, and over a Rust node in between."""
        size = str(SIZES[count % 9])
        self.send(self.first.port, "--channel", "api", "--channel", "api", "--service", "echo",
                  "--size", size, "--count", "70")
        self.send(self.rust["between"].port, "--via", "second", "--channel", "api", "--service",
                  "echo", "--size", size, "--count", "40", "--window", "2")
        channel = must("ockamctl", "secure-channel", "create", "--from", "n1", "--to",
                       f"/ip4/127.0.0.1/tcp/{self.rust['between'].port}"
                       "/service/second/service/api", "--timeout", "60s")
        must("ockamctl", "message", "send", "over two hops", "--from", "n1", "--to",
             f"{channel}/service/uppercase", "--timeout", "60s")
        must("ockamctl", "secure-channel", "delete", channel.rsplit("/", 1)[1], "--at", "n1",
             "--yes")

    def plain(self, count):
        """Without a channel, at both kernel nodes and at a Rust one."""
        self.send(self.second.port, "--service", "echo", "--size", str(SIZES[count % len(SIZES)]),
                  "--count", "30")
        self.send(self.first.port, "--service", "uppercase", "plain text", "--count", "100")
        must("ockamctl", "message", "send", "plain", "--from", "n2", "--to",
             f"/ip4/127.0.0.1/tcp/{self.rust['between'].port}/service/uppercase", "--timeout",
             "60s")
        time.sleep(0.2)

    def broken(self, count):
        """Peers that leave without a word, and some that talk nonsense."""
        port = self.first.port
        chance = random.randrange(1, 60)
        # The status of an abort is not that of a success.
        run(PEER, "send", "--to", f"127.0.0.1:{port}", "--channel", "api", "--service", "echo",
            "--size", "5000", "--count", "100", "--quiet", "--timeout", "60", "--abort-after",
            str(chance))
        self.send(port, "--channel", "api", "--service", "echo", "--size", "300", "--count",
                  str(chance), "--keep-open")
        with socket.create_connection(("127.0.0.1", port), 60) as peer:
            kind = count % 4
            if kind == 0:
                peer.sendall(os.urandom(200))
            elif kind == 1:
                peer.sendall(b"\x01\x00\x0f\xff\xff" + os.urandom(chance * 1000))
            elif kind == 2:
                # Thirty-two bytes are a first message of a handshake.
                body = (b"\x83\x81\x82\x00\x43api\x81\x82\x00\x47nowhere\x58\x20" +
                        os.urandom(32))
                peer.sendall(b"\x01" + (b"\x00\x00\x00" + bytes([len(body)]) + body) * 5)
            else:
                peer.sendall(b"\x01\x00\x00\x00\x04\x83\x80\x80\x40")
            time.sleep(0.2)
        time.sleep(0.5)

    def refreshed(self, _count):
        """Credentials, presented and refreshed, from and to the kernel."""
        self.send(self.second.port, "--channel", "api", "--service", "echo", "--size", "100",
                  "--count", "60", "--issue-from", os.path.join(self.home, "authority"),
                  "--attribute", "app=demo", "--refresh-after", "7")
        channel = must("ockamctl", "secure-channel", "create", "--from", "n2", "--to",
                       f"/ip4/127.0.0.1/tcp/{self.rust['presenting'].port}/service/api",
                       "--timeout", "60s")
        for _ in range(8):
            must("ockamctl", "message", "send", "more", "--from", "n2", "--to",
                 f"{channel}/service/uppercase", "--timeout", "60s")
        must("ockamctl", "secure-channel", "delete", channel.rsplit("/", 1)[1], "--at", "n2",
             "--yes")
        time.sleep(0.2)


# ---- figures -----------------------------------------------------------------


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def resident(pid):
    """kB, 0 when it is gone."""
    try:
        found = re.search(r"^VmRSS:\s+(\d+)", read(f"/proc/{pid}/status"), re.M)
    except OSError:
        return 0
    return int(found.group(1)) if found else 0


def our_slab():
    """kB of the module's own caches, objects that KASAN keeps back included."""
    size = 0
    for line in read("/proc/slabinfo").split("\n"):
        words = line.split()
        if words and words[0].lower().startswith("ockam"):
            size += int(words[2]) * int(words[3]) // 1024
    return size


def sample(began, nodes):
    memory = {key: int(value) for key, value in
              re.findall(r"^(\w+):\s+(\d+)", read("/proc/meminfo"), re.M)}
    counters = [node.counters() for node in nodes]
    opened = [node.open(each) for node, each in zip(nodes, counters)]
    taken = {
        "t": int(time.monotonic() - began),
        # What files in memory take is not the module's.
        "used": memory["MemTotal"] - memory["MemAvailable"] - memory["Shmem"],
        "slab": memory["Slab"],
        "ockam_slab": our_slab(),
        "node": max(resident(node.pid) for node in nodes),
        "worker": max(resident(node.worker()) for node in nodes),
        "links": sum(each[0] for each in opened),
        "channels": sum(each[1] for each in opened),
        "handshakes": sum(each[2] for each in opened),
        "addresses": sum(node.addresses() for node in nodes),
    }
    for name in ("channel_packets_rx", "channel_rekeys", "channels_opened",
                 "handshakes_failed", "links_opened"):
        taken[name] = sum(each.get(name, 0) for each in counters)
    drops = {name: sum(each.get(name, 0) for each in counters)
             for name in sorted({name for each in counters for name in each})
             if name.startswith(UNWANTED)}
    print("#", *(f"{key}={value}" for key, value in {**taken, **drops}.items() if value),
          flush=True)
    return taken


def median(values):
    values = sorted(values)
    return values[len(values) // 2]


def judge(samples):
    """Memory is as flat as the tolerance says, once everything has warmed up."""
    samples = samples[len(samples) // 6:]
    quarter = max(len(samples) // 4, 1)
    for key, limit in TOLERANCE.items():
        before = median([each[key] for each in samples[:quarter]])
        after = median([each[key] for each in samples[-quarter:]])
        result.ok(after - before <= limit, f"{key}: flat within {limit} kB",
                  f"median of the first quarter {before} kB, of the last {after} kB")


def wait_for(seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.5)
    return True


def unreferenced(began):
    """What kmemleak finds that was made since."""
    path = "/sys/kernel/debug/kmemleak"
    if not os.access(path, os.W_OK):
        return []
    for _ in range(2):
        with open(path, "w", encoding="ascii") as file:
            file.write("scan")
        time.sleep(6)
    limit = time.monotonic() - began
    found = []
    for block in re.split(r"(?=unreferenced object)", read(path)):
        age = re.search(r"age ([0-9.]+)s", block)
        if age and float(age.group(1)) < limit:
            found += block.rstrip().split("\n")
    return found


def finish(nodes, rust, began):
    """Everything that was made is gone again."""
    for node in rust.values():
        node.end(15)
    for channel in json.loads(run("ockamctl", "secure-channel", "list", "--at", "n1", "--output",
                                  "json")[1] or "[]"):
        run("ockamctl", "secure-channel", "delete", channel["address"], "--at", "n1", "--yes")
    # A channel whose way has gone ends after half a minute, a handshake too.
    wait_for(120, lambda: all(node.open(node.counters()) == (0, 0, 0) for node in nodes))
    for node in nodes:
        counters = node.counters()
        opened = node.open(counters)
        result.ok(opened == (0, 0, 0), f"{node.name}: no link, channel or handshake is left",
                  f"links, channels, handshakes: {opened}")
        wait_for(10, lambda n=node: n.addresses() == n.at_first)
        result.ok(node.addresses() == node.at_first,
                  f"{node.name}: it has the addresses that it began with",
                  f"{node.at_first} at first, {node.addresses()} now")
        bad = {name: value for name, value in counters.items() if value and
               name.startswith(UNWANTED) and name not in EXPECTED_DROPS | EXPECTED_FAILURES}
        result.ok(not bad, f"{node.name}: no counter moved that should not",
                  json.dumps(counters))
    run("ockamctl", "reset", "--yes")
    gone = wait_for(30, lambda: read("/sys/module/ockam/refcnt").strip() == "0")
    result.ok(gone, "nobody uses the module")
    found = unreferenced(began)
    result.ok(not found, "no memory is lost", *found[:60])
    # The kernel complains about a cache that is not empty then.
    result.ok(run("rmmod", "ockam")[0] == 0, "the module unloads")


def main():
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        print(__doc__, file=sys.stderr)
        return 2
    seconds = int(sys.argv[1])
    home = os.environ["OCKAM_HOME"] = tempfile.mkdtemp(prefix="soak.")
    # Logs are in memory here.
    os.environ.update(OCKAM_LOG_LEVEL="error", QUIET="true", NO_COLOR="true")
    began = time.monotonic()
    nodes = [KernelNode("n1"), KernelNode("n2")]
    must(PEER, "identity", "create", "--identity-file", os.path.join(home, "authority"))
    rust = {
        "closer": RustNode(),
        "between": RustNode("--forward", f"second=127.0.0.1:{nodes[1].port}"),
        "presenting": RustNode("--issue-from", os.path.join(home, "authority"), "--attribute",
                               "app=demo", "--refresh-after", "3"),
    }
    traffic = Traffic(nodes, rust, home)
    samples = []
    interval = min(60, max(seconds / 60, 5))
    while time.monotonic() - began < seconds:
        time.sleep(interval)
        samples.append(sample(began, nodes))
    traffic.end()
    print(f"# rounds: {json.dumps(traffic.done)}")
    result.ok(len(traffic.done) == len(traffic.threads), "all loops ran")
    result.ok(not traffic.problems, "everything that should work worked",
              f"{len(traffic.problems)} problems", *traffic.problems[:20])
    result.ok(samples[-1]["channel_rekeys"] > 100, "many keys were used",
              f"{samples[-1]['channel_rekeys']} changes of a key")
    judge(samples)
    finish(nodes, rust, began)
    print(f"1..{result.number}")
    shutil.rmtree(home, ignore_errors=True)
    return 1 if result.failed else 0


PEER = os.environ.get("OCKAM_PEER") or subprocess.run(
    [os.path.join(TOP, "selftests/interop/build")], stdout=subprocess.PIPE, text=True,
    check=True).stdout.strip()

if __name__ == "__main__":
    sys.exit(main())
