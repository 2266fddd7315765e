#!/usr/bin/env python3
# 0200-io.t - the loop of the responder, by raw FastCGI. SPDX-License-Identifier: GPL-3.0-or-later
"""tests/tools/echo_responder serves; each part starts its own."""

import contextlib
import fcntl
import os
import resource
import select
import selectors
import shutil
import signal
import socket
import struct
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fastcgi  # noqa: E402
import harness as h  # noqa: E402

GET = {"REQUEST_METHOD": "GET"}


class Responder:
    """One echo_responder on a socket in a folder of its own."""

    def __init__(self, *args, files=None):
        self.dir = tempfile.mkdtemp(prefix="xivo-auth-io-")
        self.path = os.path.join(self.dir, "io.sock")
        self.listening = h.listen_on(self.path)
        prefix = ["prlimit", "--nofile=%d" % files] if files else []
        self.process = h.Process(
            "echo", prefix + [h.program("tests/tools/echo_responder"), *args],
            os.path.join(self.dir, "echo.err"), stdin=self.listening)
        with self.connect() as c:
            c.ask(GET, keep=False)  # so it is up, its handlers too

    def __enter__(self):
        return self

    def __exit__(self, kind, *_exc):
        code = self.process.stop()
        if kind is None:
            h.ok(code in self.process.expected and
                 "Sanitizer" not in self.said() and
                 "runtime error" not in self.said(),
                 "it ends well", code, self.said()[-2000:])
        else:
            h.diag(self.said()[-2000:])
        self.listening.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def connect(self, timeout=10):
        return fastcgi.Connection(self.path, timeout)

    def said(self):
        return self.process.said()

    def waits_for(self, event):
        h.until(lambda: event in self.said(), event)

    def files(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def sockets(self):
        found = set()
        folder = "/proc/%d/fd" % self.process.pid
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                found.add(os.readlink(os.path.join(folder, name)))
        return {name for name in found if name.startswith("socket:")}

    def has_ended(self, seconds=5):
        h.until(lambda: not self.process.alive(), "its end", seconds)
        return self.process.popen.returncode

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid) as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def says(body, role="responder", method="GET"):
    return b"method=%s role=%s body=%d " % (method.encode(), role.encode(),
                                            body)


def kept_connection():
    with Responder() as r, r.connect() as c:
        wrong = [n for n in range(1000)
                 if c.ask(GET, b"x" * (n * 37 % 9000)).body !=
                 says(n * 37 % 9000)]
        h.eq(wrong, [], "1000 requests on one connection")
        h.eq(c.ask(dict(GET, TEST_UNREAD=1), b"y" * 20000).body, says(0),
             "a body may be left unread")
        h.eq(c.ask(GET, b"z").body, says(1), "and the next request is whole")
        h.eq(len(c.ask(dict(GET, TEST_SIZE=1000000)).body),
             1000000 + len(says(0)), "a large answer")
        c.ask(dict(GET, TEST_CLOSE=1))
        h.ok(c.is_closed(), "closed when the handler wants it")
    with Responder() as r:
        with r.connect() as c:
            c.ask(GET, keep=False)
            h.ok(c.is_closed(), "closed without FCGI_KEEP_CONN")
        with r.connect() as c:
            c.send(fastcgi.encode(GET, b"half"))
            c.socket.shutdown(socket.SHUT_WR)
            h.eq(c.answer().body, says(4), "a peer that is done is answered")
            h.ok(c.is_closed(), "and closed")
        before = r.files()
        for _ in range(50):
            with r.connect() as c:
                c.ask(GET)
        h.until(lambda: r.files() == before, "descriptors to be closed")
        h.ok(True, "no descriptor is left behind")


def not_taken(c):
    """Bytes that were sent on a connection and not read yet."""
    return struct.unpack("i", fcntl.ioctl(c.socket, termios.TIOCOUTQ,
                                          bytes(4)))[0]


def input_first():
    """A peer that sends before it reads waits for nobody."""
    with Responder() as r, r.connect() as c:
        c.send(fastcgi.encode(dict(GET, TEST_UNREAD=1, TEST_SIZE=1000000),
                              b"y" * 20000))
        c.socket.recv(1)
        h.eq(not_taken(c), 0, "before its first byte all input was read")


