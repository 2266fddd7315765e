#!/usr/bin/env python3
# 0401-passwd.t - passwords from the terminal into the users file. SPDX-License-Identifier: GPL-3.0-or-later
import contextlib
import json
import os
import pty
import select
import signal
import stat
import subprocess
import termios
import time

import harness as h

FINE, USAGE, DENIED, CONFIG = 0, 64, 77, 78

USERS = """\
# Who may log in.
users:
  # the first
  alice:
    password: "%s"  # set in spring
    uuid: 63f3dc3c-865d-419e-bec2-e18c4b118224
    acls:
      - confd.users.me.read   # reads
  bob: {password: "%s", uuid: b-0}

# the end
""" % (h.ALICE["password"], h.ALICE["password"])


def passwd(s, *args, password="new secret\n", code=FINE, what=None):
    done = s.run_program("xivo-authctl", "-c", s.config, "passwd", *args,
                         input=password)
    h.eq(done.returncode, code, what or "passwd " + " ".join(args),
         done.stdout, done.stderr)
    h.lacks(done.stdout + done.stderr, "new secret", "without the password")
    return done


def login(s, who, password="new secret", code=FINE):
    done = s.run_program("xivo-authctl", "-c", s.config, "backend", "test",
                         "users_file", "--login", who, "--json",
                         input=password + "\n")
    h.eq(done.returncode, code, "login of %s" % who, done.stderr)
    return json.loads(done.stdout) if code == FINE else None


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def new_file(s):
    folder = s.path("fresh")
    os.mkdir(folder)
    path = os.path.join(folder, "users.yml")
    if os.geteuid() == 0:
        os.chown(folder, 0, 65534)
    old = os.umask(0o077)
    done = passwd(s, "-f", path, "carol", "--acl", "a.#", "--acl", "b")
    os.umask(old)
    h.has(done.stdout, "carol: added", "it says what it did")
    h.eq(mode(path), 0o640, "a new file is open to its group")
    if os.geteuid() == 0:
        h.eq(os.stat(path).st_gid, 65534, "which is that of the folder")
    h.eq(os.listdir(folder), ["users.yml"], "and nothing else is left")
    done = passwd(s, "--file", path, "dave", "--json", "--uuid", "d-1")
    h.eq(json.loads(done.stdout),
         {"file": path, "login": "dave", "added": True}, "JSON")
    passwd(s, "-f", s.path("none", "users.yml"), "carol", code=CONFIG)


def edit(s):
    s.write("users.yml", USERS, mode=0o604)
    if os.geteuid() == 0:
        os.chown(s.users, 65534, 65533)
    done = passwd(s, "alice")
    h.has(done.stdout, "password changed", "it says what it did")
    text = s.read("users.yml")
    h.eq([line for line in text.splitlines() if "password: \"$" not in line],
         [line for line in USERS.splitlines() if "password: \"$" not in line],
         "all other lines are as they were")
    h.has(text, "\"  # set in spring", "the comment behind it too")
    h.eq(mode(s.users), 0o604, "the mode is kept")
    if os.geteuid() == 0:
        st = os.stat(s.users)
        h.eq((st.st_uid, st.st_gid), (65534, 65533), "owner and group too")
        os.chown(s.users, 0, 0)
    os.chmod(s.users, 0o600)
    who = login(s, "alice")
    h.eq(who["auth_id"], h.ALICE["uuid"], "uuid as it was")
    h.eq(who["acls"], ["confd.users.me.read"], "ACLs as they were")

    passwd(s, "bob", "--uuid", "b-1", "--acl", "x.#")
    who = login(s, "bob")
    h.eq((who["auth_id"], who["acls"]), ("b-1", ["x.#"]), "as it was asked")
    passwd(s, "erin")
    who = login(s, "erin")
    h.eq(len(who["auth_id"]), 36, "a new user has a UUID")
    h.ok("websocketd" in who["acls"], "and the default ACLs")
    h.ok(s.read("users.yml").endswith("\n# the end\n"), "the end stays")


