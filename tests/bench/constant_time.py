# constant_time.py - does the time of a comparison tell what was compared? SPDX-License-Identifier: GPL-3.0-or-later
"""Run tests/bench/constant_time, which says what is measured and how, and
judge by its figures: none of a row's three values of Welch's t may be beyond
10, where dudect, too, says that something is not constant, and the control, a
comparison that stops at the first difference, must be beyond it by far.
"""

import os
import subprocess

BAR = 10.0
SEEN = 100.0
FIELDS = ("name", "kind", "samples", "ns", "t", "t90", "t50", "least_ns")


def parse(line):
    row = dict(zip(FIELDS, line.split("\t")))
    for name in FIELDS[2:]:
        row[name] = float(row[name])
    row["samples"] = int(row["samples"])
    worst = max(abs(row[name]) for name in ("t", "t90", "t50"))
    row["reached"] = worst > SEEN if row["kind"] == "control" else worst <= BAR
    return row


def measure(options, say):
    program = os.path.join(options["build"], "tests", "bench",
                           "constant_time")
    rows = []
    with subprocess.Popen([program, "-n", str(options["samples"])], text=True,
                          stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            rows.append(parse(line.rstrip("\n")))
            say("timed " + rows[-1]["name"])
    if process.returncode:
        raise RuntimeError("%s: exit %d" % (program, process.returncode))
    return rows


def print_table(rows):
    wide = max(len(row["name"]) for row in rows)
    print("%-*s %9s %10s %8s %8s %8s %9s" % (
        wide, "comparison", "samples", "ns a call", "t", "t90", "t50",
        "least ns"))
    for row in rows:
        print("%-*s %9d %10.1f %8.2f %8.2f %8.2f %9.3f %s" % (
            wide, row["name"], row["samples"], row["ns"], row["t"],
            row["t90"], row["t50"], row["least_ns"],
            ("seen" if row["reached"] else "NOT SEEN")
            if row["kind"] == "control" else
            ("ok" if row["reached"] else "MISSED")))
