#!/usr/bin/env python3
# 0831-system-calls.t - a system call fails: an answer, or a clean refusal. SPDX-License-Identifier: GPL-3.0-or-later
"""Each system call that a piece of work makes fails, one after the other, with
each error that it may meet: while tokens are issued, checked and revoked,
while the daemon sweeps, while programs start. An interruption nobody notices.
Of everything else the answer is the right one, or one of the refusals that
the interface knows, in time; what was answered is true afterwards; the next
request is served as if nothing had been; and no descriptor is lost.

One call of each kind (which call, on which file) fails; with XA_FULL=1 every
one does.
"""

import json
import os
import shutil
import socket
import time

import consul
import false_consul
import harness as h
import memory
import syscalls
from syscalls import Attached, Ended, Fault

FULL = os.environ.get("XA_FULL") == "1"
LIMIT_S = 3
CREDENTIALS = {"Authorization": h.basic(*h.LOGIN)}

# What a call may meet. An open file or socket that is not waited for is never
# interrupted: so none is where the kernel has no EINTR.
ERRORS = {
    "accept4": ("EINTR", "EAGAIN", "ECONNABORTED", "EMFILE", "ENOBUFS",
                "EPERM"),
    "connect": ("ECONNREFUSED", "EADDRNOTAVAIL", "ETIMEDOUT"),
    "epoll_ctl": ("ENOMEM", "ENOSPC"),
    "epoll_pwait": ("EINTR",),
    "fallocate": ("EINTR", "ENOSPC"),
    "fchmod": ("EIO",),
    "fchown": ("EIO",),
    "fcntl": ("ENOLCK",),
    "fdatasync": ("EIO", "ENOSPC"),
    "flock": ("EINTR", "ENOLCK"),
    "fstatfs": ("EIO",),
    "fsync": ("EIO",),
    "ftruncate": ("EIO",),
    "getdents64": ("EIO",),
    "getrandom": ("EINTR", "ENOSYS"),
    "getsockopt": ("ENOBUFS",),
    "mmap": ("ENOMEM",),
    "newfstatat": ("EIO", "ENOMEM"),
    "openat": ("EMFILE", "EIO"),
    "poll": ("EINTR", "ENOMEM"),
    "pread64": ("EIO",),
    "pwrite64": ("EINTR", "EIO", "EDQUOT"),
    "read": ("EIO", "ECONNRESET"),
    "readlink": ("EIO",),
    "recvfrom": ("EINTR", "ECONNRESET", "ENOMEM"),
    "rename": ("EIO",),
    "sendto": ("EINTR", "EPIPE", "ECONNRESET", "ENOBUFS"),
    "socket": ("EMFILE", "ENOBUFS"),
    "write": ("EINTR", "EIO", "ENOSPC"),
    "writev": ("EINTR", "EIO", "ENOSPC"),
}

# What may happen to a request: a refusal of ours; or an end of its
# connection, of which the web server makes a 502.
REFUSED, CUT = "5xx", "cut"
CLIENT, LOG, USERS = "UNIX-STREAM", "xivo-auth.log", "users.yml"
STORE = ("data.mdb", "TCP")  # whichever of them there is


def may_happen(fault):
    call = fault.call
    if fault.error == "EINTR" or call.name == "accept4":
        return ()
    # Those for Consul come in as many pieces as time has it, so another one
    # may fail than was meant; for good, those for the client do, too.
    if call.object.startswith(CLIENT) or fault.for_good or \
            call.name in ("recvfrom", "sendto"):
        return (REFUSED, CUT)
    if call.name == "epoll_ctl":
        return (CUT,)
    if call.object in (LOG, USERS):  # written or not; the old users stay
        return ()
    return (REFUSED,)


def descriptors(process):
    return len(os.listdir("/proc/%d/fd" % process.pid))


