#!/usr/bin/env python3
# 0410-nothing-lost.t - kill anything at any time: what was answered is kept. SPDX-License-Identifier: GPL-3.0-or-later
"""Clients issue, check and revoke tokens through nginx while processes of
both pools and the daemon get SIGKILL. Then the store is compared with what
the clients were told. Ten seconds, or thirty with XA_FULL=1."""

import hashlib
import os
import random
import signal
import threading
import time

import harness as h
from storelab import SOUND, stored

SECONDS = 30 if os.environ.get("XA_FULL") == "1" else 10
CLIENTS = 4
KILL_EVERY = 0.25  # seconds
SHORT = 1  # seconds that one token in four lives


class Client(threading.Thread):
    """One client, and what it must find in the store."""

    def __init__(self, service, end):
        super().__init__(daemon=True)
        self.s = service
        self.end = end
        self.live = []  # answered with 200, not revoked
        self.revoked = []  # revoked, and told so
        self.maybe = set()  # DELETE not answered
        self.short = {}  # token: when it ends
        self.unanswered = 0  # POST not answered
        self.did = {"issue": 0, "check": 0, "revoke": 0}
        self.failed = {"issue": 0, "check": 0, "revoke": 0}
        self.wrong = []

    def run(self):
        try:
            while time.monotonic() < self.end:
                random.choices([self.issue, self.check, self.revoke],
                               [3, 6, 1])[0]()
        except BaseException as e:  # a thread's exception is nobody's
            self.wrong.append("client ended: %r" % e)

    def ask(self, what, *args, **how):
        """None when the process that had the request was killed."""
        self.did[what] += 1
        answer = self.s.http(*args, **how)
        if answer.status in (502, 503, 504):
            self.failed[what] += 1
            return None
        return answer

    def issue(self):
        short = random.random() < 0.25
        answer = self.ask(
            "issue", "POST", "/0.1/token",
            {"backend": "mock", "expiration": SHORT if short else 3600},
            login=h.MOCK_LOGIN)
        if not answer:
            self.unanswered += 1
        elif answer.status != 200:
            self.wrong.append("POST: %r" % answer)
        elif short:
            self.short[answer.data["token"]] = time.time() + SHORT
        else:
            self.live.append(answer.data["token"])

    def check(self):
        method = random.choice(["GET", "HEAD"])
        pool = random.choice([self.live, self.live, self.revoked])
        if not pool:
            return
        token = random.choice(pool)
        answer = self.ask("check", method, "/0.1/token/" + token)
        good = 404 if pool is self.revoked else \
            200 if method == "GET" else 204
        if answer and answer.status != good:
            self.wrong.append("%s, not %d: %r" % (method, good, answer))

    def revoke(self):
        if len(self.live) < 5:
            return
        token = self.live.pop(random.randrange(len(self.live)))
        answer = self.ask("revoke", "DELETE", "/0.1/token/" + token)
        if not answer:
            self.maybe.add(token)
        elif answer.status != 200:
            self.wrong.append("DELETE: %r" % answer)
        else:
            self.revoked.append(token)


def kill_at_random(s, end):
    """Kill a process every now and then, and put another in its place."""
    kills = {"check": 0, "login": 0, "daemon": 0}
    daemon = s.start_daemon()
    while time.monotonic() < end:
        time.sleep(random.uniform(0, 2 * KILL_EVERY))
        which = random.choice(list(kills))
        kills[which] += 1
        if which == "daemon":
            daemon.kill()
            daemon = s.start_daemon()
            continue
        pool = s.pools[which]
        victim = random.choice(pool)
        victim.kill()
        pool.remove(victim)
        s.add_process(which, on=s.sockets[which == "login"])
    return kills


def stop_all(s):
    for process in s.processes:
        # One that has only just begun may still die of the signal.
        process.expected.add(-signal.SIGTERM)
        if process.alive():
            process.send(signal.SIGTERM)
    for process in s.processes:
        process.stop()


def keys(tokens):
    return {hashlib.sha256(t.encode()).hexdigest() for t in tokens}


def gather(clients, name):
    return [x for c in clients for x in getattr(c, name)]


def totals(clients, name):
    return {what: sum(getattr(c, name)[what] for c in clients)
            for what in ("issue", "check", "revoke")}


def compare(s, clients):
    live = keys(gather(clients, "live"))
    revoked = keys(gather(clients, "revoked"))
    maybe = keys(gather(clients, "maybe"))
    short = keys(gather(clients, "short"))
    there, audit = stored(s)
    unknown = there - live - maybe - short - revoked
    unanswered = sum(c.unanswered for c in clients)

    h.eq(len(live - there), 0, "every token that was issued is there")
    h.eq(len(revoked & there), 0, "every token that was revoked is gone")
    h.ok(len(unknown) <= unanswered, "nothing is there that nobody asked for",
         "%d unknown, %d POST unanswered" % (len(unknown), unanswered))
    h.has(audit, SOUND, "each has its schedule and its subject entry")

    time.sleep(max([0] + [max(c.short.values(), default=0) - time.time()
                          for c in clients]) + 0.1)
    done = s.run_program("xivo-auth-expiryd", "-c", s.config, "--once")
    h.eq(done.returncode, 0, "a last sweep")
    there, audit = stored(s)
    h.eq((len(live - there), len(there & short)), (0, 0),
         "takes the short-lived ones and no other")
    h.has(audit, SOUND, "and leaves nothing astray")


def main():
    h.program("tests/tools/store_dump")
    config = {"expiry": {"interval": 0.1},
              "store": {"lmdb": {"sync": True}}}
    hasty = {"rate=10r/s": "rate=10000r/s"}  # all clients are one address
    with h.Service(config, check=3, login=2, edits=hasty) as s:
        end = time.monotonic() + SECONDS
        clients = [Client(s, end) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        kills = kill_at_random(s, end)
        for client in clients:
            client.join(30)
        h.ok(not any(c.is_alive() for c in clients), "no client hangs")
        stop_all(s)

        did, failed = totals(clients, "did"), totals(clients, "failed")
        h.diag("killed %r, asked %r, not answered %r" % (kills, did, failed))
        wrong = gather(clients, "wrong")
        h.eq(len(wrong), 0, "no answer was wrong", *wrong[:10])
        h.ok(min(kills.values()) > 0 and min(did.values()) > 20,
             "there was work, and there were kills")
        h.ok(failed["issue"] + failed["revoke"] <= sum(kills.values()),
             "a kill costs one POST or DELETE at most", failed, kills)
        h.eq(failed["check"], 0, "and no GET or HEAD")
        compare(s, clients)


h.run(main, 60 + 3 * SECONDS)
