#!/usr/bin/env python3
# 0310-responder.t - what a pool answers, and what it logs. SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP interface as a web server sees it, straight over FastCGI."""

import hashlib
import json
import os
import re
import sys
import time
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness as h  # noqa: E402

FOO_BAR = {"Authorization": h.basic(*h.MOCK_LOGIN)}
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$"


def create(s, body, headers=FOO_BAR, **extra):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return s.ask("POST", "/0.1/token", body, headers=headers, **extra)


def refused(answer, status, reason, name):
    """The one shape of every refusal."""
    h.eq((answer.status, answer.reason), (status, reason), name, answer)
    body = answer.json or {}
    h.ok(sorted(body) == ["reason", "status_code", "timestamp"] and
         body["status_code"] == status and len(body["reason"]) == 1 and
         re.search(rb'"timestamp": \[\d+\.\d{6}\]', answer.body) and
         answer.get("Content-Type") == "application/json" and
         answer.get("Content-Length") == str(len(answer.body)),
         "%s: the shape" % name, answer)


def token_life(s):
    before = time.time()
    answer = create(s, {"backend": "mock_with_uuid", "expiration": 60})
    h.eq(answer.status, 200, "a token is made", answer)
    token = answer.data
    h.eq(sorted(token), ["acls", "auth_id", "expires_at", "issued_at",
                         "token", "utc_expires_at", "utc_issued_at",
                         "xivo_user_uuid", "xivo_uuid"], "its fields")
    h.eq((token["auth_id"], token["xivo_user_uuid"], token["xivo_uuid"]),
         ("a-mocked-auth-id", "a-mocked-xivo-user-uuid", "site"), "its ids")
    made = uuid.UUID(token["token"])
    h.ok(made.version == 4 and str(made) == token["token"],
         "a version 4 UUID in lower case")
    for field in ("issued_at", "expires_at"):
        h.ok(re.match(INSTANT, token[field]), "%s has microseconds" % field)
        h.eq(instant(token[field]) - instant(token["utc_" + field]),
             5.75 * 3600, "%s is in the zone of TZ" % field)
    h.eq(instant(token["expires_at"]) - instant(token["issued_at"]), 60,
         "it lives as long as asked")
    h.ok(abs(instant(token["utc_issued_at"]) - before) < 5, "from now on")

    path = "/0.1/token/" + token["token"]
    h.eq(s.ask("GET", path).data, token, "it can be shown")
    h.eq(s.ask("GET", path.upper().replace("TOKEN", "token")).data, token,
         "in upper case too")
    head = s.ask("HEAD", path)
    h.eq((head.status, head.body, head.get("Content-Length")),
         (204, b"", None), "HEAD is 204")
    h.eq(s.ask("DELETE", path).json, {"data": {"message": "success"}},
         "it can be revoked")
    h.eq(s.ask("DELETE", path).status, 200, "twice")
    refused(s.ask("GET", path), 404, "No such token", "then it is gone")
    head = s.ask("HEAD", path)
    h.eq((head.status, head.body), (404, b""), "for HEAD without a body")


def instant(text):
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + \
        float(text[19:]) - time.timezone


def scopes(s):
    token = create(s, {"backend": "mock"}).data["token"]
    path = "/0.1/token/" + token
    for query, status, reason in (
            ("", 200, None), ("?", 200, None), ("?scope=foo", 200, None),
            ("?scope=f%6fo", 200, None), ("?x=y&scope=bar", 200, None),
            ("?scope=baz", 403, "Unauthorized for baz"),
            ("?scope=", 403, "Unauthorized for "),
            ("?scope=a+b", 403, "Unauthorized for a b"),
            ("?scope=%22%0d%0a%C3%A9", 403, "Unauthorized for \"\r\né"),
            ("?scope=foo&scope=foo", 400, "Duplicate scope"),
            ("?scope=%zz", 400, "Invalid encoding in request"),
            ("?scope=%00", 400, "Invalid encoding in request"),
            ("?scope=%ff", 400, "Invalid encoding in request")):
        answer = s.ask("GET", path + query)
        h.eq((answer.status, answer.reason), (status, reason),
             "GET with %r" % query)
        h.eq(s.ask("HEAD", path + query).status, status if reason else 204,
             "HEAD with %r" % query)


