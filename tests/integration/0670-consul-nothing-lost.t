#!/usr/bin/env python3
# 0670-consul-nothing-lost.t - kill everything, Consul too: what was answered is kept. SPDX-License-Identifier: GPL-3.0-or-later
"""Clients issue, check and revoke tokens of short lives through nginx, while
pool processes, the daemon and Consul get SIGKILL in turn, at random moments.
Then Consul is compared with what the clients were told. Twelve seconds, or
two minutes and 10,000 tokens with XA_FULL=1."""

import os
import random
import threading
import time

import consul
import consul_keys as k
import harness as h

FULL = os.environ.get("XA_FULL") == "1"
SECONDS = 120 if FULL else 12
TOKENS = 10000 if FULL else 800
LIVES = (1, 60) if FULL else (1, 10)
CLIENTS = 4
REASONS = ("Connection to consul failed", "Connection to consul timedout")
GONE_WITHIN = 10  # seconds after the daemon leads again


class Client(threading.Thread):
    """One client, and what it was told."""

    def __init__(self, s, end):
        super().__init__(daemon=True)
        self.s = s
        self.end = end
        self.ends = {}  # token: when it expires, as the answer says
        self.revoked = set()
        self.maybe = set()  # DELETE without an answer
        self.unanswered = 0
        self.checks = self.failures = 0
        self.slowest = 0
        self.wrong = []

    def run(self):
        rate = TOKENS / CLIENTS / SECONDS
        begun = time.monotonic()
        try:
            while time.monotonic() < self.end:
                issued = len(self.ends) + self.unanswered
                if issued < (time.monotonic() - begun) * rate:
                    self.issue()
                elif random.random() < 0.05:
                    self.revoke()
                else:
                    self.check()
        except BaseException as e:  # a thread's exception is nobody's
            self.wrong.append("client ended: %r" % e)

    def ask(self, *args, **how):
        """None when a process was killed, or Consul was away."""
        begun = time.monotonic()
        answer = self.s.http(*args, **how)
        self.slowest = max(self.slowest, time.monotonic() - begun)
        if answer.status in (502, 503, 504) or answer.status == 500 and (
                not answer.body or answer.reason in REASONS):
            self.failures += 1
            return None
        return answer

    def issue(self):
        life = random.randint(*LIVES)
        answer = self.ask("POST", "/0.1/token",
                          {"backend": "mock", "expiration": life},
                          login=h.MOCK_LOGIN)
        if not answer:
            self.unanswered += 1
        elif answer.status != 200:
            self.wrong.append("POST: %r" % answer)
        else:
            self.ends[answer.data["token"]] = k.unix_of(
                answer.data["utc_expires_at"])

    def pick(self):
        return random.choice(list(self.ends)) if self.ends else None

    def check(self):
        token = self.pick()
        if not token or token in self.maybe:
            time.sleep(0.005)
            return
        method = random.choice(["GET", "HEAD"])
        before = time.time()
        answer = self.ask(method, "/0.1/token/" + token)
        after = time.time()
        self.checks += 1
        if not answer:
            return
        dead = token in self.revoked or before >= self.ends[token]
        alive = token not in self.revoked and after < self.ends[token]
        valid = answer.status in (200, 204)
        if answer.status not in (200, 204, 404) or dead and valid or \
                alive and not valid:
            self.wrong.append("%s %s at %.3f-%.3f, ends %.3f: %r" % (
                method, "revoked" if token in self.revoked else "", before,
                after, self.ends[token], answer))

    def revoke(self):
        token = self.pick()
        if not token or token in self.maybe:
            return
        answer = self.ask("DELETE", "/0.1/token/" + token)
        if not answer:
            self.maybe.add(token)
        elif answer.status != 200:
            self.wrong.append("DELETE: %r" % answer)
        else:
            self.revoked.add(token)


