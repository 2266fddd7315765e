# syscalls.py - system calls that fail when a test wants it. SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's refusals, put in place of its answers by strace.

    for call in syscalls.watch(pid, ["write"], work, "accept4"):
        fault = syscalls.Fault(call, "EIO")
        with syscalls.Attached(pid, fault.options()) as a:
            work()
        h.ok(a.injected, "that call failed", a.trace)

A call is known by its number among the calls of its name, so the same work
must be done each time.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile

import harness as h

CALL = re.compile(r"^(?:\d+ +)?([a-z0-9_]+)\((.*)$")
MARKER = '"/dev/null", O_RDWR)'  # xa_process_protect()


def strace():
    """Its path; skips the test where it may not trace."""
    path = shutil.which("strace")
    if not path:
        raise h.SkipAll("strace is not installed")
    done = subprocess.run([path, "-qq", "-o", "/dev/null", "-e",
                           "inject=getppid:error=EPERM", "true"],
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise h.SkipAll("strace may not trace: " + done.stderr)
    return path


class Call:
    """One call of a run: its name, its number among those of that name, and
    what tells it from others in the eyes of a reader."""

    def __init__(self, name, number, text, phase=0):
        self.name, self.number, self.text = name, number, text
        self.phase = phase
        self.object = self._object()

    def _object(self):
        """The file, the kind of socket, or what else is worked on."""
        text = self.text
        found = re.search(r'"([^"]*)"', text) if re.match(
            r'AT_FDCWD|"', text) else re.match(r"(?:AT_FDCWD<[^>]*>, )?"
                                               r"-?\d*<([^>]*)>", text)
        what = found.group(1) if found else ""
        if "socket:" in what or "UNIX" in what or "TCP" in what:
            what = re.split(r"[:\[]", what)[0] + (
                " peek" if "MSG_PEEK" in text else "")
        what = os.path.basename(what) or what
        return re.sub(r"\d+", "N", what)

    def __str__(self):
        return "%s %d, %s" % (self.name, self.number, self.object or "-")


class Fault:
    """From the call of that number on (`for_good`) or that call alone."""

    def __init__(self, call, error, for_good=False):
        self.call, self.error, self.for_good = call, error, for_good

    def __str__(self):
        return "%s: %s%s" % (self.call, self.error,
                             " and so on" if self.for_good else "")

    def options(self):
        return ["-e", "trace=" + self.call.name,
                "-e", "inject=%s:error=%s:when=%d%s" % (
                    self.call.name, self.error, self.call.number,
                    "+" if self.for_good else "")]


def parse(trace, names, after=None, phases=None):
    """The calls of these names; with `after`, those behind such a line. A new
    phase of the work begins with each call named `phases`."""
    count = dict.fromkeys(names, 0)
    begun = after is None
    phase = 0
    for line in trace.splitlines():
        begun = begun or after in line
        match = CALL.match(line)
        if not match:
            continue
        name = match.group(1)
        phase += name == phases
        if name not in count:
            continue
        count[name] += 1
        if begun:
            yield Call(name, count[name], match.group(2), phase)


def chosen(calls, whole, phased=()):
    """All of them, or one of each name and object; of those objects one in
    each phase."""
    seen = set()
    for call in calls:
        kind = (call.name, call.object,
                call.phase if call.object in phased else 0)
        if whole or kind not in seen:
            seen.add(kind)
            yield call


class Attached:
    """strace at a process that runs already; only root may do that."""

    def __init__(self, pid, options):
        self.folder = tempfile.mkdtemp(prefix="xivo-auth-strace-")
        self.path = os.path.join(self.folder, "trace")
        self.trace = ""
        self.popen = subprocess.Popen(
            [strace_path(), "-f", "-o", self.path, *options, "-p", str(pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        said = self.popen.stderr.readline()
        if "attached" not in said:
            self.detach()
            raise h.SkipAll("strace may not attach: " + said)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.detach()

    def detach(self):
        self.popen.send_signal(signal.SIGTERM)
        self.popen.stderr.read()
        self.popen.wait(20)
        self.popen.stderr.close()
        with contextlib.suppress(FileNotFoundError), \
                open(self.path, errors="replace") as f:
            self.trace = f.read()
        shutil.rmtree(self.folder, ignore_errors=True)

    def seen(self):
        """Whether a call has failed so far."""
        with open(self.path, errors="replace") as f:
            return "(INJECTED)" in f.read()

    @property
    def injected(self):
        return [x for x in self.trace.splitlines() if "(INJECTED)" in x]


_path = []


def strace_path():
    if not _path:
        _path.append(strace())
    return _path[0]


def watch(pid, names, work, phases):
    """What a process calls while `work` is done."""
    with Attached(pid, ["-yy", "-e",
                        "trace=" + ",".join([*names, phases])]) as a:
        work()
    return list(parse(a.trace, names, phases=phases))


class Ended:
    """How a program ended that was traced from its start."""

    def __init__(self, argv, options, **how):
        folder = tempfile.mkdtemp(prefix="xivo-auth-strace-")
        path = os.path.join(folder, "trace")
        how.setdefault("timeout", 20)
        # where a build that counts may fail to read and write its counts
        how["env"] = dict(how.get("env") or os.environ, GCOV_PREFIX=folder)
        if "input" not in how:
            how.setdefault("stdin", subprocess.DEVNULL)
        try:
            done = subprocess.run(
                [strace_path(), "-f", "-qq", "--seccomp-bpf", "-o", path,
                 *options, *argv], text=True, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, check=False, **how)
            with open(path, errors="replace") as f:
                self.trace = f.read()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self.code, self.out, self.err = \
            done.returncode, done.stdout, done.stderr

    @property
    def injected(self):
        return [x for x in self.trace.splitlines() if "(INJECTED)" in x]

    def __repr__(self):
        return "<exit %d, %r, %r>" % (self.code, self.out, self.err)


def calls_of(argv, names, **how):
    """What a program of ours calls from its main() on, but for what a build
    that counts its lines does at the end."""
    done = Ended(argv, ["-yy", "-e", "trace=" + ",".join(names)], **how)
    return [call for call in parse(done.trace, names, MARKER)
            if not call.object.endswith(".gcda")], done
