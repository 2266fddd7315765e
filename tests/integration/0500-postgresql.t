#!/usr/bin/env python3
# 0500-postgresql.t - XiVO's users, administrators and services. SPDX-License-Identifier: GPL-3.0-or-later
import os
import re
import threading

import badinput
import harness as h
import pgserver
from trouble import log_says

WORD = "correct horse"
HASH = h.ALICE["password"]  # of the same words, and cheap
UUID = "63f3dc3c-865d-419e-bec2-e18c4b118224"
LONG = "p" * 512
BACKENDS = ("xivo_user", "xivo_admin", "xivo_service")
HASTY = {"rate=10r/s": "rate=100000r/s", "burst=50": "burst=10000"}
MD5 = "$1$tests$u.QyCeNhQ1tNsbBgmmWxD."


def check(s, backend, cases):
    """Cases: what, login, password, 200 or 401."""
    for what, login, password, want in cases:
        answer = s.login((login, password), backend)
        h.eq(answer.status, want, "%s: %s" % (backend, what), answer)


def identity(s, backend, login, password=WORD):
    data = s.login((login, password), backend).data
    return data and (data["auth_id"], data["xivo_user_uuid"],
                     data["xivo_uuid"], data["acls"])


def fill_users(db):
    rows = [
        ("alice", WORD, UUID, 1), ("hashed", HASH, "u-hashed", 1),
        ("off", WORD, "u-off", 0), ("offhashed", HASH, "u-offhashed", 0),
        ("unknown-state", WORD, "u-null", None),
        ("twice", "one", "u-one", 1), ("twice", "two", "u-two", 1),
        ("onceoff", "one", "u-1", 0), ("onceoff", "two", "u-2", 1),
        ("none", None, "u-none", 1), ("empty", "", "u-empty", 1),
        ("old", MD5, "u-old", 1), ("locked", "!" + HASH, "u-locked", 1),
        ("star", "*", "u-star", 1), ("failed", "*0", "u-failed", 1),
        ("nouuid", WORD, None, 1), ("emptyuuid", WORD, "", 1),
        ("odduuid", WORD, "a\x01b", 1), (None, WORD, "u-nologin", 1),
        ("", WORD, "u-emptylogin", 1), ("colons", "a:b::c:", "u-colons", 1),
        ("accents", "d\u00e9j\u00e0 vu \u20ac", "u-accents", 1),
        ("jos\u00e9", WORD, "u-jose", 1), ("a'b\"c\\d", WORD, "u-quotes", 1),
        ("longest", LONG, "u-longest", 1), ("longer", LONG + "p", "u-x", 1),
        ("dollar", "$ecret", "u-dollar", 1), ("bang", "!bang", "u-bang", 1),
    ]
    db.sql("INSERT INTO userfeatures (loginclient, passwdclient, uuid,"
           " enableclient) VALUES " + ", ".join(
               "(%s)" % ", ".join(map(pgserver.literal, r)) for r in rows))


def users(s):
    check(s, "xivo_user", [
        ("plain", "alice", WORD, 200), ("plain, wrong", "alice", "x", 401),
        ("its case counts", "alice", WORD.upper(), 401),
        ("the login's, too", "Alice", WORD, 401),
        ("crypt(3)", "hashed", WORD, 200), ("wrong", "hashed", "x", 401),
        ("the hash is no password", "hashed", HASH, 401),
        ("disabled", "off", WORD, 401),
        ("disabled, crypt(3)", "offhashed", WORD, 401),
        ("neither on nor off", "unknown-state", WORD, 401),
        ("one of two of a login", "twice", "one", 401),
        ("the other one", "twice", "two", 401),
        ("of two, the one who is on", "onceoff", "two", 200),
        ("and the one who is off", "onceoff", "one", 401),
        ("without a password", "none", WORD, 401),
        ("without a password, NULL", "none", "NULL", 401),
        ("with an empty password", "empty", WORD, 401),
        ("a hash of MD5", "old", WORD, 401),
        ("that hash as password", "old", MD5, 401),
        ("a locked hash", "locked", WORD, 401),
        ("that as password", "locked", "!" + HASH, 401),
        ("locked by a star", "star", "*", 401),
        ("by a crypt that failed", "failed", "*0", 401),
        ("without a uuid", "nouuid", WORD, 401),
        ("with an empty uuid", "emptyuuid", WORD, 401),
        ("with control characters for a uuid", "odduuid", WORD, 401),
        ("nobody", "nobody", WORD, 401), ("NULL", "NULL", WORD, 401),
        ("colons", "colons", "a:b::c:", 200),
        ("non-ASCII", "accents", "d\u00e9j\u00e0 vu \u20ac", 200),
        ("the same, decomposed", "accents", "de\u0301ja\u0300 vu \u20ac", 401),
        ("a non-ASCII login", "jos\u00e9", WORD, 200),
        ("a login of quotes", "a'b\"c\\d", WORD, 200),
        ("512 bytes", "longest", LONG, 200),
        ("513 bytes in the table", "longer", LONG, 401),
        ("$ is plain", "dollar", "$ecret", 200),
        ("! is plain", "bang", "!bang", 200),
    ])
    h.eq(identity(s, "xivo_user", "alice"), (UUID, UUID, None, ["a.me", "b.#"]),
         "a user has the default ACLs, and both ids are the uuid")


