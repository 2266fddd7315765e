# poollab.py - pools by the script that we ship. SPDX-License-Identifier: GPL-3.0-or-later
"""Start, ask and stop xivo-auth-pool in a folder of the test's own."""

import contextlib
import os
import subprocess

import harness as h

SCRIPT = os.path.join(h.SOURCE, "scripts", "xivo-auth-pool")


class Pool:
    """The script, for one run folder."""

    def __init__(self, s):
        self.s = s
        self.dir = s.path("run")
        s.check_socket = os.path.join(self.dir, "check.sock")
        s.login_socket = os.path.join(self.dir, "login.sock")

    def __call__(self, *args, **env):
        how = dict(self.s.env, XIVO_AUTH_RUN_DIR=self.dir,
                   XIVO_AUTH_CONFIG=self.s.config,
                   XIVO_AUTH_PROGRAM=h.program("xivo-auth-fcgi"))
        how.update(env)
        done = subprocess.run([SCRIPT, *args], env=how, timeout=50, text=True,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.said = done.stdout
        return done.returncode

    def expect(self, code, what, *args, **env):
        h.eq(self(*args, **env), code, what, self.said)

    def multiwatch(self, which):
        with open(os.path.join(self.dir, which + ".pid")) as f:
            return int(f.read().split()[0])

    def workers(self, which):
        parent = self.multiwatch(which)
        found = []
        for name in os.listdir("/proc"):
            with contextlib.suppress(OSError, ValueError):
                with open("/proc/%d/stat" % int(name)) as f:
                    rest = f.read().rpartition(")")[2].split()
                if int(rest[1]) == parent and rest[0] != "Z":
                    found.append(int(name))
        return sorted(found)


def fields(pid):
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rpartition(")")[2].split()


def is_gone(pid):
    try:
        return fields(pid)[0] == "Z"
    except OSError:
        return True
