#!/usr/bin/env python3
# 0400-authctl.t - what xivo-authctl prints, and how it ends. SPDX-License-Identifier: GPL-3.0-or-later
import hashlib
import json
import os
import subprocess

import harness as h

FINE, NO_TOKEN, NO_ACL = 0, 1, 2
USAGE, UNAVAILABLE, IO, DENIED, CONFIG = 64, 69, 74, 77, 78


class Ctl:
    """xivo-authctl with the configuration of a service."""

    def __init__(self, service):
        self.service = service
        self.said = ""  # all that was ever written to standard error

    def __call__(self, *args, **how):
        done = self.service.run_program("xivo-authctl", "-c",
                                        self.service.config, *args, **how)
        self.said += done.stderr
        return done

    def ends(self, code, what, *args, **how):
        done = self(*args, **how)
        h.eq(done.returncode, code, what, done.stdout, done.stderr)
        return done

    def new(self, *args):
        done = self("--json", "token", "new", "--backend", "mock", "--login",
                    "foo", *args, input="bar\n")
        return json.loads(done.stdout)


def rows(text):
    """A table as a dictionary; of a name that goes on, a list."""
    table = {}
    name = None
    for line in text.splitlines():
        name = line[:15].strip() or name
        table.setdefault(name, []).append(line[16:].strip())
    return {k: v[0] if len(v) == 1 else v for k, v in table.items()}


def command_line(ctl):
    done = ctl.ends(FINE, "-V", "-V")
    h.ok(done.stdout.startswith("xivo-authctl "), "the version is printed")
    for args in (["-h"], ["--help"]):
        done = ctl.ends(FINE, " ".join(args), *args)
        h.has(done.stdout, "token revoke", "the commands are named")
    for command in ("token new", "token show", "token check", "token revoke",
                    "token adopt", "backend list", "backend test",
                    "config check", "config show", "passwd", "status"):
        done = ctl.ends(FINE, command + " --help", *command.split(), "--help")
        h.has(done.stdout, "Usage: xivo-authctl", command + ": its help")
    for args in ([], ["token"], ["tokens", "new"], ["-x"], ["--wrong"],
                 ["token", "new"], ["token", "new", "--backend", "mock"],
                 ["token", "show"], ["token", "show", "a", "b"],
                 ["token", "revoke", "a", "--expiration", "1"],
                 ["token", "revoke", "--auth-id", "a", "--scope", "b"],
                 ["token", "new", "--backend", "mock", "--login", "foo", "x"],
                 ["token", "new", "--backend", "mock", "--backend", "mock",
                  "--login", "foo"],
                 ["backend", "test", "mock"], ["status", "now"],
                 ["passwd"], ["-c"]):
        done = ctl.ends(USAGE, "usage: " + " ".join(args), *args)
        h.ok(done.stderr, "something is said")
    # behind the command as well as in front of it
    done = ctl.service.run_program("xivo-authctl", "config", "check", "-c",
                                   ctl.service.config)
    h.eq(done.returncode, FINE, "-c behind the command")
    done = ctl.service.run_program(
        "xivo-authctl", "config", "check",
        env=dict(ctl.service.env, XIVO_AUTH_CONFIG=ctl.service.config))
    h.eq(done.returncode, FINE, "XIVO_AUTH_CONFIG")


def new(ctl):
    done = ctl.ends(FINE, "token new", "token", "new", "--backend", "mock",
                    "--login", "foo", input="bar\n")
    table = rows(done.stdout)
    h.eq(len(table["token"]), 36, "the token is printed in full")
    h.eq(table["key"], hashlib.sha256(table["token"].encode()).hexdigest()[:12],
         "its key is shortened")
    h.eq(table["auth_id"], "a-mocked-uuid", "auth_id")
    h.eq(table["xivo_user_uuid"], "-", "no user")
    h.eq(table["acls"], ["foo", "bar"], "ACLs")
    token = ctl.new("--expiration", "60")
    h.eq(token["key"], hashlib.sha256(token["token"].encode()).hexdigest(),
         "JSON: the whole key")
    h.eq(token["acls"], ["foo", "bar"], "JSON: ACLs")

    start = ["token", "new", "--login", "foo", "--backend"]
    done = ctl.ends(DENIED, "a wrong password", *start, "mock", input="baz\n")
    h.eq(done.stdout, "", "nothing is printed")
    ctl.ends(DENIED, "an empty password", *start, "mock", input="\n")
    ctl.ends(DENIED, "a backend that fails", *start, "broken_verify_password",
             input="bar\n")
    ctl.ends(USAGE, "no password at all", *start, "mock")
    ctl.ends(USAGE, "a password that is no text", *start, "mock",
             input="a\0b\n")
    done = ctl.ends(USAGE, "an unknown backend", *start, "nobody", input="x\n")
    h.has(done.stderr, "mock, mock_with_uuid", "those that there are")
    for seconds in ("0", "-1", "1.5", "1h", "", "99999999999"):
        ctl.ends(USAGE, "expiration " + seconds, *start, "mock",
                 "--expiration", seconds, input="bar\n")
    ctl.ends(FINE, "no newline behind the password", *start, "mock",
             input="bar")


