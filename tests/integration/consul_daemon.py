# consul_daemon.py - expiry daemons on a shared Consul. SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the daemon share."""

import time

import consul_keys as k
import harness as h


def place(c, config=None, **how):
    """A configuration with a quick daemon, nothing started."""
    merged = config or c.config()
    merged.setdefault("expiry", {}).setdefault("interval", 0.2)
    how.setdefault("check", 0)
    return h.Service(merged, login=0, nginx=False, **how)


def put_due(c, count, ago=5):
    """Tokens that fell due `ago` seconds ago; before 0: that will."""
    now = time.time()
    pairs = [p for i in range(count)
             for p in k.pairs_of(now - ago - i % 100 / 100)]
    c.put_many(pairs)


def gone(c, what, seconds=20):
    """Wait until no token is left; how long that took."""
    begun = time.monotonic()
    h.until(lambda: not k.token_keys(c.keys()), what, seconds)
    return time.monotonic() - begun


def lines(s, event):
    """Of the log, with that event."""
    return [x for x in s.read("xivo-auth.log").splitlines() if event in x]


def leads(c, what):
    """Wait for a daemon that leads; its session."""
    return h.until(c.leader_session, what, 20)
