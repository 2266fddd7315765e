# model.py - clients that know what the service must answer. SPDX-License-Identifier: GPL-3.0-or-later
"""A model of the tokens, and clients that ask at random and compare.

    world = model.World(seed)
    s = h.Service(world.config(), users=world.users, ...)
    clients = [model.Client(world, s, guard, n) for n in range(4)]

What is known of a token is when its life ends, since when somebody has been
revoking it, and since when it is known to be gone. An answer that came between
two moments must be "valid" if nothing of that can have happened by the second,
and "no such token" if it had happened by the first; between them either is
right. So what nobody was told (a POST or a DELETE without an answer) costs no
strictness elsewhere: a token that was seen gone never comes back.
"""

import collections
import random
import re
import threading
import time
import urllib.parse

import consul_keys as k
import harness as h

AWAY = ("Connection to consul failed", "Connection to consul timedout")
SLOW = 2  # seconds
AFTER = 2.5  # seconds in which the end of an outage may still be felt
LIVES = {1: 3, 2: 2, 4: 2, 3600: 3}  # seconds: how often
OPERATIONS = {"issue": 24, "refused": 2, "get": 22, "head": 22, "scope": 22,
              "authorize": 16, "unknown": 2, "revoke": 8}

# Which location asks for which ACL is the client's choice, for once.
GUARD = """
    server {{
        listen 127.0.0.1:{port};
        access_log off;
        include snippets/xivo-auth-locations.conf;
        include snippets/xivo-auth-guard.conf;
        location / {{
            set $xivo_auth_scope $http_x_model_scope;
            auth_request /xivo-auth/guard;
            auth_request_set $xivo_auth_id $upstream_http_x_auth_id;
            try_files /none @inside;
        }}
        location @inside {{
            add_header Seen $xivo_auth_id;
            return 200 "inside";
        }}
    }}
"""


def allows(acls, auth_id, scope):
    """DESIGN's rule for ACLs once more, by way of regular expressions."""
    def matches(acl):
        words = []
        for word in acl.split("."):
            if word == "me":
                words.append("(?:me|%s)" % re.escape(auth_id))
                continue
            words.append("".join({"*": "[^.#]*", "#": ".*"}.get(
                c, re.escape(c)) for c in word))
        return re.fullmatch(r"\.".join(words), scope, re.DOTALL)
    return any(matches(x) for x in acls if not x.startswith("!")) and \
        not any(matches(x[1:]) for x in acls if x.startswith("!"))


class Token:
    """What is known of one; moments are of the wall clock."""

    def __init__(self, user, data):
        self.user = user
        self.data = data
        self.text = data["token"]
        self.ends = k.unix_of(data["utc_expires_at"])
        self.revoking = None  # since somebody asked for it
        self.gone = None  # since it is known

    def is_dead(self, at):
        return self.gone is not None or at >= self.ends

    def may_be_dead(self, at):
        return self.revoking is not None or at >= self.ends


