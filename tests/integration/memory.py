# memory.py - what a core file of a live process would hold. SPDX-License-Identifier: GPL-3.0-or-later
"""Search all writable memory of a process, and what `ps` shows of it.

    if memory.is_sanitized(): raise h.SkipAll(memory.SANITIZED)
    memory.hits(pid, {"password": b"..."})   # [] when nothing is there
"""

import base64
import re

import harness as h

SANITIZED = "AddressSanitizer keeps what is freed"
PART = 8  # bytes that are looked for: malloc() overwrites the first ones


def parts(pid):
    """[(name of the mapping, bytes)]"""
    found = []
    try:
        with open("/proc/%d/maps" % pid) as maps, \
                open("/proc/%d/mem" % pid, "rb", 0) as mem:
            for line in maps:
                m = re.match(r"(\w+)-(\w+) rw\S* \S+ \S+ \S+ *(.*)", line)
                if not m:
                    continue
                start, end = int(m[1], 16), int(m[2], 16)
                try:
                    mem.seek(start)
                    found.append((m[3] or "anonymous", mem.read(end - start)))
                except OSError:
                    pass  # [vvar] and the like
    except PermissionError:
        raise h.SkipAll("only root reads a process that is not dumpable")
    return found


def cut(secret):
    """What to look for: any piece of it, for the rest may be overwritten."""
    return [secret[i:i + PART] for i in range(0, len(secret) - PART + 1, 4)]


def needles(login, password):
    """What a login leaves. Base64 holds the password from any of three
    places on, so the whole is cut by a triple at both ends."""
    whole = base64.b64encode(("%s:%s" % (login, password)).encode())
    return {"password": password.encode(), "Authorization": whole[4:-4]}


def hits(pid, wanted):
    """Which of {name: bytes} are there, in pieces or whole."""
    pieces = [(name, piece) for name, secret in wanted.items()
              for piece in cut(secret)]
    found = {"%s in %s" % (what, name) for name, text in parts(pid)
             for what, piece in pieces if piece in text}
    return sorted(found)


def count(pid, secret):
    """How often the whole of it stands in each mapping that has it."""
    found = {}
    for name, text in parts(pid):
        if secret in text:
            found[name] = found.get(name, 0) + text.count(secret)
    return found


def seen_by_ps(pid):
    """Environment and command line."""
    text = b""
    for name in ("environ", "cmdline"):
        with open("/proc/%d/%s" % (pid, name), "rb") as f:
            text += f.read()
    return text.decode(errors="replace")


def is_sanitized():
    with open(h.program("xivo-auth-fcgi"), "rb") as f:
        return b"__asan_init" in f.read()
