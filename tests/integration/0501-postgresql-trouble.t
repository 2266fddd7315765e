#!/usr/bin/env python3
# 0501-postgresql-trouble.t - XiVO's database away, and back. SPDX-License-Identifier: GPL-3.0-or-later
import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

import harness as h
import pgserver

ALICE = ("alice", "correct horse")
WRONG = ("alice", "incorrect horse")
UUID = "63f3dc3c-865d-419e-bec2-e18c4b118224"
LIMIT_S = 3
BACKENDS = ["xivo_user", "xivo_admin", "xivo_service"]


def status_of(s, backend="xivo_user"):
    answer = s.http("GET", "/0.1/status")
    return (answer.status, answer.data["backends"][backend],
            answer.data.get("reason", {}).get(backend))


def is_well(s, what, backend="xivo_user"):
    h.eq([s.login(login, backend).status for login in (ALICE, WRONG)],
         [200, 401], "%s: %s works" % (what, backend))
    h.eq(status_of(s, backend), (200, "ok", None), what + ": status ok")


def is_away(s, what, backend="xivo_user", said=None, logins=(ALICE, WRONG)):
    """Nobody is let in or told that a password is wrong; in time."""
    for login in logins:
        begun = time.monotonic()
        answer = s.login(login, backend)
        spent = time.monotonic() - begun
        h.eq((answer.status, answer.json["reason"]),
             (503, ["Authentication backend unavailable"]),
             "%s: %s is unavailable" % (what, backend))
        h.ok((answer.get("Retry-After") or "").isdigit(),
             what + ": with Retry-After")
        h.ok(spent < LIMIT_S, "%s: told within %d s" % (what, LIMIT_S),
             "%.3f s" % spent)
    h.eq(status_of(s, backend),
         (200, "fail", "unavailable"),
         what + ": status tells it")
    if said:
        h.has(s.read("xivo-auth.log"), said, "%s: the log says %r"
              % (what, said))


def fill(db):
    db.user(*ALICE, uuid=UUID)
    db.admin(*ALICE)
    db.service(*ALICE, acl=["a.b"])


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
    db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
           " WHERE usename = 'asterisk'")
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
        db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
               " WHERE usename = 'asterisk'")
        is_away(s, what, said=said)
        db.sql("ALTER ROLE asterisk %s" % right)
        is_well(s, "no longer " + what)
    db.allow("local all owner trust\nhost all asterisk all reject\n")
    db.restart()
    is_away(s, "the host refused", said="rejects")
    db.allow(pgserver.ACCESS)
    db.restart()
    is_well(s, "the host let in")


def secrets(db, s):
    log = s.read("xivo-auth.log")
    for secret in (pgserver.PASSWORD, ALICE[1], WRONG[1]):
        h.lacks(log, secret, "the log holds no %.8s..." % secret)
    lines = [x for x in log.splitlines() if "backend.unavailable" in x]
    back = [x for x in log.splitlines() if "backend.back" in x]
    h.eq(len(lines), len(back), "each trouble is said once, and its end")


class Impostor:
    """Listens, and answers whatever comes with these bytes; or never."""

    def __init__(self, reply):
        self.reply = reply
        self.kept = []
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(16)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                c, _ = self.socket.accept()
                self.kept.append(c)
                threading.Thread(target=self._answer, args=(c,),
                                 daemon=True).start()

    def _answer(self, c):
        with contextlib.suppress(OSError):
            while c.recv(65536):
                c.sendall(self.reply)

    def close(self):
        for c in [self.socket, *self.kept]:
            with contextlib.suppress(OSError):
                c.shutdown(socket.SHUT_RDWR)
            c.close()


