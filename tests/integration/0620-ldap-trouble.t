#!/usr/bin/env python3
# 0620-ldap-trouble.t - LDAP servers that are away, slow or not to be trusted. SPDX-License-Identifier: GPL-3.0-or-later
import concurrent.futures
import os
import signal
import socket
import struct
import subprocess
import threading
import time

import harness as h
import pgserver
import slapd

ALICE = ("alice", "correct horse")
WRONG = ("alice", "incorrect horse")
UUID = "63f3dc3c-865d-419e-bec2-e18c4b118224"
LIMIT_S = 3
# as slapd over GnuTLS takes it
OLD_TLS = "TLSCipherSuite NORMAL:-VERS-ALL:+VERS-TLS1.1"


def login(s, who):
    """Status, reason, Retry-After and seconds of a login, straight to a
    process."""
    begun = time.monotonic()
    answer = s.ask("POST", "/0.1/token", b'{"backend": "ldap_user"}',
                   headers=[("Authorization", h.basic(*who)),
                            ("Content-Type", "application/json")])
    return (answer.status, answer.json.get("reason"),
            answer.get("Retry-After"), time.monotonic() - begun)


def is_well(s, what):
    h.eq([login(s, who)[0] for who in (ALICE, WRONG)], [200, 401],
         what + ": it works", s.read("xivo-auth.log")[-1500:])


def check_away(s, answers, what, said=None):
    for status, reason, retry, seconds in answers:
        h.eq((status, reason), (503, ["Authentication backend unavailable"]),
             what + ": unavailable", s.read("xivo-auth.log")[-1500:])
        h.ok((retry or "").isdigit(), what + ": with Retry-After")
        h.ok(seconds < LIMIT_S, "%s: told within %d s" % (what, LIMIT_S),
             "%.3f s" % seconds)
    log = s.read("xivo-auth.log")
    if said:
        h.has(log, said, "%s: the log says %r" % (what, said))
    secrets = [x for x in (ALICE[1], WRONG[1], slapd.SERVICE_PASSWORD)
               if x in log]
    h.eq(secrets, [], what + ": no password in the log")


def is_away(s, what, said=None):
    check_away(s, [login(s, who) for who in (ALICE, WRONG)], what, said)


def service(db, section, **how):
    config = dict(db.config("ldap_user"), ldap=section)
    return h.Service(config, nginx=False, check=1, login=0, **how)


# --- a real server ---

def coming_and_going(db, ldap, s):
    is_well(s, "before")
    ldap.stop()
    is_away(s, "stopped", "refused")
    ldap.start()
    is_well(s, "started")
    ldap.freeze()
    is_away(s, "frozen", "no answer in time")
    ldap.thaw()
    is_well(s, "thawed")
    killed_in_the_middle(ldap, s)
    ldap.start()
    is_well(s, "after its death")
    db.freeze()
    h.eq(login(s, ALICE)[0], 503, "the database frozen: unavailable")
    h.eq(login(s, WRONG)[0], 401, "but a wrong password is known as one")
    db.thaw()
    is_well(s, "the database thawed")
    log = s.read("xivo-auth.log")
    h.eq((log.count("backend.unavailable"), log.count("backend.back")), (4, 4),
         "each trouble is said once, and its end")


def killed_in_the_middle(ldap, s):
    ldap.freeze()
    answers = []
    asker = threading.Thread(target=lambda: answers.append(login(s, ALICE)))
    asker.start()
    # accepted by the kernel, with the request behind it
    h.until(lambda: waiting(ldap.port), "a login that waits")
    ldap.process.kill()
    asker.join()
    check_away(s, answers, "killed in the middle")


def waiting(port):
    """Whether a connection to that port has bytes that nobody reads."""
    with open("/proc/net/tcp") as f:
        for line in f.readlines()[1:]:
            words = line.split()
            if words[1].endswith(":%04X" % port) and words[3] == "01" and \
                    not words[4].endswith(":00000000"):
                return True
    return False


def modify(ldap, text):
    """Change what a stopped slapd holds, and start it."""
    ldap.stop()
    subprocess.run([h.need("slapmodify"), "-f",
                    os.path.join(ldap.dir, "slapd.conf")], check=True,
                   input=text, text=True)
    ldap.start()


