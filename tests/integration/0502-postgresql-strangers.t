#!/usr/bin/env python3
# 0502-postgresql-strangers.t - who answers for XiVO's database, and where. SPDX-License-Identifier: GPL-3.0-or-later
import os

import harness as h
import pgserver
from trouble import ALICE, Impostor, is_away, is_well, log_says, status_of

BACKENDS = ["xivo_user", "xivo_admin", "xivo_service"]


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
        db.fill(*ALICE)
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
        another_home(db)


def another_home(db):
    """A daemon often has the HOME of who started it, which it cannot read:
    that is no reason to do without TLS."""
    home = os.path.join(db.dir, "loop")
    os.symlink(home, home)
    for mode, more in (("verify-full", {"sslrootcert": db.ca}), ("prefer", {})):
        config = db.config("xivo_user", host="localhost", sslmode=mode, **more)
        with h.Service(config, check=1, login=0, env={"HOME": home}) as s:
            is_well(s, mode + ", HOME cannot be read")
            h.eq(db.sql("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity"
                        " USING (pid) WHERE usename = 'asterisk'"), ["t"],
                 mode + ": there is TLS")


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
            log_says(s, "db_uri ", "the log says why")
            h.lacks(s.read("xivo-auth.log"), secret, "and keeps the secret")
    with h.Service({"enabled_plugins": BACKENDS + ["mock"]}, check=1,
                   login=0) as s:
        h.eq(s.http("GET", "/0.1/backends").json, {"data": ["mock"]},
             "without db_uri they are left out")


def remote(db):
    """To another machine without a checked certificate: said at the start."""
    word = "without sslmode=verify-full"
    for host, more, is_said in (
            ("127.0.0.1", {}, False), ("localhost", {}, False),
            ("db.example.org", {}, True),
            ("db.example.org", {"sslmode": "require"}, True),
            ("db.example.org", {"sslmode": "verify-full"}, False),
            ("db.example.org", {"hostaddr": "127.0.0.1"}, False),
            ("localhost,db.example.org", {}, True),
            ("localhost", {"hostaddr": "192.0.2.1"}, True)):
        uri = db.uri(host="HOST", **more).replace("HOST:%d" % db.port, host)
        with h.Service({"db_uri": uri, "enabled_plugins": ["xivo_user"]},
                       check=1, login=0, nginx=False) as s:
            log_says(s, "service.started", "it starts with %s" % host)
            h.eq(word in s.read("xivo-auth.log"), is_said,
                 "%s %s: %s" % (host, more, "a warning" if is_said else
                                "no warning"))


def main():
    h.program("backends/.libs/xivo_user.so")
    impostors()
    certificates()
    addresses()
    with pgserver.Server(tables=False) as db:
        remote(db)


h.run(main)
