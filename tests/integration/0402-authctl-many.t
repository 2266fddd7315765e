#!/usr/bin/env python3
# 0402-authctl-many.t - xivo-authctl on many tokens, on both stores. SPDX-License-Identifier: GPL-3.0-or-later
import contextlib
import json
import os
import pty
import pwd
import shutil
import signal
import subprocess
import time

import consul
import consul_keys as k
import harness as h
from storelab import fill

FINE, NO_TOKEN, USAGE, UNAVAILABLE, IO, CONFIG = 0, 1, 64, 69, 74, 78
ROOMY = {"store": {"lmdb": {"max_size": 512 << 20}}}
USER = "%08x-0000-4000-8000-000000000000"


def ctl(s, *args, **how):
    return s.run_program("xivo-authctl", "-c", s.config, *args, **how)


def ends(s, code, what, *args, **how):
    done = ctl(s, *args, **how)
    h.eq(done.returncode, code, what, done.stdout[-2000:], done.stderr)
    return done


def place(config=None):
    return h.Service(config, check=0, login=0, nginx=False)


def start(s, *args, **how):
    how.setdefault("stdout", subprocess.PIPE)
    how.setdefault("stderr", subprocess.PIPE)
    return subprocess.Popen([h.program("xivo-authctl"), "-c", s.config, *args],
                            stdin=subprocess.DEVNULL, env=s.env, **how)


def listed(text):
    """The lines below the heading, each in words."""
    return [x.split() for x in text.splitlines()[1:]]


# --- on both stores ----------------------------------------------------------


def lists(s):
    done = ends(s, FINE, "an empty store", "token", "list")
    h.eq(done.stdout, "", "no heading without a list")
    h.eq(json.loads(ctl(s, "token", "list", "--json").stdout), [],
         "JSON: an empty list")
    fill(s, 600, users=2)
    fill(s, 3, lifetime=60, users=3)
    done = ends(s, FINE, "token list", "token", "list")
    rows = listed(done.stdout)
    h.eq(len({x[0] for x in rows}), 603, "each token once")
    h.eq({len(x[0]) for x in rows}, {12}, "by 12 digits of its key")
    h.eq(done.stdout.splitlines()[0].split(),
         ["key", "expires_at", "(UTC)", "auth_id"], "below a heading")
    many = json.loads(ends(s, FINE, "as JSON", "token", "list",
                           "--json").stdout)
    h.eq({x["key"][:12] for x in many}, {x[0] for x in rows}, "the same")
    h.ok(all("token" not in x for x in many), "and never a token")
    own = listed(ctl(s, "token", "list", "--auth-id", USER % 1).stdout)
    h.eq((len(own), {x[2] for x in own}), (301, {USER % 1}), "of one user")
    soon = listed(ctl(s, "token", "list", "--expiring-within", "100").stdout)
    h.eq(len(soon), 3, "that end within a time")
    h.eq(len(listed(ctl(s, "token", "list", "--auth-id", USER % 2,
                        "--expiring-within", "100").stdout)), 1, "both")
    done = ends(s, FINE, "an unknown user", "token", "list", "--auth-id", "x")
    h.eq(done.stdout, "", "has none")
    for text in ("0", "-1", "x", "", "1.5", "99999999999"):
        ends(s, USAGE, "--expiring-within " + text, "token", "list",
             "--expiring-within", text)
    found = ctl(s, "token", "show", rows[0][0])
    h.has(found.stdout, rows[0][0], "what is listed can be shown")