def records():
    """What stands in the records, and where it is cut."""
    with Responder() as r, r.connect() as c:
        body = os.urandom(3000)
        c.send(fastcgi.begin() +
               fastcgi.stream(fastcgi.PARAMS, fastcgi.pairs(GET), piece=1) +
               fastcgi.stream(fastcgi.STDIN, body, piece=7))
        h.eq(c.answer().body, says(3000), "streams in many small records")
        c.send(fastcgi.begin(request_id=513) +
               fastcgi.record(fastcgi.PARAMS, fastcgi.pairs(GET), 513, 255) +
               fastcgi.record(fastcgi.PARAMS, b"", 513) +
               fastcgi.record(fastcgi.STDIN, b"abc", 513, 5) +
               fastcgi.record(fastcgi.STDIN, b"", 513))
        h.eq(c.answer().body, says(3), "padding, and another id")
        c.send(fastcgi.record(9, fastcgi.pairs({"FCGI_MPXS_CONNS": ""}), 0) +
               fastcgi.record(99, b"", 0) + fastcgi.encode(GET))
        h.eq(c.read(8 + 18)[8:], fastcgi.pairs({"FCGI_MPXS_CONNS": "0"}),
             "FCGI_GET_VALUES is answered")
        h.eq(c.read(16)[1], 11, "an unknown management record too")
        h.eq(c.answer().body, says(0), "and the request behind them")
        c.send(fastcgi.begin() + fastcgi.record(fastcgi.ABORT))
        h.eq(c.answer().body, b"", "FCGI_ABORT_REQUEST ends a request")
        h.ok(c.is_closed(), "and its connection")


def authorizer():
    with Responder() as r:
        with r.connect() as c:
            h.eq(c.ask(GET, role=fastcgi.AUTHORIZER).body,
                 says(0, "authorizer"), "AUTHORIZER needs no STDIN")
            h.ok(c.is_closed(), "and is closed")
        with r.connect() as c:
            c.send(fastcgi.encode(GET, role=fastcgi.AUTHORIZER) +
                   fastcgi.record(fastcgi.STDIN))
            h.eq(c.answer().body, says(0, "authorizer"),
                 "with an empty STDIN as well")
        with r.connect() as c:
            h.eq(c.ask(GET, role=fastcgi.FILTER).protocol_status, 3,
                 "FILTER is an unknown role")
            h.ok(c.is_closed(), "and is closed")


def byte_by_byte():
    with Responder() as r, r.connect() as slow, r.connect() as c:
        wrong = 0
        for byte in fastcgi.encode({"REQUEST_METHOD": "P"}, b"slow"):
            slow.send(bytes([byte]))
            wrong += c.ask(GET).body != says(0)
        h.eq(wrong, 0, "others are answered while a request trickles in")
        h.eq(slow.answer().body, says(4, method="P"), "and it is, in the end")


def half_sent():
    with Responder("-r", "300") as r, r.connect() as c:
        c.send(fastcgi.encode(GET, b"x" * 100)[:-20])
        begun = time.monotonic()
        with r.connect() as other:
            while not c.is_closed(0.01):
                assert other.ask(GET).status == 200
                assert time.monotonic() - begun < 5
        took = time.monotonic() - begun
        h.ok(0.25 < took < 2, "a half-sent request is closed in time", took)
        h.has(r.said(), "request.timeout", "which is said")
        with r.connect() as c:
            c.send(fastcgi.encode(GET)[:-1])
            c.socket.shutdown(socket.SHUT_WR)
            h.ok(c.is_closed(0.2), "at once if nothing more can come")
    with Responder() as r, r.connect() as c:
        c.send(fastcgi.encode(GET)[:-1])
        cpu = r.cpu_s()
        h.ok(not c.is_closed(0.5), "until then it is waited for")
        h.ok(r.cpu_s() - cpu < 0.2, "without spinning", r.cpu_s() - cpu)


def too_large():
    with Responder("-m", "10000") as r:
        for body, what in ((20000, "one record"), (2000000, "many")):
            with r.connect() as c, r.connect() as other:
                c.socket.setblocking(False)
                data = fastcgi.encode(GET, b"x" * body)
                sent, got = push_and_read(c.socket, data)
                h.has(got, b"Status: 413", "413 for a large body in " + what)
                h.eq(got.count(b"too large"), 1, "once")
                h.ok(sent == len(data), "and all of it was taken")
                h.eq(other.ask(GET).status, 200, "others are served")
        with r.connect() as c:
            c.send(fastcgi.begin() + fastcgi.record(
                fastcgi.PARAMS, b"x" * 20000)[:100])
            h.eq(c.answer().status, 413, "413 for large parameters, early")
        with r.connect() as c:
            c.send(fastcgi.encode(GET, b"x" * 20000)[:5000])
            c.socket.shutdown(socket.SHUT_WR)
            h.eq(c.answer().status, 413, "413 to a peer that is done")


    with Responder("-m", "1000000") as r:
        h.has(r.said(), "requests.cut", "no more than a socket holds")
        with r.connect() as c:
            h.eq(c.ask(GET, b"x" * 140000).body, says(140000),
                 "what it holds is read")
            c.socket.setblocking(False)
            _sent, got = push_and_read(c.socket,
                                       fastcgi.encode(GET, b"x" * 400000))
            h.has(got, b"Status: 413", "what it does not hold is refused")


