#!/usr/bin/env python3
# 0420-rolling.t - reload, restart and kill the pools under a mixed load. SPDX-License-Identifier: GPL-3.0-or-later
"""GET, HEAD, POST and DELETE through nginx, both pools by xivo-auth-pool, the
LMDB store with sync: 125 rolling reloads of four processes in five minutes and
5 restarts lose nothing; ten minutes in which a process is killed every 250 ms
lose no GET and no HEAD, and at most one POST or DELETE for each kill. That is
with XA_FULL=1; else less."""

import os
import random
import signal
import time

import harness as h
from load import Load
from poollab import Pool
from storelab import SOUND, dump

FULL = os.environ.get("XA_FULL") == "1"
RELOAD_S, RELOADS = (300, 125) if FULL else (9, 3)
RESTARTS = 5 if FULL else 1
KILL_S = 600 if FULL else 6
KILL_EVERY = 0.25


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
        h.until(lambda: pool("status") == 0, "both pools whole", 40)
    load.judge("%d kills in %d s" % (kills, KILL_S))
    h.ok(kills >= KILL_S / KILL_EVERY * 0.7, "processes were killed", kills)
    h.eq(load.lost("GET", "HEAD")[:5], [], "no GET and no HEAD is lost")
    lost = load.lost("POST", "DELETE")
    h.ok(len(lost) <= kills, "at most one POST or DELETE for each kill",
         "%d lost, %d kills" % (len(lost), kills), *lost[:5])


def sound(s):
    h.has(dump(s)[1], SOUND,
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