def misconfigured(db, ldap):
    change = "dn: %s\nchangetype: modify\nreplace: userPassword\n" \
             "userPassword: %%s\n\n" % slapd.SERVICE
    with service(db, ldap.config()) as s:
        modify(ldap, change % "changed")
        is_away(s, "another service password", "bind: Invalid credentials")
        modify(ldap, change % slapd.SERVICE_PASSWORD)
        is_well(s, "the right service password")
    there = "ou=later," + slapd.SUFFIX
    with service(db, ldap.config(user_base_dn=there)) as s:
        is_away(s, "no such base DN", "ldap.user_base_dn is not there")
        ldap.stop()
        ldap.ldif.append(slapd.entry(there, objectClass="organizationalUnit",
                                     ou="later"))
        ldap.person(*ALICE, where=there, mail="alice@xivo.example")
        ldap.start()
        is_well(s, "the base DN made")


# --- bad ones, all at once ---

def tls_middle(s):
    """Half of the server's part of a handshake."""
    if s.recv(65536):
        s.sendall(b"\x16\x03\x03\x01\x00\x02\x00\x00\x51\x03\x03" + b"x" * 20)
        slapd.silent(s)


def start_tls_then(script):
    def both(s):
        if s.recv(65536):
            s.sendall(slapd.result(1, slapd.EXTENDED, 0))
            script(s)
    return both


def flood(s):
    """Entries without end."""
    s.recv(65536)
    s.sendall(slapd.result(1, slapd.BIND, 0))
    s.recv(65536)
    entry = slapd.message(2, 0x64, b"\x04\x60" + b"x" * 96 + b"\x30\x00")
    while True:
        s.sendall(entry * 100)


def hang_up(_):
    pass