def methods(s):
    for method, prefix in (("yescrypt", "$y$"), ("bcrypt", "$2b$"),
                           ("sha512", "$6$"), ("argon2id", "$argon2id$")):
        passwd(s, "frank", "--method", method)
        h.has(s.read("users.yml"), 'password: "' + prefix, method)
        login(s, "frank")
        login(s, "frank", "old secret", DENIED)


def refusals(s):
    before = s.read("users.yml")
    for args in (["a:b"], [""], ["a\nb"], ["x" * 257], ["a", "--uuid", ""],
                 ["a", "--uuid", "a\tb"], ["a", "--acl", ""],
                 ["a", "--acl", "x" * 1025], ["a", "--method", "md5"]):
        passwd(s, *args, code=USAGE, what="usage: %r" % (args,))
    for what, password in (("empty", "\n"), ("none", ""),
                           ("a control character", "a\tb\n"),
                           ("too long", "x" * 512 + "\n"),
                           ("over a line", "x" * 5000 + "\n")):
        passwd(s, "alice", password=password, code=USAGE,
               what="password: " + what)
    passwd(s, "alice", "--method", "bcrypt", password="x" * 73 + "\n",
           code=USAGE, what="password: too long for bcrypt")
    h.eq(s.read("users.yml"), before, "the file is as it was")
    for what, text in (
            ("a comment in braces", "users: {alice: {}, # why\n bob: {}}\n"),
            ("no YAML", "users: [\n"), ("users is a list", "users: []\n"),
            ("anchors", "users:\n  alice: &a\n    password: x\n"
                        "  bob:\n    <<: *a\n")):
        path = s.write("odd.yml", text)
        done = passwd(s, "-f", path, "alice", code=CONFIG, what=what)
        h.has(done.stderr, "odd.yml:", "the line is named")
        h.eq(s.read("odd.yml"), text, "the file is as it was")
    passwd(s, "-f", s.dir, "alice", code=CONFIG, what="a folder")
    s.write("users.json", json.dumps({"users": {"alice": h.ALICE}}, indent=2))
    passwd(s, "-f", s.path("users.json"), "alice", what="a file in JSON")
    h.has(s.read("users.json"), "alice:\n    password: \"$y$", "becomes YAML")


def at_once(s):
    names = ["user%d" % i for i in range(12)]
    runs = [subprocess.Popen(
        [h.program("xivo-authctl"), "passwd", "-f", s.users, name],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) for name in names]
    for run in runs:
        run.stdin.write(b"new secret\n")
        run.stdin.close()
    h.eq([run.wait() for run in runs], [FINE] * len(runs), "twelve at once")
    text = s.read("users.yml")
    h.eq([n for n in names if "  %s:\n" % n not in text], [], "none is lost")


