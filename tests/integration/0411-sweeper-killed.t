#!/usr/bin/env python3
# 0411-sweeper-killed.t - SIGKILL for the daemon in the middle of its removal. SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded store with as many tokens due as live ones. Daemons are killed
at random writes of their removal; then one more finishes it. No live token
goes, none that is due stays, and nothing is half there. 15 kills, 5,000 tokens
of each kind; with XA_FULL=1 1,000 kills, 20,000 of each; XA_KILLS=... for
another number."""

import os
import random
import re
import signal
import subprocess
import time

import harness as h
from storelab import SOUND, fill, stored

FULL = os.environ.get("XA_FULL") == "1"
KILLS = int(os.environ.get("XA_KILLS") or (1000 if FULL else 15))
TOKENS = 20000 if FULL else 5000
A_ROUND = 10 if FULL else 3  # kills before the store is looked at
CALLS = "pwrite64,pwritev,fdatasync"  # LMDB's
WRITES = 1000  # of each, before which a sweep dies; 5,000 tokens take 2,300


def kill_one(s):
    """A sweep that dies where it would have written for the so manieth time;
    False: it wrote less often."""
    when = random.randrange(1, WRITES)
    done = subprocess.run(
        [h.need("strace"), "-f", "-o", os.devnull, "-e", "trace=" + CALLS,
         "-e", "inject=%s:signal=SIGKILL:when=%d" % (CALLS, when),
         h.program("xivo-auth-expiryd"), "-c", s.config, "--once"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
        # who is traced cannot look for leaks
        env=dict(s.env, ASAN_OPTIONS="detect_leaks=0"))
    if done.returncode not in (0, -signal.SIGKILL):
        raise h.SkipAll("strace cannot trace here: " + done.stdout)
    return done.returncode != 0


def removed(s):
    return sum(int(n) for n in re.findall(r"expiry\.done removed=(\d+)",
                                          s.read("xivo-auth.log")))


def a_round(s, live, count):
    """How many were killed, and how many tokens they left to the last one."""
    fill(s, TOKENS, 1)
    time.sleep(1)  # until the last of them is due
    kills = sum(kill_one(s) for _ in range(count))
    there, audit = stored(s)
    whole = live <= there and SOUND in audit
    before = removed(s)
    done = s.run_program("xivo-auth-expiryd", "-c", s.config, "--once")
    left = removed(s) - before
    after, audit = stored(s)
    if not whole or done.returncode or after != live or SOUND not in audit or \
            left != len(there - live):
        h.ok(False, "a round of kills", "before: %d live of %d" % (
            len(live & there), len(live)), "left over: %d, removed %d" % (
                len(there - live), left), "after: %d, %s" % (len(after),
                                                             audit))
    return kills, left


def main():
    h.program("tests/tools/store_dump")
    h.need("strace")
    with h.Service({"store": {"lmdb": {"sync": True}}}, check=0, login=0,
                   nginx=False) as s:
        fill(s, TOKENS, 86400)
        live, _ = stored(s)
        h.eq(len(live), TOKENS, "live tokens")
        begun = time.monotonic()
        halves, rounds, kills = 0, 0, 0
        while kills < KILLS:
            killed, left = a_round(s, live, min(A_ROUND, KILLS - kills))
            if not killed:
                raise RuntimeError("no sweep of a round wrote %d times" %
                                   WRITES)
            kills += killed
            rounds += 1
            halves += 0 < left < TOKENS
        h.diag("%d kills in %.0f s, %d of %d rounds left some of %d for "
               "the last sweep" % (kills, time.monotonic() - begun, halves,
                                   rounds, TOKENS))
        h.ok(halves, "some kills came in the middle of a removal")
        there, audit = stored(s)
        h.eq(there, live, "each live token is there, each due one is gone")
        h.has(audit, SOUND, "nothing is half there")


h.run(main, 1800 if FULL else 120)