class World:
    """Users, tokens, and what was done to the service."""

    def __init__(self, seed, lives=None):
        self.seed = seed
        self.lives = lives or LIVES
        self.lock = threading.Lock()
        self.tokens = []
        self.by_user = collections.defaultdict(list)
        self.purges = collections.defaultdict(list)  # user: [from, to]
        self.outages = []  # [from, to] in which the store may fail
        self.unanswered = 0  # POST
        dice = random.Random("%s users" % seed)
        self.users = {}
        for n in range(6):
            uuid = "%08x-0000-4000-8000-%012x" % (n, n)
            acls = [self._acl(dice) for _ in range(dice.randint(0, 6))]
            self.users["user%d" % n] = dict(h.ALICE, uuid=uuid, acls=acls)

    @staticmethod
    def _acl(dice):
        words = dice.choices(["users", "read", "me", "*", "#", "a*", "b"],
                             k=dice.randint(1, 4))
        return "!" * (dice.random() < 0.15) + ".".join(words)

    def scope(self, dice, token):
        words = ["users", "read", "me", "a", "b", "abc", "+", "é", "*"]
        return ".".join(dice.choices(words + [token.data["auth_id"]],
                                     k=dice.randint(1, 4)))

    # --- what the clients tell ---

    def issued(self, token, asked):
        """It may have been revoked before anybody saw it."""
        with self.lock:
            self.tokens.append(token)
            self.by_user[token.user].append(token)
            if any(to is None or to >= asked
                   for _, to in self.purges[token.user]):
                token.revoking = asked

    def pick(self, dice):
        """One of all, mostly of those that nobody has ended."""
        choice, fresh = dice.random(), dice.random()
        with self.lock:
            n = len(self.tokens)
            if n == 0:
                return None
            if fresh < 0.6:  # of the last ones, as short lives are
                return self.tokens[max(0, n - 1 - int(choice * 150))]
            return self.tokens[int(choice * n)]

    def is_away(self, began, ended):
        return any(start <= ended and (end is None or end + AFTER >= began)
                   for start, end in self.outages)

    # --- what is done to all tokens of a user ---

    def purge(self, user, revoke):
        """revoke() says how it went: true, or false for nobody knows."""
        span = [time.time(), None]
        with self.lock:
            self.purges[user].append(span)
            tokens = list(self.by_user[user])
            for token in tokens:
                token.revoking = token.revoking or span[0]
        done = revoke()
        with self.lock:
            span[1] = time.time()
            for token in tokens if done else []:
                token.gone = token.gone or span[1]

    # --- at the end ---

    def compare(self, keys):
        """With what lies in the store, while nobody asks: what is wrong."""
        now = time.time()
        wrong = []
        for token in self.tokens:
            there = k.key_of(token.text) in keys
            if there and token.gone is not None:
                wrong.append("gone and still there: " + told(token))
            if not there and not token.may_be_dead(now):
                wrong.append("lost: " + told(token))
        known = {k.key_of(t.text) for t in self.tokens}
        strange = len(keys - known)
        if strange > self.unanswered:
            wrong.append("%d that nobody was given, %d POST unanswered"
                         % (strange, self.unanswered))
        return wrong

    def last_end(self):
        return max([t.ends for t in self.tokens
                    if t.ends < time.time() + 600], default=0)


def told(token):
    return "%s of %s: ends %.3f revoking %s gone %s" % (
        k.key_of(token.text)[:12], token.user, token.ends, token.revoking,
        token.gone)