class Tokens:
    """What was promised of each token, and whether it is kept."""

    def __init__(self, s):
        self.s = s
        self.wrong = []
        self.unknown = 0  # tokens that may have been made, unheard

    def ask(self, what, method, path, good, allowed, body=b"", headers=()):
        """The answer, if it was the right one."""
        begun = time.monotonic()
        try:
            answer = self.s.ask(method, path, body, headers=headers)
        except (EOFError, ConnectionError):
            answer = "cut"
        except socket.timeout:
            answer = "none"
        spent = time.monotonic() - begun
        if spent > LIMIT_S:
            self.wrong.append("%s: %s took %.1f s" % (what, method, spent))
        if getattr(answer, "status", None) == good:
            return answer
        kind = answer if isinstance(answer, str) else (
            "5xx" if answer.status in (500, 503) else answer.status)
        is_clean = kind in allowed and (kind != REFUSED or method == "HEAD" or
                                        is_known(answer))
        if not is_clean:
            self.wrong.append("%s: %s: %r" % (what, method, answer))
        return None

    def round(self, what="no fault", allowed=()):
        """Issue, check, revoke; what was answered 200 is true."""
        spare = self.spare
        made = self.ask(what, "POST", "/0.1/token", 200, allowed,
                        b'{"backend": "users_file", "expiration": 3000}',
                        CREDENTIALS)
        self.unknown += made is None
        token = made.data["token"] if made else spare
        path = "/0.1/token/" + token
        self.ask(what, "GET", path, 200, allowed)
        self.ask(what, "HEAD", path, 204, allowed)
        gone = self.ask(what, "DELETE", path, 200, allowed)
        return token, gone is not None

    def settle(self, what, token, gone):
        """Without a fault: what was said holds, and what failed succeeds."""
        path = "/0.1/token/" + token
        self.ask(what + ", then", "GET", "/0.1/token/" + self.living, 200,
                 ())
        if gone:
            self.ask(what + ", revoked", "GET", path, 404, ())
        self.ask(what + ", again", "DELETE", path, 200, ())
        self.ask(what + ", and gone", "GET", path, 404, ())
        if token == self.spare:
            self.spare = self.new()

    def new(self):
        answer = self.s.ask("POST", "/0.1/token",
                            b'{"backend": "users_file"}', headers=CREDENTIALS)
        return answer.data["token"]

    def begin(self):
        self.spare, self.living = self.new(), self.new()


def is_known(answer):
    """A refusal with the words of the interface."""
    return answer.reason in (
        "Token store failed", "Connection to consul failed",
        "Connection to consul timedout", "Internal error",
        "Authentication backend unavailable") and \
        answer.get("Retry-After") is not None


# --- a process that serves ----------------------------------------------------


def serving(s, name, names, before=lambda: None):
    """Each call of a round fails; the process stays, and so do the tokens."""
    process = s.pools["check"][0]
    tokens = Tokens(s)
    tokens.begin()
    tokens.round()
    made = count(s, name)

    def work(*args):
        before()
        return tokens.round(*args)

    def logged_work():
        """Lines of the log are written together, a moment later."""
        lines = s.read("xivo-auth.log").count("request.done")
        work()
        h.until(lambda: s.read("xivo-auth.log").count("request.done") >
                lines + 3, "the lines of four requests")

    calls = list(syscalls.chosen(
        syscalls.watch(process.pid, names, logged_work, "accept4"), FULL,
        STORE))
    h.eq({call.name for call in calls}, set(names), name + ": calls were seen")
    files = descriptors(process)
    faults = [Fault(call, error, for_good)
              for call in calls for error in ERRORS[call.name]
              for for_good in (False, True)[:1 + can_last(call, error)]]
    missed = []
    begun = time.monotonic()
    for fault in faults:
        with Attached(process.pid, fault.options()) as a:
            token, gone = work(str(fault), may_happen(fault))
        if not process.alive():
            return h.ok(False, name + ": the process lives", fault,
                        process.said(), a.trace)
        tokens.settle(str(fault), token, gone)
        if not a.injected:
            missed.append(str(fault))
    h.diag("%s: %d faults in %.1f s" % (name, len(faults),
                                        time.monotonic() - begun))
    h.eq(tokens.wrong, [], name + ": each answer is right or clean, in time")
    h.ok(len(missed) * 3 < len(faults), name + ": the calls did fail",
         *missed)
    h.until(lambda: descriptors(process) <= files, name +
            ": no descriptor is lost", 5)
    h.ok(count(s, name) <= made + tokens.unknown,
         name + ": and no token is left that nobody was told of")


