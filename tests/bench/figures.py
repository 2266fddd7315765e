# figures.py - the figures to reach, and how each is found. SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of cases that are measured in turn, round after round."""

import os
import random
import signal
import statistics
import subprocess
import time

import rig as rig_module
from rig import BASIC, median

LOGIN_CLIENTS = 8
REVOKE_CLIENTS = 2
REVOKED_A_ROUND = 60000 # more than two clients can revoke in one
SMALL_STORE = 1000
STARTS = 7
RELOADS = 20
RELOADS_S = 60
KILLS_S = 30
KILL_EVERY_S = 0.25
PATIENCE_S = 20 # of who asks, beyond that of nginx
QUIET = 0.05   # what others may take of the machine while we measure
PAUSE_S = 2    # before something is measured again
WAIT_MAX_S = 180 # for quiet, in all


class Rounds:
    """What the rounds of some cases measured: name -> a sample a round."""

    def __init__(self, samples):
        self.samples = samples

    def median(self, name, key):
        return median(self.samples[name], key)

    def failed(self, name):
        return sum(sample["failed"] for sample in self.samples[name])

    def ratio(self, name, to, key="rate"):
        """Of what was measured side by side, so that whatever changes from
        one round to the next falls out."""
        return statistics.median(
            one[key] / other[key] for one, other in
            zip(self.samples[name], self.samples[to]))

    def row(self, name):
        """Of the table."""
        row = {key: self.median(name, key) for key in self.samples[name][0]
               if key not in ("failed", "requests", "seconds")}
        return dict(row, name=name, failed=self.failed(name))


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
        """Measure each case once a round.

        cases: name -> function of the round's number that measures once
        """
        samples = {name: [] for name in cases}
        for number in range(self.options["rounds"]):
            for name, got in self.round(cases, number).items():
                samples[name].append(got)
        out = Rounds(samples)
        for name in cases:
            self.cases.append(out.row(name))
            if out.failed(name):
                self.say("%s: %d requests failed" % (name, out.failed(name)))
        return out

    def round(self, cases, number):
        """One round, every other one backwards; from its beginning again
        when others kept the machine busy."""
        names = list(cases)[::-1 if number % 2 else 1]
        while True:
            begun = time.monotonic()
            got = {}
            for name in names:
                got[name] = cases[name](number)
                if (got[name]["others"] > QUIET and
                        self.waited <= WAIT_MAX_S):
                    break
            else:
                return got
            time.sleep(PAUSE_S)
            self.waited += time.monotonic() - begun
            if self.waited > WAIT_MAX_S:
                self.say("others keep the machine busy: what is measured "
                         "from here on means little")

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

    def run(self, groups):
        for name in groups:
            self.say("measuring: " + name)
            getattr(self, name)()
        return self.figures, self.cases

    # --- groups ---

    def loops(self):
        """The whole against the least, and against libfcgi's own loop."""
        same = self.rig.start_bare("same loop", "tests/bench/same_loop")
        usual = self.rig.start_usual("usual loop", "tests/bench/usual_loop")
        bare = "HEAD, 204 and nothing else"
        usually = "HEAD, libfcgi's own loop"
        got = self.rounds({  # HEAD beside both
            bare: lambda _n: self.check(same),
            "HEAD": lambda _n: self.check(self.service),
            usually: lambda _n: self.check(usual),
        })
        self.figure("HEAD / 204 on the same loop", got.ratio("HEAD", bare),
                    ">=", 0.90)
        self.figure("HEAD / 204 on libfcgi's own loop",
                    got.ratio("HEAD", usually), ">=", 2.0)

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
                    got.ratio("GET", bare), ">=", 0.80)

    def guard(self):
        """Other locations behind auth_request."""
        ours = self.rig.start_guarded("guard", self.service)
        same = self.rig.start_guarded("guard, same loop", None)
        ids = self.rig.ids[self.service.service]

        def ask(target, path):
            return lambda _n: self.rig.ask_guard(target, path, ids,
                                                 self.asked)

        got = self.rounds({
            "guard": ask(ours, "/fixed"),
            "guard and nothing else": ask(same, "/fixed"),
            "guard by path": ask(ours, "/users/me"),
            "guard by path and nothing else": ask(same, "/users/me"),
        })
        for name in ("guard", "guard by path"):
            self.figure("%s / 204 on the same loop" % name,
                        got.ratio(name, name + " and nothing else"),
                        ">=", 0.85)

    def apache(self):
        """The same behind Apache's mod_proxy_fcgi, with kept connections."""
        ours = self.rig.start_apache("Apache", self.service)
        same = self.rig.start_apache("Apache, same loop", self.rig.start_bare(
            "same loop", "tests/bench/same_loop"))
        ids = self.rig.ids[self.service.service]
        bare = "HEAD by Apache, 204 and nothing else"
        got = self.rounds({
            "HEAD by Apache": lambda _n: self.rig.ask(ours, "HEAD", ids,
                                                      self.asked),
            bare: lambda _n: self.rig.ask(same, "HEAD", ids, self.asked),
        })
        self.figure("HEAD by Apache / 204 on the same loop",
                    got.ratio("HEAD by Apache", bare), ">=", 0.85)

    def logins(self):
        def login(seconds):
            # some wait for more than wrk's 2 s, at their priority
            return self.rig.wrk(self.service, seconds, LOGIN_CLIENTS,
                                "login.lua", BASIC, timeout_s=PATIENCE_S)

        alone = "HEAD without logins"
        both = "HEAD beside %d logins at a time" % LOGIN_CLIENTS
        got = self.rounds({
            alone: lambda _n: self.check(self.service),
            both: lambda _n: self.beside(login),
        })
        self.compare("logins", got, alone, both)
        self.figure("rate of HEAD beside logins / without",
                    got.ratio(both, alone), ">=", 0.6)

    def revokes(self):
        ids = self.rig.ids[self.service.service]
        alone = "HEAD without revokes"
        both = "HEAD beside %d who revoke" % REVOKE_CLIENTS

        def revoke(number):
            return lambda seconds: self.rig.wrk(
                self.service, seconds, REVOKE_CLIENTS, "ask.lua", "DELETE",
                ids, self.asked + number * self.share, self.share, "")

        got = self.rounds({
            alone: lambda _n: self.check(self.service),
            both: lambda n: self.beside(revoke(n)),
        })
        self.compare("revokes", got, alone, both)

    def compare(self, what, got, alone, both):
        self.figure("p99 of HEAD beside %s / without" % what,
                    got.ratio(both, alone, "p99_ms"), "<=", 5)
        self.figure("requests that failed beside " + what,
                    got.failed(alone) + got.failed(both), "<=", 0)
        self.say("%s: %.0f a second" % (what, got.median(both, "other_rate")))

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
            got.ratio(many, few, "ours_us"), "<=", 1.3)

    def start_and_memory(self):
        service = self.service.service
        starts = [self.rig.start_of_a_process(service)
                  for _ in range(STARTS)]
        self.figure("start to first answer, ms", statistics.median(starts),
                    "<=", 50)
        self.figure("memory of all processes, MiB (PSS, without the store)",
                    self.service.ours.pss_kib(without="/data.mdb") / 1024,
                    "<=", 20)

    def mixed(self, seconds):
        """GET, HEAD, POST and DELETE at a time: method -> wrk."""
        ids = self.rig.ids[self.service.service]
        load = {"POST": self.rig.wrk(self.service, seconds, 2, "login.lua",
                                     BASIC, timeout_s=PATIENCE_S)}
        for method, clients, first, count in (
                ("GET", 4, 0, self.asked), ("HEAD", 4, 0, self.asked),
                ("DELETE", 1, self.asked, self.share)):
            load[method] = self.rig.wrk(
                self.service, seconds, clients, "ask.lua", method, ids, first,
                count, "", timeout_s=PATIENCE_S)
        time.sleep(0.7)
        return load

    def lost(self, what, load):
        """method -> requests that failed, once the load is over."""
        got = {method: self.rig.result(wrk) for method, wrk in load.items()}
        self.say("%s: %s" % (what, ", ".join(
            "%d %s (%d failed)" % (one["requests"], method, one["failed"])
            for method, one in got.items())))
        return {method: one["failed"] for method, one in got.items()}

    def replaced(self):
        """What is lost while processes are reloaded, and killed."""
        pool = self.service.pool
        load = self.mixed(RELOADS_S)
        begun = time.monotonic()
        done = 0
        while time.monotonic() < begun + RELOADS_S - 4:
            subprocess.run(pool + ["reload"], check=True,
                           stdout=subprocess.DEVNULL)
            done += 1
            due = begun + done * (RELOADS_S - 4) / RELOADS
            time.sleep(max(0, due - time.monotonic()))
        lost = self.lost("%d reloads" % done, load)
        self.figure("reloads in %d s" % RELOADS_S, done, ">=", RELOADS)
        self.figure("requests that failed during them", sum(lost.values()),
                    "<=", 0)

        load = self.mixed(KILLS_S)
        begun = time.monotonic()
        kills = 0
        while time.monotonic() < begun + KILLS_S - 2:
            victims = self.workers()
            if victims:
                os.kill(random.choice(victims), signal.SIGKILL)
                kills += 1
            due = begun + kills * KILL_EVERY_S
            time.sleep(max(0.01, due - time.monotonic()))
        lost = self.lost("%d kills" % kills, load)
        self.figure("GET and HEAD lost, a process killed every %.0f ms" % (
            KILL_EVERY_S * 1e3), lost["GET"] + lost["HEAD"], "<=", 0)
        self.figure("POST and DELETE lost for each kill",
                    (lost["POST"] + lost["DELETE"]) / kills, "<=", 1)

    def workers(self):
        found = []
        for which in ("check", "login"):
            with open(self.service.service.path("run", which + ".pid")) as f:
                found += rig_module.children(int(f.read().split()[0]))
        return found

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


GROUPS = ["loops", "bodies", "guard", "apache", "sizes", "logins", "revokes",
          "start_and_memory", "replaced"]


def measure(options, say):
    groups = rig_module.chosen(GROUPS, options["only"])
    with rig_module.Rig(options["build"], options["seconds"]) as rig:
        bench = Bench(options, say, rig)
        bench.start()
        return bench.run(groups)
