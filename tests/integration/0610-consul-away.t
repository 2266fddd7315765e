#!/usr/bin/env python3
# 0610-consul-away.t - Consul refused, frozen, killed, restarted. SPDX-License-Identifier: GPL-3.0-or-later
"""With XA_FULL=1 it is away for ten minutes, frozen and killed; XA_SECONDS=...
for another time."""

import os
import time

import consul
import consul_keys as k
import false_consul as f
import harness as h

FAILED = "Connection to consul failed"
SILENT = "Connection to consul timedout"
AWAY = int(os.environ.get("XA_SECONDS") or
           (600 if os.environ.get("XA_FULL") == "1" else 0))
LIMIT = 3  # seconds, for any answer
OPEN = 0.06  # with the breaker open


def questions(s, token):
    """One for each pool at least."""
    yield "GET", lambda: s.http("GET", "/0.1/token/" + token)
    yield "GET of another", lambda: s.http("GET", "/0.1/token/" + h.TOKEN)
    yield "DELETE", lambda: s.http("DELETE", "/0.1/token/" + h.TOKEN)
    yield "POST", s.login


def timed(ask):
    begun = time.monotonic()
    answer = ask()
    return answer, time.monotonic() - begun


def refusals(s, token, title, reasons, limit=LIMIT):
    for name, ask in questions(s, token):
        answer, took = timed(ask)
        h.ok(answer.status == 500 and answer.reason in reasons,
             "%s: %s is a 500" % (title, name), answer, reasons)
        h.ok(took < limit, "%s: within %s s" % (name, limit), took)
        h.ok(answer.get("Retry-After"), "%s: with Retry-After" % name)
    answer, took = timed(lambda: s.http("HEAD", "/0.1/token/" + token))
    h.eq((answer.status, answer.body), (500, b""), title + ": HEAD")
    answer, took = timed(lambda: s.http("GET", "/0.1/status"))
    h.eq((answer.status, answer.data["store"]["status"]), (503, "fail"),
         title + ": the status page", answer)
    h.ok(answer.data["store"]["reason"] in reasons and took < LIMIT,
         "it tells why", answer, took)


def quickest(s, token, title):
    """With the breaker open: the best of some, for the machine is shared."""
    for name, ask in questions(s, token):
        took = min(timed(ask)[1] for _ in range(8))
        h.ok(took < OPEN, "%s: %s at once" % (title, name), took)


def for_long(s, token, title, reasons):
    """As at the beginning, to the end: nothing fills up, nobody is stuck."""
    end = time.monotonic() + AWAY
    while time.monotonic() < end:
        refusals(s, token, title, reasons)
        quickest(s, token, title)
        time.sleep(2)


def returned(s, token, title):
    """The very first ones work, of each pool."""
    answer = s.http("GET", "/0.1/token/" + token)
    h.eq(answer.status, 200, title + ": the first GET works", answer)
    answer = s.login()
    h.eq(answer.status, 200, title + ": the first POST works", answer)
    h.eq(s.http("DELETE", "/0.1/token/" + answer.data["token"]).status, 200,
         title + ": and so does DELETE")


def bystanders(s):
    """What needs no Consul does not suffer."""
    answer, took = timed(lambda: s.http("GET", "/0.1/backends"))
    h.ok(answer.status == 200 and took < 1, "GET backends", answer, took)
    answer, took = timed(lambda: s.login(("alice", "wrong")))
    h.ok(answer.status == 401 and took < 2, "a wrong password is a 401",
         answer, took)


def freeze(c, s, token):
    c.freeze()
    refusals(s, token, "frozen", [SILENT])
    quickest(s, token, "frozen")
    for_long(s, token, "frozen for long", [SILENT])
    bystanders(s)
    c.thaw()
    c.wait()
    returned(s, token, "thawed")


def kill(c, s, token):
    c.kill()
    refusals(s, token, "killed", [FAILED])
    quickest(s, token, "killed")
    for_long(s, token, "killed for long", [FAILED])
    c.restart()
    returned(s, token, "restarted")


