# figures.py - the figures to reach, and how each is found. SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of cases that are measured in turn, round after round."""

import statistics
import time

import rig as rig_module
from rig import BASIC, median

LOGIN_CLIENTS = 8
REVOKE_CLIENTS = 2
REVOKED_A_ROUND = 60000 # more than two clients can revoke in one
SMALL_STORE = 1000
STARTS = 7
QUIET = 0.05   # what others may take of the machine while we measure
PAUSE_S = 2    # before something is measured again
WAIT_MAX_S = 180 # for quiet, in all


class Bench:
    def __init__(self, options, say, rig):
        self.options = options
        self.say = say
        self.rig = rig
        self.figures = []
        self.cases = []
        self.service = None
        self.waited = 0.0  # seconds that went by because of others
        self.asked = 0  # lines of ids that checks ask for

    def figure(self, name, value, sense, bar):
        reached = value >= bar if sense == ">=" else value <= bar
        self.figures.append({"name": name, "value": round(value, 4),
                             "sense": sense, "bar": bar, "reached": reached})

    def rounds(self, cases):
        """Each case once a round; medians by name, and into the table.

        cases: name -> function of the round's number that measures once
        """
        samples = {name: [] for name in cases}
        for number in range(self.options["rounds"]):
            for name, measure in cases.items():
                samples[name].append(self.in_quiet(measure, number))
        out = {}
        for name, got in samples.items():
            out[name] = {key: median(got, key) for key in got[0]
                         if key not in ("failed", "requests", "seconds")}
            out[name]["failed"] = sum(sample["failed"] for sample in got)
            self.cases.append(dict(out[name], name=name))
            if out[name]["failed"]:
                self.say("%s: %d requests failed" % (name,
                                                     out[name]["failed"]))
        return out

    def in_quiet(self, measure, number):
        """Measure, and again while others keep the machine busy."""
        while True:
            begun = time.monotonic()
            got = measure(number)
            if got["others"] <= QUIET or self.waited > WAIT_MAX_S:
                return got
            time.sleep(PAUSE_S)
            self.waited += time.monotonic() - begun

    def check(self, target, method="HEAD", count=None, **how):
        ids = self.rig.ids.get(target.service, self.rig.ids[
            self.service.service])
        return self.rig.ask(target, method, ids, count or self.asked, **how)

    def beside(self, load):
        """HEAD while something else goes on."""
        # begun before and ended after what is measured
        seconds = self.options["seconds"] + 2
        other = load(seconds)
        time.sleep(0.7)
        got = self.check(self.service, beside=[other.pid])
        beside = self.rig.result(other)
        got["failed"] += beside["failed"]
        got["other_rate"] = beside["requests"] / beside["seconds"]
        return got

    # --- groups ---

    def loops(self):
        """The whole against the least, and against libfcgi's own loop."""
        same = self.rig.start_bare("same loop", "tests/bench/same_loop")
        usual = self.rig.start_usual("usual loop", "tests/bench/usual_loop")
        got = self.rounds({
            "HEAD": lambda _n: self.check(self.service),
            "HEAD, 204 and nothing else": lambda _n: self.check(same),
            "HEAD, libfcgi's own loop": lambda _n: self.check(usual),
        })
        ours = got["HEAD"]["rate"]
        self.figure("HEAD / 204 on the same loop",
                    ours / got["HEAD, 204 and nothing else"]["rate"],
                    ">=", 0.90)
        self.figure("HEAD / 204 on libfcgi's own loop",
                    ours / got["HEAD, libfcgi's own loop"]["rate"],
                    ">=", 2.0)

    def bodies(self):
        """GET sends the whole token."""
        token = self.first_token()
        body = self.service.service.http(
            "GET", "/0.1/token/" + token + rig_module.SCOPE).body
        same = self.rig.start_bare("same loop, bytes",
                                   "tests/bench/same_loop", "-b",
                                   str(len(body)))
        bare = "GET, %d bytes and nothing else" % len(body)
        got = self.rounds({
            "GET": lambda _n: self.check(self.service, "GET"),
            bare: lambda _n: self.check(same, "GET"),
        })
        self.figure("GET / as many bytes on the same loop",
                    got["GET"]["rate"] / got[bare]["rate"], ">=", 0.80)

    def logins(self):
        def login(seconds):
            return self.rig.wrk(self.service, seconds, LOGIN_CLIENTS,
                                "login.lua", BASIC)

        both = "HEAD beside %d logins at a time" % LOGIN_CLIENTS
        got = self.rounds({
            "HEAD without logins": lambda _n: self.check(self.service),
            both: lambda _n: self.beside(login),
        })
        self.compare("logins", got["HEAD without logins"], got[both])
        self.figure("rate of HEAD beside logins / without",
                    got[both]["rate"] / got["HEAD without logins"]["rate"],
                    ">=", 0.6)

    def revokes(self):
        ids = self.rig.ids[self.service.service]
        both = "HEAD beside %d who revoke" % REVOKE_CLIENTS

        def revoke(number):
            return lambda seconds: self.rig.wrk(
                self.service, seconds, REVOKE_CLIENTS, "ask.lua", "DELETE",
                ids, self.asked + number * self.share, self.share, "")

        got = self.rounds({
            "HEAD without revokes": lambda _n: self.check(self.service),
            both: lambda n: self.beside(revoke(n)),
        })
        self.compare("revokes", got["HEAD without revokes"], got[both])

    def compare(self, what, alone, beside):
        self.figure("p99 of HEAD beside %s / without" % what,
                    beside["p99_ms"] / alone["p99_ms"], "<=", 5)
        self.figure("requests that failed beside " + what,
                    alone["failed"] + beside["failed"], "<=", 0)
        self.say("%s: %.0f a second" % (what, beside["other_rate"]))

    def sizes(self):
        small = self.rig.start_service("small store", SMALL_STORE)
        few = "HEAD, %d tokens" % SMALL_STORE
        many = "HEAD, %d tokens" % self.options["tokens"]
        got = self.rounds({
            few: lambda _n: self.check(small, count=SMALL_STORE),
            many: lambda _n: self.check(self.service),
        })
        self.figure("CPU of a check, %d tokens / %d" % (
            self.options["tokens"], SMALL_STORE),
            got[many]["ours_us"] / got[few]["ours_us"], "<=", 1.3)

    def start_and_memory(self):
        service = self.service.service
        starts = [self.rig.start_of_a_process(service)
                  for _ in range(STARTS)]
        self.figure("start to first answer, ms", statistics.median(starts),
                    "<=", 50)
        self.figure("memory of all processes, MiB (PSS, without the store)",
                    self.service.ours.pss_kib(without="/data.mdb") / 1024,
                    "<=", 20)

    def first_token(self):
        with open(self.rig.ids[self.service.service]) as f:
            return f.readline().strip()

    def start(self):
        tokens = self.options["tokens"]
        self.say("filling a store with %d tokens" % tokens)
        self.service = self.rig.start_service("service", tokens)
        self.share = min(REVOKED_A_ROUND,
                         tokens // 4 // self.options["rounds"])
        self.asked = tokens - self.share * self.options["rounds"]


def measure(options, say):
    groups = [Bench.loops, Bench.bodies, Bench.sizes, Bench.logins,
              Bench.revokes, Bench.start_and_memory]
    with rig_module.Rig(options["build"], options["seconds"]) as rig:
        bench = Bench(options, say, rig)
        bench.start()
        for group in groups:
            name = group.__name__
            if options["only"] and not any(word in name for word in
                                           options["only"]):
                continue
            say("measuring: " + name)
            group(bench)
        return bench.figures, bench.cases
