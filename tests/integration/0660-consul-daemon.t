#!/usr/bin/env python3
# 0660-consul-daemon.t - what the expiry daemon removes from Consul. SPDX-License-Identifier: GPL-3.0-or-later
import json
import time

import consul
import consul_keys as k
import false_consul as f
import harness as h
from consul_daemon import gone, leads, lines, place, put_due

DAEMON = "xivo-auth-expiryd"


def overdue(c):
    """Everything from 0 to now, at once, and nothing that still lives."""
    put_due(c, 700)
    c.put_many(k.pairs_of(1000.5, issued=10))  # from 1970
    live = k.pairs_of(time.time() + 3600)
    soon = k.pairs_of(time.time() + 30)
    c.put_many(live + soon)
    with place(c) as s:
        daemon = s.start_daemon()
        h.until(lambda: len(k.token_keys(c.keys())) == 2, "a sweep", 30)
        pairs = c.pairs()
        h.ok(live[0][0] in pairs and soon[0][0] in pairs,
             "all that is overdue goes, what lives stays")
        h.eq(k.audit(pairs), k.SOUND, "nothing is left over")
        done = h.until(lambda: lines(s, "expiry.done"), "its line", 10)
        h.has(done[-1], "removed=", "the log says how many")
        h.eq(daemon.stop(), 0, "it ends well")
        h.eq(c.leader_session(), None, "the lock is released")
        h.eq(c.sessions(), [], "its session is gone")
    c.delete_all(consul.PREFIX)


def look_back(c):
    """A schedule that a host with a slow clock wrote after its second was
    swept."""
    with place(c) as s:
        s.start_daemon()
        leads(c, "a leader")
        time.sleep(1)
        put_due(c, 20, ago=100)
        took = gone(c, "what was written late")
        h.ok(took < 10, "a schedule that appears in the past is found", took)


def later_expiry(c):
    """(d) The record lives longer than its schedule says."""
    now = time.time()
    token = "11111111-2222-4333-8444-555555555555"
    key = k.key_of(token)
    name, schedule, subject = k.names(key, now - 3)
    c.put_many([(name, k.record(now + 4)), (subject, b""),
                (schedule, k.subject_of("auth-id").encode())])
    moved = k.names(key, now + 4)[1]
    with place(c, check=1) as s:
        s.start_daemon()
        h.until(lambda: schedule not in c.keys(), "the schedule", 10)
        h.ok(time.time() < now + 4, "in time to see it")
        pairs = c.pairs()
        h.ok(name in pairs, "a record that lives longer stays")
        h.ok(moved in pairs and subject in pairs,
             "its schedule is moved to its expiry", sorted(pairs))
        h.eq(s.ask("GET", "/0.1/token/" + token).status, 200, "it is valid")
        gone(c, "its real expiry", 20)
        h.ok(time.time() >= now + 4, "and goes then")
        h.eq(k.audit(c.pairs()), k.SOUND, "wholly")


def changed_meanwhile(c):
    """Between the daemon's reading and its removal the record gets a later
    expiry: check-and-set keeps it."""
    now = time.time()
    token = "11111111-2222-4333-8444-666666666666"
    name, schedule, subject = k.names(k.key_of(token), now - 3)
    c.put_many(k.pairs_of(now - 3, token))
    changed = []

    def prolong(x):
        if b"delete" in x.request.body and not changed:
            changed.append(1)
            c.put(name, k.record(now + 3600))
        f.hand_on(x)
    with f.CountingProxy(c.port) as p:
        p.on("PUT", "/v1/txn", prolong)
        with place(c, p.config(c)) as s:
            s.start_daemon()
            h.until(lambda: changed and schedule not in c.keys(),
                    "the schedule is moved", 20)
            pairs = c.pairs()
            h.ok(name in pairs, "a record changed at the last moment stays")
            h.eq(k.audit(pairs), k.SOUND, "with a schedule of its own")
    c.delete_all(consul.PREFIX)


def once(c):
    """--once: sweeps when it may; otherwise waits for no lock."""
    put_due(c, 100)
    with place(c) as s:
        done = s.run_program(DAEMON, "-c", s.config, "--once")
        h.eq((done.returncode, k.token_keys(c.keys())), (0, set()),
             "--once sweeps", done.stderr)
        h.eq(c.sessions(), [], "and leaves no session")
        s.start_daemon()
        leads(c, "a leader")
        begun = time.monotonic()
        done = s.run_program(DAEMON, "-c", s.config, "--once")
        h.ok(time.monotonic() - begun < 5,
             "beside a leader it ends soon", done)


def adopted(c):
    """A token of the Python service has no schedule until it is adopted."""
    config = c.config()
    config["store"]["token_keys"] = "plain"
    now = time.time()
    token = "11111111-2222-4333-8444-777777777777"
    c.put(k.TOKENS + token, k.record(now + 2, now - 10, token=token))
    with place(c, config) as s:
        done = s.run_program("xivo-authctl", "-c", s.config, "token", "adopt")
        h.eq(done.returncode, 0, "token adopt", done.stderr)
        names = set(c.keys())
        h.ok(any(x.startswith(k.SCHEDULE) and x.endswith(token)
                 for x in names), "gives it a schedule", names)
        h.eq(json.loads(c.get(k.TOKENS + token))["token"], token,
             "and leaves the record alone")
        h.lacks(done.stdout + done.stderr, token, "without showing it")
        s.start_daemon()
        gone(c, "it goes", 20)
        h.eq([x for x in c.keys() if x != k.LOCK], [],
             "at its expiry, wholly")


def main():
    with consul.Consul() as c:
        overdue(c)
        look_back(c)
        later_expiry(c)
        changed_meanwhile(c)
        once(c)
        adopted(c)


h.run(main)
