#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Documentation names only what is in the tree: functions, constants, files,
# counters, limits, commands and their options, make targets, pieces of the
# examples. Prints TAP; needs nothing built.

exec python3 - "$(cd "$(dirname "$0")/../.." && pwd)" <<'END'
import glob
import os
import re
import shutil
import subprocess
import sys

TOP = sys.argv[1]
DOCS = os.path.join(TOP, "Documentation")
number = failures = 0


def result(name, complaints):
    """One test; no complaints is a pass."""
    global number, failures
    number += 1
    complaints = sorted(set(complaints))
    print(f"{'not ok' if complaints else 'ok'} {number} - {name}")
    for line in complaints:
        print(f"#   {line}")
    failures += bool(complaints)


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


def read_all(*patterns):
    found = []
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(TOP, pattern))):
            found.append(read(path))
    return "\n".join(found)


def strip_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


KMOD_FILES = [path for path in glob.glob(os.path.join(TOP, "kmod/**/*.[ch]"), recursive=True)
              if "/kmod/tests/" not in path]
KMOD = strip_comments("\n".join(read(path) for path in sorted(KMOD_FILES)))
TOOLS = strip_comments(read_all("tools/*/*.[ch]"))
UAPI = strip_comments(read_all("include/uapi/linux/*.h"))
EXAMPLES = read_all("Documentation/examples/*.c")
CODE = "\n".join((KMOD, TOOLS, UAPI, EXAMPLES, read_all("selftests/unit/tap.h")))
RST = {os.path.basename(path): read(path)
       for path in sorted(glob.glob(os.path.join(DOCS, "*.rst")))}
MAN = {os.path.basename(path): read(path)
       for path in sorted(glob.glob(os.path.join(DOCS, "man/*.[1-8]")))}
ALL = {**RST, **MAN}
WORDS = set(re.findall(r"\w+", CODE))

# Functions and constants of ours.
result("documents are there", [name for name in (
    "index.rst", "concepts.rst", "socket-api.rst", "netlink.rst",
    "testing.rst", "internals.rst", "limits.rst", "security.rst",
    "ockamctl.8", "ockamd.8", "ockam.7") if name not in ALL])
defined = set(re.findall(r"\b(\w+)\(", CODE))
result("functions exist", [
    f"{name}: {word}()" for name, text in ALL.items()
    for word in re.findall(r"\b((?:__)?(?:ockam|ockamd|ctl|tap)_\w+)\(", text)
    if word not in defined])
environment = set(re.findall(r'(?:getenv|ctl_env_true)\("(\w+)"\)', TOOLS))
environment |= set(re.findall(r'\.env = "(\w+)"', TOOLS))
scripts = read("Makefile") + read_all("scripts/*", "selftests/vm/*")
result("constants and variables exist", [
    f"{name}: {word}" for name, text in ALL.items()
    for word in re.findall(r"\b((?:AF_OCKAM|SOL_OCKAM|OCKAMD|OCKAM_\w+))\b(?!``\))", text)
    if word not in WORDS and word not in environment and word not in scripts])
result("environment variables are in the manual pages", [
    f"{word} is in neither" for word in environment
    if word not in MAN["ockamctl.8"] + MAN["ockamd.8"] and word != "HOME"])

# Files.
PATH = re.compile(
    r"\b((?:kmod|tools|selftests|scripts|include|Documentation|netlink/specs|examples|man)"
    r"/[\w./*-]*\w)")


def exists(path):
    for base in (TOP, DOCS):
        if glob.glob(os.path.join(base, path)) or \
           glob.glob(os.path.join(base, path.replace("test_<name>", "test_*"))):
            return True
    return False


result("files exist", [
    f"{name}: {path}" for name, text in RST.items()
    for path in PATH.findall(re.sub(r"<name>", "*", text)) if not exists(path)])
rooms = re.search(r"^floor  files.*?^``compat.h``", RST["internals.rst"], re.S | re.M)
named = set()
for cell in re.findall(r"``([a-z_. ]+)``", rooms.group(0)) if rooms else ():
    named |= {word.split(".")[0] for word in cell.split()}
stems = {os.path.basename(path)[:-2] for path in KMOD_FILES}
result("internals.rst lists the files of the module",
       [f"no such file: {word}" for word in named - stems - {"deliver", "kmod"}] +
       [f"not listed: {word}" for word in
        {os.path.basename(path)[:-2] for path in KMOD_FILES if path.endswith(".c")} - named])

