#!/usr/bin/env python3
# 0690-fetch-consul.t - a Consul for tests, without the network. SPDX-License-Identifier: GPL-3.0-or-later
import os
import shutil
import subprocess
import tempfile

import harness as h

OFFLINE = "http://127.0.0.1:9"  # the port that discards


def stub(path, code):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write("#!/bin/sh\nexit %d\n" % code)
    os.chmod(path, 0o755)
    return path


def fetch(top, *args, **more):
    env = dict(os.environ, http_proxy=OFFLINE, https_proxy=OFFLINE,
               HOME=top, **more)
    env.pop("XDG_CACHE_HOME", None)
    done = subprocess.run(
        [os.path.join(top, "scripts", "fetch-consul"), *args], env=env,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=60)
    return done


def in_path(top):
    path = os.environ.get("PATH", "")
    mine = stub(os.path.join(top, "bin", "consul"), 0)
    done = fetch(top, PATH=os.path.dirname(mine) + ":" + path)
    h.eq((done.returncode, done.stdout), (0, mine + "\n"),
         "one in PATH is taken", done.stderr)
    h.ok(not os.path.exists(os.path.join(top, "build", "consul")),
         "and none fetched")
    stub(mine, 1)
    done = fetch(top, "--there", PATH=os.path.dirname(mine) + ":" + path)
    h.eq((done.returncode, done.stdout), (1, ""),
         "but not one that does not run")


def offline(top):
    done = fetch(top, "--there")
    h.eq((done.returncode, done.stdout), (1, ""), "--there: none yet")
    h.has(done.stderr, "no consul", "it says so")
    if not os.path.exists(
            "/usr/share/keyrings/debian-archive-keyring.gpg"):
        h.skip("no keys of Debian", "offline")
    else:
        done = fetch(top)
        h.eq((done.returncode, done.stdout), (1, ""),
             "without a network it fails")
        h.has(done.stderr, "cannot be fetched", "with a clear reason")
        h.eq(os.listdir(os.path.join(top, "build")), [],
             "and leaves nothing behind")


def there(top):
    kept = stub(os.path.join(top, "build", "consul", "usr", "bin", "consul"),
                0)
    for args in ((), ("--there",)):
        done = fetch(top, *args)
        h.eq((done.returncode, done.stdout, done.stderr),
             (0, kept + "\n", ""), "what was fetched is there")


def main():
    top = tempfile.mkdtemp(prefix="xivo-auth-test-")
    try:
        os.mkdir(os.path.join(top, "scripts"))
        for name in ("fetch-consul", "lib.sh"):
            shutil.copy(os.path.join(h.SOURCE, "scripts", name),
                        os.path.join(top, "scripts", name))
        h.has(fetch(top, "--help").stdout, "usage: fetch-consul", "--help")
        h.eq(fetch(top, "--what").returncode, 64, "wrong usage")
        in_path(top)
        if shutil.which("consul"):
            h.skip("this machine has a consul", "what is not in PATH")
        else:
            offline(top)
            there(top)
    finally:
        shutil.rmtree(top, ignore_errors=True)


h.run(main)
