#!/usr/bin/env python3
# 0150-pool.t - xivo-auth-pool: its life, and what clients notice of it. SPDX-License-Identifier: GPL-3.0-or-later
import contextlib
import os
import random
import signal
import threading
import time

import harness as h
from poollab import Pool, fields, is_gone


class Load(threading.Thread):
    """Requests without a pause, each with the status that it must have."""

    def __init__(self, s, *requests):
        super().__init__(daemon=True)
        self.s, self.requests = s, requests
        self.done, self.bad = 0, []
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            for want, ask in self.requests:
                try:
                    got = ask()
                    if got.status != want:
                        self.bad.append(repr(got))
                except Exception as error:
                    self.bad.append(repr(error))
                self.done += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exc):
        self.over.set()
        self.join(10)


def checks(s, token):
    path = "/0.1/token/" + token
    return ((200, lambda: s.http("GET", path)),
            (204, lambda: s.http("HEAD", path)))


def logins(s):
    return ((200, lambda: s.login(h.MOCK_LOGIN, "mock")),)


def lost_nothing(load, what):
    h.ok(load.done > 20, what + " goes on", load.done, *load.bad[:3])
    h.eq(load.bad[:5], [], what + " loses nothing")
    h.diag("%d requests" % load.done)


def usage(pool):
    pool.expect(0, "--help", "--help")
    h.has(pool.said, "usage: xivo-auth-pool", "it helps")
    for what, args in (("no command", ()), ("an unknown command", ("begin",)),
                       ("an unknown option", ("-z", "start")),
                       ("an option without its value", ("-n",)),
                       ("two commands", ("start", "stop"))):
        pool.expect(64, what, *args)
        h.eq(len(pool.said.splitlines()), 1, "one line says so", pool.said)
    for number in ("0", "x", "-1", "10000"):
        pool.expect(64, "%s processes" % number, "-n", number, "start")
    pool.expect(5, "no such program", "-p", "/nowhere/xivo-auth-fcgi",
                "start")
    pool.expect(3, "status before the start", "status")
    pool.expect(0, "stop before the start", "stop")
    h.ok(not os.path.exists(pool.dir), "nothing is made on the way")


def wrong_group(s, pool):
    pool.expect(1, "a group that is not there", "-g", "no-such-group",
                "start")
    h.has(pool.said, "no-such-group", "it says so")
    h.ok(not os.path.exists(s.check_socket), "no socket stays")
    pool.expect(3, "nothing runs", "status")


def start(s, pool):
    good = s.read("config.yml")
    s.write("config.yml", "store: {type: nothing}\n")
    pool.expect(6, "a wrong configuration is not started", "start")
    h.has(pool.said, "store.type", "it is told what is wrong")
    s.write("config.yml", good)

    pool.expect(0, "start", "start")
    pool.expect(0, "status", "status")
    h.has(pool.said, "check: running", "it says so")
    h.eq((len(pool.workers("check")), len(pool.workers("login"))), (2, 2),
         "two processes each")
    for which, nice in (("check", 0), ("login", 19)):
        mode = os.stat(getattr(s, which + "_socket")).st_mode
        h.eq(oct(mode & 0o777), "0o660", which + ".sock has mode 0660")
        h.eq({int(fields(p)[16]) for p in pool.workers(which)},
             {min(nice + os.nice(0), 19)}, "the %s pool's niceness" % which)
    before = pool.workers("check")
    pool.expect(0, "start again changes nothing", "start")
    h.eq(pool.workers("check"), before, "the processes are the same")
    s.start_nginx({"rate=10r/s": "rate=100000r/s"})
    h.eq(s.http("GET", "/0.1/status").status, 200, "nginx reaches it")


def killed(s, pool):
    """A worker that dies is replaced, and no GET or HEAD is lost."""
    token = s.token()
    killed = []
    with Load(s, *checks(s, token)) as load:
        for _ in range(8):
            victim = random.choice(h.until(lambda: pool.workers("check"),
                                           "a worker"))
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)
            h.until(lambda v=victim: v not in pool.workers("check") and
                    len(pool.workers("check")) == 2, "its replacement")
            time.sleep(0.1)
    lost_nothing(load, "checking while workers are killed")
    h.eq(len(set(killed)), 8, "each was another process")
    pool.expect(0, "after that the pools are whole", "status")


def replaced(s, pool, command):
    """reload and restart: other processes, and no request is lost."""
    token = s.token()
    before = {w: pool.workers(w) for w in ("check", "login")}
    masters = {w: pool.multiwatch(w) for w in ("check", "login")}
    with Load(s, *checks(s, token)) as c, Load(s, *logins(s)) as p:
        pool.expect(0, command + " under load", command)
        time.sleep(0.3)
    lost_nothing(c, "checking during " + command)
    lost_nothing(p, "logging in during " + command)
    for which in ("check", "login"):
        after = pool.workers(which)
        h.eq((len(after), set(after) & set(before[which])), (2, set()),
             "%s: the %s processes are others" % (command, which))
        h.eq(pool.multiwatch(which) == masters[which], command == "reload",
             "%s: and multiwatch is %s" % (command, "the same" if command ==
                                           "reload" else "another"))
    pool.expect(0, "status after " + command, "status")