def show(ctl):
    token = ctl.new()
    done = ctl.ends(FINE, "show by the token", "token", "show", token["token"])
    h.has(done.stderr, "warning", "a token as an argument is warned of")
    table = rows(done.stdout)
    h.eq(table["key"], token["key"][:12], "the key is shortened")
    h.eq(table["auth_id"], "a-mocked-uuid", "auth_id")
    h.eq(table["expires_at"], token["utc_expires_at"] + " UTC", "expires_at")
    done = ctl.ends(FINE, "show from standard input", "token", "show", "-",
                    input="  %s\r\n" % token["token"].upper())
    h.eq(rows(done.stdout), table, "the same is shown")
    h.eq(done.stderr, "", "and no warning")
    for key in (token["key"], token["key"][:8], token["key"][:12].upper()):
        done = ctl.ends(FINE, "show by %d digits" % len(key), "token", "show",
                        key)
        h.eq(rows(done.stdout), table, "the same is shown")
    done = ctl.ends(FINE, "show as JSON", "token", "show", "--json",
                    token["key"])
    want = {k: v for k, v in token.items() if k != "token"}
    h.eq(json.loads(done.stdout), want, "all but the token")
    done = ctl.ends(NO_ACL, "show an ACL that is missing", "token", "show",
                    token["key"], "--scope", "x")
    h.eq(done.stdout, "", "nothing is shown")
    for text in (h.TOKEN, "0" * 64, "0" * 8, "0" * 7, "0" * 65, "nonsense",
                 "", "../" + token["key"]):
        ctl.ends(NO_TOKEN, "show " + text, "token", "show", text)
    ctl.ends(USAGE, "two words", "token", "show", "-", input="a b\n")


def check(ctl):
    token = ctl.new()
    key = token["key"][:12]
    done = ctl.ends(FINE, "check", "token", "check", key)
    h.eq(done.stdout, "valid\n", "it says so")
    done = ctl.ends(FINE, "check as JSON", "token", "check", key, "--json")
    h.eq(json.loads(done.stdout), {"valid": True}, "it says so")
    ctl.ends(FINE, "an ACL it has", "token", "check", key, "--scope", "foo")
    done = ctl.ends(NO_ACL, "an ACL it has not", "token", "check", key,
                    "--scope", "fo")
    h.has(done.stderr, "ACL", "it says so")
    done = ctl.ends(NO_ACL, "which is JSON, too", "token", "check", key,
                    "--scope", "fo", "--json")
    h.eq(json.loads(done.stdout), {"valid": True, "allowed": False},
         "for a token that is valid")
    ctl.ends(NO_ACL, "an empty ACL", "token", "check", key, "--scope", "")
    ctl.ends(NO_TOKEN, "no such token", "token", "check", "-",
             input=h.TOKEN + "\n")
    done = ctl.ends(NO_TOKEN, "which is JSON, too", "token", "check", "-",
                    "--json", input=h.TOKEN + "\n")
    h.eq(json.loads(done.stdout), {"valid": False}, "for a token that is none")
    ctl.ends(USAGE, "nothing on standard input", "token", "check", "-")

    short = ctl.new("--expiration", "1")
    h.until(lambda: ctl("token", "check", "-", input=short["token"] + "\n")
            .returncode == NO_TOKEN, "its end")
    h.ok(True, "an expired token is none, with or without the daemon")
    ctl.ends(NO_TOKEN, "nor by its key", "token", "check", short["key"])


