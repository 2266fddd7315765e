#!/usr/bin/env python3
# 0611-consul-hostile.t - answers that Consul would not give. SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever comes back: a 500 in time, never a token accepted or refused by
mistake, no memory kept, no process lost, and the next one is right again."""

import time

import consul
import consul_keys as k
import false_consul as f
import harness as h

FAILED = "Connection to consul failed"
SILENT = "Connection to consul timedout"
SLOW = {"no answer", "1 byte a second", "a body at 1 byte a second"}
# What a record's place may hold: Consul's own answer, but no record.
RAW = {"200 and no JSON", "200 and a text", "200 and nothing",
       "200 and null"}
TIMEOUT = 0.4


def memory(s):
    """Resident, of both pools; their most, in KiB."""
    total = 0
    for p in s.pools["check"] + s.pools["login"]:
        with open("/proc/%d/status" % p.pid) as file:
            total += sum(int(x.split()[1]) for x in file
                         if x.startswith("VmRSS:"))
    return total


def ask_all(s, token):
    return {"GET": s.http("GET", "/0.1/token/" + token),
            "HEAD": s.http("HEAD", "/0.1/token/" + token),
            "POST": s.login(),
            "DELETE": s.http("DELETE", "/0.1/token/" + token)}


def one(p, s, name, behaviour, token):
    allowed = [SILENT] if name in SLOW else [FAILED]
    p.on(None, "/v1/", behaviour)
    begun = time.monotonic()
    answers = ask_all(s, token)
    took = time.monotonic() - begun
    p.off()
    p.cut_connections()
    for method, answer in answers.items():
        words = allowed
        if name in RAW and method != "POST" or name[:3] in ("400", "413"):
            words = [FAILED, "Token store failed"]
        h.ok(answer.status == 500 and
             (method == "HEAD" or answer.reason in words),
             "%s: %s is a 500" % (name, method), answer, words)
    h.ok(took < len(answers) * (TIMEOUT + 0.3),
         "%s: in time" % name, took)
    answer = s.http("GET", "/0.1/token/" + token)
    h.eq(answer.status, 200, "%s: then the truth again" % name, answer)
    answer = s.login()
    h.eq(answer.status, 200, "%s: for POST, too" % name, answer)


def main():
    with consul.Consul() as c, f.CountingProxy(c.port) as p, \
            h.Service(p.config(c, timeout=TIMEOUT), check=1) as s:
        token = s.token()
        one(p, s, "no answer", f.HOSTILE["no answer"], token)
        before = memory(s)
        for name, behaviour in f.HOSTILE.items():
            one(p, s, name, behaviour, token)
        grown = memory(s) - before
        with open("/proc/%d/maps" % s.pools["check"][0].pid) as file:
            keeps_freed = "libasan" in file.read()  # to find late uses
        h.ok(grown < 4096 or keeps_freed, "no memory is kept", grown)
        h.eq([x.alive() for x in s.pools["check"] + s.pools["login"]],
             [True, True], "the same processes")
        h.eq(k.audit(c.pairs()), k.SOUND, "nothing astray in the store")


h.run(main)