def paths(s):
    for uri, status, reason in (
            ("/0.1/token%2f" + h.TOKEN, 404, "Not found"),
            ("/0.1//token/" + h.TOKEN, 404, "Not found"),
            ("/0.1/x/../status", 404, "Not found"),
            ("/0.1/token/%2e%2e", 404, "Not found"),
            ("/0.1/token/" + h.TOKEN + "%", 400,
             "Invalid encoding in request"),
            ("/0.1/token/%ff", 400, "Invalid encoding in request"),
            ("/0.1/token/%00", 400, "Invalid encoding in request"),
            ("/0.1/token/" + h.TOKEN + "0", 404, "No such token"),
            ("/", 404, "Not found")):
        refused(s.ask("GET", uri), status, reason, "GET %s" % uri)
    h.eq(s.ask("GET", "/api/auth/0.1/status", PATH_INFO="/0.1/status").status,
         200, "PATH_INFO wins over REQUEST_URI")
    refused(s.ask("GET", "/x", PATH_INFO="/0.1/%73tatus"), 404, "Not found",
            "PATH_INFO is not decoded again")
    for method, uri, allow in (
            ("GET", "/0.1/token", "POST"),
            ("POST", "/0.1/token/" + h.TOKEN, "GET, HEAD, DELETE"),
            ("OPTIONS", "/0.1/backends", "GET, HEAD")):
        answer = s.ask(method, uri)
        refused(answer, 405, "Method not allowed", "%s %s" % (method, uri))
        h.eq(answer.get("Allow"), allow, "%s %s: Allow" % (method, uri))


def doubles(s):
    good = [("REQUEST_METHOD", "GET"), ("PATH_INFO", "/0.1/backends"),
            ("QUERY_STRING", ""), ("CONTENT_LENGTH", "")]
    for extra in good + [("XIVO_AUTH_SCOPE", "a")] * 2:
        params = good + [extra] * (1 if extra in good else 2)
        with s.connect() as c:
            refused(c.ask(params, keep=False), 400,
                    "Invalid encoding in request", "%s twice" % extra[0])
    params = list(h.fastcgi.params_of("POST", "/0.1/token",
                                      b'{"backend": "mock"}', FOO_BAR).items())
    params.append(("HTTP_AUTHORIZATION", FOO_BAR["Authorization"]))
    with s.connect() as c:
        refused(c.ask(params, b'{"backend": "mock"}', keep=False), 401,
                "Authentication Failed", "two Authorization")


def bodies(s):
    for body, extra, status, reason in (
            (b"", {}, 400, "Request body is not valid JSON"),
            (b"x", {}, 400, "Request body is not valid JSON"),
            (b"[]", {}, 400, "Request body must be a JSON object"),
            (b"{}", {}, 400, "Missing backend"),
            (b'{"backend": 1}', {}, 400, "Invalid backend"),
            (b'{"backend": "mock", "expiration": 1.0}', {}, 400,
             "Invalid expiration"),
            (b"[" * 17 + b"]" * 17, {}, 400,
             "Request body is nested too deeply"),
            (b"{}", {"CONTENT_LENGTH": "3"}, 400, "Incomplete request body"),
            (b"{}", {"CONTENT_LENGTH": "two"}, 400,
             "Incomplete request body"),
            (b" " * 16385, {}, 413, "Request body too large"),
            (b"{}", {"CONTENT_TYPE": "text/plain"}, 415,
             "Content-Type must be application/json")):
        refused(create(s, body, **extra), status, reason,
                "%s %s" % (body[:40], extra))
        refused(create(s, body, headers={}, **extra), status, reason,
                "%s %s, before anybody is asked" % (body[:40], extra))
    full = b'{"backend": "mock"}'
    h.eq(create(s, full + b" " * (16384 - len(full))).status, 200,
         "a body of exactly 16 KiB")


def logins(s):
    for headers in ({}, {"Authorization": h.basic("foo", "wrong")},
                    {"Authorization": h.basic("nobody", "bar")},
                    {"Authorization": FOO_BAR["Authorization"] + ", " +
                     FOO_BAR["Authorization"]},
                    {"Authorization": "Basic Zm9vOmJhcg"},
                    {"Authorization": "Bearer " + h.TOKEN}):
        answer = create(s, {"backend": "mock"}, headers, REMOTE_USER="foo")
        refused(answer, 401, "Authentication Failed", "%r" % headers)
        h.eq(answer.get("WWW-Authenticate"),
             'Basic realm="xivo-auth", charset="UTF-8"', "it asks for Basic")
    for backend in ("", "nobody", "../mock", "broken_init",
                    "broken_verify_password"):
        refused(create(s, {"backend": backend}), 401, "Authentication Failed",
                "backend %r" % backend)


