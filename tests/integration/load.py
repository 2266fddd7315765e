# load.py - a mixed load through nginx, of clients that know the answers. SPDX-License-Identifier: GPL-3.0-or-later
"""GET, HEAD, POST and DELETE by several clients, while a test does something
to the service that must cost none of them an answer.

    with Load(s) as load:
        pool.expect(0, "reload", "reload")
    load.judge("a reload")
    h.eq(load.lost("GET", "POST"), [], "nothing is lost")
"""

import collections
import random
import threading

import harness as h

CLIENTS = 6


class Client(threading.Thread):
    """Asks until it is told to stop; knows what each answer must be."""

    def __init__(self, s, over, life):
        super().__init__(daemon=True)
        self.s, self.over, self.life = s, over, life
        self.tokens = []  # those that live until they are revoked
        self.passing = []  # those of a short life
        self.did = collections.Counter()
        self.lost = []  # (method, what came instead)

    def run(self):
        while not self.over.is_set():
            method = random.choices(["GET", "HEAD", "POST", "DELETE"],
                                    [40, 40, 14, 6])[0]
            if method != "POST" and not self.tokens:
                continue
            self.ask(method)

    def ask(self, method):
        self.did[method] += 1
        try:
            if method == "POST":
                passes = self.life and random.random() < 0.5
                answer = self.s.login(h.MOCK_LOGIN, "mock",
                                      self.life if passes else None)
                if answer.status == 200:
                    where = self.passing if passes else self.tokens
                    where.append(answer.data["token"])
                    return
            else:
                token = random.choice(self.tokens)
                if method == "DELETE":
                    self.tokens.remove(token)
                answer = self.s.http(method, "/0.1/token/" + token)
                if answer.status == (204 if method == "HEAD" else 200):
                    return
        except Exception as error:  # a reset is lost as much as a 502
            answer = error
        self.lost.append((method, repr(answer)))


class Load:
    """Some clients at a time, for as long as a `with` lasts.

        life   seconds that half of the tokens live; they are not asked for
    """

    def __init__(self, s, life=None):
        self.over = threading.Event()
        self.clients = [Client(s, self.over, life) for _ in range(CLIENTS)]

    def __enter__(self):
        for client in self.clients:
            client.start()
        h.until(lambda: all(self.did()[m] > 5 for m in
                            ("GET", "HEAD", "POST", "DELETE")), "load", 60)
        return self

    def __exit__(self, *_exc):
        self.over.set()
        for client in self.clients:
            client.join(30)

    def did(self):
        return sum((client.did for client in self.clients),
                   collections.Counter())

    def lost(self, *methods):
        return [x for client in self.clients for x in client.lost
                if x[0] in methods]

    def issued(self):
        """What was answered and not revoked: (living, passing)."""
        return ({t for c in self.clients for t in c.tokens},
                {t for c in self.clients for t in c.passing})

    def judge(self, what):
        did = self.did()
        h.diag("%s: %s" % (what, ", ".join(
            "%d %s (%d lost)" % (did[m], m, len(self.lost(m)))
            for m in ("GET", "HEAD", "POST", "DELETE"))))
        h.ok(not any(c.is_alive() for c in self.clients), "no client hangs")
