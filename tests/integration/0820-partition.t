#!/usr/bin/env python3
# 0820-partition.t - Consul at the end of a bad line: slow, lossy, cut. SPDX-License-Identifier: GPL-3.0-or-later
"""Consul stands in a network namespace of its own. While the line there is
slow, loses packets and is cut, the clients of model.py go on: each answer is
in time, none is wrong, and the first ones after the line is well succeed."""

import copy
import os
import random
import time

import consul
import consul_keys as k
import harness as h
import model
import netlab

SEED = os.environ.get("XA_SEED") or str(random.randrange(1 << 32))
FULL = os.environ.get("XA_FULL") == "1"
SECONDS = 30 if FULL else 3  # of each trouble
LIMIT = 3  # seconds for each answer


def far_consul(line):
    """CONSUL is a script that starts it behind the line."""
    binary = consul.program()
    path = os.path.join(line.dir, "consul")
    with open(path, "w") as f:
        f.write("#!/bin/sh\nexec %s \"$@\"\n"
                % " ".join(line.there(binary)))
    os.chmod(path, 0o755)
    os.environ["CONSUL"] = path
    return consul.Consul(os.path.join(line.dir, "data"), address=netlab.FAR)


def troubles():
    return (("slow", {"delay_s": 0.15}), ("lossy", {"loss": 0.2}),
            ("slower than we wait", {"delay_s": 0.6}), ("cut", {"down": True}),
            ("slow and lossy", {"delay_s": 0.05, "loss": 0.1}))


def well(line):
    line.delay_s = line.loss = 0
    line.down = False


def phase(c, s, line, world, clients, what, how):
    count = {n: model.total(clients, n) for n in ("did", "away")}
    for client in clients:
        client.slowest = 0
    span = [time.time(), None]
    world.outages.append(span)
    for name, value in how.items():
        setattr(line, name, value)
    time.sleep(SECONDS)
    well(line)
    begun = time.monotonic()
    c.wait()
    span[1] = time.time()
    h.until(lambda: s.http("GET", "/0.1/status").status == 200,
            "the service is well", 10)
    back = time.monotonic() - begun
    asked = sum((model.total(clients, "did") - count["did"]).values())
    away = model.total(clients, "away") - count["away"]
    slowest = max(x.slowest for x in clients)
    h.diag("%s: %d asked, %d without Consul, the slowest took %.2f s, well "
           "after %.2f s" % (what, asked, away, slowest, back))
    h.ok(slowest < LIMIT, "%s: each answer within %d s" % (what, LIMIT),
         slowest)
    h.ok(back < 5, what + ": well soon after", back)
    h.ok(asked > 5, what + ": there was work", asked)
    if "down" in how:
        h.ok(away > 0, "a line that is cut is felt")
    time.sleep(1)  # of work on a good line


def judge(c, s, world, clients):
    h.ok(not any(x.is_alive() for x in clients), "no client hangs")
    wrong = model.total(clients, "wrong")
    h.eq(len(wrong), 0, "no answer was wrong", *wrong[:10])
    h.eq(model.total(clients, "lost")[:5], [], "and none was missing")
    pairs = c.pairs()
    wrong = world.compare(k.token_keys(pairs))
    h.eq(len(wrong), 0, "Consul holds what the model says", *wrong[:10])
    h.eq(k.audit(pairs), k.SOUND, "each with its schedule and its subject")
    time.sleep(max(0, world.last_end() - time.time()))
    h.until(lambda: len(k.token_keys(c.keys())) <= len(
        [t for t in world.tokens if not t.is_dead(time.time())]) +
        world.unanswered, "the daemon removes what has expired", 40)
    for user in world.users:
        world.purge(user, lambda user=user: s.run_program(
            "xivo-authctl", "-c", s.config, "token", "revoke", "--auth-id",
            world.users[user]["uuid"]).returncode in (0, 1))
    h.eq([x for x in c.keys() if x != k.LOCK], [], "and nothing is left")


def play(line, c):
    world = model.World(SEED)
    config = dict(c.config(), expiry={"interval": 0.3})
    # Not by xivo-auth-pool, whose logins are nice to all else on the machine.
    with h.Service(config, users=world.users, check=2, login=2,
                   nginx=False, daemon=True) as s:
        guard = copy.copy(s)
        guard.port = h.free_port()
        s.start_nginx({"rate=10r/s": "rate=100000r/s"},
                      servers=model.GUARD.format(port=guard.port))
        clients = [model.Client(world, s, guard, n, 50) for n in range(4)]
        for client in clients:
            client.start()
        try:
            time.sleep(1)
            for what, how in troubles():
                phase(c, s, line, world, clients, what, how)
        finally:
            for client in clients:
                client.over.set()
            for client in clients:
                client.join(30)
        judge(c, s, world, clients)


def main():
    netlab.enter("--net")
    h.diag("XA_SEED=" + SEED)
    with netlab.Line(SEED) as line:
        with far_consul(line) as c:
            play(line, c)
        h.diag("%d packets carried, %d lost" % (line.carried, line.lost))


h.run(main, 180 + 10 * SECONDS)
