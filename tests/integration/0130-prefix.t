#!/usr/bin/env python3
# 0130-prefix.t - the service below /api/auth/ of another server. SPDX-License-Identifier: GPL-3.0-or-later
import harness as h

OTHER_SERVER = """
    log_format careless '$request';
    server {{
        listen 127.0.0.1:{port};
        access_log {dir}/other.log careless;
        error_page 404 /own-404;
        location = /own-404 {{ internal; return 404 "not ours"; }}
        location / {{ return 200 "another service"; }}
        location = /missing {{ return 404; }}
        include snippets/xivo-auth-locations.conf;
        include snippets/xivo-auth-api.conf;
    }}
"""


def raw(path, method="GET"):
    return ("%s %s HTTP/1.1\r\nHost: a\r\n\r\n" % (method, path)).encode()


def main():
    with h.Service(nginx=False) as s:
        port = h.free_port()
        s.start_nginx(servers=OTHER_SERVER.format(port=port, dir=s.dir))
        s.port = port
        h.eq(s.http("GET", "/0.1/status").body, b"another service",
             "the rest of the server is not ours")
        h.eq(s.http("GET", "/missing").body, b"not ours",
             "its own error pages stay its own")

        answer = s.http("POST", "/api/auth/0.1/token",
                        {"backend": "users_file"}, login=h.LOGIN)
        if not h.eq(answer.status, 200, "a login below the prefix", answer):
            return
        path = "/api/auth/0.1/token/" + answer.data["token"]
        h.eq(s.http("GET", path).data, answer.data, "GET")
        h.eq(s.http("HEAD", path).status, 204, "HEAD")
        h.eq(s.http("HEAD", path + "?scope=no").status, 403, "a scope")
        h.eq(s.http("GET", "/api/auth/0.1/status").status, 200, "status")
        h.eq(s.http("GET", "/api/auth/0.1/backends").status, 200, "backends")
        h.eq(s.http("GET", "/api/auth/0.1/api/api.yml").status, 200,
             "api.yml")
        for bad in ("/api/auth/", "/api/auth/0.1", "/api/auth/api/auth/0.1/"
                    "status", "/api/auth//0.1/status",
                    "/api/auth/0.1//status", "/api/auth/0.1/x/../status",
                    "/api/auth/0.1%2Fstatus", "//api/auth/0.1/status",
                    "/x/../api/auth/0.1/status"):
            answer = s.raw(raw(bad))
            h.eq((answer.status, answer.reason), (404, "Not found"),
                 "path %r is not mended" % bad, answer)
        for out in ("/api/auth/../x", "/api/auth/..%2fx", "/api/authx/x"):
            h.eq(s.raw(raw(out)).body, b"another service",
                 "path %r leads elsewhere" % out)
        for internal in ("check", "probe", "login", "error"):
            h.eq(s.http("GET", "/xivo-auth/" + internal).status, 404,
                 "nobody enters by /xivo-auth/" + internal)
        answer = s.http("POST", "/api/auth/0.1/token", b" " * 17000)
        h.eq((answer.status, answer.reason), (413, "Request body too large"),
             "the limit of a body holds here, too")
        h.eq(s.http("DELETE", path).status, 200, "DELETE")
        h.eq(s.http("GET", path).reason, "No such token", "and it is gone")

        for p in s.pools["check"]:
            p.stop()
        s.sockets[0].close()
        answer = s.http("GET", path)
        h.eq((answer.status, answer.reason), (503, "Service unavailable"),
             "a pool that is away is told in our words")
        token = path.rpartition("/")[2]
        s.flush_access_log()
        h.lacks(s.read("other.log"), token, "the other server's log has no "
                "token")
        h.lacks(s.read("access.log"), token, "nor has ours")
        h.has(s.read("access.log"), "GET /api/auth/0.1/token/***",
              "but a masked line")


h.run(main)
