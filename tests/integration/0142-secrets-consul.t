#!/usr/bin/env python3
# 0142-secrets-consul.t - no secret in Consul's data, nor where others look. SPDX-License-Identifier: GPL-3.0-or-later
import os

import consul
import harness as h
import memory


def bytes_below(folder):
    text = b""
    for where, _folders, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    text += f.read()
    return text


def check_memory(s, rights):
    """It goes with each request, so a process has it; but only where libcurl
    and the configuration keep it: on no stack, in no static data."""
    if memory.is_sanitized():
        h.skip(memory.SANITIZED, "Consul's token stands on the heap alone")
        return
    for p in [p for p in s.processes if p.name != "nginx"]:
        h.eq(list(memory.count(p.pid, rights.encode())), ["[heap]"],
             "%s: Consul's token stands on the heap alone" % p.name)


def main():
    with consul.Consul(acl=True) as c:
        rights = c.token(consul.DAEMON)
        config = dict(c.config(token=rights), log_level="debug")
        with h.Service(config, check=1, login=1, daemon=True) as s:
            token = s.token()
            h.eq(s.http("HEAD", "/0.1/token/" + token).status, 204,
                 "a login, and a check")
            secrets = {"the token": token, "the password": h.LOGIN[1],
                       "Basic": h.basic(*h.LOGIN).split()[1]}
            raft = bytes_below(c.dir)
            h.ok(b"xivo/xivo-auth/" in raft, "Consul's files were read")
            pairs = repr(sorted(c.pairs().items()))
            for what, secret in secrets.items():
                h.ok(secret.encode() not in raft and secret not in pairs,
                     what + " does not stand in Consul's data")
            secrets["Consul's token"] = rights
            logs = {n: s.read(n) for n in os.listdir(s.dir)
                    if n.endswith((".log", ".err"))}
            h.ok("xivo-auth.log" in logs, "there are logs")
            for what, secret in secrets.items():
                h.eq([n for n in logs if secret in logs[n]], [],
                     what + " does not stand in a log, at debug")
                h.eq([p.name for p in s.processes
                      if secret in memory.seen_by_ps(p.pid)], [],
                     "nor in an environment or a command line")
            check_memory(s, rights)


h.run(main)
