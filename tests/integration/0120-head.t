#!/usr/bin/env python3
# 0120-head.t - HEAD keeps nginx's connections and stores nothing. SPDX-License-Identifier: GPL-3.0-or-later
import os

import harness as h

CHECKS = 1000


def files(s):
    """Everything that lies in the folder, but logs, which grow."""
    found = set()
    for folder, _folders, names in os.walk(s.dir):
        found.update(os.path.join(folder, n) for n in names
                     if not n.endswith((".log", ".err")))
    return found


def nothing_is_stored(s, token):
    before = files(s)
    paths = ["/", "/0.1/token", "/0.1/token/", "/0.1/backends", "/0.1/status",
             "/0.1/api/api.yml", "/0.1/authorize", "/xivo-auth/probe",
             "/xivo-auth/check", "/0.1/token/" + token,
             "/0.1/token/" + token + "?scope=dird.me.read",
             "/0.1/token/" + token + "?scope=none",
             "/0.1/token/" + h.TOKEN, "/0.1/token/x/y",
             "/0.1/token/../status", "/0.1/token/..%2fstatus",
             "/0.1/token/%2e%2e/status", "/0.1/token//../../status",
             "/0.1/status?/0.1/token/", "/api/auth/0.1/token/" + token]
    for path in paths:
        head, get = s.http("HEAD", path), s.http("GET", path)
        want = 204 if get.status == 200 and "/token/" in path.split("?")[0] \
            else get.status
        h.eq((head.status, head.body), (want, b""), "HEAD " + path, get)
    h.eq(sorted(files(s) - before), [], "no HEAD leaves a file")
    h.lacks(s.read("nginx-error.log"), "xivo-auth", "nor a complaint")
    h.ok(not os.path.exists("/dev/null/xivo-auth"), "there is no such folder")


def connections_are_kept(s, token):
    for method, what in (("HEAD", "valid"), ("GET", "valid"),
                         ("HEAD", "unknown"), ("DELETE", "unknown")):
        path = "/0.1/token/" + (token if what == "valid" else h.TOKEN)
        s.http(method, path)
        before = s.relay.accepted
        statuses = {s.http(method, path).status for _ in range(CHECKS)}
        opened = s.relay.accepted - before
        h.ok(opened <= 10, "%d %s of a token that is %s open few connections"
             % (CHECKS, method, what), "opened: %d" % opened)
        h.eq(len(statuses), 1, "all with one status", statuses)


def main():
    with h.Service(relay=True) as s:
        token = s.token()
        nothing_is_stored(s, token)
        connections_are_kept(s, token)


h.run(main)
