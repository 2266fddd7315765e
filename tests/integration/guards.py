# guards.py - web servers that ask us whom to let in. SPDX-License-Identifier: GPL-3.0-or-later
"""Start Apache, lighttpd and Caddy with the guard files of nginx/.

Each is made a process of a harness.Service, in its folder, on a free loopback
port, and stopped with it. shipped() gives the text of a file with the paths
and ports of the test.
"""

import contextlib
import http.client
import os
import pwd
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import harness as h


def shipped(name, swaps):
    with open(os.path.join(h.SOURCE, "nginx", name)) as f:
        text = f.read()
    for old, new in swaps.items():
        if old not in text:
            raise RuntimeError("%s has no %r" % (name, old))
        text = text.replace(old, new)
    return text


def _start(s, name, port, argv, **how):
    p = s.process(name, argv, **how)

    def up():
        if not p.alive():
            raise RuntimeError("%s: exit %s\n%s" % (
                name, p.popen.returncode, p.said()))
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
    h.until(up, name, 10)
    return p


class Inside:
    """What is guarded: an HTTP server that tells what reached it."""

    def __init__(self):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _told(self, name):
                """As CGI and its kin see it, where - and _ are the same."""
                return ",".join(v for k, v in self.headers.items()
                                if k.lower().replace("_", "-") == name)

            def _answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                body = "inside %s %s id=%s uuid=%s" % (
                    self.command, self.path,
                    self._told("x-auth-id"), self._told("x-auth-user-uuid"))
                body = b"" if self.command == "HEAD" else body.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = _answer
            do_DELETE = do_OPTIONS = _answer

            def log_message(self, *_args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def start_tcp_pool(s, count=1):
    """The pool for Apache alone; its port."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    s.sockets.append(listening)
    pool = [s.process("authorizer", [
        h.program("xivo-auth-fcgi"), "--authorizer-only", "-c", s.config],
        stdin=listening) for _ in range(count)]
    h.until(lambda: all(p.catches(signal.SIGTERM) for p in pool),
            "the pool for authorizers", 10)
    return listening.getsockname()[1]


APACHE = """\
ServerRoot {dir}
ServerName localhost
PidFile {dir}/apache.pid
DefaultRuntimeDir {dir}
Listen 127.0.0.1:{port}
{user}
ErrorLog {dir}/apache-error.log
LogLevel warn
LoadModule mpm_event_module {modules}/mod_mpm_event.so
{loads}
DocumentRoot {dir}/htdocs
<Directory {dir}/htdocs>
    AllowOverride None
    Require all granted
</Directory>
{inside}
"""
APACHE_MODULES = ["authn_core", "authz_core", "authz_user", "authnz_fcgi",
                  "setenvif", "env", "headers", "proxy", "proxy_http"]


def start_apache(s, config, proxy="", modules=()):
    """Apache with that configuration, and some more of its modules; its
    port."""
    apache = h.need("apache2")
    names = APACHE_MODULES + list(modules)
    modules = "/usr/lib/apache2/modules"
    for name in names:
        if not os.path.exists("%s/mod_%s.so" % (modules, name)):
            raise h.SkipAll("mod_%s is not installed" % name)
    port = h.free_port()
    user = ""
    if os.geteuid() == 0:
        user = "User %s\nGroup #%d" % (pwd.getpwuid(0).pw_name, 0)
        with contextlib.suppress(KeyError):
            user = "User www-data\nGroup www-data"
            pwd.getpwnam("www-data")
    os.makedirs(s.path("htdocs"), exist_ok=True)
    loads = "\n".join("LoadModule %s_module %s/mod_%s.so" % (m, modules, m)
                      for m in names)
    s.write("apache.conf", APACHE.format(
        dir=s.dir, port=port, user=user, modules=modules, loads=loads,
        inside=config + "\n" + proxy))
    p = _start(s, "apache", port, [
        apache, "-DFOREGROUND", "-f", s.path("apache.conf")])
    return port, p


PROXY_MODULES = ["proxy_fcgi", "include", "reqtimeout", "alias", "dir"]
FCGID_MODULES = ["fcgid", "alias", "dir"]


def proxy_config(s, prefix="", swaps=()):
    """apache-responder.conf before the pools of s, which the user that Apache
    runs as may then use."""
    os.chmod(s.dir, 0o755)
    for path in (s.check_socket, s.login_socket):
        os.chmod(path, 0o666)
    config = shipped("apache-responder.conf", dict({
        "/var/log/apache2/xivo-auth.log": "access.log",
        "/usr/share/xivo-auth/nginx": os.path.join(h.SOURCE, "nginx"),
        "/run/xivo-auth/check.sock": s.check_socket,
        "/run/xivo-auth/login.sock": s.login_socket}, **dict(swaps)))
    return "Define XIVO_AUTH_ROOT %s/\n" % prefix + config if prefix \
        else config


def fcgid_config(s):
    """apache-fcgid.conf, and what belongs behind it outside of a virtual
    host; what the program writes is that user's."""
    os.makedirs(s.path("fcgid"))
    os.chmod(s.dir, 0o755)
    if os.geteuid() == 0:
        try:
            user = pwd.getpwnam("www-data")
        except KeyError:
            user = pwd.getpwuid(0)
        for path in ("", "conf.d", "store", "fcgid", "config.yml",
                     "users.yml"):
            os.chown(s.path(path), user.pw_uid, user.pw_gid)
    return shipped("apache-fcgid.conf", {
        "/var/log/apache2/xivo-auth.log": "access.log",
        "/usr/sbin/xivo-auth-fcgi": h.program("xivo-auth-fcgi"),
        "/etc/xivo-auth/config.yml": s.config}), (
            "FcgidIPCDir %s\nFcgidProcessTableFile %s\n" % (
                s.path("fcgid"), s.path("fcgid", "table")))


def start_lighttpd(s, config, modules=()):
    lighttpd = h.need("lighttpd")
    port = h.free_port()
    s.write("lighttpd.conf", """\
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{dir}/htdocs"
server.errorlog = "{dir}/lighttpd-error.log"
server.modules = ( {modules} )
{config}
""".format(port=port, dir=s.dir, config=config,
           modules=", ".join('"%s"' % m for m in modules)))
    os.makedirs(s.path("htdocs"), exist_ok=True)
    p = _start(s, "lighttpd", port, [
        lighttpd, "-D", "-f", s.path("lighttpd.conf")])
    p.expected.add(1)  # sometimes, of two SIGTERM
    return port, p


def start_caddy(s, config):
    caddy = h.need("caddy")
    port = h.free_port()
    s.write("Caddyfile", """\
{{
	admin off
	auto_https off
}}
{config}
http://127.0.0.1:{port} {{
	bind 127.0.0.1
	import xivo_auth 127.0.0.1:{inside}
}}
""".format(config=config[0], port=port, inside=config[1]))
    env = dict(s.env, HOME=s.dir, XDG_DATA_HOME=s.dir, XDG_CONFIG_HOME=s.dir)
    return port, _start(s, "caddy", port, [
        caddy, "run", "--adapter", "caddyfile", "--config",
        s.path("Caddyfile")], env=env)


def ask(port, method, target, headers=(), body=None):
    """One request, its target sent as it is; headers: pairs or a dict."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        c.putrequest(method, target, skip_accept_encoding=True)
        for name, value in getattr(headers, "items", lambda: headers)():
            c.putheader(name, value)
        if body is not None:
            c.putheader("Content-Length", str(len(body)))
        c.endheaders(body)
        r = c.getresponse()
        return h.Answer(r.status, r.getheaders(), r.read())
    finally:
        c.close()


# What each guard is asked about: the token may site.private.users.* and
# create below notes, nothing else.
ACLS = ["site.private.users.*.read", "site.private.notes.create",
        "site.private.a_b.read"]
USERS = {"alice": dict(h.ALICE, acls=ACLS)}
PASS = [("GET", "/private/users/42"), ("HEAD", "/private/users/42"),
        ("GET", "/private/users/42?scope=none"), ("GET", "/private/a.b"),
        ("POST", "/private/notes")]
STAY = [("GET", "/private/other"), ("POST", "/private/users/42"),
        ("PUT", "/private/users/42"), ("PATCH", "/private/notes"),
        ("DELETE", "/private/users/42"), ("OPTIONS", "/private/users/42"),
        ("GET", "/private/other?scope=site.private.users.42.read")]
# Refused by the guard, or by the server before it asks; never let in.
CROOKED = ["/private/users/42/../../other", "/private/users/%2e%2e/other",
           "/private/users/42%2f..%2f..%2fother", "/private//other",
           "/private/./other", "/private/users/*", "/private/users/%23",
           "/private/users/4;2", "/private/users/%0a", "/private/users/",
           "/private/users/42%00", "/private/users/%2", "//private/other",
           "/%70rivate/other", "/x/../private/other",
           "/private/users/x/./../other"]


def lies(token):
    """Headers by which a visitor tries to choose the ACL."""
    may = "/private/users/42"
    return [
        {"X-Original-URI": may, "X-Original-Method": "GET"},
        {"X-Forwarded-Uri": may, "X-Forwarded-Method": "GET"},
        {"X_Forwarded_Uri": may, "X_Forwarded_Method": "GET"},
        {"X_Original_Uri": may, "X_Original_Method": "GET"},
        {"X-Original-URI": may, "X-Forwarded-Method": "GET"},
        [("X-Forwarded-Uri", may), ("X-Forwarded-Uri", may),
         ("X-Forwarded-Method", "GET")],
        [("X-Forwarded-Uri", may + ", " + may),
         ("X-Forwarded-Method", "GET, GET")],
        {"XIVO_AUTH_SCOPE": ACLS[1], "XIVO-AUTH-SCOPE": ACLS[1]},
        {"XIVO_AUTH_SCOPE_PREFIX": "site.private.users"},
        {"HTTP_XIVO_AUTH_SCOPE": ACLS[1]},
        {"XIVO-AUTH-TRUST-FORWARDED": "1", "X-Original-URI": may,
         "X-Original-Method": "GET"},
        {"X-HTTP-Method-Override": "GET", "X-Original-URL": may},
        {"Connection": "X-Forwarded-Uri, X-Forwarded-Method",
         "X-Forwarded-Uri": may, "X-Forwarded-Method": "GET"},
    ]


def check(name, port, token, is_inside):
    """Everything that is the same for every guard.

        is_inside  answer -> whether it comes from what is guarded
    """
    mine = {"X-Auth-Token": token}

    def pairs(headers):
        return list(mine.items()) + list(
            getattr(headers, "items", lambda: headers)())

    for method, target in PASS:
        answer = ask(port, method, target, mine,
                     b"x=1" if method == "POST" else None)
        h.ok(is_inside(answer, method), "%s: %s %s passes" % (
            name, method, target), answer)
    answer = ask(port, "GET", PASS[0][1], {"Authorization":
                                           "Bearer " + token})
    h.ok(is_inside(answer, "GET"), name + ": as a bearer's, too", answer)
    for method, target in STAY:
        answer = ask(port, method, target, mine,
                     b"" if method.startswith("P") else None)
        h.eq(answer.status, 403, "%s: %s %s is 403" % (name, method, target),
             answer)
    for headers in ({}, {"X-Auth-Token": h.TOKEN}, {"X-Auth-Token": "x"},
                    [("X-Auth-Token", token), ("X-Auth-Token", token)],
                    {"Authorization": "Bearer " + h.TOKEN},
                    {"Authorization": h.basic(*h.LOGIN)}):
        answer = ask(port, "GET", PASS[0][1], headers)
        what = "%s: %s" % (name, [k for k, _v in getattr(
            headers, "items", lambda: headers)()])
        # two equal headers: lighttpd takes one of them
        h.ok(answer.status == 401 or
             (name == "lighttpd" and isinstance(headers, list)),
             what + " is 401", answer)
        if answer.status == 401:
            h.ok((answer.get("WWW-Authenticate") or "").startswith("Bearer"),
                 what + " is asked for a bearer", answer)
    for target in CROOKED:
        answer = ask(port, "GET", target, mine)
        h.ok(not is_inside(answer, "GET") and answer.status in
             (301, 302, 307, 308, 400, 403, 404),
             "%s: %s does not pass" % (name, target), answer)
    for headers in lies(token):
        answer = ask(port, "GET", "/private/other", pairs(headers))
        h.ok(answer.status in (400, 403) and not is_inside(answer, "GET"),
             "%s: %r choose nothing" % (name, headers), answer)
        answer = ask(port, "DELETE", "/private/users/42", pairs(headers))
        h.ok(answer.status in (400, 403) and not is_inside(answer, "DELETE"),
             "%s: %r choose no method" % (name, headers), answer)
