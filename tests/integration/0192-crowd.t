#!/usr/bin/env python3
# 0192-crowd.t - slow clients, and more than can be served. SPDX-License-Identifier: GPL-3.0-or-later
import collections
import resource
import selectors
import socket
import threading
import time

import guards
import harness as h

CROWD = 10000
SLOW = 12  # several times the processes of a pool
FILES = "worker_connections 512"


class Slow:
    """A client that sends a byte a second of a request that is all but
    whole, so that its web server goes on hoping."""

    def __init__(self, port, path, method):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        head = "%s %s HTTP/1.1\r\nHost: a\r\n" % (method, path)
        if method == "POST":
            head += ("Content-Type: application/json\r\nContent-Length: 900"
                     "\r\nAuthorization: %s\r\n\r\n{" % h.basic(*h.LOGIN))
        self.socket.sendall(head.encode())

    def byte(self):
        self.socket.sendall(b" ")

    def close(self):
        self.socket.close()


def slow_clients(name, s, port, token):
    clients = [Slow(port, "/0.1/token", "POST") for _ in range(SLOW)]
    clients += [Slow(port, "/0.1/token/" + token, "GET") for _ in range(SLOW)]
    stop = threading.Event()

    def drip():
        while not stop.wait(1):
            for client in clients[:SLOW]:
                client.byte()
    thread = threading.Thread(target=drip)
    thread.start()
    try:
        took = []
        end = time.monotonic() + 3
        while time.monotonic() < end:
            begun = time.monotonic()
            answers = (s.http("HEAD", "/0.1/token/" + token).status,
                       s.http("POST", "/0.1/token", {"backend": "mock"},
                              login=h.MOCK_LOGIN).status)
            took.append(time.monotonic() - begun)
            if answers != (204, 200):
                h.eq(answers, (204, 200), name + ": who is quick is served")
                return
        h.ok(max(took) < 2, "%s: %d clients are slow, others are not made to "
             "wait" % (name, 2 * SLOW), "%d rounds, longest %.3f s" % (
                 len(took), max(took)))
    finally:
        stop.set()
        thread.join()
        for client in clients:
            client.close()


def crowd(s, token, count):
    """Everybody connects, then all ask at once."""
    request = ("HEAD /0.1/token/%s HTTP/1.1\r\nHost: a\r\n"
               "Connection: close\r\n\r\n" % token).encode()
    poll = selectors.DefaultSelector()
    clients = {}
    for _ in range(count):
        c = socket.socket()
        c.setblocking(False)
        c.connect_ex(("127.0.0.1", s.port))
        clients[c] = b""
        poll.register(c, selectors.EVENT_WRITE)
    waiting = set(clients)

    def all_connected():
        for key, _ in poll.select(0.1):
            waiting.discard(key.fileobj)
            poll.modify(key.fileobj, selectors.EVENT_READ)
        return not waiting
    h.until(all_connected, "connections", 30)
    for c in clients:
        c.send(request)
    left = set(clients)

    def all_answered():
        for key, _ in poll.select(0.1):
            data = key.fileobj.recv(65536)
            clients[key.fileobj] += data
            if not data:
                poll.unregister(key.fileobj)
                key.fileobj.close()
                left.discard(key.fileobj)
        return not left
    h.until(all_answered, "answers", 60)
    statuses = collections.Counter(a[9:12] for a in clients.values())
    served = statuses[b"204"]
    h.ok(set(statuses) <= {b"204", b"503"} and served > min(2000, count // 2),
         "%d at once: served, or told to come again" % count, statuses)
    unserved = [a for a in clients.values() if a[9:12] == b"503"]
    h.ok(all(b"\r\nRetry-After: 1\r\n" in a and b"application/json" in a
             for a in unserved), "in our words, with Retry-After",
         unserved[:1])
    h.eq(s.http("HEAD", "/0.1/token/" + token).status, 204,
         "and who comes then is served")


def main():
    with h.Service(edits={"rate=10r/s": "rate=10000r/s"}) as s:
        slow_clients("nginx", s, s.port, s.token())

    with h.Service(nginx=False) as s:
        try:
            s.port, _ = guards.start_apache(s, guards.proxy_config(s),
                                            modules=guards.PROXY_MODULES)
            slow_clients("Apache", s, s.port, s.token())
        except h.SkipAll as why:
            h.skip(why, "slow clients of Apache")

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed, count = 2 * CROWD - 100, CROWD  # nginx has two for each that it
    if most != resource.RLIM_INFINITY and most < needed:  # serves
        needed, count = most, (most - 400) // 2
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, most))
    h.NGINX_CONF = h.NGINX_CONF.replace(
        FILES, "worker_connections %d" % needed)
    with h.Service() as s:
        crowd(s, s.token(), count)


h.run(main)
