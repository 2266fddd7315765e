#!/usr/bin/env python3
# 0850-isolation.t - nothing of one request is in the next. SPDX-License-Identifier: GPL-3.0-or-later
"""10,000 requests on one process, with and without credentials in turn, on
connections that are kept: whoever shows none gets nothing of who came before.
"""

import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fastcgi  # noqa: E402
import harness as h  # noqa: E402

REQUESTS = 10000
CONNECTIONS = 3
BASIC = {"Authorization": h.basic(*h.MOCK_LOGIN)}


def login(backend):
    return "POST", "/0.1/token", json.dumps({"backend": backend}).encode()


class Visitor:
    """Who shows credentials, and what must never reach another."""

    def __init__(self, service, backend):
        self.backend = backend
        data = service.ask(*login(backend), headers=BASIC).data
        self.token, self.auth_id = data["token"], data["auth_id"]
        self.headers = {"X-Auth-Token": self.token}


def with_credentials(rng, connection, visitor):
    """Any request that only he may make.  What is wrong with its answer."""
    kind = rng.randrange(4)
    if kind == 0:
        answer = connection.request("GET", "/0.1/authorize",
                                    headers=visitor.headers)
        good = answer.status == 204 and \
            answer.get("X-Auth-Id") == visitor.auth_id
    elif kind == 1:
        answer = connection.request("GET", "/0.1/token/" + visitor.token)
        good = answer.status == 200 and \
            answer.data["auth_id"] == visitor.auth_id
    elif kind == 2:
        answer = connection.request(
            "GET", "/0.1/authorize",
            headers={"Authorization": "Bearer " + visitor.token})
        good = answer.get("X-Auth-Id") == visitor.auth_id
    else:
        method, path, body = login(visitor.backend)
        answer = connection.request(method, path, body, headers=BASIC)
        good = answer.status == 200 and \
            answer.data["auth_id"] == visitor.auth_id
    return None if good else answer


def without_credentials(rng, connection, visitors):
    """The same without.  What is wrong with its answer."""
    kind = rng.randrange(4)
    status = 401
    if kind == 0:
        answer = connection.request("GET", "/0.1/authorize")
    elif kind == 1:
        answer = connection.request(*login(rng.choice(visitors).backend))
    elif kind == 2:  # the body of the one before is no body of this one
        answer = connection.request("POST", "/0.1/token", headers=BASIC)
        status = 400
    else:
        answer = connection.request("GET", "/0.1/token/" + "0" * 36)
        status = 404
    said = repr(answer)
    if answer.status != status or any(
            v.token in said or v.auth_id in said for v in visitors):
        return answer
    return None


def leave_half(service, visitor):
    """A request with credentials of which the end never comes."""
    whole = fastcgi.encode(fastcgi.params_of(
        "GET", "/0.1/authorize", headers=visitor.headers))
    with service.connect() as c:
        c.send(whole[:-8])


def main():
    rng = random.Random(int(os.environ.get("XA_SEED", "7")))
    with h.Service({"enabled_plugins": h.TEST_BACKENDS}, check=1, login=0,
                   nginx=False) as s:
        visitors = [Visitor(s, "mock"), Visitor(s, "mock_with_uuid")]
        h.ok(visitors[0].auth_id != visitors[1].auth_id, "two that differ")
        connections = [s.connect() for _ in range(CONNECTIONS)]
        wrong = {True: [], False: []}
        for i in range(REQUESTS):
            shows = i % 2 == 0
            connection = rng.choice(connections)
            found = with_credentials(rng, connection, rng.choice(visitors)) \
                if shows else without_credentials(rng, connection, visitors)
            if found:
                wrong[shows].append(found)
            if i % 500 == 0:
                leave_half(s, rng.choice(visitors))
        h.eq(wrong[True][:3], [], "who shows credentials gets his own")
        h.eq(wrong[False][:3], [], "who shows none gets nothing of theirs")
        h.ok(s.pools["check"][0].alive(), "by the same process")
        for connection in connections:
            connection.close()


h.run(main)
