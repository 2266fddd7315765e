#!/usr/bin/env python3
# 0170-guard.t - auth_request: other locations behind a token. SPDX-License-Identifier: GPL-3.0-or-later
import harness as h

SERVER = """
    server {{
        listen 127.0.0.1:{port};
        access_log {dir}/other.log xivo_auth;
        include snippets/xivo-auth-locations.conf;
        include snippets/xivo-auth-guard.conf;
        location /private/ {{
            set $xivo_auth_scope dird.private.me.read;
            auth_request /xivo-auth/guard;
            auth_request_set $xivo_auth_id $upstream_http_x_auth_id;
            auth_request_set $xivo_auth_user
                             $upstream_http_x_auth_user_uuid;
            add_header Seen "$xivo_auth_id $xivo_auth_user" always;
            client_max_body_size 1m;
            try_files /none @inside;
        }}
        location @inside {{ return 200 "inside"; }}
        location /secret/ {{
            set $xivo_auth_scope dird.secret.me.read;
            auth_request /xivo-auth/guard;
            try_files /none @inside;
        }}
        location /unset/ {{
            auth_request /xivo-auth/guard;
            try_files /none @inside;
        }}
    }}
"""


def main():
    users = {"alice": h.ALICE, "root": dict(h.ALICE, acls=["#"])}
    with h.Service(users=users, nginx=False) as s:
        port = h.free_port()
        s.start_nginx(servers=SERVER.format(port=port, dir=s.dir), relay=True)
        token = s.token()
        ends = s.token(expiration=1)
        all_ = s.token(login=("root", h.LOGIN[1]))
        s.port = port

        def get(path, headers, method="GET", body=None):
            return s.http(method, path, body, headers=headers)

        mine = {"X-Auth-Token": token}
        answer = get("/private/x", mine)
        h.eq((answer.status, answer.body), (200, b"inside"),
             "a token opens the door", answer)
        bearer = {"Authorization": "Bearer " + token}
        h.eq(get("/private/x", bearer).status, 200, "as a bearer's, too")
        for path in ("/private/x?scope=none", "/private/%2e%2e/private/",
                     "/private/x?scope=a&scope=b", "/private//x"):
            h.eq(get(path, mine).status, 200, "%r changes nothing" % path)
        for method, body in (("POST", b"x" * 100000), ("PUT", b"x"),
                             ("DELETE", None), ("OPTIONS", None)):
            answer = get("/private/x", mine, method, body)
            h.eq(answer.body, b"inside", method + " with its body passes")

        for what, headers in (
                ("no token", {}), ("an unknown token",
                                   {"X-Auth-Token": h.TOKEN}),
                ("no UUID", {"X-Auth-Token": "x"}),
                ("two in one", {"X-Auth-Token": token + ", " + token}),
                ("a password", {"Authorization": h.basic(*h.LOGIN)}),
                ("a scope of his own", {"XIVO-AUTH-SCOPE": "x"})):
            answer = get("/private/x", headers)
            h.eq(answer.status, 401, what + " is 401", answer)
            h.ok((answer.get("WWW-Authenticate") or "").startswith("Bearer"),
                 what + " is asked for a bearer", answer)
        h.eq(get("/secret/x", mine).status, 403, "a missing ACL is 403")
        h.eq(get("/secret/x?scope=dird.private.me.read", mine).status, 403,
             "which no query can lend")
        h.eq(get("/secret/x", dict(mine, XIVO_AUTH_SCOPE="confd.users.me"
                                                         ".read")).status,
             403, "nor a header")
        h.eq(get("/unset/x", mine).status, 403, "no scope set: nobody enters")
        h.eq(get("/secret/x", {"X-Auth-Token": all_}).status, 200,
             "who may do everything enters what has a scope")
        h.eq(get("/unset/x", {"X-Auth-Token": all_}).status, 403,
             "but not what has none")
        h.eq(get("/xivo-auth/guard", mine).status, 404,
             "nobody asks the guard himself")
        h.until(lambda: get("/private/x", {"X-Auth-Token": ends}).status ==
                401, "the end of a token")

        before = s.relay.accepted
        opened = {get("/private/x", mine).status for _ in range(300)}
        h.ok(s.relay.accepted - before <= 10 and opened == {200},
             "300 visits open few connections",
             s.relay.accepted - before, opened)
        for p in s.pools["check"]:
            p.stop()
        s.sockets[0].close()
        h.eq(get("/private/x", mine).status, 500,
             "nobody enters while the service is away")
        s.flush_access_log()
        for name in ("other.log", "access.log", "nginx-error.log",
                     "xivo-auth.log"):
            h.lacks(s.read(name), token, name + " has no token")


h.run(main)
