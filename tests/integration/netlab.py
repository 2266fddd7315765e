# netlab.py - namespaces of the test's own, and a bad line between two. SPDX-License-Identifier: GPL-3.0-or-later
"""A network in which Consul is far away, for root where it may make
namespaces. Where others may, too, the folders of root are nobody's inside, and
our loader takes no module from there.

    netlab.enter("--net")         # first of all: the test begins anew inside
    with netlab.Line() as line:   # NEAR is here, FAR is behind it
        line.delay_s = 0.2; line.loss = 0.1; line.down = True

The line is a pair of tun devices with this process between them: the kernel
need not know how to delay or to lose.
"""

import contextlib
import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import harness as h

NEAR, FAR = "198.18.0.1", "198.18.0.2"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000


def enter(*kinds):
    """Run the test once more, in namespaces; skips it where that is not
    allowed. `kinds` are options of unshare(1)."""
    if os.environ.get("XA_INSIDE") == "1":
        return
    unshare = h.need("unshare")
    if os.geteuid() != 0 or subprocess.run(
            [unshare, *kinds, "true"], stderr=subprocess.DEVNULL).returncode:
        raise h.SkipAll("namespaces are not allowed here")
    os.environ["XA_INSIDE"] = "1"
    os.execv(unshare, [unshare, *kinds, sys.executable, *sys.argv])


def _must(*argv):
    done = subprocess.run(argv, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode:
        raise h.SkipAll("%s: %s" % (" ".join(argv), done.stdout.strip()))


class Line:
    """From here to another network namespace."""

    def __init__(self, seed=None):
        self.ip, self.nsenter = h.need("ip", "nsenter")
        self.dice = random.Random(seed)
        self.delay_s = self.loss = 0
        self.down = False
        self.carried = self.lost = 0
        self.dir = tempfile.mkdtemp(prefix="xivo-auth-line-")
        self._over = threading.Event()
        self.holder = subprocess.Popen(
            [h.need("unshare"), "--net", "sleep", "3600"],
            preexec_fn=h._die_with_us)
        try:
            self._make()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def close(self):
        self._over.set()
        self.holder.kill()
        self.holder.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def there(self, *argv):
        """That command, run behind the line."""
        return [self.nsenter, "--target", str(self.holder.pid), "--net",
                *argv]

    def _make(self):
        own = os.readlink("/proc/self/ns/net")

        def is_apart():
            with contextlib.suppress(OSError):
                return os.readlink("/proc/%d/ns/net"
                                   % self.holder.pid) != own
        h.until(is_apart, "a namespace")
        fds = [self._tun(name) for name in ("xa-near", "xa-far")]
        _must(self.ip, "link", "set", "lo", "up")
        _must(self.ip, "link", "set", "xa-far", "netns",
              str(self.holder.pid))
        _must(*self.there(self.ip, "link", "set", "lo", "up"))
        for at, name, own, peer in (((), "xa-near", NEAR, FAR),
                                    (self.there(), "xa-far", FAR, NEAR)):
            _must(*at, self.ip, "addr", "add", own, "peer", peer, "dev", name)
            _must(*at, self.ip, "link", "set", name, "up")
        for a, b in (fds, fds[::-1]):
            threading.Thread(target=self._carry, args=(a, b),
                             daemon=True).start()

    @staticmethod
    def _tun(name):
        try:
            fd = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack(
                "16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
        except OSError as e:
            raise h.SkipAll("no tun device: %s" % e) from e
        return fd

    def _carry(self, source, sink):
        """Until the devices go with the namespace."""
        with contextlib.suppress(OSError):
            self._pass_on(source, sink)

    def _pass_on(self, source, sink):
        """Each packet in its time; one that is under way when the line goes
        down is lost."""
        waiting, order = [], itertools.count()
        while not self._over.is_set():
            wait = waiting[0][0] - time.monotonic() if waiting else 0.2
            if select.select([source], [], [], max(0, min(wait, 0.2)))[0]:
                packet = os.read(source, 65536)
                if self.down or self.dice.random() < self.loss:
                    self.lost += 1
                else:
                    heapq.heappush(waiting, (time.monotonic() + self.delay_s,
                                             next(order), packet))
            while waiting and waiting[0][0] <= time.monotonic():
                packet = heapq.heappop(waiting)[2]
                if self.down:
                    self.lost += 1
                    continue
                self.carried += 1
                os.write(sink, packet)
