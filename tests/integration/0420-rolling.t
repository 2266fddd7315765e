#!/usr/bin/env python3
# 0420-rolling.t - reload, restart and kill the pools under a mixed load. SPDX-License-Identifier: GPL-3.0-or-later
"""GET, HEAD, POST and DELETE through nginx, both pools by xivo-auth-pool, the
LMDB store with sync: 60 s with 20 rolling reloads and 5 restarts lose nothing;
30 s in which a process is killed every 250 ms lose no GET and no HEAD, and at
most one POST or DELETE for each kill. That is with XA_FULL=1; else less."""

import collections
import os
import random
import signal
import subprocess
import threading
import time

import harness as h
from poollab import Pool

FULL = os.environ.get("XA_FULL") == "1"
CLIENTS = 6
RELOAD_S, RELOADS = (60, 20) if FULL else (9, 3)
RESTARTS = 5 if FULL else 1
KILL_S = 30 if FULL else 6
KILL_EVERY = 0.25
SOUND = "unreadable=0 unscheduled=0 unlisted=0 stray_schedules=0 " \
        "stray_subjects=0"


class Client(threading.Thread):
    """Asks until it is told to stop; knows what each answer must be."""

    def __init__(self, s, over):
        super().__init__(daemon=True)
        self.s, self.over = s, over
        self.tokens = []
        self.did = collections.Counter()
        self.lost = []  # (method, what came instead)

    def run(self):
        while not self.over.is_set():
            method = random.choices(["GET", "HEAD", "POST", "DELETE"],
                                    [40, 40, 14, 6])[0]
            if method != "POST" and not self.tokens:
                continue
            self.ask(method)

    def ask(self, method):
        self.did[method] += 1
        try:
            if method == "POST":
                answer = self.s.login(h.MOCK_LOGIN, "mock")
                if answer.status == 200:
                    self.tokens.append(answer.data["token"])
                    return
            else:
                token = random.choice(self.tokens)
                if method == "DELETE":
                    self.tokens.remove(token)
                answer = self.s.http(method, "/0.1/token/" + token)
                if answer.status == (204 if method == "HEAD" else 200):
                    return
        except Exception as error:  # a reset is lost as much as a 502
            answer = error
        self.lost.append((method, repr(answer)))


class Load:
    def __init__(self, s):
        self.over = threading.Event()
        self.clients = [Client(s, self.over) for _ in range(CLIENTS)]

    def __enter__(self):
        for client in self.clients:
            client.start()
        h.until(lambda: all(self.did()[m] > 5 for m in
                            ("GET", "HEAD", "POST", "DELETE")), "load", 10)
        return self

    def __exit__(self, *_exc):
        self.over.set()
        for client in self.clients:
            client.join(30)

    def did(self):
        return sum((client.did for client in self.clients),
                   collections.Counter())

    def lost(self, *methods):
        return [x for client in self.clients for x in client.lost
                if x[0] in methods]

    def judge(self, what):
        did = self.did()
        h.diag("%s: %s" % (what, ", ".join(
            "%d %s (%d lost)" % (did[m], m, len(self.lost(m)))
            for m in ("GET", "HEAD", "POST", "DELETE"))))
        h.ok(not any(c.is_alive() for c in self.clients), "no client hangs")


def rolling(s, pool):
    before = {w: pool.workers(w) for w in ("check", "login")}
    with Load(s) as load:
        begun = time.monotonic()
        for number in range(RELOADS):
            due = begun + RELOAD_S * number / RELOADS
            time.sleep(max(0, due - time.monotonic()))
            pool.expect(0, "reload %d" % (number + 1), "reload")
        time.sleep(max(0, begun + RELOAD_S - time.monotonic()))
    load.judge("%d reloads in %.0f s" % (RELOADS, time.monotonic() - begun))
    h.eq(load.lost("GET", "HEAD", "POST", "DELETE")[:5], [],
         "reloads lose nothing")
    for which, pids in before.items():
        h.eq(set(pids) & set(pool.workers(which)), set(),
             "%s: all processes are others" % which)


def restarts(s, pool):
    with Load(s) as load:
        for number in range(RESTARTS):
            pool.expect(0, "restart %d" % (number + 1), "restart")
    load.judge("%d restarts" % RESTARTS)
    h.eq(load.lost("GET", "HEAD", "POST", "DELETE")[:5], [],
         "restarts lose nothing")


def killed(s, pool):
    kills = 0
    with Load(s) as load:
        begun = time.monotonic()
        while time.monotonic() < begun + KILL_S:
            victims = pool.workers("check") + pool.workers("login")
            if victims:
                os.kill(random.choice(victims), signal.SIGKILL)
                kills += 1
            due = begun + (kills + 1) * KILL_EVERY
            time.sleep(max(0.01, due - time.monotonic()))
        h.until(lambda: pool("status") == 0, "both pools whole", 10)
    load.judge("%d kills in %d s" % (kills, KILL_S))
    h.ok(kills >= KILL_S / KILL_EVERY * 0.7, "processes were killed", kills)
    h.eq(load.lost("GET", "HEAD")[:5], [], "no GET and no HEAD is lost")
    lost = load.lost("POST", "DELETE")
    h.ok(len(lost) <= kills, "at most one POST or DELETE for each kill",
         "%d lost, %d kills" % (len(lost), kills), *lost[:5])


def sound(s):
    done = subprocess.run([h.program("tests/tools/store_dump"), "-c",
                           s.config], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=True)
    h.has(done.stdout.splitlines()[-1], SOUND,
          "each token has its schedule and its subject entry")


def main():
    h.need("spawn-fcgi", "multiwatch", "nginx")
    h.program("tests/tools/store_dump")
    config = {"store": {"lmdb": {"sync": True}}}
    with h.Service(config, check=0, login=0, nginx=False, daemon=True) as s:
        pool = Pool(s)
        try:
            pool.expect(0, "start", "start")
            s.start_nginx({"rate=10r/s": "rate=100000r/s"})
            rolling(s, pool)
            restarts(s, pool)
            killed(s, pool)
        finally:
            pool("stop")
        sound(s)


h.run(main, 120 + 3 * (RELOAD_S + KILL_S))