def can_last(call, error):
    """Also for as long as we look: a disk that is broken, no memory."""
    return error not in ("EINTR", "EAGAIN") and call.name != "accept4" and \
        (FULL or call.object in STORE and call.phase == 1)


def count(s, name):
    """How many tokens there are; no half of one, which is a result if it has
    a name."""
    done = s.run_program("xivo-authctl", "-c", s.config, "store", "check",
                         "--json")
    if name or done.returncode:
        h.eq(done.returncode, 0, "%s: no half of a token is left" % name,
             done.stdout, done.stderr)
    return json.loads(done.stdout)["tokens"]


def serving_lmdb():
    with h.Service({"store": {"lmdb": {"sync": True}}}, nginx=False,
                   check=1, login=0) as s:
        serving(s, "LMDB", [
            "accept4", "recvfrom", "read", "write", "epoll_pwait", "sendto",
            "writev", "pwrite64", "fdatasync", "openat",
            "newfstatat", "getrandom"],
            lambda: s.write_users({"alice": h.ALICE}))


def serving_consul(c):
    with false_consul.CountingProxy(c.port) as proxy, \
            h.Service(proxy.config(c), nginx=False, check=1, login=0) as s:
        serving(s, "Consul", ["socket", "connect", "sendto", "recvfrom",
                              "poll", "getsockopt"], proxy.cut_connections)


# --- programs that end --------------------------------------------------------

SETUP = ["openat", "read", "newfstatat", "mmap", "getdents64", "flock",
         "readlink", "fstatfs", "fcntl", "pread64", "write"]
WRITING = ["writev", "pwrite64", "fdatasync", "getrandom"]
NET = ["socket", "connect", "sendto", "recvfrom", "poll"]
REFUSALS = {69, 70, 74, 78}
# A backend that does not start is none, and so no login is right.
BACKEND, WITHOUT_BACKEND = ("users_file.so", "users.yml"), {64, 77}


def errors_of(call):
    """What a program meets that catches no signal: nothing is interrupted but
    what waits for others."""
    errors = ERRORS[call.name]
    if call.object.startswith("pipe") or call.name == "getrandom":
        errors = [x for x in errors if x not in ("EINTR", "ENOSYS")]
    if FULL:
        return errors
    others = [x for x in errors if x != "EINTR"]
    return [x for x in errors if x == "EINTR"] + others[:1]


def refusals_of(fault):
    if fault.error == "EINTR":
        return ()
    return REFUSALS | (WITHOUT_BACKEND if fault.call.object in BACKEND
                       else set())


class Program:
    """A program that runs to its end, and what must be true then."""

    def __init__(self, s, name, args, names, said="", prepare=lambda: None,
                 judge=lambda done, before: None):
        self.s, self.name = s, name
        # A sanitizer ends the program when there is no memory for itself.
        self.names = [x for x in names
                      if x != "mmap" or not memory.is_sanitized()]
        self.argv = [h.program(name), "-c", s.config, *args]
        self.title = " ".join([name, *args])
        self.said, self.prepare, self.judge = said, prepare, judge

    def run(self, options, before):
        # Leaks cannot be looked for in who is traced.
        how = {"env": dict(self.s.env, ASAN_OPTIONS=":".join(filter(None, (
            self.s.env.get("ASAN_OPTIONS"), "detect_leaks=0"))))}
        if before:
            how["input"] = before + "\n"
        return Ended(self.argv, options, **how)

    def __call__(self):
        before = self.prepare()
        first = self.run(["-yy", "-e", "trace=" + ",".join(
            [*self.names, "openat"])], before)
        wrong = list(self.problems(first, (), before))
        h.eq(wrong, [], self.title + ": without a fault", first)
        calls = list(syscalls.chosen(
            syscalls.parse(first.trace, self.names, syscalls.MARKER), FULL))
        faults = [Fault(call, error) for call in calls
                  for error in errors_of(call)]
        begun = time.monotonic()
        missed = 0
        wrong = []
        for fault in faults:
            before = self.prepare()
            done = self.run(fault.options(), before)
            missed += not done.injected
            wrong += ["%s: %s" % (fault, x) for x in self.problems(
                done, refusals_of(fault), before)]
        h.diag("%s: %d faults in %.1f s" % (self.title, len(faults),
                                            time.monotonic() - begun))
        h.eq(wrong, [], self.title + ": it works, or says why not")
        h.ok(missed * 3 < len(faults), self.title + ": the calls did fail",
             missed)

    def problems(self, done, refusals, before):
        if done.code == 0:
            if self.said not in done.out:
                yield "wrong: %r" % done
        elif done.code not in refusals:
            yield "no good end: %r" % done
        elif not done.err.strip():
            yield "says nothing: %r" % done
        yield from self.judge(done, before) or ()