PLAIN = {
    "silent": (slapd.silent, "no answer in time"),
    "hangs up": (hang_up, None),
    "half an answer": (slapd.answers(slapd.result(1, slapd.BIND, 0)[:-3]),
                       "no answer in time"),
    "a byte at a time": (slapd.drips(b"\x30\x82\x01\x00" + b"\x02" * 100),
                         "no answer in time"),
    "an endless length": (slapd.answers(b"\x30\x84\x7f\xff\xff\xff\x02\x01"),
                          None),
    "garbage": (slapd.answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"), None),
    "entries without end": (flood, None),
    "the answer to another": (slapd.answers(slapd.result(9, slapd.BIND, 0)),
                              "no answer in time"),
    "silent at the search": (slapd.answers(slapd.result(1, slapd.BIND, 0)),
                             "search: no answer in time"),
    "an entry without a DN": (slapd.answers(
        slapd.result(1, slapd.BIND, 0),
        slapd.message(2, 0x64, b"\x04\x00\x30\x00") +
        slapd.result(2, slapd.SEARCH_DONE, 0)), "DN of no use"),
}
TLS = {
    "silent at TLS": ("ldaps", slapd.silent, "no answer in time"),
    "silent in the middle of TLS": ("ldaps", tls_middle, "no answer in time"),
    "TLS a byte at a time": ("ldaps", slapd.drips(
        b"\x16\x03\x03\x40\x00\x02\x00\x3f\xf0" + b"\x03" * 100),
        "no answer in time"),
    "no TLS at all": ("ldaps", slapd.answers(b"-ERR\r\n"), "TLS"),
    "silent at StartTLS": ("start_tls", slapd.silent, "no answer in time"),
    "silent after StartTLS": ("start_tls", start_tls_then(slapd.silent),
                              "no answer in time"),
    "silent in the TLS of StartTLS": (
        "start_tls", start_tls_then(tls_middle), "no answer in time"),
}


def section(ldap, port, tls="none"):
    uri = "%s://127.0.0.1:%d" % ("ldaps" if tls == "ldaps" else "ldap", port)
    return ldap.config("service", tls, uri=uri)


def many(db, ldap, cases):
    """Cases: name -> (section, what the log says, how to start)."""
    services = {}
    try:
        for name, (ldap_part, _, how) in cases.items():
            services[name] = service(db, ldap_part, **how)
        with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
            asked = {name: pool.submit(
                lambda s: [login(s, who) for who in (ALICE, WRONG)], s)
                for name, s in services.items()}
        for name, s in services.items():
            check_away(s, asked[name].result(), name, cases[name][1])
    finally:
        for s in services.values():
            s.stop()


def scripted(db, ldap):
    servers = {name: slapd.Scripted(script)
               for name, (script, _) in PLAIN.items()}
    servers.update({name: slapd.Scripted(script)
                    for name, (_, script, _) in TLS.items()})
    many(db, ldap, {name: (
        section(ldap, server.port,
                TLS[name][0] if name in TLS else "none"),
        TLS[name][2] if name in TLS else PLAIN[name][1], {})
        for name, server in servers.items()})
    for server in servers.values():
        server.__exit__()


def untrusted(db, ldap, wrong_name, old_tls, without_tls):
    """No certificate, no connection, no password."""
    other = slapd.make_ca(ldap.dir, "other")
    said = "TLS: no connection with a certificate for this name"
    rc = os.path.join(ldap.dir, "ldaprc")
    os.mkfifo(rc + ".fifo")  # who opens it hangs
    with open(rc, "w") as f:
        f.write("TLS_REQCERT never\nTLS_CACERT %s\n" % ldap.ca)
    lenient = {"LDAPTLS_REQCERT": "never", "LDAPTLS_CACERT": ldap.ca,
               "LDAPCONF": rc, "LDAPRC": "ldaprc", "HOME": ldap.dir}
    fifo = {"LDAPCONF": rc + ".fifo"}
    cases = {}
    for tls in ("ldaps", "start_tls"):
        good = ldap.config("service", tls)
        cases[tls + " untrusted"] = (dict(good, ca_cert=other), said, {})
        cases[tls + " not the system's"] = (dict(good, ca_cert=None), said, {})
        cases[tls + " in spite of LDAPCONF"] = (
            dict(good, ca_cert=other), said, {"env": lenient})
        cases[tls + ", LDAPCONF unread"] = (
            dict(good, ca_cert=other), said, {"env": fifo})
        cases[tls + " without the CA's file"] = (
            dict(good, ca_cert="/nonexistent/ca.pem"),
            "TLS: no CA certificates in: /nonexistent/ca.pem", {})
        cases[tls + " for another name"] = (
            wrong_name.config("service", tls), said, {})
        cases[tls + " 1.1"] = (old_tls.config("service", tls), "no TLS 1.2",
                                 {})
    cases["StartTLS refused"] = (
        without_tls.config(start_tls=True, ca_cert=other), "StartTLS", {})
    many(db, ldap, cases)
    for tls in ("ldaps", "start_tls"):
        with service(db, ldap.config("service", tls), env=fifo) as s:
            is_well(s, "trusted, %s" % tls)


def nothing_in_the_clear(db, ldap):
    """A server that refuses StartTLS gets no password."""
    got = []

    def refuse(s):
        for _ in range(4):
            data = s.recv(65536)
            got.append(data)
            if not data:
                return
            s.sendall(slapd.result(1, slapd.EXTENDED, 2, b"no TLS here"))

    with slapd.Scripted(refuse) as server:
        with service(db, section(ldap, server.port, "start_tls")) as s:
            is_away(s, "no TLS here", "StartTLS: Protocol error (2): no TLS")
    sent = b"".join(got)
    h.ok(got and slapd.SERVICE_PASSWORD.encode() not in sent and
         ALICE[1].encode() not in sent, "no password was sent")


# --- what servers say ---

REFUSALS = {16, 19, 32, 34, 48, 49, 50, 53}


def codes(db, ldap):
    """Every result of a bind and of a search, but for one that is good."""
    now = {}

    def serve(s):
        for reply in now["replies"]:
            if s.recv(65536):
                s.sendall(reply)
        slapd.silent(s)

    def check(s, what, code, expected, *replies):
        now["replies"] = replies
        got = login(s, ALICE)
        if got[0] != expected or got[3] > 1.9:
            h.eq(got, (expected, "soon"), "%s: %d" % (what, code),
                 s.read("xivo-auth.log")[-800:])

    good = slapd.result(1, slapd.BIND, 0)
    with slapd.Scripted(serve) as server:
        part = section(ldap, server.port)
        with service(db, part) as s:
            for code in range(1, 81):
                check(s, "bind_dn", code, 503,
                      slapd.result(1, slapd.BIND, code))
                check(s, "search", code, 401 if code == 4 else 503,
                      good,
                      slapd.result(2, slapd.SEARCH_DONE, code))
        h.ok(True, "80 results of the service's bind and search")
        del part["bind_dn"]
        with service(db, part) as s:
            for code in range(1, 81):
                check(s, "user", code, 401 if code in REFUSALS else 503,
                      slapd.result(1, slapd.BIND, code))
                check(s, "email", code, 401 if code in (32, 50) else 503,
                      good, slapd.result(2, slapd.SEARCH_DONE, code))
            check(s, "no entry", 0, 401, good,
                  slapd.result(2, slapd.SEARCH_DONE, 0))
        h.ok(True, "80 results of the user's bind and search")


def several(db, ldap):
    """The next server serves while one is away."""
    with slapd.Scripted(slapd.silent) as deaf:
        good = ldap.config()
        for first, expected in (
                (h.free_port(), [200, 401, 200]),
                (deaf.port, [503, 401, 200])):
            uri = "ldap://127.0.0.1:%d %s" % (first, good["uri"])
            with service(db, dict(good, uri=uri)) as s:
                got = [login(s, who) for who in (ALICE, WRONG, ALICE)]
                h.eq([x[0] for x in got], expected, "of two, one away")
                h.ok(max(x[3] for x in got) < LIMIT_S, "each in time", got)


# --- names that nobody tells ---

NAME_SERVERS = ["127.101.53.%d" % i for i in (1, 2, 3)]


class Elsewhere(h.Service):
    """Its processes read another resolv.conf."""

    def __init__(self, resolv_conf, *args, **how):
        self.inside = [h.need("unshare"), "--mount", "sh", "-c",
                       "mount --bind '%s' /etc/resolv.conf && exec \"$@\"" %
                       resolv_conf, "sh"]
        super().__init__(*args, **how)

    def process(self, name, argv, **how):
        return super().process(name, self.inside + argv, **how)


def can_be_elsewhere():
    return os.geteuid() == 0 and subprocess.run(
        [h.need("unshare"), "--mount", "sh", "-c",
         "mount --bind /dev/null /etc/resolv.conf"],
        stderr=subprocess.DEVNULL).returncode == 0


def tell_names(server):
    """What a name server says that knows one name, and its address alone."""
    known = b"\x05ldap0\x09directory\x07example\0"
    while True:
        question, asker = server.recvfrom(512)
        if question == b"":
            return
        end = question.index(b"\0", 12) + 1
        is_known = question[12:end] == known
        record = b""
        if is_known and question[end:end + 2] == b"\0\1":
            record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x7f\0\0\1"
        server.sendto(question[:2] + b"\x81" + (
            b"\x80" if is_known else b"\x83") + struct.pack(
            ">4H", 1, len(record) and 1, 0, 0) + question[12:end + 4] + record,
            asker)


def names(db, ldap):
    servers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
               for _ in NAME_SERVERS]
    for server, address in zip(servers, NAME_SERVERS):
        server.bind((address, 53))
    path = os.path.join(ldap.dir, "resolv.conf")
    silent_names(db, ldap, path)
    teller = threading.Thread(target=tell_names, args=servers[:1])
    teller.start()
    try:
        told_names(db, ldap, path)
    finally:
        servers[0].sendto(b"", (NAME_SERVERS[0], 53))
        teller.join()
        for server in servers:
            server.close()


