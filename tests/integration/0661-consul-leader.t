#!/usr/bin/env python3
# 0661-consul-leader.t - one of several daemons leads. SPDX-License-Identifier: GPL-3.0-or-later
"""Hand-over, a fence for who was frozen, a Consul that goes away. With
XA_FULL=1 also the take-over from a daemon that was killed, which takes up to
45 s of waiting."""

import os
import signal
import time

import consul
import consul_keys as k
import harness as h
from consul_daemon import gone, leads, lines, place, put_due

FULL = os.environ.get("XA_FULL") == "1"


def hand_over(c):
    """(b) One ends well: the other takes over within 2 s, however seldom it
    sweeps."""
    seldom = dict(c.config(), expiry={"interval": 10})
    with place(c) as one, place(c, seldom) as two:
        first = one.start_daemon()
        session = leads(c, "the first leads")
        second = two.start_daemon()
        time.sleep(1)
        h.eq(c.leader_session(), session, "the second one stands by")
        live = k.pairs_of(time.time() + 600)
        c.put_many(live)
        put_due(c, 50)
        h.until(lambda: len(k.token_keys(c.keys())) == 1, "a sweep", 20)
        h.eq(lines(two, "expiry.done"), [], "and removes nothing")
        put_due(c, 50, ago=-1)
        begun = time.monotonic()
        code = first.stop()
        h.until(lambda: c.leader_session() not in (None, session),
                "the second leads", 20)
        took = time.monotonic() - begun
        h.eq(code, 0, "the first ends well")
        h.ok(took < 2, "the second takes over within 2 s", took)
        h.until(lambda: len(k.token_keys(c.keys())) == 1,
                "the second removes", 20)
        h.ok(live[0][0] in c.keys(), "nothing too early")
        h.eq(second.stop(), 0, "the second ends well, too")
    c.delete_all(consul.PREFIX)


def woken(c):
    """Frozen, then woken after another has taken over: what it was about to
    do is refused by its fence."""
    with place(c) as one:
        first = one.start_daemon()
        session = leads(c, "it leads")
        first.send(signal.SIGSTOP)
        try:
            c.must("PUT", "/v1/session/destroy/" + session)
            other = c.must("PUT", "/v1/session/create",
                           {"LockDelay": "0s", "TTL": "600s"})["ID"]
            h.until(lambda: c.must("PUT", "/v1/kv/%s?acquire=%s" % (
                k.LOCK, other), b"x"), "another leader", 30)
            put_due(c, 20)
        finally:
            first.send(signal.SIGCONT)
        time.sleep(2)
        h.eq(len(k.token_keys(c.keys())), 20,
             "who was frozen and lost the lock removes nothing")
        h.eq(c.leader_session(), other, "and leaves it to the other")
        c.must("PUT", "/v1/kv/%s?release=%s" % (k.LOCK, other), b"x")
        gone(c, "once it is free again", 20)
        c.must("PUT", "/v1/session/destroy/" + other)


def away(c):
    """Consul goes: said once, pauses, and on when it is back."""
    with place(c) as s:
        daemon = s.start_daemon()
        leads(c, "it leads")
        c.kill()
        h.until(lambda: lines(s, "expiry.failing"), "a complaint", 20)
        time.sleep(2)
        h.eq(len(lines(s, "expiry.failing")), 1, "Consul away: said once")
        c.restart()
        put_due(c, 50)
        took = gone(c, "all that is due", 60)
        h.ok(took < 45, "it goes on when Consul is back", took)
        h.until(lambda: lines(s, "expiry.recovered"), "the end of it", 10)
        h.ok(daemon.alive(), "in the same process")
        c.freeze()
        time.sleep(1)
        begun = time.monotonic()
        code = daemon.stop()
        h.ok(code == 0 and time.monotonic() - begun < 4,
             "it ends well beside a frozen Consul", code)
        c.thaw()
        c.wait()
        for session in c.sessions():
            c.must("PUT", "/v1/session/destroy/" + session["ID"])
    with place(c) as s:
        c.kill()
        daemon = s.start_daemon()
        h.until(lambda: lines(s, "expiry.failing"), "a complaint", 20)
        h.ok(daemon.alive(), "it starts without a Consul")
        c.restart()
        put_due(c, 50)
        gone(c, "all that is due", 60)
        h.ok(True, "and works when there is one")


def session_lost(c):
    """Its session is taken away: it stops, and leads again in time."""
    with place(c) as s:
        s.start_daemon()
        session = leads(c, "it leads")
        c.must("PUT", "/v1/session/destroy/" + session)
        put_due(c, 50)
        begun = time.monotonic()
        h.until(lambda: c.leader_session() not in (None, session),
                "it leads again", 45)
        took = time.monotonic() - begun
        h.diag("leads again after %.1f s" % took)
        gone(c, "what became due", 20)
        h.ok(took < 45, "a lost session: it leads again", took)


def killed(c):
    """kill -9: the session ends by itself, and the other takes over."""
    with place(c) as one, place(c) as two:
        first = one.start_daemon()
        session = leads(c, "the first leads")
        two.start_daemon()
        put_due(c, 50, ago=-2)
        first.kill()
        begun = time.monotonic()
        h.until(lambda: c.leader_session() not in (None, session),
                "the second leads", 60)
        took = time.monotonic() - begun
        h.diag("taken over after %.1f s" % took)
        h.ok(took < 45, "kill -9: the second takes over within 45 s", took)
        gone(c, "the sweep")
        h.eq(k.audit(c.pairs()), k.SOUND, "and finishes the work")


def main():
    with consul.Consul() as c:
        hand_over(c)
        woken(c)
        away(c)
        if FULL:
            session_lost(c)
            killed(c)


h.run(main, 360 if FULL else 120)
