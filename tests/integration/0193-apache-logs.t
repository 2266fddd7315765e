#!/usr/bin/env python3
# 0193-apache-logs.t - no log of Apache's has a token. SPDX-License-Identifier: GPL-3.0-or-later
"""As Debian sets Apache up: a log for virtual hosts that have none, and one in
the virtual host itself."""

import guards
import harness as h

HOST = """
LogFormat "careless %%r" careless
CustomLog others.log careless
<VirtualHost *>
%s
CustomLog own.log careless env=!xivo_auth_path
</VirtualHost>
"""
LOGS = ("access.log", "others.log", "own.log", "apache-error.log")


def ask(s, port, prefix):
    """A token, and requests whose paths hold it; one that is not ours."""
    s.port = port
    token = s.token() if not prefix else s.http(
        "POST", prefix + "/0.1/token", {"backend": "users_file"},
        login=h.LOGIN).data["token"]
    base = prefix + "/0.1/token/"
    for target in (base + token, base + token + "?scope=a", base + "%zz" +
                   token, "/" + base + token, prefix + "/0.1/x/../token/" +
                   token, base + token + "/../../../../../..", base +
                   token + "%2Fx", prefix + "/0.1/status?token=" + token):
        guards.ask(port, "GET", target)
    guards.ask(port, "GET", "/elsewhere")
    return token


def check(s, server, token, what, has_own):
    server.stop()
    for name in LOGS:
        h.lacks(s.read(name), token, "%s: no token in %s" % (what, name))
        h.lacks(s.read(name), token[:13], "%s: nor half of one" % what)
    h.has(s.read("access.log"), '/0.1/token/***" 200', what + ": but a line")
    if has_own:
        h.has(s.read("own.log"), "careless GET /elsewhere",
              what + ": what is not ours is in the log of the host")
        h.lacks(s.read("access.log"), "elsewhere", what + ": and not in ours")


def proxy(prefix):
    with h.Service(nginx=False) as s:
        port, server = guards.start_apache(
            s, HOST % guards.proxy_config(s, prefix),
            modules=guards.PROXY_MODULES)
        check(s, server, ask(s, port, prefix), "mod_proxy_fcgi" + prefix,
              bool(prefix))


def fcgid():
    with h.Service(check=0, login=0, nginx=False) as s:
        config, more = guards.fcgid_config(s)
        port, server = guards.start_apache(s, HOST % config + more,
                                           modules=guards.FCGID_MODULES)
        check(s, server, ask(s, port, ""), "mod_fcgid", False)


def main():
    for run in (lambda: proxy(""), lambda: proxy("/api/auth"), fcgid):
        try:
            run()
        except h.SkipAll as why:
            h.skip(why, "the logs of a server")


h.run(main)
