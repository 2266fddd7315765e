#!/usr/bin/env python3
# 0141-memory.t - no password stays in a process that has served a login. SPDX-License-Identifier: GPL-3.0-or-later
import fastcgi
import harness as h
import memory

# So long that what is left of it is more than malloc() writes over.
PASSWORD = "Mk4-walnut.Harbor_71-pewter.Comet_26-thimble.Grove_58"
WRONG = "Vw9-cobalt.Saddle_34-lantern.Birch_87-marble.Otter_12"
HASH = ("$6$rounds=1000$tests$jPHkePhEdfZmbho5rX/CPieSA3ik6CBmheXA1D0C.v/Kx"
        "iZwQc5Qbma9dgGNvRNt8KDm9p3DwclRcjFLGF3zk/")


def left(pid, wanted):
    """What stays there, once the answer has gone out and all is tidied up."""
    try:
        h.until(lambda: not memory.hits(pid, wanted), "no password", 1)
    except TimeoutError:
        pass
    return memory.hits(pid, wanted)


def behind_management(s):
    """A login behind a record of another kind, which is looked at first."""
    body = b'{"backend": "users_file"}'
    ask = fastcgi.params_of("POST", "/0.1/token", body, {
        "Authorization": h.basic("alice", WRONG)})
    with s.connect("login") as c:
        c.send(fastcgi.record(99, bytes(4000), 0) +
               fastcgi.encode(ask, body, keep=False))
        return c.answer().status


def main():
    if memory.is_sanitized():
        raise h.SkipAll(memory.SANITIZED)
    config = {"log_level": "debug",
              "enabled_plugins": ["users_file", "mock"]}
    users = {"alice": dict(h.ALICE, password=HASH)}
    with h.Service(config, users, check=1, login=1) as s:
        pid = s.pools["login"][0].pid
        h.ok(memory.hits(pid, {"": b"users_file"}),
             "the memory of a process can be searched")
        for what, login, backend, status in (
                ("a login", ("alice", PASSWORD), "users_file", 200),
                ("a wrong password", ("alice", WRONG), "users_file", 401),
                ("an unknown user", ("nobody", WRONG), "users_file", 401),
                ("an unknown backend", ("alice", WRONG), "none", 401)):
            answer = s.login(login, backend=backend)
            h.eq(answer.status, status, what)
            wanted = memory.needles(*login)
            if answer.status == 200:
                wanted["token"] = answer.data["token"].encode()
            h.eq(left(pid, wanted), [], "nothing is left of " + what)
        s.http("POST", "/0.1/token", b'{"backend": "' + b"x" * 3000 + b'"}',
               login=("alice", WRONG))
        h.eq(left(pid, memory.needles("alice", WRONG)), [],
             "nor of one with a long body")
        h.eq(behind_management(s), 401, "a login behind a management record")
        h.eq(left(pid, memory.needles("alice", WRONG)), [],
             "leaves nothing either")
        for pool in s.pools.values():
            for p in pool:
                h.lacks(memory.seen_by_ps(p.pid), PASSWORD,
                        "nor does an environment or a command line say it")


h.run(main)