class Terminal:
    """xivo-authctl on a terminal of its own, as the job of a shell."""

    def __init__(self, *args):
        self.text = ""
        self.master, self.slave = pty.openpty()
        self.told, tell = os.pipe()
        self.shell = os.fork()
        if self.shell == 0:
            self._be_shell(tell, [h.program("xivo-authctl"), *args])
        os.close(tell)
        self.pid = int(os.read(self.told, 16))

    def _be_shell(self, tell, argv):
        """Without a shell in its session a job cannot be stopped."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        h._die_with_us()
        os.setsid()
        os.close(os.open(os.ttyname(self.slave), os.O_RDWR))
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.setpgid(0, 0)
            for fd in (0, 1, 2):
                os.dup2(self.slave, fd)
            while os.tcgetpgrp(0) != os.getpid():
                time.sleep(0.01)
            os.execv(argv[0], argv)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        os.tcsetpgrp(self.slave, pid)
        os.write(tell, b"%15d" % pid)
        status = os.waitpid(pid, 0)[1]
        os.write(tell, b"%15d" % os.waitstatus_to_exitcode(status))
        time.sleep(60)  # the terminal lives as long as its shell
        os._exit(0)

    def wait_for(self, text, seconds=10):
        end = time.monotonic() + seconds
        while text not in self.text:
            left = end - time.monotonic()
            if left < 0 or not select.select([self.master], [], [], left)[0]:
                raise TimeoutError("no %r in %r" % (text, self.text))
            self.text += os.read(self.master, 1024).decode()

    def type(self, text):
        os.write(self.master, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def is_stopped(self):
        with open("/proc/%d/stat" % self.pid) as f:
            return f.read().rpartition(")")[2].split()[0] == "T"

    def end(self):
        """How it ended: its exit code, or minus the signal."""
        if not select.select([self.told], [], [], 10)[0]:
            raise TimeoutError("it does not end")
        code = int(os.read(self.told, 16))
        while select.select([self.master], [], [], 0)[0]:
            self.text += os.read(self.master, 1024).decode()
        os.kill(self.shell, signal.SIGKILL)
        os.waitpid(self.shell, 0)
        for fd in (self.master, self.slave, self.told):
            os.close(fd)
        return code


def terminal(s):
    t = Terminal("passwd", "-f", s.users, "grace")
    t.wait_for("New password: ")
    h.ok(not t.echoes(), "the echo is off")
    t.type("typed secret\n")
    t.wait_for("The same again: ")
    t.type("typed secret\n")
    t.wait_for("added")
    h.ok(t.echoes(), "the echo is back")
    h.eq(t.end(), FINE, "a password from the terminal")
    h.lacks(t.text, "typed", "which does not show it")
    login(s, "grace", "typed secret")

    before = s.read("users.yml")
    t = Terminal("passwd", "-f", s.users, "grace")
    t.wait_for("New password: ")
    t.type("one\n")
    t.wait_for("The same again: ")
    t.type("two\n")
    t.wait_for("differ")
    h.eq(t.end(), USAGE, "two that differ")

    for name, keys in (("SIGINT", "\x03"), ("SIGTERM", None),
                       ("SIGHUP", None), ("SIGQUIT", None)):
        number = getattr(signal, name)
        # not ignored, as under nohup(1)
        signal.signal(number, signal.SIG_DFL)
        t = Terminal("passwd", "-f", s.users, "grace")
        t.wait_for("New password: ")
        t.type("half a secr")
        if keys:
            t.type(keys)
        else:
            os.kill(t.pid, number)
        h.until(t.echoes, "the echo")
        h.ok(True, "%s: the echo is back" % name)
        h.eq(t.end(), -number, "%s: it ends by the signal" % name)
    h.eq(s.read("users.yml"), before, "the file is as it was")

    t = Terminal("token", "check", "-", "-c", s.config)
    t.wait_for("Token or key: ")
    h.ok(not t.echoes(), "a token is read without echo")
    t.type(h.TOKEN + "\n")
    t.wait_for("no such token")
    h.eq(t.end(), 1, "and looked up")
    h.lacks(t.text, h.TOKEN, "without being shown")


def stopped(s):
    """Ctrl-Z gives the echo back; when it goes on it asks again."""
    t = Terminal("passwd", "-f", s.users, "grace")
    t.wait_for("New password: ")
    t.type("half\x1a")
    h.until(t.is_stopped, "the stop")
    h.ok(t.echoes(), "stopped: the echo is back")
    t.wait_for("\n")
    t.text = ""
    os.kill(t.pid, signal.SIGCONT)
    t.wait_for("New password: ")
    h.ok(not t.echoes(), "continued: the echo is off")
    t.type("typed again\n")
    t.wait_for("The same again: ")
    t.type("typed again\n")
    h.eq(t.end(), FINE, "stopped and continued")
    login(s, "grace", "typed again")


def main():
    h.program("xivo-authctl")
    with h.Service(check=0, login=0, nginx=False, start=False) as s:
        new_file(s)
        edit(s)
        methods(s)
        refusals(s)
        at_once(s)
        terminal(s)
        stopped(s)


h.run(main)
