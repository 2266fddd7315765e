#!/usr/bin/env python3
# 0115-openapi.t - everything that api.yml promises can be had. SPDX-License-Identifier: GPL-3.0-or-later
import json
import os
import shutil
import signal

import harness as h
import openapi

OFFICIAL = "/usr/share/openapi-specification/schemas/v3.0/schema.json"
ORIGIN = {"Origin": "https://app.example.org"}
CORS = {"enabled": True, "origins": [ORIGIN["Origin"]],
        "supports_credentials": True, "expose_headers": "X-Auth-Id"}
ROUTES = ["/0.1/token", "/0.1/token/" + h.TOKEN, "/0.1/authorize",
          "/0.1/backends", "/0.1/status", "/0.1/api/api.yml"]
PAPERS = ROUTES[3:]
BACKENDS = ["mock", "mock_with_uuid", "broken_init", "wild"]
WITH_UUID = (h.MOCK_LOGIN, "mock_with_uuid")
# For nginx alone; a site would have them for reasons of its own.
OF_NGINX = {"server_tokens off;": """server_tokens off;
    location = /0.1/broken { return 500; }
""", "fastcgi_read_timeout    15s": "fastcgi_read_timeout 300ms",
    '# "https://app.example.org"': '"https://app.example.org"',
    '# "~^http"': '"~^http"'}


def gather_backends(s):
    """Modules of two folders of the build in one of the test's own."""
    os.makedirs(s.path("backends"), mode=0o755, exist_ok=True)
    for name in BACKENDS:
        folder = "tests/modules" if name == "wild" else "backends"
        shutil.copy(os.path.join(h.BUILD, folder, ".libs", name + ".so"),
                    s.path("backends"))


def service(config, **how):
    s = h.Service(nginx=how.pop("nginx", True), start=False, **how)
    gather_backends(s)
    config = dict({"enabled_plugins": BACKENDS,
                   "backend_dir": s.path("backends")}, **config)
    s.write_config(config)
    s.start()
    return s


def ask(s, want, method, target, *args, **how):
    """As a page of another origin; the status is what it is asked for."""
    how["headers"] = dict(ORIGIN, **how.get("headers", {}))
    answer = s.http(method, target, *args, **how)
    if answer.status != want:
        h.ok(False, "%s %s: %d" % (method, target, want), answer)
    return answer


def ask_both(s, want, target, **how):
    get = ask(s, want, "GET", target, **how)
    head = ask(s, want, "HEAD", target, **how)
    there = [{k: v for k, v in a.headers if k != "Date"} for a in (get, head)]
    if there[0] != there[1]:
        h.ok(False, "HEAD %s has GET's headers" % target, *there)


def log_in(s, want=200, login=h.MOCK_LOGIN, backend="mock", **more):
    return ask(s, want, "POST", "/0.1/token", dict(more, backend=backend),
               login=login)


def tokens(s):
    log_in(s)
    log_in(s, expiration=None)
    log_in(s, 401, ("foo", "wrong"))
    log_in(s, 503, ("away", "x"), "wild")
    ask(s, 400, "POST", "/0.1/token", b"{")
    ask(s, 413, "POST", "/0.1/token", b" " * 9000)
    ask(s, 415, "POST", "/0.1/token", b"{}",
        headers={"Content-Type": "text/plain"})
    path = "/0.1/token/" + log_in(s, 200, *WITH_UUID,
                                  expiration=60).data["token"]
    ask(s, 200, "GET", path + "?scope=foo")
    ask(s, 204, "HEAD", path + "?scope=foo")
    ask_both(s, 400, path + "?scope=%ff")
    ask_both(s, 403, path + "?scope=none")
    ask_both(s, 404, ROUTES[1])
    ask(s, 200, "DELETE", path)
    ask(s, 400, "DELETE", path + "?scope=%ff")
    ask(s, 404, "DELETE", "/0.1/token/x")


