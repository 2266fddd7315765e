#!/usr/bin/env python3
# 0530-pam.t - the backend pam: who gets in, and what it survives. SPDX-License-Identifier: GPL-3.0-or-later
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness as h  # noqa: E402
import pamlab  # noqa: E402
from poollab import Pool  # noqa: E402

MATRIX = """\
auth    required {matrix} passdb={users}
account required {matrix} passdb={users}
"""
ODD = "auth required {odd}\naccount required {odd}\n"
USERS = {"alice": "correct horse", "björk": "ÿ pässwörd ", "carl": "p" * 512,
         "dora": "elsewhere"}
REFUSED = (401, "Authentication Failed")
AWAY = (503, "Authentication backend unavailable")


def refused(s, login, password, name):
    answer = s.login(login=(login, password), backend="pam")
    h.eq((answer.status, answer.reason), REFUSED, name, answer)


def logged(s, part, name):
    """It stands in the log, which is written after the answer."""
    try:
        h.until(lambda: part in s.read("xivo-auth.log"), part)
    except TimeoutError:
        pass
    h.has(s.read("xivo-auth.log"), part, name)


def right_password_only(s):
    for login in ("alice", "björk", "carl"):
        answer = s.login(login=(login, USERS[login]), backend="pam")
        h.eq(answer.status, 200, "%s gets a token" % login, answer)
        data = answer.data or {}
        h.eq((data.get("auth_id"), data.get("xivo_user_uuid"),
              data.get("acls")), (login, None, ["a.b"]), "the account's")
        for wrong in (USERS[login][:-1], USERS[login] + "x", "x",
                      USERS[login].upper(), ""):
            refused(s, login, wrong, "not with %r" % wrong[:20])
    refused(s, "dora", USERS["dora"], "an account that may not use this "
            "service, with its password")
    refused(s, "nobody", "x", "an unknown account")
    refused(s, "alice:correct horse", "", "a colon ends the login")


def odd_logins(s):
    """What cannot be a login never reaches PAM."""
    for login in ("", "a\0lice", "alice\n", "\x1balice", "a" * 4000,
                  "a" * 257, "../alice", "alice/", "alice ", " alice",
                  "$(id)", "%s%n", "-1"):
        refused(s, login, USERS["alice"], "login %r" % login[:20])
    raw = h.base64.b64encode(b"al\xffice:correct horse").decode()
    answer = s.http("POST", "/0.1/token", {"backend": "pam"},
                    {"Authorization": "Basic " + raw})
    h.eq((answer.status, answer.reason), REFUSED, "invalid UTF-8")
    for password in ("p" * 513, "correct\0horse", "correct horse\n",
                     "c" * 4000):
        refused(s, "alice", password, "password %r" % password[:20])
    h.eq(s.ask_pam("a" * 10000).status, 400, "one of 10 kB is nginx's")
    answer = s.ask("POST", "/0.1/token", b'{"backend": "pam"}', "login",
                   {"Authorization": h.basic("a" * 10000, "x")})
    h.eq((answer.status, answer.reason), REFUSED, "or ours")
    raw = h.base64.b64encode(b"alice:correct \xff").decode()
    answer = s.http("POST", "/0.1/token", {"backend": "pam"},
                    {"Authorization": "Basic " + raw})
    h.eq((answer.status, answer.reason), REFUSED, "password in Latin 1")


def is_clean(pid, name):
    """It has one descriptor of ours, no stream and no store."""
    folder = "/proc/%d/fd/" % pid
    try:
        files = {int(fd): os.readlink(folder + fd)
                 for fd in os.listdir(folder)}
        with open("/proc/%d/maps" % pid) as f:
            maps = f.read()
    except PermissionError:  # it is not to be looked into
        h.skip("only root can look into it", name)
        return
    h.ok(sorted(files) == [0, 1, 2, 3] and files[3].startswith("socket:") and
         {files[fd] for fd in range(3)} == {"/dev/null"} and
         "lock.mdb" not in maps, name, files, maps)


def helper_is_apart(s):
    helper = s.helpers()
    h.eq(len(helper), 1, "one helper a process")
    is_clean(helper[0], "which has nothing of its parent's")
    pamlab.kill(helper[0], signal.SIGTERM)
    h.eq(s.ask_pam("alice", USERS["alice"]).status, 200,
         "SIGTERM is its parent's affair")
    h.eq(s.helpers(), helper, "so it lives")


