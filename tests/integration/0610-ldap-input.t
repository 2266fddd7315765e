#!/usr/bin/env python3
# 0610-ldap-input.t - ldap_user: what nobody should get in with. SPDX-License-Identifier: GPL-3.0-or-later
import concurrent.futures
import itertools
import os

import badinput
import harness as h
import pgserver
import slapd

LOGIN, PASSWORD = "alice", "correct horse"
UUID = "63f3dc3c-865d-419e-bec2-e18c4b118224"
HASTY = {"rate=10r/s": "rate=10000r/s"}

# What ends a value of a filter, what is put in, what makes the rest fit.
_STARTS = ["alice", "*", "al*", "", "ALICE", "nobody", "\\61lice", "a\\2a"]
_MIDDLES = [
    ")", "*", "*)", "))", ")(", "*)(", "))(|", ")(uid=*", ")(|(uid=*",
    "*)(uid=*))(|(uid=*", ")(objectClass=*", "*)(objectClass=*",
    ")(&)", ")(|", ")(!(uid=nobody))", ")(userPassword=*",
    "*)(userPassword=c*", ")(mail=alice*", ")(cn:dn:=*", ")(:caseExactMatch:=",
    "=*", ">=a", "<=z", "~=alice", "&", "|", "!", "%28", "%2a%29", "\\29",
    "\\2a", "\\", "\\\\", "\\00", "\u2217", "\uff0a", "\uff08\uff09",
    # the same for a DN
    ",", ",ou=people", ",dc=xivo,dc=example", "+uid=alice", "+cn=*", "=alice",
    ";", ";ou=people", "\"", "<", ">", "#", "\\,", "\\2C", "\\2Cou\\3Dpeople",
    ",cn=xivo-auth,dc=xivo,dc=example", "/", "\\20",
]
_TAILS = ["", ")", "*", "#"]

_PLAIN = [
    "*", "*)", "*))", "(", ")", "()", "a*", "*a", "a*e", "al*ce", "ali?e",
    "*)(&", "*)(|", "*))%00", "(uid=alice)", "uid=alice", "(alice)", "|",
    "&", "!", "(&)", "(|)", "(&(uid=alice))", "(|(uid=*)(uid=alice))",
    "admin*)((|userPassword=*)", "x' or name()='username' or 'x'='y",
    "*)(uid=*))(|(uid=*", "alice)(&))", "alice))(|(cn=*", "alice,",
    "uid=alice,ou=people,dc=xivo,dc=example", "cn=xivo-auth", "#alice",
    "#04056a6f65", "\\alice", "\"alice\"", "<alice>", "alice;", "alice\\",
    "\\#alice", "alice+sn=Person", "1.1", "+", "dn", "{alice}", "{SSHA}x",
    "NULL", "null", "0", "-1", "true", "%s", "%n", "${jndi:ldap://x/a}",
]


def injections():
    """Over 500 logins, the same each time; none is alice to LDAP."""
    made = ["".join(words)
            for words in itertools.product(_STARTS, _MIDDLES, _TAILS)]
    # every start with every middle, each time another tail
    kept = [x for i, x in enumerate(made) if (i // 4 + i) % 4 == 0]
    return sorted(set(_PLAIN + kept + made[2::13]))


def all_of(s, pairs):
    """The answers to many logins: each status, and who got it."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda pair: s.login(pair, "ldap_user").status,
                           pairs)
        found = {}
        for pair, status in zip(pairs, answers):
            found.setdefault(status, []).append(pair)
        return found


def try_all(s, way, logins):
    found = all_of(s, [(x.replace(":", ""), PASSWORD) for x in logins])
    h.eq(sorted(found), [401], "%s: %d injections with a good password" % (
        way, len(logins)), {k: found[k] for k in found if k != 401})
    found = all_of(s, [(LOGIN, x) for x in logins[::7]])
    h.eq(sorted(found), [401], "%s: and %d as the password" % (
        way, len(logins[::7])), {k: found[k] for k in found if k != 401})
    h.eq(s.login((LOGIN, PASSWORD), "ldap_user").status, 200,
         way + ": and alice gets in")


def spaces(s):
    """To LDAP, blanks around a value of uid are none: it is the same user,
    with the same uuid."""
    for login in (" alice", "alice ", "  Alice  ", "alice\u00a0"):
        answer = s.login((login, PASSWORD), "ldap_user")
        h.eq((answer.status, answer.json.get("data", {}).get("auth_id")),
             (200, UUID), "%r is alice" % login)
        h.eq(s.login((login, "wrong"), "ldap_user").status, 401,
             "with her password only")


# LDAP takes these for alice: with her password she gets in, as herself.
SAME = {"with a blank behind", "with a blank before",
        "with a no-break space", "with a C1 control"}


def refuse_all(s, way):
    """As badinput.refuse_all() does it, but for what LDAP says is the same."""
    body = {"backend": "ldap_user"}
    good = LOGIN.encode(), PASSWORD.encode()

    def status(*words):
        return s.http("POST", "/0.1/token", body,
                      badinput.header(*words)).status

    for name, form in badinput.LOGINS:
        if name not in SAME:
            h.eq(status(badinput.fill(form, good[0], name), good[1]), 401,
                 "%s: a login %s" % (way, name))
    for name, form in badinput.PASSWORDS:
        h.eq(status(good[0], badinput.fill(form, good[1], name)), 401,
             "%s: a password %s" % (way, name))
    h.eq(status(b"a" * 10240, good[1]), 400, way + ": 10 kB of login")
    direct = s.ask("POST", "/0.1/token", b'{"backend": "ldap_user"}',
                   which="login", HTTP_AUTHORIZATION=badinput.header(
                       b"a" * 10240, good[1])["Authorization"])
    h.eq(direct.status, 401, way + ": 10 kB of login, past nginx")
    h.eq(status(*good), 200, way + ": after all that the right one")


def main():
    if not os.path.exists(os.path.join(h.BUILD, "backends", ".libs",
                                       "ldap_user.so")):
        raise h.SkipAll("ldap_user is not built")
    logins = injections()
    h.ok(len(logins) >= 500, "there are %d injections" % len(logins))
    with pgserver.Server() as db, slapd.Server() as ldap:
        db.user("x", "x", UUID, email="alice@xivo.example")
        ldap.person(LOGIN, PASSWORD, mail="alice@xivo.example")
        # would be found by what is half escaped
        ldap.person("bob", "another", mail="bob@xivo.example")
        ldap.start()
        for way, some in (("service", logins), ("dn", logins[::2])):
            some = logins if os.environ.get("XA_FULL") == "1" else some
            config = dict(db.config("ldap_user"), ldap=ldap.config(way))
            with h.Service(config, login=2, edits=HASTY) as s:
                try_all(s, way, some)
                refuse_all(s, way)
                spaces(s)
                log = s.read("xivo-auth.log")
                h.lacks(log, PASSWORD, way + ": no password in the log")
                h.lacks(log, "backend.unavailable",
                        way + ": never was the server taken to be away")


h.run(main)
