#!/usr/bin/env python3
# 0180-cors.t - pages of other origins, through nginx with curl. SPDX-License-Identifier: GPL-3.0-or-later
import subprocess

import harness as h

PAGE = "https://app.example.org"
TOKEN = "/0.1/token/" + h.TOKEN
ROUTES = {"/0.1/token": "POST", TOKEN: "GET, HEAD, DELETE",
          "/0.1/authorize": "GET, HEAD", "/0.1/backends": "GET, HEAD",
          "/0.1/status": "GET, HEAD", "/0.1/api/api.yml": "GET, HEAD"}
CORS = {"enabled": True, "origins": [PAGE, "http://localhost:8080"],
        "supports_credentials": True, "expose_headers": "X-Auth-Id"}
GRANT = {"access-control-allow-origin": PAGE,
         "access-control-allow-credentials": "true",
         "access-control-allow-methods": "DELETE, GET, HEAD, OPTIONS, POST",
         "access-control-allow-headers":
             "Content-Type, authorization, x-auth-token",
         "access-control-max-age": "600", "vary": "Origin"}
READ = {"access-control-allow-origin": PAGE,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "X-Auth-Id", "vary": "Origin"}


def curl(s, method, path, *headers, data=None):
    """Status, body, CORS headers and Allow, as curl sees them."""
    argv = [h.need("curl"), "-sS", "-i", "--path-as-is", "-m", "10"]
    argv += ["-I"] if method == "HEAD" else ["-X", method]
    for header in headers:
        argv += ["-H", header]
    if data is not None:
        argv += ["-d", data, "-H", "Content-Type: application/json"]
    out = subprocess.run(
        argv + ["http://127.0.0.1:%d%s" % (s.port, path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout
    head, _sep, body = out.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    names = [k.lower() for k, _v in pairs]
    seen = {k.lower(): v for k, v in pairs if k.lower() == "vary" or
            k.lower().startswith("access-control-")}
    twice = [k for k in seen if names.count(k) > 1]
    if twice:
        h.ok(False, "%s %s: no header twice" % (method, path), head)
    allow = [v for k, v in pairs if k.lower() == "allow"]
    if s.port == s.own_port:
        h.openapi.check(h.openapi.Request(method, path, [
            x.split(": ", 1) for x in headers], data), h.Answer(
                int(status.split()[1]), pairs, body.encode()))
    return int(status.split()[1]), body, seen, allow


def preflights(s):
    asks = ("Origin: " + PAGE, "Access-Control-Request-Method: GET",
            "Access-Control-Request-Headers: x-evil")
    for path, allow in ROUTES.items():
        h.eq(curl(s, "OPTIONS", path, *asks),
             (200, "", GRANT, [allow + ", OPTIONS"]), "OPTIONS " + path)
    h.eq(curl(s, "OPTIONS", "/0.1/status"),
         (200, "", {"vary": "Origin"}, ["GET, HEAD, OPTIONS"]),
         "an OPTIONS of nobody")
    for origin in ("https://evil.org", "null", PAGE + ".evil.org",
                   PAGE + "/", "*", PAGE + ", " + PAGE):
        status, _body, seen, _allow = curl(s, "OPTIONS", TOKEN,
                                           "Origin: " + origin, *asks[1:])
        h.eq((status, seen), (200, {"vary": "Origin"}),
             "origin %r is told nothing" % origin)
    status, body, seen, _allow = curl(s, "OPTIONS", "/0.1/none", *asks)
    h.eq((status, seen), (404, GRANT), "no such path, and the page may know")
    h.has(body, "Not found", "with its reason")


def answers(s):
    me = "Origin: " + PAGE
    cases = [
        ("GET", "/0.1/backends", None, 200), ("GET", TOKEN, None, 404),
        ("HEAD", TOKEN, None, 404), ("DELETE", "/0.1/token/x", None, 404),
        ("PUT", "/0.1/status", None, 405), ("GET", "/0.1/authorize", None, 401),
        ("POST", "/0.1/token", "{", 400),
        ("POST", "/0.1/token", '{"backend": "users_file"}', 401),
        ("HEAD", "/0.1/token/" + s.token(), None, 204),
    ]
    for method, path, data, want in cases:
        status, _body, seen, _allow = curl(s, method, path, me, data=data)
        h.eq((status, seen), (want, READ), "%s %s: %d can be read" % (
            method, path, want))
        status, _body, seen, _allow = curl(s, method, path,
                                           "Origin: https://evil.org",
                                           data=data)
        h.eq((status, seen), (want, {"vary": "Origin"}),
             "but not by another page")


NGINX_CORS = {'# "https://app.example.org" "https://app.example.org"':
              '"%s" "%s"' % (PAGE, PAGE), '# "~^http" "true"': '"~^http" "true"'}
NGINX_READ = {k: v for k, v in READ.items() if "expose" not in k}
GUARDED = """
    server {{
        listen 127.0.0.1:{port};
        include snippets/xivo-auth-locations.conf;
        include snippets/xivo-auth-guard.conf;
        location / {{
            set $xivo_auth_scope dird.private.me.read;
            auth_request /xivo-auth/guard;
            try_files /none @inside;
        }}
        location @inside {{ return 200 "inside"; }}
    }}
"""


def own_refusals(s, cases, want, what):
    """What nginx says itself: cases of method, path, body and status."""
    for method, path, data, status in cases:
        got, body, seen, _allow = curl(s, method, path, "Origin: " + PAGE,
                                       data=data)
        h.eq((got, seen), (status, want), "%d of nginx, %s" % (status, what))
        h.ok(method == "HEAD" or '"status_code": %d' % status in body,
             "with its body", body)
        for origin in ("https://evil.org", PAGE + ".evil.org", "null", ""):
            got, _body, seen, _allow = curl(s, method, path,
                                            "Origin: " + origin, data=data)
            h.eq((got, seen), (status, {}), "%d, but not to %r" % (
                status, origin))


def nginx_itself(edits, want, what):
    with h.Service({"rest_api": {"cors": CORS}}, check=1, nginx=False) as s:
        port = h.free_port()
        s.start_nginx(edits, servers=GUARDED.format(port=port))
        large = [("POST", "/0.1/token", "x" * 17000, 413)]
        own_refusals(s, large, want, what)
        s.pools["check"][0].stop()
        s.sockets[0].close()
        away = [("GET", TOKEN, None, 503), ("HEAD", TOKEN, None, 503)]
        own_refusals(s, away, want, what)
        s.port = port
        status, body, seen, _allow = curl(s, "GET", "/x", "Origin: " + PAGE)
        h.eq((status, seen), (500, {}), "a guarded page is the site's own")
        h.lacks(body, "status_code", "and so are its errors")


def main():
    h.need("curl")
    with h.Service({"rest_api": {"cors": CORS}}) as s:
        preflights(s)
        answers(s)
    with h.Service({"rest_api": {"cors": {"enabled": True}}}, check=1) as s:
        _status, _body, seen, _allow = curl(s, "GET", "/0.1/status",
                                            "Origin: https://evil.org")
        h.eq(seen, {"access-control-allow-origin": "*", "vary": "Origin"},
             "every origin, and never by its name")
    with h.Service(check=1) as s:
        for path, allow in ROUTES.items():
            status, _body, seen, told = curl(
                s, "OPTIONS", path, "Origin: " + PAGE,
                "Access-Control-Request-Method: GET")
            h.eq((status, seen, told), (405, {}, [allow]),
                 "CORS is off: OPTIONS " + path)
    nginx_itself(NGINX_CORS, NGINX_READ, "to a page that it is told of")
    nginx_itself((), {}, "which is told of none")
    with h.Service(nginx=False, start=False) as s:
        s.write_config({"rest_api": {"cors": dict(CORS, origins="*")}})
        done = s.run_program("xivo-auth-fcgi", "-t", "-c", s.config)
        h.eq(done.returncode, 78, "every origin with credentials is refused")
        h.has(done.stderr, "rest_api.cors.supports_credentials", "by name")


h.run(main)