def fill_admins(db):
    db.admin("root", WORD)
    db.admin("hashed", HASH, "acme")
    db.admin("off", WORD, "off", valid=0)
    db.admin("lost", WORD)
    db.sql("UPDATE \"user\" SET entity_id = 4711 WHERE login = 'lost'")
    db.admin("twice", WORD)
    db.admin("twice", WORD)
    for i, (name, _) in enumerate(ENTITIES):
        db.admin("e%d" % i, WORD, name)
    db.admin("nameless", WORD)
    db.sql("INSERT INTO entity (id, name) VALUES (4712, NULL);"
           "UPDATE \"user\" SET entity_id = 4712 WHERE login = 'nameless'")


# Names of entities, and whether they make an ACL.
ENTITIES = [
    ("acme-2", True), ("soci\u00e9t\u00e9", True), ("a b", True),
    ("!a", True), ("mel", True), ("a/b", True), ("$1", True),
    ("", False), ("*", False), ("#", False), ("a*", False), ("a#b", False),
    ("a.b", False), (".", False), ("me", False), ("a\nb", False),
    ("a\x7f", False),
]


def admins(db, s):
    check(s, "xivo_admin", [
        ("plain", "root", WORD, 200), ("wrong", "root", "x", 401),
        ("crypt(3)", "hashed", WORD, 200), ("wrong", "hashed", "x", 401),
        ("invalid", "off", WORD, 401), ("two of a login", "twice", WORD, 401),
        ("a user is none", "alice", WORD, 401),
    ])
    ids = dict(line.split("|") for line in
               db.sql("SELECT login, id FROM \"user\""))
    all_of = ["confd.#", "dird.tenants.#"]
    h.eq(identity(s, "xivo_admin", "root"), (ids["root"], None, None, all_of),
         "without an entity: every tenant")
    h.eq(identity(s, "xivo_admin", "hashed"),
         (ids["hashed"], None, None, ["confd.#", "dird.tenants.acme.#"]),
         "with one: its tenant")
    for i, (name, is_fit) in enumerate(ENTITIES):
        more = ["dird.tenants.%s.#" % name] if is_fit else []
        h.eq(identity(s, "xivo_admin", "e%d" % i),
             (ids["e%d" % i], None, None, ["confd.#"] + more),
             "entity %r" % name)
    for login in ("lost", "nameless"):
        h.eq(identity(s, "xivo_admin", login),
             (ids[login], None, None, ["confd.#"]),
             "an entity that is %s gives no tenant" % login)


