#!/usr/bin/env python3
# 0630-consul-rights.t - a Consul token that may not do what it must. SPDX-License-Identifier: GPL-3.0-or-later
import time

import consul
import consul_keys as k
import harness as h

WORDS = ("Connection to consul failed", "Token store failed")
DAEMON = "xivo-auth-expiryd"


def refused(answer, title):
    h.ok(answer.status == 500 and answer.reason in WORDS,
         title + " is a 500", answer)


def enough(c):
    """What each part needs, and nothing else."""
    with h.Service(c.config(token=c.token(consul.WORKER)), check=1) as s:
        token = s.token()
        h.eq(s.http("GET", "/0.1/token/" + token).status, 200,
             "the right to write keys is enough for the pools")
        h.eq(s.http("DELETE", "/0.1/token/" + token).status, 200,
             "to revoke as well")
        h.eq(s.http("GET", "/0.1/status").status, 200, "the status is well")
    config = c.config(token=c.token(consul.DAEMON))
    with h.Service(config, check=0, login=0, nginx=False) as s:
        c.put_many(k.pairs_of(time.time() - 5))
        s.start_daemon()
        h.until(lambda: not k.token_keys(c.keys()), "a sweep", 20)
        h.eq(k.token_keys(c.keys()), set(),
             "those to keys and sessions for the daemon")
    c.delete_all(consul.PREFIX)


def no_write(c, valid):
    """Denied inside a txn: Consul says 409, as for a lost race."""
    with h.Service(c.config(token=c.token(consul.READER)), check=1) as s:
        h.eq(s.http("GET", "/0.1/token/" + valid).status, 200,
             "reading alone: a check works")
        refused(s.login(), "an issue without the right to write")
        refused(s.http("DELETE", "/0.1/token/" + valid),
                "a revocation without it")
        h.eq(s.http("GET", "/0.1/token/" + valid).status, 200,
             "and the token is still there")
        h.ok(any("ermission" in x or "right" in x or "allowed" in x or
                 "may not" in x
                 for x in s.read("xivo-auth.log").splitlines()),
             "the log says that the right is missing",
             s.read("xivo-auth.log"))


def no_right(c, valid, token, title):
    with h.Service(c.config(token=token), check=1) as s:
        refused(s.http("GET", "/0.1/token/" + valid), title + ": GET")
        refused(s.http("GET", "/0.1/token/" + h.TOKEN),
                title + ": GET of an unknown one")
        refused(s.login(), title + ": POST")
        refused(s.http("DELETE", "/0.1/token/" + valid), title + ": DELETE")
        answer = s.http("GET", "/0.1/status")
        h.eq(answer.status, 503, title + ": the status page", answer)
        log = s.read("xivo-auth.log")
        h.ok(token is None or token not in log,
             title + ": the Consul token is in no log")


def sweeps_nothing(c, token, title):
    """A daemon that may not list says so; it never finds `nothing due`."""
    c.put_many(k.pairs_of(time.time() - 5))
    before = k.token_keys(c.keys())
    config = c.config(token=token)
    config["expiry"] = {"interval": 0.2}
    with h.Service(config, check=0, login=0, nginx=False) as s:
        daemon = s.start_daemon()

        def says():
            return [x for x in s.read("xivo-auth.log").splitlines()
                    if "expiry.failing" in x]
        h.until(says, title + ": a complaint", 10)
        h.has(says()[0], "not allowed", title + ": the daemon says why")
        h.eq(k.token_keys(c.keys()), before, title + ": nothing is removed")
        time.sleep(1)
        h.eq(len(says()), 1, title + ": said once, not each time")
        h.lacks(s.read("xivo-auth.log"), token,
                title + ": no token in the log")
        h.eq(daemon.stop(), 0, title + ": it ends well")
        done = s.run_program(DAEMON, "-c", s.config, "--once")
        h.ok(done.returncode not in (0, 64), title + ": --once fails",
             done.returncode, done.stderr)
    c.delete_all(k.SCHEDULE)


def given_back(c):
    """The right comes while the daemon runs."""
    name = "later"
    c.must("PUT", "/v1/acl/policy", {"Name": name, "Rules": consul.STRANGER})
    answer = c.must("PUT", "/v1/acl/token", {"Policies": [{"Name": name}]})
    config = c.config(token=answer["SecretID"])
    config["expiry"] = {"interval": 0.2}
    with h.Service(config, check=0, login=0, nginx=False) as s:
        s.start_daemon()
        h.until(lambda: "expiry.failing" in s.read("xivo-auth.log"),
                "a complaint", 10)
        c.put_many(k.pairs_of(time.time() - 5))
        policy = [x for x in c.must("GET", "/v1/acl/policies")
                  if x["Name"] == name][0]
        c.must("PUT", "/v1/acl/policy/" + policy["ID"],
               {"ID": policy["ID"], "Name": name, "Rules": consul.DAEMON})
        h.until(lambda: not k.token_keys(c.keys()), "the sweep", 30)
        h.ok(True, "a right that is given back is used")
        h.until(lambda: "expiry.recovered" in s.read("xivo-auth.log"),
                "the end of it in the log", 10)


def main():
    with consul.Consul(acl=True, list_policy=True) as c:
        enough(c)
        with h.Service(c.config(), check=1) as s:
            valid = s.token()
        no_write(c, valid)
        no_right(c, valid, c.token(consul.STRANGER), "no right")
        no_right(c, valid, h.TOKEN, "a token Consul does not know")
        no_right(c, valid, None, "no token")
        sweeps_nothing(c, c.token(consul.STRANGER), "no right")
        sessions = 'session_prefix "" { policy = "write" }\n'
        lock = 'key "%s" { policy = "write" }\n' % k.LOCK
        sweeps_nothing(c, c.token(lock), "no right to sessions")
        sweeps_nothing(c, c.token(sessions + consul.READER),
                       "no right to the lock")
        sweeps_nothing(c, c.token(sessions + lock + consul.READER),
                       "no right to list")
        sweeps_nothing(c, c.token(sessions + lock), "no right to read")
        c.delete_all(consul.PREFIX)
        given_back(c)


h.run(main)
