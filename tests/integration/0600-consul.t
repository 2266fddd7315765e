#!/usr/bin/env python3
# 0600-consul.t - the life of a token in a real Consul. SPDX-License-Identifier: GPL-3.0-or-later
import json
import time
import uuid

import consul
import consul_keys as k
import harness as h


def life(c, s):
    before = time.time()
    answer = s.login(expiration=60)
    h.eq(answer.status, 200, "a token is issued")
    token = answer.data["token"]
    expires = k.unix_of(answer.data["utc_expires_at"])
    h.ok(before + 59 < expires < time.time() + 61, "for a minute", expires)

    name, schedule, subject = k.names(k.key_of(token), expires,
                                      h.ALICE["uuid"])
    pairs = c.pairs()
    h.eq(set(pairs), {name, schedule, subject}, "it has its three keys")
    wanted = dict(answer.data)
    del wanted["token"]
    h.eq(json.loads(pairs[name]), wanted, "the record is what was answered")
    h.eq(pairs[schedule].decode(), k.subject_of(h.ALICE["uuid"]),
         "the schedule names the subject")
    h.eq(pairs[subject], b"", "the subject entry is empty")
    h.ok(not any(token in n or token.encode() in v
                 for n, v in pairs.items()), "the token itself is nowhere")

    path = "/0.1/token/" + token
    h.eq(s.http("GET", path).data, answer.data, "it is found as it was made")
    h.eq(s.http("HEAD", path).status, 204, "HEAD")
    h.eq(s.http("HEAD", path + "?scope=confd.users.me.read").status, 204,
         "with an ACL that it has")
    h.eq(s.http("GET", path + "?scope=confd.infos.read").reason,
         "Unauthorized for confd.infos.read", "with one that it has not")
    h.eq(s.http("GET", "/0.1/token/" + h.TOKEN).reason, "No such token",
         "one that nobody was given")
    h.eq(s.http("DELETE", path).status, 200, "it is revoked")
    h.eq(c.keys(), [], "nothing is left of it")
    h.eq(s.http("GET", path).status, 404, "it is unknown")
    h.eq(s.http("DELETE", path).status, 200, "revoked again: done")


def expired(c, s):
    """The reader's clock decides, no daemon is running."""
    token = s.token(expiration=1)
    path = "/0.1/token/" + token
    expires = k.unix_of(s.http("GET", path).data["utc_expires_at"])
    while time.time() < expires:
        time.sleep(max(0, expires - time.time()))
    h.eq(s.http("GET", path).status, 404, "it is refused at its second")
    h.eq(len(c.keys()), 3, "though it is still there")
    c.delete_all(consul.PREFIX)


def status(s):
    h.eq(s.http("GET", "/0.1/status").data["store"],
         {"type": "consul", "status": "ok"}, "the status page")


def plain(c, s):
    """Records of the Python service, in all their forms."""
    now = time.time()
    forms = {
        "as it writes them": {},
        "without utc_ fields": {"utc_issued_at": "absent",
                                "utc_expires_at": "absent"},
        "without xivo_uuid": {"xivo_uuid": "absent"},
        "without a fraction": {
            "utc_expires_at": k.text_of(int(now) + 60)[:19],
            "utc_issued_at": k.text_of(int(now))[:19]},
    }
    for title, more in forms.items():
        token = str(uuid.uuid4())
        c.put(k.TOKENS + token, k.record(
            now + 60, now, token=token, acls=["a.b"], **more))
        answer = s.http("GET", "/0.1/token/" + token + "?scope=a.b")
        h.eq(answer.status, 200, "a record of Python: " + title, answer)
        h.ok(answer.data and abs(k.unix_of(
            answer.data["utc_expires_at"]) - now - 60) < 1.1,
             "its expiry is understood", answer)
    token = str(uuid.uuid4())
    c.put(k.TOKENS + token, k.record(now - 1, now - 60, token=token))
    h.eq(s.http("GET", "/0.1/token/" + token).status, 404,
         "one that has expired")
    token = s.token()
    h.ok(k.TOKENS + token in c.keys(), "new ones have plain keys too")
    h.eq(json.loads(c.get(k.TOKENS + token))["token"], token,
         "and their own name in the record")
    log = s.read("xivo-auth.log")
    h.ok(k.key_of(token)[:12] in log and token not in log,
         "the log shows the SHA-256 all the same")


def main():
    with consul.Consul() as c:
        with h.Service(c.config()) as s:
            status(s)
            life(c, s)
            expired(c, s)
        config = c.config()
        config["store"]["token_keys"] = "plain"
        with h.Service(config, env={"TZ": "UTC"}) as s:
            plain(c, s)


h.run(main)
