#!/usr/bin/env python3
# 0501-postgresql-trouble.t - XiVO's database away, and back. SPDX-License-Identifier: GPL-3.0-or-later
import contextlib
import os
import signal
import subprocess
import threading

import harness as h
import pgserver
from trouble import ALICE, WRONG, is_away, is_well

BACKENDS = ["xivo_user", "xivo_admin", "xivo_service"]
DISCONNECT = ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
              " WHERE usename = 'asterisk'")


def tables(db, s):
    for backend, table in (("xivo_user", "userfeatures"),
                           ("xivo_admin", '"user"'), ("xivo_admin", "entity"),
                           ("xivo_service", "accesswebservice")):
        is_well(s, table + " there", backend)
        db.sql("ALTER TABLE %s RENAME TO hidden" % table)
        is_away(s, table + " missing", backend, "does not exist")
        db.sql("ALTER TABLE hidden RENAME TO %s" % table)
        is_well(s, table + " back", backend)
    db.sql("REVOKE SELECT ON userfeatures FROM asterisk")
    is_away(s, "no right to read", said="permission denied")
    db.sql("GRANT SELECT ON userfeatures TO asterisk")
    is_well(s, "the right to read")


def stopped(db, s):
    for number, how in ((signal.SIGINT, "restarted"),
                        (signal.SIGQUIT, "broken and restarted")):
        is_well(s, "before")
        db.restart(number)
        is_well(s, how + " between two logins")
    db.sql(DISCONNECT)
    is_well(s, "a connection closed by the server")
    db.stop()
    is_away(s, "stopped", said="refused")
    db.start()
    is_well(s, "started")


def stopped_in_the_middle(db, s):
    """The server dies while it is asked."""
    with locked(db):
        answers = []
        asker = threading.Thread(
            target=lambda: answers.append(s.login(ALICE, "xivo_user")))
        asker.start()
        h.until(lambda: db.sql(
            "SELECT 1 FROM pg_stat_activity WHERE usename = 'asterisk' AND"
            " wait_event_type = 'Lock'"), "a login that waits")
        db.stop(signal.SIGQUIT)
        asker.join()
        h.eq([a.status for a in answers], [503], "died in the middle: 503")
    db.start()
    is_well(s, "after that")


@contextlib.contextmanager
def locked(db):
    """A session that keeps others from reading userfeatures."""
    p = subprocess.Popen(
        [os.path.join(db.bin, "psql"), "-X", "-q", "-h", db.dir, "-p",
         str(db.port), "-U", "owner", "-d", "asterisk"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True)
    try:
        p.stdin.write("BEGIN; LOCK TABLE userfeatures; SELECT 'held';\n")
        p.stdin.flush()
        h.until(lambda: "held" in p.stdout.readline(), "the lock")
        yield
    finally:
        p.kill()
        p.communicate()


def slow(db, s):
    with locked(db):
        is_away(s, "locked for long", said="no answer in time")
    h.until(lambda: not db.sql(
        "SELECT 1 FROM pg_stat_activity WHERE usename = 'asterisk' AND"
        " state = 'active'"), "the end of the queries that nobody waits for")
    is_well(s, "not locked")


def slow_to_forget(db, s):
    """The login is known, but what libpq keeps of it is not overwritten in
    time: the connection goes, and the log says why."""
    db.sql("CREATE SCHEMA slow")
    db.sql("CREATE FUNCTION slow.repeat(text, integer) RETURNS text"
           " LANGUAGE sql AS 'SELECT pg_sleep(60)::text'")
    db.sql("GRANT USAGE ON SCHEMA slow TO asterisk")
    db.sql("ALTER ROLE asterisk SET search_path = slow, pg_catalog, public")
    db.sql(DISCONNECT)
    before = s.read("xivo-auth.log").count("no answer in time")
    h.eq(s.login(ALICE, "xivo_user").status, 200, "slow to forget: a login")
    h.until(lambda: s.read("xivo-auth.log").count("no answer in time") ==
            before + 1, "a line of the log")
    db.sql("DROP SCHEMA slow CASCADE")
    db.sql("ALTER ROLE asterisk RESET search_path")
    is_well(s, "no longer slow to forget")


def frozen(db, s):
    is_well(s, "before the frost")
    db.freeze()
    # Once on the kept connection, once on a new one.
    is_away(s, "frozen", said="no answer in time")
    db.thaw()
    is_well(s, "thawed")


def refusing(db, s):
    for what, wrong, right, said in (
            ("another service password", "PASSWORD 'another'",
             "PASSWORD '%s'" % pgserver.PASSWORD, "authentication failed"),
            ("no such login", "NOLOGIN", "LOGIN", "not permitted to log in"),
            ("no connection left", "CONNECTION LIMIT 0",
             "CONNECTION LIMIT -1", "too many connections")):
        db.sql("ALTER ROLE asterisk %s" % wrong)
        is_well(s, what + ", but the kept connection")
        db.sql(DISCONNECT)
        is_away(s, what, said=said)
        db.sql("ALTER ROLE asterisk %s" % right)
        is_well(s, "no longer " + what)
    db.allow("local all owner trust\nhost all asterisk all reject\n")
    db.restart()
    is_away(s, "the host refused", said="rejects")
    db.allow(pgserver.ACCESS)
    db.restart()
    is_well(s, "the host let in")


def telling_errors(db):
    """PostgreSQL's words name the role; here they hold the password so."""
    with h.Service(db.config("xivo_user", password="asterisk"), check=1,
                   login=0) as s:
        is_away(s, "a password that the error holds",
                said="(a text with the password)")
        h.lacks(s.read("xivo-auth.log"), "asterisk", "nothing told it")


def turns(s):
    return [x for x in s.read("xivo-auth.log").splitlines()
            if " backend.unavailable " in x or " backend.back " in x]


def secrets(s):
    with contextlib.suppress(TimeoutError):
        h.until(lambda: " backend.back " in turns(s)[-1], "the last line")
    away = [x for x in turns(s) if " backend.unavailable " in x]
    h.eq(len(turns(s)), 2 * len(away),
         "each trouble is said once, and its end", *turns(s))
    log = s.read("xivo-auth.log")
    for secret in (pgserver.PASSWORD, ALICE[1], WRONG[1]):
        h.lacks(log, secret, "the log holds no %.8s..." % secret)


def unix_socket(db):
    uri = "postgresql://asterisk:%s@/asterisk?host=%s&port=%d" % (
        pgserver.PASSWORD, db.dir, db.port)
    with h.Service({"db_uri": uri, "enabled_plugins": ["xivo_user"]},
                   check=1, login=0) as s:
        is_well(s, "a unix socket")
        db.freeze()
        is_away(s, "a unix socket, frozen", logins=[ALICE])
        db.thaw()
        is_well(s, "a unix socket, thawed")
        db.stop()
        is_away(s, "a unix socket without a server")
        db.start()
        is_well(s, "a unix socket, again")


def main():
    h.program("backends/.libs/xivo_user.so")
    with pgserver.Server() as db:
        db.fill(*ALICE)
        config = db.config(*BACKENDS)
        config["log_level"] = "debug"
        # One process, so that its status tells of its own logins.
        with h.Service(config, check=1, login=0) as s:
            tables(db, s)
            stopped(db, s)
            stopped_in_the_middle(db, s)
            slow(db, s)
            slow_to_forget(db, s)
            frozen(db, s)
            refusing(db, s)
            secrets(s)
        unix_socket(db)
        telling_errors(db)


h.run(main)
