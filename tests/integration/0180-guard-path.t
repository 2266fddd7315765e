#!/usr/bin/env python3
# 0180-guard-path.t - auth_request with ACLs made from paths. SPDX-License-Identifier: GPL-3.0-or-later
import guards
import harness as h

SERVER = """
    server {{
        listen 127.0.0.1:{port};
        access_log off;
        include snippets/xivo-auth-locations.conf;
        include snippets/xivo-auth-guard-path.conf;
        location / {{
            set $xivo_auth_scope_prefix site;
            auth_request /xivo-auth/guard-path;
            auth_request_set $xivo_auth_id $upstream_http_x_auth_id;
            auth_request_set $xivo_auth_user
                             $upstream_http_x_auth_user_uuid;
            proxy_set_header X-Auth-Id $xivo_auth_id;
            proxy_set_header X-Auth-User-Uuid $xivo_auth_user;
            proxy_pass http://127.0.0.1:{inside};
        }}
        location /confd/ {{
            set $xivo_auth_scope_prefix confd;
            auth_request /xivo-auth/guard-path;
            proxy_pass http://127.0.0.1:{inside};
        }}
        location /unset/ {{
            auth_request /xivo-auth/guard-path;
            proxy_pass http://127.0.0.1:{inside};
        }}
    }}
"""
CONFIG = {"log_level": "debug", "authorize": {"paths": [{"path": "/confd/1.1", "as": "/"}]}}


def main():
    users = {"alice": dict(h.ALICE, acls=guards.ACLS + [
        "confd.users.42.read"])}
    inside = guards.Inside()
    with h.Service(config=CONFIG, users=users, nginx=False) as s:
        port = h.free_port()
        s.start_nginx(relay=True,
                      servers=SERVER.format(port=port, inside=inside.port))
        token = s.token()
        guards.check("nginx", port, token,
                     lambda a, m: a.status == 200 and
                     (m == "HEAD" or a.body.startswith(b"inside")))

        mine = {"X-Auth-Token": token}
        answer = guards.ask(port, "GET", "/private/users/42", dict(
            mine, **{"X-Auth-Id": "root", "X-Auth-User-Uuid": "root"}))
        h.has(answer.body.decode(), "id=%s uuid=%s" % (
            (h.ALICE["uuid"],) * 2), "it is told who comes")
        h.eq(guards.ask(port, "GET", "/confd/1.1/users/42", mine).status, 200,
             "a row of authorize.paths shapes the ACL")
        for target in ("/confd/1.1/users/43", "/confd/1.2/users/42",
                       "/confd/users/42"):
            h.eq(guards.ask(port, "GET", target, mine).status, 403,
                 target + " is another ACL")
        h.eq(guards.ask(port, "GET", "/unset/x", mine).status, 403,
             "no prefix set: nobody enters")
        h.eq(guards.ask(port, "GET", "/xivo-auth/guard-path", mine).status,
             404, "nobody asks the guard himself")

        before = s.relay.accepted
        opened = {guards.ask(port, "GET", "/private/users/42", mine).status
                  for _ in range(100)}
        h.ok(s.relay.accepted - before <= 10 and opened == {200},
             "100 visits open few connections",
             s.relay.accepted - before, opened)

        guards.ask(port, "GET", "/private/0.1/token/" + token, mine)
        h.until(lambda: 'acl="site.private.0_1.token.' in
                s.read("xivo-auth.log"), "what was asked about a token")
        h.has(s.read("xivo-auth.log"),
              'authorize.asked acl="site.private.users.42.read"',
              "the log tells at level debug what was asked for")
        h.lacks(s.read("xivo-auth.log"), token, "the log has no token")
    inside.close()


h.run(main)
