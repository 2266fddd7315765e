#!/usr/bin/env python3
# 0650-consul-garbage.t - records and schedules that make no sense. SPDX-License-Identifier: GPL-3.0-or-later
import json
import time
import uuid

import consul
import consul_keys as k
import harness as h

SECRET = "do-not-show-this"


def records(now):
    """{title: a record that must be refused}"""
    good = json.loads(k.record(now + 600))

    def without(*names):
        return json.dumps({n: v for n, v in good.items()
                           if n not in names}).encode()

    def but(**more):
        return json.dumps(dict(good, **more)).encode()
    return {
        "nothing": b"",
        "no JSON": SECRET.encode(),
        "half of it": k.record(now + 600)[:150],
        "something behind it": k.record(now + 600) + b"x",
        "a list": b"[]",
        "a number": b"1",
        "null": b"null",
        "an empty object": b"{}",
        "no expiry": without("expires_at", "utc_expires_at"),
        "an expiry of null": but(expires_at=None, utc_expires_at=None),
        "an expiry that is a number": but(utc_expires_at=1795443200),
        "an expiry that is no time": but(utc_expires_at="tomorrow"),
        "a thirteenth month": but(utc_expires_at="2026-13-01T00:00:00"),
        "an expiry before its issue": but(
            utc_issued_at=k.text_of(now + 700)),
        "no auth_id": without("auth_id"),
        "an auth_id that is a list": but(auth_id=["a"]),
        "a newer format": but(format=2),
        "ACLs that are a text": but(acls="#"),
        "ACLs that are numbers": but(acls=[1]),
        "not UTF-8": b'{"auth_id": "\xff\xfe", ' + k.record(now + 600)[1:],
        "nested deeply": b"[" * 5000 + b"]" * 5000,
        "a NUL": k.record(now + 600, auth_id="a\0b"),
        "100 KB of spaces": b" " * 100000,
    }


def refused(c, s, now):
    """None of them is a token, and no process dies of it."""
    for title, value in records(now).items():
        token = str(uuid.uuid4())
        c.put(k.TOKENS + k.key_of(token), value)
        answer = s.http("GET", "/0.1/token/" + token)
        h.ok(answer.status == 500 and
             answer.reason in ("Token store failed",
                               "Connection to consul failed"),
             "a record of %s is refused" % title, answer)
    h.lacks(s.read("xivo-auth.log"), SECRET, "what they hold is in no log")
    h.eq([p.alive() for p in s.pools["check"]], [True], "the same process")
    good = s.token()
    h.eq(s.http("GET", "/0.1/token/" + good).status, 200,
         "the others are well")


def revoked(c, s, now):
    """Each can be revoked: by the token, or by its whole key."""
    def revoke(operand, *more, **how):
        return s.run_program("xivo-authctl", "-c", s.config, "token",
                             "revoke", operand, *more, **how).returncode
    for title, value in records(now).items():
        token = str(uuid.uuid4())
        key = k.key_of(token)
        c.put(k.TOKENS + key, value)
        h.eq(revoke(key, "--scope", "foo"), 69,
             "nobody knows what %s may do" % title)
        h.eq(revoke(key), 0, "%s is revoked by its key" % title)
        h.lacks(c.keys(), k.TOKENS + key, "it is gone")
        c.put(k.TOKENS + key, value)
        h.eq(revoke("-", input=token + "\n"), 0, "and by the token")
        h.lacks(c.keys(), k.TOKENS + key, "it is gone")
        h.eq(revoke(key), 1, "once")


def schedules(due):
    """{name: value} of entries that must stay where they are."""
    key = k.key_of(h.TOKEN)
    text = b"0" * 32
    return {
        k.SCHEDULE + "%010d" % due: text,
        k.SCHEDULE + "%010d/" % due: text,
        k.SCHEDULE + "%010d/short" % due: text,
        k.SCHEDULE + "%010d/%s/more" % (due, key): text,
        k.SCHEDULE + "%010d/%s" % (due, key.upper()): text,
        k.SCHEDULE + "%010d//%s" % (due, key): text,
        k.SCHEDULE + "0/%s" % key: text,
        k.SCHEDULE + "000000000x/%s" % key: text,
        k.SCHEDULE + "%010d/%s" % (due, "g" * 64): text,
        k.SCHEDULE + "garbage": text,
        k.SCHEDULE + "%010d/..%%2f" % due: text,
        k.SCHEDULE + "%010d/%s" % (due, "\u00fc" * 32): text,
    }


def daemon(c, s):
    """It removes what it understands, between what it does not."""
    now = time.time()
    due = [k.pairs_of(now - 5 - i) for i in range(50)]
    for pairs in due:
        c.put_many(pairs)
    odd = schedules(int(now) - 7)
    for name, value in odd.items():
        c.put_many([(name, value)])
    # A token whose record is garbage is left, with its schedule; so is one
    # that a newer version wrote.
    token = str(uuid.uuid4())
    broken = k.names(k.key_of(token), now - 6)
    c.put_many([(broken[0], b"garbage"), (broken[1], b"0" * 32)])
    newer = k.pairs_of(now - 6, format=2)
    c.put_many(newer)
    # A schedule without a token goes; it is of no use.
    orphan = k.names(k.key_of(str(uuid.uuid4())), now - 6)
    c.put_many([(orphan[1], k.subject_of("auth-id").encode()),
                (orphan[2], b"")])
    live = s.token()

    process = s.start_daemon()
    gone = {name for pairs in due for name, _ in pairs}
    h.until(lambda: not gone & set(c.keys()), "the sweep", 20)
    h.until(lambda: orphan[1] not in c.keys(), "the orphan", 10)
    names = set(c.keys())
    h.ok(orphan[2] not in names, "a schedule without a token is taken away")
    h.eq(sorted(set(odd) - names), [], "what makes no sense stays in place")
    h.ok(set(broken[:2]) <= names, "so does a record that makes none")
    h.ok({name for name, _ in newer} <= names, "and one of a newer format")
    h.eq(s.http("HEAD", "/0.1/token/" + live).status, 204,
         "what lives is left alone")

    def lines():
        return [x for x in s.read("xivo-auth.log").splitlines()
                if "expiry.skipped" in x]
    h.until(lines, "a word about it", 10)
    h.ok("count=" in lines()[0], "they are counted and named", *lines())
    time.sleep(2)
    h.ok(len(lines()) <= 2, "once, not in each tick", *lines())
    h.eq(process.stop(), 0, "the daemon ends well")
    return live


def audited(c, s, live):
    """Who lists what is stored is not disturbed, either."""
    done = s.run_program("tests/tools/store_dump", "-c", s.config)
    h.eq(done.returncode, 0, "a listing passes over them", done.stdout,
         done.stderr)
    h.has(done.stdout, k.key_of(live), "and has the others")
    counts = dict(x.split("=") for x in done.stdout.split("\n")[-2].split())
    h.eq(counts["unreadable"], "2", "an audit counts the records")
    h.ok(int(counts["stray_schedules"]) >= 1, "and the schedules", counts)
    h.eq(len(c.keys(k.SCHEDULE)), len(schedules(0)) + 3,
         "and leaves them alone")


def main():
    config = {"expiry": {"interval": 0.2}}
    with consul.Consul() as c, \
            h.Service(dict(c.config(), **config), check=1) as s:
        refused(c, s, time.time())
        revoked(c, s, time.time())
        c.delete_all(consul.PREFIX)
        live = daemon(c, s)
        audited(c, s, live)


h.run(main)
