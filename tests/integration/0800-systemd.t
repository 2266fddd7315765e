#!/usr/bin/env python3
# 0800-systemd.t - the units: sound, closed, and able to hand over a socket. SPDX-License-Identifier: GPL-3.0-or-later
import glob
import os
import re
import shlex
import shutil
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


def main():
    h.need("systemd-analyze", "systemd-socket-activate")
    for program in ("xivo-auth-fcgi", "xivo-auth-expiryd"):
        h.program(program)
    with h.Service(check=0, login=0, nginx=False) as s:
        copy_units(s.path("units"))
        sound(s.path("units"))
        closed(s.path("units"))
        handed_over(s)
        shutil.rmtree(s.path("units"))


h.run(main)
