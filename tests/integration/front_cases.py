# front_cases.py - the same requests to every web server. SPDX-License-Identifier: GPL-3.0-or-later
"""What must be answered, whatever server stands in front of the pool.

A case names what the service says; `but` names the servers that answer
something else themselves, or make another request of it, and what comes then.
A reason of None is a page of the server's own, or no refusal. What a server
refuses before it looks at the path (early) has our words where all of it is
ours, and below a prefix those of the site.
"""

import json
import socket

import harness as h

BAD_ENCODING = "Invalid encoding in request"
BAD_JSON = "Request body is not valid JSON"
BAD_REQUEST = (400, "Bad request")
FAILED = (401, "Authentication Failed")
NO_ROUTE = (404, "Not found")
NO_TOKEN = (404, "No such token")
NO_METHOD = (405, "Method not allowed")
TOO_LARGE = (413, "Request body too large")
OWN = None

NGINX, HTTP2, APACHE, FCGID, LIGHTTPD = (
    "nginx", "nginx, HTTP/2", "Apache", "Apache, mod_fcgid", "lighttpd")
JSON = {"Content-Type": "application/json"}
GOOD = b'{"backend": "users_file"}'


def login(*credentials, **headers):
    out = dict(JSON, Authorization=h.basic(*(credentials or h.LOGIN)))
    out.update({k.replace("_", "-"): v for k, v in headers.items()})
    return out


def get(target, want, method="GET", headers=(), **but):
    return dict(method=method, target=target, want=want, headers=headers,
                body=None, but=but.get("but", {}), early=but.get("early"))


def post(body, want, headers=None, target="/0.1/token", **but):
    return dict(method="POST", target=target, want=want, body=body,
                headers=login() if headers is None else headers,
                but=but.get("but", {}), early=but.get("early"))


