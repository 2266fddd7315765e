#!/usr/bin/env python3
# 0800-model.t - a model says what each answer must be, whatever is killed. SPDX-License-Identifier: GPL-3.0-or-later
"""Clients issue, check, authorize and revoke at random through nginx while
processes are killed, restarted and reloaded, users lose all their tokens, and
Consul dies or freezes; model.py knows at each moment what must be answered.
At the end the store holds what the model says, and after the last revocation
nothing. On LMDB, then on Consul.

    XA_SEED=...     repeats the choices of a run (its moments are the machine's)
    XA_FULL=1       ten minutes on each store
    XA_SECONDS=...  so many
    XA_STORE=lmdb   (or consul) only that one

A server of Consul that has just become leader again answers from its log while
it still reads it (1.8.7: with KnownLeader true and LastContact 0), and does not
say so: core/token/consul/trust.h has to see that. 0621-consul-restart.t looks
for it alone.
"""

import collections
import contextlib
import copy
import os
import random
import signal
import time

import consul
import harness as h
import model
from poollab import Pool
from storelab import SOUND, stored

SEED = os.environ.get("XA_SEED") or str(random.randrange(1 << 32))
FULL = os.environ.get("XA_FULL") == "1"
SECONDS = int(os.environ.get("XA_SECONDS") or (600 if FULL else 6))
CLIENTS = 4
RATE = 150  # requests a second of each, lest it is a test of the machine


class Trouble:
    """What is done to the service, one after the other, at random."""

    def __init__(self, world, s, pool, c):
        self.world, self.s, self.pool, self.c = world, s, pool, c
        self.dice = random.Random("%s trouble" % world.seed)
        self.did = collections.Counter()
        self.when = []
        self.dead_sessions = {None}
        self.wrong = []
        self.daemon = s.start_daemon()
        self.kinds = {"kill check": 5, "kill login": 5, "kill daemon": 4,
                      "restart daemon": 2, "reload daemon": 2,
                      "reload pools": 2, "restart pools": 1, "purge": 4,
                      "audit": 1}
        if c:
            self.kinds.update({"kill consul": 2, "freeze consul": 2})

    def go_on(self, seconds):
        end = time.monotonic() + seconds
        first = list(self.kinds)  # each once, then as it comes
        self.dice.shuffle(first)
        while time.monotonic() < end or first:
            time.sleep(self.dice.uniform(0.1, 0.6))
            what = first.pop() if first else self.dice.choices(
                list(self.kinds), list(self.kinds.values()))[0]
            self.did[what] += 1
            self.when.append((time.time(), what))
            do, _, whom = what.partition(" ")
            getattr(self, do)(whom)

    def kill(self, whom):
        if whom == "consul":
            self.lose_consul()
        elif whom == "daemon":
            if self.c:
                self.dead_sessions.add(self.c.leader_session())
            self.daemon.kill()
            self.daemon = self.s.start_daemon()
        else:
            workers = self.pool.workers(whom)
            if workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.dice.choice(workers), signal.SIGKILL)

    def restart(self, whom):
        if whom == "daemon":
            self.must(self.daemon.stop() == 0, "the daemon ends badly")
            self.daemon = self.s.start_daemon()
        else:
            self.must(self.pool("restart") == 0, "restart", self.pool.said)

    def reload(self, whom):
        if whom == "daemon":
            self.daemon.send(signal.SIGHUP)
        else:
            self.must(self.pool("reload") == 0, "reload", self.pool.said)

    def purge(self, _whom):
        user = self.dice.choice(list(self.world.users))
        self.world.purge(user, lambda: self.revoke_all(user))

    def revoke_all(self, user):
        done = self.ctl("token", "revoke", "--auth-id",
                        self.world.users[user]["uuid"])
        self.must(done.returncode in ((0, 1, 69) if self.c else (0, 1)),
                  "purge", done)
        return done.returncode in (0, 1)  # 1: there were none

    def audit(self, _whom):
        """While the service goes on."""
        done = self.ctl("store", "check")
        self.must(done.returncode == 0, "audit", done)

    @contextlib.contextmanager
    def outage(self):
        span = [time.time(), None]
        self.world.outages.append(span)
        yield
        self.c.wait()
        span[1] = time.time()

    def lose_consul(self):
        with self.outage():
            self.c.kill()
            time.sleep(self.dice.uniform(0, 0.5))
            self.c.restart()
        time.sleep(self.dice.uniform(0.5, 1))  # else it is mostly away

    def freeze(self, _whom):
        with self.outage():
            self.c.freeze()
            time.sleep(self.dice.uniform(0.1, 3))
            self.c.thaw()
        time.sleep(self.dice.uniform(0.5, 1))

    def ctl(self, *args):
        return self.s.run_program("xivo-authctl", "-c", self.s.config, *args)

    def must(self, fine, *why):
        if not fine:
            self.wrong.append(" ".join(map(str, why)))


