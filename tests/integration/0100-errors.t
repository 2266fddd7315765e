#!/usr/bin/env python3
# 0100-errors.t - each refusal: status, words, headers. SPDX-License-Identifier: GPL-3.0-or-later
import signal
import socket
import time

import harness as h

JSON = {"Content-Type": "application/json"}
TOKEN = "/0.1/token/" + h.TOKEN
CHALLENGE = 'Basic realm="xivo-auth", charset="UTF-8"'
FAILED = "Authentication Failed"
NO_TOKEN = "No such token"
BAD_JSON = "Request body is not valid JSON"
BAD_ENCODING = "Invalid encoding in request"
EXPIRATION = "Invalid expiration"


def refused(answer, status, reason, what, **headers):
    """A refusal has one form, whoever speaks it."""
    body = answer.json if isinstance(answer.json, dict) else {}
    stamp = body.get("timestamp")
    got = {
        "status": answer.status, "reason": body.get("reason"),
        "status_code": body.get("status_code"),
        "fields": sorted(body),
        "type": answer.get("Content-Type"),
        "cache": answer.get("Cache-Control"),
        "sniff": answer.get("X-Content-Type-Options"),
        "timestamp": isinstance(stamp, list) and len(stamp) == 1 and
        isinstance(stamp[0], float) and abs(stamp[0] - time.time()) < 5,
    }
    want = {
        "status": status, "reason": [reason], "status_code": status,
        "fields": ["reason", "status_code", "timestamp"],
        "type": "application/json", "cache": "no-store", "sniff": "nosniff",
        "timestamp": True,
    }
    if status in (500, 503, 504):
        got["retry"] = (answer.get("Retry-After") or "").isdigit()
        want["retry"] = True
    for name, value in headers.items():
        name = name.replace("_", "-")
        got[name], want[name] = answer.get(name), value
    h.eq(got, want, what, answer)


def post(s, body=b'{"backend": "users_file"}', login=h.LOGIN, **headers):
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    return s.http("POST", "/0.1/token", body, dict(JSON, **headers),
                  login=login)


def credentials(s):
    wrong = [
        ("a wrong password", ("alice", "wrong")),
        ("an unknown user", ("nobody", "correct horse")),
        ("an empty password", ("alice", "")),
        ("an empty name", ("", "correct horse")),
        ("a name in another case", ("Alice", "correct horse")),
        ("a blank behind the password", ("alice", "correct horse ")),
    ]
    for what, login in wrong:
        refused(post(s, login=login), 401, FAILED, what,
                WWW_Authenticate=CHALLENGE)
    for backend in ("mock_with_uuid", "nothing", "../mock", "", "x" * 300):
        refused(post(s, ('{"backend": "%s"}' % backend).encode()), 401,
                FAILED, "backend %.20r" % backend, WWW_Authenticate=CHALLENGE)
    refused(post(s, b'{"backend": "broken_verify_password"}'), 401, FAILED,
            "a backend that fails inside", WWW_Authenticate=CHALLENGE)
    refused(post(s, b'{"backend": "broken_init"}'), 401, FAILED,
            "a backend that did not start", WWW_Authenticate=CHALLENGE)

    good = "YWxpY2U6Y29ycmVjdCBob3JzZQ=="
    for value in (None, "Basic", "Basic ", "Bearer " + good, "Basic !!!!",
                  "Basic YWxpY2U=", "Basic " + good[:-2], "Basic  " + good,
                  "Basic " + good + ", Basic " + good, good,
                  "Basic YTpiAGM=", "Basic YTr/"):
        headers = {} if value is None else {"Authorization": value}
        refused(post(s, login=None, **headers), 401, FAILED,
                "Authorization: %r" % value, WWW_Authenticate=CHALLENGE)
    h.eq(post(s, login=None, Authorization="basic " + good).status, 200,
         "the scheme may be in lower case")


