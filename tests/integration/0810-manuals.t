#!/usr/bin/env python3
# 0810-manuals.t - manuals are clean, and say what --help says. SPDX-License-Identifier: GPL-3.0-or-later
import os
import re
import subprocess

import harness as h

FOLDERS = ("backends", "core", "fcgi", "nginx", "scripts")
NAMES = {}  # "xivo-authctl": "xivo-authctl.8"
PAGES = {}  # "xivo-authctl": its text
MACRO = re.compile("[A-Z][a-z]")


def find():
    """Every page in the tree; each is installed."""
    rules = ""
    for folder in FOLDERS:
        for where, _, files in os.walk(os.path.join(h.SOURCE, folder)):
            for name in files:
                path = os.path.join(where, name)
                if name == "local.mk":
                    with open(path) as f:
                        rules += f.read()
                if re.fullmatch(r"[\w.-]+\.[1-8]", name):
                    NAMES[name[:-2]] = path
    installed = " ".join(re.findall(r"^dist_man_MANS \+= (.*)", rules, re.M))
    for name, path in sorted(NAMES.items()):
        with open(path) as f:
            PAGES[name] = f.read()
        h.has(installed, "/" + os.path.basename(path), name + ": is installed")
    h.ok(len(PAGES) >= 7, "there are manuals", *PAGES)


def says(*command):
    done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout


def clean():
    """But for manuals of others, which need not be on this machine."""
    for name, path in sorted(NAMES.items()):
        said = [x for x in says("mandoc", "-Tlint", path).splitlines()
                if "referenced manual not found" not in x
                and not x.startswith("mandoc: outdated mandoc.db")]
        h.eq(said, [], name + ": mandoc finds nothing wrong with it")
        h.eq(says("groff", "-mandoc", "-Tutf8", "-Kutf8", "-ww", "-z", path),
             "", name + ": nor does groff")


def together():
    """They point to each other, and to none that is not there."""
    ours = {"%s %s" % (name, path[-1]) for name, path in NAMES.items()}
    for name, text in sorted(PAGES.items()):
        named = set(re.findall(r"^\.Xr (xivo-\S+ \d)", text, re.M))
        h.eq(named - ours, set(), name + ": points to manuals that are there")
        see = text.partition("\n.Sh SEE ALSO\n")[2]
        own = "%s %s" % (name, NAMES[name][-1])
        if name == "xivo-auth":
            h.eq(set(re.findall(r"^\.Xr (xivo-\S+ \d)", see, re.M)),
                 ours - {own}, "xivo-auth: to all others")
        else:
            h.has(see, ".Xr xivo-auth 7", name + ": to the overview")


# --- what a program says of itself, and its manual ---

def options_of_help(text):
    found = set()
    head, _, rest = text.partition("\n\n")
    if head.lower().startswith("usage:"):
        found.update(re.findall(r"(?<![\w-])(--?[A-Za-z][a-z-]*)", head))
    for line in rest.splitlines():
        if re.match(r" +-", line):
            first = re.split(r"\s{2,}", line.strip())[0]
            found.update(re.findall(r"(?<![\w-])(--?[A-Za-z][a-z-]*)", first))
            found.update(re.findall(r"\((-\w)\)", line))
    return found


def heads(text):
    """The first line of each item, in one piece also if Xo begins it."""
    text = re.sub(r"^\.It Xo\n(.*?)^\.Xc$", lambda m: ".It " + re.sub(
        r"^\.|\n\.", " ", m.group(1)).replace("\n", " "), text,
        flags=re.M | re.S)
    return re.findall(r"^\.It (.*)", text, re.M)


def arguments(head, macro):
    """What stands behind a macro, up to the next one."""
    found, taking = [], None
    for word in head.split():
        if MACRO.fullmatch(word):
            taking = [] if word == macro else None
            if taking is not None:
                found.append(taking)
        elif taking is not None and re.match(r"[\w-]", word):
            taking.append(word)
    return found


def flags(head):
    return {"-" + word for words in arguments(head, "Fl") for word in words}


def options_of_page(text):
    """What the lists explain; the environment is no list of options."""
    text = text.partition("\n.Sh ENVIRONMENT")[0]
    return set().union(*map(flags, heads(text)))


