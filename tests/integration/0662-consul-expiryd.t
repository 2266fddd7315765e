#!/usr/bin/env python3
# 0662-consul-expiryd.t - the expiry daemon on Consul as its operator meets it. SPDX-License-Identifier: GPL-3.0-or-later
import json
import os
import signal
import socket
import time

import consul
import harness as h
from storelab import fill

DAEMON = "xivo-auth-expiryd"
FULL = os.environ.get("XA_FULL") == "1"
TOKENS = consul.PREFIX + "tokens/"
LOCK = consul.PREFIX + "expiryd/leader"


def place(c, config=None, env=None, **more):
    merged = config or c.config()
    merged.setdefault("expiry", {"interval": 0.2}).update(more)
    return h.Service(merged, check=0, login=0, nginx=False, env=env)


def events(s, words):
    return [x for x in s.read("xivo-auth.log").splitlines() if words in x]


def logged(s, words, seconds=20):
    return h.until(lambda: events(s, words), words + " in the log", seconds)


def says_who_leads(c):
    with place(c) as s:
        first = s.start_daemon()
        logged(s, "leader.taken")
        who = json.loads(c.get(LOCK))
        h.eq((who["host"], who["pid"]), (socket.gethostname(), first.pid),
             "the lock says who holds it")
        second = s.start_daemon()
        logged(s, "leader.waiting")
        done = s.run_program(DAEMON, "-c", s.config, "--once")
        h.eq((done.returncode, done.stdout + done.stderr), (0, ""),
             "--once beside a leader ends with 0")
        h.has(logged(s, "expiryd.idle")[0], "another daemon works",
              "and says why it did nothing")
        h.eq(len(c.sessions()), 2, "and leaves no session")
        time.sleep(1)
        h.eq((len(events(s, "leader.taken")),
              len(events(s, "leader.waiting"))), (1, 2),
             "each says it once, however many ticks")
        c.delete(LOCK)  # by hand: one of them takes it again
        h.until(c.leader_session, "a leader", 20)
        fill(s, 20, 1)
        h.until(lambda: not c.keys(TOKENS), "a sweep", 20)
        h.eq([first.stop(), second.stop()], [0, 0],
             "a lock that was taken away is taken again")
        h.eq(c.sessions(), [], "no session is left")