def authorize(s):
    token = create(s, {"backend": "mock_with_uuid"}).data["token"]
    path = "/0.1/authorize"
    answer = s.ask("HEAD", path, headers={"X-Auth-Token": token},
                   XIVO_AUTH_SCOPE="foo")
    h.eq((answer.status, answer.get("X-Auth-Id"),
          answer.get("X-Auth-User-Uuid")),
         (204, "a-mocked-auth-id", "a-mocked-xivo-user-uuid"),
         "who it is", answer)
    for headers, uri, extra, status in (
            ({"Authorization": "Bearer " + token}, path, {}, 204),
            ({"X-Auth-Token": token}, path + "?scope=bar", {}, 204),
            ({"X-Auth-Token": token}, path + "?scope=baz", {}, 403),
            ({"X-Auth-Token": token}, path + "?scope=foo",
             {"XIVO_AUTH_SCOPE": "baz"}, 403),
            ({"X-Auth-Token": h.TOKEN}, path, {}, 401),
            ({"X-Auth-Token": token + ", " + token}, path, {}, 401),
            ({}, path, {}, 401)):
        answer = s.ask("GET", uri, headers=headers, **extra)
        h.eq((answer.status, answer.body), (status, b""),
             "%s %s %s" % (sorted(headers), uri, extra))
        h.eq(answer.get("WWW-Authenticate"),
             "Bearer" if status == 401 else None, "what it asks for")


def others(s):
    h.eq(s.ask("GET", "/0.1/backends").data,
         ["mock", "mock_with_uuid", "broken_init", "broken_verify_password"],
         "the backends, the failed one too")
    status = s.ask("GET", "/0.1/status")
    h.eq(status.status, 200, "the status page")
    h.eq(status.data["store"], {"type": "lmdb", "status": "ok"}, "its store")
    h.eq(status.data["backends"]["broken_init"], "fail", "its backends")
    h.eq(status.data["reason"]["broken_init"], "start failed", "and why")
    api = s.ask("GET", "/0.1/api/api.yml")
    with open(os.path.join(h.SOURCE, "fcgi", "api.yml"), "rb") as f:
        h.eq(api.body, f.read(), "the OpenAPI document")
    for uri in ("/0.1/backends", "/0.1/status", "/0.1/api/api.yml", "/none"):
        get, head = s.ask("GET", uri), s.ask("HEAD", uri)
        h.eq((head.status, head.headers, head.body),
             (get.status, get.headers, b""), "HEAD %s is GET's" % uri)
        h.eq((get.all("Cache-Control"), get.all("X-Content-Type-Options")),
             (["no-store"], ["nosniff"]), "%s: headers of every answer" % uri)
    params = {"XIVO_AUTH_SCOPE": "foo", "HTTP_X_AUTH_TOKEN": h.TOKEN}
    with s.connect() as c:
        answer = c.ask(params, role=h.fastcgi.AUTHORIZER)
        h.eq((answer.status, answer.body), (401, b""),
             "an authorizer says no", answer)
        h.ok(c.is_closed(), "and its connection closed")


def kept(s):
    """One connection: nothing of a request stays for the next."""
    body = b'{"backend": "mock"}'
    with s.connect() as c:
        for _ in range(2):
            h.eq(c.request("POST", "/0.1/token", body, FOO_BAR).status, 200,
                 "with credentials")
            h.eq(c.request("POST", "/0.1/token", body).status, 401,
                 "without them")


def logs(s):
    token = create(s, {"backend": "mock"}).data["token"]
    key = hashlib.sha256(token.encode()).hexdigest()[:12]
    encoded = "".join("%%%02X" % b for b in token.encode())
    for uri in ("/0.1/token/" + token, "/0.1/token/" + token.upper(),
                "/0.1/token/" + encoded, "//0.1//tokn/" + token + "%zz",
                "/0.1/token/x" + token, "/0.1/token/" + token[:-1],
                "/0.1/token/" + token.replace("-", ""),
                "/0.1/status?token=" + token,
                "/0.1/token/" + token + "?scope=a%0a\"b"):
        s.ask("GET", uri, headers={"X-Auth-Token": token})
    create(s, {"backend": "mock"}, {"Authorization": h.basic("foo", "s3cret")})
    s.stop_pool()
    log = s.read("xivo-auth.log")
    plain = log.lower().replace("-", "")
    h.lacks(plain, token.replace("-", "")[:16], "no token in the log")
    h.lacks(plain, token.replace("-", "")[-16:], "nor its end")
    h.lacks(log, "s3cret", "no password in the log")
    h.lacks(log, FOO_BAR["Authorization"].split()[1], "no credentials")
    line = next(li for li in log.splitlines() if "%s\"" % key in li)
    for part in ("request.done", 'remote="192.0.2.1"', 'method="GET"',
                 'path="/0.1/token/%s"' % key, "status=200", "ms="):
        h.has(line, part, "the line of a request")
    h.has(log, r'query="scope=a\x0a\"b"', "the scope is escaped")


class Pool(h.Service):
    def stop_pool(self):
        for p in self.pools["check"]:
            h.eq(p.stop(), 0, "the pool ends")


def main():
    config = {"enabled_plugins": h.TEST_BACKENDS, "uuid": "site"}
    with Pool(config, check=1, login=0, nginx=False,
              env={"TZ": "XXX-5:45"}) as s:
        for part in (token_life, scopes, paths, doubles, bodies, logins,
                     authorize, others, kept, logs):
            part(s)


h.run(main)
