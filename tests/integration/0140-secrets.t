#!/usr/bin/env python3
# 0140-secrets.t - no token and no password in any log. SPDX-License-Identifier: GPL-3.0-or-later
import hashlib
import os

import harness as h

PASSWORD = "Xq7-the-password-9zK"
HASH = ("$6$rounds=1000$tests$PFmE9ul64udlXFmLdmicvWqxviRtOXmKyeNEa9YmZkEI5"
        "z6Anro5BS1m3qtxA/itNgKd2TRinNTchWSMLlhMc/")


def visits(s, token):
    """Every way to bring a token or a password before nginx."""
    escaped = "%{:02x}{}".format(ord(token[0]), token[1:])
    paths = ["/0.1/token/" + token, "/0.1/token/" + token.upper(),
             "/0.1/token/" + token + "?scope=confd.users.me.read",
             "/0.1/token/" + token + "/x",
             "/" + token + "/token/x", "/0.1/token/" + token + "/token/x", "/0.1/token//" + token,
             "/0.1/%74oken/" + token, "/0.1/token/" + escaped,
             "/0.1/%74oken/" + escaped, "/0.1/tokens/" + token,
             "/" + token, "/0.1/status?token=" + token,
             "/0.1/token/x?scope=" + token, "/0.1/token/%20" + token,
             "/0.1/token/x?token=" + escaped,
             "/0.1/token/" + token.replace("-", ""),
             "/" + "x/" * 3900 + "token/" + token,
             "/api/auth/0.1/token/" + token]
    for path in paths:
        for method in ("GET", "HEAD", "PUT", "OPTIONS"):
            s.http(method, path)
    s.http("GET", "/0.1/authorize", headers={"X-Auth-Token": token})
    s.http("GET", "/0.1/authorize", headers={
        "Authorization": "Bearer " + token,
        "Referer": "https://localhost/0.1/token/" + token,
        "User-Agent": "curl " + token})
    s.http("POST", "/0.1/token", {"backend": token}, login=("alice", PASSWORD))
    for login in (token, token.upper()):
        s.login((login, PASSWORD))
    s.http("POST", "/0.1/token", {"password": PASSWORD},
           login=(PASSWORD, token))
    for backend in ("mock", "broken_verify_password", "broken_init"):
        s.http("POST", "/0.1/token", {"backend": backend},
               login=("alice", PASSWORD))
    s.http("POST", "/0.1/token", b'{"backend": "' + PASSWORD.encode(),
           login=("alice", PASSWORD))
    for line in ("GET /0.1/token/%s HTTP/1.1\r\nbroken\r\n\r\n",
                 "GET /0.1/token/%s HTTP/9.9\r\n\r\n",
                 "GET http://localhost/0.1/token/%s HTTP/1.1\r\n"
                 "Host: a\r\n\r\n",
                 "GET /0.1/token/%s HTTP/1.1\r\nHost: a\r\nX: "
                 + "x" * 9000 + "\r\n\r\n"):
        s.raw((line % token).encode())


def logs(s):
    """All that anybody wrote, name by name."""
    names = [n for n in os.listdir(s.dir) if n.endswith((".log", ".err"))]
    return {n: s.read(n) for n in names}


def search(s, tokens, when):
    for name, text in sorted(logs(s).items()):
        low = text.lower()
        secrets = {"password": PASSWORD.lower(),
                   "Basic": h.basic("alice", PASSWORD).split()[1].lower()}
        for i, token in enumerate(tokens):
            secrets["token %d" % i] = token
            secrets["bare token %d" % i] = token.replace("-", "")
            secrets["escaped token %d" % i] = token[1:]
        found = [k for k, v in secrets.items() if v in low]
        lines = [line for line in low.splitlines()
                 if any(secrets[k] in line for k in found)]
        h.eq(found, [], "%s has no secret, %s" % (name, when), *lines[:5])


def main():
    hasty = {"rate=10r/s": "rate=10000r/s"}
    config = {"log_level": "debug",
              "enabled_plugins": ["users_file", "mock", "broken_init",
                                  "broken_verify_password"]}
    users = {"alice": dict(h.ALICE, password=HASH)}
    with h.Service(config, users, edits=hasty, daemon=True) as s:
        token = s.token(login=("alice", PASSWORD))
        short = s.token(login=("alice", PASSWORD), expiration=1)
        visits(s, token)
        key = hashlib.sha256(token.encode()).hexdigest()[:12]
        h.has(s.read("xivo-auth.log"), key,
              "our log names a token by its key")
        expired = hashlib.sha256(short.encode()).hexdigest()
        h.until(lambda: s.http("HEAD", "/0.1/token/" + short).status == 404,
                "the end of a token")
        s.http("DELETE", "/0.1/token/" + token)
        s.flush_access_log()
        h.has(s.read("access.log"), "/0.1/token/***", "nginx's log masks")
        h.has(s.read("access.log"), "HEAD /0.1/status?(hidden)", "and hides")
        search(s, [token, short], "all being well")

        # What nginx says when the pools are away names the request, too.
        for which in ("check", "login"):
            for p in s.pools[which]:
                p.stop()
            os.unlink(getattr(s, which + "_socket"))
        visits(s, token)
        s.flush_access_log()
        search(s, [token, short], "the pools being away")

        kept = b""
        for folder, _folders, names in os.walk(s.path("store")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    kept += f.read()
        h.ok(token.encode() not in kept and short.encode() not in kept,
             "nor does the store hold a token")
        h.ok(len(expired) == 64 and kept, "which is there")


h.run(main)
