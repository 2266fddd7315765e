# false_consul.py - what a real Consul seldom does. SPDX-License-Identifier: GPL-3.0-or-later
"""Two stand-ins that misbehave on request, each a thread of the test.

    with FalseConsul(reply(500, b"No cluster leader")) as f:
        ... f.config() for the service; f.behaviour = other ...

    with CountingProxy(c.port) as p:
        p.on("PUT", "/v1/txn", drop_answer, times=1)
        ... p.config(c) for the service; p.counts() ...

A behaviour is a function of an exchange, see Exchange. What FalseConsul does
with everything, CountingProxy does with what a rule names; the rest it hands
on, and it counts all.
"""

import collections
import contextlib
import json
import socket
import struct
import threading
import time

INDEX = {"X-Consul-Index": "7", "X-Consul-Knownleader": "true",
         "X-Consul-Lastcontact": "0"}
TXN_DONE = b'{"Results": [], "Errors": null}'
REASONS = {200: "OK", 301: "Moved Permanently", 400: "Bad Request",
           403: "Forbidden", 404: "Not Found", 409: "Conflict",
           413: "Request Entity Too Large", 429: "Too Many Requests",
           500: "Internal Server Error", 503: "Service Unavailable"}


class Closed(Exception):
    """The other side went away, or we close the connection."""


class Request:
    def __init__(self, head, body):
        line, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = line.split(" ", 2)
        self.path = self.target.split("?")[0]
        self.headers = {k.strip().lower(): v.strip() for k, _, v in
                        (x.partition(":") for x in lines if x)}
        self.body = body
        self.raw = head + b"\r\n\r\n" + body

    @property
    def json(self):
        return json.loads(self.body)


class Exchange:
    """One request, and the means to answer it.

        request    a Request
        send       bytes to the client, as they are
        forward    the request to the real one; the whole answer as bytes
        number     of the request on this connection, from 1
    """

    def __init__(self, request, peer, client, forward, number):
        self.request = request
        self.peer = peer
        self.forward = forward
        self.number = number
        self.client = client

    def send(self, data):
        try:
            self.client.sendall(data)
        except OSError:
            raise Closed

    def wait(self, seconds):
        """Do nothing; ends early when the peer is closed."""
        if self.peer.ended.wait(seconds):
            raise Closed


class Reader:
    """Messages from a socket."""

    def __init__(self, s):
        self.socket = s
        self.rest = b""

    def more(self):
        try:
            data = self.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            raise Closed
        self.rest += data

    def until(self, mark):
        while mark not in self.rest:
            self.more()
        head, _, self.rest = self.rest.partition(mark)
        return head

    def take(self, count):
        while len(self.rest) < count:
            self.more()
        data, self.rest = self.rest[:count], self.rest[count:]
        return data

    def request(self):
        head = self.until(b"\r\n\r\n")
        request = Request(head, b"")
        if request.headers.get("expect", "").lower() == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.take(int(request.headers.get("content-length", 0)))
        return Request(head, body)

    def response(self):
        """A whole answer as bytes."""
        head = self.until(b"\r\n\r\n")
        fields = Request(b"A B " + head, b"").headers
        raw = head + b"\r\n\r\n"
        if fields.get("transfer-encoding") == "chunked":
            while True:
                line = self.until(b"\r\n")
                size = int(line, 16)
                raw += line + b"\r\n" + self.take(size + 2)
                if not size:
                    return raw
        status = int(head.split(b" ", 2)[1])
        if status in (204, 304):
            return raw
        return raw + self.take(int(fields.get("content-length", 0)))


