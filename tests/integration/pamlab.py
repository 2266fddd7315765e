# pamlab.py - a PAM of the test's own. SPDX-License-Identifier: GPL-3.0-or-later
"""A service whose libpam reads a folder of the test, by pam_wrapper."""

import contextlib
import glob
import os
import shutil
import signal
import subprocess

import harness as h

PASSWORD = "open: s\u00e9same\u00ff :"  # everybody's, in tests/modules/pam_odd.c


def _find(pattern):
    for folder in ("/usr/lib/*", "/usr/lib64", "/usr/lib", "/usr/local/lib"):
        found = glob.glob(os.path.join(folder, pattern))
        if found:
            return found[0]
    return None


def module(name):
    """A module of pam_wrapper's, by its whole path."""
    return _find("pam_wrapper/%s.so" % name)


def sanitizer():
    """The runtime that must come before any other library, if there is
    one."""
    out = subprocess.run(["ldd", h.program("xivo-auth-fcgi")],
                         capture_output=True, text=True).stdout
    for line in out.splitlines():
        if "libasan" in line or "libclang_rt.asan" in line:
            return [line.split("=>")[1].split()[0]]
    return []


def preload():
    """Environment of a program whose PAM is to be ours."""
    wrapper = _find("libpam_wrapper.so")
    if not wrapper:
        raise h.SkipAll("libpam-wrapper is not installed")
    if not os.path.exists(os.path.join(h.BUILD, "backends/.libs/pam.so")):
        raise h.SkipAll("the backend pam is not built")
    return {"LD_PRELOAD": ":".join(sanitizer() + [wrapper]),
            "PAM_WRAPPER": "1", "PAM_WRAPPER_DISABLE_DEEPBIND": "1"}


def odd():
    """The path of our own module."""
    path = os.path.join(h.BUILD, "tests/modules/.libs/pam_odd.so")
    if not os.path.exists(path):
        raise h.SkipAll("pam_odd.so is not built")
    return path


class Service(h.Service):
    """stacks: name of a PAM service -> the text of its file."""

    def __init__(self, stacks, config=None, **how):
        self.stacks = stacks
        self._preload = preload()
        super().__init__(dict({"enabled_plugins": ["pam"],
                               "default_user_acls": ["a.b"]},
                              **(config or {})), **how)

    def start(self):
        self._preload["PAM_WRAPPER_SERVICE_DIR"] = self.path("pam.d")
        os.mkdir(self.path("pam.d"), 0o755)
        for name, text in self.stacks.items():
            self.write(os.path.join("pam.d", name), text, 0o644)
        super().start()

    def process(self, name, argv, **how):
        if name in ("check", "login"):
            how["env"] = dict(self.env, **self._preload)
        return super().process(name, argv, **how)

    def stop(self, quiet=False):
        super().stop(quiet)
        remove_leftovers()

    def start_nginx(self, edits=(), relay=False, servers=""):
        # all clients are one address
        super().start_nginx(dict(edits, **{"rate=10r/s": "rate=10000r/s"}),
                            relay, servers)

    def ask_pam(self, login, password=PASSWORD, **how):
        """POST /0.1/token: its status."""
        return self.login(login=(login, password), backend="pam", **how)

    def helpers(self, pool="login"):
        """Pids of the helpers of that pool, by the processes' names."""
        found = []
        for p in self.pools[pool]:
            found += [pid for pid in children(p.pid)
                      if name_of(pid) == "xivo-auth-pam"]
        return found


def remove_leftovers():
    """Pam_wrapper's folders, whose processes are gone. A process of a login
    ends without a last word, so it leaves its own."""
    for folder in glob.glob("/tmp/pam.?"):
        with contextlib.suppress(OSError, ValueError):
            with open(os.path.join(folder, "pid")) as f:
                pid = int(f.read())
            if name_of(pid) is None:
                shutil.rmtree(folder, ignore_errors=True)


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(x) for x in f.read().split()]
    except OSError:
        return []


def name_of(pid):
    try:
        with open("/proc/%d/comm" % pid) as f:
            return f.read().strip()
    except OSError:
        return None


def is_gone(pid):
    """No such process, or a dead one that nobody has waited for."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def kill(pid, number=signal.SIGKILL):
    os.kill(pid, number)