def revokes(s):
    done = ends(s, NO_TOKEN, "an unknown user", "token", "revoke",
                "--auth-id", "nobody")
    h.eq(done.stdout, "revoked 0 tokens\n", "the count is told")
    done = ends(s, FINE, "all of one user", "token", "revoke", "--auth-id",
                USER % 1)
    h.eq(done.stdout, "revoked 301 tokens\n", "with a count")
    h.eq(len(listed(ctl(s, "token", "list").stdout)), 302, "and of no other")
    ends(s, NO_TOKEN, "once is enough", "token", "revoke", "--auth-id",
         USER % 1)
    done = ends(s, FINE, "as JSON", "token", "revoke", "--auth-id", USER % 2,
                "--json")
    h.eq(json.loads(done.stdout), {"revoked": 1, "done": True}, "the same")
    ends(s, USAGE, "a user and a token", "token", "revoke", "--auth-id", "x",
         "12345678")
    ends(s, USAGE, "neither", "token", "revoke")
    done = ends(s, FINE, "nothing is left of it", "store", "check", "--json")
    found = json.loads(done.stdout)
    h.eq(found.pop("tokens"), 301, "the others are sound")
    h.eq(set(found.values()), {0}, "in every part")


def unreachable(s, broken, what):
    s.write_config(broken)
    for args in (["token", "list"], ["token", "revoke", "--auth-id", "x"],
                 ["store", "check"], ["store", "check", "--repair"],
                 ["token", "revoke", "12345678"]):
        done = ctl(s, *args)
        h.ok(done.returncode == UNAVAILABLE and done.stderr.count("\n") == 1,
             "%s: %s" % (what, " ".join(args)), done)


# --- one of them ------------------------------------------------------------


def repair_consul(s, c):
    """A token without schedule; entries without a token."""
    live = k.pairs_of(time.time() + 3600)
    gone = k.pairs_of(time.time() + 3600)
    c.put_many([x for x in live if x[0].startswith(k.TOKENS)])
    c.put_many([x for x in gone if not x[0].startswith(k.TOKENS)])
    before = c.pairs()
    done = ends(s, NO_TOKEN, "store check finds it", "store", "check")
    for words in ("1 lack their schedule", "1 lack the entry of their subject",
                  "1 schedules without a token",
                  "1 entries of a subject without a token"):
        h.has(done.stdout, words, words)
    h.has(done.stderr, "--repair would mend 4", "and says what to do")
    h.eq(c.pairs(), before, "it changes nothing")
    done = ends(s, FINE, "store check --repair", "store", "check", "--repair")
    h.has(done.stdout, "1 got the schedule that they lacked", "tells what it "
          "did")
    ends(s, FINE, "then all is well", "store", "check")
    h.eq(k.audit(c.pairs()), k.SOUND, "as another look says")


def looks_only(s):
    """Where there is no store, nothing is made."""
    folder = s.path("elsewhere")
    os.mkdir(folder, 0o700)
    s.write_config({"store": {"lmdb": {"path": folder}}})
    ends(s, FINE, "store check where there is none", "store", "check")
    h.eq(os.listdir(folder), [], "makes none")
    s.write_config(ROOMY)


def prefixes(s):
    keys = sorted(x["key"] for x in json.loads(
        ctl(s, "token", "list", "--json").stdout))
    ends(s, NO_TOKEN, "too few digits name no token", "token", "show",
         keys[0][:7])
    ends(s, FINE, "eight that are unique do", "token", "show", keys[0][:8])


def ambiguous_consul(s, c):
    """Two keys that begin alike, which only a store of ours can have."""
    first = k.pairs_of(time.time() + 3600)
    name = next(x for x in first if x[0].startswith(k.TOKENS))
    key = name[0][len(k.TOKENS):]
    twin = key[:20] + "".join("%x" % (15 - int(x, 16)) for x in key[20:])
    c.put_many([name, (k.TOKENS + twin, name[1])])
    for args in (["show"], ["check"], ["revoke"]):
        done = ends(s, USAGE, "token %s by a prefix of two" % args[0],
                    "token", *args, key[:12])
        h.has(done.stderr, "more than one key", "says so")
    h.ok(c.get(name[0]) and c.get(k.TOKENS + twin), "and does nothing")
    ends(s, FINE, "with more digits it is one", "token", "show", key[:21])
    c.delete(name[0])
    c.delete(k.TOKENS + twin)


