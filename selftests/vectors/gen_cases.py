#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
"""Write the case tables of the floor 0 tests from the vectors beside this file.

    gen_cases.py OUTPUT_DIRECTORY

The tables are C, so that the kernel's tests and the host's share them. They
are committed; a test runs this again and compares.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
HEADER = """/* SPDX-License-Identifier: GPL-2.0 */
/* Made by gen_cases.py from %s: do not edit. */
"""
VERDICTS = {
    None: "OK",
    "bad tag": "OK",    # the window says yes, the tag then says no
    "replayed": "REPLAYED",
    "too old": "TOO_OLD",
    "too far ahead": "TOO_FAR",
}


def load(name):
    with open(os.path.join(HERE, name), encoding="ascii") as file:
        return json.load(file)


def packed(route):
    """Hops as the kernel keeps them: type, length, name."""
    out = ""
    for kind, name in route:
        out += "%02x%02x%s" % (kind, len(name) // 2, name)
    return out


def frames(out):
    data = load("frames.json")
    out.write(HEADER % "frames.json")
    out.write("static const struct ockam_frame_case ockam_frames_accepted[] = {\n")
    for case in data["accepted"]:
        out.write("\t{\n")
        for key, value in (("frame", case["frame"]),
                           ("onward", packed(case["onward"])),
                           ("ret", packed(case["return"])),
                           ("payload", case["payload"])):
            out.write("\t\t.%s =\n\t\t\t\"%s\",\n" % (key, value))
        # Ours is the array of three: only such frames come out the same.
        out.write("\t\t.canonical = %s,\n" %
                  ("true" if case["trace"] == "absent" else "false"))
        out.write("\t},\n")
    out.write("};\n\n")
    out.write("static const struct ockam_refused_case ockam_frames_refused[] = {\n")
    for case in data["refused"]:
        out.write("\t{\n\t\t.why = \"%s\",\n\t\t.frame = \"%s\",\n\t},\n" %
                  (case["why"], case["frame"]))
    out.write("};\n")


def channel(out):
    data = load("channel.json")
    out.write(HEADER % "channel.json")
    out.write("static const struct ockam_plaintext_case ockam_plaintexts[] = {\n")
    for case in data["packets"]:
        out.write("\t{\n\t\t.nonce = %d,\n\t\t.plaintext =\n\t\t\t\"%s\",\n\t},\n" %
                  (case["nonce"], case["plaintext"]))
    out.write("};\n")


def packets(out):
    data = load("channel.json")
    out.write(HEADER % "channel.json")
    out.write("static const char ockam_packets_next_key[] =\n\t\"%s\";\n\n" %
              data["next_key_of_first_key"])
    out.write("static const struct ockam_packet_case ockam_packets[] = {\n")
    for case in data["packets"]:
        out.write("\t{\n\t\t.nonce = %d,\n" % case["nonce"])
        for key in ("key", "plaintext", "packet"):
            out.write("\t\t.%s =\n\t\t\t\"%s\",\n" % (key, case[key]))
        out.write("\t},\n")
    out.write("};\n")


def window(out):
    data = load("window.json")
    out.write(HEADER % "window.json")
    names = []
    for number, case in enumerate(data["cases"]):
        names.append((case["name"], number))
        out.write("static const struct ockam_window_step ockam_window_%d[] = {\n"
                  % number)
        steps = ["{ %d, %d, OCKAM_REPLAY_%s }," %
                 (step["nonce"], step["tag_ok"], VERDICTS[step["refused"]])
                 for step in case["steps"]]
        for i in range(0, len(steps), 2):
            out.write("\t%s\n" % " ".join(steps[i:i + 2]))
        out.write("};\n\n")
    out.write("static const struct ockam_window_case ockam_windows[] = {\n")
    for name, number in names:
        out.write("\t{ \"%s\", ockam_window_%d,\n"
                  "\t  ARRAY_SIZE(ockam_window_%d) },\n" % (name, number, number))
    out.write("};\n")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: gen_cases.py OUTPUT_DIRECTORY")
    for name, write in (("frames", frames), ("channel", channel),
                        ("packets", packets), ("window", window)):
        path = os.path.join(sys.argv[1], "cases_%s.h" % name)
        with open(path, "w", encoding="ascii") as out:
            write(out)


if __name__ == "__main__":
    main()
