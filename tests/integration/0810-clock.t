#!/usr/bin/env python3
# 0810-clock.t - clocks that are set while we run, by libfaketime. SPDX-License-Identifier: GPL-3.0-or-later
"""The wall clock of a process jumps: an hour either way, 400 days, before
1970, past 2038. The daemon must not remove what lives before somebody had the
time to notice; a pool must judge by its own clock, and answer."""

import contextlib
import glob
import json
import os
import re
import time

import consul
import harness as h
import memory
from storelab import count

HOUR, DAY = 3600, 86400
GRACE = 3 if memory.is_sanitized() else 1  # seconds, for what is done meanwhile
USERS = {"alice": h.ALICE}


def jumps():
    now = time.time()
    return (("an hour forward", HOUR), ("an hour back", -HOUR),
            ("400 days forward", 400 * DAY), ("400 days back", -400 * DAY),
            ("to 1969", -int(now) - 30 * DAY),
            ("past 2038", (1 << 31) - int(now) + DAY))


class Clock:
    """A wall clock for some processes, that can be set."""

    def __init__(self, s, name):
        found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        if not found:
            raise h.SkipAll("libfaketime is not installed")
        self.s, self.name = s, name + ".offset"
        self.set(0)
        self.env = dict(
            s.env, LD_PRELOAD=found[0], FAKETIME_NO_CACHE="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            FAKETIME_TIMESTAMP_FILE=s.path(self.name),
            # The sanitizer wants to be first, and can do without.
            ASAN_OPTIONS=":".join(filter(None, (
                s.env.get("ASAN_OPTIONS"), "verify_asan_link_order=0"))))

    def set(self, seconds):
        self.s.write(self.name, "%+d\n" % seconds)
        self.offset = seconds

    @contextlib.contextmanager
    def worn(self):
        """By what is started meanwhile."""
        env, self.s.env = self.s.env, self.env
        yield
        self.s.env = env


def place(config):
    return h.Service(dict(config, log_level="debug", expiry={
        "interval": 0.1, "clock_grace": GRACE}), users=USERS, nginx=False,
        check=0, login=0)


def ask(s, method, token, **how):
    return s.ask(method, "/0.1/token/" + token, **how)


def issue(s, seconds):
    answer = s.ask("POST", "/0.1/token", json.dumps(
        {"backend": "users_file", "expiration": seconds}).encode(),
        headers={"Authorization": h.basic(*h.LOGIN)})
    if answer.status != 200:
        raise RuntimeError("no token: %r" % answer)
    return answer.data["token"]


def forget(s, tokens):
    """So that the next one finds the store empty."""
    h.eq([ask(s, "DELETE", t).status for t in tokens], [200] * len(tokens),
         "all can be revoked")


def logged(s, event, times, seconds=15):
    h.until(lambda: len(re.findall(" %s( |$)" % re.escape(event),
                                   s.read("xivo-auth.log"),
                                   re.MULTILINE)) >= times,
            "%s, %d times" % (event, times), seconds)


# --- the daemon --------------------------------------------------------------


def daemon_waits(name, config):
    """A jump, and back before the grace is over: no token is lost, and one
    that fell due meanwhile goes."""
    with place(config) as s:
        clock = Clock(s, "daemon")
        s.start_pool("check", 1)
        with clock.worn():
            daemon = s.start_daemon()
        logged(s, "expiryd.started", 1)
        live = [issue(s, x) for x in (1800, 30 * DAY, 315360000)]
        for number, (what, offset) in enumerate(jumps(), 1):
            due = issue(s, 1)
            clock.set(offset)
            logged(s, "clock.jumped", 2 * number - 1)
            h.eq(count(s), 4, "%s: %s: nothing is removed" % (name, what))
            time.sleep(GRACE / 2)
            clock.set(0)
            logged(s, "clock.jumped", 2 * number)
            h.eq(count(s), 4, "%s: nor when it is set right" % name)
            logged(s, "clock.trusted", number)
            h.until(lambda: count(s) == 3, "the removal of what is due", 10)
            h.eq([ask(s, "HEAD", t).status for t in live + [due]],
                 [204, 204, 204, 404], "%s: and all that live are there"
                 % name)
        forget(s, live)
        jumped = re.findall(r"clock\.jumped by_s=(-?\d+) pause_s=(\d+)",
                            s.read("xivo-auth.log"))
        h.ok(abs(int(jumped[0][0]) - HOUR) <= 1 and
             abs(int(jumped[3][0]) - HOUR) <= 1 and
             jumped[0][1] == str(GRACE), "%s: it says by how much" % name,
             jumped)
        h.eq(daemon.stop(), 0, "%s: the daemon ends well" % name)