def bodies(s):
    cases = [
        (b"", BAD_JSON), (b"{", BAD_JSON), (b"{'backend': 'x'}", BAD_JSON),
        (b'{"backend": "users_file"} x', BAD_JSON), (b"nil", BAD_JSON),
        (b'{"backend": "\xff"}', BAD_JSON), (b'{"backend": "x",}', BAD_JSON),
        (b'{"backend": nan}', BAD_JSON),
        (b"[]", "Request body must be a JSON object"),
        (b'"text"', "Request body must be a JSON object"),
        (b"null", "Request body must be a JSON object"),
        (b'{"a": ' + b"[" * 16 + b"]" * 16 + b"}",
         "Request body is nested too deeply"),
        (b"{}", "Missing backend"), (b'{"expiration": 1}', "Missing backend"),
        (b'{"backend": null}', "Invalid backend"),
        (b'{"backend": 1}', "Invalid backend"),
        (b'{"backend": ["mock"]}', "Invalid backend"),
    ]
    for value in (b"0", b"-1", b"true", b"3600.0", b"1e3", b'"3600"', b"[]",
                  b"315360001", b"99999999999999999999999"):
        cases.append((b'{"backend": "users_file", "expiration": ' + value +
                      b"}", EXPIRATION))
    for body, reason in cases:
        refused(post(s, body), 400, reason, "body %.60r" % body)
    h.eq(post(s, b'{"backend": "users_file", "expiration": 315360000}')
         .status, 200, "max_token_lifetime itself is allowed")
    h.eq(post(s, b'{"backend": "nothing", "backend": "users_file"}').status,
         200, "of a key that stands twice the last counts")
    refused(post(s, b"{", login=("alice", "wrong")), 400, BAD_JSON,
            "the body is looked at before the password")

    for given in ("text/plain", "application/x-www-form-urlencoded",
                  "application/jsonp"):
        refused(post(s, Content_Type=given), 415,
                "Content-Type must be application/json", given)
    for given in ("application/json; charset=utf-8", "Application/JSON"):
        h.eq(post(s, Content_Type=given).status, 200, given)
    h.eq(s.http("POST", "/0.1/token", b'{"backend": "users_file"}',
                login=h.LOGIN).status, 200, "no Content-Type is well")

    refused(post(s, b" " * 16385), 413, "Request body too large",
            "a large body, told by nginx")
    refused(s.ask("POST", "/0.1/token", b" " * 16385, which="login"), 413,
            "Request body too large", "a large body, told by the service")
    for length in ("26", "-1", "x", "99999999999999999999", "1.0"):
        refused(s.ask("POST", "/0.1/token", b'{"backend": "users_file"}',
                      which="login", CONTENT_LENGTH=length), 400
                if length[0] != "9" else 413,
                "Incomplete request body" if length[0] != "9" else
                "Request body too large", "CONTENT_LENGTH %s" % length)


def tokens(s):
    for method in ("GET", "DELETE"):
        for bad in ("x", h.TOKEN[:-1], h.TOKEN + "0", h.TOKEN[:-1] + "g",
                    h.TOKEN.replace("-", ""), "%20" + h.TOKEN):
            refused(s.http(method, "/0.1/token/" + bad), 404, NO_TOKEN,
                    "%s %r" % (method, bad))
    refused(s.http("GET", TOKEN), 404, NO_TOKEN, "an unknown token")
    head = s.http("HEAD", TOKEN)
    h.eq((head.status, head.body, head.get("Cache-Control")),
         (404, b"", "no-store"), "HEAD of an unknown token")
    refused(s.http("GET", TOKEN + "?scope=a"), 404, NO_TOKEN,
            "an unknown token with a scope")

    valid = "/0.1/token/" + s.token()
    for scope in ("a.b", "a%22%5C%0Ab", "%3Cb%3E", "", "!a", "*"):
        answer = s.http("GET", valid + "?scope=" + scope)
        text = {"a%22%5C%0Ab": 'a"\\\nb', "%3Cb%3E": "<b>"}.get(scope, scope)
        refused(answer, 403, "Unauthorized for " + text,
                "scope %r that is not granted" % scope)
    for query in ("scope=%ff", "scope=%zz", "scope=%2", "scope=a%00b",
                  "scope=%c0%80"):
        refused(s.http("GET", valid + "?" + query), 400, BAD_ENCODING, query)
    refused(s.http("GET", valid + "?scope=a&scope=a"), 400,
            "Duplicate scope", "scope twice")
    for path in ("/0.1/token/%ff", "/0.1/token/%zz", "/0.1/token/%00", "/%",
                 "/0.1/token/%2"):
        answer = s.http("GET", path)
        # nginx refuses the plainly broken ones by itself.
        h.eq(answer.status, 400, "path %r" % path, answer)
        h.eq(answer.get("Content-Type"), "application/json", "and says so in "
             "JSON", answer)
        direct = s.ask("GET", path)
        refused(direct, 400, BAD_ENCODING, "path %r to the service" % path)


