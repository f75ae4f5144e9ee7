# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""What benchmarks of messages stand on, inside of a machine.

Each system gives the words for selftests/bench/traffic that lead over it. There are
no limits of time here: clocks of the machine that counts instructions leap whenever
it waits for a disk.
"""

import contextlib
import json
import os
import re
import subprocess
import tempfile

KTLS_NEEDS = "tls"


class Missing(Exception):
    """Why something cannot be set up here."""


def call(words, home=None):
    """Output of a command."""
    env = {**os.environ, "QUIET": "true", "NO_COLOR": "true"}
    if home:
        env["OCKAM_HOME"] = home
    done = subprocess.run(words, env=env, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        why = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise Missing(f"{os.path.basename(words[0])}: {why[0]}")
    return done.stdout.strip()


class Plain:
    """TCP or kTLS on the loopback."""

    def __init__(self, name, hops=0):
        self.name = name
        self.hops = hops
        if name == "ktls":
            call(["modprobe", KTLS_NEEDS])

    def words(self, _flows=1):
        return [self.name, "-h", str(self.hops)]

    def end(self):
        pass


class Aead:
    """The kernel's AES-256-GCM alone."""

    name = "aead"
    where = "/sys/module/bench_aead/parameters/"

    def __init__(self, programs):
        call(["insmod", os.path.join(programs, "module", "bench_aead.ko")])

    def seconds(self, size, count, threads=1):
        """To seal so many messages by each thread, and to open them."""
        with open(self.where + "run", "w", encoding="ascii") as file:
            file.write(f"{size} {count} {threads}")
        with open(self.where + "result", encoding="ascii") as file:
            return [int(word) / 1e9 for word in file.read().split()]

    def end(self):
        call(["rmmod", "bench_aead"])


class Pair:
    """Two network namespaces with a cable between them, which may be a bad one."""

    def __init__(self, name, net, netem=None):
        self.names = [name + "a", name + "b"]
        self.addresses = [f"10.{net}.0.1", f"10.{net}.0.2"]
        for one in self.names:
            call(["ip", "netns", "add", one])
        call(["ip", "link", "add", "cable", "netns", self.names[0], "type", "veth",
              "peer", "name", "cable", "netns", self.names[1]])
        for one, address in zip(self.names, self.addresses):
            call(["ip", "-n", one, "link", "set", "lo", "up"])
            call(["ip", "-n", one, "address", "add", address + "/24", "dev", "cable"])
            call(["ip", "-n", one, "link", "set", "cable", "up"])
            if netem:
                call(["tc", "-n", one, "qdisc", "add", "dev", "cable", "root", "netem", *netem])

    def inside(self, i, *words):
        return call(["ip", "netns", "exec", self.names[i], *words])

    def ends(self):
        return ["-S", "/run/netns/" + self.names[0], "-R", "/run/netns/" + self.names[1]]

    def end(self):
        for one in self.names:
            call(["ip", "netns", "delete", one])


class Cabled(Plain):
    """TCP or kTLS between two namespaces."""

    def __init__(self, name, pair):
        super().__init__(name)
        self.pair = pair

    def words(self, _flows=1):
        return [self.name, *self.pair.ends(), "-a", self.pair.addresses[1]]


class WireGuard:
    """UDP, or a TCP stream, through a tunnel between two namespaces."""

    def __init__(self, pair, net, name="udp"):
        self.name = name
        self.pair = pair
        self.addresses = [f"10.{net}.1.1", f"10.{net}.1.2"]
        call(["modprobe", "wireguard"])
        keys = [call(["wg", "genkey"]) for _ in pair.names]
        for i, one in enumerate(pair.names):
            if "wg0" in call(["ip", "-n", one, "link"]):
                continue
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(keys[i])
                file.flush()
                public = subprocess.run(["wg", "pubkey"], input=keys[1 - i], text=True, check=True,
                                        stdout=subprocess.PIPE).stdout.strip()
                call(["ip", "-n", one, "link", "add", "wg0", "type", "wireguard"])
                pair.inside(i, "wg", "set", "wg0", "listen-port", "51820", "private-key",
                            file.name, "peer", public, "allowed-ips", self.addresses[1 - i] + "/32",
                            "endpoint", pair.addresses[1 - i] + ":51820")
            call(["ip", "-n", one, "address", "add", self.addresses[i] + "/24", "dev", "wg0"])
            call(["ip", "-n", one, "link", "set", "wg0", "up"])
        self.ping(2)

    def words(self, _flows=1):
        return [self.name, *self.pair.ends(), "-a", self.addresses[1]]

    def ping(self, count):
        """Seconds that each answer took."""
        said = self.pair.inside(0, "ping", "-n", "-i", "0.002", "-s", "56", "-c", str(count),
                                self.addresses[1])
        return [float(ms) / 1e3 for ms in re.findall(r"time=([0-9.]+) ms", said)]

    def end(self):
        pass


class Rust:
    """The Ockam crate: both sides in one process."""

    def __init__(self, peer):
        if not peer:
            raise Missing("the Rust peer is not built")
        self.peer = peer

    def run(self, size, count, flows=1, ask=False):
        return json.loads(call([self.peer, "bench", "messages", "--size", str(size), "--count",
                                str(count), "--flows", str(flows)] + ["--ask"] * ask))

    def end(self):
        pass


class Ockam:
    """Nodes of this module in a row, each connected to the next by TCP."""

    name = "ockam"

    port = "4000"

    def __init__(self, hops=0, pair=None):
        self.home = tempfile.mkdtemp()
        self.names = [f"n{i + 1}" for i in range(hops + 2)]
        self.to = "".join(f"/node/{name}" for name in self.names[1:]) + "/service/api"
        for i, name in enumerate(self.names):
            words = ["ockamctl", "node", "create", name]
            if pair:
                words = ["ip", "netns", "exec", pair.names[i], *words, "-t",
                         f"{pair.addresses[i]}:{self.port}"]
                self.to = f"/ip4/{pair.addresses[1]}/tcp/{self.port}/service/api"
            self.start(name, words)
        self.channels = []

    def start(self, name, words):
        """A node; several times, because its patience may be over in no time (see above)."""
        for _ in range(4):
            with contextlib.suppress(Missing):
                return call(words, self.home)
            with contextlib.suppress(Missing):
                call(["ockamctl", "node", "delete", name, "--force", "-y"], self.home)
        return call(words, self.home)

    def namespace(self, name):
        shown = call(["ockamctl", "node", "show", name, "--output", "json"], self.home)
        return f"/proc/{json.loads(shown)['pid']}/ns/net"

    def socket(self, name):
        shown = call(["ockamctl", "node", "show", name, "--output", "json"], self.home)
        return "127.0.0.1:" + re.search(r"/dnsaddr/localhost/tcp/(\d+)", shown).group(1)

    def channel(self):
        """Route of a new channel from the first node to the last."""
        said = call(["ockamctl", "secure-channel", "create", "--from", self.names[0],
                     "--to", self.to, "--timeout", "60s"], self.home)
        return re.search(r"/service/(\w+)", said).group(1)

    def words(self, flows=1):
        while len(self.channels) < flows:
            self.channels.append(self.channel())
        ends = ["-S", self.namespace(self.names[0]), "-R", self.namespace(self.names[-1])]
        return [self.name] + ends + [w for c in self.channels[:flows] for w in ("-r", c)]

    def end(self):
        # Its patience may be over in no time, where clocks leap.
        with contextlib.suppress(Missing):
            call(["ockamctl", "reset", "-y"], self.home)
