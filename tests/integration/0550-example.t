#!/usr/bin/env python3
# 0550-example.t - a backend of somebody else's, against what is installed. SPDX-License-Identifier: GPL-3.0-or-later
"""make install into a folder; there the example is built from its installed
sources with the installed header, installed, and asked for a token."""

import os
import re
import shutil
import subprocess

import harness as h

HASH = h.ALICE["password"]  # of h.LOGIN[1]


class Installed(h.Service):
    """Our programs as they were installed below `root`."""

    def __init__(self, root, section, **how):
        self.root = root
        super().__init__({
            "enabled_plugins": ["static_list"],
            "backend_dir": root + variable(root, "backenddir"),
            "static_list": section}, check=1, login=0, **how)

    def process(self, name, argv, **how):
        if name == "check":
            argv = [find(self.root, "xivo-auth-fcgi")] + argv[1:]
        return super().process(name, argv, **how)


def make(*args, cwd, **env):
    """Run make as a person would, not as a part of a make check."""
    clean = {k: v for k, v in os.environ.items()
             if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR")}
    done = subprocess.run(["make", *args], cwd=cwd, env=dict(clean, **env),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return h.eq(done.returncode, 0, "make " + args[0], done.stdout)


def find(root, name):
    for folder, _dirs, files in os.walk(root):
        if name in files:
            return os.path.join(folder, name)
    raise RuntimeError("%s is not installed" % name)


def pc_env(root):
    """Of pkg-config, for what is installed below a folder."""
    return {"PKG_CONFIG_PATH": os.path.dirname(find(root, "xivo-auth.pc")),
            "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1"}


def variable(root, name):
    return subprocess.run(
        ["pkg-config", "--variable=" + name, "xivo-auth"], check=True,
        capture_output=True, text=True,
        env=dict(os.environ, **pc_env(root))).stdout.strip()


def build(s, root):
    """As the guide says, with a sysroot since nothing is in its place."""
    guide = find(root, "static_list.c")
    source = os.path.join(s, "my-backend")
    shutil.copytree(os.path.dirname(guide), source)
    ok = make("static_list.so", cwd=source, CFLAGS="-Werror",
              PKG_CONFIG_SYSROOT_DIR=root, **pc_env(root))
    return ok and make("install", "DESTDIR=" + root, cwd=source,
                       **pc_env(root))


def tokens(root):
    users = {
        "alice": {"password": HASH, "id": 4711,
                  "acls": ["confd.users.me.read"]},
        "bob": {"password": HASH, "id": "the-bob"},
    }
    with Installed(root, users) as s:
        answer = s.login(backend="static_list")
        data = answer.data or {}
        h.eq((answer.status, data.get("auth_id"), data.get("acls"),
              data.get("xivo_user_uuid")),
             (200, "4711", ["confd.users.me.read"], None),
             "a token of the example", answer)
        path = "/0.1/token/" + data.get("token", "")
        h.eq(s.http("HEAD", path + "?scope=confd.users.4711.read").status,
             204, "which opens what it should")
        h.eq(s.http("HEAD", path + "?scope=confd.users.1.read").status,
             403, "and nothing else")
        bob = s.login(("bob", h.LOGIN[1]), "static_list")
        h.eq((bob.data or {}).get("acls"), [], "a user without ACLs", bob)
        for login in (("alice", "wrong"), ("nobody", h.LOGIN[1]),
                      ("Alice", h.LOGIN[1]), ("alice", HASH)):
            h.eq(s.login(login, "static_list").status, 401,
                 "not with %s:%s" % login)
        log = s.read("xivo-auth.log")
        h.lacks(log, "WARNING config.unknown_key", "its section is its own")
        h.lacks(log, h.LOGIN[1], "no password in the log")


def complaints(root):
    for what, section, line in (
            ("no section", None, "backend.not_configured name=static_list"),
            ("a plain password",
             {"alice": {"password": "secret", "id": 1}},
             "user alice: password is no hash"),
            ("no id", {"alice": {"password": HASH}}, "user alice: no id"),
            ("ACLs that are no list",
             {"alice": {"password": HASH, "id": 1, "acls": "x"}},
             "user alice: acls is no list")):
        with Installed(root, section, nginx=False) as s:
            answer = s.ask("POST", "/0.1/token", b'{"backend": "static_list"}',
                           headers={"Authorization": h.basic(*h.LOGIN)})
            h.eq(answer.status, 401, "%s: nobody gets in" % what)
            h.has(s.read("xivo-auth.log"), line, "%s: the log says so" % what)


def papers(root):
    """The guide and the manual tell of everything, and are clean."""
    with open(find(root, "backend.h")) as f:
        header = f.read()
    calls = set(re.findall(r"\(\*(\w+)\)\(", header))
    h.ok(len(calls) > 20, "the header has calls", calls)
    page = find(root, "xivo-auth-backend.7")
    with open(page) as f:
        text = f.read()
    h.eq([c for c in sorted(calls) if not re.search(
        r"^\.It .*\bFn %s " % c, text, re.M)], [],
        "the manual describes each call")
    verdicts = re.findall(r"(XA_\w+) = \d", header)
    h.eq([v for v in verdicts if ".It Dv " + v not in text], [],
         "and each verdict")
    if shutil.which("mandoc"):
        # Not style, which depends on what other manuals are here.
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page],
                              text=True, capture_output=True)
        h.eq(done.stdout, "", "mandoc finds nothing wrong with it")
    else:
        h.skip("mandoc is not installed", "the manual is clean")


def main():
    h.need("make", "cc", "pkg-config")
    h.program("xivo-auth-fcgi")
    with h.tempfile.TemporaryDirectory(prefix="xivo-auth-test-") as folder:
        os.chmod(folder, 0o755)
        root = os.path.join(folder, "root")
        if not make("install", "DESTDIR=" + root, cwd=h.BUILD):
            return
        papers(root)
        if build(folder, root):
            tokens(root)
            complaints(root)


h.run(main)
