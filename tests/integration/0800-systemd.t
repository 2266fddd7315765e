#!/usr/bin/env python3
# 0800-systemd.t - the units: sound, closed, and able to hand over a socket. SPDX-License-Identifier: GPL-3.0-or-later
import glob
import os
import re
import shlex
import shutil
import signal
import subprocess

import harness as h

UNITS = os.path.join(h.BUILD, "scripts", "systemd")
SERVICES = ("xivo-auth-check@.service", "xivo-auth-login@.service",
            "xivo-auth-expiryd.service")


def lines(name, key):
    with open(os.path.join(UNITS, name), encoding="utf-8") as unit:
        return re.findall(r"^%s=(.*)$" % key, unit.read(), re.M)


def copy_units(folder):
    """Units whose programs are there, as they are once installed."""
    os.mkdir(folder)
    for path in glob.glob(UNITS + "/xivo-auth*"):
        with open(path, encoding="utf-8") as unit:
            text = unit.read()
        text = re.sub(r"/\S*/(xivo-auth-(fcgi|expiryd))\b",
                      lambda m: h.program(m[1]), text)
        # A manual that is not installed is no fault of the unit.
        text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M)
        with open(os.path.join(folder, os.path.basename(path)), "w",
                  encoding="utf-8") as unit:
            unit.write(text)


def analyze(folder, *args):
    done = subprocess.run(("systemd-analyze",) + args, cwd=folder,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", timeout=60, check=False,
                          env=dict(os.environ, LC_ALL="C.UTF-8"))
    return done.returncode, done.stdout


def sound(folder):
    names = ["./" + name for name in sorted(os.listdir(folder))]
    code, said = analyze(folder, "verify", *names)
    # Other units of the machine may have faults of their own.
    ours = [line for line in said.splitlines() if "xivo-auth" in line]
    h.eq((code, ours), (0, []), "systemd-analyze verify", said)


def closed(folder):
    for name in SERVICES:
        code, said = analyze(folder, "security", "--offline=yes",
                             "--threshold=20", "./" + name)
        h.eq(code, 0, "%s is exposed by 2.0 at most" % name, said[-2000:])


def weighed():
    """Weights count among the units of one slice, and systemd makes a slice
    for each template unless a unit names its own."""
    weight = {}
    for which in ("check", "login"):
        name = "xivo-auth-%s@.service" % which
        h.eq(lines(name, "Slice"), ["system.slice"],
             "%s: beside all others, not in a slice of its template" % name)
        weight[which], = map(int, lines(name, "CPUWeight"))
    h.ok(weight["login"] < weight["check"], "checks come before logins", weight)


def in_time():
    """A clock that is right only later would cost living tokens: at its start
    the daemon has none to compare it with."""
    h.has(" ".join(lines("xivo-auth-expiryd.service", "After")).split(),
          "time-sync.target", "the daemon starts when the clock is set")


def handed_over(s):
    """What systemd does with the socket: descriptor 3, then ExecStart."""
    start, = lines("xivo-auth-check@.service", "ExecStart")
    h.eq(lines("xivo-auth-check@.service", "StandardInput"), [],
         "systemd does not touch the flags of the socket")
    h.eq(lines("xivo-auth-check@.service", "NonBlocking"), ["yes"],
         "and it is not blocking")
    argv = [word.replace("$$", "$") for word in shlex.split(start)]
    argv[-1] = h.program("xivo-auth-fcgi")
    for which in ("check", "login"):
        h.eq(lines("xivo-auth-%s@.service" % which, "ExecStart"), [start],
             "%s starts by that line" % which)
    process = s.process("activate", [
        "systemd-socket-activate", "-E", "XIVO_AUTH_CONFIG=" +
        s.path("config.yml"), "-l", s.path("check.sock")] + argv)
    h.until(lambda: os.path.exists(s.path("check.sock")), "the socket")
    h.eq(s.ask("GET", "/0.1/backends").status, 200,
         "a request that waited is answered", process.said())
    with open("/proc/%d/fdinfo/0" % process.pid, encoding="ascii") as info:
        flags = int(re.search(r"flags:\s*(\d+)", info.read())[1], 8)
    h.ok(flags & os.O_NONBLOCK, "accept() never waits", oct(flags))
    h.ok(not os.path.exists("/proc/%d/fd/3" % process.pid) or
         os.readlink("/proc/%d/fd/3" % process.pid) !=
         os.readlink("/proc/%d/fd/0" % process.pid),
         "the socket is open once")
    h.eq(process.stop(), 0, "and the process ends as told")