def kill_frozen(c, s, token):
    """From silence to refusal: the reason follows."""
    c.freeze()
    s.http("GET", "/0.1/token/" + token)
    s.login()
    c.kill()
    h.until(lambda: s.http("GET", "/0.1/token/" + token).reason == FAILED,
            "the reason changes", 5)
    c.restart()
    returned(s, token, "restarted")


def slow_start(c, s, token):
    """It listens long before it has a leader."""
    c.restart(wait=False)
    reasons = set()
    end = time.monotonic() + 40
    while time.monotonic() < end:
        answer, took = timed(lambda: s.http("GET", "/0.1/token/" + token))
        h.lacks((404, 401, 403), answer.status, "no false answer") \
            if answer.status not in (200, 500) else None
        if took >= LIMIT:
            h.ok(False, "within %s s while it starts" % LIMIT, took)
        if answer.status == 200:
            break
        reasons.add(answer.reason)
    h.ok(answer.status == 200 and reasons <= {FAILED, SILENT},
         "until it has a leader it is a 500, never a 404", answer, reasons)


def lost_while_away(c, s):
    """A token that was issued is there when Consul comes back."""
    tokens = [s.token() for _ in range(20)]
    c.kill()
    s.http("GET", "/0.1/token/" + tokens[0])
    c.restart()
    h.eq([s.http("GET", "/0.1/token/" + t).status for t in tokens],
         [200] * 20, "every token that was answered outlives kill -9")
    h.eq(k.audit(c.pairs()), k.SOUND, "and each is whole")


def in_the_dark(s):
    """What the log says: when it begins and ends, no token, no flood."""
    log = s.read("xivo-auth.log")
    bad = [x for x in log.splitlines() if "CRITICAL" in x]
    h.eq(bad, [], "nothing is critical")


def never_asked_for(other, token):
    """Who did not confirm it may do what it was asked for at any later time,
    when a token was revoked long ago: so nobody was given that one."""
    written = b"".join(request.body for request in other.requests
                       if request.method == "PUT")
    h.has(written, k.TOKENS.encode(), "the first one was to write a token")
    h.lacks(written, k.key_of(token).encode(), "which is another one")


def of_a_bad_first(c, other, name):
    with h.Service(c.config(host=[other.address, c.address]), check=1) as s:
        answer, took = timed(s.login)
        h.ok(answer.status == 200 and took < LIMIT,
             "the first %s: within the time of one request" % name,
             answer, took)
        never_asked_for(other, answer.data["token"])
        answer, took = timed(s.login)
        h.ok(answer.status == 200 and took < 0.5,
             "then the one that answered is asked first", answer, took)


def of_two_hosts(c):
    """consul.host is a list: the next is tried."""
    hosts = ["127.0.0.9", c.address]
    with f.FalseConsul(f.hang, hosts[0], c.port) as other:
        other.refuse()
        with h.Service(c.config(host=hosts), check=1) as s:
            answer, took = timed(s.login)
            h.eq(answer.status, 200, "the first host refuses", answer)
            h.ok(took < 1.5, "the second is asked at once", took)
            other.listen()
            for _ in range(3):
                answer, took = timed(s.login)
                h.ok(answer.status == 200 and took < LIMIT,
                     "the first is silent", answer, took)
        for behaviour, name in ((f.hang, "is silent"), (f.close, "hangs up")):
            other.behaviour = behaviour
            other.forget()
            of_a_bad_first(c, other, name)


def main():
    with consul.Consul() as c:
        of_two_hosts(c)
        with h.Service(c.config(), check=1) as s:
            token = s.token()
            freeze(c, s, token)
            kill(c, s, token)
            kill_frozen(c, s, token)
            slow_start(c, s, token)
            lost_while_away(c, s)
            in_the_dark(s)


h.run(main, 120 + 3 * AWAY)