def routes(s):
    for path in ("/", "/0.1", "/0.1/", "/0.1/token/", "/0.1/tokens",
                 "/0.2/token", "/0.1/token/%s/x" % h.TOKEN,
                 "/0.1/token%2F" + h.TOKEN, "//0.1/status", "/0.1//status",
                 "/0.1/../0.1/status", "/0.1/./status", "/0.1/status/",
                 "/0.1/status%2f", "/xivo-auth/check", "/xivo-auth/error"):
        refused(s.http("GET", path), 404, "Not found", "path %r" % path)
    allowed = {
        "/0.1/token": "POST",
        TOKEN: "GET, HEAD, DELETE",
        "/0.1/authorize": "GET, HEAD",
        "/0.1/backends": "GET, HEAD",
        "/0.1/status": "GET, HEAD",
        "/0.1/api/api.yml": "GET, HEAD",
    }
    for path, allow in allowed.items():
        for method in ("GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"):
            if method in allow or path == "/0.1/authorize":
                continue
            refused(s.http(method, path, b"{}" if method == "POST" else None),
                    405, "Method not allowed", "%s %s" % (method, path),
                    Allow=allow)
    answer = s.http("HEAD", "/0.1/token")
    h.eq((answer.status, answer.get("Allow")), (405, "POST"),
         "HEAD where there is no GET")


def doubles(s):
    for name in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING",
                 "CONTENT_LENGTH", "XIVO_AUTH_SCOPE"):
        params = list(h.fastcgi.params_of("GET", "/0.1/status").items())
        params += [(name, ""), (name, "")]
        with s.connect() as c:
            h.eq(c.ask(params).status, 400, name + " twice")
    token = s.token()
    params = list(h.fastcgi.params_of("GET", "/0.1/authorize?scope=").items())
    for values in ([token, token], [token + ", " + token]):
        with s.connect() as c:
            answer = c.ask(params + [("HTTP_X_AUTH_TOKEN", v)
                                     for v in values])
        h.eq((answer.status, answer.body), (401, b""),
             "X-Auth-Token, %d times" % len(values))