def revoke(ctl, service):
    token = ctl.new()
    done = ctl.ends(FINE, "revoke by the key", "token", "revoke",
                    token["key"][:10])
    h.eq(done.stdout, "revoked %s\n" % token["key"][:12], "it says which")
    ctl.ends(NO_TOKEN, "once is enough", "token", "revoke", token["key"][:10])
    ctl.ends(NO_TOKEN, "it is gone", "token", "check", token["key"])
    token = ctl.new()
    h.eq(service.ask("GET", "/0.1/token/" + token["token"]).status, 200,
         "the service knows a new one")
    done = ctl.ends(FINE, "revoke by the token", "token", "revoke", "--json",
                    "-", input=token["token"] + "\n")
    h.eq(json.loads(done.stdout), {"revoked": token["key"]}, "JSON")
    h.eq(service.ask("GET", "/0.1/token/" + token["token"]).status, 404,
         "and that it is revoked")
    token = ctl.new()
    ctl.ends(NO_ACL, "revoke what lacks the ACL", "token", "revoke",
             token["key"], "--scope", "fo")
    ctl.ends(FINE, "is not done", "token", "check", token["key"])
    ctl.ends(FINE, "revoke what has it", "token", "revoke", token["key"],
             "--scope", "foo")
    ctl.ends(NO_TOKEN, "is done", "token", "check", token["key"])


def adopt(ctl):
    ctl.new()
    table = ctl.ends(FINE, "token adopt", "token", "adopt").stdout
    h.has(table, "       0 got a schedule\n", "none lacks one")
    done = ctl.ends(FINE, "token adopt --json", "--json", "token", "adopt")
    found = json.loads(done.stdout)
    h.ok(found["tokens"] > 0, "JSON: tokens", found)
    h.eq([found[x] for x in ("scheduled", "listed", "unreadable")], [0, 0, 0],
         "JSON: the rest")
    ctl.ends(USAGE, "token adopt takes no token", "token", "adopt", "x")


def backends(ctl):
    done = ctl.ends(FINE, "backend list", "backend", "list")
    table = rows(done.stdout)
    h.eq(table["mock"], "ok", "one that works")
    h.eq(table["broken_init"], "start failed", "one that does not")
    done = ctl.ends(FINE, "as JSON", "backend", "list", "--json")
    states = {b["name"]: b for b in json.loads(done.stdout)}
    h.eq(states["mock"]["status"], "ok", "one that works")
    h.eq(states["broken_init"], {"name": "broken_init", "status": "fail",
                                 "reason": "start failed"},
         "one that does not")

    done = ctl.ends(FINE, "backend test", "backend", "test", "mock_with_uuid",
                    "--login", "foo", input="bar\n")
    h.eq(rows(done.stdout)["auth_id"], "a-mocked-auth-id", "who it is")
    done = ctl.ends(FINE, "as JSON", "backend", "test", "users_file", "--json",
                    "--login", h.LOGIN[0], input=h.LOGIN[1] + "\n")
    h.eq(json.loads(done.stdout), {
        "auth_id": h.ALICE["uuid"], "xivo_user_uuid": h.ALICE["uuid"],
        "xivo_uuid": None, "acls": h.ALICE["acls"]}, "who it is")
    ctl.ends(DENIED, "a wrong password", "backend", "test", "users_file",
             "--login", h.LOGIN[0], input="wrong\n")
    ctl.ends(USAGE, "no such backend", "backend", "test", "nobody", "--login",
             "foo", input="bar\n")


def configuration(ctl, service):
    done = ctl.ends(FINE, "config check", "config", "check")
    h.eq(done.stdout, "configuration ok\n", "it says so")
    service.write("conf.d/note.yml", json.dumps({"colour": "green"}))
    done = ctl.ends(FINE, "a key that nobody knows", "config", "check")
    h.eq(done.stdout, "configuration ok\n", "is fine")
    h.has(done.stderr, "colour", "and named on standard error")
    service.write("conf.d/note.yml", json.dumps(
        {"db_uri": "postgresql://u:Tr1ck1@h/db", "max_token_lifetime": 10000}))
    done = ctl.ends(FINE, "config show", "config", "show")
    h.has(done.stdout, "max_token_lifetime: 10000", "what was set")
    h.has(done.stdout, "conf.d/note.yml", "and where")
    h.has(done.stdout, "max_body_size: 16384", "defaults too")
    h.lacks(done.stdout, "Tr1ck1", "no secret")
    done = ctl.ends(FINE, "as JSON", "config", "show", "--json")
    shown = json.loads(done.stdout)
    h.eq(shown["max_token_lifetime"], 10000, "a number is a number")
    h.eq(shown["rest_api"]["cors"]["enabled"], False, "a boolean is one")
    h.eq(shown["enabled_plugins"][0], "users_file", "a list is a list")
    h.lacks(done.stdout, "Tr1ck1", "no secret")
    service.write("conf.d/note.yml", json.dumps({"log_level": "loud"}))
    for args in (["config", "check"], ["config", "show"], ["status"],
                 ["token", "show", "0" * 8], ["backend", "list"]):
        done = ctl.ends(CONFIG, " ".join(args) + " with a wrong value", *args)
        h.has(done.stderr, "note.yml", "the file is named")
    done = ctl.ends(CONFIG, "config check as JSON", "config", "check",
                    "--json")
    h.has(json.loads(done.stdout)["reason"], "loud", "tells why")
    os.unlink(service.path("conf.d", "note.yml"))