def calls_of(group, seen):
    """The system calls of a group of systemd's, groups in it too."""
    _, said = analyze("/", "syscall-filter", group)
    for name in said.split("\n")[1:]:
        name = name.strip()
        if name.startswith("@"):
            calls_of(name, seen)
        elif name and not name.startswith("#"):
            seen.add(name)
    return seen


def needs_no_more(s):
    """What a login, a check and a sweep call, against SystemCallFilter."""
    strace = shutil.which("strace")
    with open(h.program("xivo-auth-fcgi"), "rb") as program:
        if not strace or b"__asan_init" in program.read():
            return h.skip("no strace, or a sanitizer that it breaks",
                          "the calls are in the filter")
    if subprocess.run([strace, "-qq", "-o", "/dev/null", "true"],
                      stderr=subprocess.DEVNULL, check=False).returncode:
        return h.skip("strace may not trace", "the calls are in the filter")
    allow, deny = lines("xivo-auth-check@.service", "SystemCallFilter")
    allowed = calls_of(allow, set())
    for group in deny.lstrip("~").split():
        allowed -= calls_of(group, set())
    # A store's file keeps the group of its maker when this is refused.
    allowed.add("fchown")

    def traced(name, *args, **how):
        return s.process(name, [strace, "-f", "-qq", "-I", "2", "-o",
                                s.path(name + ".trace"), *args], **how)

    os.unlink(s.check_socket)
    listening = h.listen_on(s.check_socket)
    pool = traced("pool", h.program("xivo-auth-fcgi"), "-c", s.config,
                  stdin=listening)
    for backend, login in (("users_file", h.LOGIN), ("mock", h.MOCK_LOGIN)):
        made = s.ask("POST", "/0.1/token", b'{"backend": "%s"}'
                     % backend.encode(),
                     headers={"Authorization": h.basic(*login)})
        h.eq(made.status, 200, "%s while it is traced" % backend, made)
        path = "/0.1/token/" + made.data["token"]
        h.eq([s.ask(method, path).status
              for method in ("HEAD", "GET", "DELETE")], [204, 200, 200],
             "checks while it is traced")
    with open("/proc/%d/task/%d/children" % (pool.pid, pool.pid),
              encoding="ascii") as children:
        os.kill(int(children.read().split()[0]), signal.SIGTERM)
    h.eq(pool.popen.wait(10), 0, "it ends")
    listening.close()
    daemon = traced("daemon", h.program("xivo-auth-expiryd"), "-c", s.config,
                    "--once")
    h.eq(daemon.popen.wait(20), 0, "a sweep while it is traced")
    for name in ("pool", "daemon"):
        trace = s.read(name + ".trace")
        used = set(re.findall(r"^\d+ +([a-z0-9_]+)\(", trace, re.M))
        h.ok(len(used) > 20, "%s: calls were seen" % name, used)
        h.eq(sorted(used - allowed), [],
             "%s: SystemCallFilter allows them" % name)
        h.eq([line for line in trace.splitlines() if "PROT_EXEC" in line and
              ("PROT_WRITE" in line or "mprotect" in line)], [],
             "%s: MemoryDenyWriteExecute allows its memory" % name)


def main():
    h.need("systemd-analyze", "systemd-socket-activate")
    for program in ("xivo-auth-fcgi", "xivo-auth-expiryd"):
        h.program(program)
    with h.Service(check=0, login=0, nginx=False) as s:
        copy_units(s.path("units"))
        sound(s.path("units"))
        closed(s.path("units"))
        weighed()
        in_time()
        handed_over(s)
        needs_no_more(s)
        shutil.rmtree(s.path("units"))


h.run(main)
