#!/usr/bin/env python3
# 0110-token.t - the life of a token, through nginx. SPDX-License-Identifier: GPL-3.0-or-later
import datetime
import re
import time

import harness as h

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}"
                   r"-[0-9a-f]{12}$")
STAMP = "%Y-%m-%dT%H:%M:%S.%f"
FIELDS = {"token", "auth_id", "xivo_user_uuid", "xivo_uuid", "issued_at",
          "expires_at", "utc_issued_at", "utc_expires_at", "acls"}


def carries(answer, what):
    """What stands on every answer."""
    h.eq((answer.get("Cache-Control"), answer.get("X-Content-Type-Options")),
         ("no-store", "nosniff"), what + " is neither cached nor sniffed")


def issue(s):
    before = datetime.datetime.utcnow()
    answer = s.login(expiration=3600, tls=True)
    after = datetime.datetime.utcnow()
    if not h.eq(answer.status, 200, "a login gives a token", answer):
        return None
    carries(answer, "a token")
    h.eq(answer.get("Content-Type"), "application/json", "it comes as JSON")
    data = answer.data
    h.eq(set(data), FIELDS, "it has its nine fields")
    h.ok(UUID4.match(data["token"]), "it is a random UUID in lower case",
         data["token"])
    h.eq(data["auth_id"], h.ALICE["uuid"], "auth_id is the user's uuid")
    h.eq(data["xivo_user_uuid"], h.ALICE["uuid"], "and so is xivo_user_uuid")
    h.eq(data["xivo_uuid"], None, "xivo_uuid is nobody's")
    h.eq(data["acls"], h.ALICE["acls"], "the ACLs are the user's, in order")

    stamps = {}
    for name in ("issued_at", "expires_at", "utc_issued_at",
                 "utc_expires_at"):
        h.ok(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$", data[name]),
             name + " has six digits and no zone", data[name])
        stamps[name] = datetime.datetime.strptime(data[name], STAMP)
    h.ok(before <= stamps["utc_issued_at"] <= after, "it was issued now", data)
    hour = datetime.timedelta(hours=1)
    h.eq(stamps["utc_expires_at"] - stamps["utc_issued_at"], hour,
         "it lives an hour")
    # Asia/Kathmandu: no summer time, and not a whole hour.
    ahead = datetime.timedelta(hours=5, minutes=45)
    h.eq(stamps["issued_at"] - stamps["utc_issued_at"], ahead,
         "issued_at is in the local zone")
    h.eq(stamps["expires_at"] - stamps["utc_expires_at"], ahead,
         "and so is expires_at")
    return data


def check(s, data):
    token = data["token"]
    path = "/0.1/token/" + token
    answer = s.http("GET", path)
    h.eq(answer.status, 200, "the token is valid", answer)
    h.eq(answer.data, data, "GET tells what the login told")
    carries(answer, "GET")
    h.eq(s.http("GET", "/0.1/token/" + token.upper()).data, data,
         "in upper case it is the same token")

    head = s.http("HEAD", path)
    h.eq((head.status, head.body), (204, b""), "HEAD says valid, with no body")
    carries(head, "HEAD")

    me = "confd.users.%s.read" % h.ALICE["uuid"]
    scopes = [
        ("confd.users.me.read", True), (me, True),
        ("dird.phonebooks.1.me.read", True), ("dird.secret.1.me.read", False),
        ("confd.users.other.read", False), ("confd.users.me", False),
        ("", False), ("confd%2Eusers%2Eme%2Eread", True),
        ("confd.users.me.rea%64", True), ("caf%C3%A9.me", False),
    ]
    for scope, allowed in scopes:
        query = path + "?scope=" + scope
        get, head = s.http("GET", query), s.http("HEAD", query)
        h.eq((get.status, head.status), (200, 204) if allowed else (403, 403),
             "scope %r is %s" % (scope, "granted" if allowed else "refused"))
    answer = s.http("GET", path + "?scope=a%20b+c")
    h.eq(answer.reason, "Unauthorized for a b c", "+ is a space in a query")
    h.eq(s.http("GET", path + "?x=1").status, 200,
         "other words in the query mean nothing")


def revoke(s, data):
    path = "/0.1/token/" + data["token"]
    answer = s.http("DELETE", path)
    h.eq((answer.status, answer.data), (200, {"message": "success"}),
         "it is revoked")
    carries(answer, "DELETE")
    h.eq(s.http("GET", path).status, 404, "then it is unknown to GET")
    h.eq(s.http("HEAD", path).status, 404, "and to HEAD")
    again = s.http("DELETE", path)
    h.eq((again.status, again.data), (200, {"message": "success"}),
         "to revoke it again is no error")


