#!/usr/bin/env python3
# 0403-completion.t - what bash offers behind xivo-authctl. SPDX-License-Identifier: GPL-3.0-or-later
import os
import re
import subprocess

import harness as h

SCRIPT = os.path.join(h.SOURCE, "scripts", "completions", "xivo-authctl")
ASK = '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); ' \
      '_xivo_authctl; printf "%s\\n" "${COMPREPLY[@]}"'


def offers(*words, path=None):
    """What stands behind these words; the last is the one in hand."""
    env = dict(os.environ, LC_ALL="C.UTF-8")
    if path:
        env["PATH"] = path + ":" + env["PATH"]
    done = subprocess.run(
        [h.need("bash"), "-c", ASK, "bash", SCRIPT,
         "xivo-authctl", *words], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    if done.stderr:
        h.ok(False, "bash has nothing to say", done.stderr)
    return set(done.stdout.split())


def helps(*args):
    return subprocess.run([h.program("xivo-authctl"), *args], text=True,
                          stdout=subprocess.PIPE, check=True).stdout


def main():
    h.need("bash")
    text = helps("-h").partition("Commands:\n")[2].partition("\n\n")[0]
    commands = [re.match(r"  (\w+(?: \w+)?)  ", x).group(1)
                for x in text.splitlines()]
    h.ok(len(commands) >= 13, "the help names the commands", commands)
    firsts = {}
    for command in commands:
        first, _, second = command.partition(" ")
        firsts.setdefault(first, set()).update({second} - {""})
    h.eq(offers(""), set(firsts), "each first word, and no other")
    for first, seconds in firsts.items():
        if seconds:
            h.eq(offers(first, ""), seconds, first + ": each second word")
    for command in commands:
        known = set(re.findall(r"^  (--[a-z-]+)", helps(
            *command.split(), "--help"), re.M))
        common = {"--config", "--debug", "--help", "--json", "--version"}
        h.eq(offers(*command.split(), "--"), known | common,
             command + ": each option, and no other")
    h.eq(offers("to"), {"token"}, "a word that is begun")
    h.eq(offers("token", "r"), {"revoke"}, "a second one")
    h.eq(offers("--json", "token", "--auth-id", "x", "l"), {"list"},
         "options and their values are no words of the command")
    h.eq(offers("passwd", "--method", "a"), {"argon2id"}, "--method")
    h.eq(offers("-c", os.path.join(h.SOURCE, "READ")),
         {os.path.join(h.SOURCE, "README.md")}, "a file")
    h.eq(offers("token", "revoke", ""), set(), "a token is not guessed")
    with h.Service(check=0, login=0, nginx=False) as s:
        os.mkdir(s.path("bin"))
        with open(s.path("bin", "xivo-authctl"), "w") as f:
            os.fchmod(f.fileno(), 0o755)
            f.write('#!/bin/sh\nexec "%s" -c "%s" "$@"\n'
                    % (h.program("xivo-authctl"), s.config))
        for words in (["backend", "test", "m"],
                      ["token", "new", "--backend", "m"]):
            h.eq(offers(*words, path=s.path("bin")),
                 {"mock", "mock_with_uuid"}, "backends: " + " ".join(words))


h.run(main)
