#!/usr/bin/env python3
# 0190-fronts.t - nginx, Apache and lighttpd, one table of cases. SPDX-License-Identifier: GPL-3.0-or-later
import os
import subprocess

import front_cases
import guards
import harness as h

API = """
    server {{
        listen 127.0.0.1:{port};
        include snippets/xivo-auth-locations.conf;
        include snippets/xivo-auth-api.conf;
    }}
"""
UNLIMITED = {"rate=10r/s": "rate=10000r/s"}
PREFIX = "/api/auth"


def over_http2(s):
    """One request by curl, which speaks HTTP/2 to nginx."""
    curl = h.need("curl")

    def ask(method, target, headers=(), body=None):
        argv = [curl, "--http2", "-sS", "--path-as-is", "-g", "--cacert",
                s.path("cert.pem"), "-D", s.path("h2.head"), "-o",
                s.path("h2.body"), "-w", "%{http_version}",
                "https://localhost:%d%s" % (s.tls_port, target)]
        argv += ["-I"] if method == "HEAD" else ["-X", method]
        for name, value in getattr(headers, "items", lambda: headers)():
            argv += ["-H", "%s: %s" % (name, value)]
        if body is not None:
            argv += ["--data-binary", "@-"]
            if "Content-Type" not in dict(headers):
                argv += ["-H", "Content-Type:"]
        s.write("h2.body", "")
        done = subprocess.run(argv, input=body or b"",
                              stdout=subprocess.PIPE, check=True, timeout=20)
        lines = s.read("h2.head").splitlines()
        pairs = [tuple(x.split(": ", 1)) for x in lines[1:] if ": " in x]
        with open(s.path("h2.body"), "rb") as f:
            text = b"" if method == "HEAD" else f.read()
        if done.stdout != b"2":
            raise RuntimeError("HTTP %r" % done.stdout)
        return h.Answer(int(lines[0].split()[1]), [
            (k.title(), v) for k, v in pairs], text)
    return ask


def over_http(port):
    def ask(method, target, headers=(), body=None):
        return guards.ask(port, method, target, headers, body)
    return ask


def nginx(columns):
    edits = dict(UNLIMITED)
    edits[" ssl;"] = " ssl http2;"
    with h.Service(nginx=False) as s:
        port = h.free_port()
        s.start_nginx(edits, servers=API.format(port=port))
        columns[front_cases.NGINX] = front_cases.check(
            front_cases.NGINX, over_http(s.port), s.token())
        front_cases.check(front_cases.NGINX, over_http(port), s.token(),
                          PREFIX)
        columns[front_cases.NGINX].update(
            front_cases.check_raw(front_cases.NGINX, s.port))
        columns[front_cases.HTTP2] = front_cases.check(
            front_cases.HTTP2, over_http2(s), s.token())


def token_at(s, port, prefix=""):
    s.port = port
    answer = s.http("POST", prefix + "/0.1/token", {"backend": "users_file"},
                    login=h.LOGIN)
    if not h.eq(answer.status, 200, "a login", answer):
        raise h.SkipAll("no login")
    return answer.data["token"]


def apache(columns):
    for prefix in ("", PREFIX):
        with h.Service(nginx=False) as s:
            port, server = guards.start_apache(
                s, guards.proxy_config(s, prefix),
                modules=guards.PROXY_MODULES)
            token = token_at(s, port, prefix)
            rows = front_cases.check(front_cases.APACHE, over_http(port),
                                     token, prefix)
            rows.update(front_cases.check_raw(front_cases.APACHE, port,
                                              prefix))
            columns.setdefault(front_cases.APACHE, rows)
            if prefix:
                h.eq(s.http("GET", "/x").status, 404, "the rest is not ours")
            away(s, prefix)
            server.stop()
            log = s.read("access.log")
            h.has(log, '"GET %s/0.1/token/***" 200' % prefix,
                  "the log has a line, masked")
            h.lacks(log + s.read("apache-error.log"), token,
                    "no log has a token")


def away(s, prefix):
    """The pools end under Apache."""
    for p in s.pools["check"]:
        p.stop()
    s.sockets[0].close()
    for method in ("GET", "HEAD"):
        answer = s.http(method, prefix + "/0.1/status")
        h.eq((answer.status, answer.get("Retry-After"),
              answer.get("Content-Type")), (503, "1", "application/json"),
             method + " without a pool", answer)
    h.eq(s.http("GET", prefix + "/0.1/status").reason, "Service unavailable",
         "in our words")


def fcgid(columns):
    with h.Service(check=0, login=0, nginx=False) as s:
        config, more = guards.fcgid_config(s)
        port, _ = guards.start_apache(s, config + more,
                                      modules=guards.FCGID_MODULES)
        columns[front_cases.FCGID] = front_cases.check(
            front_cases.FCGID, over_http(port), token_at(s, port))
        columns[front_cases.FCGID].update(
            front_cases.check_raw(front_cases.FCGID, port))


def lighttpd(columns):
    for prefix in ("", PREFIX):
        with h.Service(nginx=False) as s:
            config = guards.shipped("lighttpd-responder.conf", {
                "/run/xivo-auth/check.sock": s.check_socket,
                "/run/xivo-auth/login.sock": s.login_socket})
            if prefix:
                config = config.replace('"^/"', '"^%s/"' % prefix)
                config = config.replace('"/" =>', '"%s" =>' % prefix)
            port, _ = guards.start_lighttpd(s, config)
            token = token_at(s, port, prefix)
            rows = front_cases.check(front_cases.LIGHTTPD, over_http(port),
                                     token, prefix)
            rows.update(front_cases.check_raw(front_cases.LIGHTTPD, port,
                                              prefix))
            columns.setdefault(front_cases.LIGHTTPD, rows)
            for p in s.pools["check"]:
                p.stop()
            s.sockets[0].close()
            h.eq(s.http("GET", prefix + "/0.1/token/" + token,
                        judged=False).status, 503,
                 "lighttpd: a pool that is away, told in HTML")
            h.lacks(s.read("lighttpd-error.log"), token,
                    "lighttpd: no token in its log")


def main():
    columns = {}
    for server in (nginx, apache, fcgid, lighttpd):
        try:
            server(columns)
        except h.SkipAll as why:
            h.skip(why, server.__name__)
    if os.environ.get("XA_TABLE") == "1":
        h.diag(*front_cases.table(columns))


h.run(main)
