#!/usr/bin/env python3
# 0600-ldap.t - ldap_user and a real slapd: who is let in. SPDX-License-Identifier: GPL-3.0-or-later
import contextlib
import os

import harness as h
import pgserver
import slapd

ALICE = "63f3dc3c-865d-419e-bec2-e18c4b118224"
ZOE = "0b7a7b8e-7a7d-4c53-a1f4-9b1c3f1f6d11"
PASSWORD = "pâss:wörd with:colons"
HASTY = {"rate=10r/s": "rate=10000r/s"}

# of the README, word for word but for addresses and secrets
EXAMPLE = """\
enabled_plugins: [ldap_user]
db_uri: postgresql://asterisk:SECRET@localhost/asterisk
ldap:
  uri: ldaps://ldap.example.org
  bind_dn: cn=xivo-auth,dc=example,dc=org
  bind_password: SECRET
  user_base_dn: ou=people,dc=example,dc=org
  user_login_attribute: uid
  user_email_attribute: mail
"""


def fill(db, ldap):
    """Whom there is, and why not each of them may log in."""
    db.user("al", "another", ALICE, email="Alice@XiVO.example", enabled=0)
    db.user("zo", "another", ZOE, email="zoé@xivo.example")
    db.user("twin1", "x", "11111111-0000-4000-8000-000000000001",
            email="twins@xivo.example")
    db.user("twin2", "x", "11111111-0000-4000-8000-000000000002",
            email="TWINS@xivo.example")
    db.user("no-uuid", "x", None, email="no-uuid@xivo.example")
    alice = {"mail": "alice@xivo.example", "employeeNumber": "7"}
    ldap.person("alice", PASSWORD, **alice)
    ldap.person("zoë", PASSWORD, mail="nobody@xivo.example",
                description="ZOé@XIVO.example")
    ldap.person("no-mail", PASSWORD)
    ldap.person("stranger", PASSWORD, mail="stranger@xivo.example")
    ldap.person("twins", PASSWORD, mail="twins@xivo.example")
    ldap.person("no-uuid", PASSWORD, mail="no-uuid@xivo.example")
    ldap.person("two-mails", PASSWORD, mail=["alice@xivo.example",
                                             "stranger@xivo.example"])
    ldap.person("odd-mail", PASSWORD, mail="%' OR '1'='1")
    ldap.person("no-password", None, mail="alice@xivo.example")
    # one login, two entries
    ldap.person("both", PASSWORD, rdn="cn=one of both", **alice)
    ldap.person("both", PASSWORD, rdn="cn=two of both", **alice)
    # a DN that has to be escaped
    ldap.person("a+b,c=d;e<f>\"g\\h", PASSWORD,
                rdn="uid=a\\+b\\,c\\=d\\;e\\<f\\>\\\"g\\\\h", **alice)
    ldap.person("#(*)", PASSWORD, rdn="uid=\\#(*)", **alice)
    # not where users are
    ldap.person("outside", PASSWORD, where=slapd.SUFFIX, **alice)


# login -> who it is; None: refused with the right password
USERS = {
    "alice": ALICE, "ALICE": ALICE, "two-mails": ALICE, "#(*)": ALICE,
    "a+b,c=d;e<f>\"g\\h": ALICE,
    "zoë": None, "no-mail": None, "stranger": None, "twins": None,
    "no-uuid": None, "odd-mail": None, "no-password": None, "both": None,
    "outside": None, "unknown": None, "xivo-auth": None,
}


def check_users(s, way):
    for login, uuid in USERS.items():
        answer = s.login((login, PASSWORD), backend="ldap_user")
        h.eq(answer.status, 200 if uuid else 401, "%s: %s" % (way, login),
             s.read("xivo-auth.log")[-800:])
        if uuid and answer.status == 200:
            data = answer.data
            h.eq((data["auth_id"], data["xivo_user_uuid"]), (uuid, uuid),
                 "with the uuid of the one with that email")
            h.ok("dird.#.me.read" in data["acls"] and
                 "websocketd" in data["acls"], "and the usual ACLs")
        for password in ("wrong", PASSWORD + "x", PASSWORD[:-1],
                         PASSWORD.upper(), slapd.SERVICE_PASSWORD, "*"):
            answer = s.login((login, password), backend="ldap_user")
            if answer.status != 401:
                h.eq(answer.status, 401, "%s with %r" % (login, password))


def check_secrets(s, what):
    text = s.read("xivo-auth.log") + s.read("login.err")
    found = [x for x in (PASSWORD, slapd.SERVICE_PASSWORD, pgserver.PASSWORD)
             if x in text]
    h.eq(found, [], "no password in the log " + what)


def ways(db, ldap):
    for way, tls in (("service", "none"), ("anonymous", "start_tls"),
                     ("dn", "ldaps")):
        config = dict(db.config("ldap_user"), ldap=ldap.config(way, tls))
        with h.Service(dict(config, log_level="debug"), edits=HASTY) as s:
            check_users(s, "%s, %s" % (way, tls))
            check_secrets(s, "of %s" % way)
            h.lacks(s.read("xivo-auth.log"), "ERROR", "nor an error")


def pairs(db, ldap):
    """Each way with each kind of encryption."""
    for way in ("service", "anonymous", "dn"):
        for tls in ("none", "start_tls", "ldaps"):
            with service(db, ldap.config(way, tls)) as s:
                got = [ask(s, "alice", p) for p in (PASSWORD, "wrong")]
                h.eq(got, [200, 401], "%s over %s" % (way, tls),
                     s.read("xivo-auth.log")[-800:])


def service(db, section):
    return h.Service(dict(db.config("ldap_user"), ldap=section), nginx=False,
                     check=1, login=0)


