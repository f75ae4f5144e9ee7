#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (C) 2026 The Ockam for Linux authors
"""
The YAML specification of the netlink family says the same as the uapi header
(names and numbers, asked from the C compiler), as the kernel's policies
(attributes of every request, lengths and ranges), and as the table of commands
(which ones there are, who may give them). Prints TAP.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

try:
    import yaml
except ImportError:
    print("1..0 # SKIP python3-yaml is not installed")
    sys.exit(0)

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
UAPI = os.path.join(TOP, "include", "uapi")

results = []


def check(name, problems):
    """One TAP result: passed when the list of problems is empty."""
    results.append(not problems)
    print(f"{'ok' if not problems else 'not ok'} {len(results)} - {name}")
    for problem in problems:
        print(f"# {problem}")


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as source:
        return source.read()


def c_name(*parts):
    return "-".join(parts).replace("--", "-").upper().replace("-", "_")


def differences(what, spec, code):
    """Names with numbers, in the specification and in the code."""
    out = []
    for name in sorted(set(spec) | set(code)):
        if name not in spec:
            out.append(f"{what} {name} is missing in the specification")
        elif name not in code:
            out.append(f"{what} {name} is only in the specification")
        elif spec[name] != code[name]:
            out.append(f"{what} {name} is {spec[name]} in the specification, "
                       f"{code[name]} in the code")
    return out


def strip_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def header_names():
    """Names of the header by enum, and of its constants."""
    text = strip_comments(read("include/uapi/linux/ockam_netlink.h"))
    enums = {}
    for match in re.finditer(r"enum\s+(\w+)\s*\{(.*?)\}", text, re.S):
        enums[match.group(1)] = [
            part.split("=")[0].strip()
            for part in match.group(2).split(",") if part.strip()]
    defines = re.findall(r"^#define\s+(OCKAM_\w+)\s+\S", text, re.M)
    return enums, defines


def compile_values(names):
    """Number of every C name, from the compiler."""
    lines = "".join(f'\tprintf("{n} %lld\\n", (long long)({n}));\n'
                    for n in names)
    program = ("#include <stdio.h>\n#include <linux/ockam.h>\n"
               "#include <linux/ockam_netlink.h>\nint main(void)\n{\n"
               + lines + "\treturn 0;\n}\n")
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "values.c")
        binary = os.path.join(directory, "values")
        with open(source, "w", encoding="utf-8") as out:
            out.write(program)
        subprocess.run([os.environ.get("CC", "cc"), "-I", UAPI, "-o", binary,
                        source], check=True)
        out = subprocess.run([binary], check=True, capture_output=True,
                             text=True).stdout
    return {n: int(v) for n, v in (line.split() for line in out.splitlines())}


def public(names):
    """Without the ends of enums, which are made from what is before them."""
    return [n for n in names if not n.startswith("__")
            and not n.endswith("_UNSPEC")
            and n not in ("OCKAM_CMD_MAX", "OCKAM_A_MAX", "OCKAM_LIMIT_MAX")]


def entry_name(entry):
    return entry["name"] if isinstance(entry, dict) else entry


def number(prefix, entries, start, flags=False):
    out = {}
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and "value" in entry:
            start = entry["value"] - index
        value = index + start
        out[c_name(prefix, entry_name(entry))] = 1 << value if flags else value
    return out


def policies():
    """Attribute -> policy of every request, from kmod/netlink/nl_policy.h."""
    text = read("kmod/netlink/nl_policy.h")
    out = {}
    for match in re.finditer(
            r"struct nla_policy ockam_nl_policy_(\w+)\[[^\]]*\] = \{\n(.*?)^\};",
            text, re.S | re.M):
        rules = {}
        for line in match.group(2).splitlines():
            entry = re.match(r"\t\[(OCKAM_A_\w+)\] = (.*),$", line)
            if not entry:
                raise ValueError(f"cannot read this line of a policy: {line}")
            rules[entry.group(1)] = entry.group(2)
        out[match.group(1)] = rules
    for alias, target in re.findall(
            r"^#define ockam_nl_policy_(\w+)\s+ockam_nl_policy_(\w+)$",
            text, re.M):
        out[alias] = out[target]
    return out


# What a rule of the kernel's policies is in the specification.
NAME = ("binary", {"min-len": 1, "max-len": 255})
MS = ("u32", {"min": 1, "max": 86400000})
RULES = {
    "OCKAM_NL_NAME": NAME,
    "OCKAM_NL_FLOW": ("binary", {"exact-len": 16}),
    "OCKAM_NL_IDENT": ("binary", {"exact-len": 32}),
    "OCKAM_NL_KEY": ("binary", {"exact-len": 32}),
    "OCKAM_NL_MASK": ("u32", {"flags-mask": "reach"}),
    "OCKAM_NL_IDS": ("binary", {"max-len": 1024}),
    "OCKAM_NL_ROUTE": ("binary", {"min-len": 1, "max-len": 2048}),
    "OCKAM_NL_OPAQUE": ("binary", {"max-len": 16384}),
    "OCKAM_NL_ATTRS": ("binary", {"max-len": 4096}),
    "OCKAM_NL_BODY": ("binary", {"max-len": 32768}),
    "OCKAM_NL_MS": MS,
    "OCKAM_NL_LIVE": ("u32", {"min": 0, "max": 86400000}),
    "OCKAM_NL_ID": ("u64", {"min": 1}),
    "OCKAM_NL_ERRNO": ("s32", {"min": -4095, "max": 0}),
    "OCKAM_NL_FD": ("s32", {"min": 0}),
    "{ .type = NLA_FLAG }": ("flag", {}),
    "{ .type = NLA_U64 }": ("u64", {}),
    "{ .type = NLA_NUL_STRING, .len = 127 }": ("string", {"max-len": 127}),
    "{ .type = NLA_NUL_STRING, .len = 255 }": ("string", {"max-len": 255}),
    "NLA_POLICY_MAX(NLA_U8, __OCKAM_FRAMING_MAX - 1)": ("u8", {}),
    "NLA_POLICY_NESTED(ockam_nl_limits_policy)": ("nest", {}),
}


def commands():
    """Command -> (policy, may dump, classes), from kmod/netlink/netlink.c."""
    text = strip_comments(read("kmod/netlink/netlink.c"))
    table = re.search(r"ockam_netlink_ops\[\] = \{\n(.*?)^\};", text,
                      re.S | re.M).group(1)
    out = {}
    for block in re.split(r"\}, \{", table):
        command = re.search(r"\.cmd = (\w+)", block).group(1)
        policy = re.search(r"OCKAM_NL_POLICY\((\w+)\)", block)
        classes = re.search(r"\.internal_flags = ([^,]*),", block)
        flags = re.search(r"\.flags = ([^,]*),", block)
        out[command] = (policy.group(1) if policy else None,
                        ".dumpit" in block,
                        classes.group(1) if classes else "",
                        re.findall(r"GENL_(\w+_PERM)", flags.group(1) if flags else ""))
    return out


def check_core():
    """Nothing of what generic netlink checks by itself is switched off."""
    text = strip_comments(read("kmod/netlink/netlink.c"))
    check("the core checks headers and attributes of every command", [
        f"{word} is used" for word in ("resv_start_op", "GENL_DONT_VALIDATE")
        if word in text] + [
        f"{path} writes extack->_msg" for path in glob.glob(os.path.join(TOP, "kmod/**/*.c"), recursive=True)
        if re.search(r"_msg\s*=[^=]", strip_comments(read(path)))])


def check_sentences():
    """
    Whoever refuses a request says why, in the same breath. Errnos that are
    spelt out count; one that is handed on has its sentence already. Memory for
    a reply is asked for by a function that says so itself.
    """
    silent = []
    function = re.compile(r"^(\w[^;{}]*?)\(([^;{}]*)\)[^;{}]*\{\n(.*?)^\}", re.S | re.M)
    for path in sorted(glob.glob(os.path.join(TOP, "kmod/**/*.c"), recursive=True)):
        for head, arguments, body in function.findall(strip_comments(read(path))):
            if not re.search("netlink_ext_ack|genl_info", arguments):
                continue
            lines = body.splitlines()
            at_end = re.search(r"(ockam_refuse\(extack, err,|if \(err\)\n\t+NL_SET_ERR_MSG\(extack)", body)
            for index, line in enumerate(lines):
                errno = re.search(r"(?:return|err =)\s*(?:ERR_PTR\()?-(E[A-Z0-9]+)", line)
                if not errno or "NL_SET_ERR_MSG" in "".join(lines[max(0, index - 3):index]):
                    continue
                if errno.group(1) == "ENOMEM" and "ockam_nl_new_reply(" in body:
                    continue
                if "err = " in line and at_end:
                    continue
                silent.append(f"{os.path.basename(path)}: {head.split()[-1]}(): {line.strip()}")
    check("every refusal in the module has a sentence", silent)


def check_numbers(spec, enums, values):
    attribute_sets = {s["name"]: s for s in spec["attribute-sets"]}
    operations = spec["operations"]
    check("commands have the numbers of the header", differences(
        "command", number(operations["name-prefix"], operations["list"], 1),
        {n: values[n] for n in public(enums["ockam_cmd"])}))
    for name, enum in (("ockam", "ockam_attr"), ("limits", "ockam_limit_attr")):
        attributes = attribute_sets[name]
        check(f"attributes {name} have the numbers of the header", differences(
            "attribute",
            number(attributes["name-prefix"], attributes["attributes"], 1),
            {n: values[n] for n in public(enums[enum])}))

    described = {"ockam_cmd", "ockam_attr", "ockam_limit_attr"}
    for definition in spec["definitions"]:
        if definition["type"] == "const" or "header" in definition:
            continue
        enum = "ockam_" + definition["name"].replace("-", "_")
        described.add(enum)
        prefix = definition.get("name-prefix", f"ockam-{definition['name']}-")
        check(f"enum {definition['name']} has the numbers of the header",
              differences("entry", number(prefix, definition["entries"], 0,
                                          definition["type"] == "flags"),
                          {n: values[n] for n in public(enums.get(enum, []))}))
    check("every enum of the header is described",
          [f"enum {e} is not" for e in sorted(set(enums) - described)])


def check_constants(spec, defines, values):
    consts = {c_name("ockam", d["name"]): d["value"]
              for d in spec["definitions"] if d["type"] == "const"}
    numbers = {d: values[d] for d in defines
               if d not in ("OCKAM_GENL_NAME", "OCKAM_GENL_MCGRP_EVENTS")}
    consts["OCKAM_GENL_VERSION"] = spec["version"]
    check("constants have the values of the header",
          differences("constant", consts, numbers))
    reach = next(d for d in spec["definitions"] if d["name"] == "reach")
    check("reachability has the bits of the header", differences(
        "bit", number("ockam-reach-", reach["entries"], 0, True),
        {n: values[n] for n in ("OCKAM_REACH_LOCAL", "OCKAM_REACH_LINKS",
                                "OCKAM_REACH_CHANNELS")}))
    header = read("include/uapi/linux/ockam_netlink.h")
    groups = [g["name"] for g in spec["mcast-groups"]["list"]]
    problems = []
    if f'#define OCKAM_GENL_NAME\t\t"{spec["name"]}"' not in header:
        problems.append("the name of the family differs")
    if groups != re.findall(r'#define OCKAM_GENL_MCGRP_\w+\t"(\w+)"', header):
        problems.append("the multicast groups differ")
    check("names of family and groups are those of the header", problems)


# Who may give a command: the first word of its description, and its class.
WHO = {"Admin": "OCKAM_NL_ADMIN", "Owner": "OCKAM_NL_OWNER", "Worker": "OCKAM_NL_WORKER"}


def check_policies(spec, table, rules):
    attributes = {a["name"]: a for s in spec["attribute-sets"]
                  if s["name"] == "ockam" for a in s["attributes"]}
    by_c_name = {c_name("ockam-a", name): a for name, a in attributes.items()}
    operations = {c_name("ockam-cmd", o["name"]): o
                  for o in spec["operations"]["list"]}
    problems = []
    for command, (policy, dump, classes, flags) in table.items():
        operation = operations.get(command, {})
        asked = operation.get("do", {}).get("request", {}).get("attributes")
        if policy is None:
            problems.append(f"{command} has no policy")
            continue
        taken = [a for a in rules[policy] if a != "OCKAM_A_PAD"]
        if asked is None:
            problems.append(f"{command} is not described")
            continue
        if [c_name("ockam-a", a) for a in asked] != taken:
            problems.append(f"{command}: the kernel takes {taken}")
        if dump != ("dump" in operation):
            problems.append(f"{command}: dump or not differs")
        if dump and operation["dump"].get("reply") != operation["do"].get("reply"):
            problems.append(f"{command}: a dump shows something else than the one")
        if [c_name(f) for f in operation.get("flags", [])] != flags:
            problems.append(f"{command}: flags that the core acts on differ")
        who = [c for c in WHO if WHO[c] in classes] or ["Everybody"]
        if operation["doc"].split(":")[0] not in who or len(who) != 1:
            problems.append(f"{command}: who may give it differs: {who}")
    for command, operation in operations.items():
        if "do" in operation and command not in table:
            problems.append(f"{command} is not in the kernel's table")
    check("requests are those of the kernel's policies", problems)

    problems = []
    for policy, entries in rules.items():
        for name, rule in entries.items():
            if name == "OCKAM_A_PAD":
                continue
            attribute = by_c_name[name]
            described = (attribute["type"], attribute.get("checks", {}))
            if RULES.get(rule) != described:
                problems.append(f"{policy}: {name} is {rule} in the kernel, "
                                f"{described} in the specification")
    check("lengths and ranges are those of the kernel's policies", problems)


def check_references(spec):
    sets = {s["name"]: {a["name"] for a in s["attributes"]}
            for s in spec["attribute-sets"]}
    names = {d["name"] for d in spec["definitions"]}
    problems = []
    for s in spec["attribute-sets"]:
        for a in s["attributes"]:
            if "enum" in a and a["enum"] not in names:
                problems.append(f"{a['name']}: no enum {a['enum']}")
            if "nested-attributes" in a and a["nested-attributes"] not in sets:
                problems.append(f"{a['name']}: no attributes "
                                f"{a['nested-attributes']}")
    for operation in spec["operations"]["list"]:
        lists = [operation.get("event", {})]
        for mode in ("do", "dump"):
            for way in ("request", "reply"):
                lists.append(operation.get(mode, {}).get(way, {}))
        for entry in lists:
            for name in entry.get("attributes", []):
                if name not in sets[operation["attribute-set"]]:
                    problems.append(f"{operation['name']}: no attribute {name}")
    check("every name that is used is defined", problems)


def main():
    spec = yaml.safe_load(read("Documentation/netlink/specs/ockam.yaml"))
    enums, defines = header_names()
    names = [n for entries in enums.values() for n in entries]
    names += [d for d in defines
              if d not in ("OCKAM_GENL_NAME", "OCKAM_GENL_MCGRP_EVENTS")]
    names += ["OCKAM_REACH_LOCAL", "OCKAM_REACH_LINKS", "OCKAM_REACH_CHANNELS"]
    values = compile_values(names)
    print("TAP version 13")
    check_numbers(spec, enums, values)
    check_constants(spec, defines, values)
    check_policies(spec, commands(), policies())
    check_core()
    check_sentences()
    check_references(spec)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
