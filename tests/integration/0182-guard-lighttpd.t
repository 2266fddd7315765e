#!/usr/bin/env python3
# 0182-guard-lighttpd.t - lighttpd's authorizer over the unix socket. SPDX-License-Identifier: GPL-3.0-or-later
import os

import fastcgi
import guards
import harness as h

CGI = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\ninside %s %s id=%s uuid=%s' \\
    "$REQUEST_METHOD" "$REQUEST_URI" "$AUTH_ID" "$USER_UUID"
"""


def main():
    with h.Service(users=guards.USERS) as s:
        token = s.token()
        config = guards.shipped("lighttpd-authorizer.conf", {
            "/run/xivo-auth/check.sock": s.check_socket})
        inside = s.path("htdocs", "private")
        os.makedirs(inside + "/users")
        for name in ("users/42", "notes", "a.b", "other", "fixed", "shut"):
            s.write("htdocs/private/" + name, CGI, 0o755)
        port, _lighttpd = guards.start_lighttpd(s, config + """
server.modules += ( "mod_cgi" )
$HTTP["url"] =~ "^/private/fixed" {
    setenv.set-environment = ( "XIVO_AUTH_SCOPE" => "%s" )
}
$HTTP["url"] =~ "^/private/shut" {
    setenv.set-environment = ( "XIVO_AUTH_SCOPE" => "" )
}
$HTTP["url"] =~ "^/private/" { cgi.assign = ( "" => "" ) }
""" % guards.ACLS[1])
        guards.check("lighttpd", port, token,
                     lambda a, m: a.status == 200 and
                     (m == "HEAD" or a.body.startswith(b"inside")))
        mine = {"X-Auth-Token": token}
        answer = guards.ask(port, "GET", "/private/users/42", mine)
        h.has(answer.body.decode(), "id=%s uuid=%s" % (
            (h.ALICE["uuid"],) * 2), "it is told who comes")
        for target, status in (("/private/fixed", 200),
                               ("/private/shut", 403)):
            answer = guards.ask(port, "GET", target, mine)
            h.eq(answer.status, status, "%s: %d" % (target, status), answer)
        with s.connect() as c:
            answer = c.ask({"HTTP_X_AUTH_TOKEN": token,
                            "XIVO_AUTH_SCOPE": guards.ACLS[1]},
                           role=fastcgi.AUTHORIZER, keep=True)
            h.eq((answer.status, answer.headers[1:]), (200, [
                ("Variable-AUTH_ID", h.ALICE["uuid"]),
                ("Variable-USER_UUID", h.ALICE["uuid"])]),
                "the role in short", answer)
            h.ok(c.is_closed(), "the connection is closed after the answer")
        for target, status in (("/private/users/42", 200),
                               ("/private/users/4%2f2", 403)):
            guards.ask(port, "GET", target + "?pw=hunter2", mine)
            with s.connect() as c:
                answer = c.ask({"HTTP_X_AUTH_TOKEN": token,
                                "REQUEST_METHOD": "GET",
                                "REQUEST_URI": target + "?pw=hunter2",
                                "QUERY_STRING": "pw=hunter2",
                                "XIVO_AUTH_SCOPE_PREFIX": "site"},
                               role=fastcgi.AUTHORIZER)
            h.eq(answer.status, status, "%s, with a query" % target, answer)
        for p in s.pools["check"]:
            p.stop()
        log = s.read("xivo-auth.log")
        h.has(log, 'status=200 ms=', "the status, too")
        h.has(log, 'method="GET" path="/private/users/42" query=-',
              "the path stands in the log")
        h.lacks(log, "hunter2", "but not what another program is asked")
        s.sockets[0].close()
        h.ok(guards.ask(port, "GET", "/private/users/42", mine).status >= 500,
             "nobody enters while the pool is away")
        h.lacks(s.read("lighttpd-error.log"), token, "no token in its log")


h.run(main)