def expire(s):
    answer = s.login(expiration=1)
    path = "/0.1/token/" + answer.data["token"]
    h.eq(s.http("HEAD", path).status, 204, "a token for a second is valid")
    end = time.monotonic() + 3
    while s.http("HEAD", path).status == 204 and time.monotonic() < end:
        time.sleep(0.02)
    now = datetime.datetime.utcnow().strftime(STAMP)
    h.eq(s.http("GET", path).status, 404, "then it is unknown, daemon or not")
    h.ok(answer.data["utc_expires_at"] <= now <
         answer.data["utc_expires_at"][:17] + "99",
         "not before its time", now, answer.data)


def lifetimes(s):
    for wanted, lives in ((None, 1234), (1, 1), (5000, 5000)):
        data = s.login(expiration=wanted).data
        first, last = (datetime.datetime.strptime(data[k], STAMP) for k in
                       ("utc_issued_at", "utc_expires_at"))
        h.eq((last - first).total_seconds(), lives,
             "expiration %r gives %d seconds" % (wanted, lives))
    answer = s.http("POST", "/0.1/token", b'{"backend": "users_file", '
                    b'"expiration": null}', login=h.LOGIN,
                    headers={"Content-Type": "application/json"})
    h.eq(answer.status, 200, "null is as good as no expiration", answer)


def backends(s):
    answer = s.http("GET", "/0.1/backends")
    h.eq((answer.status, sorted(answer.data)),
         (200, sorted(["broken_init", "broken_verify_password", "mock",
                       "mock_with_uuid", "users_file"])),
         "the backends that are enabled and found, even a broken one")
    data = s.login(h.MOCK_LOGIN, "mock").data
    h.eq((data["auth_id"], data["xivo_user_uuid"], data["acls"]),
         ("a-mocked-uuid", None, ["foo", "bar"]), "mock answers")
    data = s.login(h.MOCK_LOGIN, "mock_with_uuid").data
    h.eq((data["auth_id"], data["xivo_user_uuid"]),
         ("a-mocked-auth-id", "a-mocked-xivo-user-uuid"),
         "mock_with_uuid answers")


def papers(s):
    answer = s.http("GET", "/0.1/status")
    h.eq(answer.status, 200, "it is well", answer)
    data = answer.data or {}
    h.eq(data.get("store"), {"type": "lmdb", "status": "ok"},
         "so is the store")
    told = data.get("backends") or {}
    h.eq((told.get("mock"), told.get("users_file")), ("ok", "ok"),
         "so are the backends", data)
    h.ok(told.get("broken_init") != "ok", "one of them is not", data)
    h.ok(data.get("version"), "its version is told", data)

    answer = s.http("GET", "/0.1/api/api.yml")
    h.eq((answer.status, answer.get("Content-Type")),
         (200, "application/x-yaml"), "the OpenAPI document is there")
    h.has(answer.body.decode(), "openapi:", "it is one")
    for path in ("/0.1/status", "/0.1/backends", "/0.1/api/api.yml"):
        get, head = s.http("GET", path), s.http("HEAD", path)
        h.eq((head.status, head.get("Content-Type"), head.body),
             (get.status, get.get("Content-Type"), b""),
             "HEAD %s is GET without its body" % path)


def other_logins(s):
    s.write_users({"alice": h.ALICE, "bob": dict(h.ALICE, acls=[]), "carol":
                   {k: v for k, v in h.ALICE.items() if k != "acls"}})

    def bob():
        return s.login(("bob", h.LOGIN[1]), kept=False).data
    data = h.until(bob, "the new users file")
    h.eq(data["acls"], [], "acls: [] means none")
    data = s.login(("carol", h.LOGIN[1])).data
    h.eq(data["acls"], ["events.statuses.*"],
         "no acls means default_user_acls")


def main():
    config = {
        "default_token_lifetime": 1234,
        "default_user_acls": ["events.statuses.*"],
        "enabled_plugins": ["users_file", *h.TEST_BACKENDS],
    }
    with h.Service(config, env={"TZ": "Asia/Kathmandu"}) as s:
        data = issue(s)
        if not data:
            return
        check(s, data)
        revoke(s, data)
        expire(s)
        lifetimes(s)
        backends(s)
        papers(s)
        other_logins(s)
    with h.Service({"uuid": None}, login=0,
                   env={"XIVO_UUID": "from-the-environment"}) as s:
        h.eq(s.login().data["xivo_uuid"], "from-the-environment",
             "XIVO_UUID counts, and one pool can do everything")


h.run(main)
