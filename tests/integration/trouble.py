# trouble.py - a backend whose server is well, away, or somebody else. SPDX-License-Identifier: GPL-3.0-or-later
"""What every backend that asks a server owes its users.

The service needs one process for everything (check=1, login=0), so that its
status tells of its own logins.
"""

import contextlib
import socket
import threading
import time

import harness as h

ALICE = ("alice", "correct horse")
WRONG = ("alice", "incorrect horse")
LIMIT_S = 3


def log_says(s, text, name):
    """A process may hold its lines back for a moment."""
    with contextlib.suppress(TimeoutError):
        h.until(lambda: text in s.read("xivo-auth.log"), text)
    h.has(s.read("xivo-auth.log"), text, name)


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
    h.eq(status_of(s, backend), (200, "fail", "unavailable"),
         what + ": status tells it")
    if said:
        log_says(s, said, "%s: the log says %r" % (what, said))


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
