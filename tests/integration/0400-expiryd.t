#!/usr/bin/env python3
# 0400-expiryd.t - the expiry daemon as an operator meets it. SPDX-License-Identifier: GPL-3.0-or-later
import contextlib
import json
import os
import pwd
import random
import re
import shutil
import signal
import time

import harness as h
from storelab import SOUND, count, dump, fill

DAEMON = "xivo-auth-expiryd"
FAST = {"expiry": {"interval": 0.1}}
FOO_BAR = {"Authorization": h.basic(*h.MOCK_LOGIN)}


@contextlib.contextmanager
def place(config=None, pool=False):
    """A configuration and a store; with a pool, tokens can be made."""
    with h.Service(dict(FAST, **(config or {})), nginx=False, login=0,
                   check=1 if pool else 0) as s:
        yield s


def make_token(s, seconds):
    body = json.dumps({"backend": "mock", "expiration": seconds}).encode()
    answer = s.ask("POST", "/0.1/token", body, headers=FOO_BAR)
    if answer.status != 200:
        raise RuntimeError("no token: %r" % answer)
    return answer.data["token"]


def logged(s, event, seconds=10):
    """The first line of the log with that event."""
    def find():
        for line in s.read("xivo-auth.log").splitlines():
            if " %s " % event in line and DAEMON in line:
                return line
        return None
    return h.until(find, "%s in the log" % event, seconds)


def start(s, *args):
    """A daemon that is at work, and a log that begins with it."""
    open(s.log, "a").close()
    os.truncate(s.log, 0)
    daemon = s.start_daemon(*args)
    logged(s, "expiryd.started")
    return daemon