def only_alice(s):
    s.write_users({"alice": h.ALICE})
    return h.LOGIN[1]


def users_are_whole(s, done):
    """The new file, or the old one when it failed; and nothing beside it."""
    names = [x for x in os.listdir(s.dir) if x.startswith("users.yml")]
    if names != ["users.yml"]:
        yield "these are there: %s" % names
    if done.code and "bob" not in s.read("users.yml"):
        return
    login = s.run_program("xivo-authctl", "-c", s.config, "backend", "test",
                          "users_file", "--login", "bob",
                          input=h.LOGIN[1] + "\n")
    if login.returncode:
        yield "%r, and then: %r" % (done, login)


def programs(s, store):
    """xivo-auth-fcgi -t, the commands of xivo-authctl, a sweep."""
    def new_token():
        return s.ask("POST", "/0.1/token", b'{"backend": "users_file"}',
                     headers=CREDENTIALS).data["token"]

    def status(token):
        return s.ask("GET", "/0.1/token/" + token).status

    def is_new_valid(done, _password):
        if done.code == 0 and status(json.loads(done.out)["token"]) != 200:
            yield "the new token is not valid"

    def is_gone(done, token):
        if done.code == 0 and status(token) != 404:
            yield "it was revoked and is valid"
        if done.code != 0 and s.ask("DELETE", "/0.1/token/" +
                                    token).status != 200:
            yield "nor can it be revoked then"

    def command(words, names, *more):
        return Program(s, "xivo-authctl", words.split(), names, *more)

    living = new_token()
    net = NET if store == "Consul" else []
    disk = WRITING if store == "LMDB" else []
    setup = SETUP if store == "LMDB" else []
    all_of_them = [
        Program(s, "xivo-auth-fcgi", ["-t"], setup + net, "configuration ok"),
        command("--json token new --backend users_file --login " + h.LOGIN[0],
                disk + net + ["read", "write"], '"token"', lambda: h.LOGIN[1],
                is_new_valid),
        command("token show -", net + ["read"], "auth_id", lambda: living),
        command("token revoke -", disk + net, "revoked", new_token, is_gone),
        command("store check", net + ["write", "openat"], "tokens")]
    if store == "LMDB":
        all_of_them += [
            command("config check", ["openat", "read", "getdents64", "write"]),
            command("passwd -f %s bob" % s.users, [
                "openat", "read", "newfstatat", "flock", "fchmod", "fchown",
                "write", "fsync", "rename"], "", lambda: only_alice(s),
                lambda done, _: users_are_whole(s, done))]
    for program in all_of_them:
        program()
    count(s, store)


# --- sweeps -------------------------------------------------------------------