def told_names(db, ldap, path):
    with open(path, "w") as f:
        f.write("nameserver %s\nsearch no.example directory.example\n" %
                NAME_SERVERS[0])
    for name in ("ldap0.directory.example", "ldap0", "localhost"):
        uri = "ldap://%s:%d" % (name, ldap.port)
        config = dict(db.config("ldap_user"), ldap=ldap.config(uri=uri))
        with Elsewhere(path, config, nginx=False, check=1, login=0) as s:
            is_well(s, name)


def silent_names(db, ldap, path):
    """Name servers that say nothing: unavailable, in time, and no process is
    lost."""
    for count, name_servers, more, ending in (
            (1, 3, "", ".directory.example"),
            (1, 2, "search a.example b.example\n", ".directory.example"),
            (3, 3, "search a.example b.example\n", ".directory.example"),
            (3, 3, "search a.example b.example\n", "")):
        with open(path, "w") as f:
            f.write("".join("nameserver %s\n" % address for address in
                            NAME_SERVERS[:name_servers]) + more)
        uri = " ".join("ldap://ldap%d%s" % (i, ending) for i in range(count))
        config = dict(db.config("ldap_user"), ldap=ldap.config(uri=uri))
        with Elsewhere(path, config, nginx=False, check=1, login=0) as s:
            is_away(s, "%d servers, %d silent name servers, %r" % (
                count, name_servers, more + ending))
            h.ok(s.pools["check"][0].alive(), "its process lives")


def main():
    if not os.path.exists(os.path.join(h.BUILD, "backends", ".libs",
                                       "ldap_user.so")):
        raise h.SkipAll("ldap_user is not built")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    with pgserver.Server() as db, slapd.Server() as ldap, \
            slapd.Server(names="DNS:other.example") as wrong_name, \
            slapd.Server(more=OLD_TLS) as old_tls, \
            slapd.Server(names=None) as without_tls:
        db.user("x", "x", UUID, email="alice@xivo.example")
        for server in (ldap, wrong_name, old_tls, without_tls):
            server.person(*ALICE, mail="alice@xivo.example")
            server.start()
        with service(db, ldap.config()) as s:
            coming_and_going(db, ldap, s)
        misconfigured(db, ldap)
        untrusted(db, ldap, wrong_name, old_tls, without_tls)
        nothing_in_the_clear(db, ldap)
        scripted(db, ldap)
        codes(db, ldap)
        several(db, ldap)
        if can_be_elsewhere():
            names(db, ldap)
        else:
            h.skip("no mount is allowed here", "name servers")


h.run(main)
