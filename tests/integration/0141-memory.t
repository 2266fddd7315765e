#!/usr/bin/env python3
# 0141-memory.t - no password stays in a process that has served a login. SPDX-License-Identifier: GPL-3.0-or-later
import base64
import re

import harness as h

PASSWORD = "Vw4-stays-nowhere-8tR"


def parts(pid):
    """What a core file of it would hold: [(name, bytes)]."""
    found = []
    with open("/proc/%d/maps" % pid) as maps, \
            open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            m = re.match(r"(\w+)-(\w+) rw\S* \S+ \S+ \S+ *(.*)", line)
            if not m:
                continue
            start, end = int(m[1], 16), int(m[2], 16)
            try:
                mem.seek(start)
                found.append((m[3] or "anonymous", mem.read(end - start)))
            except OSError:
                pass  # [vvar] and the like
    return found


def needles(login, password):
    """The bytes to look for. Base64 holds the password from any of three
    places on, so the whole is cut by a triple at both ends."""
    whole = base64.b64encode(("%s:%s" % (login, password)).encode())
    return {"password": password.encode(), "part": password[4:-4].encode(),
            "Authorization": whole[4:-4]}


def hits(pid, wanted):
    return ["%s in %s" % (what, name) for name, text in parts(pid)
            for what, bytes_ in wanted.items() if bytes_ in text]


def environment(pid):
    text = b""
    for name in ("environ", "cmdline"):
        with open("/proc/%d/%s" % (pid, name), "rb") as f:
            text += f.read()
    return text


def show(pid):
    """Can we read it at all, and is what must be there seen?"""
    try:
        return any(b"users_file" in text for _name, text in parts(pid))
    except PermissionError:
        raise h.SkipAll("only root reads a process that is not dumpable")


def sanitized():
    with open(h.program("xivo-auth-fcgi"), "rb") as f:
        return b"__asan_init" in f.read()


def main():
    if sanitized():
        raise h.SkipAll("AddressSanitizer keeps what is freed")
    config = {"log_level": "debug",
              "enabled_plugins": ["users_file", "mock"]}
    with h.Service(config, check=1, login=1) as s:
        pid = s.pools["login"][0].pid
        h.ok(show(pid), "the memory of a process can be searched")
        for what, login, backend in (
                ("a login", h.LOGIN, "users_file"),
                ("a wrong password", ("alice", PASSWORD), "users_file"),
                ("an unknown user", ("nobody", PASSWORD), "users_file"),
                ("an unknown backend", ("alice", PASSWORD), "none")):
            answer = s.login(login, backend=backend)
            wanted = needles(*login)
            if answer.status == 200:
                wanted["token"] = answer.data["token"].encode()
            try:
                h.until(lambda: not hits(pid, wanted), "no password", 1)
            except TimeoutError:
                pass
            h.eq(hits(pid, wanted), [], "nothing is left of " + what)
        s.http("POST", "/0.1/token", b'{"backend": "' + b"x" * 3000 + b'"}',
               login=("alice", PASSWORD))
        h.eq(hits(pid, needles("alice", PASSWORD)), [],
             "nor of one with a long body")
        for pool in s.pools.values():
            for p in pool:
                h.lacks(environment(p.pid).decode(), h.LOGIN[1],
                        "nor does an environment or a command line say it")


h.run(main)
