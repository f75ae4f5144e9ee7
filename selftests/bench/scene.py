# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""What benchmarks of messages stand on, inside of a machine.

Each system gives the words for selftests/bench/traffic that lead over it. There are
no limits of time: clocks of the machine that counts instructions leap whenever it
waits for a disk.
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


class Ockam:
    """Nodes of this module in a row, each connected to the next by TCP."""

    name = "ockam"

    def __init__(self, hops=0):
        self.home = tempfile.mkdtemp()
        self.names = [f"n{i + 1}" for i in range(hops + 2)]
        for name in self.names:
            call(["ockamctl", "node", "create", name], self.home)
        self.channels = []

    def namespace(self, name):
        shown = call(["ockamctl", "node", "show", name, "--output", "json"], self.home)
        return f"/proc/{json.loads(shown)['pid']}/ns/net"

    def channel(self):
        """Route of a new channel from the first node to the last."""
        to = "".join(f"/node/{name}" for name in self.names[1:]) + "/service/api"
        said = call(["ockamctl", "secure-channel", "create", "--from", self.names[0],
                     "--to", to], self.home)
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
