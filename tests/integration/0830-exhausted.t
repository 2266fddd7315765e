#!/usr/bin/env python3
# 0830-exhausted.t - no room on the disk, no descriptor left: nothing is lost. SPDX-License-Identifier: GPL-3.0-or-later
"""The disk below the LMDB store is full; the log's is; the processes have no
descriptor to open anything. What was answered stays true, what cannot be done
is said, and when there is room again nobody has to restart anything."""

import json
import os
import re
import resource
import subprocess
import time

import consul
import harness as h
import netlab
from consul_keys import key_of
from storelab import stored

CREDENTIALS = {"Authorization": h.basic(*h.LOGIN)}


def issue(s, seconds=3600, ask=None):
    return (ask or s.ask)("POST", "/0.1/token", json.dumps(
        {"backend": "users_file", "expiration": seconds}).encode(),
        headers=CREDENTIALS)


def statuses(s, tokens, method="GET"):
    return {s.ask(method, "/0.1/token/" + t).status for t in tokens}


def sound(s, what):
    done = s.run_program("xivo-authctl", "-c", s.config, "store", "check")
    h.eq(done.returncode, 0, what + ": store check finds nothing",
         done.stdout, done.stderr)


def lines(s, event, name="xivo-auth.log"):
    return [x for x in s.read(name).splitlines() if " %s " % event in x]


# --- the disk ----------------------------------------------------------------


class SmallDisk:
    """A file system of a few MiB, that can be filled and emptied."""

    def __init__(self, path, mib):
        self.path = path
        self.ballast = os.path.join(path, "ballast")
        os.makedirs(path)
        done = subprocess.run(
            [h.need("mount"), "-t", "tmpfs", "-o", "mode=700,size=%dm" % mib,
             "tmpfs", path], stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise h.SkipAll("no mount is allowed: " + done.stderr)

    def fill(self):
        with open(self.ballast, "ab", buffering=0) as f:
            for size in (1 << 16, 1 << 12):
                while True:
                    try:
                        f.write(b"x" * size)
                    except OSError:
                        break

    def empty(self):
        os.unlink(self.ballast)

    def unmount(self):
        subprocess.run([h.need("umount"), "--lazy", self.path], check=True)


def disk_is_full():
    with h.Service(nginx=False, check=0, login=0) as s:
        disk = SmallDisk(s.path("small"), 4)
        try:
            s.write_config({
                "expiry": {"interval": 0.1}, "store": {"lmdb": {
                    "path": disk.path, "max_size": 64 << 20, "sync": True}}})
            s.start_pool("check", 2)
            full_store(s, disk)
        finally:
            disk.unmount()


def full_store(s, disk):
    tokens = [issue(s).data["token"] for _ in range(50)]
    due = [issue(s, 1).data["token"] for _ in range(20)]
    disk.fill()
    answers = []
    while len(answers) < 5000:  # pages that are free inside may be used
        answers.append(issue(s))
        if answers[-1].status != 200:
            break
    tokens += [x.data["token"] for x in answers[:-1]]
    h.diag("%d more tokens fitted" % (len(answers) - 1))
    h.eq((answers[-1].status, answers[-1].reason),
         (500, "Token store failed"), "disk full: a token is refused")
    h.ok(answers[-1].get("Retry-After"), "for the moment", answers[-1])
    h.ok(any("No space left" in x for x in s.read("xivo-auth.log")
             .splitlines()), "the log says why")
    h.eq(statuses(s, tokens), {200}, "all that were answered are valid")
    h.eq(statuses(s, [h.TOKEN]), {404}, "others are not")
    time.sleep(1)
    h.eq(statuses(s, due), {404}, "what expires is refused in its time")

    gone, kept = [], []
    for token in tokens[:20]:
        answer = s.ask("DELETE", "/0.1/token/" + token)
        (gone if answer.status == 200 else kept).append(token)
    h.diag("%d of 20 could be revoked" % len(gone))
    h.ok(statuses(s, gone) <= {404}, "one that was revoked is gone")
    h.ok(statuses(s, kept) <= {200}, "one that was not is there")

    daemon = s.start_daemon()
    h.until(lambda: lines(s, "expiryd.started"), "the daemon")
    s.pools["check"][0].kill()
    s.add_process("check")
    h.until(lambda: s.pools["check"][-1].catches(15), "another process")
    h.eq(statuses(s, tokens[20:40]), {200},
         "a process can start on a full disk, and serve")

    disk.empty()
    answer = issue(s)
    h.eq(answer.status, 200, "room again: the next token is issued", answer)
    h.eq(statuses(s, kept or tokens[20:25], "DELETE"), {200}, "and revoked")
    h.until(lambda: not [x for x in stored(s)[0] if x in
                         {key_of(t) for t in due}],
            "the daemon removes what is due", 20)
    h.eq(daemon.stop(), 0, "and ends well")
    h.eq(statuses(s, tokens[40:]), {200}, "nothing was lost")
    sound(s, "after the full disk")


def log_is_full():
    with h.Service(nginx=False, check=0, login=0) as s:
        disk = SmallDisk(s.path("small"), 1)
        try:
            log = os.path.join("small", "log")
            s.write_config({"log_filename": s.path(log)})
            s.start_pool("check", 1)
            token = issue(s).data["token"]
            disk.fill()
            h.eq({issue(s).status for _ in range(200)}, {200},
                 "a full log stops no login")
            h.eq(statuses(s, [token]), {200}, "and no check")
            disk.empty()
            h.eq(statuses(s, [token]), {200}, "room again")
            before = len(lines(s, "request.done", log))
            h.eq(statuses(s, [token]), {200}, "and again")
            h.until(lambda: len(lines(s, "request.done", log)) > before,
                    "lines in the log")
            last = s.read(log).splitlines()[-1]
            h.ok(re.fullmatch(r"\d{4}-\S+Z xivo-auth-fcgi\[\d+\] INFO "
                              r"request\.done remote=\S+ status=200 .*"
                              r" query=\S+", last)
                 and last.count("request.done") == 1,
                 "the log goes on with a whole line", last)
            h.eq(s.pools["check"][0].stop(), 0, "it ends well")
        finally:
            disk.unmount()


# --- descriptors -------------------------------------------------------------


class Scarce:
    """A process that cannot open another descriptor."""

    def __init__(self, process):
        self.pid = process.pid

    def __enter__(self):
        try:
            used = [int(x) for x in os.listdir("/proc/%d/fd" % self.pid)]
        except PermissionError as e:  # it lets nobody look but root
            raise h.SkipAll(str(e)) from e
        free = min(set(range(max(used) + 2)) - set(used))
        self.before = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE,
                         (free, self.before[1]))

    def __exit__(self, *_exc):
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, self.before)


