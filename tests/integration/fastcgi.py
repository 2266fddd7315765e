# fastcgi.py - a FastCGI client that can misbehave. SPDX-License-Identifier: GPL-3.0-or-later
"""The web server's side of FastCGI 1.0, for tests that talk to the pool.

    with fastcgi.Connection("/run/check.sock") as c:
        answer = c.request("GET", "/0.1/status")
"""

import json
import socket
import struct

import openapi

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP = 1


class Answer:
    """A status, headers and a body; the same for FastCGI and HTTP."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # pairs, in the order of the answer
        self.body = body

    def __repr__(self):
        return "<%s %r %r>" % (self.status, self.headers, self.body[:300])

    def get(self, name, default=None):
        """The first header of that name."""
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return default

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def json(self):
        """The body; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def reason(self):
        """The words of a refusal."""
        body = self.json
        if not isinstance(body, dict) or not body.get("reason"):
            return None
        return body["reason"][0]

    @property
    def data(self):
        """What an answer that is no refusal carries."""
        body = self.json
        return body.get("data") if isinstance(body, dict) else None


def record(kind, content=b"", request_id=1, padding=0):
    return struct.pack(">BBHHBx", 1, kind, request_id, len(content),
                       padding) + content + b"\0" * padding


def stream(kind, content, request_id=1, piece=65535):
    """A stream of records, with the empty one that ends it."""
    cut = [content[i:i + piece] for i in range(0, len(content), piece)]
    return b"".join(record(kind, c, request_id) for c in cut + [b""])


def begin(role=RESPONDER, keep=True, request_id=1):
    return record(BEGIN, struct.pack(">HB5x", role, KEEP if keep else 0),
                  request_id)


def _length(n):
    return struct.pack(">B", n) if n < 128 else struct.pack(">I", n | 1 << 31)


def pairs(params):
    """Name-value pairs from a dict or, for doubles, a list of pairs."""
    out = []
    for name, value in getattr(params, "items", lambda: params)():
        name, value = _bytes(name), _bytes(value)
        out.append(_length(len(name)) + _length(len(value)) + name + value)
    return b"".join(out)


def _bytes(text):
    return text if isinstance(text, bytes) else str(text).encode()


def encode(params, body=b"", role=RESPONDER, keep=True, request_id=1):
    """A whole request."""
    out = begin(role, keep, request_id)
    out += stream(PARAMS, pairs(params), request_id)
    if role != AUTHORIZER:
        out += stream(STDIN, body, request_id)
    return out


def params_of(method, uri, body=b"", headers=(), **extra):
    """What a web server would set for a request."""
    params = {
        "REQUEST_METHOD": method,
        "REQUEST_URI": uri,
        "QUERY_STRING": uri.partition("?")[2],
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "CONTENT_TYPE": "application/json" if body else "",
        "REMOTE_ADDR": "192.0.2.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "GATEWAY_INTERFACE": "CGI/1.1",
    }
    for name, value in dict(headers).items():
        params["HTTP_" + name.upper().replace("-", "_")] = value
    params.update(extra)
    return params


class Connection:
    """One connection to a pool; every read has a deadline.

        judge   is told each request and its answer: openapi.check
    """

    judge = None
    asked = None

    def __init__(self, path, timeout=5, judge=None):
        self.judge = judge
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, method, uri, body=b"", headers=(), keep=True, **extra):
        """Ask as a web server does; `extra` are more parameters."""
        params = params_of(method, uri, body, headers, **extra)
        return self.ask(params, body, keep=keep)

    def ask(self, params, body=b"", role=RESPONDER, keep=True):
        self.send(encode(params, body, role, keep))
        self.asked = openapi.Request.of_params(params, body,
                                               role == AUTHORIZER)
        return self.answer()

    def read(self, count):
        """Exactly that many bytes; EOFError when the peer closes."""
        out = b""
        while len(out) < count:
            got = self.socket.recv(count - len(out))
            if not got:
                raise EOFError("closed after %d of %d bytes"
                               % (len(out), count))
            out += got
        return out

    def answer(self):
        """The next answer, to its END_REQUEST."""
        out = {STDOUT: b"", STDERR: b""}
        while True:
            _version, kind, _id, length, padding = struct.unpack(
                ">BBHHBx", self.read(8))
            content = self.read(length + padding)[:length]
            if kind == END:
                answer = self._parse(out, *struct.unpack(">IB3x", content))
                self._judge(answer)
                return answer
            if kind in out:
                out[kind] += content

    def _judge(self, answer):
        asked, self.asked = self.asked, None
        # An authorizer's yes is for the web server, and no answer to anyone.
        is_verdict = any(k.startswith("Variable-") for k, _v in
                         answer.headers)
        if self.judge and answer.protocol_status == 0 and not is_verdict:
            self.judge(asked, answer)

    def is_closed(self, seconds=2):
        """The peer closes within that time, without another word."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1) == b""
        except socket.timeout:
            return False
        except ConnectionError:
            return True

    @staticmethod
    def _parse(out, app_status, protocol_status):
        head, _sep, body = out[STDOUT].partition(b"\r\n\r\n")
        headers = []
        for line in head.decode("latin-1").split("\r\n"):
            name, _colon, value = line.partition(":")
            headers.append((name, value.strip()))
        answer = Answer(None, headers, body)
        answer.status = int((answer.get("Status") or "200").split()[0])
        answer.app_status = app_status
        answer.protocol_status = protocol_status
        answer.stderr = out[STDERR]
        return answer