def status(ctl, service):
    done = ctl.ends(FINE, "status", "status")
    h.has(done.stdout, "store   lmdb", "the store is named")
    h.has(done.stdout, "backend mock", "and the backends")
    done = ctl.ends(FINE, "as JSON", "status", "--json")
    said = json.loads(done.stdout)
    h.eq(said["store"], {"type": "lmdb", "status": "ok"}, "the store")
    h.eq(said["backends"]["mock"], "ok", "a backend")
    h.eq((said["backends"]["broken_init"], said["reason"]),
         ("fail", {"broken_init": "start failed"}), "one that fails, and why")
    service.write_config({"store": {"lmdb": {"path": service.path("none")}}})
    done = ctl.ends(UNAVAILABLE, "status without a store", "status", "--json")
    said = json.loads(done.stdout)["store"]
    h.eq(said["status"], "fail", "it says so")
    h.has(said["reason"], service.path("none"), "and why")
    for args in (["token", "check", "0" * 8],
                 ["token", "new", "--backend", "mock", "--login", "foo"]):
        ctl.ends(UNAVAILABLE, " ".join(args[:2]) + " without a store", *args,
                 input="bar\n")
    h.ok(not os.path.exists(service.path("none")), "and nothing was made")
    service.write_config(PLUGINS)


def plain(ctl, service):
    """Tokens that are their own keys are shown by their SHA-256."""
    service.write_config({**PLUGINS, "store": {
        "token_keys": "plain", "lmdb": {"path": service.path("plain")}}})
    os.mkdir(service.path("plain"), 0o700)
    token = ctl.new()
    for text in (token["key"], token["key"][:8]):
        done = ctl.ends(FINE, "plain: show by the key", "token", "show",
                        "--json", text)
        h.lacks(done.stdout, token["token"], "without the token")
        h.eq(json.loads(done.stdout)["key"], token["key"], "with the key")
    for more in ([], ["--json"]):
        done = ctl.ends(FINE, "plain: list", "token", "list", *more)
        h.lacks(done.stdout, token["token"], "without the token")
        h.has(done.stdout, token["key"][:12], "with the key")
    done = ctl.ends(FINE, "plain: revoke", "token", "revoke", token["key"])
    h.lacks(done.stdout, token["token"], "without the token")
    ctl.ends(NO_TOKEN, "plain: it is gone", "token", "check", "-",
             input=token["token"])
    service.write_config(PLUGINS)


def secrets(ctl, service):
    token = ctl.new()
    ctl("token", "show", token["token"], "-d")
    ctl("token", "check", token["token"], "--scope", "x", "-d")
    ctl("token", "show", token["token"], token["token"])
    ctl("token", token["token"])
    ctl(token["token"])
    ctl("token", "revoke", token["token"], "-d")
    ctl("token", "revoke", token["token"], "-d")
    h.lacks(ctl.said, token["token"], "no token on standard error, ever")
    h.lacks(service.read("xivo-auth.log"), token["token"], "nor in a log")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [h.program("xivo-authctl"), "-c", service.config, "status"],
            stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE)
    h.eq(done.returncode, IO, "output that cannot be written is no success")
    folder = os.open(service.dir, os.O_RDONLY)
    done = service.run_program("xivo-authctl", "-c", service.config, "token",
                               "show", "-", stdin=folder)
    os.close(folder)
    h.eq(done.returncode, UNAVAILABLE, "input that cannot be read", done.stderr)
    h.has(done.stderr, "Is a directory", "and that is said")


PLUGINS = {"enabled_plugins": ["users_file", *h.TEST_BACKENDS]}


def main():
    h.program("xivo-authctl")
    with h.Service(PLUGINS, check=1, login=0, nginx=False) as service:
        ctl = Ctl(service)
        command_line(ctl)
        new(ctl)
        show(ctl)
        check(ctl)
        revoke(ctl, service)
        adopt(ctl)
        backends(ctl)
        configuration(ctl, service)
        status(ctl, service)
        plain(ctl, service)
        secrets(ctl, service)


h.run(main)