# Limits and counters, both ways.
limits = RST["limits.rst"]
counters = set(re.findall(r'\] = "(\w+)"', read("kmod/node/mib.c")))
result("limits.rst has every counter", [name for name in counters if f"``{name}``" not in limits])
result("counters exist", [
    f"{doc}: {name}" for doc, text in RST.items()
    for name in re.findall(r"``((?:drop|links?|handshakes?|channels?)_\w+)``", text)
    if name not in counters and name not in WORDS and not exists(f"kmod/*/{name}.c")])
table = re.findall(r"^L\((\w+), (\w+), (.*), (.*), (.*)\)$", read("kmod/codec/limits_table.h"), re.M)
sysctls = {row[0]: row[1] for row in table}
rows = re.findall(r"^   \* - ``(\w+)``\n     - ``(\w+)``\n     - (\d+)\n     - (\d+) to (\d+)$",
                  limits, re.M)
result("limits.rst has every limit", [
    f"{limit}" for limit in set(re.findall(r"\bOCKAM_LIMIT_([A-Z_]+),", UAPI)) - {"UNSPEC", "PAD"}
    if (sysctls.get(limit), limit) not in {(row[0], row[1]) for row in rows}])
result("ockam.7 has every limit", [
    name for name in sysctls.values() if f".It Pa {name}\n" not in MAN["ockam.7"]])


def value(text):
    """A constant expression of C with sizes and shifts."""
    text = re.sub(r"\bOCKAM_FRAME_MAX_BYTES\b", "(16 << 20)", text)
    return eval(re.sub(r"(\d)(?:ull|u)\b", r"\1", text))  # digits and operators


ranges = {row[0]: tuple(map(value, row[2:])) for row in table}
result("defaults and ranges of limits are right", [
    f"{name}: {row}" for name, limit, *row in rows
    if tuple(map(int, row)) != ranges.get(limit)])

# Netlink.
commands = set(re.findall(r"\bOCKAM_CMD_(\w+),", UAPI)) - {"UNSPEC"}
events = {"EVENT", "HANDSHAKE_READY"}
result("netlink.rst has every command", [
    name for name in commands if f"``{name}``" not in RST["netlink.rst"]])
classes = {"everybody": "", "admin": "OCKAM_NL_ADMIN", "owner": "OCKAM_NL_OWNER",
           "worker": "OCKAM_NL_WORKER"}
table = re.search(r"^everybody.*?^=", RST["netlink.rst"], re.S | re.M).group(0)
wrong, kind = [], None
seen = set()
for line in table.split("\n"):
    first = line.split(" ")[0]
    kind = first if first in classes else kind
    for name in re.findall(r"``(\w+)``", line):
        seen.add(name)
        entry = re.search(r"\.cmd = OCKAM_CMD_%s,(.*?)\}" % name, read("kmod/netlink/netlink.c"), re.S)
        flags = re.search(r"internal_flags = (.*?),", entry.group(1)) if entry else None
        flags = flags.group(1) if flags else ""
        if not entry or (classes[kind] not in flags if classes[kind] else flags):
            wrong.append(f"{name} is not for {kind}")
result("netlink.rst says who may send what",
       wrong + [f"{name} is for nobody" for name in commands - events - seen])

# ockamctl: the tables of the tool against its manual page.
FLAG = re.compile(r'\{ \.name = "([\w-]+)",(.*?)\n?\t\{|\{ \.name = "([\w-]+)"', re.S)
CTL = strip_comments(read_all("tools/ockamctl/*.c"))
# Flags that several tables take from a macro.
for macro, body in re.findall(r"#define (CTL_\w+_FLAGS?) ((?:.*\\\n)*.*)",
                              strip_comments(read_all("tools/ockamctl/*.h"))):
    CTL = CTL.replace(f"\t{macro},", "\t" + re.sub(r"\\\n", "\n", body).lstrip("\\\n\t "))


def flag_tables():
    tables = {}
    for name, body in re.findall(r"const struct ctl_flag (\w+)\[\] = \{(.*?)\n\};", CTL, re.S):
        flags = {}
        for entry in re.split(r"\n\t\{ (?=\.name|\})", body):
            found = re.search(r'\.name = "([\w-]+)"', entry)
            if found and ".hidden = true" not in entry:
                letter = re.search(r"\.letter = '(.)'", entry)
                flags[found.group(1)] = letter.group(1) if letter else ""
        tables[name] = flags
    return tables