def tells_systemd(c, name):
    """READY, signs of life, STOPPING, on a socket of either kind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        with place(c, interval=0.1) as s:
            path = s.path("notify") if name == "path" else \
                "@xivo-auth-test-%d" % os.getpid()
            inbox.bind(path if name == "path" else "\0" + path[1:])
            inbox.settimeout(20)
            s.env["NOTIFY_SOCKET"] = path
            daemon = s.start_daemon()
            h.eq(inbox.recv(100), b"READY=1", "READY=1 by %s" % name)
            h.eq({inbox.recv(100) for _ in range(3)}, {b"WATCHDOG=1"},
                 "then signs of life")
            daemon.send(signal.SIGTERM)
            said = inbox.recv(100)
            while said == b"WATCHDOG=1":
                said = inbox.recv(100)
            h.eq(said, b"STOPPING=1", "then STOPPING=1")
            h.eq(daemon.popen.wait(10), 0, "and its end")


def ends_in_mid_sweep(c):
    """TERM while thousands are due; and while Consul is frozen as well."""
    with place(c) as s:
        fill(s, 3000, 1)
        for title in ("a busy Consul", "a frozen Consul"):
            left = len(c.keys(TOKENS))
            daemon = s.start_daemon()
            h.until(lambda: len(c.keys(TOKENS)) < left, "a sweep", 20)
            if title == "a frozen Consul":
                c.freeze()
            began = time.monotonic()
            code = daemon.stop()
            took = time.monotonic() - began
            c.thaw()
            c.wait()
            h.ok(code == 0 and took < 2, "TERM in mid-sweep beside %s: it "
                 "ends with 0 within 2 s" % title, code, took)
            for session in c.sessions():  # what it could not take back
                c.must("PUT", "/v1/session/destroy/" + session["ID"])
        h.ok(c.keys(TOKENS), "there was more to do")

        def sweeps():  # at first the lock is closed, after what died
            done = s.run_program(DAEMON, "-c", s.config, "--once")
            return done.returncode == 0 and not c.keys(TOKENS)
        h.until(sweeps, "the rest", 30)
        h.eq(c.keys(), [LOCK], "the next one does the rest of it, wholly")


def once_without_consul(c):
    with place(c) as s:
        c.freeze()
        done = s.run_program(DAEMON, "-c", s.config, "--once")
        c.thaw()
        c.wait()
        h.eq(done.returncode, 69, "--once beside a frozen Consul is 69")
        h.has(done.stderr, "no answer within", "with the reason")


def says_what_it_may_not():
    with consul.Consul(acl=True) as c:
        session = 'session_prefix "" { policy = "write" }\n'
        for rules, words in ((consul.WORKER, "make a session"),
                             (consul.READER + session, "take the lock"),
                             (session, "take the lock")):
            config = c.config(token=c.token(rules))
            with place(c, config) as s:
                done = s.run_program(DAEMON, "-c", s.config, "--once")
                h.eq(done.returncode, 69, "no right to %s" % words)
                h.has(done.stderr, "no right to " + words, "is said")
        # Consul shows who may not list an empty list, and no error.
        rules = session + 'key_prefix "%s" { policy = "write" }\n' % LOCK
        with place(c, c.config(token=c.token(rules))) as s:
            done = s.run_program(DAEMON, "-c", s.config, "--once")
            h.eq(done.returncode, 69, "no right to read")
            h.has(done.stderr, "no right to read", "is said, too")
        program = h.program("xivo-auth-fcgi")
        with place(c, c.config(token=c.token(consul.STRANGER))) as s:
            done = s.run_program("xivo-auth-fcgi", "-c", s.config, "-t")
            h.eq(done.returncode, 69, "%s -t says so" %
                 os.path.basename(program))
            h.has(done.stderr, "no right", "in words")
            done = s.run_program("xivo-authctl", "-c", s.config, "status")
            h.eq(done.returncode, 69, "so does xivo-authctl status")
            h.has(done.stderr, "no right", "in words")


def takes_an_old_configuration(c):
    """`consul:` without `store:` is a site of the Python service."""
    with place(c) as s:
        with open(s.config) as f:
            config = json.load(f)
        del config["store"]
        s.write("config.yml", json.dumps(config))
        fill(s, 5, 1)
        h.ok(all(len(x) == len(TOKENS) + 36 for x in c.keys(TOKENS)),
             "tokens are their own keys")
        daemon = s.start_daemon()
        h.until(lambda: not c.keys(TOKENS), "a sweep", 20)
        h.has(logged(s, "expiryd.started")[0], "store=consul",
              "an old configuration means Consul")
        h.has(logged(s, "config.implied_store")[0],
              "store.token_keys is plain", "which is said")
        h.eq(daemon.stop(), 0, "and it works")


def leads_between_far_ticks(c):
    """The session outlives an interval that is longer than its life."""
    with place(c, interval=3600) as s:
        daemon = s.start_daemon()
        session = h.until(c.leader_session, "a leader", 20)
        time.sleep(25)
        h.eq(c.leader_session(), session, "it leads on between far ticks")
        began = time.monotonic()
        h.eq((daemon.stop(), time.monotonic() - began < 2), (0, True),
             "and ends at once")


def main():
    with consul.Consul() as c:
        says_who_leads(c)
        for name in ("path", "abstract name"):
            tells_systemd(c, name)
        ends_in_mid_sweep(c)
        once_without_consul(c)
        takes_an_old_configuration(c)
        if FULL:
            leads_between_far_ticks(c)
    says_what_it_may_not()


h.run(main, 240 if FULL else 120)
