#!/usr/bin/env python3
# 0540-wild-backend.t - a backend that crashes or hangs takes one process down. SPDX-License-Identifier: GPL-3.0-or-later
import os
import re
import threading
import time

import harness as h
from poollab import Pool, is_gone

LIMIT_S = 8  # XA_WATCHDOG_CALL_MS
WILD = {
    "enabled_plugins": ["wild"],
    "backend_dir": os.path.join(h.BUILD, "tests/modules/.libs"),
}


class Login(threading.Thread):
    """A login in the background: its answer and what time it took."""

    def __init__(self, s, name):
        super().__init__(daemon=True)
        self.s, self.name, self.answer, self.took = s, name, None, None

    def run(self):
        begun = time.monotonic()
        self.answer = self.s.login((self.name, "x"), "wild")
        self.took = time.monotonic() - begun


def replaced(pool, old, seconds):
    """The process of the pool that is a new one; the other is as before."""
    h.until(lambda: len(set(pool.workers("login")) - set(old)) == 1 and
            sum(map(is_gone, old)) == 1, "a new process", seconds)
    h.until(lambda: pool("status") == 0, "the pool to be whole again", 40)


def others_go_on(s, token, what):
    h.eq(s.http("GET", "/0.1/token/" + token).status, 200,
         "%s: a check goes on" % what)
    h.eq(s.login(("fine", "x"), "wild").status, 200,
         "%s: a login goes on" % what)


def crashing(s, pool, token):
    for name in ("crash", "abort", "overflow"):
        old = pool.workers("login")
        answer = s.login((name, "x"), "wild")
        h.eq((answer.status, answer.reason), (503, "Service unavailable"),
             "%s: the client is told" % name, answer)
        others_go_on(s, token, name)
        replaced(pool, old, 10)
    lines = re.findall(r"CRITICAL (backend\.crashed .*)",
                       s.read("xivo-auth.log"))
    h.eq(lines, ["backend.crashed name=wild call=authenticate"] * 3,
         "the log names the backend each time")


def hanging(s, pool, token):
    checks = pool.workers("check")
    for name, limit_s in (("hang", LIMIT_S), ("deaf", LIMIT_S + 2)):
        old = pool.workers("login")
        login = Login(s, name)
        login.start()
        others_go_on(s, token, name)
        login.join(limit_s + 10)
        h.eq((login.answer.status, login.answer.reason),
             (503, "Service unavailable"), "%s: the client is told" % name)
        h.ok(limit_s - 0.5 < login.took < limit_s + 5,
             "%s: at the limit" % name, login.took)
        replaced(pool, old, 10)
        others_go_on(s, token, "after %s" % name)
    h.eq(pool.workers("check"), checks, "the check pool noticed nothing")
    lines = re.findall(r"(\S+)Z \S+ CRITICAL (backend\.hung .*)",
                       s.read("xivo-auth.log"))
    h.eq([line[1] for line in lines],
         ["backend.hung name=wild call=authenticate ms=%d"
          % (LIMIT_S * 1000)], "the log names the backend, if it can")


def main():
    h.need("spawn-fcgi", "multiwatch", "nginx")
    # What a sanitizer would write about a crash is no finding.
    quiet = {"ASAN_OPTIONS": "handle_segv=0:handle_abort=0:handle_sigill=0:"
                             "handle_sigfpe=0:handle_sigbus=0"}
    with h.Service(WILD, check=0, login=0, nginx=False, env=quiet) as s:
        pool = Pool(s)
        try:
            pool.expect(0, "start", "-n", "1", "-N", "2", "start")
            s.pools["login"] = ["ours"]  # nginx shall know both sockets
            s.start_nginx({"rate=10r/s": "rate=10000r/s"})
            token = s.login(("fine", "x"), "wild").data["token"]
            crashing(s, pool, token)
            hanging(s, pool, token)
        finally:
            pool("stop")


h.run(main)