def guarded(s):
    mine = {"X-Auth-Token": log_in(s, 200, *WITH_UUID).data["token"]}
    ask_both(s, 204, "/0.1/authorize?scope=foo", headers=mine)
    ask_both(s, 403, "/0.1/authorize?scope=none", headers=mine)
    ask_both(s, 401, "/0.1/authorize")
    ask_both(s, 400, "/0.1/authorize?scope=%ff")
    # What a web server hands on of another request, and vouches for.
    all_ = dict(mine, **{"X-Auth-Token": s.token(
        login=h.MOCK_LOGIN, backend="mock")})
    for pair in (("X-Original-Method", "X-Original-URI"),
                 ("X-Forwarded-Method", "X-Forwarded-Uri")):
        headers = dict(all_, **dict(zip(pair, ("GET", "/a"))))
        for method in ("GET", "HEAD"):
            answer = s.ask(method, "/0.1/authorize", headers=headers,
                           XIVO_AUTH_SCOPE="foo",
                           XIVO_AUTH_TRUST_FORWARDED="1")
            h.eq(answer.status, 204, "%s, with %s" % (method, pair[0]))


def papers(s):
    for path in PAPERS:
        ask_both(s, 200, path)
        ask_both(s, 400, path + "?scope=%ff")
    with open(openapi.PATH, "rb") as f:
        h.eq(ask(s, 200, "GET", "/0.1/api/api.yml").body, f.read(),
             "the document is served as it stands in fcgi/")


def preflights(s):
    wish = {"Access-Control-Request-Method": "GET"}
    for path in ROUTES:
        ask(s, 200, "OPTIONS", path, headers=wish)
        params = list(h.fastcgi.params_of("OPTIONS", path, headers=dict(
            ORIGIN, **wish)).items()) + [("QUERY_STRING", "")]
        with s.connect() as c:
            h.eq(c.ask(params).status, 400, "OPTIONS %s, with something "
                 "that stands twice" % path)


def elsewhere(s):
    for want, path in ((404, "/0.1/none"), (400, "/0.1/%ff")):
        ask_both(s, want, path)
        ask(s, want, "OPTIONS", path,
            headers={"Access-Control-Request-Method": "GET"})
    ask(s, 405, "PUT", "/0.1/status")
    ask(s, 405, "GET", "/0.1/token")
    ask(s, 405, "DELETE", "/0.1/authorize")


def store_away(s):
    log_in(s, 500)
    ask_both(s, 500, ROUTES[1])
    ask(s, 500, "DELETE", ROUTES[1])
    ask_both(s, 500, "/0.1/authorize", headers={"X-Auth-Token": h.TOKEN})
    ask_both(s, 503, "/0.1/status")


def no_cors(s):
    log_in(s)
    for path in ROUTES:
        ask(s, 405, "OPTIONS", path)


def nginx_itself(s):
    path = "/0.1/backends"
    ask(s, 413, "POST", path, b" " * 20000)
    for line, want in ((b"GET /" + b"x" * 9000 + b" HTTP/1.1", 414),
                       (b"GET /0.1/status HTTP/9.1", 505),
                       (b"GET /0.1/status HTTP/1.1\r\n"
                        b"Transfer-Encoding: x", 501),
                       (b"GET /0.1/authorize HTTP/1.1\r\nno header", 400),
                       (b"OPTIONS /0.1/authorize HTTP/1.1\r\nno header",
                        400)):
        answer = s.raw(line + b"\r\nHost: a\r\nConnection: close\r\n\r\n")
        h.eq(answer.status, want, "%.40r" % line, answer)
    ask_both(s, 500, "/0.1/broken")
    h.ok(429 in [s.http("POST", "/0.1/token", b"{").status
                 for _ in range(80)], "429 of many logins")
    s.pools["check"][0].send(signal.SIGSTOP)
    try:
        ask(s, 504, "GET", path)
    finally:
        s.pools["check"][0].send(signal.SIGCONT)
    for p in s.pools["check"]:
        p.stop()
    s.sockets[0].close()
    ask_both(s, 503, path)
    ask_both(s, 503, "/0.1/status")


