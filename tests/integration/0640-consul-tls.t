#!/usr/bin/env python3
# 0640-consul-tls.t - Consul by HTTPS, and who is not trusted. SPDX-License-Identifier: GPL-3.0-or-later
import shutil
import tempfile

import consul
import harness as h

FAILED = "Connection to consul failed"


def works(c, title, **more):
    with h.Service(c.config(**more), check=1) as s:
        answer = s.login()
        h.eq(answer.status, 200, title, answer, s.read("xivo-auth.log"))


def refused(c, title, *words, **more):
    """A 500, and a log that says what is wrong with the certificate."""
    with h.Service(c.config(**more), check=1) as s:
        answer = s.login()
        h.eq((answer.status, answer.reason), (500, FAILED),
             title + ": nothing is issued")
        answer = s.http("GET", "/0.1/token/" + h.TOKEN)
        h.eq((answer.status, answer.reason), (500, FAILED),
             title + ": nothing is looked up")
        log = s.read("xivo-auth.log").lower()
        h.ok(any(w in log for w in words), title + ": the log tells it",
             words, log)
    h.eq(c.keys(), [], title + ": nothing was written")


def bad_files(c, tls, folder):
    """A file that cannot be read is the operator's to mend: exit 78."""
    for title, more in (
            ("a CA file that is missing", {"verify": folder + "/none.pem"}),
            ("a certificate that is missing", {"cert": folder + "/none.pem",
                                               "key": tls.client()[1]}),
            ("a key that is missing", {"cert": tls.client()[0],
                                       "key": folder + "/none.pem"})):
        with h.Service(c.config(**more), start=False) as s:
            with h.listen_on(s.check_socket) as listening:
                done = s.run_program("xivo-auth-fcgi", "-c", s.config,
                                     stdin=listening)
            h.ok(done.returncode == 78 and folder in done.stderr,
                 title + " is named", done.returncode, done.stderr)


def main():
    folder = tempfile.mkdtemp(prefix="xivo-auth-test-")
    try:
        tls = consul.Authority(folder)
        with consul.Consul(tls=tls) as c:
            works(c, "the right CA")
            works(c, "no verification, as asked", verify=False)
            c.delete_all(consul.PREFIX)
            refused(c, "wrong CA", "certificate", verify=tls.other_ca)
            refused(c, "the system's CAs", "certificate", verify=True)
            bad_files(c, tls, folder)
        with consul.Consul(tls=tls, certificate=tls.wrong_name()) as c:
            refused(c, "wrong name", "name", "match")
        with consul.Consul(tls=tls, certificate=tls.expired()) as c:
            refused(c, "expired", "expired", "certificate")
        with consul.Consul(tls=tls, verify_incoming=True) as c:
            refused(c, "no client certificate", "certificate", "handshake",
                    "tls", "alert")
            cert, key = tls.client()
            works(c, "with a client certificate", cert=cert, key=key)
            c.delete_all(consul.PREFIX)
            refused(c, "plain HTTP to the port of HTTPS", "reset", "empty",
                    "400", "http", scheme="http")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


h.run(main)