def status_of(pid):
    """/proc/PID/status as a dict; None when there is no such process."""
    try:
        with open("/proc/%d/status" % pid) as f:
            return dict(line.rstrip("\n").split(":\t", 1) for line in f
                        if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return None


def removes_what_is_due():
    with place(pool=True) as s:
        tokens = [make_token(s, 1), make_token(s, 3600)]
        time.sleep(1.1)
        h.eq([s.ask("GET", "/0.1/token/" + t).status for t in tokens],
             [404, 200], "a token ends without the daemon")
        h.eq(count(s), 2, "and stays in the store")
        done = s.run_program(DAEMON, "-c", s.config, "--once")
        h.eq((done.returncode, done.stdout, done.stderr), (0, "", ""),
             "--once ends with 0 and is silent")
        h.ok(re.search(r"INFO expiry\.done removed=1 took_ms=\d+ "
                       r"latest_late_ms=\d+$", logged(s, "expiry.done")),
             "and says in the log what it did")
        tokens_left, audit = dump(s)
        h.eq(len(tokens_left), 1, "only the one that lives is left")
        h.has(audit, SOUND, "with nothing astray")
        h.eq(s.ask("GET", "/0.1/token/" + tokens[1]).status, 200,
             "and still good")

        daemon = start(s)
        token = make_token(s, 1)
        h.until(lambda: count(s) == 1, "the second removal", 5)
        h.eq(s.ask("GET", "/0.1/token/" + token).status, 404,
             "the daemon removes what falls due while it runs")
        h.eq(daemon.stop(), 0, "and ends with 0")


def ends_on_signals():
    with place() as s:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            daemon = start(s)
            began = time.monotonic()
            h.eq(daemon.stop(number), 0, "%s ends it with 0" % number.name)
            h.ok(time.monotonic() - began < 1, "at once")
            logged(s, "expiryd.stopped")

        daemon = start(s)
        os.rename(s.log, s.path("old.log"))
        daemon.send(signal.SIGHUP)
        logged(s, "log.reopened")
        h.ok(True, "HUP opens the log anew")
        daemon.send(signal.SIGPIPE)
        daemon.send(signal.SIGHUP)
        h.until(lambda: s.read("xivo-auth.log").count("log.reopened") == 2,
                "the second HUP")
        h.ok(daemon.alive(), "and it goes on")


def goes_to_the_background():
    with place() as s:
        done = s.run_program(DAEMON, "-c", s.config, timeout=5)
        h.eq((done.returncode, done.stdout, done.stderr), (0, "", ""),
             "it starts in the background")
        pid = int(re.search(r"\[(\d+)\]", logged(s, "expiryd.started"))[1])
        try:
            status = status_of(pid)
            h.ok(status and os.getsid(pid) not in (pid, os.getsid(0)),
                 "in a session that has no leader")
            if os.geteuid() == 0:  # nobody else may look
                h.eq([os.readlink("/proc/%d/fd/%d" % (pid, fd))
                      for fd in range(3)], ["/dev/null"] * 3,
                     "with its streams closed")
                h.eq(os.readlink("/proc/%d/cwd" % pid), "/", "in /")
            else:
                h.skip("not root", "with its streams closed, in /")
            with open("/proc/%d/limits" % pid) as f:
                h.ok(re.search(r"^Max core file size +0 +0 ", f.read(),
                               re.MULTILINE), "it dumps no core")
        finally:
            os.kill(pid, signal.SIGTERM)
        h.until(lambda: (status_of(pid) or {}).get("State", "Z")[0] == "Z",
                "the end of the daemon")
        logged(s, "expiryd.stopped")


def refuses(s, args, code, words, what):
    done = s.run_program(DAEMON, *args, timeout=5)
    h.ok(done.returncode == code and words in done.stderr and
         not done.stdout, what, "exit %d: %s" % (done.returncode, done.stderr))


def refuses_to_start():
    with place() as s:
        for flags in ([], ["-f"], ["--once"]):
            how = " ".join(flags) or "background"
            args = ["-c", s.config] + flags
            os.rename(s.path("store"), s.path("away"))
            refuses(s, args, 69, "No such file or directory",
                    "%s: no folder is 69" % how)
            s.write("store", "")
            refuses(s, args, 78, "is not a folder",
                    "%s: a file for a folder is 78" % how)
            os.unlink(s.path("store"))
            os.rename(s.path("away"), s.path("store"))
            refuses(s, args + ["-c", s.path("none.yml")], 78, "none.yml",
                    "%s: no configuration is 78" % how)
            h.has(s.read("xivo-auth.log"), "CRITICAL process.failed",
                  "%s: the log has it too" % how)
        s.write("bad.yml", "expiry: {interval: soon}\n")
        refuses(s, ["-c", s.path("bad.yml")], 78, "expiry.interval",
                "a wrong value is 78 and is named")
        s.write_config({"log_filename": "stderr"})
        refuses(s, ["-c", s.config], 78, "use -f",
                "a log on stderr needs the foreground")
        for args, words in ((["-x"], "'x'"), (["more"], "more"),
                            (["-l", "loud"], "loud"), (["-u", ""], "-u"),
                            (["-c"], "-h")):
            refuses(s, args, 64, words, "%s is 64" % " ".join(args))
        done = s.run_program(DAEMON, "-V")
        h.ok(done.returncode == 0 and
             re.match(DAEMON + r" \d+\.\d+", done.stdout), "-V")
        done = s.run_program(DAEMON, "-h")
        h.ok(done.returncode == 0 and "--once" in done.stdout, "-h")


def leaves_a_newer_format_alone():
    with place() as s:
        fill(s, 10, 1)
        data = s.path("store", "data.mdb")
        with open(data, "rb") as f:
            before = f.read()
        newer = before.replace(b"format\0\0\0\1", b"format\0\0\0\2")
        h.ok(newer != before, "the format stands in the file")
        with open(data, "r+b") as f:
            f.write(newer)
        refuses(s, ["-c", s.config, "--once"], 78, "newer xivo-auth",
                "a newer format is 78")
        with open(data, "rb") as f:
            h.ok(f.read() == newer, "and nothing was changed")


def two_at_a_time():
    with place() as s:
        fill(s, 3000, 1)
        time.sleep(1)
        daemons = [s.start_daemon(), s.start_daemon()]
        h.until(lambda: count(s) == 0, "everything gone", 20)
        removed = [int(n) for n in re.findall(r"expiry\.done removed=(\d+)",
                                              s.read("xivo-auth.log"))]
        h.eq([d.stop() for d in daemons], [0, 0], "a second one does no harm")
        removed = [int(n) for n in re.findall(r"expiry\.done removed=(\d+)",
                                              s.read("xivo-auth.log"))]
        h.eq(sum(removed), 3000, "nothing is counted twice")
        h.has(dump(s)[1], SOUND, "the store is sound")


def store_goes_and_comes():
    with place() as s:
        daemon = start(s)
        os.rename(s.path("store"), s.path("away"))
        h.has(logged(s, "expiry.failing"), "No such file or directory",
              "a store that fails is said")
        time.sleep(0.7)
        os.rename(s.path("away"), s.path("store"))
        logged(s, "expiry.recovered")
        h.eq(s.read("xivo-auth.log").count("expiry.failing"), 1,
             "once, and so is its return")
        h.eq(daemon.stop(), 0, "the daemon lives on")


def survives_kill():
    """Killed again and again, it removes everything due and nothing else."""
    rounds = 100 if os.environ.get("XA_FULL") == "1" else 20
    with place() as s:
        fill(s, 3000, 3600)
        live = dump(s)[0]
        fill(s, 12000, 1)
        time.sleep(1)
        longest = 0.05
        for _ in range(rounds):
            daemon = s.start_daemon()
            time.sleep(random.uniform(0.005, longest))
            daemon.kill()
            if count(s) == 15000:  # too slow a machine to have begun
                longest *= 1.5
        left, audit = dump(s)
        h.ok(set(live) <= set(left), "no kill costs a living token")
        h.has(audit, SOUND, "or leaves anything astray")
        h.ok(len(left) < 15000, "it was at work")
        done = s.run_program(DAEMON, "-c", s.config, "--once")
        h.eq(done.returncode, 0, "a last sweep")
        h.ok(dump(s)[0] == live, "leaves exactly the living ones")


def stays_small():
    with place({"log_level": "debug"}) as s:
        fill(s, 60000, 2)
        daemon = start(s)
        time.sleep(4)
        status = status_of(daemon.pid)
        h.ok(int(status["RssAnon"].split()[0]) < 16 * 1024 or
             "libasan" in open("/proc/%d/maps" % daemon.pid).read(),
             "memory does not grow with what is due", status["RssAnon"])
        h.ok(daemon.stop() == 0, "and TERM ends it in the middle")


def becomes_another_user():
    if os.geteuid() != 0:
        with place({"user": "root"}) as s:
            refuses(s, ["-c", s.config], 78, "without being root",
                    "nobody becomes root")
        return
    nobody = pwd.getpwnam("nobody")
    with place() as s:
        refuses(s, ["-c", s.config, "-u", "no-such-user"], 78,
                "no such user", "an unknown user is 78")
        os.chmod(s.dir, 0o755)
        os.chown(s.path("store"), nobody.pw_uid, nobody.pw_gid)
        daemon = s.start_daemon("-u", "nobody")
        logged(s, "expiryd.started")
        status = status_of(daemon.pid)
        h.eq(status["Uid"].split(), [str(nobody.pw_uid)] * 4, "the user")
        h.eq(status["Gid"].split(), [str(nobody.pw_gid)] * 4, "the group")
        h.lacks(status["Groups"].split(), "0", "no group of root")
        owners = {name: os.stat(s.path(*name.split("/"))).st_uid for name in
                  ("xivo-auth.log", "store/data.mdb", "store/lock.mdb")}
        h.eq(set(owners.values()), {nobody.pw_uid}, "its files are its own",
             owners)
        h.lacks(s.read("xivo-auth.log"), "process.root", "no word of root")
        h.eq(daemon.stop(), 0, "it ends with 0")
        shutil.rmtree(s.path("store"))
        os.mkdir(s.path("store"))
        s.run_program(DAEMON, "-c", s.config, "--once")
        h.has(s.read("xivo-auth.log"), "WARNING process.root",
              "root is warned")


def main():
    removes_what_is_due()
    ends_on_signals()
    goes_to_the_background()
    refuses_to_start()
    leaves_a_newer_format_alone()
    two_at_a_time()
    store_goes_and_comes()
    survives_kill()
    stays_small()
    becomes_another_user()


h.run(main)