def ask(s, login, password):
    return s.ask("POST", "/0.1/token", b'{"backend": "ldap_user"}',
                 headers=[("Authorization", h.basic(login, password)),
                          ("Content-Type", "application/json")]).status


def memory(db, ldap):
    """After a login the process holds no password, libldap's memory
    included."""
    with service(db, ldap.config("service", "ldaps")) as s:
        h.eq(ask(s, "alice", PASSWORD), 200, "alice is let in")
        try:
            held = writable_memory(s.pools["check"][0].pid)
        except PermissionError as why:
            h.skip(why, "no password stays in memory")
            return
        h.ok(len(held) > 65536 and b"ldap_user" in held, "memory can be read")
        h.ok(PASSWORD.encode() not in held, "no password stays in memory")


def writable_memory(pid):
    held = []
    with open("/proc/%d/maps" % pid) as f, \
            open("/proc/%d/mem" % pid, "rb", 0) as m:
        for line in f:
            ends, rights = line.split()[:2]
            begin, end = (int(x, 16) for x in ends.split("-"))
            # not the terabytes of a sanitizer
            if not rights.startswith("rw") or end - begin > 1 << 28:
                continue
            m.seek(begin)
            with contextlib.suppress(OSError):
                held.append(m.read(end - begin))
    return b"".join(held)


def attributes(db, ldap):
    """Other attributes, and a base higher up."""
    for more, login, expected in (
            ({"user_login_attribute": "employeeNumber"}, "7", 401),  # four
            ({"user_login_attribute": "mail"}, "nobody@xivo.example", 401),
            ({"user_email_attribute": "description"}, "zoë", 200),
            ({"user_email_attribute": "sn"}, "alice", 401),
            ({"user_email_attribute": "userPassword"}, "alice", 401),
            ({"user_base_dn": slapd.SUFFIX}, "outside", 200),
            ({"user_login_attribute": "cn", "user_base_dn": slapd.SUFFIX},
             "xivo-auth", 401)):
        with service(db, ldap.config("service", "none", **more)) as s:
            h.eq(ask(s, login, PASSWORD), expected, "%s with %s" % (
                login, more), s.read("xivo-auth.log")[-800:])


def configurations(db, ldap):
    """What is no configuration, and what is said of it."""
    good = ldap.config("service", "none")
    for ldap_part, said in (
            ({}, "INFO backend.not_configured name=ldap_user"),
            ({"user_base_dn": None}, "ldap.user_base_dn is not set"),
            ({"user_base_dn": "people"}, "ldap.user_base_dn is no DN"),
            ({"uri": "ldapi:///"}, "expected ldap://host or ldaps://host"),
            ({"uri": "ldap://a:x"}, "no port"),
            ({"user_login_attribute": "a=*"}, "ldap.user_login_attribute"),
            ({"user_email_attribute": "a b"}, "ldap.user_email_attribute"),
            ({"bind_password": None}, "one alone is not used"),
            ({"uri": "ldap://ldap.example.org"}, "travel unencrypted"),
            ({"db_uri": None}, "db_uri is not set"),
            ({"bind_dn_format": "uid={username},dc=xivo",
              "domain": "xivo.example"}, "users are searched for")):
        part = dict(good, **ldap_part) if ldap_part else {}
        config = db.config("ldap_user", "mock")
        if part.pop("db_uri", "") is None:
            del config["db_uri"]
        part = {k: v for k, v in part.items() if v is not None}
        if part:
            config["ldap"] = part
        with h.Service(config, nginx=False, check=1, login=0) as s:
            h.has(s.read("xivo-auth.log"), said, "said: " + said)
            mock = s.ask("POST", "/0.1/token", b'{"backend": "mock"}',
                         headers=[("Authorization", h.basic("foo", "bar")),
                                  ("Content-Type", "application/json")])
            h.eq(mock.status, 200, "and the others serve on")


def example(db, ldap):
    """What the README shows is what works."""
    with open(os.path.join(h.SOURCE, "README.md")) as f:
        text = f.read()
    shown = "".join("    %s\n" % line if line else "\n"
                    for line in EXAMPLE.splitlines())
    h.has(text, shown, "the README shows the example")
    swaps = {
        "postgresql://asterisk:SECRET@localhost/asterisk": db.uri(),
        "ldaps://ldap.example.org": ldap.config(tls="ldaps")["uri"],
        "cn=xivo-auth,dc=example,dc=org": slapd.SERVICE,
        "ou=people,dc=example,dc=org": slapd.PEOPLE,
        "bind_password: SECRET": "bind_password: " + slapd.SERVICE_PASSWORD,
    }
    used = EXAMPLE + "  ca_cert: %s\n" % ldap.ca
    for old, new in swaps.items():
        h.ok(old in used, "it has " + old)
        used = used.replace(old, new)
    with h.Service({"enabled_plugins": []}, nginx=False, check=1, login=0,
                   start=False) as s:
        s.write("conf.d/ldap.yml", used)
        s.start()
        h.eq([ask(s, "alice", p) for p in (PASSWORD, "wrong")], [200, 401],
             "the example lets alice in", s.read("xivo-auth.log")[-800:])


def main():
    if not os.path.exists(os.path.join(h.BUILD, "backends", ".libs",
                                       "ldap_user.so")):
        raise h.SkipAll("ldap_user is not built")
    with pgserver.Server() as db, slapd.Server() as ldap:
        fill(db, ldap)
        ldap.start()
        ways(db, ldap)
        pairs(db, ldap)
        memory(db, ldap)
        attributes(db, ldap)
        configurations(db, ldap)
        example(db, ldap)


h.run(main)
