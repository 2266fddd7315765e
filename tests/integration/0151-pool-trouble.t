#!/usr/bin/env python3
# 0151-pool-trouble.t - xivo-auth-pool: what it remembers, and what it tells. SPDX-License-Identifier: GPL-3.0-or-later
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

import harness as h
from poollab import Pool, SCRIPT, fields, is_gone

NOBODY = "nobody"


def may_read(name, path):
    """The user comes as far as our programs."""
    return subprocess.run(["runuser", "-u", name, "--", "test", "-x", path],
                          stderr=subprocess.DEVNULL).returncode == 0


def owner(pid):
    return os.stat("/proc/%d" % pid).st_uid


def tool(s, name, text):
    """A program of that name comes first in PATH."""
    os.makedirs(s.path("bin"), exist_ok=True)
    s.write("bin/" + name, "#!/bin/sh\n" + text, 0o755)
    return {"PATH": s.path("bin") + ":" + os.environ["PATH"]}


def break_config(s):
    good = s.read("config.yml")
    s.write("config.yml", "a: [\n")
    return good


def kill(pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    h.until(lambda: all(map(is_gone, pids)), "their death")


def remembers_options(s, pool):
    """What it was started with holds for restart, reload and start."""
    bare = {"XIVO_AUTH_CONFIG": "", "XIVO_AUTH_PROGRAM": ""}
    pool.expect(0, "start", "-n", "3", "-N", "1", "start")
    pool.expect(0, "restart without a word", "restart", **bare)
    h.eq((len(pool.workers("check")), len(pool.workers("login"))), (3, 1),
         "as many processes")
    with open("/proc/%d/cmdline" % pool.workers("check")[0]) as f:
        h.eq(f.read().split("\0")[:3],
             [h.program("xivo-auth-fcgi"), "-c", s.config],
             "the same program and configuration")
    pool.expect(0, "reload without a word", "reload", **bare)
    kill([pool.multiwatch("login")])
    pool.expect(0, "start of the one that is dead", "start", **bare)
    h.eq(len(pool.workers("login")), 1, "as it was")
    before = pool.workers("check")
    other = s.write("other.yml", s.read("config.yml"))
    for what, args in (("config", ("-c", other)), ("many", ("-n", "2"))):
        pool.expect(64, "reload with another " + what, *args, "reload")
        h.has(pool.said, "restart does", "it tells what would")
    h.eq(pool.workers("check"), before, "nothing was touched")
    pool.expect(0, "restart with fewer", "-n", "1", "restart", **bare)
    h.eq(len(pool.workers("check")), 1, "does it")
    pool.expect(0, "stop", "stop", **bare)
    h.eq(os.listdir(pool.dir), ["lock"], "no file is left")


def remembers_user(s, pool):
    program = h.program("xivo-auth-fcgi")
    if os.geteuid() or not shutil.which("runuser") or not may_read(
            NOBODY, program):
        h.skip("root only, and where %s may run the program" % NOBODY)
        return
    user = pwd.getpwnam(NOBODY)
    os.chmod(s.dir, 0o711)
    shutil.rmtree(s.path("store"))
    s.write_config({})
    for path in (s.config, s.users, s.log, s.path("store"), s.path("conf.d")):
        os.chown(path, user.pw_uid, user.pw_gid)
    pool.expect(0, "start as another user", "-u", NOBODY, "-g", "daemon",
                "start")
    for command in ("restart", "reload"):
        pool.expect(0, command + " without -u and -g", command)
        h.eq({owner(p) for w in ("check", "login") for p in pool.workers(w)},
             {user.pw_uid}, "its processes are that user's")
        h.eq(os.stat(s.check_socket).st_gid, 1, "and the socket the group's")
    pool.expect(64, "reload as somebody else", "-u", "daemon", "reload")

    reader = ["runuser", "-u", NOBODY, "--", SCRIPT, "-r", pool.dir]
    if may_read(NOBODY, SCRIPT):
        done = subprocess.run(reader + ["status"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        h.eq(done.returncode, 0, "anybody may ask for the status", done.stdout)
        h.has(done.stdout, "check: running", "and is told")
        done = subprocess.run(reader + ["stop"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        h.eq(done.returncode, 4, "but not stop it", done.stdout)
        os.chmod(s.path("run/check.pid"), 0o600)
        done = subprocess.run(reader + ["status"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        h.eq(done.returncode, 4, "what may not be read is not made up",
             done.stdout)
        h.has(done.stdout, "not permitted", "it says why")
    else:
        h.skip("%s may not run the script" % NOBODY)
    pool.expect(0, "stop", "stop")


def status_tells(s, pool):
    pool.expect(0, "start", "start")
    pool.expect(0, "status", "status")
    for which in ("check", "login"):
        for pid in pool.workers(which):
            h.ok(re.search(r"%s: process %d since \d{4}-\d\d-\d\d "
                           r"\d\d:\d\d:\d\d, \d+\.\d MiB, \d+\.\d with"
                           % (which, pid), pool.said),
                 "%s: a process, its age and memory" % which, pool.said)
    since = re.search(r"since (\S+ \S+),", pool.said).group(1)
    age = time.time() - time.mktime(time.strptime(since, "%Y-%m-%d %H:%M:%S"))
    h.ok(-2 <= age < 60, "the age is right", age)


def pid_file_gone(s, pool):
    name = s.path("run/check.pid")
    text = s.read("run/check.pid")
    os.unlink(name)
    pool.expect(4, "status without the pid file", "status")
    h.has(pool.said, "no pid file tells who listens", "is not \"not running\"")
    for command in ("start", "stop"):
        pool.expect(1, command + " without it", command)
    h.ok(h.fastcgi.Connection(s.check_socket), "the socket is still served")
    # from before the machine was started again, a number may mean anybody
    s.write("run/check.pid", re.sub(
        r"[0-9a-f-]{36}", "00000000-0000-0000-0000-000000000000", text, 1))
    pool.expect(4, "the pid file of another boot", "status")
    s.write("run/check.pid", text)
    pool.expect(0, "login was stopped; start", "start")
    pool.expect(0, "all is well with it back", "status")


def reload_refused(s, pool):
    """A configuration that is right but for what it needs."""
    before = pool.workers("check") + pool.workers("login")
    good = s.read("config.yml")
    for what, old, new, why in (
            ("a backend that is missing", '"mock_with_uuid"', '"nobodys"',
             "nobodys"),
            ("a key of a wrong type", '"store": {', '"rest_api": 3, "store": {',
             "rest_api")):
        s.write("config.yml", good.replace(old, new))
        pool.expect(6, "reload with " + what, "reload")
        h.has(pool.said, why, "it tells what is wrong")
        h.eq(pool.workers("check") + pool.workers("login"), before,
             "the old processes go on")
        h.eq(s.ask("GET", "/0.1/backends").status, 200, "and answer")
    s.write("config.yml", good.replace('"mock_with_uuid"', '"mock"'))
    h.has(s.ask("GET", "/0.1/backends").data, "mock_with_uuid", "the old one")
    pool.expect(0, "reload with a new one", "reload")
    h.lacks(s.ask("GET", "/0.1/backends").data, "mock_with_uuid",
            "is the new one")
    s.write("config.yml", good)


def new_program(s, pool):
    """A program that was replaced by a package is what runs afterwards."""
    program = s.path("xivo-auth-fcgi")
    shutil.copy(h.program("xivo-auth-fcgi"), program)
    env = {"XIVO_AUTH_PROGRAM": program}
    pool.expect(0, "start of a copy", "start", **env)
    shutil.copy(h.program("xivo-auth-fcgi"), program + ".new")
    os.rename(program + ".new", program)
    inode = os.stat(program).st_ino
    pool.expect(0, "reload after it was replaced", "reload", **env)
    h.eq({os.stat("/proc/%d/exe" % p).st_ino
          for w in ("check", "login") for p in pool.workers(w)}, {inode},
         "they run the new program")
    pool.expect(0, "stop", "stop", **env)


def crash_loop(s, pool):
    told = s.path("told")
    env = tool(s, "logger", 'echo "$@" >>%s\n' % told)
    pool.expect(0, "start", "start", **env)
    started = s.path("run/check.starts")

    def starts():
        with open(started) as f:
            return f.read().splitlines()
    good = break_config(s)
    kill(pool.workers("check"))
    h.until(lambda: any("slow" in line for line in starts()),
            "the first that waits", 20)
    before, begun = len(starts()), time.monotonic()
    pool.expect(3, "status", "status")
    h.has(pool.said, "check: the processes keep dying, 0 of 2 are up",
          "says so")
    more, took = len(starts()) - before, time.monotonic() - begun
    h.ok(more <= 2 * (took + 1), "a process tries once a second", more, took)
    h.has(s.read("told"), "daemon.crit", "syslog is told")
    h.ok(1 <= len(s.read("told").splitlines()) <= 2,
         "once a process at most", s.read("told"))
    s.write("config.yml", good)
    h.until(lambda: pool("status") == 0, "the end of it", 10)
    h.ok(True, "when the cause is gone they start by themselves")
    pool.expect(0, "stop", "stop")


def killed_in_the_pause(s, pool):
    """stop does not wait for one that waits, nor leave the socket open."""
    env = tool(s, "logger", "exit 0\n")
    pool.expect(0, "start", "start", **env)
    good = break_config(s)
    kill(pool.workers("check"))
    h.until(lambda: "slow" in s.read("run/check.starts"), "a pause", 20)
    pool.expect(0, "stop amid the pause", "stop")
    with open("/proc/net/unix") as f:
        h.lacks(f.read(), pool.dir, "nobody listens any more")
    s.write("config.yml", good)


def gave_up(s, pool):
    """multiwatch with fewer tries than ours has."""
    real = h.need("multiwatch")
    env = tool(s, "multiwatch",
               'exec %s $(echo "$@" | sed "s/-r 100000/-r 2/")\n' % real)
    pool.expect(0, "start", "start", **env)
    good = break_config(s)
    master = pool.multiwatch("check")
    kill(pool.workers("check")[:1])
    h.until(lambda: len(pool.workers("check")) == 1, "that it gives up", 10)
    h.until(lambda: pool("status") == 3 and "gave up" in pool.said,
            "that status says so", 20)
    h.has(pool.said, "check: multiwatch gave up, 1 of 2", "how many are left")
    kill(pool.workers("check"))
    h.until(lambda: is_gone(master), "the end of multiwatch", 10)
    pool.expect(1, "status when it gave up on the last", "status")
    h.has(pool.said, "0 processes still answer", "says that, too")
    s.write("config.yml", good)
    pool.expect(0, "start mends it", "start", **env)
    pool.expect(0, "and all is well", "status")
    h.eq({int(fields(p)[16]) for p in pool.workers("login")},
         {min(19, 19 + os.nice(0))}, "logins still come last")
    pool.expect(0, "stop", "stop")


class Tcp(h.fastcgi.Connection):
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)


def authorizer(s, pool):
    """The third pool, for Apache's mod_authnz_fcgi."""
    for port in ("0", "x", "65536", "123456"):
        pool.expect(64, "-a " + port, "-a", port, "start")
    port = h.free_port()
    pool.expect(0, "start without -a", "start")
    pool.expect(0, "start with -a", "-a", str(port), "start")
    h.has(pool.said, "authorizer: started, 2 processes, 127.0.0.1:%d" % port,
          "it says where")
    token = s.ask("POST", "/0.1/token", b'{"backend": "mock"}', "login",
                  {"Authorization": h.basic(*h.MOCK_LOGIN)}).data["token"]

    def status(acl, role):
        params = h.fastcgi.params_of("GET", "/0.1/backends", headers={
            "X-Auth-Token": token}, XIVO_AUTH_SCOPE=acl)
        with Tcp(port) as c:
            try:
                return c.ask(params, role=role, keep=False).status
            except (EOFError, ConnectionError):
                return None

    def judge(what):
        h.eq((status("foo", h.fastcgi.AUTHORIZER),
              status("baz", h.fastcgi.AUTHORIZER)), (200, 403),
             what + ": it authorizes")
        h.ok(status("foo", h.fastcgi.RESPONDER) not in (200, 204),
             what + ": and answers nothing else")
    judge("start")
    before, master = pool.workers("authorizer"), pool.multiwatch("authorizer")
    for command in ("reload", "restart"):
        pool.expect(0, command + " without -a", command)
        after = pool.workers("authorizer")
        h.eq((len(after), set(after) & set(before)), (2, set()),
             command + ": its processes are others")
        before = after
        judge(command)
    h.eq(pool.multiwatch("authorizer"), master, "the port was never let go")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        pool.expect(1, "restart with a port that is taken", "-a",
                    str(taken.getsockname()[1]), "restart")
        h.has(pool.said, "authorizer: somebody else listens", "it says so")
    pool.expect(0, "start of it on its own port", "-a", str(port), "start")
    pool.expect(0, "status", "status")
    h.has(pool.said, "authorizer: running", "tells of it")
    pool.expect(0, "stop", "stop")
    h.eq(os.listdir(pool.dir), ["lock"], "no file of it is left")
    h.ok(socket.create_server(("127.0.0.1", port)), "nor its port taken")


def main():
    h.need("spawn-fcgi", "multiwatch", "logger", "getconf")
    with h.Service(check=0, login=0, nginx=False) as s:
        pool = Pool(s)
        try:
            remembers_options(s, pool)
            status_tells(s, pool)
            pid_file_gone(s, pool)
            reload_refused(s, pool)
            pool.expect(0, "stop", "stop")
            new_program(s, pool)
            crash_loop(s, pool)
            killed_in_the_pause(s, pool)
            gave_up(s, pool)
            authorizer(s, pool)
            remembers_user(s, pool)
        finally:
            pool("stop")


h.run(main)
