# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""What benchmarks of messages stand on, inside of a machine.

Each system gives the words for selftests/bench/traffic that lead over it.
"""

import json
import os
import re
import subprocess
import tempfile

# More than the machine may take under emulation.
LIMIT = 1800
KTLS_NEEDS = "tls"


class Missing(Exception):
    """Why something cannot be set up here."""


def call(words, home=None):
    """Output of a command."""
    env = {**os.environ, "QUIET": "true", "NO_COLOR": "true"}
    if home:
        env["OCKAM_HOME"] = home
    done = subprocess.run(words, env=env, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT,
                          check=False)
    if done.returncode:
        why = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise Missing(f"{os.path.basename(words[0])}: {why[0]}")
    return done.stdout.strip()


class Plain:
    """TCP or kTLS on the loopback."""

    def __init__(self, name):
        self.name = name
        if name == "ktls":
            call(["modprobe", KTLS_NEEDS])

    def words(self, _flows=1, hops=0):
        return [self.name, "-h", str(hops)]

    def end(self):
        pass


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
        call(["ockamctl", "reset", "-y"], self.home)