def begin_anew(s):
    """Another process in the place of the one that serves logins."""
    s.pools["login"].pop().stop()
    s.add_process("login", on=s.sockets[1])
    s.wait_pool("login")


def nothing_stays(s, name):
    """A helper that was forked in the midst of a login has the memory of the
    process that had it in hand."""
    pid = s.pools["login"][0].pid
    try:
        h.until(lambda: not pamlab.children(pid), "no helper")
    except TimeoutError:
        pass
    h.eq(pamlab.children(pid), [], name)


def killed(s):
    for number, what in ((signal.SIGKILL, "killed"),
                         (signal.SIGSEGV, "crashed")):
        old = s.helpers()[0]
        pamlab.kill(old, number)
        h.until(lambda: pamlab.is_gone(old), "the helper's end")
        for which in ("the login", "the second login"):
            h.eq(s.ask_pam("alice", USERS["alice"]).status, 200,
                 "%s after a helper was %s" % (which, what))
            nothing_stays(s, "its helper ended with it")
        refused(s, "alice", "wrong", "a wrong password is refused still")
        begin_anew(s)
    logged(s, "the helper was dead: each login has one of its own now",
          "the log says so")


def frozen(s):
    old = s.helpers()[0]
    pamlab.kill(old, signal.SIGSTOP)
    begun = time.monotonic()
    answer = s.ask_pam("alice", USERS["alice"])
    h.eq((answer.status, answer.reason), AWAY, "a frozen helper is 503")
    h.ok(time.monotonic() - begun < 4, "in its time")
    h.eq(s.ask_pam("alice", USERS["alice"]).status, 200, "the next is served")
    h.ok(pamlab.is_gone(old), "by another helper")
    nothing_stays(s, "which ended with it")


def stack(s):
    """What modules do, each by a login of its own."""
    h.eq(s.ask_pam("fine").status, 200, "a good module")
    h.eq(s.ask_pam("chatty").status, 200, "texts are not answered")
    for login in ("files", "signals"):
        h.eq(s.ask_pam(login).status, 200, "modules find plain %s" % login)
    answer = s.ask_pam("rename-9")
    h.eq((answer.status, (answer.data or {}).get("auth_id")),
         (200, "the-account"), "the account is named as PAM names it")
    for login in ("hidden", "shown", "twice", "fine-hidden"):
        refused(s, login, pamlab.PASSWORD, "%s: asks for more" % login)
    logged(s, "pam_authenticate asks for more than a password",
          "the log says who asks")
    logged(s, "pam_acct_mgmt asks for more than a password", "or that one")
    for login in ("garble", "drop_user", "die", "fine-die"):
        refused(s, login, pamlab.PASSWORD, login)
    logged(s, "the process with the modules of PAM died", "a crash is told")
    begun = time.monotonic()
    refused(s, "delay", pamlab.PASSWORD, "a stack that wants a pause")
    h.ok(time.monotonic() - begun < 2.5, "does not get it")
    h.eq(s.ask_pam("fine").status, 200, "all is well after it")


# Numbers of Linux-PAM, from <security/_pam_types.h>.
CODES = ((401, {6: "PERM_DENIED", 7: "AUTH_ERR", 8: "CRED_INSUFFICIENT",
                10: "USER_UNKNOWN", 11: "MAXTRIES", 12: "NEW_AUTHTOK_REQD",
                13: "ACCT_EXPIRED", 16: "CRED_EXPIRED", 19: "CONV_ERR",
                27: "AUTHTOK_EXPIRED"}),
         (401, {3: "SERVICE_ERR", 4: "SYSTEM_ERR", 28: "MODULE_UNKNOWN"}),
         (503, {9: "AUTHINFO_UNAVAIL", 5: "BUF_ERR"}))


def codes(s):
    for status, names in CODES:
        for code, name in names.items():
            for login in (str(code), "fine-%d" % code):
                h.eq(s.ask_pam(login).status, status, "PAM_%s as %s" % (
                    name, login))
    logged(s, "backend.failed name=pam", "a fault of the stack is logged")
    h.lacks(s.read("xivo-auth.log"), pamlab.PASSWORD, "no password in the log")
    h.eq(s.ask_pam("fine").status, 200, "none of it stays")


