#!/usr/bin/env python3
# 0160-config.t - what the programs say of a configuration. SPDX-License-Identifier: GPL-3.0-or-later
import os

import harness as h

FINE, UNAVAILABLE, CONFIG = 0, 69, 78


def programs():
    """Everything that reads the configuration, and how to ask it."""
    yield "xivo-auth-fcgi", ["-t"]
    yield "xivo-auth-expiryd", ["--once"]
    if os.path.exists(os.path.join(h.BUILD, "xivo-authctl")):
        yield "xivo-authctl", ["config", "check"]


def complains(s, code, what, *words, path=None, but=()):
    path = path or s.config
    for name, args in programs():
        if name in but:
            continue
        order = [*args, "-c", path] if name != "xivo-authctl" else \
            ["-c", path, *args]
        done = s.run_program(name, *order)
        h.eq(done.returncode, code, "%s: %s: exit code" % (name, what),
             done.stderr)
        said = done.stderr + done.stdout + s.read("xivo-auth.log")
        for word in words:
            h.has(said, word, "%s: %s: says %r" % (name, what, word))


def broken(s):
    """Each is written in place of the whole file."""
    for what, text, words in (
            ("no YAML", "a: [\n", ["config.yml:2"]),
            ("a tab", "a:\n\tb: 1\n", ["config.yml:2"]),
            ("no mapping", "- a\n", ["config.yml"]),
            ("a tag", "uuid: !exec id\n", ["config.yml:1", "(!...)"]),
            ("a key twice", "debug: true\nuser: null\ndebug: false\n",
             ["config.yml:3", "line 1", "debug"]),
            ("not UTF-8", b"uuid: \xff\n".decode("latin-1"), ["config.yml"])):
        with open(s.config, "w", encoding="latin-1") as f:
            f.write(text)
        complains(s, CONFIG, what, *words)
    os.unlink(s.config)
    complains(s, CONFIG, "no file", "config.yml")
    complains(s, CONFIG, "a folder", s.dir, path=s.dir)


def wrong(s):
    """Each is put over the default configuration."""
    for config, words in (
            ({"debug": "perhaps"}, ["debug", "perhaps", "true"]),
            ({"log_level": "loud"}, ["log_level", "loud", "info"]),
            ({"default_token_lifetime": 0}, ["default_token_lifetime", "0"]),
            ({"default_token_lifetime": "2h"}, ["2h"]),
            ({"enabled_plugins": "mock mock"}, ["enabled_plugins"]),
            ({"enabled_plugins": ["../mock"]}, ["../mock"]),
            ({"rest_api": {"max_body_size": -1}}, ["rest_api.max_body_size"]),
            ({"rest_api": []}, ["rest_api", "mapping"]),
            ({"rest_api": {"max_connections": "many"}},
             ["rest_api.max_connections", "many"]),
            ({"store": {"type": "redis"}}, ["store.type", "redis", "lmdb"]),
            ({"store": {"token_keys": "md5"}}, ["store.token_keys", "md5"]),
            ({"store": {"lmdb": {"max_size": 1}}}, ["store.lmdb.max_size"]),
            ({"expiry": {"interval": "soon"}}, ["expiry.interval", "soon"])):
        s.write_config(config)
        complains(s, CONFIG, repr(config), "config.yml:", *words)


def harmless(s):
    s.write_config({"nonsense": {"deep": 1}, "rest_api": {"nonsens": 2},
                    "foreground": True, "amqp": {"uri": "x"}})
    complains(s, FINE, "unknown keys", "nonsense", "nonsens", "config.yml")
    s.write_config({})
    complains(s, FINE, "the default")
    s.write("conf.d/20-late.yml", "log_level: no level\n")
    s.write("conf.d/10-early.yml", "log_level: debug\n")
    s.write("conf.d/.hidden.yml", "log_level: hidden level\n")
    s.write("conf.d/99-other.txt", "log_level: other level\n")
    complains(s, FINE, "the first file of conf.d wins")
    s.write("conf.d/10-early.yml", "log_level: early level\n")
    complains(s, CONFIG, "and is named", "10-early.yml:1", "early level")
    for name in os.listdir(s.path("conf.d")):
        os.unlink(s.path("conf.d", name))


def backends(s):
    """What is wrong with a backend stops nobody, but -t says it."""
    def asked(what, *words, code=CONFIG):
        done = s.run_program("xivo-auth-fcgi", "-t", "-c", s.config)
        h.eq(done.returncode, code, what + ": exit code", done.stderr)
        for word in words:
            h.has(done.stderr, word, "%s: says %r" % (what, word))

    s.write_config({"enabled_plugins": ["mock", "no_such"]})
    asked("a backend that is not there", "no_such")
    s.write_config({"users_file": {"path": s.path("nobody.yml")}})
    asked("a users file that is not there", "nobody.yml")
    s.write_config({})
    s.write("users.yml", "users: [\n")
    asked("a users file that is no YAML", "users.yml:2")
    s.write("users.yml", "users: {alice: {password: plain}}\n")
    asked("a password that is no hash", "alice")
    h.lacks(s.run_program("xivo-auth-fcgi", "-t", "-c", s.config).stderr,
            "plain", "which is not repeated")
    s.write_users({"alice": h.ALICE})
    if os.geteuid() == 0:
        h.skip("root reads everything", "a users file that nobody may read")
    else:
        os.chmod(s.users, 0)
        asked("a users file that nobody may read", "users.yml")
        os.chmod(s.users, 0o600)
    s.write_config({"backend_dir": s.path("none")})
    asked("a folder of backends that is not there", "none")
    s.write_config({})
    asked("all in order again", code=FINE)


def store(s):
    s.write_config({"store": {"lmdb": {"path": s.path("none", "store")}}})
    complains(s, UNAVAILABLE, "no folder of the store", "none/store",
              but=["xivo-authctl"])  # it looks at the files alone
    s.write("file", "")
    s.write_config({"store": {"lmdb": {"path": s.path("file")}}})
    complains(s, CONFIG, "a file in place of the store", "file",
              but=["xivo-authctl"])


def main():
    with h.Service(check=0, login=0, nginx=False, start=False) as s:
        for name, _args in programs():
            h.program(name)
        broken(s)
        wrong(s)
        harmless(s)
        backends(s)
        store(s)


h.run(main)
