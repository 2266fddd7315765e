# storelab.py - what a store holds, past the service. SPDX-License-Identifier: GPL-3.0-or-later
"""Fill the store of a configuration and look into it, by our own tools."""

import harness as h

FILL, DUMP = "tests/tools/store_fill", "tests/tools/store_dump"
SOUND = "unreadable=0 unscheduled=0 unlisted=0 stray_schedules=0 " \
        "stray_subjects=0"


def run(s, name, *args):
    done = s.run_program(name, "-c", s.config, *args, timeout=120)
    if done.returncode:
        raise RuntimeError(name + ": " + done.stdout + done.stderr)
    return done.stdout.splitlines()


def fill(s, count, lifetime=3600, users=None):
    """Put tokens in, of so many seconds."""
    run(s, FILL, "-n", str(count), "--lifetime", str(lifetime),
        *(["--users", str(users)] if users else []))


def dump(s):
    """Lines of tokens, and the line of the audit; SOUND stands in it when
    nothing is astray."""
    lines = run(s, DUMP)
    return lines[:-1], lines[-1]


def stored(s):
    """The keys of the tokens, and the line of the audit."""
    lines, audit = dump(s)
    return {line.split()[0] for line in lines}, audit


def count(s):
    return len(dump(s)[0])