def daemon_believes(name, config):
    """Nobody sets the clock right: after the grace it is the time. Set back
    afterwards, the daemon finds again what falls due."""
    with place(config) as s:
        clock = Clock(s, "daemon")
        s.start_pool("check", 1)
        with clock.worn():
            daemon = s.start_daemon()
        logged(s, "expiryd.started", 1)
        kept, early = issue(s, 2 * HOUR), issue(s, HOUR // 2)
        begun = time.monotonic()
        clock.set(HOUR)
        h.until(lambda: ask(s, "HEAD", early).status == 404,
                "the new time is believed", 10)
        waited = time.monotonic() - begun
        h.ok(waited >= GRACE - 0.2, "%s: not before the grace is over" % name,
             "after %.1f s" % waited)
        h.eq(ask(s, "HEAD", kept).status, 204, "%s: what lives longer stays"
             % name)
        clock.set(0)
        logged(s, "clock.trusted", 2)
        soon = issue(s, 2)
        h.eq(ask(s, "HEAD", soon).status, 204, "%s: a short life" % name)
        h.until(lambda: count(s) == 1, "it is removed in its time", 10)
        h.eq([ask(s, "HEAD", t).status for t in (soon, kept)], [404, 204],
             "%s: is removed after the clock was set back" % name)
        forget(s, [kept])
        h.eq(daemon.stop(), 0, "%s: and ends well" % name)


def daemon_starts_wrong(name, config):
    """Who starts has nothing to compare the clock with, and believes it. That
    costs the tokens that end before the wrong time, and no others."""
    with place(config) as s:
        clock = Clock(s, "daemon")
        s.start_pool("check", 1)
        kept, early = issue(s, 2 * HOUR), issue(s, HOUR // 2)
        clock.set(HOUR)
        done = s.run_program("xivo-auth-expiryd", "-c", s.config, "--once",
                             env=clock.env)
        h.eq((done.returncode, [ask(s, "HEAD", t).status
                                for t in (kept, early)]), (0, [204, 404]),
             "%s: --once, an hour ahead" % name, done.stderr)
        early = issue(s, HOUR // 2)
        with clock.worn():
            daemon = s.start_daemon()
        h.until(lambda: ask(s, "HEAD", early).status == 404,
                "the removal of what ends within the hour", 20)
        h.eq((ask(s, "HEAD", kept).status, count(s)), (204, 1),
             "%s: a start, an hour ahead" % name)
        h.lacks(s.read("xivo-auth.log"), "clock.jumped",
                "%s: neither knows of the jump" % name)
        clock.set(0)
        logged(s, "clock.jumped", 1)
        last = issue(s, HOUR // 2)
        h.eq(ask(s, "HEAD", last).status, 204,
             "%s: set right, that is a jump like any other" % name)
        forget(s, (kept, last))
        h.eq(daemon.stop(), 0, "%s: the daemon ends well" % name)


# --- the pool ----------------------------------------------------------------


def pool_judges(name, config):
    """By its own clock: what has expired by it is refused, the rest not."""
    with place(config) as s:
        clock = Clock(s, "pool")
        with clock.worn():
            s.start_pool("check", 1)
        hour, year = issue(s, HOUR // 2), issue(s, 390 * DAY)
        for what, offset in jumps():
            clock.set(offset)
            for token, life in ((hour, HOUR // 2), (year, 390 * DAY)):
                valid = offset < life
                h.eq([ask(s, m, token).status for m in ("GET", "HEAD")],
                     [200, 204] if valid else [404, 404],
                     "%s: %s: %d s are %s" % (name, what, life, "not over"
                                              if valid else "over"))
            pool_answers(s, name, what, clock)
            clock.set(0)
        h.eq([ask(s, "GET", t).status for t in (hour, year)], [200, 200],
             "%s: set right, both are valid" % name)
        forget(s, (hour, year))
        h.eq(s.pools["check"][0].stop(), 0, "%s: it ends well" % name)


def pool_answers(s, name, what, clock):
    """Whatever year it is: issue, say until when, refuse in JSON."""
    answer = ask(s, "GET", h.TOKEN)
    at = time.time() + clock.offset
    h.ok(answer.status == 404 and answer.json and
         abs(answer.json["timestamp"][0] - at) < 5,
         "%s: %s: a refusal is JSON with the time" % (name, what), answer)
    answer = s.ask("POST", "/0.1/token", json.dumps(
        {"backend": "users_file", "expiration": 60}).encode(),
        headers={"Authorization": h.basic(*h.LOGIN)})
    if at < 0:  # no record can say so
        h.eq((answer.status, answer.reason), (500, "Internal error"),
             "%s: before 1970 none is issued" % name, answer)
        return
    h.eq((answer.status, answer.data and answer.data["utc_expires_at"][:4]),
         (200, time.strftime("%Y", time.gmtime(at + 60))),
         "%s: %s: a token of that year" % (name, what), answer)
    token = answer.data["token"]
    h.eq(ask(s, "GET", token).data, answer.data, "%s: is read" % name)
    h.eq(ask(s, "DELETE", token).status, 200, "%s: and revoked" % name)


def all_of(name, config):
    pool_judges(name, config)
    daemon_waits(name, config)
    daemon_believes(name, config)
    daemon_starts_wrong(name, config)


def main():
    h.program("tests/tools/store_dump")
    all_of("lmdb", {})
    with consul.Consul() as c:
        all_of("consul", c.config())


h.run(main, 240)
