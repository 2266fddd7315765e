#!/usr/bin/env python3
# 0832-short-io.t - bytes come and go few at a time: nobody notices. SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel that reads and writes a few bytes in one call, interrupts every
other one, and says of each close() that something went wrong
(tests/modules/short_io.c). All works as usual, over both stores."""

import json
import os
import re

import consul
import harness as h
import pamlab

MOST = 7  # bytes in one call


def kernel():
    """The environment of who lives with it."""
    path = os.path.join(h.BUILD, "tests/modules/.libs/short_io.so")
    if not os.path.exists(path):
        raise h.SkipAll("short_io.so is not built")
    return {"LD_PRELOAD": ":".join(pamlab.sanitizer() + [path]),
            "XA_SHORT_IO": str(MOST)}


def requests(s, name):
    """Twenty rounds on kept connections, and on new ones."""
    wrong = []
    with s.connect() as kept:
        for n in range(20):
            ask = kept.request if n % 2 else s.ask
            made = ask("POST", "/0.1/token", b'{"backend": "users_file"}',
                       headers={"Authorization": h.basic(*h.LOGIN)})
            path = "/0.1/token/" + made.data["token"]
            got = [made.status] + [ask(method, path).status for method in (
                "GET", "HEAD", "DELETE", "GET")]
            if got != [200, 200, 204, 200, 404]:
                wrong.append(got)
        document = kept.request("GET", "/0.1/api/api.yml")
    h.eq(wrong, [], name + ": each answer is the right one")
    h.ok(document.status == 200 and
         document.body.decode().rstrip().endswith("\n" + last_line()),
         name + ": a long one is whole", document)


def last_line():
    with open(os.path.join(h.SOURCE, "fcgi", "api.yml"),
              encoding="utf-8") as f:
        return f.read().rstrip().rsplit("\n", 1)[1]


def commands(s, name):
    def run(*args, **how):
        done = s.run_program("xivo-authctl", "-c", s.config, "--json", *args,
                             **how)
        h.eq(done.returncode, 0, "%s: %s" % (name, " ".join(args[:2])),
             done.stdout, done.stderr)
        return done

    made = json.loads(run("token", "new", "--backend", "users_file",
                          "--login", h.LOGIN[0],
                          input=h.LOGIN[1] + "\n").stdout)["token"]
    run("token", "check", "-", input=made + "\n")
    run("token", "revoke", "-", input=made + "\n")
    h.eq(json.loads(run("store", "check").stdout)["tokens"], 0,
         name + ": nothing is left")
    done = s.run_program("xivo-auth-expiryd", "-c", s.config, "--once")
    h.eq(done.returncode, 0, name + ": a sweep", done.stderr)


def files(s, process):
    """How many it has open, when it is done with all connections but one."""
    with s.connect() as c:
        c.request("GET", "/0.1/backends")
        return len(os.listdir("/proc/%d/fd" % process.pid))


def works(s, name):
    process = s.pools["check"][0]
    requests(s, name)
    if os.geteuid() == 0:  # nobody else may look
        before = files(s, process)
        requests(s, name + ", again")
        h.eq(files(s, process), before,
             name + ": no descriptor is left open, and none closed twice")
    commands(s, name)
    odd = [x for x in s.read("xivo-auth.log").splitlines() if not re.match(
        r"\d{4}-\S+Z xivo-auth\S*\[\d+\] [A-Z]+ [a-z_]+\.[a-z_]+ ", x)]
    h.eq(odd, [], name + ": the lines of the log are whole")


def main():
    env = kernel()
    with h.Service({"store": {"lmdb": {"sync": True}}}, nginx=False, check=1,
                   login=0, env=env) as s:
        works(s, "LMDB")
    with consul.Consul() as c, \
            h.Service(c.config(), nginx=False, check=1, login=0,
                      env=env) as s:
        works(s, "Consul")


h.run(main, 200)
