# pgserver.py - a real PostgreSQL with XiVO's tables, for one test. SPDX-License-Identifier: GPL-3.0-or-later
"""A server of its own in a folder of its own, on a free loopback port.

    import harness as h
    import pgserver

    def main():
        with pgserver.Server() as db:
            db.user("alice", "correct horse", uuid="63f3dc3c-...")
            with h.Service(db.config("xivo_user")) as s:
                s.token(login=("alice", "correct horse"), backend="xivo_user")

    h.run(main)

The tables stand in the database `asterisk` and belong to `owner`, who needs
no password on the unix socket. The service is the role `asterisk`, who may
read four tables and shows a password. Processes are started from the main
thread only: each dies with the thread that started it.
"""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from urllib.parse import quote

import harness as h

PASSWORD = "Pr0-for.matique-7vQ"  # of the role asterisk

TABLES = """
CREATE TABLE entity (id serial PRIMARY KEY, name varchar(64),
    displayname varchar(128), description text);
CREATE TABLE userfeatures (id serial PRIMARY KEY, uuid varchar(38),
    firstname varchar(128), lastname varchar(128), email varchar(128),
    loginclient varchar(64), passwdclient varchar(600),
    enableclient integer DEFAULT 0, entityid integer);
CREATE TABLE "user" (id serial PRIMARY KEY,
    entity_id integer, login varchar(64), passwd varchar(600),
    meta varchar(10) DEFAULT 'admin', valid integer DEFAULT 1);
CREATE TABLE accesswebservice (id serial PRIMARY KEY, name varchar(64),
    login varchar(64), passwd varchar(600), host varchar(255),
    acl text[], disable integer DEFAULT 0);
GRANT SELECT ON entity, userfeatures, "user", accesswebservice TO asterisk;
"""

ACCESS = """
local    all owner    trust
local    all asterisk scram-sha-256
host     all asterisk 127.0.0.1/32 scram-sha-256
"""


def _binaries():
    """The folder of initdb and postgres, which Debian keeps out of PATH."""
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    if found:
        return os.path.dirname(max(found, key=lambda p: int(p.split("/")[4])))
    return os.path.dirname(h.need("postgres"))


def _unprivileged():
    """Whom to be: initdb and postgres refuse to be root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            who = pwd.getpwnam(name)
            return {"user": who.pw_uid, "group": who.pw_gid,
                    "extra_groups": []}
    raise h.SkipAll("there is no user who could run postgres")


def literal(value):
    """A value as SQL writes it; a list is text[]."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "ARRAY[%s]::text[]" % ", ".join(literal(v) for v in value)
    return "E'%s'" % value.replace("\\", "\\\\").replace("'", "''")