def kill_in_turn(c, s, end):
    """One after the other, at random moments; how often, and the sessions
    that daemons left behind."""
    dead = {None}
    kills = {"check": 0, "login": 0, "daemon": 0, "consul": 0}
    daemon = s.start_daemon()
    turns = list(kills)
    while time.monotonic() < end - 1:
        time.sleep(random.uniform(0.05, 0.8))
        which = turns[sum(kills.values()) % 4]
        kills[which] += 1
        if which == "daemon":
            daemon.kill()
            dead.add(c.leader_session())
            daemon = s.start_daemon()
        elif which == "consul":
            c.kill()
            time.sleep(random.uniform(0, 0.5))
            c.restart()
            # Else most of the time there would be none to lose anything.
            time.sleep(random.uniform(0.5, 1.5))
        else:
            pool = s.pools[which]
            victim = pool.pop(random.randrange(len(pool)))
            victim.kill()
            s.add_process(which, on=s.sockets[which == "login"])
    return kills, dead


def compare(c, s, clients):
    ends, revoked, maybe = {}, set(), set()
    for client in clients:
        ends.update(client.ends)
        revoked |= client.revoked
        maybe |= client.maybe
    pairs = c.pairs()
    h.eq(k.audit(pairs), k.SOUND,
         "no token without schedule, none without token, no subject astray")
    now = time.time()
    live = {t for t, end in ends.items() if end > now + 2} - revoked - maybe
    there = k.token_keys(pairs)
    h.eq(len({k.key_of(t) for t in live} - there), 0,
         "every live token that was answered is there", len(live))
    wrong = [t for t in list(live)[:300]
             if s.http("HEAD", "/0.1/token/" + t).status != 204]
    h.eq([t for t in wrong if ends[t] > time.time()], [], "and valid")
    h.eq(len({k.key_of(t) for t in revoked} & there), 0,
         "every revoked one is gone")
    ours = {k.key_of(t) for t in ends}
    h.ok(len(there - ours) <= sum(x.unanswered for x in clients),
         "nothing is there that nobody asked for")


def all_gone(c, clients, dead):
    """The daemon is back once it leads; a killed one's session has to end
    before, which in the short run is not waited for."""
    if not FULL and c.leader_session() in dead - {None}:
        c.must("PUT", "/v1/session/destroy/" + c.leader_session())
    h.until(lambda: c.leader_session() not in dead, "a leading daemon", 60)
    led = time.time()
    last = max(max(x.ends.values(), default=0) for x in clients)
    h.until(lambda: not k.token_keys(c.keys()), "the end of all tokens",
            max(0, last - led) + LIVES[1] + 30)
    late = time.time() - max(led, last)
    # One that was not answered for may end a little later than the last.
    h.ok(late < GONE_WITHIN + 1, "every expired one is gone within 10 s",
         late)
    h.eq(k.audit(c.pairs()), k.SOUND, "and nothing is left")
    h.eq([x for x in c.keys() if x != k.LOCK], [], "at all")


def main():
    config = {"expiry": {"interval": 0.5}}
    hasty = {"rate=10r/s": "rate=10000r/s"}  # all clients are one address
    with consul.Consul() as c, \
            h.Service(dict(c.config(), **config), check=3, login=2,
                      edits=hasty) as s:
        end = time.monotonic() + SECONDS
        clients = [Client(s, end) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        kills, dead = kill_in_turn(c, s, end)
        for client in clients:
            client.join(30)
        c.wait()
        issued = sum(len(x.ends) for x in clients)
        h.diag("killed %r; %d issued, %d not answered, %d checks, "
               "%d revoked, %d failures, slowest %.2f s" % (
                   kills, issued, sum(x.unanswered for x in clients),
                   sum(x.checks for x in clients),
                   sum(len(x.revoked) for x in clients),
                   sum(x.failures for x in clients),
                   max(x.slowest for x in clients)))
        h.ok(not any(x.is_alive() for x in clients), "no client hangs")
        wrong = [w for x in clients for w in x.wrong]
        h.eq(wrong[:5], [], "no answer was wrong")
        h.ok(max(x.slowest for x in clients) < 3, "each within 3 s")
        h.ok(min(kills.values()) > 0 and issued > TOKENS / 4,
             "there was work, and there were kills")
        compare(c, s, clients)
        all_gone(c, clients, dead)


h.run(main, 60 + 4 * SECONDS)
