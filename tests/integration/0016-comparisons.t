#!/usr/bin/env python3
# 0016-comparisons.t - no secret is compared by what stops at the first difference. SPDX-License-Identifier: GPL-3.0-or-later
"""
In each file that handles a password, a token or the hash of one, strcmp() and
its like may take a text of ours, between quotation marks; what else they take
is named here, and is no secret. scripts/bench --constant-time measures those
that are for secrets.
"""
import glob
import os
import re

import harness as h

HANDLES = re.compile(
    r"\bstruct xa_secret\b|\b(xa_secret_\w+|xa_password_verify|crypt_r"
    r"|xa_argon2id_verify|verify_password|xa_sha256\w*|xa_token_id"
    r"|xa_key_of_token)\s*\(")
COMPARES = re.compile(
    r"\b(?:strn?cmp|strn?casecmp|strverscmp|memcmp|bcmp)\s*\(")

# file: what is compared in it
ALLOWED = {
    "backends/users_file.c": [  # logins, to look for one
        "((const struct user *)a)->login, ((const struct user *)b)->login"],
    "core/service/authctl_open.c": ["known, name"],  # of a backend
    "core/service/authctl_passwd.c": ["methods[i].name, name"],
    "core/service/registry.c": [  # names of backends
        "names->items[k], names->items[i]", "registry->backends[i]->name, name"],
    "fcgi/basic.c": ["header, scheme, len"],
    "fcgi/mask.c": ["text + len, ROUTE, sizeof ROUTE - 1"],
    # a key that was found in a store, whether it has its own form
    "core/token/consul/names.c": ["*at, expected, len", "at, uuid"],
    "core/token/consul/record.c": ["*out, id", "own.text, key->text"],
    "core/token/store_lmdb.c": ["uuid, key->text"],
}


def arguments(text):
    """What stands between the brackets of each comparison."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    for found in COMPARES.finditer(text):
        end, depth = found.end(), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield " ".join(text[found.end():end - 1].split())


def doubtful(text):
    if not HANDLES.search(text):
        return []
    return [a for a in arguments(text) if '"' not in a]


def main():
    h.eq(doubtful("int f(void) { /* strcmp(x, y) */ return crypt_r(a, b, c)\n"
                  "&& !strcmp(hash,\n   g(stored)) && !strcmp(a, \"b\"); }"),
         ["hash, g(stored)"], "what is looked for would be found")
    paths = [p for pattern in ("core/**/*.c", "fcgi/*.c", "backends/*.c")
             for p in glob.glob(os.path.join(h.SOURCE, pattern),
                                recursive=True)]
    found = {}
    handling = 0
    for path in paths:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        handling += bool(HANDLES.search(text))
        if doubtful(text):
            found[os.path.relpath(path, h.SOURCE)] = doubtful(text)
    h.ok(handling > 20, "the files were read", handling)
    h.eq(found, ALLOWED, "no other comparison stands beside a secret")


h.run(main)
