#!/usr/bin/env python3
# 0143-secrets-servers.t - the passwords by which LDAP and PostgreSQL are asked. SPDX-License-Identifier: GPL-3.0-or-later
"""
libpq keeps its password, in two copies, for a connection that has to be made
again, and the backends keep what the configuration says. So both stand in the
memory of a pool's process, and must: on the heap, in a number that does not
grow. They stand nowhere else.
"""
import os

import harness as h
import memory
import pgserver
import slapd

USER = "Mk4-walnut.Harbor_71-pewter.Comet_26-thimble.Grove_58"
WRONG = "Vw9-cobalt.Saddle_34-lantern.Birch_87-marble.Otter_12"
SECRETS = {"of LDAP": slapd.SERVICE_PASSWORD, "of PostgreSQL":
           pgserver.PASSWORD, "of the user": USER, "that is wrong": WRONG}
OURS = {k: v for k, v in SECRETS.items() if k.endswith(("LDAP", "SQL"))}
OTHER = ("Gs8-quiver.Pastel_45", "Lp3-saffron.Anchor_62")
UUID = "63f3dc3c-865d-419e-bec2-e18c4b118224"
DEBUG = {"log_level": "debug"}


def told(answer):
    return repr(answer.headers) + answer.body.decode(errors="replace")


def login(s, backend, password, status, heard):
    answer = s.ask("POST", "/0.1/token", b'{"backend": "%s"}' %
                   backend.encode(), which="login", headers=[
                       ("Authorization", h.basic("alice", password))])
    h.eq(answer.status, status, "%s, %d" % (backend, status),
         s.read("xivo-auth.log")[-800:])
    heard.append(told(answer))


def search(s, heard, secrets):
    """Logs, what we answered, and what ps shows."""
    logs = {n: s.read(n) for n in os.listdir(s.dir)
            if n.endswith((".log", ".err"))}
    h.has(logs["xivo-auth.log"], "ldap", "the log is at work")
    for what, secret in secrets.items():
        h.eq([n for n in logs if secret in logs[n]], [],
             "no log has the password " + what)
        h.eq([t for t in heard if secret in t], [], "and no answer")
        h.eq([p.name for p in s.processes
              if secret in memory.seen_by_ps(p.pid)], [],
             "nor an environment or a command line")


def checked(s):
    """configuration and status, as the operator sees them"""
    for args in (["config", "show"], ["status"], ["backend", "list"]):
        done = s.run_program("xivo-authctl", "-c", s.config, *args)
        yield done.stdout + done.stderr
    done = s.run_program("xivo-auth-fcgi", "-t", "-d", "-c", s.config)
    yield done.stdout + done.stderr
    yield told(s.ask("GET", "/0.1/status", which="login"))


def left(pid, password):
    """Pieces of a user's password, once all is tidied up."""
    wanted = memory.needles("alice", password)
    try:
        h.until(lambda: not memory.hits(pid, wanted), "no password", 1)
    except TimeoutError:
        pass
    return memory.hits(pid, wanted)


def kept(pid):
    return {what: memory.count(pid, secret.encode())
            for what, secret in OURS.items()}


def work(s, db, ldap):
    heard = []
    pid = s.pools["login"][0].pid
    for backend in ("ldap_user", "xivo_user"):
        login(s, backend, USER, 200, heard)
        # a sanitizer's shadow of all addresses is too much to search
        first = {} if memory.is_sanitized() else kept(pid)
        login(s, backend, WRONG, 401, heard)
        if not memory.is_sanitized():
            for what, password in (("a login", USER),
                                   ("a wrong password", WRONG)):
                h.eq(left(pid, password), [],
                     "%s: nothing is left of %s" % (backend, what))
    for _ in range(3):
        db.restart()
        login(s, "xivo_user", USER, 200, heard)
        login(s, "ldap_user", USER, 200, heard)
    if not memory.is_sanitized():
        h.eq([w for w in OURS if list(first[w]) != ["[heap]"]], [],
             "the passwords that are needed again stand on the heap", first)
        h.eq(kept(pid), first, "as often after logins and new connections")
    # and what is said when there is nobody
    ldap.stop()
    db.stop()
    for backend in ("ldap_user", "xivo_user"):
        login(s, backend, USER, 503, heard)
    heard.extend(checked(s))
    search(s, heard, SECRETS)


def refused(db, ldap):
    """Servers that want other passwords: they are told, and nobody else."""
    config = dict(db.config("ldap_user", "xivo_user", password=OTHER[0]),
                  ldap=ldap.config(bind_password=OTHER[1]), **DEBUG)
    with h.Service(config, check=0, nginx=False) as s:
        heard = []
        for backend in ("ldap_user", "xivo_user"):
            login(s, backend, USER, 503, heard)
        heard.extend(checked(s))
        search(s, heard, dict(zip(("of old for PostgreSQL",
                                   "of old for LDAP"), OTHER)))


def main():
    with pgserver.Server() as db, slapd.Server() as ldap:
        ldap.person("alice", USER, mail="alice@xivo.example")
        ldap.start()
        db.user("alice", USER, UUID, email="alice@xivo.example")
        refused(db, ldap)
        config = dict(db.config("ldap_user", "xivo_user"),
                      ldap=ldap.config(), **DEBUG)
        with h.Service(config, check=0, nginx=False) as s:
            work(s, db, ldap)


h.run(main)
