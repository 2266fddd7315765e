#!/usr/bin/env python3
# 0144-core-dumps.t - no program of ours leaves a core file, or lets its user look inside. SPDX-License-Identifier: GPL-3.0-or-later
import contextlib
import os
import pwd
import re
import resource
import signal
import subprocess

import harness as h
import memory

CORE = resource.RLIMIT_CORE


def who():
    """Whom to be: what is in /proc of a process belongs to its user, and to
    root when it is not dumpable. Of root's own that tells nothing."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


class Service(h.Service):
    """As somebody else than root, in the folder of the test."""

    def process(self, name, argv, **how):
        return super().process(name, argv, cwd=self.dir, **dict(how, **who()))

    def give_away(self):
        for folder, _folders, names in os.walk(self.dir if who() else ""):
            for path in [folder] + [os.path.join(folder, n) for n in names]:
                os.chown(path, who()["user"], who()["group"])


def core_limit(pid):
    """(soft, hard)"""
    with open("/proc/%d/limits" % pid) as f:
        return re.search(r"Max core file size +(\w+) +(\w+)", f.read()).groups()


def owner(pid):
    return os.stat("/proc/%d/environ" % pid).st_uid


def asking(s):
    """xivo-authctl, waiting for a token on its standard input."""
    p = subprocess.Popen(
        [h.program("xivo-authctl"), "-c", s.config, "token", "check", "-"],
        stdin=subprocess.PIPE, env=s.env, cwd=s.dir, **who())
    with contextlib.suppress(TimeoutError):
        h.until(lambda: core_limit(p.pid) == ("0", "0") and
                (memory.is_sanitized() or owner(p.pid) == 0),
                "xivo-authctl", 10)
    return p


def dumps_core(popen):
    """Crash it; whether there was a core file."""
    os.kill(popen.pid, signal.SIGSEGV)
    _pid, status = os.waitpid(popen.pid, 0)
    popen.returncode = -os.WTERMSIG(status)  # nobody else is to wait for it
    if popen.returncode != -signal.SIGSEGV:
        raise RuntimeError("it ended by %d" % status)
    return os.WCOREDUMP(status)


def look(name, popen):
    h.eq(core_limit(popen.pid), ("0", "0"), name + " has a limit of 0")
    if memory.is_sanitized():
        h.skip("its leak check is a debugger", "it is not dumpable")
    else:
        h.eq(owner(popen.pid), 0, "it is not dumpable")


def crash(s, processes):
    if memory.is_sanitized():
        h.skip("AddressSanitizer takes the signal of a crash", "no core file")
        return
    with subprocess.Popen(["cat"], cwd=s.dir, stdout=subprocess.DEVNULL,
                          stdin=subprocess.PIPE, **who()) as other:
        h.eq(owner(other.pid), other_owner(), "as another program is")
        if not dumps_core(other):
            h.skip("this machine makes no core files", "no core file")
            return
    for name, popen in processes.items():
        h.ok(not dumps_core(popen), name + " leaves no core file")


def other_owner():
    return who().get("user", os.geteuid())


def become_another(s):
    """What a process is after a change of user, fs.suid_dumpable says."""
    if not who():
        h.skip("only root becomes another", "nor after a change of user")
        return
    p = h.Service.process(s, "another", [
        h.program("xivo-auth-expiryd"), "-f", "-c", s.config, "-u", "nobody"])
    ready = "xivo-auth-expiryd[%d] INFO expiryd.started" % p.pid
    h.until(lambda: ready in s.read("xivo-auth.log") or not p.alive(), ready,
            20)
    with open("/proc/%d/status" % p.pid) as f:
        uid = re.search(r"Uid:\s+(\d+)", f.read())[1]
    h.eq(uid, str(who()["user"]), "a daemon became nobody", p.said())
    look("it", p)


def main():
    resource.setrlimit(CORE, (resource.getrlimit(CORE)[1],) * 2)
    with Service(check=1, login=1, daemon=True, start=False,
                 nginx=False) as s:
        s.give_away()
        s.start()
        for p in s.processes:
            p.expected |= {-signal.SIGSEGV, -signal.SIGKILL}
        ctl = asking(s)
        processes = {"a pool": s.pools["check"][0].popen,
                     "the pool of logins": s.pools["login"][0].popen,
                     "the daemon": s.processes[-1].popen,
                     "xivo-authctl": ctl}
        try:
            for name, popen in processes.items():
                look(name, popen)
            crash(s, processes)
        finally:
            for popen in processes.values():
                popen.kill()
            ctl.stdin.close()
            ctl.wait()
        become_another(s)


h.run(main)
