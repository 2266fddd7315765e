#!/usr/bin/env python3
# 0710-consul-breaker.t - connections to Consul, and what the log says. SPDX-License-Identifier: GPL-3.0-or-later
import re
import time

import consul
import false_consul as f
import harness as h

SECRET = "f0e1d2c3-b4a5-4678-9abc-def012345678"
RECORDS = "/v1/kv/" + consul.PREFIX + "tokens/"


def show(s, token):
    return s.http("GET", "/0.1/token/" + token)


def timed(ask):
    begun = time.monotonic()
    answer = ask()
    return answer, time.monotonic() - begun


def open_connections(p):
    """Those that the client's side has not ended."""
    with open("/proc/net/tcp") as file:
        lines = [x.split() for x in list(file)[1:]]
    return sum(x[2].endswith(":%04X" % p.port) and x[3] == "01"
               for x in lines)


def events(s, *names):
    """The lines of the check pool about these events, in order."""
    found = re.findall(r"\S+ (%s) ?(.*)" % "|".join(map(re.escape, names)),
                       s.read("xivo-auth.log"))
    return [name for name, _ in found], [rest for _, rest in found]


def leaderless(x):
    """A server without a leader: strict reads hang, stale ones do not."""
    if "stale" in x.request.target:
        x.send(re.sub(rb"(?i)(X-Consul-LastContact): \d+", rb"\1: 900",
                      x.forward()))
    else:
        f.hang(x)


def dead(x):
    """Nothing on this connection, ever, not even an end."""
    x.peer.graves.append(x.client)
    f.hang(x)


def stale_reads_keep_their_connection(p, s, token):
    h.eq(show(s, token).status, 200, "it is valid")
    p.on(None, "/v1/", leaderless)
    h.eq(show(s, token).status, 200, "it is accepted while there is no leader")
    p.forget()
    answers = [timed(lambda: show(s, token)) for _ in range(20)]
    h.eq({a.status for a, _ in answers}, {200}, "again and again")
    h.ok(min(took for _, took in answers) < 0.06, "quickly",
         sorted(took for _, took in answers))
    stale = [r for r in p.requests if "stale" in r.target]
    h.ok(len(stale) >= 20, "by stale reads", len(stale))
    h.ok(p.connections <= 5, "they share connections", p.connections)
    h.ok(open_connections(p) <= 4, "probes have few", open_connections(p))
    p.off()
    h.until(lambda: show(s, token).status == 200 and
            events(s, "consul.back")[0], "a leader", 20)
    names, rest = events(s, "consul.lost", "consul.back")
    h.eq(names, ["consul.lost", "consul.back"], "the log says both once")
    h.ok("no answer within" in rest[0], "and why", rest)
    h.ok(re.match(r"after_ms=\d+$", rest[1]), "and for how long", rest)


def dead_connections_are_left(p, s, token):
    """What was asked before the return is never answered; a stale token is
    not to be had either."""
    p.graves = []
    p.on(None, "/v1/", dead)
    h.eq(show(s, token).status, 500, "silent")
    # two probes, the younger of them replaced at least once
    h.until(lambda: show(s, token).status == 500 and len(p.graves) >= 6,
            "probes", 20)
    dead_since = time.monotonic()
    answers = [timed(lambda: show(s, token)) for _ in range(8)]
    h.ok(min(took for _, took in answers) < 0.06, "quick errors", answers)
    h.ok(open_connections(p) <= 4, "few connections", open_connections(p))
    h.until(lambda: time.monotonic() > dead_since + 2.5,
            "those under way are no longer young")
    p.off()
    answer, took = timed(lambda: show(s, token))
    h.eq(answer.status, 200, "the first request after the return works")
    h.ok(took < 0.5, "at once", took)
    names, _ = events(s, "consul.lost", "consul.back")
    h.eq(names, ["consul.lost", "consul.back"] * 2, "the log says it")


def refusals_are_said_once(p, s, token):
    p.refuse()
    answers = [timed(lambda: show(s, token)) for _ in range(10)]
    h.eq({a.status for a, _ in answers}, {500}, "refused")
    h.ok(min(took for _, took in answers) < 0.06, "at once", answers)
    p.listen()
    h.eq(show(s, token).status, 200, "and back")
    names, rest = events(s, "consul.lost", "consul.back")
    h.eq(names, ["consul.lost", "consul.back"] * 3, "the log says it once")
    h.ok("connection refused" in rest[4], "and why", rest)


def busy_for_a_moment(p, s, token):
    p.on(None, RECORDS, f.HOSTILE["429"], times=1)
    answer, took = timed(lambda: show(s, token))
    h.eq(answer.status, 200, "one 429 is not the end", answer)
    p.forget()
    p.on(None, RECORDS, f.HOSTILE["429"])
    answer, took = timed(lambda: show(s, token))
    h.eq((answer.status, answer.reason),
         (500, "Connection to consul failed"), "always 429")
    asked = [r.target for r in p.requests if r.target.startswith(RECORDS)]
    h.ok(len(asked) <= 4, "is not asked all the time", asked)
    p.off()
    h.eq(show(s, token).status, 200, "then the truth again")


def one_connection(p, s):
    p.forget()
    token = s.token()
    for _ in range(50):
        show(s, token)
    h.ok(p.connections <= 1, "no connection is made for each request",
         p.connections)


def no_secrets(p, s, token):
    sent = {r.headers.get("x-consul-token") for r in p.requests}
    h.eq(sent, {SECRET}, "the token of Consul goes in its header")
    h.ok(not any(SECRET in r.target for r in p.requests), "and not in a URL")
    log = s.read("xivo-auth.log")
    h.ok(SECRET not in log and token not in log,
         "no secret stands in the log, at level debug")


def main():
    with consul.Consul() as c, f.CountingProxy(c.port) as p, \
            h.Service(dict(p.config(c, timeout=0.4, token=SECRET),
                           log_level="debug", uuid=None),
                      check=1, login=0) as s:
        token = s.token()
        one_connection(p, s)
        no_secrets(p, s, token)
        stale_reads_keep_their_connection(p, s, token)
        dead_connections_are_left(p, s, token)
        refusals_are_said_once(p, s, token)
        busy_for_a_moment(p, s, token)
        no_secrets(p, s, token)


h.run(main)