def command_tree():
    flags = flag_tables()
    entries = {}
    for name, body in re.findall(r"struct ctl_command (\w+) = \{(.*?)\n\};", CTL, re.S):
        entries[name] = body
    found = {}
    groups = [(re.search(r'\.name = "([\w-]+)"', body).group(1), body)
              for name, body in entries.items() if not name.endswith("_command")]
    for group, body in groups:
        for child in re.findall(r"&(ctl_\w+_command)", body):
            text = entries[child]
            if ".children" in text:
                name = re.search(r'\.name = "([\w-]+)"', text).group(1)
                groups.append((f"{group} {name}", text))
                continue
            table = re.search(r"\.flags = (\w+)", text)
            found[f"{group} " + re.search(r'\.name = "([\w-]+)"', text).group(1)] = \
                flags[table.group(1)] if table else {}
        if ".run = " in body and group == "reset":
            found[group] = flags[re.search(r"\.flags = (\w+)", body).group(1)]
    return found, flags["ctl_global_flags"]


def manual_tree(text):
    found, common, current, depth = {}, {}, None, 0
    for line in text.split("\n"):
        if line.startswith(".Ss "):
            current = common if line == ".Ss Global options" else None
        command = re.match(r"\.It Ic ([a-z][a-z -]*[a-z])", line)
        if command:
            current = found.setdefault(re.sub(r" (Op|Ar).*", "", command.group(1)), {})
        for flag in [line] if line.startswith(".It Fl ") else ():
            name = re.search(r"Fl -([\w-]+)", flag)
            letter = re.search(r"Fl (\w) ,", flag)
            if name and current is not None:
                current[name.group(1)] = letter.group(1) if letter else ""
    return found, common


tree, common = command_tree()
page, page_common = manual_tree(MAN["ockamctl.8"])
result("ockamctl.8 has every command", [f"ockamctl {name}" for name in tree if name not in page])
result("commands of ockamctl.8 exist", [name for name in page if name not in tree])
result("options of ockamctl.8 are those of the commands", [
    f"{name}: the tool has {sorted(tree[name].items())}, the page {sorted(page[name].items())}"
    for name in tree if name in page and tree[name] != page[name]] +
    ([f"global: {sorted(set(common.items()) ^ set(page_common.items()))}"]
     if common != page_common else []))
known = set(common) | {flag for flags in tree.values() for flag in flags}
result("commands in examples exist", [
    f"{doc}: {group} {command}{more}" for doc, text in ALL.items()
    for group, command, more in re.findall(
        r"\b(?:ockam|ockamctl) ([a-z-]+) ([a-z-]+)( [a-z-]+)?", text)
    if group in {name.split(" ")[0] for name in tree}
    and not {f"{group} {command}", f"{group} {command}{more}"} & tree.keys()
    and group != "reset"])
options = set(re.findall(r'\{ "([\w-]+)", \w+_argument', read("tools/ockamd/main.c")))
body = MAN["ockamd.8"].split(".Sh DESCRIPTION")[1]
result("ockamd.8 has every option", [
    flag for flag in options ^ set(re.findall(r"^\.It Fl -([\w-]+)", body, re.M))])
result("long options in documents exist", [
    f"{doc}: --{flag}" for doc, text in RST.items()
    for flag in re.findall(r"(?<![\w-])--([a-z][\w-]+)", re.sub(r"-{3,}", "", text))
    if flag not in known | options | {"net"} and doc not in ("testing.rst",)])

# Targets, tests, code.
makefile = read("Makefile")
phony = set(re.findall(r"[\w-]+", re.search(r"\.PHONY: (.*?)\n\n", makefile, re.S).group(1)))
result("make targets exist", [
    f"{doc}: make {target}" for doc, text in RST.items()
    for target in re.findall(r"``make ([a-z][\w-]+)", text) if target not in phony])
blocks = re.findall(r"\.\. code-block:: c\n\n((?:\t.*\n|\n)+)", RST["socket-api.rst"])
result("code in socket-api.rst is in the examples",
       [block.strip().split("\n")[0] for block in blocks
        if re.sub(r"\s+", " ", block.strip()) not in re.sub(r"\s+", " ", EXAMPLES)] or
       ([] if len(blocks) > 5 else ["there is none"]))
result("index.rst names every page", [
    name for name in ALL if name != "index.rst" and name not in RST["index.rst"]])

# Manual pages, when the checker is here.
lint = []
if shutil.which("mandoc"):
    for name in MAN:
        said = subprocess.run(["mandoc", "-T", "lint", os.path.join(DOCS, "man", name)],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=False).stdout
        # Pages that are not installed are not found.
        lint += [line for line in said.split("\n")
                 if line and "referenced manual not found" not in line]
result("manual pages are well formed", lint)

print(f"1..{number}")
sys.exit(1 if failures else 0)
END
