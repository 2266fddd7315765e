# consul_rig.py - a Consul that is filled, and what works on it. SPDX-License-Identifier: GPL-3.0-or-later
"""What scripts/bench --store consul needs besides rig.py."""

import base64
import http.client
import json
import multiprocessing
import re
import statistics
import sys
import time
import uuid

import rig as rig_module
from rig import Processes, Rig, Target, chosen, harness

MOCK = base64.b64encode(b"foo:bar").decode()
PROCESSES = 8  # of each pool, as of the bare loops
FILLERS = 4
OPERATIONS = 64  # in a transaction
AUTH_IDS = 1000


def modules():
    """Those beside the harness, which read where the build is."""
    harness()
    import consul
    import consul_keys
    import false_consul
    return consul, consul_keys, false_consul


class Connection:
    """A kept one to a Consul."""

    def __init__(self, port):
        self.port = port
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method, target, body=None):
        self.http.request(method, target, body)
        response = self.http.getresponse()
        data = response.read()
        if response.status != 200 and method == "PUT":
            raise RuntimeError("consul: %d %r" % (response.status,
                                                  data[:200]))
        return data

    def put_many(self, pairs):
        for i in range(0, len(pairs), OPERATIONS):
            self.ask("PUT", "/v1/txn", json.dumps([
                {"KV": {"Verb": "set", "Key": key, "Value":
                        base64.b64encode(value).decode()}}
                for key, value in pairs[i:i + OPERATIONS]]))


def fill_part(port, first, count, expires, bare, out):
    """In a process of its own: tokens, and the same below bare/."""
    _, keys, _ = modules()
    connection = Connection(port)
    pairs = []
    for i in range(first, first + count):
        token = str(uuid.uuid4())
        auth_id = "%08x-0000-4000-8000-000000000000" % (i % AUTH_IDS)
        new = keys.pairs_of(expires, token, auth_id=auth_id,
                            acls=["confd.users.me.read", "dird.#.me.read",
                                  "events.calls.me", "websocketd"])
        pairs += new
        if bare:
            pairs.append(("bare/" + token, new[0][1]))
        if len(pairs) >= 60 * OPERATIONS:
            connection.put_many(pairs)
            pairs = []
        out.append(token)
    connection.put_many(pairs)


def _filler(send, *args):
    out = []
    fill_part(*args, out)
    send.send(out)
    send.close()


def fill(port, count, expires, bare=False):
    """That many tokens, in that many seconds; the tokens."""
    parts = []
    share = -(-count // FILLERS)
    for first in range(0, count, share):
        receive, send = multiprocessing.Pipe(False)
        process = multiprocessing.Process(
            target=_filler, args=(send, port, first,
                                  min(share, count - first), expires, bare))
        process.start()
        send.close()
        parts.append((process, receive))
    tokens = []
    for process, receive in parts:
        tokens += receive.recv()
        process.join()
    return tokens


class ConsulRig(Rig):
    def consul(self):
        consul, _, _ = modules()
        return self.stack.enter_context(consul.Consul(connections=1000))

    def tokens_file(self, service, tokens):
        path = service.path("ids")
        with open(path, "w") as f:
            f.writelines(token + "\n" for token in tokens)
        return path

    def folder(self, c, port=None, **expiry):
        config = c.config(port=port)
        config["expiry"] = expiry
        config["enabled_plugins"] = ["mock"]
        config["log_level"] = "info"
        return self.new_folder(**config)

    def service(self, c):
        """Both pools; no daemon."""
        s = self.folder(c)
        for which in ("check", "login"):
            s.start_pool(which, PROCESSES)
        s.start_nginx(rig_module.check_edits(rig_module.NO_LIMITS))
        ours = Processes(p.pid for p in s.processes if p is not s.nginx)
        return Target("service", s, ours)

    def bare(self, c):
        """The responder that does one GET and nothing else."""
        h = harness()
        s = self.folder(c)
        listening = h.listen_on(s.check_socket)
        s.sockets.append(listening)
        processes = [s.process("bare", [
            self.program("tests/bench/consul_get_loop"), str(c.port)],
            stdin=listening) for _ in range(PROCESSES)]
        s.start_nginx()
        return Target("bare", s, Processes(p.pid for p in processes))

    def txn_loop(self, c, clients, record_bytes):
        """The bare loop of writes, once."""
        popen = rig_module.subprocess.Popen(
            [self.program("tests/bench/consul_txn_loop"), str(c.port),
             str(clients), str(self.seconds), str(record_bytes)],
            stdout=rig_module.subprocess.PIPE,
            stderr=rig_module.subprocess.STDOUT, text=True)
        return self.result(popen)

    @staticmethod
    def peak_mib(process):
        with open("/proc/%d/status" % process.pid) as f:
            return int(re.search(r"VmHWM:\s*(\d+)", f.read()).group(1)) / 1024


class Ticks:
    """What a daemon asks in a tick in which nothing is due."""

    SECONDS = 4
    REPEATS = 200

    def __init__(self, rig, c):
        _, _, false_consul = modules()
        self.c = c
        with false_consul.CountingProxy(c.port) as proxy:
            service = rig.folder(c, proxy.port, interval=0.1)
            daemon = service.start_daemon()
            h = harness()
            h.until(c.leader_session, "a leading daemon", 60)
            time.sleep(2)
            proxy.forget()
            time.sleep(self.SECONDS)
            self.asked = [r.target for r in proxy.requests
                          if r.method == "GET"]
            daemon.stop()

    def per_tick(self):
        return len(self.asked) / (self.SECONDS * 10)

    def cost_us(self):
        """All of them again, straight to Consul: time for one tick."""
        connection = Connection(self.c.port)
        times = []
        for _ in range(-(-self.REPEATS * 10 // max(1, len(self.asked)))):
            for target in self.asked:
                begun = time.perf_counter()
                connection.ask("GET", target)
                times.append(time.perf_counter() - begun)
        return statistics.median(times) * 1e6 * self.per_tick()


if __name__ == "__main__":
    sys.exit("consul_rig.py is for scripts/bench")
