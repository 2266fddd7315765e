#!/usr/bin/env python3
# 0194-login-rate.t - tries for one account, however many addresses try. SPDX-License-Identifier: GPL-3.0-or-later
"""The limit for each account that xivo-auth-upstreams.conf has, switched on as
the file says. No backend is asked: what nginx lets pass is a 400."""

import base64
import http.client
import os
import random
import re

import harness as h

BURST = 40
# A minute may begin while a row of tries lasts, and let one more pass.
MANY = (BURST, BURST + 1)
OWN = "127.0.2.1"  # an address that is not counted
COUNTED = {
    "rate=10r/s": "rate=10000r/s",  # all come from few addresses
    "default 0;\n    # default 1;\n    # 192.0.2.0/24 0;":
        "default 1;\n    127.0.2.0/24 0;",
}


def attempt(s, authorization, source="127.0.0.1"):
    """The status of one login, on a connection of its own."""
    headers = {"Authorization": authorization} if authorization else {}
    c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=20,
                                   source_address=(source, 0))
    try:
        c.request("POST", "/0.1/token", b"{", headers)
        return c.getresponse().status
    finally:
        c.close()


def guess(s, login, times, sources=("127.0.0.1",)):
    """So many passwords, no two alike; how many were let pass."""
    said = [attempt(s, h.basic(login, "%s:%d" % ("x" * (i % 5), i)),
                    sources[i % len(sources)]) for i in range(times)]
    if set(said) - {400, 429}:
        raise RuntimeError("odd answers: %r" % said)
    return said.count(400)


def bounded(s):
    """One after the other, in each place that the colon can have."""
    for login in ("", "b", "al", "bob", "anna", "caf\u00e9 au lait"):
        h.ok(guess(s, login, BURST + 10) in MANY,
             "%r has %d tries" % (login, BURST))
    for login in ("bo", "bobb", "Bob", "bob "):
        h.eq(guess(s, login, 1), 1, "%r is another account" % login)
    h.eq(attempt(s, h.basic("bob", "y").replace("Basic", "bAsIC")), 429,
         "the scheme has no case")


def from_many(s):
    sources = ["127.0.1.%d" % n for n in range(1, 101)]
    h.ok(guess(s, "victim", 200, sources) in MANY,
         "a hundred addresses have no more than one")
    h.eq(guess(s, "victim", 5, [OWN]), 5,
         "the owner logs in from an address that is not counted")


def not_counted(s):
    """What has no login costs nobody anything."""
    for what, value in (("none", None), ("no base64", "Basic !!!!"),
                        ("no colon", "Basic Zm9v"),
                        ("another scheme", "Bearer Zm9vOmJhcg==")):
        h.eq([attempt(s, value) for _ in range(BURST + 5)],
             [400] * (BURST + 5), "credentials: %s" % what)


def checks_go_on(s):
    token = s.http("POST", "/0.1/token", {"backend": "mock"},
                   login=h.MOCK_LOGIN).data["token"]
    guess(s, h.MOCK_LOGIN[0], BURST + 5)
    answer = s.login(h.MOCK_LOGIN, "mock")
    h.eq((answer.status, answer.reason), (429, "Too many requests"),
         "a right password is told 429, too")
    h.eq(s.http("GET", "/0.1/token/" + token).status, 200,
         "the tokens that were given go on")


def pattern():
    with open(os.path.join(h.SOURCE, "nginx",
                           "xivo-auth-upstreams.conf")) as f:
        text = re.search(r'"~(\^1:[^"]*)"', f.read()).group(1)
    return re.compile(text.replace("(?<", "(?P<", 1))


def exact():
    """Equal logins have one key whatever the password, others another."""
    rng = random.Random(9497)
    find = pattern()
    owner = {}
    wrong = []
    for _ in range(5000):
        login = bytes(rng.choice(b"ab0\xc3\xa9 .@;9z\xff")
                      for _ in range(rng.randrange(8)))
        for _ in range(4):
            password = bytes(rng.choice(b":;9z\xff\x3a\xea\xbaO")
                             for _ in range(rng.randrange(6)))
            text = base64.b64encode(login + b":" + password).decode()
            found = find.match("1:Basic " + text)
            key = found and found.group("xivo_auth_login")
            if not key or owner.setdefault(key, login) != login:
                wrong.append((login, password, key))
    h.eq(wrong[:3], [], "each login has a key, and no other has it")
    h.eq(len(owner), len(set(owner.values())), "and no second one")
    h.ok(len(owner) > 1000, "of many logins", len(owner))


def main():
    exact()
    with h.Service({"enabled_plugins": ["mock"]}, check=1, login=1,
                   edits=COUNTED) as s:
        bounded(s)
        from_many(s)
        not_counted(s)
        checks_go_on(s)


h.run(main, 240)
