#!/usr/bin/env python3
# 0020-modules.t - what is built as a module, and what is installed for one. SPDX-License-Identifier: GPL-3.0-or-later
import glob
import os
import shutil
import subprocess
import tempfile

import harness as h

MODULES = ["broken_init", "broken_verify_password", "mock", "mock_with_uuid",
           "users_file"]

SOURCE = """
#include <xivo-auth/backend.h>
static int yes(const struct xa_host *host) { return host != 0; }
static int start(const struct xa_host *host, void **self)
{ *self = 0; return host == 0; }
static enum xa_verdict authenticate(void *self, const char *login,
    const char *password, const struct xa_sink *to)
{ (void)self; (void)login; (void)password; (void)to; return XA_DENIED; }
XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD, .configured = yes, .start = start,
    .authenticate = authenticate };
"""


def exported(path):
    out = subprocess.run(["nm", "-D", "--defined-only", path], check=True,
                         capture_output=True, text=True).stdout
    return [line.split()[-1] for line in out.splitlines()]


def one_export_each(names):
    if not shutil.which("nm"):
        h.skip("nm is not installed", "a module exports xa_backend alone")
        return
    for name in names:
        path = os.path.join(h.BUILD, "backends", ".libs", name + ".so")
        symbols = [n for n in exported(path) if not n.startswith("__asan")
                   and not n.startswith("__odr_asan")]
        h.eq(symbols, ["xa_backend"], "%s exports xa_backend alone" % name)


def pc_variable(name):
    path = os.path.join(h.BUILD, "backends")
    return subprocess.run(
        ["pkg-config", "--variable=" + name, "xivo-auth"], check=True,
        capture_output=True, text=True,
        env=dict(os.environ, PKG_CONFIG_PATH=path)).stdout.strip()


def pkg_config():
    if not shutil.which("pkg-config"):
        h.skip("pkg-config is not installed", "pkg-config knows xivo-auth")
        return
    libdir = pc_variable("libdir")
    h.ok(os.path.isabs(libdir), "libdir is a whole path", libdir)
    h.eq(pc_variable("backenddir"), libdir + "/xivo-auth/backends",
         "backenddir lies below it")


def header_alone():
    """The header serves C of two ages, and C++, without anything of ours."""
    compilers = [(["cc", "-std=c99"], "a.c"), (["cc", "-std=c11"], "a.c")]
    if shutil.which("g++"):
        compilers.append((["g++", "-std=c++20",
                           "-Wno-missing-field-initializers"], "a.cc"))
    with tempfile.TemporaryDirectory() as folder:
        for command, name in compilers:
            path = os.path.join(folder, name)
            with open(path, "w") as out:
                # In C++ the declaration alone says that it is exported.
                out.write(SOURCE if name == "a.c" else
                          SOURCE.replace("XA_BACKEND_EXPORT", ""))
            done = subprocess.run(
                command + ["-Wall", "-Wextra", "-Werror", "-pedantic",
                           "-fsyntax-only", "-I",
                           os.path.join(h.BUILD, "include"), path],
                capture_output=True, text=True)
            h.eq(done.returncode, 0, "the header compiles with "
                 + " ".join(command), done.stderr)


def main():
    found = sorted(os.path.basename(p)[:-3] for p in glob.glob(
        os.path.join(h.BUILD, "backends", ".libs", "*.so")))
    h.ok(set(MODULES) <= set(found), "make builds every module", found)
    one_export_each(found)
    pkg_config()
    header_alone()


h.run(main)