def cases(token, unknown=h.TOKEN):
    """Every route, then what is crooked."""
    mine = "/0.1/token/" + token
    bearer = {"X-Auth-Token": token}
    return [
        post(GOOD, (200, None)),
        get(mine, (200, None)),
        get(mine.upper().replace("/TOKEN", "/token"), (200, None)),
        get(mine + "?scope=confd.users.me.read", (200, None)),
        get(mine + "?scope=confd.users.me.read", (204, None), "HEAD"),
        get(mine + "?scope=a+b%2Ec", (403, "Unauthorized for a b.c")),
        get(mine + "?scope=nothing", (403, None), "HEAD"),
        get("/0.1/token/" + unknown, NO_TOKEN),
        get("/0.1/token/" + unknown, (404, None), "HEAD"),
        get("/0.1/token/" + unknown, (200, None), "DELETE"),
        get("/0.1/backends", (200, None)),
        get("/0.1/status", (200, None)),
        get("/0.1/status", (200, None), "HEAD"),
        get("/0.1/api/api.yml", (200, None)),
        get("/0.1/authorize?scope=confd.users.me.read", (204, None),
            headers=bearer),
        get("/0.1/authorize?scope=nothing", (403, None), headers=bearer),
        get("/0.1/authorize", (401, None)),

        # paths
        get("/", NO_ROUTE),
        get("/0.1", NO_ROUTE),
        get("/0.2/status", NO_ROUTE),
        get("/0.1/status/", NO_ROUTE),
        get("/0.1//status", NO_ROUTE, but={FCGID: (200, None), LIGHTTPD: (200, None)}),
        get("/0.1/./status", NO_ROUTE, but={FCGID: (200, None), LIGHTTPD: (200, None)}),
        get("/0.1/x/../status", NO_ROUTE, but={FCGID: (200, None), LIGHTTPD: (200, None)}),
        get("/0.1%2Fstatus", NO_ROUTE, but={LIGHTTPD: (200, None)}),
        get("/0.1/%73tatus", (200, None)),
        get("/0.1/st%61tus?x=%2F..//", (200, None)),
        get("/0.1/token/%00", BAD_REQUEST, early=True, but={
            APACHE: NO_ROUTE, FCGID: (404, OWN), LIGHTTPD: (400, OWN)}),
        get("/0.1/token/%zz", BAD_REQUEST, early=True, but={
            FCGID: (400, OWN), LIGHTTPD: NO_TOKEN}),
        get("/0.1/token/%ff", (400, BAD_ENCODING), but={
            LIGHTTPD: (400, OWN)}),
        get("/0.1/token/%0d%0aX:%20y", NO_TOKEN, but={LIGHTTPD: (400, OWN)}),
        get("/0.1/token/" + "x" * 200, NO_TOKEN),
        get("/0.1/token/" + "x" * 5000, NO_ROUTE, but={
            APACHE: (403, "Forbidden"), FCGID: (403, OWN)}),
        get("/0.1/token/" + "x" * 9000, (414, "Request URI too long"),
            early=True, but={
                FCGID: (414, OWN), LIGHTTPD: (431, OWN), HTTP2: NO_ROUTE}),
        get(mine + "?scope=%ff", (400, BAD_ENCODING), but={
            LIGHTTPD: (400, OWN)}),
        get(mine + "?scope=%00", (400, BAD_ENCODING), but={
            LIGHTTPD: (400, OWN)}),
        get(mine + "?scope=a&scope=a", (400, "Duplicate scope")),

        # methods
        get("/0.1/status", NO_METHOD, "PUT"),
        get("/0.1/status", NO_METHOD, "OPTIONS"),
        get("/0.1/status", NO_METHOD, "FOO", but={LIGHTTPD: (501, OWN)}),
        get("/0.1/status", NO_METHOD, "TRACE", early=True, but={FCGID: (405, OWN)}),
        post(b"{}", NO_METHOD, target="/0.1/status"),
        post(b"{}", NO_METHOD, target=mine),

        # headers
        post(GOOD, FAILED, login("alice", "wrong")),
        post(GOOD, FAILED, login("nobody", "correct horse")),
        post(GOOD, FAILED, JSON),
        post(GOOD, FAILED, list(login().items()) + [
            ("Authorization", h.basic(*h.LOGIN))], early=True, but={
                NGINX: BAD_REQUEST, HTTP2: BAD_REQUEST}),
        post(GOOD, FAILED, login(Authorization="%s, %s" % (
            (h.basic(*h.LOGIN),) * 2))),
        post(GOOD, (415, "Content-Type must be application/json"),
             login(Content_Type="text/plain")),
        get("/0.1/authorize", (401, None), headers=[
            ("X-Auth-Token", token), ("X-Auth-Token", token)]),
        get("/0.1/authorize", (401, None), headers=[
            ("X-Auth-Token", token), ("X-Auth-Token", unknown)]),
        get("/0.1/authorize", (401, None), headers={
            "X-Auth-Token": token + ", " + token}),
        get("/0.1/authorize", (401, None), headers={"X_Auth_Token": token},
            but={LIGHTTPD: (204, None)}),

        # bodies
        post(b"", (400, BAD_JSON)),
        post(b"{", (400, BAD_JSON)),
        post(b"[]", (400, "Request body must be a JSON object")),
        post(b"{}", (400, "Missing backend")),
        post(b'{"backend": 1}', (400, "Invalid backend")),
        post(b'{"backend": "users_file", "expiration": "1"}',
             (400, "Invalid expiration")),
        post(b'{"a": ' + b"[" * 16 + b"]" * 16 + b"}",
             (400, "Request body is nested too deeply")),
        post(GOOD + b" " * 16000, (200, None)),
        post(b" " * 17000, TOO_LARGE, but={
            FCGID: (500, OWN), LIGHTTPD: (413, OWN)}),
        get(mine, (200, None), "DELETE"),
        get(mine, NO_TOKEN),
    ]