def push_and_read(s, data):
    """Send and receive at the same time, as a web server does."""
    sent, got = 0, b""
    with selectors.DefaultSelector() as selector:
        selector.register(s, selectors.EVENT_READ | selectors.EVENT_WRITE)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            for _key, events in selector.select(1):
                if events & selectors.EVENT_READ:
                    piece = s.recv(65536)
                    got += piece
                    if not piece and sent == len(data):
                        return sent, got
                    if b"\x01\x03" in got and sent == len(data):
                        return sent, got
                with contextlib.suppress(BlockingIOError):
                    while events & selectors.EVENT_WRITE and sent < len(data):
                        sent += s.send(data[sent:sent + 65536])
                if sent == len(data):
                    selector.modify(s, selectors.EVENT_READ)
    return sent, got


GARBAGE = [
    ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("zeros", bytes(1000)),
    ("ones", b"\xff" * 1000),
    ("STDIN first", fastcgi.record(fastcgi.STDIN)),
    ("BEGIN twice", fastcgi.begin() * 2),
    ("a liar's pair", fastcgi.begin() +
     fastcgi.record(fastcgi.PARAMS, b"\xff" * 8)),
    ("an unknown type", fastcgi.begin() + fastcgi.record(77)),
    ("another id", fastcgi.begin() + fastcgi.record(fastcgi.PARAMS, b"", 2)),
    ("a NUL in a parameter", fastcgi.encode({"A": "b\0c"})),
    ("many GET_VALUES", fastcgi.record(9, b"", 0) * 50),
]


def garbage():
    with Responder() as r, r.connect() as kept:
        for name, data in GARBAGE:
            with r.connect() as c:
                c.send(data)
                c.socket.settimeout(2)
                try:
                    while c.socket.recv(4096):
                        pass
                    closed = True
                except ConnectionError:
                    closed = True
                except socket.timeout:
                    closed = False
                h.ok(closed, "closed: " + name)
            assert kept.ask(GET).body == says(0)
        h.eq(r.said().count("request.malformed"), len(GARBAGE),
             "each is said")
        with r.connect() as c:
            c.send(fastcgi.encode(GET) + fastcgi.encode(GET, b"second"))
            h.eq(c.answer().body, says(0), "of two requests sent at once the "
                 "first is answered")
            h.ok(c.is_closed(), "and the connection closed")


def limit_of_connections():
    with Responder("-c", "4") as r:
        silent = [r.connect() for _ in range(4)]
        with r.connect() as c:
            h.eq(c.ask(GET).status, 200, "a silent one makes room")
            h.ok(silent[0].is_closed(), "the one silent for longest")
            h.ok(not silent[1].is_closed(0.05), "the others stay")
        for c in silent:
            c.close()
    with Responder("-c", "3") as r:
        busy = [r.connect() for _ in range(3)]
        for c in busy:
            c.ask(GET)
        late = r.connect()
        late.send(fastcgi.encode(GET))
        h.until(lambda: "connections.full" in r.said(), "the limit")
        h.ok(not late.is_closed(0.1), "nobody makes room: it waits")
        cpu = r.cpu_s()
        for c in busy:
            assert c.ask(GET).status == 200
        busy.pop().close()
        h.eq(late.answer().status, 200, "until one closes")
        h.ok(r.cpu_s() - cpu < 0.2, "without spinning")
        h.ok(all(c.ask(GET).status == 200 for c in busy), "nobody lost")
        for c in busy + [late]:
            c.close()