def hanging(s):
    for login in ("hang", "fine-hang"):
        begun = time.monotonic()
        answer = s.ask_pam(login)
        took = time.monotonic() - begun
        h.eq((answer.status, answer.reason), AWAY, "%s is 503" % login)
        h.ok(2 < took < 4, "in its time", took)
        h.eq(s.ask_pam("fine").status, 200, "the next login is served")
    logged(s, "took too long and were ended",
          "the log says so")
    helper = s.helpers()[0]
    h.eq(s.ask_pam("linger").status, 200, "a module that leaves a child")
    h.until(lambda: all(map(pamlab.is_gone, pamlab.children(helper))),
            "no process to be left")
    h.eq(s.ask_pam("fine").status, 200, "which is ended with it")
    h.ok(len(pamlab.children(helper)) <= 1, "and not even a zombie stays")


def no_file(s):
    answer = s.ask_pam("alice", USERS["alice"])
    h.eq((answer.status, answer.reason), REFUSED, "nobody gets in")
    logged(s, "there is no /etc/pam.d/nowhere",
          "the log says why")


def shipped(s):
    """The file that we install, and the machine's own modules."""
    for login in ("root", "nobody", "no-such-user"):
        refused(s, login, "wrong", "%s by pam_unix" % login)


def as_nobody(s):
    logged(s, "text=\"runs as user %d, not as root"
          % os.geteuid(), "the log says what a user cannot do")


def with_stack(text, *parts, **config):
    stacks = {"xivo-auth": text}
    with pamlab.Service(stacks, config, check=1, login=1) as s:
        for part in parts:
            part(s)
        pids = s.helpers() + s.helpers("check")
        s.stop()
        h.until(lambda: all(map(pamlab.is_gone, pids)), "the helpers' end")


def with_table():
    """Logins by a table, through a module that is not ours."""
    matrix = pamlab.module("pam_matrix")
    if not matrix:
        h.skip("there is no pam_matrix.so", "logins by a table")
        return
    with pamlab.Service({}, check=1, login=1, start=False) as s:
        users = s.write("matrix", "".join("%s:%s:%s\n" % (
            name, password, "sshd" if name == "dora" else "xivo-auth")
            for name, password in USERS.items()))
        s.stacks["xivo-auth"] = MATRIX.format(matrix=matrix, users=users)
        s.start()
        for part in (right_password_only, odd_logins, helper_is_apart,
                     killed, frozen):
            part(s)


def again_as_nobody():
    """This test once more, the short of it, without rights."""
    name = "as a user without rights"
    become = [h.need("setpriv"), "--reuid=65534", "--regid=65534",
              "--clear-groups"]
    seen = subprocess.run(become + ["test", "-x", h.program(
        "xivo-auth-fcgi")], stderr=subprocess.DEVNULL)
    if seen.returncode:
        h.skip("nobody may not enter %s" % h.BUILD, name)
        return
    done = subprocess.run(become + [sys.executable, __file__, "--short"],
                          text=True,
                          capture_output=True, cwd="/",
                          env=dict(os.environ, builddir=h.BUILD,
                                   srcdir=h.SOURCE))
    h.ok(done.returncode == 0 and "ok 1 " in done.stdout, name,
         done.stdout, done.stderr)


def in_a_pool():
    """The helpers are no processes of the pool, and go with them."""
    h.need("spawn-fcgi", "multiwatch")
    with h.Service({"enabled_plugins": ["pam"]}, check=0, login=0,
                   nginx=False) as s:
        pool = Pool(s)
        try:
            pool.expect(0, "a pool starts", "-n", "1", "-N", "1", "start")
            before = [pid for p in pool.workers("login")
                      for pid in pamlab.children(p)]
            h.eq([pamlab.name_of(pid) for pid in before], ["xivo-auth-pam"],
                 "its process has a helper")
            pool.expect(0, "status", "status")
            pool.expect(0, "reload", "reload")
            after = [pid for p in pool.workers("login")
                     for pid in pamlab.children(p)]
            h.ok(len(after) == 1 and after != before and
                 pamlab.is_gone(before[0]), "a new process, a new helper")
        finally:
            pool.expect(0, "stop", "stop")
        h.until(lambda: pamlab.is_gone(after[0]), "the helper's end")


def main():
    odd = ODD.format(odd=pamlab.odd())
    if os.geteuid() != 0:
        with_stack(odd, stack, as_nobody)
        if "--short" in sys.argv:
            return
    else:
        again_as_nobody()
    with_stack(odd, stack, codes, hanging)
    with_stack(odd, no_file, pam={"service": "nowhere"})
    with open(os.path.join(h.SOURCE, "backends/pam.d/xivo-auth")) as f:
        with_stack(f.read(), shipped, pam={"service": "xivo-auth"})
    with_table()
    in_a_pool()


h.run(main)
