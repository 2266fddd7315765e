# consul_figures.py - the figures to reach with tokens in Consul. SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of cases, measured in turn as those of figures.py."""

import re
import signal
import statistics
import time

import consul_rig
import figures
from rig import CLIENTS, SCOPE, Processes, Watch, harness

ISSUERS = consul_rig.PROCESSES
CHECKED = 10000  # tokens that checks ask for
FEW, MANY = 1000, 300000  # tokens alive while nothing is due
STORM = 100000  # tokens that are due in the same second
BEFORE_S = 20  # of checks alone: what is rare in Consul is in it, too
FAR = 7200
STORM_LIMIT_S = 120
STORM_MEMORY_MIB = 32


class Bench(figures.Bench):
    def __init__(self, options, say, rig):
        super().__init__(options, say, rig)
        self.c = None
        self.ids = None

    def start(self):
        self.c = self.rig.consul()
        self.service = self.rig.service(self.c)
        tokens = consul_rig.fill(self.c.port, CHECKED, time.time() + FAR,
                                 bare=True)
        self.ids = self.rig.tokens_file(self.service.service, tokens)

    def ask_one(self, target, method="GET", **how):
        return self.rig.ask(target, method, self.ids, CHECKED,
                            beside=[self.c.process.pid], **how)

    def written(self, number, case):
        """One case of writing, in the form of the others."""
        watch = Watch(Processes(self.service.known.pids +
                                [self.c.process.pid]))
        ours, nginx = self.service.ours, self.service.nginx
        cpu = ours.cpu_ns(), nginx.cpu_ns()
        got = case(number)
        count = 1e3 * got["requests"]
        got.update(others=watch.others(),
                   rate=got["requests"] / got["seconds"],
                   ours_us=(ours.cpu_ns() - cpu[0]) / count,
                   nginx_us=(nginx.cpu_ns() - cpu[1]) / count)
        return got

    # --- groups ---

    def issues(self):
        """An issue against its transaction alone."""
        answer = self.service.service.login(harness().MOCK_LOGIN, "mock")
        token = answer.data["token"]
        _, keys, _ = consul_rig.modules()
        record = len(self.c.get(keys.TOKENS + keys.key_of(token)))

        def issue(_number):
            return self.rig.result(self.rig.wrk(
                self.service, self.options["seconds"], ISSUERS, "login.lua",
                consul_rig.MOCK, "mock"))

        def bare(_number):
            return self.rig.txn_loop(self.c, ISSUERS, record)

        names = ("issue, %d clients" % ISSUERS,
                 "its transaction alone, %d clients" % ISSUERS)
        got = self.rounds({
            names[0]: lambda n: self.written(n, issue),
            names[1]: lambda n: self.written(n, bare)})
        self.figure("issue / its transaction alone",
                    got.ratio(*names), ">=", 0.80)

    def checks(self):
        """A check against a responder that does one GET."""
        bare = self.rig.bare(self.c)
        alone = "GET, one of Consul's and nothing else"
        got = self.rounds({
            "GET": lambda _n: self.ask_one(self.service),
            alone: lambda _n: self.ask_one(bare),
        })
        self.figure("GET / a responder with one GET of Consul's",
                    got.ratio("GET", alone), ">=", 0.80)

    def ticks(self):
        """A tick with nothing due, beside few and many tokens."""
        costs = {}
        sizes = {}
        for count in (FEW, MANY):
            c = self.rig.consul()
            self.say("filling a Consul with %d tokens" % count)
            consul_rig.fill(c.port, count, time.time() + FAR)
            sizes[count] = consul_rig.Ticks(self.rig, c)
            costs[count] = []
        for _ in range(self.options["rounds"]):
            for count, ticks in sizes.items():
                costs[count].append(ticks.cost_us())
        cost = {n: statistics.median(x) for n, x in costs.items()}
        for count, ticks in sizes.items():
            self.say("a tick beside %d tokens: %.1f requests, %.0f us" % (
                count, ticks.per_tick(), cost[count]))
            ticks.c.close()
        self.figure("requests of a tick, %d tokens / %d" % (MANY, FEW),
                    sizes[MANY].per_tick() / sizes[FEW].per_tick(),
                    "<=", 1.3)
        self.figure("cost of a tick, %d tokens / %d" % (MANY, FEW),
                    cost[MANY] / cost[FEW], "<=", 1.3)

    def storm(self):
        """Many due in the same second, and checks meanwhile."""
        s = self.rig.folder(self.c, interval=1)
        daemon = s.start_daemon()
        begun = time.monotonic()
        consul_rig.fill(self.c.port, STORM // 50, time.time() + FAR)
        due = time.time() + 10 + BEFORE_S + (time.monotonic() - begun) * 50 * 1.3
        self.say("filling in %d tokens that are due in %d s" % (
            STORM, due - time.time()))
        consul_rig.fill(self.c.port, STORM, due)
        before = self.rig.result(self.heads(BEFORE_S))["p99_ms"]
        if time.time() > due - 1:
            raise RuntimeError("this machine fills a Consul too slowly")
        time.sleep(due - time.time())
        wrk = self.heads(STORM_LIMIT_S + 30)
        took = self.until_removed(s, due)
        wrk.send_signal(signal.SIGINT)
        beside = self.rig.result(wrk)
        self.say("p99 of HEAD: %.1f ms before, %.1f ms meanwhile" % (
            before, beside["p99_ms"]))
        self.figure("%d due in one second: gone after, s" % STORM, took,
                    "<=", STORM_LIMIT_S)
        self.figure("p99 of HEAD meanwhile / before",
                    beside["p99_ms"] / before, "<=", 3)
        self.figure("requests that failed meanwhile", beside["failed"],
                    "<=", 0)
        self.figure("memory of the daemon at most, MiB",
                    self.rig.peak_mib(daemon), "<=", STORM_MEMORY_MIB)

    def heads(self, seconds):
        return self.rig.wrk(self.service, seconds, CLIENTS, "ask.lua", "HEAD",
                            self.ids, 0, CHECKED, SCOPE)

    def until_removed(self, s, due):
        """Seconds from when they fell due until the daemon says that it has
        removed them, and Consul that they are gone."""
        def removed():
            return sum(int(n) for n in re.findall(
                r"expiry\.done removed=(\d+)", s.read("xivo-auth.log")))
        try:
            harness().until(lambda: time.sleep(0.2) or removed() >= STORM,
                            "the removal of all", STORM_LIMIT_S + 20)
        except TimeoutError:
            self.say("after %d s: %d removed" % (time.time() - due,
                                                 removed()))
        took = time.time() - due
        _, keys, _ = consul_rig.modules()
        left = self.c.keys("%s%s/" % (keys.SCHEDULE, keys.when_of(due)))
        if left:
            self.say("%d are left" % len(left))
            return float(10 * STORM_LIMIT_S)
        return took


GROUPS = ["issues", "checks", "ticks", "storm"]


def measure(options, say):
    groups = consul_rig.chosen(GROUPS, options["only"])
    with consul_rig.ConsulRig(options["build"], options["seconds"]) as rig:
        bench = Bench(options, say, rig)
        bench.start()
        return bench.run(groups)
