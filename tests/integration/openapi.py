# openapi.py - no answer may be another than fcgi/api.yml says. SPDX-License-Identifier: GPL-3.0-or-later
"""Hold requests and answers against the OpenAPI document.

harness.py and fastcgi.py call check() for each answer of the service that
they read, so that every test does. What the document does not know - a
status, a header, a field, a body where there is none - fails the test that
saw it. Where python3-yaml or python3-jsonschema is missing a test says so
once, and goes on without.

What was seen stands in `seen`, and what could be is document().expected():
0115-openapi.t compares them.
"""

import json
import os
import re
import urllib.parse

from tap import diag, ok

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                    "fcgi", "api.yml")
ELSEWHERE = ("(elsewhere)", "*")
WEB_SERVER = ("(web server)", "*")

# Of HTTP, of FastCGI or of a page that lies in a file, not of the service;
# Content-Type is seen to apart.
CARRIAGE = {"accept-ranges", "connection", "content-length", "content-type", "date",
            "keep-alive", "server", "status", "transfer-encoding"}

seen = set()
_told = set()
_document = None


class Request:
    """What was asked; `target` begins with the path of the service."""

    def __init__(self, method, target, headers=(), body=None):
        target = re.sub(r"\Ahttps?://[^/?]*", "", target)
        path, _mark, self.query = target.partition("?")
        self.method = method
        self.hidden = "%2f" in path.lower()  # a slash that is none to us
        self.path = urllib.parse.unquote(path, errors="replace")
        self.headers = {k.lower().replace("_", "-"): v
                        for k, v in dict(headers).items()}
        self.body = body.encode() if isinstance(body, str) else body

    @classmethod
    def of_bytes(cls, data):
        head, _sep, body = data.partition(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        words = line.split(" ") + ["", ""]
        headers = dict(x.split(":", 1) for x in rest if ":" in x)
        return cls(words[0], words[1], headers, body)

    @classmethod
    def of_params(cls, params, body=b"", authorizer=False):
        """FastCGI's; of those that stand twice the last."""
        params = {_text(k): _text(v) for k, v in
                  getattr(params, "items", lambda: params)()}
        target = params.get("REQUEST_URI", "").partition("?")[0]
        if params.get("PATH_INFO"):
            target = urllib.parse.quote(params["PATH_INFO"], errors="replace")
        if authorizer:
            target = "/0.1/authorize"
        return cls("GET" if authorizer else params.get("REQUEST_METHOD", ""),
                   target + "?" + params.get("QUERY_STRING", ""),
                   {k[5:]: v for k, v in params.items()
                    if k.startswith("HTTP_")}, body)

    def has(self, parameter):
        name = parameter["name"]
        if parameter["in"] == "header":
            return name.lower() in self.headers
        return parameter["in"] == "path" or name in urllib.parse.parse_qs(
            self.query, keep_blank_values=True)

    def __str__(self):
        return "%s %s" % (self.method, self.path)


def _text(value):
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return str(value)


# --- the document ---

def _resolve(node, root, done):
    """Each `$ref` replaced by what it leads to, which is then the same
    object wherever it stands."""
    if isinstance(node, list):
        return [_resolve(x, root, done) for x in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return {k: _resolve(v, root, done) for k, v in node.items()}
    reference = node["$ref"]
    if reference not in done:
        found = root
        for step in reference[2:].split("/"):
            found = found[step]
        done[reference] = _resolve(found, root, done)
    return done[reference]


def _json_schema(schema, strict):
    """OpenAPI's dialect as JSON schema, draft 4. Strict: no other fields."""
    if isinstance(schema, list):
        return [_json_schema(x, strict) for x in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: _json_schema(v, strict) for k, v in schema.items()}
    if out.pop("nullable", None) is True:
        out["type"] = [out["type"], "null"]
    if strict and "properties" in out:
        out.setdefault("additionalProperties", False)
    return out


def _facets(schema, name):
    """What an instance of a schema may show, each once: fields, the values
    of lists, null. `name` is the place of the schema."""
    if schema.get("nullable"):
        yield name + " is null"
        yield name + " is not null"
    for value in schema.get("enum", []):
        yield "%s is %s" % (name, value)
    for inner in schema.get("oneOf", []):
        yield from _facets(inner, name)
    for key, inner in schema.get("properties", {}).items():
        yield name + "." + key
        yield from _facets(inner, name + "." + key)
    if isinstance(schema.get("additionalProperties"), dict):
        yield name + ".*"
        yield from _facets(schema["additionalProperties"], name + ".*")
    if "items" in schema:
        yield name + "[]"
        yield from _facets(schema["items"], name + "[]")


def _shown(schema, value, name):
    """Which of them a value shows."""
    if schema.get("nullable"):
        yield name + (" is null" if value is None else " is not null")
    if value in schema.get("enum", []):
        yield "%s is %s" % (name, value)
    for inner in schema.get("oneOf", []):
        yield from _shown(inner, value, name)
    known = schema.get("properties", {})
    more = schema.get("additionalProperties")
    for key, item in value.items() if isinstance(value, dict) else ():
        if key in known:
            yield name + "." + key
            yield from _shown(known[key], item, name + "." + key)
        elif isinstance(more, dict):
            yield name + ".*"
            yield from _shown(more, item, name + ".*")
    if "items" in schema and isinstance(value, list):
        for item in value:
            yield name + "[]"
            yield from _shown(schema["items"], item, name + "[]")


class Document:
    """fcgi/api.yml, its references followed."""

    def __init__(self, tree, validator, formats):
        self.raw = tree
        self.tree = _resolve(tree, tree, {})
        self._validator, self._formats = validator, formats
        self._validators = {}
        self._headers = {}  # what was found about them before
        self.server = self.tree["servers"][0]["url"]
        self.elsewhere = self.tree["x-elsewhere"]
        self._routes = [
            (re.compile(re.sub(r"\\{\w+\\}", "[^/]+",
                               re.escape(self.server + path)) + r"\Z"), path)
            for path in self.tree["paths"]]

    def find(self, request):
        """(path, METHOD) and the operation."""
        for pattern, path in self._routes:
            if request.hidden or not pattern.match(request.path):
                continue
            operation = self.tree["paths"][path].get(request.method.lower())
            if operation and request.method.isupper():
                return (path, request.method), operation
        return ELSEWHERE, self.elsewhere

    def parameters(self, key, operation):
        shared = self.tree["paths"].get(key[0], {}).get("parameters", [])
        return shared + operation.get("parameters", [])

    def operations(self):
        for path, item in self.tree["paths"].items():
            for method, operation in item.items():
                if isinstance(operation, dict):
                    yield (path, method.upper()), operation
        yield ELSEWHERE, self.elsewhere

    def complaints(self, schema, value, strict=True):
        key = (id(schema), strict)
        if key not in self._validators:
            self._validators[key] = self._validator(
                _json_schema(schema, strict), format_checker=self._formats)
        return ["%s: %s" % ("/".join(map(str, e.absolute_path)), e.message)
                for e in self._validators[key].iter_errors(value)]

    def header_complaints(self, name, header, value):
        key = (id(header), value)
        if key not in self._headers:
            typed = value
            if header["schema"].get("type") == "integer":
                typed = int(value) if value.isdigit() else value
            self._headers[key] = ["%s%s" % (name, c) for c in self.complaints(
                header["schema"], typed)]
        return self._headers[key]

    def expected(self):
        """Everything that the document promises, as it comes into `seen`."""
        for key, operation in self.operations():
            for parameter in self.parameters(key, operation):
                yield (*key, "parameter", parameter["name"])
            for facet in _facets(_wish(operation), "body"):
                yield (*key, "request", facet)
            for status, response in operation["responses"].items():
                label = (*key, status)
                if status == "default":
                    label = (*WEB_SERVER, "any")
                    for code in response["x-statuses"]:
                        yield (*WEB_SERVER, str(code))
                else:
                    yield label
                for name in response.get("headers", {}):
                    yield (*label, "header", name)
                yield from self._fields(label, response)

    @staticmethod
    def _fields(label, response):
        """Values of lists, and null: once is enough, wherever."""
        for content in response.get("content", {}).values():
            for facet in _facets(content["schema"], "body"):
                yield _label_field(label, facet)


def _label_field(label, facet):
    return ("value", facet) if " is " in facet else (*label, "field", facet)


def _wish(operation):
    content = operation.get("requestBody", {}).get("content", {})
    return content.get("application/json", {}).get("schema", {})


def document():
    """The document, read once; None where a module is missing."""
    global _document
    if _document is None:
        try:
            import jsonschema
            import yaml
        except ImportError as missing:
            diag("no answer is held against api.yml: %s" % missing)
            _document = False
            return None
        with open(PATH, encoding="utf-8") as f:
            tree = yaml.load(f, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        _document = Document(tree, jsonschema.Draft4Validator,
                             jsonschema.FormatChecker())
    return _document or None


# --- an answer ---

def _body(doc, request, response, answer):
    """Complaints about a body, and what it shows."""
    content = response.get("content", {})
    if request.method == "HEAD" or not content:
        return (["a body"] if answer.body else []), []
    if not answer.body and response.get("x-may-be-empty"):
        return [], []
    kind = (answer.get("Content-Type") or "").partition(";")[0].strip()
    if kind not in content:
        return ["Content-Type %r" % kind], []
    schema = content[kind]["schema"]
    try:
        value = answer.body.decode()
        if kind == "application/json":
            value = json.loads(value)
    except ValueError as error:
        return ["the body: %s" % error], []
    wrong = doc.complaints(schema, value)
    if not wrong and "status_code" in schema.get("properties", {}) and \
            value["status_code"] != answer.status:
        wrong = ["status_code is another than the status"]
    return wrong, list(_shown(schema, value, "body"))


def _headers(doc, response, answer):
    """Complaints about headers, and the names of those that are there."""
    known = {k.lower(): (k, v) for k, v in response.get("headers",
                                                        {}).items()}
    wrong, there = [], []
    for name, value in answer.headers:
        if name.lower() in CARRIAGE:
            continue
        if name.lower() not in known:
            wrong.append("header %s: %s" % (name, value))
            continue
        name, header = known[name.lower()]
        if name in there:
            wrong.append("header %s twice" % name)
        there.append(name)
        wrong += doc.header_complaints(name, header, value)
    wrong += ["no header %s" % name for name, header in known.values()
              if header.get("required") and name not in there]
    return wrong, there


def _judge(doc, key, operation, request, answer):
    """Complaints, and what this answer adds to `seen`."""
    status = str(answer.status)
    response = operation["responses"].get(status)
    label = (*key, status)
    if response is None:
        response = operation["responses"].get("default", {})
        if answer.status not in response.get("x-statuses", []):
            return ["status " + status], []
        key, label = WEB_SERVER, (*WEB_SERVER, "any")
    wrong, facets = _body(doc, request, response, answer)
    more, names = _headers(doc, response, answer)
    news = [(*key, status)]
    news += [(*label, "header", name) for name in names]
    news += [_label_field(label, f) for f in facets]
    return wrong + more, news


def _accepted(doc, key, operation, request):
    """Likewise for a request that was answered well."""
    news = [(*key, "parameter", p["name"])
            for p in doc.parameters(key, operation) if request.has(p)]
    schema = _wish(operation)
    if not schema:
        return [], news
    value = json.loads(request.body)
    wrong = doc.complaints(schema, value, strict=False)
    news += [(*key, "request", f) for f in _shown(schema, value, "body")]
    return ["the request was accepted: " + w for w in wrong], news


def complaints(request, answer):
    """What the document says against an answer; [] if nothing.

    request   None: not known, then it may be the answer to any
    """
    doc = document()
    if not doc:
        return []
    if request is None:
        best = [_judge(doc, key, operation, Request("", ""), answer)[0]
                for key, operation in doc.operations()]
        return [] if [] in best else min(best, key=len)
    key, operation = doc.find(request)
    wrong, news = _judge(doc, key, operation, request, answer)
    if not wrong and answer.status < 300:
        wrong, more = _accepted(doc, key, operation, request)
        news += more
    if not wrong:
        seen.update(news)
    return wrong


def check(request, answer):
    """Fail the test, once for each thing, if api.yml says otherwise."""
    wrong = complaints(request, answer)
    what = "%s: %s as api.yml says" % (request or "an answer", answer.status)
    if wrong and (what, *wrong) not in _told:
        _told.add((what, *wrong))
        ok(False, what, *wrong, answer)
