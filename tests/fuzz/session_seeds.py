#!/usr/bin/env python3
# session_seeds.py - write the seeds of fuzz_session. SPDX-License-Identifier: GPL-3.0-or-later
"""usage: session_seeds.py FOLDER

Each seed is a session as tests/fuzz/fuzz_session.c reads it."""
import pathlib
import struct
import sys

BEGIN, ABORT, PARAMS, STDIN, GET_VALUES = 1, 2, 4, 5, 9
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
TOKEN = "00000000-0000-4000-8000-000000000001"
ISSUED = "00000000-0000-4000-8000-000000000002"
BASIC = "Basic Zm9vOmJhcg=="  # foo:bar
PLAIN, AUTHORIZER_ONLY, CORS, DRAIN = 0, 1, 2, 4


def record(kind, content=b"", ident=1, padding=0):
    return struct.pack(">BBHHBx", 1, kind, ident, len(content),
                       padding) + content + b"\0" * padding


def length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 1 << 31)


def pairs(params):
    return b"".join(
        length(len(name)) + length(len(value)) + name.encode() +
        value.encode() for name, value in params)


def begin(role=RESPONDER, keep=1, ident=1):
    return record(BEGIN, struct.pack(">HB5x", role, keep), ident)


def request(params, body=b"", role=RESPONDER, keep=1, ident=1, padding=0):
    out = begin(role, keep, ident)
    out += record(PARAMS, pairs(params), ident, padding)
    out += record(PARAMS, b"", ident)
    if role == RESPONDER:
        if body:
            out += record(STDIN, body, ident, padding)
        out += record(STDIN, b"", ident)
    return out


def http(method, path, query="", extra=(), **more):
    body = more.get("body", b"")
    return request([("REQUEST_METHOD", method), ("PATH_INFO", path),
                    ("QUERY_STRING", query),
                    ("CONTENT_LENGTH", str(len(body)) if body else ""),
                    *extra], **more)


def login(body=b'{"backend": "mock", "expiration": 60}', **more):
    return http("POST", "/0.1/token", body=body,
                extra=[("CONTENT_TYPE", "application/json"),
                       ("HTTP_AUTHORIZATION", BASIC)], **more)


def verdict(*extra, **more):
    return request([("HTTP_X_AUTH_TOKEN", TOKEN), *extra], role=AUTHORIZER,
                   **more)


def step(letter="w"):
    return b"\xf5\xf6" + letter.encode()


def longest(max_request=256 + 64 * 1024):
    """A request of the most bytes that the loop takes."""
    def padded(n):
        return (begin() + record(PARAMS, pairs([
            ("REQUEST_METHOD", "GET"), ("PATH_INFO", f"/0.1/token/{TOKEN}"),
            ("HTTP_X_FIRST", "x" * 5000)])) +
            record(PARAMS, pairs([("HTTP_X_SECOND", "x" * n)])) +
            record(PARAMS) + record(STDIN))

    return padded(50000 + max_request - len(padded(50000)))


GET = http("GET", f"/0.1/token/{TOKEN}", "scope=foo")
ASK = record(GET_VALUES, pairs([("FCGI_MAX_CONNS", ""),
                                ("FCGI_MPXS_CONNS", "")]), 0)
GUARD = [("REQUEST_METHOD", "HEAD"), ("PATH_INFO", "/0.1/authorize"),
         ("HTTP_AUTHORIZATION", f"Bearer {TOKEN}")]

