#!/usr/bin/env python3
# 0015-robustness.t - tests/ROBUSTNESS.md has each row, and names tests that are there. SPDX-License-Identifier: GPL-3.0-or-later
import glob
import os
import re

import harness as h

STATES = ("held", "not held", "not measured", "does not apply")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def known(kind):
    """{name of a test: what it says}"""
    pattern = os.path.join(h.SOURCE, "tests", *kind)
    return {os.path.basename(p).rsplit(".", 1)[0]: read(p)
            for p in glob.glob(pattern)}


def main():
    text = read(os.path.join(h.SOURCE, "tests", "ROBUSTNESS.md"))
    rows = re.findall(r"^\| ([RSH]\d+) \| ([^|]*) \| ([^|]*) \|$", text, re.M)
    wanted = [letter + str(n) for letter, last in (("R", 20), ("S", 11),
                                                   ("H", 30))
              for n in range(1, last + 1)]
    h.eq([r[0] for r in rows], wanted, "each figure and hazard has its row")
    h.eq([r[0] for r in rows if not r[1].startswith(STATES) or len(r[2]) < 12],
         [], "none is empty")

    unit = known(("unit", "test_*.c"))
    whole = known(("integration", "*.t"))
    fuzz = known(("fuzz", "fuzz_*.c"))
    named = set(re.findall(r"\btest_\w+", text)) - {"test_"}
    h.eq(sorted(named - set(unit)), [], "the unit tests are there")
    named = set(re.findall(r"\bfuzz_\w+", text))
    h.eq(sorted(named - set(fuzz)), [], "and the fuzz targets")
    numbers = set(re.findall(r"\b0\d\d\d(?:-[a-z-]+[a-z])?", text))
    h.eq(sorted(n for n in numbers
                if not any(w.startswith(n) for w in whole)), [],
         "and the tests of the whole")
    everything = "\n".join([*unit.values(), *whole.values()])
    functions = set(re.findall(r"`(\w+__\w+)`", text))
    h.eq(sorted(f for f in functions if "test_" + f not in everything
                and "_" + f not in everything), [],
         "each behaviour is that of a test")
    functions = set(re.findall(r"`([a-z_]+)`", text))
    h.eq(sorted(f for f in functions if "def %s(" % f not in everything
                and "_%s(" % f not in everything and f not in everything), [],
         "and each function that is named")


h.run(main)