class Client(threading.Thread):
    """Asks until it is told to stop, at most `rate` times a second."""

    def __init__(self, world, s, guard, number, rate=None):
        super().__init__(daemon=True)
        self.world, self.s, self.guard, self.rate = world, s, guard, rate
        self.dice = random.Random("%s client %d" % (world.seed, number))
        self.over = threading.Event()
        self.did = collections.Counter()
        self.lost = []  # (operation, what came instead)
        self.away = 0  # answers that the store is
        self.slowest = 0
        self.slow = []
        self.wrong = []

    def run(self):
        begun, asked = time.monotonic(), 0
        try:
            while not self.over.is_set():
                what = self.dice.choices(list(OPERATIONS),
                                         list(OPERATIONS.values()))[0]
                getattr(self, what)()
                asked += 1
                if self.rate:
                    due = begun + asked / self.rate
                    self.over.wait(max(0, due - time.monotonic()))
        except BaseException as e:  # a thread's exception is nobody's
            self.wrong.append("client ended: %r" % e)

    def ask(self, what, server, *args, **how):
        """The answer, or None if there is none; and from when to when."""
        self.did[what] += 1
        began = time.time()
        try:
            answer = server.http(*args, **how)
        except Exception as e:
            answer = h.Answer(502, [], repr(e).encode())
        ended = time.time()
        self.slowest = max(self.slowest, ended - began)
        if ended - began > SLOW:
            self.slow.append("%s at %.3f took %.2f s: %d" % (
                what, began, ended - began, answer.status))
        if answer.status in (502, 503, 504):
            self.lost.append((what, repr(answer)))
            answer = None
        elif answer.status == 500 and (not answer.body or answer.reason in
                                       AWAY or server is self.guard):
            self.away += 1
            if not self.world.is_away(began, ended):
                self.wrong.append("%s at %.3f-%.3f: %r, but the store is "
                                  "there" % (what, began, ended, answer))
            answer = None
        return answer, began, ended

    def judge(self, what, token, dead, answer, began, ended, good):
        """An answer about a token; `dead` is what was known before."""
        if answer is None:
            return False
        gone = 401 if what == "authorize" else 404
        if answer.status == gone and (dead or token.may_be_dead(ended)):
            if ended < token.ends:  # an expired one may still lie there
                token.gone = token.gone or ended
            return False
        if answer.status == good and not dead:
            return True
        self.wrong.append("%s at %.3f-%.3f, %d or %d expected (dead before: "
                          "%s), %s: %r" % (what, began, ended, good, gone,
                                           dead, told(token), answer))
        return False

    # --- what it asks ---

    def issue(self):
        user = self.dice.choice(list(self.world.users))
        life = self.dice.choices(list(self.world.lives),
                                 list(self.world.lives.values()))[0]
        answer, asked, _ = self.ask(
            "issue", self.s, "POST", "/0.1/token",
            {"backend": "users_file", "expiration": life},
            login=(user, h.LOGIN[1]))
        if answer is None:
            with self.world.lock:
                self.world.unanswered += 1
            return
        known = self.world.users[user]
        if answer.status != 200 or answer.data["acls"] != known["acls"] or \
                answer.data["auth_id"] != known["uuid"]:
            self.wrong.append("issue: %r" % answer)
            return
        self.world.issued(Token(user, answer.data), asked)

    def refused(self):
        user = self.dice.choice(list(self.world.users) + ["nobody"])
        answer, *_ = self.ask("refused", self.s, "POST", "/0.1/token",
                              {"backend": "users_file"},
                              login=(user, "wrong"))
        if answer is not None and answer.status != 401:
            self.wrong.append("a wrong password: %r" % answer)

    def unknown(self):
        token = "%032x" % self.dice.getrandbits(128)
        token = "-".join((token[:8], token[8:12], token[12:16], token[16:20],
                          token[20:]))
        answer, *_ = self.ask("unknown", self.s, "GET", "/0.1/token/" + token)
        if answer is not None and answer.status != 404:
            self.wrong.append("a token nobody was given: %r" % answer)

    def check(self, what, method, scope=None):
        token = self.world.pick(self.dice)
        upper = self.dice.random() < 0.05
        if not token:
            return
        good, query = 204 if method == "HEAD" else 200, ""
        if scope:
            scope = self.world.scope(self.dice, token)
            query = "?scope=" + urllib.parse.quote(scope, safe="")
            if not allows(token.data["acls"], token.data["auth_id"], scope):
                good = 403
        text = token.text.upper() if upper else token.text
        dead = token.is_dead(time.time())
        answer, *when = self.ask(what, self.s, method,
                                 "/0.1/token/" + text + query)
        if self.judge(what, token, dead, answer, *when, good) and \
                good == 200 and answer.data != token.data:
            self.wrong.append("%s: %r is not what was issued: %r"
                              % (what, answer.data, token.data))

    def get(self):
        self.check("get", "GET")

    def head(self):
        self.check("head", "HEAD")

    def scope(self):
        self.check("scope", self.dice.choice(["GET", "HEAD"]), True)

    def authorize(self):
        token = self.world.pick(self.dice)
        if not token:
            return
        scope = self.world.scope(self.dice, token)
        good = 200 if allows(token.data["acls"], token.data["auth_id"],
                             scope) else 403
        dead = token.is_dead(time.time())
        answer, *when = self.ask(
            "authorize", self.guard, "GET", "/", headers={
                "X-Auth-Token": token.text,
                "X-Model-Scope": scope.encode().decode("latin-1")})
        if self.judge("authorize", token, dead, answer, *when, good) and \
                good == 200 and answer.get("Seen") != token.data["auth_id"]:
            self.wrong.append("authorize: another one's id: %r" % answer)

    def revoke(self):
        token = self.world.pick(self.dice)
        if not token:
            return
        token.revoking = token.revoking or time.time()
        answer, _, ended = self.ask("revoke", self.s, "DELETE",
                                    "/0.1/token/" + token.text)
        if answer is None:
            return
        if answer.status != 200:
            self.wrong.append("revoke: %r" % answer)
        token.gone = token.gone or ended


def total(clients, name):
    """Of their counters, lists or numbers."""
    values = [getattr(c, name) for c in clients]
    return sum(values[1:], values[0])
