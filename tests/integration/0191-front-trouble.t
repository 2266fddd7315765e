#!/usr/bin/env python3
# 0191-front-trouble.t - a queue that is full, and what a pool notices of slow clients. SPDX-License-Identifier: GPL-3.0-or-later
import collections
import contextlib
import json
import os
import socket

import guards
import harness as h

SLOW = 40
BODY = b'{"backend": "users_file"}'
LOGIN = ("POST /0.1/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
         "Content-Type: application/json\r\nContent-Length: %d\r\n"
         "Authorization: %s\r\n\r\n" % (len(BODY), h.basic(*h.LOGIN))).encode()
WORDS = {"reason": ["Service unavailable"], "status_code": 503}


def parse(data):
    """What came on a connection: status, fields, body."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = dict(x.split(": ", 1) for x in lines[1:] if ": " in x)
    status = lines[0].split()[1:2]
    return int(status[0]) if status else 0, fields, body


def is_refusal(status, fields, body):
    """Not now, and in our words."""
    said = json.loads(body) if body else {}
    said.pop("timestamp", None)
    return (status, fields.get("Retry-After"), fields.get("Content-Type"),
            said) == (503, "1", "application/json", WORDS)


def queue_is_full():
    """Nobody takes what the web server hands over."""
    with contextlib.ExitStack() as stack:
        s = stack.enter_context(h.Service(check=0, login=0, nginx=False))
        for path in (s.check_socket, s.login_socket):
            stack.enter_context(h.listen_on(path, 0))
            while True:
                c = stack.enter_context(socket.socket(socket.AF_UNIX))
                c.setblocking(False)
                try:
                    c.connect(path)
                except BlockingIOError:
                    break
        s.start_nginx()
        for method in ("GET", "DELETE"):
            answer = s.http(method, "/0.1/token/" + h.TOKEN)
            h.ok(is_refusal(answer.status, dict(answer.headers), answer.body),
                 method + " before a full queue", answer)
        answer = s.login()
        h.ok(is_refusal(answer.status, dict(answer.headers), answer.body),
             "a login before a full queue", answer)
        answer = s.http("HEAD", "/0.1/token/" + h.TOKEN)
        h.eq((answer.status, answer.get("Retry-After"), answer.body),
             (503, "1", b""), "HEAD before a full queue")


def sockets_of(p):
    folder = "/proc/%d/fd" % p.pid
    count = 0
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(os.path.join(folder, name)).startswith(
                "socket:")
    return count


class Crowd:
    """Clients that send a byte now and then: half of them stay in the header,
    half in the body."""

    def __init__(self, stack, port):
        self.clients = []
        for number in range(SLOW):
            c = stack.enter_context(socket.create_connection(
                ("127.0.0.1", port), 20))
            at = 40 if number % 2 else len(LOGIN)
            c.sendall((LOGIN + BODY)[:at])
            self.clients.append([c, at])

    def one_byte_each(self):
        for pair in self.clients:
            c, at = pair
            c.sendall((LOGIN + BODY)[at:at + 1])
            pair[1] += 1

    def finish(self):
        for c, at in self.clients:
            c.sendall((LOGIN + BODY)[at:])
        return collections.Counter(parse(read_all(c))[0]
                                   for c, _ in self.clients)


def read_all(c):
    data = b""
    with contextlib.suppress(ConnectionError):
        while True:
            part = c.recv(65536)
            if not part:
                break
            data += part
    return data


def go_on(s, server, token, slow):
    """Others are served while the slow ones send byte after byte."""
    wrong = []
    for _ in range(3):
        slow.one_byte_each()
        for answer in (s.login(), s.http("GET", "/0.1/token/" + token)):
            if answer.status != 200:
                wrong.append(answer)
    h.eq(wrong, [], server + ": others go on beside %d slow clients" % SLOW)


def slow_behind_nginx():
    with contextlib.ExitStack() as stack:
        s = stack.enter_context(h.Service(
            check=1, login=1, edits={"rate=10r/s": "rate=10000r/s"}))
        token = s.token()
        pool = s.pools["check"] + s.pools["login"]
        before = [sockets_of(p) for p in pool]
        slow = Crowd(stack, s.port)
        go_on(s, "nginx", token, slow)
        after = [sockets_of(p) for p in pool]
        h.ok(all(now <= then + 2 for now, then in zip(after, before)),
             "nginx: the pool has not heard of the slow ones",
             "%r, then %r" % (before, after))
        h.eq(slow.finish(), {200: SLOW}, "nginx: they are served in the end")


def slow_behind_apache():
    with contextlib.ExitStack() as stack:
        s = stack.enter_context(h.Service(check=1, login=1, nginx=False))
        s.port, _ = guards.start_apache(s, guards.proxy_config(s, swaps={
            "header=10-20,MinRate=500": "header=3-4,MinRate=500",
            "body=10-20,MinRate=500": "body=3-4,MinRate=500"}),
            modules=guards.PROXY_MODULES)
        token = s.token()
        before = sockets_of(s.pools["login"][0])
        slow = Crowd(stack, s.port)
        go_on(s, "Apache", token, slow)
        h.ok(sockets_of(s.pools["login"][0]) <= before + SLOW // 2 + 2,
             "Apache: a slow body costs the pool one descriptor")
        told = collections.Counter(parse(read_all(c))[0]
                                   for c, _ in slow.clients)
        h.eq(told, {408: SLOW}, "Apache: who is too slow is told so")
        h.eq(s.http("GET", "/0.1/token/" + token).status, 200,
             "Apache: a check afterwards")
        h.eq(s.login().status, 200, "Apache: a login afterwards")


def main():
    for part in (queue_is_full, slow_behind_nginx, slow_behind_apache):
        try:
            part()
        except h.SkipAll as why:
            h.skip(why, part.__name__)


h.run(main)
