#!/usr/bin/env python3
# 0300-program.t - xivo-auth-fcgi on the command line. SPDX-License-Identifier: GPL-3.0-or-later
"""Options, exit codes, -t, and what a start needs."""

import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness as h  # noqa: E402

NAME = "xivo-auth-fcgi"


def usage(s):
    for args, code, what in (
            (["-h"], 0, "-h"),
            (["--help"], 0, "--help"),
            (["-V"], 0, "-V"),
            (["--version"], 0, "--version"),
            (["-x"], 64, "an unknown option"),
            (["-c"], 64, "an option without its value"),
            (["-l", "loud"], 64, "an unknown log level"),
            (["extra"], 64, "an argument"),
            (["--authorizer-only=yes"], 64, "a flag that takes no value")):
        done = s.run_program(NAME, *args)
        h.eq(done.returncode, code, "%s: exit code" % what)
        stream = done.stderr if code else done.stdout
        h.has(stream, NAME, "%s: says something" % what)
    h.has(s.run_program(NAME, "-h").stdout, "--authorizer-only",
          "the help tells what exists")
    done = s.run_program(NAME, "-c", s.config)
    h.eq(done.returncode, 64, "descriptor 0 is no socket: usage")
    h.has(done.stderr, "spawn-fcgi", "and a hint")
    h.eq(s.read("xivo-auth.log"), "", "before that no log file is made")


def check(s):
    """-t: what is fine, what is wrong, and that nothing is made."""
    def run(config, *args):
        s.write_config(config)
        return s.run_program(NAME, "-t", "-c", s.config, *args)

    done = run({})
    h.eq((done.returncode, done.stdout), (0, "configuration ok\n"),
         "a good configuration", done.stderr)
    h.eq(os.listdir(s.path("store")), [], "no store is made")
    h.ok(not os.path.exists(s.log), "no log file is made")
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([h.program(NAME), "-t", "-c", s.config],
                              stdout=full, stderr=subprocess.PIPE, text=True,
                              env=s.env, check=False)
    h.eq(done.returncode, 74, "output that cannot be written: exit code")
    h.has(done.stderr, "No space left", "and that is said")

    for config, code, word in (
            ({"enabled_plugins": ["mock", "nobody"]}, 78, "nobody"),
            ({"enabled_plugins": ["mock", "broken_init"]}, 78, "broken_init"),
            ({"max_token_lifetime": "long"}, 78, "max_token_lifetime"),
            ({"store": {"type": "paper"}}, 78, "store.type"),
            ({"log_filename": s.path("none", "log")}, 78, "log file"),
            ({"store": {"lmdb": {"path": s.path("none", "store")}}}, 69,
             s.path("none", "store"))):
        done = run(config)
        h.eq(done.returncode, code, "%s: exit code" % word, done.stderr)
        h.has(done.stderr, word, "%s: is named" % word)
        h.eq(done.stdout, "", "%s: nothing is ok" % word)

    done = run({"enabled_plugins": ["nobody"],
                "store": {"lmdb": {"path": s.path("none", "store")}}})
    h.eq(done.returncode, 78, "two things wrong: the configuration's code")
    h.has(done.stderr, "none/store", "and both are told")

    s.write("config.yml", "a: [")
    done = s.run_program(NAME, "-t", "-c", s.config)
    h.eq(done.returncode, 78, "no YAML: exit code")
    done = s.run_program(NAME, "-t", "-c", s.path("missing.yml"))
    h.eq(done.returncode, 78, "no file: exit code")
    s.write_config({})
    s.env["XIVO_AUTH_CONFIG"] = s.config
    done = s.run_program(NAME, "-t")
    h.eq(done.returncode, 0, "XIVO_AUTH_CONFIG names the file", done.stderr)


def refused_start(s):
    s.write_config({"store": {"lmdb": {"path": s.path("none", "store")}}})
    with h.fastcgi.socket.socket(h.fastcgi.socket.AF_UNIX) as listening:
        listening.bind(s.path("refused.sock"))
        listening.listen(1)
        done = s.run_program(NAME, "-c", s.config, stdin=listening)
    h.eq(done.returncode, 69, "no store: exit code")
    h.has(done.stderr, "none/store", "stderr says why")
    h.has(s.read("xivo-auth.log"), "CRITICAL service.failed",
          "the log says why")
    s.write_config({})


def has_mapped(process, name):
    with open("/proc/%d/maps" % process.pid) as maps:
        return name in maps.read()


def start_half(s):
    """A process that is about to start its backends."""
    for _ in range(20):
        pool = s.add_process("check")
        while pool.alive() and not has_mapped(pool, "/mock.so"):
            pass  # the moment is short
        if not pool.catches(signal.SIGTERM):
            return pool
        pool.stop()
    raise RuntimeError("each start was over too soon")


def hangup_at_start(s):
    """Log rotation does not ask who is just starting."""
    name = "SIGHUP ends nobody who is just starting"
    if os.geteuid() != 0:
        h.skip("only root sees how far a start is", name)
        return
    pool = start_half(s)
    os.rename(s.log, s.log + ".2")
    pool.send(signal.SIGHUP)
    s.pools["check"] = [pool]
    s.wait_pool("check")
    h.until(lambda: "log.opened" in s.read("xivo-auth.log"),
            "the log is opened anew")
    h.ok(pool.alive(), name)


def life(s):
    s.start_pool("check", 1)
    pool = s.pools["check"][0]
    log = s.read("xivo-auth.log")
    h.has(log, "service.started", "the start is logged")
    h.eq("process.root" in log, os.geteuid() == 0, "root is warned")
    with open("/proc/%d/limits" % pool.pid) as limits:
        core = [line for line in limits if "core file" in line][0].split()
    h.eq(core[4:6], ["0", "0"], "no core is dumped")

    os.rename(s.log, s.log + ".1")
    pool.send(signal.SIGHUP)
    h.until(lambda: "log.opened" in s.read("xivo-auth.log"), "a new log file")
    h.ok(True, "SIGHUP opens the log anew")
    h.eq(s.ask("GET", "/0.1/status").status, 200, "and the service goes on")

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        h.eq(pool.stop(number), 0, "%s ends it with 0" % number.name)
        pool = s.add_process("check")
        s.pools["check"] = [pool]
        s.wait_pool("check")


def main():
    with h.Service(start=False) as s:
        h.program(NAME)
        usage(s)
        check(s)
        refused_start(s)
        life(s)
        hangup_at_start(s)


h.run(main)
