#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""The runner itself: faults are planted, and it must see each of them.

First with files of results as a machine would leave them, then with programs
that stand in for a machine, then in User-Mode Linux.
"""
# needs: tools modules-uml
# timeout: 600

import importlib.machinery
import importlib.util
import os
import re
import shutil
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader(
    "runner", os.path.join(TOP, "selftests/lib/run"))
runner = importlib.util.module_from_spec(
    importlib.util.spec_from_loader("runner", loader))
loader.exec_module(runner)

GOOD = "ok 1 - fine\n1..1\n"
count = failures = 0


def ok(good, name, *details):
    global count, failures
    count += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good:
        for line in details:
            print(f"#   {line}")


def fresh():
    runner.tally.part = runner.Tally()
    return runner.tally.part


def expect(part, name, failed, *words):
    """So many failures, and each of the words in one of them."""
    said = part.failures + [text for _, text in part.lines]
    good = (part.failed > 0) == bool(failed) and \
        all(any(word in line for line in said) for word in words)
    ok(good, name, f"{part.failed} failed, looked for {words}", *said)


# --- what programs print ------------------------------------------------------

def tap(name, text, status, failed, *words, **more):
    part = fresh()
    runner.take_tap("x", text, status, **more)
    expect(part, name, failed, *words)
    return part


def test_tap():
    tap("a good program passes", GOOD, 0, False)
    tap("one that ends early fails", "ok 1 - fine\n", 0, True, "without a plan")
    tap("so does one that runs fewer tests than planned", "1..2\nok 1 - a\n", 0,
        True, "planned 2")
    tap("and one that runs more", "1..1\nok 1 - a\nok 2 - b\n", 0, True, "planned 1")
    tap("and one with two plans", "ok 1 - a\n1..1\nok 2 - b\n1..2\n", 0, True,
        "2 plans")
    tap("and one that says nothing", "", 0, True, "ran no test")
    tap("and one that plans nothing", "1..0\n", 0, True, "ran no test")
    tap("and one that passes and exits with 3", GOOD, 3, True, "status 3")
    tap("and one that gives up", "ok 1 - a\nBail out! no\n", 0, True, "Bail out")
    tap("and one that skips all and exits with 1", "1..0 # SKIP why\n", 1, True)
    part = tap("one that skips all is skipped", "1..0 # SKIP why\n", 0, False, "why")
    ok(part.skipped == 1 and not part.passed, "and counts as that")
    tap("the remarks of a fuzz target are kept", "ok 1 - a\n# 77 inputs\n1..1\n", 0,
        False, "77 inputs", remarks=True)


def test_ktap():
    suite = ["    # Subtest: s", "    1..2", "    ok 1 - a"]
    for name, lines, failed in (
            ("a whole KUnit suite passes",
             suite + ["    ok 2 - b", "ok 1 - s"], False),
            ("one that ends early fails", suite + ["ok 1 - s"], True),
            ("and one that never ends", suite, True)):
        part = fresh()
        runner.take_ktap("kunit", lines)
        expect(part, name, failed)


# --- what a machine leaves behind ---------------------------------------------

class Boot:
    """The files of a boot that went well, to be damaged."""

    def __init__(self, *names, machine="uml"):
        self.machine = machine
        self.out = tempfile.mkdtemp()
        os.mkdir(self.path("results"))
        self.tests = [(name, 5, f"/{name}.sh") for name in names or ("a", "b")]
        self.console = ["noise", "ockam-test: ready"]
        for name in [test[0] for test in self.tests] + ["unload", "checkers"]:
            self.console += [f"ockam-test: begin {name}", f"ockam-test: end {name}"]
            self.write(f"results/{name}.tap", GOOD)
            self.write(f"results/{name}.status", "0 1\n")
        self.console.append("ockam-test: end of tests")
        self.write("status", "0\n")

    def path(self, name):
        return os.path.join(self.out, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def remove(self, *names):
        for name in names:
            os.unlink(self.path(name))

    def log(self, mark, line):
        self.console.insert(self.console.index(f"ockam-test: {mark}") + 1, line)

    def dies_in(self, name):
        """Nothing was written after that mark."""
        self.console = self.console[:self.console.index(f"ockam-test: begin {name}") + 1]
        names = [test[0] for test in self.tests] + ["unload", "checkers"]
        self.remove("status", *(f"results/{late}.status"
                                for late in names[names.index(name):]))

    def collect(self, name, returned, failed, *words):
        self.write("console", "".join(f"[    1.0] {line}\n" for line in self.console))
        part = fresh()
        left = runner.collect(self.machine, self.out, self.tests, returned)
        expect(part, name, failed, *words)
        shutil.rmtree(self.out)
        return left


def test_collect():
    Boot().collect("a good boot passes", 0, False)
    boot = Boot()
    boot.dies_in("unload")
    boot.console.append("Kernel panic - not syncing")
    boot.collect("a panic in the last rmmod fails", 125, True, "uml unload: the machine died",
                 "uml unload: no complaint", "status 125")
    boot = Boot()
    boot.dies_in("unload")
    boot.collect("so does a hang in it", -9, True, "uml unload: the machine died", "hung")
    boot = Boot()
    boot.dies_in("checkers")
    boot.collect("and one in the search for leaks", -9, True, "uml checkers")
    boot = Boot()
    boot.remove("results/unload.status")
    boot.console = [line for line in boot.console if "unload" not in line]
    boot.collect("and an unload that was never run", 0, True, "uml unload: was not run")
    boot = Boot()
    boot.write("results/checkers.tap", "not ok 1 - no memory leaked\n#   unreferenced\n1..1\n")
    boot.write("results/checkers.status", "1 0\n")
    boot.collect("and a leak", 0, True, "no memory leaked", "unreferenced")
    for status in (1, 124, 125, -15):
        Boot().collect(f"a machine's status {status} fails", status, True, f"status {status}")
    boot = Boot()
    boot.log("begin b", "WARNING: planted")
    boot.collect("a complaint of the kernel fails", 126, True, "uml b: no complaint", "planted")
    Boot().collect("126 without a complaint too", 126, True, "status 126")
    boot = Boot()
    boot.log("end a", "BUG: KASAN: planted")
    boot.collect("and a complaint between two files", 126, True, "between tests")
    boot = Boot()
    boot.log("end of tests", "BUG: KASAN: planted")
    boot.collect("and one after the last", 126, True, "between tests")
    for line in ("kmemleak: Kernel memory leak detector disabled",
                 "turning off the locking correctness validator."):
        boot = Boot()
        boot.log("begin a", line)
        boot.collect(f"a checker that is off fails: {line}", 126, True)
    boot = Boot()
    boot.write("results/a.left", "network namespaces without a name: 1\n")
    boot.collect("what is left behind fails", 0, True, "a: leaves nothing behind")
    boot = Boot("a", "b", "c")
    boot.dies_in("b")
    left = boot.collect("a machine that dies in a file fails", 125, True, "uml b: the machine")
    ok([test[0] for test in left] == ["c"], "what is behind that file gets another machine", left)
    boot = Boot()
    boot.dies_in("a")
    boot.console.pop()
    boot.collect("a machine that does not start fails", 125, True, "boots")


# --- which tests there are ----------------------------------------------------

def test_files():
    top = tempfile.mkdtemp()
    system = os.path.join(top, "selftests/system")
    os.makedirs(system)
    for name, text in (("good.sh", "# where: uml vm\n# timeout: 7\n"), ("where.sh", "#\n"),
                       ("none.bats", "#\n"), ("test_c.c", "/*\n */\n"),
                       ("odd.sh", "# where: umI\n"), ("a.sh", "# where: uml\n# last: yes\n"),
                       ("seldom.sh", "# long: uml\n"), ("slow.sh", "# where: uml\n# long: w\n"),
                       ("late.sh", "# where: vm\n# long: uml\n"), ("part.inc", "#\n")):
        with open(os.path.join(system, name), "w", encoding="utf-8") as file:
            file.write(text)
    real, runner.TOP = runner.TOP, top
    part = fresh()
    found = runner.machine_tests("uml", [])
    expect(part, "a file that names no machine fails", True, "where.sh", "none.bats",
           "test_c", "odd.sh: names no machine: umI", "slow.sh")
    ok(part.failed == 5, "and so many do", *part.failures)
    ok([test[0] for test in found] == ["kunit", "system/good.sh", "system/a.sh"] and
       found[1][1] == 7, "the others are found, in their order", found)
    runner.TOP = real
    shutil.rmtree(top)


def test_globs():
    real, runner.PARTS["style"] = runner.PARTS["style"], \
        lambda globs: runner.wanted("system/there.sh", globs) and runner.tally.add("ok", "it")
    for globs, status in (("there", 0), ("ther*", 0), ("typo", 1), ("there typo", 1)):
        runner.report, runner.used_globs = runner.Report(), set()
        sys.argv = ["run", "style", globs]
        sys.stdout = open(os.devnull, "w", encoding="utf-8")
        got = runner.main()
        sys.stdout.close()
        sys.stdout = sys.__stdout__
        ok(got == status, f"TESTS='{globs}' exits with {status}", got)
    runner.PARTS["style"] = real
    real, runner.subprocess.run = runner.subprocess.run, \
        lambda *args, **more: runner.subprocess.CompletedProcess(args, status, "")
    for status, failed in ((0, 0), (2, 1)):
        part = fresh()
        runner.make("x")
        ok((part.passed, part.failed) == (0, failed),
           f"a build that exits with {status} is {failed} failures and no test passed")
    runner.subprocess.run = real


def test_ends():
    """The plan is in one place, behind all checks: who ends early has none."""
    bad = []
    for group in ("unit", "system"):
        directory = os.path.join(TOP, "selftests", group)
        for name in os.listdir(directory):
            text = runner.read(os.path.join(directory, name))
            if re.match(r"test_(?!k_)\w+\.c$", name) and text.count("tap_done()") != 1:
                bad.append(f"{group}/{name}: tap_done() not once")
            lines = [line for line in text.split("\n") if line and line[0] != "#"]
            if name.endswith(".sh") and "finish" in lines and \
                    (lines.count("finish") != 1 or lines[-1] != "finish"):
                bad.append(f"{group}/{name}: finish is not its last line")
    ok(not bad, "every test ends in one place", *bad)


# --- machines -----------------------------------------------------------------

def boots(name, machine, tests, *words, failed=True):
    """Boot until nothing is left, as the runner does; what it says."""
    real = runner.build, runner.machine_tests, runner.RESULTS
    out = tempfile.mkdtemp()
    runner.build = lambda target: True
    runner.machine_tests = lambda machine, globs: list(tests)
    runner.RESULTS = out
    part = fresh()
    runner.run_machine(machine, [])
    runner.build, runner.machine_tests, runner.RESULTS = real
    expect(part, name, failed, *words)
    shutil.rmtree(out)
    return part


def test_watch():
    """A machine that says nothing more is killed long before all limits have passed."""
    real = runner.MACHINE, runner.GRACE
    runner.GRACE = 1
    script = ('mkdir -p "$2/results"; echo "ockam-test: ready" >"$2/console"; '
              'echo "ockam-test: begin a" >>"$2/console"; exec sleep 1000')
    runner.MACHINE = ["bash", "-c", script, "machine"]
    tests = [("a", 1, "/a.sh")] + [(f"b{i}", 1000, "/b.sh") for i in range(9)]
    runner.REBOOTS = 1
    boots("a frozen machine is killed and its file fails", "uml", tests,
          "it hung after this mark: begin a", "uml a: the machine died or hung",
          "uml b1: not run")
    runner.MACHINE, runner.GRACE = real
    runner.REBOOTS = 3


PLANTED = {
    "freeze": """echo -1 >/proc/sys/kernel/sched_rt_runtime_us
                 exec chrt -f 99 sh -c 'while :; do :; done'""",
    "fine": "echo ok 1 - fine; echo 1..1",
    "splat": "echo 'WARNING: planted' >/dev/kmsg; echo ok 1 - fine; echo 1..1",
    "early": "echo ok 1 - fine; exit 0; echo 1..1",
    "hang": "echo ok 1 - fine; sleep 1000",
    "process": "sleep 1000 </dev/null >/dev/null 2>&1 & echo ok 1 - fine; echo 1..1",
    "named": "ip netns add planted; echo ok 1 - fine; echo 1..1",
    "unnamed": """: >/run/planted; unshare -n sh -c 'mount --bind /proc/self/ns/net /run/planted'
                  echo ok 1 - fine; echo 1..1""",
    "off": "echo off >/sys/kernel/debug/kmemleak; echo ok 1 - fine; echo 1..1",
    # The machine's /sbin is its own: what is written there is gone with it.
    "rmmod": """rm /sbin/rmmod; printf '#!/bin/sh\\nbusybox poweroff -f\\n' >/sbin/rmmod
                chmod 755 /sbin/rmmod; echo ok 1 - fine; echo 1..1""",
}


def test_planted():
    directory = tempfile.mkdtemp()
    tests = []
    for name, text in PLANTED.items():
        path = os.path.join(directory, f"{name}.sh")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        tests.append((name, 5 if name == "hang" else 20, path))
    tests[0] = ("freeze", 1, tests[0][2])
    real, runner.GRACE = runner.GRACE, 20
    part = boots("faults in a real machine are seen", "uml", tests,
                 "hung after this mark: begin freeze", "uml splat: no complaint",
                 "uml early: ended without a plan", "took more than 5 s", "process: sleep",
                 "network namespace: planted", "network namespaces without a name: 1",
                 "leak detector disabled", "uml unload: the machine died", "status 125")
    ok(not any("fine: " in text or "uml fine" in text for text in part.failures) and
       part.passed > 8, "and the file without a fault passes", *part.failures)
    part = boots("a detector that is off is seen at the end too", "uml", [tests[8]],
                 "detector of leaks is still on")
    part = boots("a machine without a fault passes", "uml", [tests[1]], failed=False)
    ok(part.passed == 6, "file, leftovers, unload, detector, leaks, lockdep", *part.lines)
    runner.GRACE = real
    shutil.rmtree(directory)


for test in (test_tap, test_ktap, test_collect, test_files, test_globs, test_ends, test_watch, test_planted):
    test()
print(f"1..{count}")
sys.exit(failures != 0)