def is_judged():
    """What the document does not know is a complaint, each in its way."""
    ask_status = openapi.Request("GET", "/0.1/status")
    always = [("Cache-Control", "no-store"),
              ("X-Content-Type-Options", "nosniff")]
    typed = always + [("Content-Type", "application/json")]
    data = {"store": {"type": "lmdb", "status": "ok"}, "backends": {},
            "version": "1"}

    def wrong(status=200, headers=(), body=None, request=ask_status):
        body = {"data": data} if body is None else body
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return openapi.complaints(request, h.Answer(
            status, list(headers or typed), body))

    h.eq(wrong(), [], "an answer as it should be")
    h.eq(wrong(418), ["status 418"], "a status that is not listed")
    h.eq(wrong(headers=typed + [("X-New", "1")]), ["header X-New: 1"],
         "a header that is not listed")
    h.eq(wrong(headers=typed[1:]), ["no header Cache-Control"],
         "a header that is missing")
    h.eq(wrong(headers=typed + typed[:1]), ["header Cache-Control twice"],
         "a header that stands twice")
    h.ok(wrong(headers=typed + [("Vary", "*")]), "another value of a header")
    h.eq(wrong(headers=always + [("Content-Type", "text/html")]),
         ["Content-Type 'text/html'"], "another type")
    h.ok(wrong(body={"data": dict(data, new=1)}), "a field that is not listed")
    h.ok(wrong(body={"data": dict(data, version=1)}), "another kind of value")
    h.ok(wrong(body={"data": {}}), "fields that are missing")
    h.ok(wrong(body=b"{"), "a body that is no JSON")
    h.ok(wrong(body=b""), "no body")
    refusal = {"reason": ["x"], "timestamp": [1.5], "status_code": 400}
    h.eq(wrong(400, body=refusal), [], "a refusal as it should be")
    refusal["status_code"] = 500
    h.eq(wrong(400, body=refusal), ["status_code is another than the status"],
         "a refusal that tells another status")
    head = openapi.Request("HEAD", "/0.1/status")
    h.eq(wrong(request=head), ["a body"], "an answer to HEAD with a body")
    h.eq(wrong(request=head, body=b""), [], "and without")
    h.ok(wrong(request=openapi.Request("GET", "/0.1/none")),
         "200 of a path that is none")
    h.ok(wrong(request=openapi.Request("PUT", "/0.1/status")),
         "200 to a method that is none")
    h.eq(wrong(request=None), [], "an answer to nobody knows what")
    h.eq(wrong(418, request=None), ["status 418"], "which may not be any")


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def examples(node):
    """(schema, example) of each place that has one."""
    if isinstance(node, dict):
        if "example" in node:
            yield node.get("schema", node), node["example"]
        for value in node.values():
            yield from examples(value)
    elif isinstance(node, list):
        for item in node:
            yield from examples(item)


def is_openapi(doc):
    used = set(references(doc.raw))
    for kind, parts in doc.raw["components"].items():
        if kind != "securitySchemes":
            idle = [n for n in parts
                    if "#/components/%s/%s" % (kind, n) not in used]
            h.eq(idle, [], "every one of components/%s is used" % kind)
    names = [op["operationId"] for _key, op in doc.operations()
             if "operationId" in op]
    h.eq(len(names), len(set(names)), "no operationId stands twice")
    h.eq([e for schema, e in examples(doc.tree)
          if doc.complaints(schema, e)], [], "the examples are ones")
    if not os.path.exists(OFFICIAL):
        h.skip("openapi-specification is not installed",
               "the document is valid OpenAPI 3.0")
        return
    import jsonschema
    with open(OFFICIAL, encoding="utf-8") as f:
        validator = jsonschema.Draft4Validator(json.load(f))
    h.eq(["%s: %s" % (list(e.absolute_path), e.message[:200])
          for e in validator.iter_errors(doc.raw)], [],
         "the document is valid OpenAPI 3.0")


def main():
    doc = openapi.document()
    if not doc:
        raise h.SkipAll("python3-yaml or python3-jsonschema is missing")
    is_openapi(doc)
    is_judged()
    openapi.seen.clear()
    with service({"uuid": "from-the-configuration", "rest_api": {
            "cors": CORS, "max_body_size": 8192}}) as s:
        tokens(s)
        guarded(s)
        papers(s)
        preflights(s)
        elsewhere(s)
    with service({"rest_api": {"cors": CORS}, "store": {"type": "consul"},
                  "consul": {"port": h.free_port()}}, login=0) as s:
        store_away(s)
    with service({}) as s:
        no_cors(s)
    with service({}, check=1, edits=OF_NGINX) as s:
        nginx_itself(s)
    promised = set(doc.expected())
    h.ok(len(promised) > 500, "it promises much", len(promised))
    h.eq(sorted(promised - openapi.seen), [],
         "nothing is promised that no request produced")
    h.eq(sorted(openapi.seen - promised), [], "and the rest is not promised")


h.run(main)
