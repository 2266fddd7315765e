#!/usr/bin/env python3
# 0181-guard-apache.t - Apache's mod_authnz_fcgi. SPDX-License-Identifier: GPL-3.0-or-later
import os

import fastcgi
import guards
import harness as h


def main():
    inside = guards.Inside()
    with h.Service(users=guards.USERS, nginx=True) as s:
        token = s.token()
        pool = guards.start_tcp_pool(s)
        config = guards.shipped("apache-authorizer.conf", {
            "fcgi://127.0.0.1:9498/": "fcgi://127.0.0.1:%d/" % pool})
        os.chmod(s.dir, 0o755)
        port, apache = guards.start_apache(s, config, """
RequestHeader set X-Auth-Id %%{AUTH_ID}e
RequestHeader set X-Auth-User-Uuid %%{USER_UUID}e
ProxyPass /private http://127.0.0.1:%d/private
<Location "/private/fixed">
    SetEnvIfExpr true XIVO_AUTH_SCOPE=site.private.notes.create
</Location>
<Location "/private/shut">
    SetEnvIfExpr true XIVO_AUTH_SCOPE=another
</Location>
<Location "/unset">
    CGIPassAuth On
    AuthType Bearer
    AuthName xivo-auth
    AuthnzFcgiCheckAuthnProvider xivo_auth Authoritative On \
        RequireBasicAuth Off UserExpr "%%{reqenv:AUTH_ID}"
    Require valid-user
</Location>
""" % inside.port)
        guards.check("Apache", port, token,
                     lambda a, m: a.status == 200 and
                     (m == "HEAD" or a.body.startswith(b"inside")))
        mine = {"X-Auth-Token": token}
        answer = guards.ask(port, "GET", "/private/users/42", dict(
            mine, **{"X-Auth-Id": "root", "X-Auth-User-Uuid": "root"}))
        h.has(answer.body.decode(), "id=%s uuid=%s" % (
            (h.ALICE["uuid"],) * 2), "it is told who comes")
        h.ok(not answer.get("Cache-Control"),
             "the verdict's headers stay out of the answer", answer)

        for method, target, status in (
                ("GET", "/private/fixed/x", 200),
                ("DELETE", "/private/fixed/", 200),
                ("GET", "/private/shut/users/42", 403),
                ("GET", "/unset/x", 403),
                ("GET", "/unset/x?scope=" + guards.ACLS[1], 403)):
            answer = guards.ask(port, method, target, mine)
            h.eq(answer.status, status, "%s %s: %d" % (
                method, target, status), answer)

        # straight to the pool, as any local user could
        with Tcp(pool) as c:
            answer = c.ask(fastcgi.params_of(
                "GET", "/0.1/token/" + token), keep=True)
            h.eq(answer.status, 403, "the pool is no responder", answer)
            h.ok(c.is_closed(), "and hangs up")
        base = {"HTTP_X_AUTH_TOKEN": token, "REQUEST_METHOD": "GET",
                "REQUEST_URI": "/private/users/42",
                "XIVO_AUTH_SCOPE_PREFIX": "site"}
        for what, more, status in (
                ("the path of its own request", {}, 200),
                ("a forwarded path", {
                    "XIVO_AUTH_TRUST_FORWARDED": "1",
                    "HTTP_X_FORWARDED_METHOD": "GET",
                    "HTTP_X_FORWARDED_URI": "/private/users/42"}, 403),
                ("no rule", {"XIVO_AUTH_SCOPE_PREFIX": ""}, 403)):
            with Tcp(pool) as c:
                answer = c.ask(dict(base, **more), role=fastcgi.AUTHORIZER)
                h.eq(answer.status, status, what, answer)
                h.ok(c.is_closed(), what + ": closed after the answer")
        for p in [p for p in s.processes if p.name == "authorizer"]:
            p.stop()
        s.sockets[-1].close()
        h.ok(guards.ask(port, "GET", "/private/users/42", mine).status >= 500,
             "nobody enters while the pool is away")
        h.lacks(s.read("apache-error.log"), token, "no token in its log")
    inside.close()


class Tcp(fastcgi.Connection):
    def __init__(self, port):
        self.socket = fastcgi.socket.create_connection(
            ("127.0.0.1", port), 5)


h.run(main)