def raw_cases():
    """Bytes of a login that no library would send, and what comes back."""
    start = ("POST %s/0.1/token HTTP/1.1\r\nHost: localhost\r\n"
             "Connection: close\r\nContent-Type: application/json\r\n"
             "Authorization: " + h.basic(*h.LOGIN) + "\r\n")
    good = GOOD.decode()
    chunks = "%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (
        7, good[:7], len(good) - 7, good[7:])
    return {
        "HTTP/1.0 without Host": (
            "GET %s/0.1/status HTTP/1.0\r\n\r\n", 200, {}),
        "HTTP/1.0, a HEAD": (
            "HEAD %s/0.1/status HTTP/1.0\r\nHost: a\r\n\r\n", 200, {}),
        "a body in chunks": (
            start + "Transfer-Encoding: chunked\r\n\r\n" + chunks, 200, {}),
        "a body in chunks, too large": (
            start + "Transfer-Encoding: chunked\r\n\r\n4268\r\n" +
            " " * 17000 + "\r\n0\r\n\r\n", 413, {
                APACHE: 400, FCGID: 500}),
        "a body in broken chunks": (
            start + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, {}),
        "a length that is none": (
            start + "Content-Length: 1x\r\n\r\n" + good, 400, {}),
        "two lengths": (
            start + "Content-Length: 25\r\nContent-Length: 24\r\n\r\n" +
            good, 400, {}),
        "a length and chunks": (
            start + "Content-Length: 25\r\nTransfer-Encoding: chunked\r\n"
            "\r\n" + chunks, 400, {APACHE: 200, FCGID: 200}),
        # whoever sends less than he said hears nothing, or a refusal
        "a body that ends early": (
            start + "Content-Length: 100\r\n\r\n" + good, None, {}),
    }


def check_raw(server, port, prefix=""):
    rows = {}
    for name, (text, want, but) in raw_cases().items():
        want = but.get(server, want)
        head, _, rest = text.partition("%s")
        got = raw(port, head + prefix + rest, is_all=want is None)
        what = "%s%s: %s" % (server, prefix and " below " + prefix, name)
        if want is None:
            h.ok(got == 0 or 400 <= got < 600, what, got)
        else:
            h.eq(got, want, what)
        rows[name] = str(got or "closed")
    return rows


def raw(port, text, is_all):
    """The status of the first answer; 0 when there is none.

    is_all  say that nothing more will come
    """
    with socket.create_connection(("127.0.0.1", port), 20) as c:
        c.sendall(text.encode())
        if is_all:
            c.shutdown(socket.SHUT_WR)
        try:
            line = c.makefile("rb").readline()
        except ConnectionError:
            return 0
    return int(line.split()[1]) if line.startswith(b"HTTP/") else 0


def name_of(number, case, token):
    target = case["target"].replace(token, "{token}")
    target = target.replace(token.upper(), "{TOKEN}")
    text = "%d %s %s" % (number, case["method"], target if len(target) < 60
                         else target[:20] + "...%d" % len(target))
    if case["body"] is not None:
        text += " %.40s" % case["body"].decode("latin-1")
    return text.rstrip()


def check(server, ask, token, prefix=""):
    """Ask for all of it; rows of a table: name of the case -> answer."""
    rows = {}
    for number, case in enumerate(cases(token), 1):
        want = case["but"].get(server, case["want"])
        answer = ask(case["method"], prefix + case["target"],
                     case["headers"], case["body"])
        got = answer.status, answer.reason
        if want[1] is None or (prefix and case["early"]):
            got, want = (answer.status, None), (want[0], None)
        what = name_of(number, case, token)
        h.eq(got, want, "%s%s: %s" % (server, prefix and " below " + prefix,
                                      what), answer)
        rows[what] = "%d %s" % (answer.status, answer.reason or "")
        if answer.reason:
            h.eq((answer.get("Content-Type"), answer.get("Cache-Control"),
                  answer.get("X-Content-Type-Options"),
                  json.loads(answer.body).get("status_code")),
                 ("application/json", "no-store", "nosniff", answer.status),
                 "in the one form of refusals", answer)
    return rows


def table(columns):
    """Cases over servers, as lines of text; columns: server -> rows."""
    names = list(columns)
    lines = ["| case | " + " | ".join(names) + " |",
             "|---" * (len(names) + 1) + "|"]
    for case in columns[names[0]]:
        cells = [columns[name].get(case, "") for name in names]
        cells = [cells[0]] + ["=" if c == cells[0] else c for c in cells[1:]]
        lines.append("| %s | %s |" % (case.replace("|", "\\|"),
                                      " | ".join(cells)))
    return lines
