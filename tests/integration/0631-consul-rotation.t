#!/usr/bin/env python3
# 0631-consul-rotation.t - another Consul token, and nobody notices. SPDX-License-Identifier: GPL-3.0-or-later
"""What the README tells an operator to do: the new token into the
configuration, the processes of the pools replaced one by one, the daemon
restarted, and only then the old one revoked. All of it under load, with tokens
that expire meanwhile. (That xivo-auth-pool replaces them so is in 0420.)"""

import json

import consul
import consul_keys as k
import harness as h
from load import Load

LIFE = 2  # seconds of the tokens that expire meanwhile
HASTY = {"rate=10r/s": "rate=100000r/s"}  # all clients are one address


def set_token(s, secret):
    """As an operator edits the file; everything else stays."""
    config = json.loads(s.read("config.yml"))
    config["consul"]["token"] = secret
    s.write("config.yml", json.dumps(config))


def revoke(c, secret):
    """In Consul, and until Consul refuses it."""
    accessor = c.must("GET", "/v1/acl/token/self", token=secret)["AccessorID"]
    c.must("DELETE", "/v1/acl/token/" + accessor)
    h.until(lambda: c.ask("GET", "/v1/kv/" + k.LOCK, token=secret).status
            == 403, "Consul to refuse the old token", 40)


def leads(c, s, times):
    """The so manieth daemon does."""
    h.until(lambda: s.read("xivo-auth.log").count("leader.taken") >= times,
            "daemon %d to lead" % times, 20)
    return c.leader_session()


def did_more(load, count=50):
    """Every client's next requests are behind us."""
    before = sum(load.did().values())
    h.until(lambda: sum(load.did().values()) > before + count,
            "%d more requests" % count, 60)


def reload_pools(s):
    """As `xivo-auth-pool reload` and a restart of unit after unit do."""
    for which in ("check", "login"):
        for old in list(s.pools[which]):
            s.add_process(which, on=s.sockets[which == "login"])
            s.wait_pool(which)
            s.pools[which].remove(old)
            h.eq(old.stop(), 0, "a process of the %s pool is replaced" % which)


def rotate(c, s, old, daemon):
    first = leads(c, s, 1)
    with Load(s, LIFE) as load:
        new = c.token(consul.DAEMON)
        set_token(s, new)
        reload_pools(s)
        h.eq(daemon.stop(), 0, "the daemon ends")
        daemon = s.start_daemon()
        second = leads(c, s, 2)
        h.ok(second and second != first, "the next one leads", first, second)
        revoke(c, old)
        did_more(load)
    load.judge("a rotation")
    h.eq(load.lost("GET", "HEAD", "POST", "DELETE")[:5], [],
         "no request has failed")
    return load.issued(), new, daemon


def expired(c, issued):
    """Those of a short life go, each of them, and no other."""
    living, passing = issued
    keys = {k.key_of(t) for t in living}
    h.ok(len(passing) > 5, "tokens were to expire meanwhile", len(passing))
    h.until(lambda: len(k.token_keys(c.keys())) <= len(keys),
            "the end of those that expired", LIFE + 20)
    pairs = c.pairs()
    h.eq(k.token_keys(pairs), keys, "what expired is gone, and nothing else")
    h.eq(k.audit(pairs), k.SOUND, "each has its schedule")


def main():
    with consul.Consul(acl=True, list_policy=True) as c:
        old = c.token(consul.DAEMON)
        config = dict(c.config(token=old), expiry={"interval": 0.2})
        with h.Service(config, check=2, login=2, edits=HASTY) as s:
            issued, new, daemon = rotate(c, s, old, s.start_daemon())
            expired(c, issued)
            h.eq(daemon.stop(), 0, "the daemon ends well")
            log = s.read("xivo-auth.log")
            h.lacks(log, "expiry.failing", "no sweep has failed")
            h.ok(old not in log and new not in log,
                 "neither token is in the log")


h.run(main)