# Values of the column acl, and the ACLs of the token; None: refused.
ACLS = [
    ("[] is none", [], []),
    ("some", ["confd.#", "!confd.users"], ["confd.#", "!confd.users"]),
    ("quoted", ['a"b', "c\\d", "e,f", "{g}", " h ", "NULL", "i'j", "k\\\"l"],
     ['a"b', "c\\d", "e,f", "{g}", " h ", "NULL", "i'j", "k\\\"l"]),
    ("NULL and empty ones", [None, "a.b", "", None], ["a.b"]),
    ("no array", None, []),
    ("non-ASCII", ["caf\u00e9.#"], ["caf\u00e9.#"]),
    ("the longest", ["a" * 1024], ["a" * 1024]),
    ("a longer one", ["a" * 1025], None),
    ("a control character", ["a", "!b\nc"], None),
    ("the most", ["a.%d" % i for i in range(1024)],
     ["a.%d" % i for i in range(1024)]),
    ("one more", ["a.%d" % i for i in range(1025)], None),
]


def fill_services(db):
    for i, (_, acl, _) in enumerate(ACLS):
        db.service("s%d" % i, WORD, acl)
    db.service("hashed", HASH, ["a"])
    db.service("off", WORD, ["a"], disabled=1)
    db.service("unknown-state", WORD, ["a"], disabled=None)
    db.service("square", WORD, ["x"])
    db.sql("UPDATE accesswebservice SET acl = '[2:3][5:6]={{a,b},{\"c,c\",d}}'"
           " WHERE login = 'square'")


def services(db, s):
    check(s, "xivo_service", [
        ("plain", "s1", WORD, 200), ("wrong", "s1", "x", 401),
        ("crypt(3)", "hashed", WORD, 200), ("wrong", "hashed", "x", 401),
        ("disabled", "off", WORD, 401),
        ("neither on nor off", "unknown-state", WORD, 401),
        ("a user is none", "alice", WORD, 401),
    ])
    ids = dict(line.split("|") for line in
               db.sql("SELECT login, id FROM accesswebservice"))
    for i, (what, _, want) in enumerate(ACLS):
        h.eq(identity(s, "xivo_service", "s%d" % i),
             want if want is None else (ids["s%d" % i], None, None, want),
             "acl: " + what)
    h.eq(identity(s, "xivo_service", "square"),
         (ids["square"], None, None, ["a", "b", "c,c", "d"]),
         "acl: an array of two dimensions")


def injections(db, s):
    tables = "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM %s t"
    names = ("userfeatures", '"user"', "accesswebservice", "entity")
    before = [db.sql(tables % n) for n in names]
    bad = badinput.sql()
    h.ok(len(bad) == len(set(bad)) >= 500, "there are 500 injections")
    for backend, login in (("xivo_user", "alice"), ("xivo_admin", "root"),
                           ("xivo_service", "s1")):
        odd = [b for b in bad
               if s.login((b.replace(":", ""), WORD), backend).status != 401]
        h.eq(odd, [], "%s: no login of them gets in" % backend)
        odd = [b for b in bad[::5]
               if s.login((login, b), backend).status != 401]
        h.eq(odd, [], "%s: nor a password" % backend)
    h.eq([db.sql(tables % n) for n in names], before, "the tables are as before")
    wrong = [x for x in db.said().splitlines() if " ERROR: " in x]
    h.eq(wrong, [], "and the server found nothing wrong")


def connections(db, s):
    rows = db.sql("SELECT application_name, count(*) FROM pg_stat_activity"
                  " WHERE usename = 'asterisk' GROUP BY 1")
    h.eq(rows, ["xivo-auth|%d" % len(BACKENDS)],
         "after all that each backend has one connection")
    values = [x for x in db.said().splitlines() if " parameters: " in x]
    h.ok(values, "the server was sent parameters")
    h.eq([x for x in values if WORD in x], [], "and no password among them")
    log = "".join(s.read(n) for n in os.listdir(s.dir)
                  if n.endswith((".log", ".err")))
    for secret in (pgserver.PASSWORD, WORD, HASH, LONG, "a:b::c:"):
        h.lacks(log, secret, "the logs hold no %.8s..." % secret)
    h.has(log, "two accounts have the login twice", "two of a login: said")
    h.has(log, "the password hash of old is of no accepted kind", "MD5: said")
    h.has(log, "makes no ACL", "a name that makes no ACL: said")


