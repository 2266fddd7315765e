# harness.py - the real servers in a folder of their own. SPDX-License-Identifier: GPL-3.0-or-later
"""Start pools, daemon and nginx for one test, and stop them whatever happens.

    import harness as h

    def main():
        with h.Service() as s:
            h.eq(s.http("GET", "/0.1/status").status, 200, "it is up")

    h.run(main)

Everything lies in one temporary folder (kept with XA_KEEP=1), listens on
unix sockets there and on free loopback ports, and dies with the test.
"""

import base64
import contextlib
import ctypes
import glob
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import fastcgi
import openapi
from fastcgi import Answer
from tap import (SkipAll, bail, diag, eq, has, lacks, ok,  # noqa: F401
                 run, skip)

BUILD = os.path.abspath(os.environ.get("builddir") or os.getcwd())
SOURCE = os.path.abspath(os.environ.get("srcdir") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", ".."))

# alice, whose hash is cheap because tests log in often.
LOGIN = ("alice", "correct horse")
ALICE = {
    "password": "$6$rounds=1000$tests$Da2YRWb72LfDjJILrYnQI/BH/GM692XO92NyTf"
                "uXFq.OKQjl0Y/xlaSeiDKyfQjDf.UBRqPbN/vQ0XW1uxIVo0",
    "uuid": "63f3dc3c-865d-419e-bec2-e18c4b118224",
    "acls": ["confd.users.me.read", "dird.#.me.read", "!dird.secret.#"],
}
MOCK_LOGIN = ("foo", "bar")
TOKEN = "1823c1ee-6c6a-4cdc-9869-964a7f08a744"  # a token nobody was given
TEST_BACKENDS = ["mock", "mock_with_uuid", "broken_init",
                 "broken_verify_password"]


def until(condition, what, seconds=5):
    """Wait for a condition; its value. TimeoutError says what was missed."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError("waited %ss for: %s" % (seconds, what))
        time.sleep(0.01)


def freeze(pid):
    """Stop a process; no thread of it runs any more when this returns."""
    os.kill(pid, signal.SIGSTOP)

    def stands_still():
        for path in glob.glob("/proc/%d/task/*/stat" % pid):
            with contextlib.suppress(OSError), open(path) as f:
                if f.read().rpartition(")")[2].split()[0] not in "TtZX":
                    return False
        return True
    until(stands_still, "process %d to stand still" % pid)


def program(name):
    """The path of one of our programs; skips the test if it is not built."""
    path = os.path.join(BUILD, name)
    if not os.access(path, os.X_OK):
        raise SkipAll("%s is not built" % name)
    return path


def need(*names):
    """Paths of programs of the system; skips the test if one is missing."""
    found = []
    for name in names:
        path = shutil.which(name, path=os.environ.get("PATH", "") +
                            ":/usr/sbin:/sbin:/usr/local/sbin")
        if not path:
            raise SkipAll("%s is not installed" % name)
        found.append(path)
    return found if len(found) > 1 else found[0]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listen_on(path, backlog=1024):
    """A listening unix socket at that path, in place of what was there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.bind(path)
    s.listen(backlog)
    return s


def _merge(into, more):
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _die_with_us(number=signal.SIGTERM):
    """In a new process: that signal when the test dies without a word."""
    ctypes.CDLL(None).prctl(1, number)


class Process:
    """A server that was started, and what it wrote to standard error."""

    def __init__(self, name, argv, log, dies_by=signal.SIGTERM, **how):
        self.name = name
        self.log = log
        self.expected = {0}  # how it may end
        with open(log, "ab") as err:
            self.popen = subprocess.Popen(
                argv, stdout=err, stderr=err,
                preexec_fn=lambda: _die_with_us(dies_by),
                stdin=how.pop("stdin", subprocess.DEVNULL), **how)

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def catches(self, number):
        """It has come as far as to care for that signal: by a handler, or
        with the signal blocked."""
        return self._has_signal(("SigCgt:", "SigBlk:"), number)

    def ignores(self, number):
        return self._has_signal("SigIgn:", number)

    def _has_signal(self, masks, number):
        try:
            with open("/proc/%d/status" % self.pid) as f:
                return any(int(x.split()[1], 16) >> (number - 1) & 1
                           for x in f if x.startswith(masks))
        except OSError:
            return False

    def send(self, number):
        if self.alive():
            self.popen.send_signal(number)

    def kill(self):
        """Kill it on purpose: that is no failure of the test."""
        self.expected.add(-signal.SIGKILL)
        self.send(signal.SIGKILL)
        self.popen.wait()

    def stop(self, number=signal.SIGTERM, seconds=10):
        """Ask it to end; its exit code. One that does not is killed."""
        self.send(number)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait()

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()


class Service:
    """Pools, daemon and nginx with one configuration.

        config    merged into what default_config() gives
        users     the users file; alice if not given
        check     processes of the check pool, sharing one socket
        login     of the login pool; 0: POST goes to the check pool
        nginx     start nginx before them
        daemon    start xivo-auth-expiryd
        env       more environment for our programs
        edits     text of the nginx files -> text to put in its place
        relay     count nginx's connections to the check pool (self.relay)
    """

    def __init__(self, config=None, users=None, check=2, login=1, nginx=True,
                 daemon=False, env=None, edits=None, relay=False, start=True):
        self.processes = []
        self.sockets = []
        self.pools = {"check": [], "login": []}
        self.relay = None
        self.nginx = None
        self.nginx_workers = 1
        self.tls_port = self.port = self.own_port = None
        self._client = {}
        self.dir = tempfile.mkdtemp(prefix="xivo-auth-test-")
        self.env = dict(os.environ, LC_ALL="C.UTF-8")
        self.env.pop("XIVO_AUTH_CONFIG", None)
        self.env.pop("XIVO_UUID", None)
        self.env.update(env or {})
        self.check_socket = self.path("check.sock")
        self.login_socket = self.path("login.sock")
        self.log = self.path("xivo-auth.log")
        self.config = self.path("config.yml")
        self.users = self.path("users.yml")
        self.access_log = self.path("access.log")
        self._plan = (check, login, nginx, daemon, edits or {}, relay)
        try:
            self.write_config(config or {})
            self.write_users(users or {"alice": ALICE})
            if start:
                self.start()
        except BaseException:
            self.stop(quiet=True)
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind and not issubclass(kind, SkipAll):
            self.show_logs()
        self.stop(quiet=bool(kind))

    # --- files ---

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def default_config(self):
        return {
            "extra_config_files": self.path("conf.d"),
            "log_filename": self.log,
            "enabled_plugins": ["users_file", "mock", "mock_with_uuid"],
            "backend_dir": os.path.join(BUILD, "backends", ".libs"),
            "users_file": {"path": self.users},
            "store": {"type": "lmdb", "lmdb": {
                "path": self.path("store"), "max_size": 64 << 20,
                "sync": False}},
        }

    def write_config(self, config):
        """JSON is YAML, so no writer of YAML is needed."""
        merged = self.default_config()
        _merge(merged, config)
        for folder in ("conf.d", "store"):
            os.makedirs(self.path(folder), mode=0o700, exist_ok=True)
        self.write("config.yml", json.dumps(merged, indent=2))

    def write_users(self, users):
        self.write("users.yml", json.dumps({"users": users}, indent=2))

    def write(self, name, text, mode=0o600):
        """Write a file whole: who reads it sees the old or the new one."""
        path = self.path(name)
        with open(path + ".new", "w") as f:
            os.fchmod(f.fileno(), mode)
            f.write(text)
        os.rename(path + ".new", path)
        return path

    def read(self, name):
        try:
            with open(self.path(name), errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def show_logs(self, lines=40):
        for name in sorted(os.listdir(self.dir)):
            if name.endswith((".log", ".err")):
                text = self.read(name).splitlines()[-lines:]
                diag("--- %s" % name, *text)

    # --- start and stop ---

    def start(self):
        check, login, nginx, daemon, edits, relay = self._plan
        if nginx:
            need("nginx", "openssl")
        program("xivo-auth-fcgi")
        if check:
            self.start_pool("check", check)
        if login:
            self.start_pool("login", login)
        if daemon:
            self.start_daemon()
        if nginx:
            self.start_nginx(edits, relay)

    def run_program(self, name, *args, **how):
        """Run one of our programs to its end."""
        how.setdefault("timeout", 20)
        how.setdefault("env", self.env)
        how.setdefault("stdin", subprocess.DEVNULL)
        if "input" in how:
            del how["stdin"]
        return subprocess.run([program(name), *args], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              **how)

    def process(self, name, argv, **how):
        how.setdefault("env", self.env)
        p = Process(name, argv, self.path(name + ".err"), **how)
        self.processes.append(p)
        return p

    def start_pool(self, which, count, *args):
        """Processes that share one listening socket as descriptor 0."""
        s = listen_on(getattr(self, which + "_socket"))
        self.sockets.append(s)
        self.pools[which] = []
        for _ in range(count):
            self.add_process(which, *args, on=s)
        self.wait_pool(which)

    def add_process(self, which, *args, on=None):
        p = self.process(
            which, [program("xivo-auth-fcgi"), "-c", self.config, *args],
            stdin=on or self.sockets[0])
        self.pools[which].append(p)
        return p

    def wait_pool(self, which):
        def ready():
            for p in self.pools[which]:
                if not p.alive():
                    raise RuntimeError("%s pool: exit %s\n%s" % (
                        which, p.popen.returncode, p.said()))
            return all(p.catches(signal.SIGTERM) for p in self.pools[which])
        until(ready, "the %s pool" % which, 30)

    def start_daemon(self, *args):
        p = self.process("expiryd", [program("xivo-auth-expiryd"), "-f",
                                     "-c", self.config, *args])
        # Its last step before the others can be sent; while it waits for
        # them, they are neither caught nor blocked.
        until(lambda: p.ignores(signal.SIGPIPE) or not p.alive(),
              "the daemon", 30)
        return p

    def start_nginx(self, edits=(), relay=False, servers=""):
        nginx, openssl = need("nginx", "openssl")
        self._make_certificate(openssl)
        if relay:
            self.relay = Relay(self.path("relay.sock"), self.check_socket)
        for attempt in range(5):  # somebody may take a port before nginx
            self.port, self.tls_port = free_port(), free_port()
            self.own_port = self.port
            self._write_nginx(dict(edits), servers)
            self.nginx = self.process("nginx", [
                nginx, "-e", self.path("nginx-error.log"), "-p", self.dir,
                "-c", self.path("nginx.conf")])
            if self._wait_nginx():
                return
            self.processes.remove(self.nginx)
        raise RuntimeError("nginx does not start:\n" + self.nginx.said() +
                           self.read("nginx-error.log"))

    def _wait_nginx(self):
        def up():
            if not self.nginx.alive():
                return "dead"
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return "up"
        return until(up, "nginx", 30) == "up"

    def _make_certificate(self, openssl):
        if os.path.exists(self.path("cert.pem")):
            return
        done = subprocess.run(
            [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", self.path("key.pem"), "-out", self.path("cert.pem")],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise SkipAll("openssl makes no certificate: " + done.stdout)

    def _write_nginx(self, edits, servers):
        """The shipped files, with the paths and ports of this test."""
        login = self.pools["login"] or not self.pools["check"]
        swaps = {
            "listen 9497 ssl;": "listen 127.0.0.1:%d ssl; listen 127.0.0.1"
                                ":%d;" % (self.tls_port, self.port),
            "/etc/xivo-auth/tls": self.dir,
            "/var/log/nginx/xivo-auth.log": self.access_log,
            "/run/xivo-auth/check.sock":
                self.relay.path if self.relay else self.check_socket,
            "/run/xivo-auth/login.sock":
                self.login_socket if login else self.check_socket,
        }
        swaps.update(edits)
        os.makedirs(self.path("snippets"), exist_ok=True)
        folder = os.path.join(SOURCE, "nginx")
        for name in os.listdir(folder):
            if not name.endswith(".conf"):
                continue
            with open(os.path.join(folder, name)) as f:
                text = f.read()
            for old, new in swaps.items():
                text = text.replace(old, new)
            self.write(name if name == "xivo-auth.conf"
                       else os.path.join("snippets", name), text)
        self.write("nginx.conf", NGINX_CONF.format(
            dir=self.dir, user="user root;" if os.geteuid() == 0 else "",
            workers=self.nginx_workers, servers=servers))

    def flush_access_log(self):
        """What nginx has logged so far."""
        self.nginx.send(signal.SIGUSR1)  # reopens, so writes its buffer
        before = os.path.getsize(self.access_log)
        with contextlib.suppress(TimeoutError):
            until(lambda: os.path.getsize(self.access_log) > before,
                  "the access log", 1.5)
        return self.read("access.log")

    def stop(self, quiet=False):
        """Stop everything; a server that ended badly fails the test."""
        for c in self._client.values():
            c.close()
        self._client = {}
        if self.relay:
            self.relay.close()
        stopping, self.processes = self.processes[::-1], []
        for p in stopping:
            p.send(signal.SIGTERM)
        for p in stopping:
            code = p.stop()
            if not quiet:
                if code not in p.expected:
                    ok(False, "%s ends with 0" % p.name, "it ended with %s"
                       % code, p.said()[-4000:])
                elif "Sanitizer" in p.said() or "runtime error:" in p.said():
                    ok(False, "%s is clean" % p.name, p.said()[-6000:])
        for s in self.sockets:
            s.close()
        self.sockets = []
        if os.environ.get("XA_KEEP") == "1":
            diag("kept: " + self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    # --- clients ---

    def connect(self, which="check", timeout=5):
        """A FastCGI connection straight to a pool."""
        return fastcgi.Connection(getattr(self, which + "_socket"), timeout,
                                  judge=openapi.check)

    def ask(self, method, uri, body=b"", which="check", headers=(), **extra):
        """One request straight to a pool, on a connection of its own."""
        with self.connect(which) as c:
            return c.request(method, uri, body, headers, keep=False, **extra)

    def http(self, method, path, body=None, headers=(), login=None, tls=False,
             kept=True, judged=True):
        """One request through nginx, on a kept connection if it may be.

            body   bytes, text, or anything else to send as JSON
            login  (name, password) for Basic
            judged  the answer must be as fcgi/api.yml says
        """
        headers = dict(headers)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if login:
            headers["Authorization"] = basic(*login)
        key = (tls, self.port, threading.get_ident())
        for last in (False, True):
            c = self._client.get(key) or self._new_client(tls)
            fresh = key not in self._client
            try:
                c.request(method, path, body, headers)
                r = c.getresponse()
                answer = Answer(r.status, r.getheaders(), r.read())
                answer.version = r.version
            except (ConnectionError, http.client.HTTPException):
                # nginx may have closed a kept one; a new one must work.
                self._client.pop(key, None)
                c.close()
                if last or fresh:
                    raise
                continue
            if kept and not r.will_close:
                self._client[key] = c
            else:
                self._client.pop(key, None)
                c.close()
            if judged:
                self._judge(openapi.Request(method, path, headers, body),
                            answer, tls)
            return answer

    def _judge(self, request, answer, tls=False):
        """Hold what the service answered against its document."""
        prefix = "/api/auth"
        if not tls and self.port != self.own_port:
            # Another server {}, where only what is below a prefix is ours.
            plain = os.path.normpath("/" + request.path.lstrip("/"))
            if not plain.startswith(prefix + "/"):
                return
            request.path = request.path.replace(prefix, "", 1)
        openapi.check(request, answer)

    def _new_client(self, tls):
        if not tls:
            return http.client.HTTPConnection("127.0.0.1", self.port,
                                              timeout=20)
        context = ssl.create_default_context(cafile=self.path("cert.pem"))
        return http.client.HTTPSConnection("localhost", self.tls_port,
                                           timeout=20, context=context)

    def raw(self, data, seconds=5):
        """Bytes to nginx as they are; the first answer, parsed."""
        with socket.create_connection(("127.0.0.1", self.port),
                                      seconds) as s:
            s.sendall(data)
            r = http.client.HTTPResponse(s, method=data.split(b" ")[0]
                                         .decode("latin-1"))
            r.begin()
            answer = Answer(r.status, r.getheaders(), r.read())
            self._judge(openapi.Request.of_bytes(data), answer)
            return answer

    def login(self, login=LOGIN, backend="users_file", expiration=None,
              **how):
        """POST /0.1/token: the answer."""
        body = {"backend": backend}
        if expiration is not None:
            body["expiration"] = expiration
        return self.http("POST", "/0.1/token", body, login=login, **how)

    def token(self, **how):
        """A new token, as text."""
        answer = self.login(**how)
        if answer.status != 200:
            raise RuntimeError("no token: %r" % answer)
        return answer.data["token"]


def basic(name, password):
    text = ("%s:%s" % (name, password)).encode()
    return "Basic " + base64.b64encode(text).decode()


NGINX_CONF = """\
daemon off;
worker_processes {workers};
pcre_jit on;
{user}
pid {dir}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {dir}/body;
    fastcgi_temp_path {dir}/fastcgi;
    proxy_temp_path {dir}/proxy;
    scgi_temp_path {dir}/scgi;
    uwsgi_temp_path {dir}/uwsgi;
    include xivo-auth.conf;
    {servers}
}}
"""


class Relay:
    """Between nginx and a pool, to count the connections."""

    def __init__(self, path, to):
        self.path = path
        self.to = to
        self.accepted = 0
        self.socket = listen_on(path)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _accept(self):
        while True:
            try:
                near, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                far.connect(self.to)
            except OSError:
                near.close()
                far.close()
                continue
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(a, b),
                                 daemon=True).start()

    @staticmethod
    def _pump(source, sink):
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(65536)
                if not data:
                    break
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    sys.exit("harness.py is for the tests beside it")