SEEDS = {
    "get": (PLAIN, GET),
    "get_twice": (PLAIN, GET + step() + GET + step("s")),
    "get_once": (PLAIN, http("GET", f"/0.1/token/{TOKEN}", keep=0)),
    "get_forbidden": (PLAIN, http("GET", f"/0.1/token/{TOKEN}", "scope=x")),
    "get_bad": (PLAIN, http("GET", "/0.1/token/no%2Fuuid", "scope=%zz")),
    "head": (PLAIN, http("HEAD", f"/0.1/token/{TOKEN}", "scope=bar") +
             step() + http("HEAD", "/0.1/backends")),
    "post": (PLAIN, login() + step() +
             http("GET", f"/0.1/token/{ISSUED}") + step() +
             http("DELETE", f"/0.1/token/{ISSUED}") + step() +
             http("GET", f"/0.1/token/{ISSUED}")),
    "post_refused": (PLAIN, login(b'{"backend": "directory"}') + step() +
                     login(b'{"backend": "mock", "expiration": true}') +
                     step() + login(b"[") + step() + login(b"\xff")),
    "post_long": (PLAIN, login(b'{"backend": "' + b"x" * 300 + b'"}')),
    "post_pieces": (PLAIN, login(padding=5)[:40] + step() +
                    login(padding=5)[40:]),
    "delete": (PLAIN, http("DELETE", f"/0.1/token/{TOKEN}")),
    "api": (PLAIN, http("GET", "/0.1/api/api.yml") + step() +
            http("GET", "/0.1/backends") + step() +
            http("GET", "/0.1/status")),
    "no_method": (PLAIN, http("PATCH", "/0.1/token") + step() +
                  http("GET", "/nowhere")),
    "preflight": (CORS, http("OPTIONS", "/0.1/token", extra=[
        ("HTTP_ORIGIN", "https://app.example"),
        ("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "POST")])),
    "origin": (CORS, http("GET", f"/0.1/token/{TOKEN}", extra=[
        ("HTTP_ORIGIN", "https://app.example")])),
    "authorize": (PLAIN, request(GUARD + [("XIVO_AUTH_SCOPE", "foo")])),
    "authorize_path": (PLAIN, request(GUARD + [
        ("XIVO_AUTH_SCOPE_PREFIX", "confd"),
        ("XIVO_AUTH_TRUST_FORWARDED", "1"),
        ("HTTP_X_ORIGINAL_METHOD", "PUT"),
        ("HTTP_X_ORIGINAL_URI", "/users/4.2?x=%2e")])),
    "authorizer": (PLAIN, verdict(("XIVO_AUTH_SCOPE", "foo"))),
    "authorizer_path": (PLAIN, verdict(
        ("XIVO_AUTH_SCOPE_PREFIX", "foo"), ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", "/a%20b/c"))),
    "authorizer_none": (PLAIN, verdict()),
    "authorizer_stdin": (PLAIN, verdict(("XIVO_AUTH_SCOPE", "foo")) +
                         record(STDIN)),
    "authorizer_only": (AUTHORIZER_ONLY, GET + step() +
                        verdict(("XIVO_AUTH_SCOPE", "bar"))),
    "pipelined": (PLAIN, GET + GET + GET),
    "longest": (PLAIN, longest() + step() + GET),
    "longest_pipelined": (PLAIN, longest() + GET),
    "half": (PLAIN, GET[:-8] + step("t") + GET),
    "half_shut": (PLAIN, GET[:30] + step("s")),
    "half_header": (PLAIN, GET[:3] + step() + GET[3:20] + step() + GET[20:]),
    "shut": (PLAIN, GET + step("s")),
    "closed": (PLAIN, GET + step("c") + GET[:50] + step("c") + GET),
    "aborted": (PLAIN, begin() + record(ABORT) + step() + GET[:-8] +
                record(ABORT)),
    "filter": (PLAIN, request([], role=FILTER)),
    "management": (PLAIN, ASK + GET + step() + ASK + step() +
                   record(99, b"what", 0) + step() + GET),
    "management_many": (PLAIN, ASK * 9),
    "too_large": (PLAIN, begin() + struct.pack(">BBHHBx", 1, PARAMS, 1,
                                               65535, 255)),
    "three": (PLAIN, GET[:60] + step("1") + login() + step("2") + GET +
              step("0") + GET[60:] + step("1") + GET + step("t")),
    "store_fails": (PLAIN, step("f") + GET + step() + login() + step() +
                    verdict(("XIVO_AUTH_SCOPE", "foo")) + step("f") + GET),
    "drain": (DRAIN, GET + step("1") + GET[:60] + step("2") + GET),
    "nonsense": (PLAIN, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "doubled": (PLAIN, request([("REQUEST_METHOD", "GET"),
                                ("REQUEST_METHOD", "DELETE"),
                                ("PATH_INFO", f"/0.1/token/{TOKEN}")])),
}

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for name, (options, session) in SEEDS.items():
    (folder / name).write_bytes(bytes([options]) + session)
