# consul.py - real Consul servers for one test. SPDX-License-Identifier: GPL-3.0-or-later
"""A Consul, or three and an agent, on loopback, in folders of their own.

    import consul
    import harness as h

    def main():
        with consul.Consul() as c, h.Service(c.config()) as s:
            s.token()
            h.eq(len(c.keys("xivo/xivo-auth/tokens/")), 1, "it is there")

    h.run(main)

They are started and stopped from the main thread only: a process dies with
the thread that started it.
"""

import base64
import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import uuid

import harness as h

PREFIX = "xivo/xivo-auth/"
WORKER = 'key_prefix "%s" { policy = "write" }\n' % PREFIX
DAEMON = WORKER + 'session_prefix "" { policy = "write" }\n'
READER = 'key_prefix "%s" { policy = "read" }\n' % PREFIX
STRANGER = 'key_prefix "elsewhere/" { policy = "write" }\n'


def program():
    """The path of a consul program; skips the test if there is none."""
    path = os.environ.get("CONSUL") or shutil.which("consul")
    if not path:
        done = subprocess.run(
            [os.path.join(h.SOURCE, "scripts", "fetch-consul"), "--there"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        path = done.stdout.strip()
    if not path or not os.access(path, os.X_OK):
        raise h.SkipAll("there is no consul: scripts/fetch-consul gets one")
    return path


def _is_free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def free_ports(count):
    """Ports that no outgoing connection takes before a server does: they lie
    below the range of those."""
    found = set()
    while len(found) < count:
        port = random.randrange(12000, 32000)
        if _is_free(port):
            found.add(port)
    return list(found)


class Answer:
    """Of Consul, to the test itself."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def __repr__(self):
        return "<%s %r>" % (self.status, self.body[:300])

    @property
    def json(self):
        return json.loads(self.body)


class Consul:
    """One agent.

        folder    where it keeps its files; its own and temporary if None
        name      of the node
        expect    servers that make a cluster; 0: an agent, no server
        join      other Consul objects, running or not
        acl       the ACL system, denying what no policy allows; the test
                  itself asks with self.master
        list_policy   with acl: listing takes a right that READER lacks
        tls       an Authority; then the service asks by HTTPS
        certificate   (certificate, key) in place of a good one
        verify_incoming   with tls: clients must show a certificate
        connections   that one address may have; 200 if None
        address, port   where it listens for clients; port: a free one
    """

    def __init__(self, folder=None, name="consul", expect=1, join=(),
                 acl=False, list_policy=False, tls=None, certificate=None,
                 verify_incoming=False, connections=None,
                 address="127.0.0.1", port=None, start=True):
        self.binary = program()
        self.name = name
        self.process = None
        self.master = str(uuid.uuid4()) if acl else None
        self.tls = tls
        self._own = folder is None
        self.dir = folder or tempfile.mkdtemp(prefix="xivo-auth-consul-")
        self._plan = dict(expect=expect, join=join, acl=acl,
                          list_policy=list_policy, certificate=certificate,
                          verify_incoming=verify_incoming,
                          connections=connections)
        self.address = address
        self._fixed_port = port
        self.choose_ports()
        try:
            if start:
                self.start()
                if expect == 1:
                    self.wait()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind and not issubclass(kind, h.SkipAll):
            self.show_log()
        self.close()

    # --- its life ---

    def choose_ports(self):
        self.port, self.https_port, self.serf_port, self.rpc_port = \
            free_ports(4)
        self.port = self._fixed_port or self.port

    def _config(self):
        plan = self._plan
        config = {
            "node_name": self.name,
            "data_dir": os.path.join(self.dir, "data"),
            "bind_addr": "127.0.0.1",
            "client_addr": self.address,
            "server": plan["expect"] > 0,
            "ports": {"http": self.port,
                      "https": self.https_port if self.tls else -1,
                      "dns": -1, "grpc": -1, "serf_wan": -1,
                      "serf_lan": self.serf_port, "server": self.rpc_port},
            "performance": {"raft_multiplier": 1},
            "log_level": "warn",
            "disable_update_check": True,
            "retry_interval": "1s",
            "retry_join": ["127.0.0.1:%d" % c.serf_port
                           for c in plan["join"]],
        }
        if plan["expect"]:
            config["bootstrap_expect"] = plan["expect"]
            config["autopilot"] = {"server_stabilization_time": "1s"}
        if plan["acl"]:
            config["acl"] = {
                "enabled": True, "default_policy": "deny",
                "enable_key_list_policy": plan["list_policy"],
                "tokens": {"master": self.master, "agent": self.master}}
        if self.tls:
            cert, key = plan["certificate"] or self.tls.good()
            config.update(ca_file=self.tls.ca, cert_file=cert, key_file=key,
                          verify_incoming_https=plan["verify_incoming"])
        if plan["connections"]:
            config["limits"] = {
                "http_max_conns_per_client": plan["connections"]}
        return config

    def start(self):
        """Start it, also on the data of one that was killed."""
        os.makedirs(self.dir, exist_ok=True)
        first = not os.path.exists(os.path.join(self.dir, "data"))
        for _ in range(5):  # somebody may take a port before it does
            with open(os.path.join(self.dir, "config.json"), "w") as f:
                os.fchmod(f.fileno(), 0o600)
                json.dump(self._config(), f, indent=2)
            self.process = h.Process(
                self.name, [self.binary, "agent", "-config-file",
                            os.path.join(self.dir, "config.json")],
                self.log, dies_by=signal.SIGKILL)
            if self._wait_listening():
                return
            if first:
                self.choose_ports()
        raise RuntimeError("consul does not start:\n" + self.process.said())

    def _wait_listening(self):
        def up():
            if not self.process.alive():
                return "dead"
            with contextlib.suppress(OSError):
                socket.create_connection((self.address, self.port), 1).close()
                return "up"
        return h.until(up, "consul listens", 30) == "up"

    def wait(self, seconds=40):
        """Until it takes a write: there is a leader."""
        def writable():
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer = self.ask("PUT", "/v1/kv/test/writable", b"1",
                                  seconds=3)
                return answer.status == 200 and answer.body == b"true\n" or \
                    answer.body == b"true"
        h.until(writable, "%s is writable" % self.name, seconds)
        self.delete("test/writable")

    @property
    def log(self):
        return os.path.join(self.dir, self.name + ".err")

    def kill(self):
        """As if its machine lost power."""
        self.process.kill()

    def freeze(self):
        """It keeps its connections, takes new ones, and says nothing."""
        h.freeze(self.process.pid)

    def thaw(self):
        self.process.send(signal.SIGCONT)

    def stop(self):
        """Well; a cluster keeps its place."""
        self.thaw()
        self.process.stop()

    def restart(self, wait=True):
        """Again on the same data, killed before if it runs."""
        if self.process.alive():
            self.kill()
        self.start()
        if wait:
            self.wait()

    def close(self):
        """The end: its data go, too."""
        if self.process:
            self.process.kill()
        if self._own and os.environ.get("XA_KEEP") != "1":
            shutil.rmtree(self.dir, ignore_errors=True)

    def show_log(self, lines=30):
        if self.process:
            h.diag("--- " + self.name,
                   *self.process.said().splitlines()[-lines:])

    # --- for the configuration of the service ---

    def config(self, port=None, **more):
        """What Service takes; `more` goes below `consul`, `port` is that of
        a proxy."""
        consul = {"host": self.address, "port": port or self.port}
        if self.tls and not port:
            consul.update(scheme="https", host="localhost",
                          port=self.https_port, verify=self.tls.ca)
        if self.master:
            consul["token"] = self.master
        consul.update(more)
        return {"store": {"type": "consul"}, "consul": consul}

    # --- what a test asks of it, always by plain HTTP ---

    def ask(self, method, path, body=None, token=None, seconds=10):
        c = http.client.HTTPConnection(self.address, self.port,
                                       timeout=seconds)
        token = token or self.master
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        try:
            c.request(method, path, body,
                      {"X-Consul-Token": token} if token else {})
            return Answer(c.getresponse())
        finally:
            c.close()

    def must(self, *args, **how):
        answer = self.ask(*args, **how)
        if answer.status != 200:
            raise RuntimeError("consul: %r" % answer)
        return answer.json

    def get(self, key):
        """The value as bytes; None if there is no such key."""
        answer = self.ask("GET", "/v1/kv/" + key + "?raw")
        return answer.body if answer.status == 200 else None

    def put(self, key, value):
        if not self.must("PUT", "/v1/kv/" + key, value):
            raise RuntimeError("not written: " + key)

    def put_many(self, pairs):
        """Many keys in few transactions."""
        pairs = list(pairs)
        for i in range(0, len(pairs), 64):
            self.must("PUT", "/v1/txn", [
                {"KV": {"Verb": "set", "Key": key, "Value":
                        base64.b64encode(value).decode()}}
                for key, value in pairs[i:i + 64]])

    def delete(self, key):
        self.must("DELETE", "/v1/kv/" + key)

    def delete_all(self, prefix):
        self.must("DELETE", "/v1/kv/" + prefix + "?recurse")

    def keys(self, prefix=PREFIX):
        answer = self.ask("GET", "/v1/kv/" + prefix + "?keys", seconds=30)
        return answer.json if answer.status == 200 else []

    def pairs(self, prefix=PREFIX):
        """{key: value as bytes} of all below the prefix."""
        answer = self.ask("GET", "/v1/kv/" + prefix + "?recurse", seconds=30)
        if answer.status != 200:
            return {}
        return {x["Key"]: base64.b64decode(x["Value"] or "")
                for x in answer.json}

    def token(self, rules):
        """A Consul token with those rights, and no others."""
        name = "policy-%s" % uuid.uuid4()
        self.must("PUT", "/v1/acl/policy", {"Name": name, "Rules": rules})
        return self.must("PUT", "/v1/acl/token",
                         {"Policies": [{"Name": name}]})["SecretID"]

    def leader_session(self):
        """The session that holds the daemon's lock, or None."""
        answer = self.ask("GET", "/v1/kv/" + PREFIX + "expiryd/leader")
        return answer.json[0].get("Session") if answer.status == 200 else None

    def sessions(self):
        return self.must("GET", "/v1/session/list")

    def memory(self):
        """Resident, in bytes."""
        with open("/proc/%d/statm" % self.process.pid) as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Cluster:
    """Three servers, on one port of three addresses; with `agent`, also an
    agent that is no server, as it stands beside a service on its machine."""

    def __init__(self, agent=False, **how):
        self.dir = tempfile.mkdtemp(prefix="xivo-auth-consul-")
        port = free_ports(1)[0]
        self.servers = []
        self.agent = None
        try:
            for i in range(3):
                self.servers.append(Consul(
                    os.path.join(self.dir, "s%d" % i), "s%d" % i, 3,
                    self.servers[:], address="127.0.0.%d" % (i + 1),
                    port=port, start=False, **how))
            for server in self.servers:
                server.start()
            if agent:
                self.agent = Consul(os.path.join(self.dir, "agent"), "agent",
                                    0, self.servers, **how)
            self.wait()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind and not issubclass(kind, h.SkipAll):
            for c in self.all():
                c.show_log()
        self.close()

    def all(self):
        return self.servers + [self.agent] * (self.agent is not None)

    def close(self):
        for c in self.all():
            c.close()
        if os.environ.get("XA_KEEP") != "1":
            shutil.rmtree(self.dir, ignore_errors=True)

    def wait(self, seconds=60):
        """Until all three are well and vote: only then may the next fall."""
        def well():
            with contextlib.suppress(OSError, http.client.HTTPException,
                                     ValueError, KeyError):
                answer = self.leader().ask(
                    "GET", "/v1/operator/autopilot/health", seconds=3)
                servers = answer.json["Servers"] or []
                return answer.json["Healthy"] and len(servers) == 3 and \
                    all(x["Voter"] for x in servers)
        h.until(well, "three healthy servers", seconds)
        for c in self.all():
            c.wait()

    def leader(self):
        """The Consul that leads; KeyError if none does."""
        by_address = {"127.0.0.1:%d" % c.rpc_port: c for c in self.servers}
        for c in self.servers:
            if not c.process.alive():
                continue
            with contextlib.suppress(OSError, http.client.HTTPException,
                                     ValueError):
                return by_address[c.ask("GET", "/v1/status/leader",
                                        seconds=1).json]
        raise KeyError("no leader")

    def config(self, **more):
        """Through the agent if there is one, else all servers."""
        if self.agent:
            return self.agent.config(**more)
        return self.servers[0].config(
            host=[c.address for c in self.servers], **more)


class Authority:
    """Certificates, good and bad, made with openssl in a folder.

        tls = consul.Authority(folder)
        tls.ca, tls.good(), tls.wrong_name(), tls.expired(), tls.client()
    """

    def __init__(self, folder):
        self.openssl = h.need("openssl")
        self.dir = folder
        os.makedirs(folder, exist_ok=True)
        self.ca = self._make_ca("ca")
        self.other_ca = self._make_ca("other-ca")

    def good(self):
        return self._certificate("good", "DNS:localhost,IP:127.0.0.1")

    def wrong_name(self):
        return self._certificate("wrong-name", "DNS:elsewhere.example")

    def expired(self):
        return self._certificate("expired", "DNS:localhost,IP:127.0.0.1",
                                 days=-1)

    def client(self):
        return self._certificate("client", "DNS:client.example")

    def _path(self, name):
        return os.path.join(self.dir, name)

    def _run(self, *args):
        done = subprocess.run([self.openssl, *args], text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode:
            raise RuntimeError("openssl: " + done.stdout)

    def _make_ca(self, name):
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                  "-subj", "/CN=" + name, "-keyout", self._path(name + ".key"),
                  "-out", self._path(name + ".pem"))
        return self._path(name + ".pem")

    def _certificate(self, name, names, days=2):
        cert, key = self._path(name + ".pem"), self._path(name + ".key")
        if os.path.exists(cert):
            return cert, key
        with open(self._path(name + ".ext"), "w") as f:
            f.write("subjectAltName=%s\n" % names)
        self._run("req", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:prime256v1", "-nodes",
                  "-subj", "/CN=" + name, "-keyout", key,
                  "-out", self._path(name + ".csr"))
        self._run("x509", "-req", "-in", self._path(name + ".csr"),
                  "-CA", self.ca, "-CAkey", self._path("ca.key"),
                  "-CAcreateserial", "-days", str(days),
                  "-extfile", self._path(name + ".ext"), "-out", cert)
        os.chmod(key, 0o600)
        return cert, key