class Peer:
    """Listens on the loopback; each connection has a thread."""

    def __init__(self, address="127.0.0.1", port=0):
        self.requests = []  # every Request, in order
        self.connections = 0
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self._open = set()
        self._listener = None
        self.address = address
        self.port = port
        self.listen()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def listen(self):
        """Accept connections, again on the same port after refuse()."""
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((self.address, self.port))
        s.listen(1024)
        self.port = s.getsockname()[1]
        self._listener = s
        threading.Thread(target=self._accept, args=(s,),
                         daemon=True).start()

    def refuse(self):
        """No more connections, and those that are end."""
        if self._listener:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut_connections()

    def cut_connections(self):
        with self.lock:
            for s in self._open:
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.ended.set()
        self.refuse()

    def config(self, real=None, **more):
        """What Service takes; `real` is the Consul behind a proxy."""
        if real:
            return real.config(port=self.port, scheme="http", **more)
        return {"store": {"type": "consul"},
                "consul": dict(host=self.address, port=self.port, **more)}

    def counts(self):
        """How many requests of each (method, path without query)."""
        with self.lock:
            return collections.Counter(
                (r.method, r.path) for r in self.requests)

    def forget(self):
        """Begin to count anew."""
        with self.lock:
            self.requests.clear()
            self.connections = 0

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self._open.add(client)
            threading.Thread(target=self._serve, args=(client,),
                             daemon=True).start()

    def _serve(self, client):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._talk(client)
        except (Closed, OSError):
            pass
        finally:
            with self.lock:
                self._open.discard(client)
            client.close()

    def _talk(self, client):
        reader = Reader(client)
        number = 0
        while True:
            request = reader.request()
            number += 1
            with self.lock:
                self.requests.append(request)
            self.answer(request, client, number)


class FalseConsul(Peer):
    """Does the same with every request: `behaviour`, to be set at any time."""

    def __init__(self, behaviour, *where):
        self.behaviour = behaviour
        super().__init__(*where)

    def answer(self, request, client, number):
        self.behaviour(Exchange(request, self, client, None, number))


class CountingProxy(Peer):
    """Between the service and a real Consul on that port."""

    def __init__(self, to_port):
        self.to_port = to_port
        self.rules = []
        self._real = threading.local()
        super().__init__()

    def on(self, method, part, behaviour, times=None):
        """From now on, for requests of that method (None: any) whose target
        has that part; `times` as often, then no more. The first rule that
        fits is taken."""
        with self.lock:
            self.rules.append([method, part, behaviour, times])

    def off(self):
        """No rules."""
        with self.lock:
            self.rules.clear()

    def answer(self, request, client, number):
        def forward():
            return self._forward(request)
        self._rule(request)(Exchange(request, self, client, forward, number))

    def _rule(self, request):
        with self.lock:
            for rule in self.rules:
                method, part, behaviour, times = rule
                if method not in (None, request.method) or \
                        part not in request.target or times == 0:
                    continue
                if times:
                    rule[3] -= 1
                return behaviour
        return hand_on

    def _forward(self, request):
        """On a connection of this thread, made again when it has ended."""
        for fresh in (False, True):
            reader = getattr(self._real, "reader", None)
            if fresh or not reader:
                try:
                    reader = Reader(socket.create_connection(
                        ("127.0.0.1", self.to_port), 60))
                except OSError:
                    raise Closed
                self._real.reader = reader
            try:
                reader.socket.sendall(request.raw)
                return reader.response()
            except (Closed, OSError):
                self._real.reader = None
                reader.socket.close()
        raise Closed


# --- behaviours ---

def message(status, body=b"", headers=None, length=None):
    """The bytes of an answer; `length` if it shall lie about it."""
    fields = {"Content-Type": "application/json",
              "Content-Length": len(body) if length is None else length}
    fields.update(INDEX if headers is None else headers)
    head = "HTTP/1.1 %d %s\r\n" % (status, REASONS.get(status, "-"))
    head += "".join("%s: %s\r\n" % pair for pair in fields.items())
    return head.encode() + b"\r\n" + body


def reply(status, body=b"", headers=None, length=None):
    """This answer; `headers` in place of those about index and leader."""
    return lambda x: x.send(message(status, body, headers, length))


def raw(data):
    """These bytes, then the end of the connection."""
    def behave(x):
        x.send(data)
        raise Closed
    return behave


def hand_on(x):
    x.send(x.forward())


def hang(x):
    """No answer at all, the connection stays."""
    x.wait(3600)


def close(x):
    """The request is lost."""
    raise Closed


def reset(x):
    """The same, with a TCP reset."""
    x.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    raise Closed


def drop_answer(x):
    """Done, but nobody hears of it: the connection ends."""
    x.forward()
    raise Closed


def swallow_answer(x):
    """Done, but nobody hears of it: the connection stays, silent."""
    x.forward()
    x.wait(3600)