def options_of_synopsis(text):
    """Letters may stand together there."""
    part = text.partition("\n.Sh SYNOPSIS\n")[2].partition("\n.Sh ")[0]
    found = set()
    for line in part.splitlines():
        for flag in flags(line.lstrip(".")):
            found |= {flag} if flag.startswith("--") else \
                {"-" + letter for letter in flag[1:]}
    return found


def same(name, command):
    text = says(command, "--help")
    told = options_of_help(text)
    h.ok(len(told) > 5, name + ": --help tells options", told, text)
    h.eq(options_of_page(PAGES[name]), told,
         name + ": the manual has the options of --help, and no others")
    # Of -h and --help one will do there.
    short = options_of_synopsis(PAGES[name])
    h.eq(short - told, set(), name + ": its synopsis has no others")
    h.eq({x for x in told - short if not x.startswith("--")}, set(),
         name + ": and lacks none")


def pool():
    text = says(os.path.join(h.SOURCE, "scripts", "xivo-auth-pool"), "--help")
    page = PAGES["xivo-auth-pool"]
    commands = set(re.findall(r"^  ([a-z]+)  ", text, re.M))
    h.ok(len(commands) == 6, "xivo-auth-pool: --help tells commands", commands)
    h.eq(set(re.findall(r"^\.It Cm (\w+)$", page, re.M)), commands,
         "the manual has the same")
    variables = set(re.findall(r"XIVO_AUTH_\w+", text))
    h.ok(len(variables) == 8, "it tells variables", variables)
    section = page.partition("\n.Sh ENVIRONMENT")[2].partition("\n.Sh ")[0]
    h.eq(set(re.findall(r"^\.It Ev (\w+)\n\.Fl \w$", section, re.M)),
         variables, "the manual has the same")
    for variable, letter in re.findall(r"^\.It Ev (\w+)\n\.Fl (\w)$", section,
                                       re.M):
        part = re.split(r"\n  -", text.partition("\n  -" + letter)[2])[0]
        h.has(part, variable, "%s stands for -%s" % (variable, letter))
    codes = text.partition("\nexit, status:")[2]
    first, _, rest = codes.partition("\nexit, others:")
    section = page.partition("\n.Sh EXIT STATUS")[2].partition("\n.Sh ")[0]
    lists = [set(re.findall(r"^\.It (\d+)$", part, re.M))
             for part in section.split("\n.Bl ")[1:]]
    code = r"(?:^|\s{2,})(\d+) [a-zA-Z]"
    h.eq(lists, [set(re.findall(code, first, re.M)),
                 set(re.findall(code, rest.partition("\nThese")[0], re.M)),
                 {"64"}], "and the exit codes")


def commands_of_authctl():
    """Of each command, the options of its help and of its manual."""
    program = h.program("xivo-authctl")
    text = says(program, "--help").partition("Commands:\n")[2]
    told = {}
    for name in re.findall(r"^  (\w+(?: \w+)?)  ", text.partition("\n\n")[0],
                           re.M):
        words = says(program, *name.split(), "--help")
        told[name] = options_of_help(words) - {"-c", "-d", "--json"}
    shown = {}
    for head in heads(PAGES["xivo-authctl"]):
        if not head.startswith((" Cm ", "Cm ")):
            continue
        name = " ".join(arguments(head, "Cm")[0])
        shown.setdefault(name, set()).update(flags(head))
    h.ok(len(told) >= 13, "xivo-authctl: --help tells commands", told)
    h.eq(shown, told, "the manual has the same, each with its options")


def main():
    h.need("groff", "mandoc")
    find()
    clean()
    together()
    same("xivo-auth-fcgi", h.program("xivo-auth-fcgi"))
    same("xivo-auth-expiryd", h.program("xivo-auth-expiryd"))
    same("xivo-auth-pool", os.path.join(h.SOURCE, "scripts", "xivo-auth-pool"))
    pool()
    program = h.program("xivo-authctl")
    told = options_of_help(says(program, "--help"))
    for name in re.findall(r"^  (\w+(?: \w+)?)  ", says(
            program, "--help").partition("Commands:\n")[2], re.M):
        told |= options_of_help(says(program, *name.split(), "--help"))
    h.eq(options_of_page(PAGES["xivo-authctl"]), told,
         "xivo-authctl: the manual has the options of --help, and no others")
    commands_of_authctl()


h.run(main)