def closed_pipe(s):
    fill(s, 5000)
    for args in (["token", "list"], ["token", "list", "--json"]):
        p = start(s, *args)
        p.stdout.read(100)
        p.stdout.close()
        said = p.stderr.read()
        h.eq((p.wait(20), said), (FINE, b""),
             "%s, and the reader goes: quiet" % " ".join(args))
    r, w = os.pipe()
    os.close(r)
    p = start(s, "status", stdout=w)
    os.close(w)
    h.eq((p.wait(20), p.stderr.read()), (IO, b""),
         "a result that nobody reads: quiet, and no success")
    with open("/dev/full", "w") as full:
        p = start(s, "token", "list", stdout=full)
        said = p.stderr.read()
        h.eq(p.wait(20), IO, "a list that finds no room is a failure")
        h.has(said.decode(), "No space left", "and says why")


def interrupted(s, number):
    """In the middle of a revocation: as soon as some of it is written."""
    fill(s, 20000, users=1)
    data = s.path("store", "data.mdb")
    before = os.stat(data).st_mtime_ns
    p = start(s, "token", "revoke", "--auth-id", USER % 0)
    end = time.monotonic() + 20
    while os.stat(data).st_mtime_ns == before and time.monotonic() < end:
        pass
    p.send_signal(number)
    out, err = p.communicate(timeout=30)
    left = len(listed(ctl(s, "token", "list", "--auth-id", USER % 0,
                          timeout=60).stdout))
    h.eq(p.returncode, -number, "signal %d ends it, as a shell expects"
         % number, out, err)
    count = int(out.split()[1])
    h.ok(out.endswith(b"not all: give the command again\n"),
         "what was done is said", out)
    h.ok(0 < count < 20000 and 0 < left, "it is some", count, left)
    done = ends(s, FINE, "again", "token", "revoke", "--auth-id", USER % 0,
                timeout=60)
    h.eq(done.stdout, "revoked %d tokens\n" % left, "it does the rest")


