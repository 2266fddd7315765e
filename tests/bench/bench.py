#!/usr/bin/env python3
# bench.py - scripts/bench, once everything is built. SPDX-License-Identifier: GPL-3.0-or-later
"""usage: bench [OPTION]...

Install what is missing, build, fill a store, start pools and nginx with the
shipped files in temporary folders, ask with wrk, and print what came out
beside what must be reached. Nearly every figure is a ratio of two things that
were measured in turn, in one run: single figures mean little elsewhere.

  --backends      instead of all that, for each backend: does the time of a
                  refusal tell who exists
  --logins N      logins of each kind for --backends (2000)
  --constant-time instead of all that, for each comparison of a secret: does
                  its time tell where the difference is (Welch's t)
  --samples N     of each comparison for --constant-time (1000000)
  --json          print JSON instead of tables
  --store NAME    lmdb, or consul: what is measured then is different, on a
                  Consul of its own; --tokens does not count (lmdb)
  --tokens N      tokens in the store (1000000)
  --rounds N      rounds of each case, the median counts (5)
  --seconds N     of one round (2)
  --only WORD     groups whose name holds WORD (may be given twice)
  -h, --help      this text

exit: 0 every figure is reached   1 one is missed, or something failed
      64 wrong usage
"""

import getopt
import json
import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


def say(text):
    print("bench: " + text, file=sys.stderr, flush=True)


def read_options(argv):
    got, rest = getopt.getopt(argv, "h", [
        "backends", "logins=", "constant-time", "samples=", "json", "build=", "store=", "tokens=",
        "rounds=", "seconds=", "only=", "help"])
    if rest:
        raise getopt.GetoptError("unexpected argument: " + rest[0])
    out = {"backends": False, "logins": 2000, "constant-time": False,
           "samples": 1000000, "json": False,
           "build": os.getcwd(), "store": "lmdb", "tokens": 1000000,
           "rounds": 5, "seconds": 2, "only": []}
    for name, value in got:
        name = name.lstrip("-")
        if name in ("h", "help"):
            print(__doc__.rstrip())
            raise SystemExit(0)
        if name == "only":
            out["only"].append(value)
        elif name in ("json", "backends", "constant-time"):
            out[name] = True
        elif name == "store":
            if value not in ("lmdb", "consul"):
                raise getopt.GetoptError("--store takes lmdb or consul")
            out["store"] = value
        elif name == "build":
            out["build"] = os.path.abspath(value)
        else:
            if not value.isdigit() or int(value) < 1:
                raise getopt.GetoptError("--%s takes a number" % name)
            out[name] = int(value)
    if out["samples"] < 100000:
        raise getopt.GetoptError("--samples takes 100000 or more")
    return out


def print_tables(figures, cases):
    wide = max(len(case["name"]) for case in cases) if cases else 0
    print("%-*s %9s %8s %8s %9s %9s %9s" % (
        wide, "case", "req/s", "p50 ms", "p99 ms", "nginx us", "ours us",
        "others %"))
    for case in cases:
        print("%-*s %9.0f %8.2f %8.2f %9.1f %9.1f %9.1f" % (
            wide, case["name"], case["rate"], case["p50_ms"],
            case["p99_ms"], case["nginx_us"], case["ours_us"],
            100 * case["others"]))
    print()
    wide = max(len(figure["name"]) for figure in figures)
    for figure in figures:
        print("%-6s %-*s %8.2f %s %s" % (
            "ok" if figure["reached"] else "MISSED", wide, figure["name"],
            figure["value"], figure["sense"], figure["bar"]))


def time_backends(options):
    import backend_timing
    rows = backend_timing.measure(options, say)
    if options["json"]:
        print(json.dumps({"backends": rows}, indent=2))
    else:
        backend_timing.print_table(rows)
    return 0 if rows and all(row["reached"] for row in rows) else 1


def time_comparisons(options):
    import constant_time
    rows = constant_time.measure(options, say)
    if options["json"]:
        print(json.dumps({"comparisons": rows}, indent=2))
    else:
        constant_time.print_table(rows)
    return 0 if rows and all(row["reached"] for row in rows) else 1


def main(argv):
    try:
        return measure(read_options(argv))
    except getopt.GetoptError as error:
        print("bench: %s\nTry --help." % error, file=sys.stderr)
        return 64


def measure(options):
    # as an exception, so that every server is stopped on the way out
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    begun = time.monotonic()
    os.environ["builddir"] = options["build"]
    os.environ["srcdir"] = os.path.dirname(os.path.dirname(HERE))
    if options["constant-time"]:
        return time_comparisons(options)
    if options["backends"]:
        return time_backends(options)
    # now, for the harness reads where the build is
    if options["store"] == "consul":
        import consul_figures as figures
    else:
        import figures
    got, cases = figures.measure(options, say)
    if options["json"]:
        print(json.dumps({"figures": got, "cases": cases,
                          "took_s": time.monotonic() - begun}, indent=2))
    else:
        print_tables(got, cases)
        stored = "tokens in Consul" if options["store"] == "consul" else \
            "%d tokens" % options["tokens"]
        print("\n%d rounds of %d s, %s, %.0f s in all" % (
            options["rounds"], options["seconds"], stored,
            time.monotonic() - begun))
    return 0 if all(figure["reached"] for figure in got) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