def twice(x):
    """Done two times, as when a client sends it again by itself; the second
    answer counts."""
    x.forward()
    x.send(x.forward())


def delay(seconds):
    """Handed on after some time."""
    def behave(x):
        x.wait(seconds)
        hand_on(x)
    return behave


def slow_answer(seconds):
    """Done at once, answered after some time."""
    def behave(x):
        data = x.forward()
        x.wait(seconds)
        x.send(data)
    return behave


def cut(count):
    """The first bytes of the real answer, then the end."""
    def behave(x):
        x.send(x.forward()[:count])
        raise Closed
    return behave


def truncate(status, body):
    """Half of a body, then the end."""
    return raw(message(status, body)[:-(len(body) // 2)])


def drip(data, pause=1.0):
    """An answer byte after byte."""
    def behave(x):
        for i in range(len(data)):
            x.send(data[i:i + 1])
            x.wait(pause)
    return behave


def huge(size=100 << 20, chunked=False):
    """A list that does not end before `size` bytes."""
    piece = b'"xivo/xivo-auth/schedule/1795443200/%s", ' % (b"a" * 64)
    piece = b" " * (65536 - 65536 % len(piece) - len(piece)) + piece

    def behave(x):
        if chunked:
            x.send(b"HTTP/1.1 200 OK\r\nX-Consul-Index: 7\r\n"
                   b"Transfer-Encoding: chunked\r\n\r\n")
        else:
            x.send(message(200, b"", length=size))
        sent = 0
        x.send(b"" if chunked else b"[")
        while sent < size:
            x.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked
                   else piece)
            sent += len(piece)
        raise Closed
    return behave


def garbled(status, body, kind="text/plain; charset=utf-8"):
    """A text where JSON is due."""
    return reply(status, body, dict(INDEX, **{"Content-Type": kind}))


# name: behaviour. None of them is an answer that says anything about a token.
HOSTILE = {
    "no answer": hang,
    "the connection closed": close,
    "the connection reset": reset,
    "half of a body": truncate(200, b'[{"Key": "a", "Value": "eA=="}]'),
    "half of a head": raw(b"HTTP/1.1 200 OK\r\nX-Consul-In"),
    "a head without end": raw(b"HTTP/1.1 200 OK\r\n" +
                              b"X-Filler: %s\r\n" % (b"a" * 900) * 3000),
    "1 byte a second": drip(message(200, b"[]")),
    "a body at 1 byte a second": lambda x: (
        x.send(message(200, b"", length=1000)), drip(b" " * 1000)(x)),
    "100 MB": huge(),
    "100 MB in chunks": huge(chunked=True),
    "a length that is no number": raw(
        b"HTTP/1.1 200 OK\r\nX-Consul-Index: 7\r\n"
        b"Content-Length: many\r\n\r\n[]"),
    "not HTTP": raw(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n\r\n"),
    "301": reply(301, b"", {"Location": "http://127.0.0.1:9/v1/kv/x"}),
    "400": garbled(400, b"Failed to parse body: unexpected EOF"),
    "409 without a body": reply(409),
    "409 of no right": reply(409, json.dumps({"Results": None, "Errors": [
        {"OpIndex": 0, "What": "Permission denied"}]}).encode()),
    "413": garbled(413, b"Transaction contains too many operations "
                   b"(limit: 64 operations)"),
    "429": reply(429, b"", {}),
    "500 without a leader": garbled(500, b"No cluster leader"),
    "500 from an agent": garbled(
        500, b"rpc error making call: No cluster leader"),
    "500 EOF": garbled(500, b"rpc error making call: EOF"),
    "503": garbled(503, b"Service Unavailable"),
    "403": garbled(403, b"Permission denied"),
    "403 of an unknown token": garbled(403, b"ACL not found"),
    "200 and no JSON": reply(200, b"{\"Results\": [" + b"[" * 20000),
    "200 and a text": garbled(200, b"<html>Welcome to the Wi-Fi</html>"),
    "200 and nothing": reply(200, b""),
    "200 and null": reply(200, b"null"),
    "200 without an index": reply(200, b"[]", {}),
    "404 without an index": reply(404, b"404 page not found", {}),
    "404 of no leader": reply(404, b"", dict(
        INDEX, **{"X-Consul-Knownleader": "false"})),
}
