# rig.py - what is measured, and with what. SPDX-License-Identifier: GPL-3.0-or-later
"""Servers to measure, load on them, and the CPU time it took.

Everything runs in temporary folders, on unix sockets and the loopback, and
is stopped at the end: the servers are those of tests/integration/harness.py.
"""

import base64
import contextlib
import getopt
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(SOURCE, "tests", "integration"))

PASSWORD = "correct horse"
USERS = {"alice": {
    # yescrypt at the cost that Debian's passwd uses
    "password": "$y$j9T$benchbenchbenchbench..$1t2mykpUrvGf54pSl10QaAKdoIXKT"
                "/i4xYUTeT.DwN0",
    "uuid": "63f3dc3c-865d-419e-bec2-e18c4b118224",
    "acls": ["confd.users.me.read", "dird.#.me.read"]}}
CLIENTS = 16
WARM_UP = (1, 2, 4, 8, CLIENTS)  # clients, for a second each
CHECK_PROCESSES = 2  # as the quick start has
SCOPE = "?scope=confd.users.me.read"
BASIC = base64.b64encode(b"alice:" + PASSWORD.encode()).decode()

# Ten logins a second from one address are much on a real site, little here.
NO_LIMITS = {"rate=10r/s": "rate=100000r/s", "burst=50": "burst=100000"}

# As nginx stands before libfcgi in every example: no connection is kept.
NOT_KEPT = {"fastcgi_keep_conn on;": "", "    keepalive 64;": "",
            "    keepalive_requests 1000000000;": "",
            "fastcgi_store     /dev/null/xivo-auth;": ""}
# Two guarded locations, for tokens of alice.
GUARDED = """
    server {
        listen 127.0.0.1:%d;
        access_log off;
        keepalive_requests 1000000;
        include snippets/xivo-auth-locations.conf;
        include snippets/xivo-auth-guard.conf;
        include snippets/xivo-auth-guard-path.conf;
        location = /fixed {
            set $xivo_auth_scope confd.users.me.read;
            auth_request /xivo-auth/guard;
            try_files /none @inside;
        }
        location = /users/me {
            set $xivo_auth_scope_prefix confd;
            auth_request /xivo-auth/guard-path;
            try_files /none @inside;
        }
        location @inside { return 204; }
    }
"""

USUAL_PROCESSES = 4  # two a core is what this loop likes best


def chosen(names, words):
    """Those names that hold one of the words; all when there is none."""
    for word in words:
        if not any(word in name for name in names):
            raise getopt.GetoptError('--only %s: there are %s' % (
                word, ", ".join(names)))
    return [name for name in names
            if not words or any(word in name for word in words)]


def harness():
    """harness.py, which reads where the build is when it is imported."""
    import harness as module
    return module


def check_edits(edits):
    """What is to be changed in our nginx files stands there."""
    folder = os.path.join(SOURCE, "nginx")
    text = ""
    for name in os.listdir(folder):
        with open(os.path.join(folder, name)) as f:
            text += f.read()
    missing = [old for old in edits if old not in text]
    if missing:
        raise RuntimeError("nginx/ has no more %r" % missing)
    return edits


class Processes:
    """CPU time and memory of some processes."""

    def __init__(self, pids):
        self.pids = list(pids)

    def cpu_ns(self):
        total = 0
        for pid in self.pids:
            with contextlib.suppress(OSError):
                for task in os.listdir("/proc/%d/task" % pid):
                    with open("/proc/%d/task/%s/schedstat" % (pid, task)) as f:
                        total += int(f.read().split()[0])
        return total

    def pss_kib(self, without=None):
        """Proportional set size, but for mappings of one file."""
        total = 0
        for pid in self.pids:
            with open("/proc/%d/smaps" % pid) as f:
                counts = True
                for line in f:
                    if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                        counts = not (without and without in line)
                    elif counts and line.startswith("Pss:"):
                        total += int(line.split()[1])
        return total


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(word) for word in f.read().split()]


