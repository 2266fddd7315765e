#!/usr/bin/env python3
# 0010-check-includes.t - the checker of include lines finds what it is for. SPDX-License-Identifier: GPL-3.0-or-later
import os
import subprocess
import tempfile

import harness as h

CHECKER = os.path.join(h.SOURCE, "scripts", "check-includes")

# A file, its only include line after config.h, a part of the complaint or
# None when it is allowed.
CASES = [
    ("core/base/a.c", '"core/base/b.h"', None),
    ("core/service/a.c", '"core/base/b.h"', None),
    ("core/token/sub/a.c", '"core/support/b.h"', None),
    ("core/base/a.c", '"core/support/b.h"', "in no lower layer"),
    ("core/token/a.c", '"core/service/b.h"', "in no lower layer"),
    ("core/base/a.c", '"core/other/b.h"', "in no lower layer"),
    ("core/token/a.c", '"core/backend.h"', None),
    ("core/support/a.c", '"core/backend.h"', "for token and service"),
    ("core/token/a.c", '"fcgi/io.h"', "not of core/"),
    ("core/token/a.c", '"b.h"', "not of core/"),
    ("core/token/a.c", '"../base/b.h"', "climbs"),
    ("fcgi/a.c", '"core/token/b.h"', None),
    ("fcgi/a.c", '"tests/b.h"', "not of core/ or fcgi/"),
    ("backends/a.c", "<xivo-auth/backend.h>", None),
    ("backends/ldap_conn.c", "<ldap.h>", None),
    ("backends/a.c", "<ldap.h>", "<ldap.h> is for"),
    ("backends/xivo_db.c", "<libpq-fe.h>", None),
    ("backends/xivo_user.c", "<libpq-fe.h>", "<libpq-fe.h> is for"),
    ("backends/a.c", '"core/backend.h"', "not for backends"),
    ("backends/a.c", "<core/base/err.h>", "not for backends"),
    ("backends/a.c", "<config.h>", "not for backends"),
    ("backends/a.c", '"missing.h"', "not beside it"),
    ("core/support/password.c", "<crypt.h>", None),
    ("core/support/a.c", "<crypt.h>", "<crypt.h> is for"),
    ("core/token/loader.h", "<dlfcn.h>", "<dlfcn.h> is for"),
    ("fcgi/a.c", "<fcgi_stdio.h>", "no rule yet"),
    ("fcgi/a.c", "  <fcgiapp.h>", "<fcgiapp.h> is for fcgi/io.c"),
    ("fcgi/a.c", "<json.h>", None),
    ("fcgi/a.h", "<json.h>", "<json.h> is for"),
    ("core/base/a.c", "<sys/stat.h>", None),
]


def check(root, **env):
    return subprocess.run([CHECKER, root], capture_output=True, text=True,
                          env=dict(os.environ, **env))


def write(root, path, text):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w") as out:
        out.write(text)


def one_line_each():
    for path, header, complaint in CASES:
        with tempfile.TemporaryDirectory() as root:
            first = "" if path.startswith("backends") else \
                '#include "config.h"\n'
            write(root, path, first + "# include %s\n" % header)
            done = check(root, builddir=root)
            name = "%s includes %s" % (path, header)
            if complaint is None:
                h.eq(done.returncode, 0, name, done.stdout, done.stderr)
            else:
                where = "# %s:%d: " % (path, 2 if first else 1)
                h.ok(done.returncode == 1 and where in done.stdout
                     and complaint in done.stdout, name, done.stdout)


def config_first():
    with tempfile.TemporaryDirectory() as root:
        write(root, "core/base/a.c", "#include <stdio.h>\n")
        done = check(root, builddir=root)
        h.has(done.stdout, "core/base/a.c:1: begins with <stdio.h>",
              "config.h comes first")


def headers_compile():
    with tempfile.TemporaryDirectory() as root:
        write(root, "config.h", "")
        write(root, "core/base/a.h", "size_t a(void);\n")
        write(root, "core/base/b.h", "struct b { int c; };\n")
        write(root, "core/base/c.h", "struct c;\n")
        done = check(root, builddir=root)
        h.has(done.stdout, "# core/base/a.h:1:", "a header lacks a type")
        h.has(done.stdout, "# core/base/b.h:1:", "a header lacks a guard")
        h.lacks(done.stdout, "# core/base/c.h:1:", "a header is fine")
        h.eq(done.returncode, 1, "and that is a failure")


def main():
    one_line_each()
    config_first()
    headers_compile()
    h.eq(subprocess.run([CHECKER, "--help"], capture_output=True).returncode,
         0, "--help")
    h.eq(subprocess.run([CHECKER, "-x"], capture_output=True).returncode, 64,
         "an unknown option")


h.run(main)