def few_descriptors():
    if not shutil.which("prlimit"):
        h.skip("no prlimit", "EMFILE")
        return
    with Responder(files=70) as r:
        h.has(r.said(), "connections.cut", "the limit is cut and said")
        held = [r.connect() for _ in range(6)]
        h.ok(all(c.ask(GET).status == 200 for c in held), "6 = 70 - 64")
        for c in held:
            c.close()
    with Responder("-c", "50") as r:
        # the cut was done at the start; now there are fewer than it thinks
        h.until(lambda: r.files() == 4, "standard files and epoll alone")
        limit = 4 + 3
        resource.prlimit(r.process.pid, resource.RLIMIT_NOFILE,
                         (limit, limit))
        held = [r.connect() for _ in range(6)]
        for c in held:
            c.send(fastcgi.encode(GET))
        r.waits_for("accept.failed")
        cpu = r.cpu_s()
        answered = [c.answer() for c in held[:3]]
        h.eq(len(answered), 3, "EMFILE: those that are in are served")
        h.ok(not held[3].is_closed(0.5), "the next waits")
        h.ok(r.cpu_s() - cpu < 0.2, "without spinning", r.cpu_s() - cpu)
        held[0].close()
        h.eq(held[3].answer().status, 200, "until one closes")
        h.ok(r.said().count("accept.failed") <=
             r.said().count("accept.resumed") + 1,
             "said when it begins and when it ends", r.said())
        for c in held:
            c.close()