def no_descriptor_lmdb():
    with h.Service(nginx=False, check=1, login=0) as s:
        with s.connect() as c:
            token = issue(s, ask=c.request).data["token"]
            with Scarce(s.pools["check"][0]):
                h.eq([issue(s, ask=c.request).status,
                      c.request("GET", "/0.1/token/" + token).status,
                      c.request("GET", "/0.1/status").status],
                     [200, 200, 200], "no descriptor: whoever is in is served")
                users = dict(alice=h.ALICE, bob=h.ALICE)
                s.write_users(users)
                h.eq(issue(s, ask=c.request).status, 200,
                     "a users file that cannot be read: the old users stay")
            s.write_users(users)
            bob = {"Authorization": h.basic("bob", h.LOGIN[1])}
            h.until(lambda: c.request(
                "POST", "/0.1/token", b'{"backend": "users_file"}',
                headers=bob).status == 200, "the new users", 5)
        h.eq(issue(s).status, 200, "descriptors again: all goes on")
        sound(s, "LMDB")


def no_descriptor_consul(c):
    config = dict(c.config(), expiry={"interval": 0.2})
    with h.Service(config, nginx=False, check=1, login=0) as s:
        daemon = s.start_daemon()
        h.until(lambda: c.leader_session(), "a leader", 20)
        with s.connect() as near:
            token = issue(s, ask=near.request).data["token"]
            c.kill()  # which ends their connections
            near.request("GET", "/0.1/token/" + token)
            h.until(lambda: lines(s, "expiry.failing"), "the daemon", 20)
            with Scarce(s.pools["check"][0]), Scarce(daemon):
                c.restart()
                answers = [near.request("GET", "/0.1/token/" + token)
                           for _ in range(3)]
                h.eq({(x.status, x.reason) for x in answers},
                     {(500, "Connection to consul failed")},
                     "no descriptor for Consul: it is said, not 404")
                h.eq(lines(s, "expiry.recovered"), [], "nor can the daemon")
            h.until(lambda: near.request("GET", "/0.1/token/" + token)
                    .status == 200, "descriptors again: it is found", 5)
            due = issue(s, 1, near.request).data["token"]
            h.until(lambda: key_of(due) not in stored(s)[0],
                    "the daemon to go on", 40)
            h.ok(lines(s, "expiry.recovered"), "and the daemon goes on")
        h.eq(daemon.stop(), 0, "it ends well")
        sound(s, "Consul")


def main():
    h.program("tests/tools/store_dump")
    try:
        netlab.enter("--mount")
        disk_is_full()
        log_is_full()
    except h.SkipAll as reason:
        h.skip(reason, "a full disk")
    no_descriptor_lmdb()
    with consul.Consul() as c:
        no_descriptor_consul(c)


h.run(main)