class Server:
    """
        tls     offer TLS, with a certificate for localhost from self.ca
        tables  make XiVO's tables
    """

    def __init__(self, tls=False, tables=True):
        self.bin = _binaries()
        self.who = _unprivileged()
        self.postmaster = None
        self.frozen = []
        self.dir = tempfile.mkdtemp(prefix="xivo-auth-pg-")
        self.data = os.path.join(self.dir, "data")
        self.log = os.path.join(self.dir, "postgres.err")
        self.ca = os.path.join(self.dir, "server.crt") if tls else None
        try:
            if self.who:
                os.chown(self.dir, self.who["user"], self.who["group"])
            self.port = h.free_port()
            self._make(tls)
            self.start()
            self.sql("CREATE ROLE asterisk LOGIN PASSWORD %s"
                     % literal(PASSWORD), database="postgres")
            self.sql("CREATE DATABASE asterisk", database="postgres")
            if tables:
                self.sql(TABLES)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind and not issubclass(kind, h.SkipAll):
            h.diag("--- postgres", *self.said().splitlines()[-40:])
        self.close()

    # --- the server ---

    def _run(self, name, *args, **how):
        return subprocess.run(
            [os.path.join(self.bin, name), *args], check=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.dir,
            env=dict(os.environ, LC_ALL="C.UTF-8"), **how)

    def _make(self, tls):
        self._run("initdb", "-D", self.data, "-U", "owner", "-A", "trust",
                  "-E", "UTF8", "--no-locale", "--no-sync", **self.who)
        self.allow(ACCESS)
        with open(os.path.join(self.data, "postgresql.conf"), "a") as f:
            f.write("listen_addresses = '127.0.0.1'\n"
                    "unix_socket_directories = '%s'\n"
                    "fsync = off\nshared_buffers = 1MB\n"
                    "max_connections = 40\nlog_min_messages = warning\n"
                    "log_statement = all\n"
                    "autovacuum = off\n" % self.dir)
            if tls:
                self._make_certificate()
                f.write("ssl = on\nssl_cert_file = '../server.crt'\n"
                        "ssl_key_file = '../server.key'\n")

    def _make_certificate(self):
        key = os.path.join(self.dir, "server.key")
        subprocess.run(
            [h.need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost", "-keyout", key, "-out", self.ca],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if self.who:
            os.chown(key, self.who["user"], self.who["group"])

    def allow(self, text):
        """Who may come in: the text of pg_hba.conf, for new connections."""
        with open(os.path.join(self.data, "pg_hba.conf"), "w") as f:
            f.write(text)
        if self.postmaster:
            self.sql("SELECT pg_reload_conf()", database="postgres")

    def start(self):
        self.postmaster = h.Process(
            "postgres", [os.path.join(self.bin, "postgres"), "-D", self.data,
                         "-p", str(self.port)],
            self.log, cwd=self.dir,
            env=dict(os.environ, LC_ALL="C.UTF-8"), **self.who)
        h.until(self._is_up, "postgres", 20)

    def _is_up(self):
        if not self.postmaster.alive():
            raise RuntimeError("postgres does not start:\n" + self.said())
        try:
            self.sql("SELECT 1", database="postgres")
        except RuntimeError:
            return False
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def stop(self, number=signal.SIGINT):
        """SIGINT closes every connection, SIGQUIT breaks it."""
        if self.postmaster:
            self.thaw()
            self.postmaster.stop(number, 20)
            self.postmaster = None

    def restart(self, number=signal.SIGINT):
        self.stop(number)
        self.start()

    def _processes(self):
        """The postmaster, then its children."""
        pids = [self.postmaster.pid]
        for path in glob.glob("/proc/[0-9]*/stat"):
            with contextlib.suppress(OSError):
                with open(path) as f:
                    pid, rest = f.read().split(" (", 1)
                if int(rest.rsplit(")", 1)[1].split()[1]) == pids[0]:
                    pids.append(int(pid))
        return pids

    def freeze(self):
        """It answers nothing more, but its sockets still take and hold."""
        h.freeze(self.postmaster.pid)  # no new children
        self.frozen = self._processes()
        for pid in self.frozen:
            with contextlib.suppress(ProcessLookupError):
                h.freeze(pid)

    def thaw(self):
        for pid in self.frozen[::-1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.frozen = []

    def close(self):
        self.stop()
        if os.environ.get("XA_KEEP") == "1":
            h.diag("kept: " + self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    # --- what is in it ---

    def sql(self, text, database="asterisk"):
        """Run it as the owner; the first column of each row, as texts."""
        done = subprocess.run(
            [os.path.join(self.bin, "psql"), "-X", "-q", "-A", "-t",
             "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-p", str(self.port),
             "-U", "owner", "-d", database], input=text, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20,
            env=dict(os.environ, PGCLIENTENCODING="UTF8"))
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.splitlines()

    def insert(self, table, **columns):
        """One row; its id."""
        return self.sql("INSERT INTO %s (%s) VALUES (%s) RETURNING id" % (
            table, ", ".join(columns),
            ", ".join(literal(v) for v in columns.values())))[0]

    def user(self, login, password, uuid, enabled=1, **more):
        return self.insert("userfeatures", loginclient=login, uuid=uuid,
                           passwdclient=password, enableclient=enabled,
                           **more)

    def admin(self, login, password, entity=None, valid=1):
        """`entity` is the name of a new one."""
        if entity is not None:
            entity = int(self.insert("entity", name=entity))
        return self.insert('"user"', login=login, passwd=password,
                           valid=valid, entity_id=entity)

    def service(self, login, password, acl, disabled=0):
        return self.insert("accesswebservice", name=login, login=login,
                           passwd=password, acl=acl, disable=disabled)

    def fill(self, login, password):
        """One of each kind with this login."""
        self.user(login, password, "63f3dc3c-865d-419e-bec2-e18c4b118224")
        self.admin(login, password)
        self.service(login, password, ["a.b"])

    # --- how to reach it ---

    def uri(self, password=PASSWORD, host="127.0.0.1", database="asterisk",
            scheme="postgresql", **query):
        words = "&".join("%s=%s" % (k, quote(str(v), safe=""))
                         for k, v in query.items())
        return "%s://asterisk:%s@%s:%d/%s%s" % (
            scheme, quote(password, safe=""), host, self.port, database,
            "?" + words if words else "")

    def config(self, *backends, **uri):
        """For h.Service."""
        return {"db_uri": self.uri(**uri), "enabled_plugins": list(backends)}
