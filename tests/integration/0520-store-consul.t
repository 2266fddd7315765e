#!/usr/bin/env python3
# 0520-store-consul.t - the Consul store over a Consul that runs. SPDX-License-Identifier: GPL-3.0-or-later
import datetime
import hashlib
import json
import os
import random
import subprocess
import uuid

import consul
import harness as h

P = consul.PREFIX


def suite(c):
    """What every store has to do, by a program of its own."""
    done = subprocess.run(
        [h.program("tests/unit/store_consul_real")],
        env=dict(os.environ, XA_CONSUL_PORT=str(c.port),
                 CMOCKA_MESSAGE_OUTPUT="TAP"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=300)
    for line in done.stdout.splitlines():
        result, _, rest = line.partition(" - ")
        if result.startswith(("ok ", "not ok ")):
            h.ok(result.startswith("ok "), rest)
        elif not line.startswith("1.."):
            h.diag(line)
    h.eq(done.returncode, 0, "the suite ends well")


def record(token, expires, **more):
    """As the Python service writes it, in the time of that machine."""
    local = expires.astimezone().replace(tzinfo=None)
    return json.dumps(dict({
        "token": token, "auth_id": "carol", "acls": ["a.#"],
        "xivo_user_uuid": None,
        "issued_at": "2016-12-05T11:16:58.557553",
        "expires_at": local.isoformat()}, **more)).encode()


def scheduled(key, moment):
    """The schedule of a token that expires at that moment."""
    seconds = moment.timestamp()
    return "%sschedule/%010d/%s" % (P, -int(-seconds // 1), key)


def listed(key):
    subject = hashlib.sha256(b"carol").hexdigest()[:32]
    return "%ssubjects/%s/%s" % (P, subject, key)


def ctl(s, *args):
    done = s.run_program("xivo-authctl", "-c", s.config, *args)
    h.eq(done.returncode, 0, "xivo-authctl " + " ".join(args), done.stderr)
    return done


def adopt(c):
    """Tokens of the Python service, some of them of long ago."""
    now = datetime.datetime.now(datetime.timezone.utc)
    live = {str(uuid.UUID(int=random.getrandbits(128))):
            now + datetime.timedelta(hours=1, microseconds=i)
            for i in range(100)}
    old = str(uuid.uuid4())
    broken = str(uuid.uuid4())
    c.put_many([(P + "tokens/" + t, record(t, end))
                for t, end in live.items()] +
               [(P + "tokens/" + old,
                 record(old, now - datetime.timedelta(days=9))),
                (P + "tokens/" + broken, b"{}")])
    config = c.config()
    config["store"]["token_keys"] = "plain"
    with h.Service(config=config, nginx=False, start=False) as s:
        found = json.loads(ctl(s, "--json", "token", "adopt").stdout)
        h.eq(found, {"tokens": 101, "scheduled": 101, "listed": 101,
                     "unreadable": 1}, "what was adopted")
        keys = set(c.keys())
        h.eq([t for t, end in live.items()
              if scheduled(t, end) not in keys], [], "schedules")
        h.eq([t for t in live if listed(t) not in keys], [], "entries")
        h.eq(c.get(scheduled(*next(iter(live.items())))),
             hashlib.sha256(b"carol").hexdigest()[:32].encode(),
             "a schedule names the subject")
        table = ctl(s, "token", "adopt").stdout
        h.has(table, "     101 tokens\n", "once more: as a table")
        h.has(table, "       1 cannot be read\n", "one cannot be read")
        h.eq(len([x for x in c.keys(P + "schedule/") if old not in x]), 100,
             "once more: no schedule is made twice")
        token = next(iter(live))
        h.eq(ctl(s, "token", "check", token).stdout, "valid\n",
             "an adopted token is valid")


def rights():
    """Consul shows who may not look an empty folder; that is no success."""
    with consul.Consul(acl=True, list_policy=True) as c:
        token = str(uuid.uuid4())
        end = datetime.datetime.now(datetime.timezone.utc) + \
            datetime.timedelta(hours=1)
        c.put(P + "tokens/" + token, record(token, end))
        with h.Service(config=c.config(), nginx=False, start=False) as s:
            for name, rules in (("no right at all", consul.STRANGER),
                                ("no right to list", consul.READER)):
                s.write_config(c.config(token=c.token(rules)))
                done = s.run_program("xivo-authctl", "-c", s.config, "token",
                                     "adopt")
                h.eq((done.returncode, done.stdout), (69, ""), name)
                h.has(done.stderr, "consul.token", name + ": what to mend")
                h.lacks(done.stderr, token, name + ": no token is shown")
            h.eq(len(c.keys()), 1, "nothing was written")
            s.write_config(c.config(token=c.token(
                consul.READER.replace("read", "list"))))
            done = s.run_program("xivo-authctl", "-c", s.config, "token",
                                 "adopt")
            h.eq(done.returncode, 69, "no right to write")
            h.has(done.stderr, "consul.token", "no right to write: why")
            s.write_config(c.config(token=c.token(
                consul.WORKER)))
            h.has(ctl(s, "token", "adopt").stdout,
                  "       1 got a schedule\n", "with the right")


def main():
    with consul.Consul() as c:
        suite(c)
        adopt(c)
    rights()


h.run(main)
