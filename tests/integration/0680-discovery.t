#!/usr/bin/env python3
# 0680-discovery.t - the daemon tells Consul's agent of the service. SPDX-License-Identifier: GPL-3.0-or-later
import fcntl
import re
import signal
import socket
import struct
import time

import consul
import false_consul as f
import harness as h
from consul_daemon import gone, lines, put_due

DAEMON = "xivo-auth-expiryd"
UUID = "08c56466-8f29-45c7-9856-92bf1ba89b92"
NAME = "xivo-auth"


def place(c, config=None, check=1, start=True, **more):
    """A pool, and a daemon that shall tell of it; quick."""
    merged = config or c.config()
    merged.setdefault("uuid", UUID)
    merged.setdefault("expiry", {})["interval"] = 0.2
    s = h.Service(merged, check=check, login=0, nginx=False, start=start)
    told = {"enabled": True, "socket": s.check_socket, "ttl_interval": 4,
            "refresh_interval": 1, "retry_interval": 1,
            "advertise_address_interface": "lo"}
    told.update(more)
    merged["service_discovery"] = told
    s.write_config(merged)
    return s


def entries(c):
    return c.must("GET", "/v1/health/service/" + NAME)


def status(c):
    """Of the one service; None while there is none."""
    found = [x for e in entries(c) for x in e["Checks"]
             if x["ServiceName"] == NAME]
    return found[0]["Status"] if found else None


def becomes(c, wanted, seconds=15):
    h.until(lambda: status(c) == wanted, "status %s" % wanted, seconds)