def session(leader):
    """All processes of a session."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                with open("/proc/%s/stat" % name) as f:
                    fields = f.read().rpartition(")")[2].split()
                if int(fields[3]) == leader:
                    found.append(int(name))
    return found


class Watch:
    """What part of the machine others took since this was made: all the CPU
    time there was, less that of the processes known here."""

    def __init__(self, known):
        self.known = known
        self.before = self._read()

    def _read(self):
        with open("/proc/stat") as f:
            user, nice, system, idle, wait, irq, soft, steal = [
                int(word) / os.sysconf("SC_CLK_TCK")
                for word in f.readline().split()[1:9]]
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = (self.known.cpu_ns() / 1e9 + time.process_time() +
               ended.ru_utime + ended.ru_stime)
        busy = user + nice + system + irq + soft + steal
        return own, busy, busy + idle + wait

    def others(self):
        own, busy, whole = [now - then for now, then in
                            zip(self._read(), self.before)]
        return max(0.0, (busy - own) / whole)


class Target:
    """One pool and the nginx before it."""

    def __init__(self, name, service, ours):
        self.name = name
        self.service = service
        self.port = service.port
        self.pool = None  # xivo-auth-pool and its options
        self.ours = ours
        self.nginx = Processes(
            [service.nginx.pid] + children(service.nginx.pid))
        self.known = Processes(self.ours.pids + self.nginx.pids)


class Rig:
    def __init__(self, build, seconds):
        self.build = build
        self.seconds = seconds
        self.stack = contextlib.ExitStack()
        self.ids = {}  # service -> file of the tokens in its store
        self.warm = set()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stack.close()

    def program(self, name):
        return os.path.join(self.build, name)

    # --- servers ---

    def new_folder(self, **config):
        """A configuration and a folder, nothing started."""
        h = harness()
        merged = {"enabled_plugins": ["users_file"],
                  "store": {"lmdb": {"sync": True, "max_size": 8 << 30}}}
        merged.update(config)
        service = self.stack.enter_context(
            h.Service(config=merged, users=USERS, start=False))
        service.nginx_workers = "auto"  # as in Debian's nginx.conf
        return service

    def fill(self, service, count):
        path = service.path("ids")
        subprocess.run([self.program("tests/tools/store_fill"), "-c",
                        service.config, "-n", str(count), "-o", path],
                       check=True)
        os.sync()  # or the kernel writes it while something is measured
        self.ids[service] = path

    def start_service(self, name, count):
        """The quick start: both pools by xivo-auth-pool, and the daemon."""
        service = self.new_folder()
        self.fill(service, count)
        run = service.path("run")
        os.mkdir(run)
        pool = [os.path.join(SOURCE, "scripts", "xivo-auth-pool"), "-c",
                service.config, "-r", run, "-p",
                self.program("xivo-auth-fcgi")]
        self.stack.callback(subprocess.run, pool + ["stop"],
                            stdout=subprocess.DEVNULL)
        subprocess.run(pool + ["start"], check=True,
                       stdout=subprocess.DEVNULL)
        service.start_daemon()
        service.check_socket = os.path.join(run, "check.sock")
        service.login_socket = os.path.join(run, "login.sock")
        service.start_nginx(check_edits(NO_LIMITS))
        pids = [p.pid for p in service.processes if p is not service.nginx]
        for which in ("check", "login"):
            with open(os.path.join(run, which + ".pid")) as f:
                pids += session(int(f.read().split()[0]))
        target = Target(name, service, Processes(pids))
        target.pool = pool
        return target

    def start_bare(self, name, *program, servers=""):
        """A minimal responder behind the same site file."""
        service = self.new_folder()
        leader = self._start_pool(service, program, CHECK_PROCESSES)
        service.start_nginx(servers=servers)
        return Target(name, service, Processes(session(leader.pid)))

    def start_guarded(self, name, target):
        """Another nginx before the pool of a target, with guarded locations;
        target: None for a minimal responder. Its port is guard_port."""
        h = harness()
        port = h.free_port()
        if target is None:
            out = self.start_bare(name, "tests/bench/same_loop",
                                  servers=GUARDED % port)
        else:
            service = self.new_folder()
            service.check_socket = target.service.check_socket
            service.login_socket = target.service.login_socket
            service.pools["login"] = [None]  # there is one
            service.start_nginx(servers=GUARDED % port)
            out = Target(name, service, target.ours)
        out.guard_port = port
        return out

    def ask_guard(self, target, path, ids, count):
        """Measure bearers before a guarded location once."""
        def load(seconds, clients):
            return self.result(self.wrk(
                target, seconds, clients, "guard.lua", "GET", ids, 0, count,
                path, port=target.guard_port))

        if (target, path) not in self.warm:
            self.warm.add((target, path))
            for clients in WARM_UP:
                load(1, clients)
        cpu = target.ours.cpu_ns(), target.nginx.cpu_ns()
        watch = Watch(target.known)
        return self.sample(target, load(self.seconds, CLIENTS), cpu, watch)

    def start_apache(self, name, target):
        """Apache with mod_proxy_fcgi before the pool of a target."""
        h = harness()
        import guards
        service = self.new_folder()
        os.chmod(service.dir, 0o755)
        for path in (target.service.check_socket,
                     target.service.login_socket):
            # as whom it runs may be another than who measures
            if os.path.exists(path):
                os.chmod(path, 0o666)
                os.chmod(os.path.dirname(path), 0o755)
                os.chmod(target.service.dir, 0o755)
        config = guards.shipped("apache-responder.conf", {
            "/run/xivo-auth/check.sock": target.service.check_socket,
            "/run/xivo-auth/login.sock": target.service.login_socket,
            "/usr/share/xivo-auth/nginx": os.path.join(h.SOURCE, "nginx"),
            "/var/log/apache2/xivo-auth.log": service.access_log})
        service.port, service.nginx = guards.start_apache(
            service, config + "\nMaxKeepAliveRequests 0\n",
            modules=["proxy_fcgi", "include", "reqtimeout", "alias", "dir"])
        self.ids[service] = self.ids.get(target.service)
        return Target(name, service, target.ours)

    def start_usual(self, name, *program):
        """libfcgi's own loop behind our site file, but for what is kept."""
        service = self.new_folder()
        leader = self._start_pool(service, program, USUAL_PROCESSES)
        service.start_nginx(check_edits(NOT_KEPT))
        return Target(name, service, Processes(session(leader.pid)))

    def _start_pool(self, service, program, count):
        """As xivo-auth-pool does it: multiwatch, in a session of its own,
        which Linux may schedule as a group."""
        h = harness()
        listening = h.listen_on(service.check_socket)
        service.sockets.append(listening)
        leader = service.process(
            "bare", [h.need("multiwatch"), "-f", str(count), "--",
                     self.program(program[0]), *program[1:]],
            stdin=listening, start_new_session=True)
        h.until(lambda: len(session(leader.pid)) == count + 1,
                "the processes of " + program[0])
        return leader

    # --- load ---

    def wrk(self, target, seconds, clients, script, *args, port=None,
            timeout_s=2):
        return subprocess.Popen(
            ["wrk", "-t1", "-c%d" % clients, "-d%.0fs" % seconds,
             "--timeout", "%ds" % timeout_s, "-s",
             os.path.join(HERE, script),
             "http://127.0.0.1:%d" % (port or target.port),
             "--", *[str(a) for a in args]],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @staticmethod
    def result(popen):
        out = popen.communicate()[0]
        try:
            return json.loads(out.splitlines()[-1])
        except (ValueError, IndexError):
            raise RuntimeError("wrk says:\n" + out) from None

    @staticmethod
    def read_store(service):
        """Into the page cache, from where idle pages may have been taken."""
        with contextlib.suppress(FileNotFoundError):
            with open(service.path("store", "data.mdb"), "rb") as f:
                while f.read(1 << 20):
                    pass

    def warm_up(self, target, method, ids, count):
        """A process has to map the pages of the store. More and more clients,
        because nginx keeps the connections that it opens: of many at once the
        first process that runs may take all, and keep them, too."""
        for clients in WARM_UP:
            self.result(self.wrk(target, 1, clients, "ask.lua", method, ids,
                                 0, count, SCOPE))

    def ask(self, target, method, ids, count, beside=()):
        """Measure one case once.

        beside  pids of other load of ours
        """
        self.read_store(target.service)
        if target not in self.warm:
            self.warm.add(target)
            self.warm_up(target, method, ids, count)
        cpu = target.ours.cpu_ns(), target.nginx.cpu_ns()
        watch = Watch(Processes(target.known.pids + list(beside)))
        got = self.result(self.wrk(target, self.seconds, CLIENTS,
                                   "ask.lua", method, ids, 0, count, SCOPE))
        return self.sample(target, got, cpu, watch)

    @staticmethod
    def sample(target, got, cpu, watch):
        """What one load of wrk measured, with what it cost since cpu."""
        got["others"] = watch.others()
        got["rate"] = got["requests"] / got["seconds"]
        got["ours_us"] = ((target.ours.cpu_ns() - cpu[0]) / 1e3 /
                          got["requests"])
        got["nginx_us"] = ((target.nginx.cpu_ns() - cpu[1]) / 1e3 /
                           got["requests"])
        return got

    def start_of_a_process(self, service):
        """Milliseconds from fork to the first answer."""
        h = harness()
        path = service.path("start.sock")
        with h.listen_on(path) as listening, h.fastcgi.Connection(path) as c:
            c.send(h.fastcgi.encode(h.fastcgi.params_of(
                "GET", "/0.1/backends")))
            begun = time.monotonic()
            p = subprocess.Popen([self.program("xivo-auth-fcgi"), "-c",
                                  service.config], stdin=listening)
            try:
                assert c.answer().status == 200
                return (time.monotonic() - begun) * 1e3
            finally:
                p.terminate()
                p.wait()


def median(samples, key):
    return statistics.median(sample[key] for sample in samples)