def judge(clients, trouble):
    kills = trouble.did["kill check"] + trouble.did["kill login"]
    lost = model.total(clients, "lost")
    writes = [x for x in lost if x[0] in ("issue", "refused", "revoke")]
    h.diag("asked %s" % dict(model.total(clients, "did")),
           "did %s" % dict(trouble.did),
           "%d without an answer, %d times the store was away, the slowest "
           "took %.2f s" % (len(lost), model.total(clients, "away"),
                            max(c.slowest for c in clients)))
    # A login waits behind everything else on a machine that is busy.
    for slow in [x for x in model.total(clients, "slow")
                 if not x.startswith(("issue", "refused"))][:5]:
        at = float(slow.split()[2])
        h.diag(slow, "  about that time: " + ", ".join(
            "%s at %.3f" % (what, when) for when, what in trouble.when
            if at - 3 < when < at + 6))
    h.ok(not any(c.is_alive() for c in clients), "no client hangs")
    wrong = model.total(clients, "wrong")
    h.eq(len(wrong), 0, "no answer was wrong", *wrong[:10])
    h.eq(trouble.wrong, [], "all that was done could be done")
    h.ok(len(writes) <= kills, "a kill costs one POST or DELETE at most",
         "%d kills" % kills, *writes[:10])
    h.eq([x for x in lost if x not in writes][:5], [], "and no GET or HEAD")
    did = model.total(clients, "did")
    h.ok(set(did) == set(model.OPERATIONS) and sum(did.values()) > 100 and
         set(trouble.did) == set(trouble.kinds), "there was work, and trouble")


def audited(s, c, world, trouble):
    """What lies in the store, while nobody asks."""
    keys, audit = stored(s)
    wrong = world.compare(keys)
    h.eq(len(wrong), 0, "the store holds what the model says", *wrong[:10])
    h.has(audit, SOUND, "each with its schedule and its subject entry")

    # The session of a killed daemon would end by itself, in its time.
    if c and not FULL and c.leader_session() in trouble.dead_sessions - {None}:
        c.must("PUT", "/v1/session/destroy/" + c.leader_session())
    time.sleep(max(0, world.last_end() - time.time()))

    def due():  # one whose POST was not answered may end a little later
        short = {model.k.key_of(t.text) for t in world.tokens
                 if t.ends < time.time()}
        return short & stored(s)[0]
    with contextlib.suppress(TimeoutError):
        h.until(lambda: not due(), "expiry", 60)
    h.eq(len(due()), 0, "the daemon removes what has expired")

    for user in world.users:
        world.purge(user, lambda user=user: trouble.revoke_all(user))
    h.eq(trouble.wrong, [], "all others can be revoked")
    keys, audit = stored(s)
    h.eq(len(keys), 0, "nothing is left")
    done = trouble.ctl("store", "check")
    h.eq(done.returncode, 0, "xivo-authctl store check finds nothing",
         done.stdout, done.stderr)
    if c:
        h.eq([x for x in c.keys() if x != model.k.LOCK], [],
             "and Consul has no key of ours but the lock")


def play(name, config, c=None):
    h.diag("%s: XA_SEED=%s, %d s" % (name, SEED, SECONDS))
    world = model.World(SEED)
    config = dict(config, expiry={"interval": 0.3})
    with h.Service(config, users=world.users, check=0, login=0,
                   nginx=False) as s:
        pool = Pool(s)
        try:
            pool.expect(0, "%s: the pools start" % name, "start")
            guard = copy.copy(s)
            guard.port = h.free_port()
            s.start_nginx({"rate=10r/s": "rate=100000r/s"},
                          servers=model.GUARD.format(port=guard.port))
            trouble = Trouble(world, s, pool, c)
            clients = [model.Client(world, s, guard, n, RATE)
                       for n in range(CLIENTS)]
            for client in clients:
                client.start()
            try:
                trouble.go_on(SECONDS)
            finally:
                for client in clients:
                    client.over.set()
                for client in clients:
                    client.join(30)
            judge(clients, trouble)
            audited(s, c, world, trouble)
        finally:
            pool("stop")
        h.lacks(s.read("xivo-auth.log"), " CRITICAL ", "no process gave up")


def main():
    h.need("spawn-fcgi", "multiwatch", "nginx", "openssl")
    h.program("tests/tools/store_dump")
    only = os.environ.get("XA_STORE")
    if only != "consul":
        play("lmdb", {"store": {"lmdb": {"sync": True,
                                         "max_size": 256 << 20}}})
    if only != "lmdb":
        with consul.Consul() as c:
            play("consul", c.config(), c)


h.run(main, 240 + 4 * SECONDS)
