#!/usr/bin/env python3
# 0840-soak.t - a mixed load for long: memory and descriptors stay as they are. SPDX-License-Identifier: GPL-3.0-or-later
"""The clients of model.py ask at a moderate rate on both stores at once, while
memory and descriptors of each of our processes are sampled; then their slopes
are printed. A few seconds, in which only what is gross is seen; half an hour
with XA_FULL=1, XA_SECONDS=... for another time.

Of memory the anonymous part counts: the rest is the program and the file of
the store, which the kernel lends and takes back.
"""

import collections
import copy
import os
import random
import time

import consul
import consul_keys as k
import harness as h
import model
from poollab import Pool
from storelab import count

SEED = os.environ.get("XA_SEED") or str(random.randrange(1 << 32))
FULL = os.environ.get("XA_FULL") == "1"
SECONDS = int(os.environ.get("XA_SECONDS") or (1800 if FULL else 6))
EVERY = max(0.2, SECONDS / 400)  # seconds between two samples
CLIENTS, RATE = 4, 40  # on each store
LIVES = {1: 3, 2: 2, 4: 2, 30 if FULL else 5: 1}
GROWTH_KIB = 256 if SECONDS > 300 else 2048  # between two thirds of the time
NAMES = ("anonymous", "rss", "pss", "descriptors")


class Stack:
    """One store with everything before it, and who asks."""

    def __init__(self, name, config, c=None):
        self.name, self.c = name, c
        self.world = model.World(SEED, LIVES)
        self.s = h.Service(dict(config, expiry={"interval": 1}),
                           users=self.world.users, check=0, login=0,
                           nginx=False)
        self.pool = Pool(self.s)
        self.samples = collections.defaultdict(list)
        self.clients = []

    def __enter__(self):
        self.s.__enter__()
        return self

    def __exit__(self, *exc):
        self.end()
        self.pool("stop")
        self.s.__exit__(*exc)

    def start(self):
        self.pool.expect(0, self.name + ": the pools start", "start")
        self.daemon = self.s.start_daemon()
        guard = copy.copy(self.s)
        guard.port = h.free_port()
        self.s.start_nginx({"rate=10r/s": "rate=100000r/s"},
                           servers=model.GUARD.format(port=guard.port))
        self.pids = self.processes()
        self.clients = [model.Client(self.world, self.s, guard, n, RATE)
                        for n in range(CLIENTS)]
        for client in self.clients:
            client.start()

    def end(self):
        for client in self.clients:
            client.over.set()
        for client in self.clients:
            client.join(30)

    def processes(self):
        found = {"expiryd": self.daemon.pid}
        for which in ("check", "login"):
            for n, pid in enumerate(self.pool.workers(which)):
                found["%s %d" % (which, n)] = pid
        return found

    def sample(self, at):
        for name, pid in self.pids.items():
            self.samples[name].append((at, sizes(pid)))

    def judge(self):
        """What there was to see, of each process."""
        did = model.total(self.clients, "did")
        h.diag("%s: %d requests, %.0f a second, %s" % (
            self.name, sum(did.values()), sum(did.values()) / SECONDS,
            dict(did)))
        wrong = model.total(self.clients, "wrong")
        h.eq(len(wrong), 0, self.name + ": no answer was wrong", *wrong[:10])
        h.eq(model.total(self.clients, "lost")[:5], [], "and none missing")
        h.eq(self.processes(), self.pids, "no process was replaced")
        h.ok(sum(did.values()) > SECONDS * 5, "there was work")
        for name in self.pids:
            self.judge_process(name)
        self.is_empty()

    def judge_process(self, name):
        samples = self.samples[name]
        third = len(samples) // 3
        before, after = samples[third:2 * third], samples[2 * third:]
        said = []
        for what in NAMES:
            values = [(at, x[what]) for at, x in before + after
                      if x.get(what) is not None]
            if values:
                said.append("%s %d" % (what, values[-1][1]) + (
                    ", %+.1f an hour" % (slope(values) * 3600)
                    if SECONDS >= 60 else ""))
        h.diag("%s %s (KiB): %s" % (self.name, name, "; ".join(said)))
        grown = mean(after, "anonymous") - mean(before, "anonymous")
        if not is_sanitized():  # which keeps what was freed
            h.ok(grown < GROWTH_KIB, "%s %s: memory stays as it is"
                 % (self.name, name), "%+.0f KiB" % grown)
        if after[0][1]["descriptors"] is None:
            h.skip("only root may count them", name + ": descriptors")
            return
        h.ok(max(x["descriptors"] for _, x in after) <=
             max(x["descriptors"] for _, x in before) + CLIENTS,  # kept ones
             "%s %s: descriptors, too" % (self.name, name),
             [x["descriptors"] for _, x in samples])

    def is_empty(self):
        time.sleep(max(0, self.world.last_end() - time.time()))
        h.until(lambda: count(self.s) == 0, "the end of all tokens", 60)
        done = self.s.run_program("xivo-authctl", "-c", self.s.config,
                                  "store", "check")
        h.eq(done.returncode, 0, "%s: nothing is left" % self.name,
             done.stdout)
        if self.c:
            h.eq([x for x in self.c.keys() if x != k.LOCK], [], "in Consul")


def sizes(pid):
    """Of a process, in KiB; None where only root may look."""
    with open("/proc/%d/status" % pid) as f:
        status = dict(x.split(":", 1) for x in f)
    found = {"anonymous": int(status["RssAnon"].split()[0]),
             "rss": int(status["VmRSS"].split()[0]),
             "pss": None, "descriptors": None}
    try:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            found["pss"] = next(int(x.split()[1]) for x in f
                                if x.startswith("Pss:"))
        found["descriptors"] = len(os.listdir("/proc/%d/fd" % pid))
    except PermissionError:
        pass
    return found


def mean(samples, what):
    return sum(x[what] for _, x in samples) / len(samples)


def slope(values):
    """By least squares, a second."""
    at = sum(x for x, _ in values) / len(values)
    level = sum(y for _, y in values) / len(values)
    spread = sum((x - at) ** 2 for x, _ in values)
    return sum((x - at) * (y - level) for x, y in values) / (spread or 1)


def is_sanitized():
    with open(h.program("xivo-auth-fcgi"), "rb") as f:
        return b"libasan" in f.read()


def main():
    h.need("spawn-fcgi", "multiwatch", "nginx", "openssl")
    h.program("tests/tools/store_dump")
    h.diag("XA_SEED=%s, %d s, a sample each %.1f s" % (SEED, SECONDS, EVERY))
    with consul.Consul() as c, Stack("lmdb", {"store": {"lmdb": {
            "sync": True}}}) as lmdb, Stack("consul", c.config(), c) as other:
        stacks = (lmdb, other)
        for stack in stacks:
            stack.start()
        begun = time.monotonic()
        while time.monotonic() < begun + SECONDS:
            time.sleep(EVERY)
            for stack in stacks:
                stack.sample(time.monotonic() - begun)
        for stack in stacks:
            stack.end()
        for stack in stacks:
            stack.judge()


h.run(main, 240 + 2 * SECONDS)
