#!/usr/bin/env python3
# many_tokens.py - what xivo-authctl takes for a million tokens. SPDX-License-Identifier: GPL-3.0-or-later
"""many_tokens.py BUILDDIR [TOKENS]

Fills an LMDB store that waits for the disk with 100 users, lists it, looks at
its parts, and revokes all tokens of one user.
"""

import json
import os
import subprocess
import sys
import tempfile
import time


def timed(*argv):
    """Seconds, the peak of resident memory in KiB, the last line."""
    begun = time.monotonic()
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE)
    last = b""
    while True:
        data = p.stdout.read(1 << 20)
        if not data:
            break
        last = data
    _, status, used = os.wait4(p.pid, 0)
    if status:
        sys.exit("%s: status %d" % (" ".join(argv), status))
    return (time.monotonic() - begun, used.ru_maxrss,
            last.splitlines()[-1].decode())


def main():
    build = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
    with tempfile.TemporaryDirectory(prefix="xivo-auth-bench-") as folder:
        config = os.path.join(folder, "config.yml")
        for name in ("conf.d", "store"):
            os.mkdir(os.path.join(folder, name), 0o700)
        with open(config, "w") as f:
            os.fchmod(f.fileno(), 0o600)
            json.dump({"extra_config_files": os.path.join(folder, "conf.d"),
                       "enabled_plugins": ["users_file"],
                       "store": {"lmdb": {
                           "path": os.path.join(folder, "store"),
                           "max_size": 4 << 30}}}, f)
        subprocess.run([os.path.join(build, "tests/tools/store_fill"), "-c",
                        config, "-n", str(count), "--users", "100"],
                       check=True)
        ctl = [os.path.join(build, "xivo-authctl"), "-c", config]
        for words in (["token", "list"], ["token", "list", "--json"],
                      ["token", "list", "--auth-id",
                       "00000001-0000-4000-8000-000000000000"],
                      ["store", "check"],
                      ["token", "revoke", "--auth-id",
                       "00000001-0000-4000-8000-000000000000"]):
            took, peak, last = timed(*ctl, *words)
            print("%-60s %6.2f s %6.1f MiB  %.40s" % (
                " ".join(words), took, peak / 1024, last), flush=True)


if __name__ == "__main__":
    main()