def taken_by_another():
    """What it had no descriptor for, another process of the pool takes."""
    if not shutil.which("prlimit"):
        h.skip("no prlimit", "a connection that another takes")
        return
    with Responder("-c", "50") as r:
        h.until(lambda: r.files() == 4, "standard files and epoll alone")
        enough = resource.prlimit(r.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(r.process.pid, resource.RLIMIT_NOFILE,
                         (4, enough[1]))
        with r.connect():
            r.waits_for("accept.failed")
            r.listening.accept()[0].close()
        resource.prlimit(r.process.pid, resource.RLIMIT_NOFILE, enough)
        time.sleep(0.2)
        before = r.cpu_s()
        time.sleep(1)
        h.ok(r.cpu_s() - before < 0.3, "then it waits and does not spin",
             r.cpu_s() - before)
        with r.connect() as c:
            h.eq(c.ask(GET).status, 200, "and takes the next")


def no_starvation():
    with Responder() as r:
        count = 300
        kept = [r.connect() for _ in range(count)]
        done = [0] * count
        with selectors.DefaultSelector() as selector:
            for i, c in enumerate(kept):
                selector.register(c.socket, selectors.EVENT_READ, i)
                c.send(fastcgi.encode(GET))
            end = time.monotonic() + 30
            while min(done) < 20 and time.monotonic() < end:
                for key, _events in selector.select(1):
                    c = kept[key.data]
                    assert c.answer().body == says(0)
                    done[key.data] += 1
                    c.send(fastcgi.encode(GET))
        # Whom a busy machine lets go first is not ours to say; who is passed
        # over, is.
        h.ok(max(done) <= 10 * min(done), "300 connections get their share",
             "%d to %d" % (min(done), max(done)))
        for c in kept:
            c.close()


def no_reader():
    with Responder() as r, r.connect() as deaf, r.connect() as c:
        deaf.send(fastcgi.encode(dict(GET, TEST_SIZE=50000000)))
        c.send(fastcgi.encode(GET))
        begun = time.monotonic()
        h.eq(c.answer().status, 200, "a peer that does not read holds nobody")
        h.ok(time.monotonic() - begun < 8, "for long",
             time.monotonic() - begun)


def slow_reader():
    """Each write succeeds in time, all of them together do not."""
    with Responder() as r, r.connect() as slow, r.connect() as c:
        slow.send(fastcgi.encode(dict(GET, TEST_SIZE=50000000)))
        c.send(fastcgi.encode(GET))
        begun = time.monotonic()
        while not select.select([c.socket], [], [], 0.2)[0] and \
                time.monotonic() < begun + 20:
            slow.socket.recv(20000)
        h.eq(c.answer().status, 200, "nor does one that reads slowly")
        h.ok(time.monotonic() - begun < 8, "hold anybody for long",
             time.monotonic() - begun)


def late_reader():
    """The watch on the request in hand interrupts what is being written."""
    with Responder("-d", "200") as r, r.connect() as c:
        c.send(fastcgi.encode(dict(GET, TEST_SIZE=2000000)))
        time.sleep(1)
        h.eq(len(c.answer().body), len(says(0)) + 2000000,
             "an answer that has to wait for its reader comes whole")


def ends(prepare, name, code=0, at_most=2, args=("-d", "3000"),
         also=lambda r, c: True):
    """SIGTERM in some state: it ends with that code in that time."""
    with contextlib.ExitStack() as stack:
        r = stack.enter_context(Responder(*args))
        known = r.sockets()
        c = stack.enter_context(r.connect())
        h.until(lambda: r.sockets() - known, "the connection is taken")
        prepare(r, c)
        r.process.expected = {code}
        begun = time.monotonic()
        r.process.send(signal.SIGTERM)
        h.ok(also(r, c), "SIGTERM " + name)
        h.eq(r.has_ended(10), code, "the end of it, " + name)
        took = time.monotonic() - begun
        h.ok(took < at_most, "in time, " + name, took)


def in_hand(ms):
    """A request that takes so long, and is in hand when this returns."""
    def prepare(r, c):
        c.send(fastcgi.encode(dict(GET, TEST_SLEEP_MS=ms)))
        r.waits_for("request.begun")
    return prepare


def drain():
    ends(lambda r, c: None, "with a silent connection",
         also=lambda r, c: c.is_closed())
    ends(lambda r, c: c.ask(GET), "with an idle one",
         also=lambda r, c: c.is_closed())
    ends(in_hand(500), "with a request in hand", at_most=3,
         also=lambda r, c: c.answer().status == 200 and c.is_closed())
    ends(lambda r, c: send_half(c), "with a half-sent request", at_most=4,
         also=lambda r, c: finish_half(r, c))
    ends(lambda r, c: send_half(c), "with one half-sent for ever", at_most=3,
         args=("-d", "500"))
    ends(in_hand(30000), "with a request that hangs", code=70, at_most=4,
         args=("-d", "500"), also=lambda r, c: r.waits_for(
             " CRITICAL drain.gave_up a request did not end in time\n") or True)
    with Responder("-d", "500") as r, r.connect() as c:
        c.send(fastcgi.encode(dict(GET, TEST_SLEEP_MS=1500)))
        h.eq(c.answer().status, 200, "no end without a signal")


def send_half(c):
    c.ask(GET)  # so the connection is taken, and not left to another process
    c.send(fastcgi.encode(GET)[:-1])


def finish_half(r, c):
    r.waits_for("drain.begin")
    c.send(fastcgi.encode(GET)[-1:])
    return c.answer().status == 200 and c.is_closed()


def signals():
    with Responder() as r, r.connect() as c:
        in_hand(600)(r, c)
        begun = time.monotonic()
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT,
                       signal.SIGTERM):
            r.process.send(number)
        h.eq(c.answer().status, 200, "a second signal changes nothing")
        h.eq(r.has_ended(), 0, "it ends with 0")
        h.lacks(r.said(), "sleep.interrupted", "no call was interrupted")
        h.ok(time.monotonic() - begun > 0.3, "after the request in hand")
    for number in (signal.SIGINT, signal.SIGUSR1):
        with Responder() as r:
            r.process.send(number)
            h.eq(r.has_ended(), 0, "%s ends it too" % number.name)
    with Responder() as r, r.connect() as c:
        c.ask(GET)
        r.process.send(signal.SIGHUP)
        r.waits_for("hangup.done")
        h.eq(c.ask(GET).status, 200, "SIGHUP is told, and it serves on")
        r.process.send(signal.SIGPIPE)
        h.eq(c.ask(GET).status, 200, "SIGPIPE is nothing")
    with Responder() as r:
        begin_load_and_stop(r)


def begin_load_and_stop(r):
    """A signal gets through to a loop that always has something to do."""
    busy = [r.connect() for _ in range(20)]
    with selectors.DefaultSelector() as selector:
        for c in busy:
            c.ask(GET)  # so it is accepted
            selector.register(c.socket, selectors.EVENT_READ, c)
        for c in busy:
            c.send(fastcgi.encode(GET))
        r.process.send(signal.SIGTERM)
        end = time.monotonic() + 5
        while busy and time.monotonic() < end:
            for key, _events in selector.select(1):
                c = key.data
                try:
                    c.answer()
                    c.send(fastcgi.encode(GET))
                except (EOFError, ConnectionError):
                    selector.unregister(c.socket)
                    busy.remove(c)
                    c.close()
    h.eq(len(busy), 0, "under load all are closed")
    h.eq(r.has_ended(), 0, "and it ends")


def main():
    for part in (kept_connection, records, authorizer, byte_by_byte,
                 input_first, half_sent, too_large, garbage,
                 limit_of_connections, few_descriptors, taken_by_another,
                 no_starvation, no_reader, slow_reader, late_reader, drain,
                 signals):
        h.diag(part.__name__)
        part()


h.run(main)