def processes(db, config):
    """Each has a connection of its own: no answer goes astray."""
    body = b'{"backend": "xivo_user"}'
    wrong = []

    def ask(s, login, password, auth_id):
        for _ in range(20):
            answer = s.ask("POST", "/0.1/token", body, which="login",
                           headers={"Authorization": h.basic(login, password)})
            if answer.status != 200 or answer.data["auth_id"] != auth_id:
                wrong.append((login, answer))

    with h.Service(config, check=0, login=3, nginx=False) as s:
        threads = [threading.Thread(target=ask, args=(s, *who)) for who in (
            ("alice", WORD, UUID), ("colons", "a:b::c:", "u-colons"),
            ("dollar", "$ecret", "u-dollar"), ("bang", "!bang", "u-bang"))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        h.eq(wrong, [], "three processes at once, each login gets its own id")
        rows = db.sql("SELECT DISTINCT client_port FROM pg_stat_activity"
                      " WHERE usename = 'asterisk'")
        h.ok(1 <= len(rows) <= 3, "over one connection each at most", rows)


def latin1():
    """What a database of another encoding cannot hold is in no row of it."""
    with pgserver.Server(tables=False) as db:
        db.sql("CREATE DATABASE old ENCODING 'LATIN1' TEMPLATE template0",
               database="postgres")
        db.sql(pgserver.TABLES, database="old")
        db.sql("INSERT INTO userfeatures (loginclient, passwdclient, uuid,"
               " enableclient) VALUES ('jos\u00e9', 'd\u00e9j\u00e0', 'u', 1)",
               database="old")
        config = {"db_uri": db.uri(database="old",
                                   scheme="postgresql+psycopg2"),
                  "enabled_plugins": ["xivo_user"]}
        with h.Service(config, check=0) as s:
            check(s, "xivo_user", [
                ("LATIN1", "jos\u00e9", "d\u00e9j\u00e0", 200),
                ("LATIN1, wrong", "jos\u00e9", "deja", 401),
                ("a login that is none there", "\u20ac", "x", 401),
                ("a password that is none there", "jos\u00e9", "\u20ac", 401),
            ])


def read_only(db, s):
    db.sql("""
        CREATE TABLE seen (login text);
        GRANT INSERT ON seen TO asterisk;
        CREATE FUNCTION spy() RETURNS integer LANGUAGE sql VOLATILE AS
            $$ INSERT INTO seen VALUES ('x') RETURNING 1 $$;
        ALTER TABLE userfeatures RENAME TO hidden;
        CREATE VIEW userfeatures AS
            SELECT *, spy() AS spied FROM hidden WHERE spy() = 1;
        GRANT SELECT ON userfeatures TO asterisk;""")
    h.eq(s.login(("alice", WORD), "xivo_user").status, 503,
         "a database that writes on reading is refused")
    log_says(s, "read-only transaction", "which is said")
    db.sql("DROP VIEW userfeatures;"
           "ALTER TABLE hidden RENAME TO userfeatures")
    h.eq(s.login(("alice", WORD), "xivo_user").status, 200, "then it reads")
    h.eq(db.sql("SELECT count(*) FROM seen"), ["0"], "nothing was written")


def example(db):
    """What README.md tells to write, with what is another here."""
    with open(os.path.join(h.SOURCE, "README.md")) as f:
        uri = re.search(r"`db_uri: (\S+)`", f.read()).group(1)
    for ours, here in (("PASSWORD", pgserver.PASSWORD),
                       ("localhost:5432", "localhost:%d" % db.port)):
        h.has(uri, ours, "the README's db_uri has a %s" % ours)
        uri = uri.replace(ours, here)
    return {"db_uri": uri, "enabled_plugins": list(BACKENDS)}


def main():
    h.program("backends/.libs/xivo_user.so")
    with pgserver.Server() as db:
        fill_users(db)
        fill_admins(db)
        fill_services(db)
        config = example(db)
        config.update(log_level="debug", default_user_acls=["a.me", "b.#"])
        with h.Service(config, edits=HASTY) as s:
            users(s)
            admins(db, s)
            services(db, s)
            badinput.refuse_all(h, s, "xivo_user", "alice", WORD)
            badinput.refuse_all(h, s, "xivo_admin", "root", WORD)
            badinput.refuse_all(h, s, "xivo_service", "s1", WORD)
            injections(db, s)
            connections(db, s)
            read_only(db, s)
        processes(db, config)
    latin1()


h.run(main)
