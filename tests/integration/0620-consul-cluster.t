#!/usr/bin/env python3
# 0620-consul-cluster.t - three servers: a leader killed, no leader at all. SPDX-License-Identifier: GPL-3.0-or-later
"""The leader is killed once, or twenty times with XA_FULL=1; XA_TIMES=... for
another number."""

import os
import threading
import time

import consul
import consul_keys as k
import harness as h

FAILED = "Connection to consul failed"
SILENT = "Connection to consul timedout"
REASONS = (FAILED, SILENT)
STALE_MAX = 6
TIMES = int(os.environ.get("XA_TIMES") or
            (20 if os.environ.get("XA_FULL") == "1" else 1))


class Issuer(threading.Thread):
    """Issues and checks until told to end; what it was told is kept."""

    def __init__(self, s):
        super().__init__(daemon=True)
        self.s = s
        self.told = []
        self.wrong = []
        self.slowest = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            begun = time.monotonic()
            answer = self.s.login(h.MOCK_LOGIN, "mock")
            self.slowest = max(self.slowest, time.monotonic() - begun)
            if answer.status == 200:
                self.told.append(answer.data["token"])
            elif answer.status != 500 or answer.reason not in REASONS:
                self.wrong.append(answer)
            if self.told:
                answer = self.s.http("GET", "/0.1/token/" + self.told[0])
                if answer.status not in (200, 500):
                    self.wrong.append(answer)
            self.ended.wait(0.01)


def leader_killed(cluster, s):
    issuer = Issuer(s)
    issuer.start()
    h.until(lambda: len(issuer.told) >= 50, "some tokens", 20)
    leader = cluster.leader()
    leader.kill()
    h.until(lambda: cluster.agent.wait() or True, "a new leader", 30)
    before = len(issuer.told)
    h.until(lambda: len(issuer.told) > before + 20, "it goes on", 20)
    issuer.ended.set()
    issuer.join(10)
    h.ok(not issuer.is_alive(), "nobody hangs")
    h.eq(issuer.wrong, [], "each answer was right or a 500")
    h.ok(issuer.slowest < 3, "within 3 s", issuer.slowest)
    leader.restart(wait=False)
    cluster.wait()
    lost = [t for t in issuer.told
            if s.http("GET", "/0.1/token/" + t).status != 200]
    h.eq(lost, [], "every token that was answered is still there")
    pairs = cluster.agent.pairs()
    h.eq(k.audit(pairs), k.SOUND, "and whole")
    h.diag("%d tokens" % len(issuer.told))


def quorum_lost(cluster, s, strict, token):
    """One server is left: it knows what was, but decides nothing."""
    for server in cluster.servers[1:]:
        server.kill()
    lost = time.monotonic()
    accepted = []
    wrong = []
    while time.monotonic() - lost < 30:
        begun = time.monotonic()
        answer = s.http("GET", "/0.1/token/" + token)
        took = time.monotonic() - begun
        if answer.status == 200:
            accepted.append(begun - lost)
        elif answer.status != 500 or answer.reason not in REASONS:
            wrong.append(answer)
        if took > 3:
            wrong.append(took)
        other = s.http("GET", "/0.1/token/" + h.TOKEN)
        # Who leads may know so for a moment longer: then it surely is a 404.
        if other.status != 500 and (other.status != 404 or
                                    begun - lost > 2):
            wrong.append(other)
        # A follower may count from its last contact with a leader.
        if begun - lost > STALE_MAX + 3 and answer.status == 500:
            break
        time.sleep(0.05)
    h.eq(wrong[:3], [], "without a quorum nothing is refused by mistake")
    h.ok(len(accepted) >= 5, "a token that is known is accepted for a while",
         len(accepted))
    h.ok(accepted and max(accepted) < STALE_MAX + 2,
         "for stale_max seconds and no longer", accepted[-3:])
    h.eq(answer.status, 500, "then it is a 500", answer)
    answer = strict.http("GET", "/0.1/token/" + token)
    h.ok(answer.status == 500 and answer.reason in REASONS,
         "with stale_max 0 it always is", answer)
    answer = s.login()
    h.ok(answer.status == 500 and answer.reason in REASONS,
         "nothing is issued", answer)
    h.until(lambda: s.login().reason == FAILED,
            "no leader: its words, once Consul has said so", 20)
    begun = time.monotonic()
    answer = s.login()
    h.ok(answer.status == 500 and time.monotonic() - begun < 1,
         "and quickly")


def quorum_back(cluster, s, token):
    for server in cluster.servers[1:]:
        server.restart(wait=False)
    cluster.wait()
    begun = time.monotonic()
    # What asked before is answered a moment after the election: Consul's
    # servers look for a leader now and then, and so their answers come late.
    h.until(lambda: s.http("GET", "/0.1/token/" + token).status == 200 and
            s.login().status == 200, "the service", 20)
    took = time.monotonic() - begun
    h.ok(took < 2, "with a quorum GET and POST work within 2 s", took)
    answer = s.http("GET", "/0.1/token/" + h.TOKEN)
    h.eq(answer.status, 404, "and what is unknown is a 404 again", answer)


def said(s):
    """The log names the beginning and the end of stale acceptance."""
    log = [x for x in s.read("xivo-auth.log").splitlines() if "stale" in x]
    h.ok(2 <= len(log) <= 20, "the log tells when it began and ended", *log)


def main():
    hasty = {"rate=10r/s": "rate=10000r/s"}
    with consul.Cluster(agent=True) as cluster:
        with h.Service(cluster.config(), check=1, edits=hasty) as s:
            for _ in range(TIMES):
                leader_killed(cluster, s)
        alone = cluster.servers[0]
        with h.Service(alone.config(stale_max=STALE_MAX), check=1,
                       edits=hasty) as s, \
                h.Service(alone.config(stale_max=0), check=1) as strict:
            token = s.token()
            strict.http("GET", "/0.1/token/" + token)
            # A server learns a little later that a write counts.
            h.until(lambda: alone.ask("GET", "/v1/kv/%s?stale" % (
                k.TOKENS + k.key_of(token))).status == 200,
                "the token on this server", 10)
            quorum_lost(cluster, s, strict, token)
            quorum_back(cluster, s, token)
            said(s)


h.run(main, 120 + 60 * TIMES)