def reload_refused(s, pool):
    good = s.read("config.yml")
    before = pool.workers("check")
    s.write("config.yml", "a: [\n")
    for command in ("reload", "restart"):
        pool.expect(6, command + " with a wrong configuration", command)
        h.eq(pool.workers("check"), before, "touches nothing")
    s.write("config.yml", good)


def reopened(s, pool):
    os.rename(s.log, s.log + ".1")
    pool.expect(0, "reopen", "reopen")
    h.until(lambda: os.path.exists(s.log), "the new log file")
    h.eq(s.http("GET", "/0.1/status").status, 200, "it still answers")
    h.until(lambda: "/0.1/status" in s.read("xivo-auth.log"), "its line")
    h.ok(True, "the log was opened again")


def given_up(s, pool):
    """multiwatch that does not replace: stopped, it cannot."""
    master = pool.multiwatch("check")
    os.kill(master, signal.SIGSTOP)
    try:
        victim = pool.workers("check")[0]
        os.kill(victim, signal.SIGKILL)
        h.until(lambda: is_gone(victim), "its death")
        pool.expect(3, "a worker that is not replaced", "status")
        h.has(pool.said, "check: multiwatch gave up, 1 of 2", "is told")
        h.has(pool.said, "login: running", "and the other pool's state, too")
    finally:
        os.kill(master, signal.SIGCONT)
    h.until(lambda: len(pool.workers("check")) == 2, "the replacement")

    good = s.read("config.yml")
    s.write("config.yml", "a: [\n")
    for worker in pool.workers("check"):
        with contextlib.suppress(ProcessLookupError):  # it may have ended
            os.kill(worker, signal.SIGKILL)
    pool.expect(3, "workers that cannot start", "status")
    h.ok("keep dying" in pool.said or "gave up" in pool.said, "are told",
         pool.said)
    s.write("config.yml", good)
    h.until(lambda: pool("status") == 0, "the end of it", 10)
    h.ok(True, "with a good configuration they start by themselves")


def orphaned(s, pool):
    """multiwatch dies: its workers answer on, and start puts it right."""
    before = pool.workers("check")
    master = pool.multiwatch("check")
    os.kill(master, signal.SIGKILL)
    h.until(lambda: is_gone(master), "its death")
    pool.expect(1, "a multiwatch that is dead", "status")
    h.has(pool.said, "2 processes still answer", "leaves its workers")
    h.eq(s.http("GET", "/0.1/status").status, 200, "who answer")
    pool.expect(0, "start", "start")
    h.eq(set(pool.workers("check")) & set(before), set(),
         "starts new ones")
    h.until(lambda: all(map(is_gone, before)), "the end of the orphans")
    pool.expect(0, "and all is well", "status")


def foreign(s, pool):
    """A pid file that names another process does it no harm."""
    other = s.process("other", ["sleep", "60"])
    other.expected.add(-signal.SIGTERM)
    born = int(fields(other.pid)[19])
    for pid, start, what in ((other.pid, born - 1, "of the same number"),
                             ("x", 0, "that is no number"),
                             ("1;reboot", 0, "that is a trick")):
        s.write("run/check.pid", "%s %s 2\n" % (pid, start))
        pool.expect(0, "stop with a pid " + what, "stop")
        h.ok(other.alive(), "kills nobody")
    s.write("run/check.pid", "")
    pool.expect(3, "status with an empty pid file", "status")
    for mode in (0o1777, 0o757):
        os.chmod(pool.dir, mode)
        for command in ("start", "stop"):
            pool.expect(4, "%s where others can write (%o)" % (command, mode),
                        command)
    if os.geteuid() == 0:
        os.chown(pool.dir, 0, 33)
        os.chmod(pool.dir, 0o2775)
        pool.expect(4, "start where a group can write that is not the caller's",
                    "start")
        os.chmod(pool.dir, 0o2755)
        pool.expect(3, "status where it can only read", "status")
        os.chown(pool.dir, 0, 0)
    os.chmod(pool.dir, 0o755)


def stop(s, pool):
    pids = pool.workers("check") + pool.workers("login")
    pool.expect(0, "stop", "stop")
    h.ok(all(map(is_gone, pids)), "no process is left")
    h.eq(sorted(os.listdir(pool.dir)), ["lock"], "nor a file of theirs")
    pool.expect(3, "status after it", "status")
    pool.expect(7, "reload after it", "reload")
    pool.expect(7, "reopen after it", "reopen")
    pool.expect(0, "stop after it", "stop")


def main():
    h.need("spawn-fcgi", "multiwatch", "nginx")
    with h.Service(check=0, login=0, nginx=False) as s:
        pool = Pool(s)
        try:
            usage(pool)
            wrong_group(s, pool)
            start(s, pool)
            killed(s, pool)
            replaced(s, pool, "reload")
            replaced(s, pool, "restart")
            reload_refused(s, pool)
            reopened(s, pool)
            given_up(s, pool)
            orphaned(s, pool)
            stop(s, pool)
            foreign(s, pool)
        finally:
            pool("stop")


h.run(main)