def ipv4_of(name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            return socket.inet_ntoa(fcntl.ioctl(
                s, 0x8915, struct.pack("256s", name.encode()))[20:24])
        except OSError:
            return None


def stands_in_the_catalogue(c):
    with place(c, extra_tags=["blue", 'a "quoted" one'],
               advertise_port=9498) as s:
        daemon = s.start_daemon()
        becomes(c, "passing")
        found, = entries(c)
        service = found["Service"]
        h.ok(re.fullmatch("[0-9a-f]{8}-[0-9a-f-]{27}", service["ID"]),
             "it has an id of its own", service["ID"])
        h.eq((service["Address"], service["Port"]), ("127.0.0.1", 9498),
             "the address of lo, the port that is told")
        h.eq(service["Tags"], [UUID, NAME, "blue", 'a "quoted" one'],
             "the tags")
        agent = c.must("GET", "/v1/agent/checks")["service:" + service["ID"]]
        h.eq(agent["Type"], "ttl", "the check is one that must be passed")
        end = time.monotonic() + 6  # longer than the TTL
        seen = set()
        while time.monotonic() < end:
            seen.add(status(c))
            time.sleep(0.1)
        h.eq(seen, {"passing"}, "it goes on passing, beyond the TTL")
        h.eq(len(lines(s, "discovery.passing")), 1, "which is said once")
        h.has(s.read("xivo-auth.log"), "discovery.registered id=%s "
              "address=127.0.0.1 port=9498" % service["ID"], "so is who it is")
        first = service["ID"]
        h.eq(daemon.stop(), 0, "the daemon ends")
        h.eq(entries(c), [], "and the entry with it")
        h.eq(len(lines(s, "discovery.left")), 1, "which is said")
        daemon = s.start_daemon()
        becomes(c, "passing")
        h.ok(entries(c)[0]["Service"]["ID"] != first,
             "the next one has another id")
        daemon.stop()


def the_pool_is_down(c):
    with place(c, check=0) as s:
        daemon = s.start_daemon()
        becomes(c, "critical")
        h.until(lambda: lines(s, "discovery.failing"), "the reason")
        h.has(lines(s, "discovery.failing")[0], "check.sock: No such file",
              "no pool: critical, and the log says why")
        s.start_pool("check", 1)
        becomes(c, "passing", 5)
        h.ok(True, "it passes as soon as the pool answers")
        pool = s.pools["check"][0]
        pool.kill()
        s.sockets[0].close()
        becomes(c, "critical", 3.5)  # less than the TTL: it is told
        notes = entries(c)[0]["Checks"]
        h.has(str(notes), "Connection refused", "a pool that died: critical")
        s.sockets = []
        s.start_pool("check", 1)
        becomes(c, "passing", 5)
        h.freeze(s.pools["check"][0].pid)
        becomes(c, "critical", 12)
        h.ok(True, "one that says nothing, too")
        put_due(c, 50)
        h.ok(gone(c, "while the pool is frozen") < 3,
             "which delays no removal")
        s.pools["check"][0].send(signal.SIGCONT)
        becomes(c, "passing", 8)
        h.ok(True, "and it comes back")
        h.eq(daemon.stop(), 0, "it ends")


def an_agent_that_forgets(c):
    with place(c) as s:
        daemon = s.start_daemon()
        becomes(c, "passing")
        own = entries(c)[0]["Service"]["ID"]
        h.eq(c.ask("PUT", "/v1/agent/service/deregister/" + own).status, 200,
             "somebody takes the entry away")
        becomes(c, "passing", 6)
        h.eq(entries(c)[0]["Service"]["ID"], own, "it comes back, as it was")
        h.eq(len(lines(s, "discovery.forgotten")), 1, "the log says so")
        c.kill()
        h.until(lambda: lines(s, "discovery.failing"), "that Consul is away")
        h.ok(daemon.alive(), "no Consul: the daemon goes on")
        c.start()
        c.wait()
        becomes(c, "passing", 20)
        h.eq(len(entries(c)), 1, "after a restart it stands there once")
        h.eq(daemon.stop(), 0, "it ends")
        h.eq(entries(c), [], "and is gone")


def started_without_consul(c):
    c.kill()
    with place(c, check=0) as s:
        daemon = s.start_daemon()
        h.until(lambda: lines(s, "discovery.failing"), "the reason")
        h.has(lines(s, "discovery.failing")[0], "refused",
              "Consul is away at the start: said, and no failure")
        c.start()
        c.wait()
        becomes(c, "critical", 10)
        h.ok(True, "it registers as soon as Consul is there")
        h.eq(daemon.stop(), 0, "it ends")


def consul_is_slow(c):
    """SIGTERM while Consul says nothing."""
    with place(c) as s:
        daemon = s.start_daemon()
        becomes(c, "passing")
        c.freeze()
        begun = time.monotonic()
        h.eq(daemon.stop(seconds=20), 0, "a silent Consul: it still ends")
        took = time.monotonic() - begun
        h.ok(took < 6, "in bounded time", took)
        h.eq(len(lines(s, "discovery.not_left")), 1, "and says what it left")
        c.thaw()
        c.wait()
        for e in entries(c):
            c.ask("PUT", "/v1/agent/service/deregister/" + e["Service"]["ID"])


def a_sweep_is_not_delayed(c):
    """The agent's own endpoints hang, the store does not."""
    with f.CountingProxy(c.port) as p:
        held = []

        def hold(x):
            held.append(x)
            time.sleep(3)  # and never hands it on: nothing comes too late
        p.on("PUT", "/v1/agent", hold)
        with place(c, p.config(c)) as s:
            daemon = s.start_daemon()
            h.until(lambda: held, "something that hangs")
            put_due(c, 100)
            took = gone(c, "while it hangs")
            h.ok(took < 2.5, "an agent that hangs delays no removal", took)
            h.until(lambda: lines(s, "discovery.failing"), "the reason")
            h.eq(daemon.stop(seconds=20), 0, "it ends")
    h.eq(entries(c), [], "what never reached the agent is not there")


def address(c):
    eths = [ipv4_of(name) for _, name in socket.if_nameindex()
            if name.startswith("eth")]
    fallback = ([x for x in eths if x] or ["127.0.0.1"])[0]
    for more, wanted, what in (
            ({"advertise_address": "192.0.2.77"}, "192.0.2.77",
             "an address that is given"),
            ({"advertise_address": "auth.example.org"}, "auth.example.org",
             "a name that is given"),
            ({"advertise_address_interface": "lo"}, "127.0.0.1", "that of lo"),
            ({"advertise_address_interface": "nosuch9"}, fallback,
             "an interface that is missing: an eth, else lo")):
        with place(c, **more) as s:
            daemon = s.start_daemon()
            becomes(c, "passing")
            h.eq(entries(c)[0]["Service"]["Address"], wanted, what)
            daemon.stop()


def not_wanted(c):
    with place(c, enabled=False) as s:
        daemon = s.start_daemon()
        put_due(c, 1)
        gone(c, "a turn")
        h.eq(entries(c), [], "off: nothing is registered")
        daemon.stop()
    with place(c) as s:
        done = s.run_program(DAEMON, "-c", s.config, "--once")
        h.eq((done.returncode, entries(c)), (0, []), "nor by --once")
    with place(c, {"store": {"type": "lmdb"}}) as s:
        daemon = s.start_daemon()
        h.until(lambda: lines(s, "expiryd.started"), "its start")
        h.has(s.read("xivo-auth.log"), "config.no_discovery",
              "with the embedded store it is said that it has no effect")
        daemon.stop()
        h.eq(entries(c), [], "and nothing is registered")


def wrong_configuration(c):
    for more, words in (
            ({"advertise_address": ""}, "a text of 1 to 255 bytes"),
            ({"advertise_address": "a b"}, "a name, an address or auto"),
            ({"socket": "/" + "x" * 107}, "at most 107 bytes"),
            ({"socket": "check.sock"}, "an absolute path"),
            ({"advertise_port": 0}, "1"),
            ({"ttl_interval": "often"}, "seconds"),
            ({"extra_tags": {"a": 1}}, "a list"),
            ({"enabled": "perhaps"}, "true or false")):
        with place(c, check=0, **more) as s:
            done = s.run_program(DAEMON, "-c", s.config, "-f")
            key = "service_discovery." + list(more)[0]
            h.ok(done.returncode == 78 and key in done.stderr and
                 words in done.stderr, "refused: %.60s" % more,
                 done.returncode, done.stderr)


def no_right():
    with consul.Consul(acl=True) as c:
        config = c.config(token=c.token(consul.DAEMON))
        with place(c, config) as s:
            daemon = s.start_daemon()
            h.until(lambda: lines(s, "discovery.failing"), "the reason")
            h.has(lines(s, "discovery.failing")[0], "403",
                  "no right to the service: said")
            h.eq(len(lines(s, "discovery.failing")), 1, "once")
            h.lacks(s.read("xivo-auth.log"), config["consul"]["token"],
                    "and the token of Consul is not in the log")
            put_due(c, 5)
            gone(c, "removal goes on")
            daemon.stop()
        rules = consul.DAEMON + 'service "xivo-auth" { policy = "write" }\n'
        with place(c, c.config(token=c.token(rules))) as s:
            daemon = s.start_daemon()
            becomes(c, "passing")
            h.ok(True, "the right that README names is enough")
            h.eq(daemon.stop(), 0, "it ends")
            h.eq(entries(c), [], "and leaves nothing")


def main():
    with consul.Consul() as c:
        for case in (stands_in_the_catalogue, the_pool_is_down,
                     an_agent_that_forgets, started_without_consul,
                     consul_is_slow, a_sweep_is_not_delayed, address,
                     not_wanted, wrong_configuration):
            case(c)
    no_right()


h.run(main, 240)
