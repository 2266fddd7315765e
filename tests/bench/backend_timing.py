# backend_timing.py - does the time of a refusal tell who exists? SPDX-License-Identifier: GPL-3.0-or-later
"""For each backend: logins of a known user with a wrong password, and of
unknown users, in turn, straight to one process. Their medians may differ by
2 % of what such a login takes, or by 200 microseconds, whichever is more.

A backend is added by a function with @row: it yields the configuration, as
h.Service takes it, with one enabled plugin and a user `alice`; then the users
of the users file, or None; and what makes the service, when that is another
than h.Service.
"""

import base64
import contextlib
import hashlib
import os
import statistics
import tempfile
import time

import rig as _rig  # it knows where the harness is, too

SHARE = 0.02
LEAST_S = 200e-6
WARM_UP = 20
ROWS = []


def row(name):
    def add(function):
        ROWS.append((name, contextlib.contextmanager(function)))
        return function
    return add


@row("users_file, yescrypt")
def users_file(h):
    yield {"enabled_plugins": ["users_file"]}, _rig.USERS


@row("users_file, sha512 of little cost")
def users_file_cheap(h):
    yield {"enabled_plugins": ["users_file"]}, {"alice": h.ALICE}


# A thousand others, so that the server has to look for somebody.
OTHERS = {
    "xivo_user":
        "INSERT INTO userfeatures (loginclient, passwdclient, uuid,"
        " enableclient) SELECT 'user' || n, %s, 'uuid' || n, 1"
        " FROM generate_series(1, 1000) n",
    "xivo_admin":
        "INSERT INTO \"user\" (login, passwd) SELECT 'user' || n, %s"
        " FROM generate_series(1, 1000) n",
    "xivo_service":
        "INSERT INTO accesswebservice (login, passwd) SELECT 'user' || n, %s"
        " FROM generate_series(1, 1000) n",
}


def database(h, backend, password):
    import pgserver
    h.program("backends/.libs/%s.so" % backend)
    with pgserver.Server() as db:
        {"xivo_user": lambda: db.user("alice", password, "uuid"),
         "xivo_admin": lambda: db.admin("alice", password),
         "xivo_service": lambda: db.service("alice", password, ["a.b"]),
         }[backend]()
        db.sql(OTHERS[backend] % pgserver.literal(password))
        yield db.config(backend), None


for _backend in ("xivo_user", "xivo_admin", "xivo_service"):
    @row(_backend + ", plain")
    def plain(h, backend=_backend):
        yield from database(h, backend, "a plain one")

    @row(_backend + ", sha512 of little cost")
    def cheap(h, backend=_backend):
        yield from database(h, backend, h.ALICE["password"])

    @row(_backend + ", yescrypt")
    def hashed(h, backend=_backend):
        yield from database(h, backend, _rig.USERS["alice"]["password"])


@row("ldap_user, service account, ldaps")
def ldap_search(h):
    yield from directory(h, "service", "ldaps")


@row("ldap_user, DN of the login")
def ldap_dn(h):
    yield from directory(h, "dn", "none")


def directory(h, way, tls):
    """slapd's usual salted SHA-1. What one with a slow hash tells by the time
    of its own binds, nobody who asks it can hide."""
    import pgserver
    import slapd
    h.program("backends/.libs/ldap_user.so")
    stored = b"{SSHA}" + base64.b64encode(
        hashlib.sha1(b"another" + b"salt").digest() + b"salt")
    with pgserver.Server() as db, slapd.Server() as ldap:
        ldap.person("alice", stored, mail="alice@xivo.example")
        for n in range(1000):
            ldap.person("user%d" % n, stored)
        ldap.start()
        yield dict(db.config("ldap_user"), ldap=ldap.config(way, tls)), None


@row("pam, a table of passwords")
def table(h):
    """A thousand accounts in pam_matrix's; what a real module tells by its
    own time, the backend cannot hide."""
    import pamlab
    names = ["alice"] + ["user%d" % n for n in range(1000)]
    with tempfile.NamedTemporaryFile("w") as accounts:
        accounts.writelines("%s:another:xivo-auth\n" % n for n in names)
        accounts.flush()
        os.chmod(accounts.name, 0o644)
        stack = "".join("%s required %s passdb=%s\n" % (
            phase, pamlab.module("pam_matrix"), accounts.name)
            for phase in ("auth", "account"))
        yield ({"enabled_plugins": ["pam"]}, None,
               lambda config, users, **how: pamlab.Service(
                   {"xivo-auth": stack}, config, **how))


def login(h, connection, backend, name):
    """Seconds that a refusal took."""
    basic = h.basic(name, "not the password")
    body = b'{"backend": "%s"}' % backend.encode()
    begun = time.perf_counter()
    answer = connection.request("POST", "/0.1/token", body,
                                {"Authorization": basic})
    spent = time.perf_counter() - begun
    if answer.status != 401:
        raise RuntimeError("%s: %s is answered %d" % (backend, name,
                                                      answer.status))
    return spent


def measure_row(h, name, world, logins):
    """The result as a dictionary; h.SkipAll when it cannot be had here."""
    known, unknown = [], []
    with world(h) as (config, users, *other):
        make = other[0] if other else h.Service
        backend = config["enabled_plugins"][0]
        with make(config, users, check=0, nginx=False) as s, \
                s.connect("login", 30) as connection:
            for n in range(logins + WARM_UP):
                # as long a name, and never the same: nothing is learnt of it
                pair = [(known, "alice"), (unknown, "a%04d" % n)]
                for into, who in pair if n % 2 else pair[::-1]:
                    into.append(login(h, connection, backend, who))
    known_s = statistics.median(known[WARM_UP:])
    unknown_s = statistics.median(unknown[WARM_UP:])
    apart, most = abs(known_s - unknown_s), max(SHARE * known_s, LEAST_S)
    return {"name": name, "known_ms": known_s * 1e3,
            "unknown_ms": unknown_s * 1e3, "apart_us": apart * 1e6,
            "most_us": most * 1e6, "reached": apart <= most}


def measure(options, say):
    import harness as h
    rows = []
    worlds = dict(ROWS)
    for name in _rig.chosen(list(worlds), options["only"]):
        say("timing " + name)
        try:
            rows.append(measure_row(h, name, worlds[name], options["logins"]))
        except h.SkipAll as why:
            say("skipped: %s" % why)
    return rows


def print_table(rows):
    wide = max([len(r["name"]) for r in rows] + [7])
    print("%-*s %12s %12s %9s %9s" % (wide, "backend", "known ms",
                                      "unknown ms", "apart us", "most us"))
    for r in rows:
        print("%-*s %12.3f %12.3f %9.1f %9.1f %s" % (
            wide, r["name"], r["known_ms"], r["unknown_ms"], r["apart_us"],
            r["most_us"], "ok" if r["reached"] else "MISSED"))