class Due:
    """A store with tokens that are due and tokens that are not, again and
    again."""

    LIVING, DUE = 3, 5

    def __init__(self, s, c=None):
        self.s, self.c = s, c
        for count, lifetime in ((self.LIVING, 3600), (self.DUE, 1)):
            done = s.run_program("tests/tools/store_fill", "-c", s.config,
                                 "-n", str(count), "--lifetime", str(lifetime))
            if done.returncode:
                raise RuntimeError(done.stderr)
        time.sleep(2.1)  # until they are due: Consul rounds up to a second
        if c:
            self.pairs = c.pairs()
        else:
            shutil.copytree(s.path("store"), s.path("filled"))

    def restore(self):
        """In place: who has the store open goes on with it."""
        if self.c:
            self.c.put_many(self.pairs.items())
            return
        shutil.rmtree(self.s.path("store"))
        shutil.copytree(self.s.path("filled"), self.s.path("store"))

    def judge(self, done, _before):
        if done.code != 0:
            again = self.s.run_program("xivo-auth-expiryd", "-c",
                                       self.s.config, "--once")
            if again.returncode:
                yield "nor does it work then: %r" % again
        left = count(self.s, None)
        if left != self.LIVING:
            yield "%s tokens are left: %r" % (left, done)


def sweeps(s, due):
    Program(s, "xivo-auth-expiryd", ["--once"],
            NET if due.c else SETUP + WRITING, prepare=due.restore,
            judge=due.judge)()


def new_store(s):
    """What a start makes of an empty folder; half of it is no hindrance."""
    folder = s.path("store")

    def empty():
        shutil.rmtree(folder)
        os.mkdir(folder, 0o700)

    def starts(done, _before):
        again = s.run_program("xivo-auth-expiryd", "-c", s.config, "--once")
        if again.returncode:
            yield "%r, and then: %r" % (done, again)

    Program(s, "xivo-auth-expiryd", ["--once"], [
        "fallocate", "fsync", "fchmod", "fchown", "writev", "pwrite64",
        "fdatasync", "openat", "ftruncate"], prepare=empty, judge=starts)()


def daemon(s, store, due, calls):
    """One that runs: while it cannot sweep it stays; then it goes on."""
    due.restore()
    process = s.start_daemon()
    h.until(lambda: count(s, None) == due.LIVING, "the first sweep", 20)
    files = descriptors(process)
    for name, error in calls:
        fault = Fault(syscalls.Call(name, 1, ""), error, True)
        with Attached(process.pid, fault.options()) as a:
            due.restore()
            h.until(lambda: a.seen() or not process.alive(),
                    "%s: %s" % (store, fault), 10)
        h.until(lambda: count(s, None) == due.LIVING or not process.alive(),
                "%s: a sweep after %s" % (store, fault), 15)
        h.ok(process.alive(), "%s: the daemon outlives %s" % (store, fault),
             process.said())
    h.until(lambda: descriptors(process) <= files, "no descriptor is lost")
    h.eq(process.stop(), 0, store + ": the daemon ends well")


# --- all of it ----------------------------------------------------------------


def is_root():
    """Nobody else may attach to a process that lets nobody look."""
    if os.geteuid() == 0:
        return True
    h.skip("only root may trace what runs already", "what runs")
    return False


def lmdb():
    config = {"store": {"lmdb": {"sync": True}}}
    if is_root():
        serving_lmdb()
    with h.Service(config, nginx=False, check=1, login=0) as s:
        programs(s, "LMDB")
    config["expiry"] = {"interval": 0.1}
    with h.Service(config, nginx=False, check=0, login=0) as s:
        due = Due(s)
        sweeps(s, due)
        if is_root():
            daemon(s, "LMDB", due, (
                ("fdatasync", "EIO"), ("pwrite64", "EIO"),
                ("newfstatat", "EIO"), ("rt_sigtimedwait", "EINTR")))
        new_store(s)


def over_consul():
    with consul.Consul() as c:
        if is_root():
            serving_consul(c)
        c.delete_all(consul.PREFIX)
        with h.Service(c.config(), nginx=False, check=1, login=0) as s:
            programs(s, "Consul")
        c.delete_all(consul.PREFIX)
        config = dict(c.config(), expiry={"interval": 0.1})
        with h.Service(config, nginx=False, check=0, login=0) as s:
            due = Due(s, c)
            sweeps(s, due)
            if is_root():
                daemon(s, "Consul", due, (
                    ("sendto", "EPIPE"), ("poll", "ENOMEM"),
                    ("recvfrom", "ECONNRESET")))


def main():
    syscalls.strace()
    lmdb()
    over_consul()


h.run(main, 7200 if FULL else 500)
