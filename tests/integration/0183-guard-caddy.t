#!/usr/bin/env python3
# 0183-guard-caddy.t - forward_auth of Caddy, and the port it asks. SPDX-License-Identifier: GPL-3.0-or-later
import os

import guards
import harness as h


def main():
    h.need("caddy")
    inside = guards.Inside()
    users = dict(guards.USERS, bob=dict(h.ALICE))
    with h.Service(users=users, nginx=False) as s:
        asked = h.free_port()
        s.start_nginx({"listen 127.0.0.1:9499;":
                       "listen 127.0.0.1:%d;" % asked},
                      servers="include snippets/xivo-auth-forward-auth.conf;")
        token = s.token()
        nobody = s.token(login=h.MOCK_LOGIN, backend="mock")
        config = guards.shipped("caddy-forward-auth.Caddyfile", {
            "127.0.0.1:9499": "127.0.0.1:%d" % asked})
        port, _caddy = guards.start_caddy(s, (config, inside.port))
        guards.check("Caddy", port, token,
                     lambda a, m: a.status == 200 and
                     (m == "HEAD" or a.body.startswith(b"inside")))
        mine = {"X-Auth-Token": token}
        for lie in ({"X-Auth-Id": "root", "X-Auth-User-Uuid": "root"},
                    {"x-auth-id": "root", "x-auth-user-uuid": "root"},
                    {"X_Auth_Id": "root", "X_Auth_User_Uuid": "root"},
                    {"X-Auth_Id": "root", "x-auth-user_uuid": "root"}):
            answer = guards.ask(port, "GET", "/private/users/42",
                                dict(mine, **lie))
            h.has(answer.body.decode(), "id=%s uuid=%s" % (
                (h.ALICE["uuid"],) * 2), "it is told who comes")

        # the port itself
        told = dict(mine, **{"X-Forwarded-Method": "GET",
                             "X-Forwarded-Uri": "/private/users/42"})
        h.eq(guards.ask(asked, "GET", "/0.1/authorize", told).status, 204,
             "who is on this machine can ask about a token that he holds")
        h.eq(guards.ask(asked, "GET", "/0.1/authorize", dict(
            told, **{"X-Auth-Token": nobody})).status, 403, "no more")
        h.eq(guards.ask(asked, "GET", "/0.1/token/" + token).status, 404,
             "and nothing else is there")
        h.eq(guards.ask(asked, "POST", "/0.1/token").status, 404,
             "no login either")
        h.eq(s.http("GET", "/0.1/authorize", headers=dict(
            told, **{"X-Auth-Token": nobody})).status, 204,
            "the site itself believes no such header: any valid token")
        with open(os.path.join(h.SOURCE, "nginx",
                               "traefik-forward-auth.yml")) as f:
            text = f.read()
        h.has(text, "UNTESTED", "Traefik's file says that it is not tested")
        h.has(text, "trustForwardHeader: false", "and trusts no visitor")
        for p in s.pools["check"]:
            p.stop()
        s.sockets[0].close()
        h.ok(guards.ask(port, "GET", "/private/users/42", mine).status >= 500,
             "nobody enters while the pool is away")
        h.lacks(s.read("caddy.err"), token, "no token in its log")
    inside.close()


h.run(main)
