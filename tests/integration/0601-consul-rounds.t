#!/usr/bin/env python3
# 0601-consul-rounds.t - what is asked of Consul, counted; what is done twice. SPDX-License-Identifier: GPL-3.0-or-later
import time

import consul
import consul_keys as k
import false_consul as f
import harness as h

TXN = ("PUT", "/v1/txn")


def asked(p):
    """{(method, path): how often}, with no key but the first words of it."""
    found = {}
    for (method, path), count in p.counts().items():
        path = "/".join(path.split("/")[:3])
        found[method, path] = found.get((method, path), 0) + count
    p.forget()
    return found


def calm_down(p, s, token):
    """Wait until a read need not be consistent."""
    def is_plain():
        p.forget()
        s.http("GET", "/0.1/token/" + token)
        return not any("consistent" in r.target for r in p.requests)
    h.until(is_plain, "plain reads", 20)
    p.forget()


def rounds(p, s):
    s.http("GET", "/0.1/token/" + h.TOKEN)
    asked(p)
    s.http("GET", "/0.1/token/" + h.TOKEN)
    h.eq(asked(p), {("GET", "/v1/kv"): 1},
         "one for an unknown token, while reads are consistent")
    calm_down(p, s, s.token())
    tokens = [s.token() for _ in range(10)]
    h.eq(asked(p), {TXN: 10}, "one round trip for an issue")
    for token in tokens:
        s.http("GET", "/0.1/token/" + token)
    h.eq(asked(p), {("GET", "/v1/kv"): 10}, "one for a check")
    for token in tokens:
        s.http("HEAD", "/0.1/token/" + token + "?scope=confd.users.me.read")
    h.eq(asked(p), {("GET", "/v1/kv"): 10}, "one with a scope")
    calm_down(p, s, tokens[0])
    s.http("GET", "/0.1/token/" + h.TOKEN)
    h.eq(asked(p), {("GET", "/v1/kv"): 2},
         "two for an unknown token, to be sure")
    for bad in ("1", "a" * 36, h.TOKEN + "%20"):
        s.http("GET", "/0.1/token/" + bad)
    h.eq(asked(p), {}, "none for what is no token")
    for token in tokens:
        s.http("DELETE", "/0.1/token/" + token)
    h.eq(asked(p), {("GET", "/v1/kv"): 10, TXN: 10}, "two for a revocation")
    with p.lock:
        connections = len(p._open)
    h.ok(connections <= 2, "each process keeps one connection", connections)


def sure_rounds(p, s):
    """With consul.consistency consistent a 404 needs no second opinion."""
    s.ask("GET", "/0.1/token/" + h.TOKEN)
    asked(p)
    for _ in range(3):
        s.ask("GET", "/0.1/token/" + h.TOKEN)
    h.eq(asked(p), {("GET", "/v1/kv"): 3},
         "one for an unknown token, of a consistent read")


def young_leader(p, s):
    """Who has just begun to lead may not know all yet, and says 404."""
    token = s.token()
    for method in ("GET", "HEAD", "DELETE"):
        calm_down(p, s, token)
        p.on("GET", "/v1/kv", f.reply(404), times=1)
        answer = s.http(method, "/0.1/token/" + token)
        h.ok(answer.status in (200, 204),
             "a 404 of a leader that knows too little: " + method, answer)
    p.off()
    answer = s.http("GET", "/0.1/token/" + token)
    h.eq(answer.status, 404, "and then it is revoked", answer)


def by_hand(p):
    """No key is asked for with ?recurse or deleted below a prefix."""
    bad = [r.target for r in p.requests
           if "recurse" in r.target or "?token" in r.target or
           r.method == "DELETE"]
    h.eq(bad, [], "nothing is asked for with its whole tree")


def twice(c, p, s):
    p.on(*TXN, f.twice)
    token = s.token()
    h.eq(k.audit(c.pairs()), k.SOUND, "an issue that is done twice is one")
    h.eq(s.http("GET", "/0.1/token/" + token).status, 200, "it is valid")
    h.eq(s.http("DELETE", "/0.1/token/" + token).status, 200,
         "a revocation that is done twice")
    h.ok(k.key_of(token) not in k.token_keys(c.keys()), "it is gone")
    p.off()


def sent_again(c, p, s):
    """The kept connection ends after the write, before the answer: libcurl
    sends it again by itself."""
    s.token()
    p.forget()
    p.on(*TXN, f.drop_answer, times=1)
    answer = s.login()
    h.eq(answer.status, 200, "a lost answer on a kept connection: issued",
         answer)
    h.eq(asked(p), {TXN: 2}, "it was sent twice")
    h.eq(k.audit(c.pairs()), k.SOUND, "and is there once")
    token = answer.data["token"]
    h.eq(s.http("GET", "/0.1/token/" + token).status, 200, "and valid")
    p.on(*TXN, f.drop_answer, times=1)
    h.eq(s.http("DELETE", "/0.1/token/" + token).status, 200,
         "a revocation whose answer was lost")
    h.eq(s.http("GET", "/0.1/token/" + token).status, 404, "it is gone")


def unanswered(c, p, s):
    """Done, but the answer never comes: an error, and nothing is left over
    that does not end by itself."""
    before = k.token_keys(c.keys())
    p.on(*TXN, f.swallow_answer)
    begun = time.monotonic()
    answer = s.login(expiration=2)
    h.eq((answer.status, answer.reason),
         (500, "Connection to consul timedout"), "an issue without answer")
    h.ok(time.monotonic() - begun < 3, "within 3 s")
    h.ok(answer.get("Retry-After"), "to be tried again later")
    p.off()
    h.eq(len(k.token_keys(c.keys()) - before), 1, "it was done")
    h.eq(k.audit(c.pairs()), k.SOUND, "with its schedule")
    daemon = s.start_daemon()
    h.until(lambda: k.token_keys(c.keys()) == before,
            "the daemon removes it in its time", 20)
    h.eq(k.audit(c.pairs()), k.SOUND, "whole")
    h.eq(daemon.stop(), 0, "the daemon ends well")


def removed_twice(c, p, s):
    """Each transaction of the daemon is done twice."""
    now = time.time()
    for i in range(100):
        c.put_many(k.pairs_of(now - 10 + i / 100))
    live = [s.token() for _ in range(3)]
    p.on(*TXN, f.twice)
    wanted = k.token_keys(c.keys())
    daemon = s.start_daemon()
    h.until(lambda: len(k.token_keys(c.keys())) <= len(wanted) - 100,
            "what is due is gone", 20)
    p.off()
    daemon.stop()
    h.eq(k.audit(c.pairs()), k.SOUND, "nothing is left over")
    h.eq([s.http("HEAD", "/0.1/token/" + t).status for t in live], [204] * 3,
         "what lives is still there")


def main():
    with consul.Consul() as c, f.CountingProxy(c.port) as p, \
            h.Service(p.config(c), check=1) as s:
        rounds(p, s)
        by_hand(p)
        young_leader(p, s)
        twice(c, p, s)
        sent_again(c, p, s)
        unanswered(c, p, s)
        removed_twice(c, p, s)
    with consul.Consul() as c, f.CountingProxy(c.port) as p, \
            h.Service(p.config(c, consistency="consistent"), check=1,
                      login=0, nginx=False) as s:
        sure_rounds(p, s)


h.run(main)