def nginx_itself(s):
    refused(s.raw(b"GET / HTTP/1.1\r\nno header\r\n\r\n"), 400, "Bad request",
            "a broken header")
    refused(s.raw(b"GET / HTTP/1.1\r\n\r\n"), 400, "Bad request", "no Host")
    refused(s.raw(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 +
                  b"\r\n\r\n"), 400, "Bad request", "a header of 9 kB")
    refused(s.raw(b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
            414, "Request URI too long", "a path of 9 kB")
    refused(s.raw(b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"), 405,
            "Method not allowed", "TRACE", Allow="GET, HEAD, POST, DELETE")
    with socket.create_connection(("127.0.0.1", s.tls_port), 5) as plain:
        plain.sendall(b"GET /0.1/status HTTP/1.1\r\nHost: a\r\n\r\n")
        h.has(plain.recv(4096).decode(), '"status_code": 400',
              "HTTP spoken to the port of HTTPS")


def away(s):
    """The pools end under nginx."""
    for p in s.pools["check"] + s.pools["login"]:
        p.stop()
    for listening in s.sockets:
        listening.close()
    for method, path in (("GET", TOKEN), ("DELETE", TOKEN),
                         ("GET", "/0.1/status")):
        refused(s.http(method, path), 503, "Service unavailable",
                "%s %s without a pool" % (method, path))
    refused(post(s), 503, "Service unavailable", "POST without a pool")
    head = s.http("HEAD", TOKEN)
    h.eq((head.status, head.body), (503, b""), "HEAD without a pool")


def slow(s):
    """A pool that takes the request and says nothing."""
    s.pools["check"][0].send(signal.SIGSTOP)
    try:
        refused(s.http("GET", "/0.1/status"), 504, "Service timed out",
                "a pool that hangs")
    finally:
        s.pools["check"][0].send(signal.SIGCONT)


def many_logins(s):
    """Without a backend, so that only nginx sets the pace."""
    answers = [s.http("POST", "/0.1/token", b"{") for _ in range(80)]
    late = [a for a in answers if a.status == 429]
    h.ok(10 <= len(late) <= 40, "a client that logs in without end is slowed",
         [a.status for a in answers])
    if late:
        refused(late[0], 429, "Too many requests", "and told so",
                Retry_After="1")
    h.eq(s.http("GET", "/0.1/status").status, 200, "its checks are not")


def long_scopes(s):
    """A scope is repeated whole, however long it is: of a control character
    JSON makes six. What is longer than a request may be is a 413."""
    answer = s.ask("POST", "/0.1/token", b'{"backend": "mock"}',
                   headers={"Authorization": h.basic(*h.MOCK_LOGIN)})
    path = "/0.1/token/" + answer.data["token"]

    def ask(method, scope):
        with s.connect() as c:
            return c.request(method, path, keep=False, REQUEST_URI="/",
                             PATH_INFO=path, QUERY_STRING="scope=" + scope)
    for text in ("a", '"', "\x01", "\x7f"):
        for length in (4000, 65535, 65536, 163000):
            what = "a scope of %d times %r" % (length, text)
            refused(ask("GET", text * length), 403,
                    "Unauthorized for " + text * length, what)
            h.eq(ask("HEAD", text * length).status, 403, "HEAD: " + what)
    refused(ask("GET", "\x01" * 163800), 413, "Request body too large",
            "one that is longer than any request")


def full_store(s):
    """The embedded store refuses before it is full."""
    body = b'{"backend": "mock"}'
    headers = {"Authorization": h.basic(*h.MOCK_LOGIN)}
    last = None
    with s.connect() as c:
        for _ in range(5000):
            answer = c.request("POST", "/0.1/token", body, headers)
            if answer.status != 200:
                break
            last = answer.data["token"]
        refused(answer, 500, "Token store failed", "a store that is full")
        h.eq(c.request("HEAD", "/0.1/token/" + last).status, 204,
             "a full store still knows its tokens")
        h.eq(c.request("DELETE", "/0.1/token/" + last).status, 200,
             "and revokes them")
        h.eq(c.request("HEAD", "/0.1/token/" + last).status, 404, "for good")


def main():
    config = {"enabled_plugins": ["users_file", "mock", "broken_init",
                                  "broken_verify_password"]}
    unlimited = {"rate=10r/s": "rate=10000r/s"}
    with h.Service(config, edits=unlimited) as s:
        credentials(s)
        bodies(s)
        tokens(s)
        routes(s)
        doubles(s)
        nginx_itself(s)
        away(s)
    hasty = {"fastcgi_read_timeout    15s": "fastcgi_read_timeout 300ms"}
    with h.Service(config, check=1, edits=hasty) as s:
        many_logins(s)
        slow(s)
    # The body's limit opens the whole window for parameters.
    with h.Service({"rest_api": {"max_body_size": 1 << 20}}, login=0,
                   check=1, nginx=False) as s:
        long_scopes(s)
    with h.Service({"store": {"lmdb": {"max_size": 1 << 20}}}, login=0,
                   check=1, nginx=False) as s:
        full_store(s)


h.run(main)