def impostors():
    notice = b"N\0\0\0\x12SNOTICE\0Mbla\0\0"
    for what, reply in (
            ("a server that is mute", b""),
            ("a web server", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            ("zeros", b"\0" * 4096),
            ("no TLS, then nothing", b"N"),
            ("TLS, then zeros", b"S" + b"\0" * 64),
            ("an endless length", b"R\x7f\xff\xff\xff" + b"x" * 64),
            ("let in, then nothing but notices",
             b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I" + notice * 100)):
        fake = Impostor(reply)
        uri = "postgresql://asterisk:%s@127.0.0.1:%d/asterisk?sslmode=disable"
        with h.Service({"db_uri": uri % (pgserver.PASSWORD, fake.port),
                        "enabled_plugins": ["xivo_user"]}, check=1,
                       login=0) as s:
            is_away(s, what, logins=[ALICE])
            h.lacks(s.read("xivo-auth.log"), pgserver.PASSWORD,
                    what + ": no password in the log")
        fake.close()


def certificates():
    with pgserver.Server(tls=True) as db:
        fill(db)
        with h.Service(start=False) as other:
            other._make_certificate(h.need("openssl"))
            stranger = other.path("cert.pem")
            for what, well, uri in (
                    ("verify-full", True, {"sslrootcert": db.ca}),
                    ("a stranger's CA", False, {"sslrootcert": stranger}),
                    ("no such CA file", False, {"sslrootcert": "/nowhere"}),
                    ("another name", False, {
                        "sslrootcert": db.ca, "host": "127.0.0.1"})):
                uri = dict({"host": "localhost", "sslmode": "verify-full"},
                           **uri)
                with h.Service(db.config("xivo_user", **uri), check=1,
                               login=0) as s:
                    (is_well if well else is_away)(s, what)
                    h.lacks(s.read("xivo-auth.log"), pgserver.PASSWORD,
                            what + ": no password in the log")
        used = db.sql("SELECT DISTINCT ssl FROM pg_stat_ssl JOIN"
                      " pg_stat_activity USING (pid)"
                      " WHERE usename = 'asterisk'")
        h.ok(used in ([], ["t"]), "nobody came in without TLS", used)


def addresses():
    """A db_uri that makes no sense is told at the start, without its words;
    the service goes on without the backend."""
    secret = "Zq9Kw3"
    for uri in ("mysql://asterisk:%s@localhost/asterisk",
                "postgresql://asterisk:%s@%s@localhost/asterisk",
                "postgresql://asterisk:%s/%s@localhost/asterisk",
                "postgresql://asterisk:%%zz%s@localhost/asterisk",
                "postgresql://asterisk:%s@localhost:port/asterisk?%s",
                "postgresql://asterisk@localhost/asterisk?pass=%s",
                "host=localhost password=%s %s"):
        uri = uri.replace("%s", secret)
        with h.Service({"db_uri": uri, "enabled_plugins": BACKENDS +
                        ["users_file"]}, check=1, login=0) as s:
            h.eq([s.login(ALICE, b).status for b in BACKENDS], [401] * 3,
                 "%s: no login" % uri)
            h.eq(status_of(s), (200, "fail", "start failed"),
                 "which the status tells")
            h.eq(s.login().status, 200, "the others work")
            log = s.read("xivo-auth.log")
            h.has(log, "db_uri ", "the log says why")
            h.lacks(log, secret, "and keeps the secret")
    with h.Service({"enabled_plugins": BACKENDS + ["mock"]}, check=1,
                   login=0) as s:
        h.eq(s.http("GET", "/0.1/backends").json, {"data": ["mock"]},
             "without db_uri they are left out")


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
        fill(db)
        config = db.config(*BACKENDS)
        config["log_level"] = "debug"
        # One process, so that its status tells of its own logins.
        with h.Service(config, check=1, login=0) as s:
            tables(db, s)
            stopped(db, s)
            stopped_in_the_middle(db, s)
            slow(db, s)
            frozen(db, s)
            refusing(db, s)
            secrets(db, s)
        unix_socket(db)
    impostors()
    certificates()
    addresses()


h.run(main, 180)
