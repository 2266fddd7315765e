#!/usr/bin/env python3
# 0621-consul-restart.t - a Consul that leads before it has read its log again. SPDX-License-Identifier: GPL-3.0-or-later
"""A server that was killed leads again some milliseconds before it has read
its log, and says of that past that it is the present. Whoever asks in that
moment, by the defaults of the configuration, shall not hear of it.

    XA_ROUNDS=...   so many kills; a fault of this kind shows in half of them
"""

import collections
import os
import threading
import time

import consul
import harness as h

FULL = os.environ.get("XA_FULL") == "1"
ROUNDS = int(os.environ.get("XA_ROUNDS") or (20 if FULL else 3))
CLIENTS = 6


def lengthen(c, transactions=150):
    """The log, so that it takes its time."""
    for i in range(transactions):
        c.put_many(("test/log/%d" % n, b"x" * 2000) for n in range(64))


def listen(s, token, over, heard):
    """What is said of a token."""
    while not over.is_set():
        try:
            answer = s.http("GET", "/0.1/token/" + token)
        except OSError:
            continue  # the clients are more than there are places
        heard[answer.status] += 1


def kill(c, s, live):
    """What is heard of tokens that live and of some that were just revoked."""
    gone = [s.token() for _ in range(CLIENTS // 2)]
    h.eq([s.http("DELETE", "/0.1/token/" + t).status for t in gone],
         [200] * len(gone), "some are revoked")
    over = threading.Event()
    of_live, of_gone = collections.Counter(), collections.Counter()
    threads = [threading.Thread(target=listen, args=(s, token, over, heard),
                                daemon=True)
               for tokens, heard in ((live, of_live), (gone, of_gone))
               for token in tokens]
    c.restart(wait=False)
    h.until(lambda: len(c.must("GET", "/v1/status/leader")) > 0,
            "a leader", 60)  # this moment is the worst
    for thread in threads:
        thread.start()
    try:
        c.wait()
        time.sleep(0.5)  # of listening to one that is back
    finally:
        over.set()
        for thread in threads:
            thread.join(10)
    return of_live, of_gone


def main():
    with consul.Consul() as c, h.Service(c.config(), check=4) as s:
        live = [s.token() for _ in range(CLIENTS // 2)]
        lengthen(c)
        for n in range(ROUNDS):
            of_live, of_gone = kill(c, s, live)
            h.eq(of_gone[200], 0, "kill %d: what was revoked stays revoked"
                 % n, of_gone)
            h.eq(of_live[404], 0, "what lives is never unknown", of_live)
            h.ok(of_gone[404] and of_live[200], "and both are known again",
                 of_gone, of_live)
            h.ok(set(of_gone) <= {404, 500} and set(of_live) <= {200, 500},
                 "else Consul is away", of_gone, of_live)


h.run(main, 60 + 60 * ROUNDS)