def ignored(s):
    """As a job that a script's shell put into the background."""
    data = s.path("store", "data.mdb")
    fill(s, 10000, users=1)
    before = os.stat(data).st_mtime_ns
    p = start(s, "token", "revoke", "--auth-id", USER % 0,
              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    end = time.monotonic() + 20
    while os.stat(data).st_mtime_ns == before and time.monotonic() < end:
        pass
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    h.eq((p.returncode, out), (FINE, b"revoked 10000 tokens\n"),
         "an interrupt that was ignored stays ignored", err)


def catches(pid, number):
    """Whether it has a handler for the signal: its long work has begun."""
    with open("/proc/%d/status" % pid) as f:
        masks = [x.split()[1] for x in f if x.startswith("SigCgt:")]
    return int(masks[0], 16) >> (number - 1) & 1


def terminal(s):
    """Progress on a terminal, and only there."""
    fill(s, 60000, users=10)
    master, slave = pty.openpty()
    p = start(s, "store", "check", stderr=slave)
    os.close(slave)
    h.until(lambda: catches(p.pid, signal.SIGINT), "its work")
    h.freeze(p.pid)
    time.sleep(0.7)  # so that it takes long enough to be worth a word
    p.send_signal(signal.SIGCONT)
    p.stdout.read()
    said = b""
    with contextlib.suppress(OSError):
        while True:
            said += os.read(master, 4096) or b""
    os.close(master)
    h.eq(p.wait(20), FINE, "on a terminal")
    h.has(said, b"entries looked at", "it is said how far it is")
    h.ok(said.endswith(b"\n"), "on a line that ends", said)
    done = ctl(s, "store", "check", timeout=60)
    h.eq(done.stderr, "", "none where there is no terminal")


def memory(s):
    """It does not grow with the store."""
    peaks = []
    is_sanitized = False
    for count in (1000, 60000):
        fill(s, count)
        p = start(s, "token", "list", "--json")
        size = 0
        while True:
            data = p.stdout.read(1 << 20)
            if not data:
                break
            size += len(data)
            with contextlib.suppress(OSError), \
                    open("/proc/%d/status" % p.pid) as f:
                peak = [x for x in f if x.startswith("VmHWM")]
                with open("/proc/%d/maps" % p.pid) as maps:
                    is_sanitized |= "libasan" in maps.read()
            if peak:
                peaks.append(int(peak[0].split()[1]))
        h.eq(p.wait(20), FINE, "a list of %d bytes" % size)
        p.stderr.close()
    if is_sanitized or not peaks:
        h.skip("sanitizers take memory of their own", "memory")
    else:
        h.ok(max(peaks) < 32 << 10, "in less than 32 MiB", peaks)


def nobody(s):
    """As the user of the service, and without rights."""
    if os.geteuid() != 0:
        h.skip("only root can become somebody else", "other users")
        return
    who = pwd.getpwnam("nobody")

    def become():
        os.setgroups([])
        os.setgid(who.pw_gid)
        os.setuid(who.pw_uid)
    copy = shutil.copy(h.program("xivo-authctl"), s.path("xivo-authctl"))
    libtool = os.path.join(h.BUILD, ".libs", "xivo-authctl")
    if os.path.exists(libtool):
        copy = shutil.copy(libtool, copy)
    os.chmod(s.dir, 0o755)
    os.chmod(s.path("conf.d"), 0o755)

    def run(*args):
        return subprocess.run([copy, "-c", s.config, *args],
                              preexec_fn=become, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=s.env, text=True)
    done = run("token", "list")
    h.eq(done.returncode, CONFIG, "no right to the configuration", done)
    h.has(done.stderr, "ermission denied", "is said")
    os.chmod(s.config, 0o644)
    done = run("token", "list")
    h.eq(done.returncode, UNAVAILABLE, "no right to the store", done)
    h.has(done.stderr, "ermission denied", "is said")
    # Root makes the store in the service's folder; the service uses it.
    shutil.rmtree(s.path("store"))
    os.mkdir(s.path("store"), 0o700)
    os.chown(s.path("store"), who.pw_uid, who.pw_gid)
    ends(s, FINE, "as root", "token", "list")
    for args in (["token", "list"], ["store", "check", "--repair"]):
        done = run(*args)
        h.eq(done.returncode, FINE, "then as the service's user: %s"
             % " ".join(args), done)


def wrong(s):
    for args in ([], ["token"], ["store"], ["store", "check", "x"],
                 ["store", "check", "--repair=1"], ["token", "list", "x"],
                 ["token", "list", "--scope", "x"],
                 ["token", "list", "--auth-id"],
                 ["token", "list", "--auth-id", "a", "--auth-id", "b"],
                 ["store", "check", "--repair", "--repair"]):
        done = ends(s, USAGE, "wrong: " + " ".join(args), *args)
        h.ok("xivo-authctl" in done.stderr and '-h' in done.stderr and
             len(done.stderr.splitlines()) <= 2, "a line of help",
             done.stderr)


def on_consul():
    with consul.Consul() as c:
        with place(c.config()) as s:
            lists(s)
            revokes(s)
            c.delete_all(consul.PREFIX)
            repair_consul(s, c)
            ambiguous_consul(s, c)
            c.kill()
            unreachable(s, c.config(), "Consul is away")


def main():
    h.program("xivo-authctl")
    with place(ROOMY) as s:
        wrong(s)
        lists(s)
        revokes(s)
        prefixes(s)
        looks_only(s)
        closed_pipe(s)
        interrupted(s, signal.SIGINT)
        interrupted(s, signal.SIGTERM)
        ignored(s)
        terminal(s)
        memory(s)
        nobody(s)
        unreachable(s, {"store": {"lmdb": {"path": s.path("none")}}},
                    "no store")
    on_consul()


h.run(main, 240)
