# slapd.py - a real LDAP server, and scripted bad ones, for one test. SPDX-License-Identifier: GPL-3.0-or-later
"""A slapd of its own in a folder of its own, on free loopback ports.

    import harness as h
    import pgserver
    import slapd

    def main():
        with pgserver.Server() as db, slapd.Server() as ldap:
            ldap.person("alice", "correct horse", mail="alice@xivo.example")
            ldap.start()
            config = dict(db.config("ldap_user"), ldap=ldap.config())
            with h.Service(config) as s:
                ...

Entries are given before start(); add() takes more while it runs.
"""

import base64
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import harness as h

SUFFIX = "dc=xivo,dc=example"
PEOPLE = "ou=people," + SUFFIX
SERVICE = "cn=xivo-auth," + SUFFIX
SERVICE_PASSWORD = "Sv-c.aCCount-4kM"

CONF = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {dir}/slapd.pid
loglevel none
threads 4
{tls}
{more}
sizelimit 100
access to attrs=userPassword by anonymous auth by * none
access to * by * read
database mdb
suffix "{suffix}"
rootdn "cn=root,{suffix}"
rootpw root
directory {dir}/data
maxsize 8388608
dbnosync
index objectClass,uid eq
"""


def _openssl(*args):
    subprocess.run([h.need("openssl"), *args], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_ca(folder, name="ca"):
    """A CA; the path of its certificate."""
    path = os.path.join(folder, name)
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=test " + name, "-keyout", path + ".key",
             "-out", path + ".pem")
    return path + ".pem"


def make_certificate(folder, ca, names):
    """A server's key and certificate, for `names` as openssl writes them."""
    path = os.path.join(folder, "server")
    with open(path + ".ext", "w") as f:
        f.write("subjectAltName=%s\n" % names)
    _openssl("req", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
             "/CN=127.0.0.1", "-keyout", path + ".key",
             "-out", path + ".csr")
    _openssl("x509", "-req", "-in", path + ".csr", "-CA", ca, "-CAkey",
             ca[:-4] + ".key", "-CAcreateserial", "-days", "2",
             "-extfile", path + ".ext", "-out", path + ".crt")


def entry(dn, **attributes):
    """An entry as LDIF, with every value in Base64."""
    lines = ["dn:: " + base64.b64encode(dn.encode()).decode()]
    for name, values in attributes.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, str):
                value = value.encode()
            lines.append("%s:: %s" % (name,
                                      base64.b64encode(value).decode()))
    return "\n".join(lines) + "\n\n"


class Server:
    """
        names   of its certificate, "IP:127.0.0.1" say; None: it has no TLS
        more    lines for slapd.conf
    """

    def __init__(self, names="IP:127.0.0.1,DNS:localhost", more=""):
        self.slapd, self.slapadd = h.need("slapd", "slapadd")
        if not os.path.exists("/usr/lib/ldap/back_mdb.so") or \
                not os.path.exists("/etc/ldap/schema/core.schema"):
            raise h.SkipAll("slapd has no back_mdb or no schema here")
        self.process = None
        self.dir = tempfile.mkdtemp(prefix="xivo-auth-ldap-")
        self.ca = None
        try:
            os.mkdir(os.path.join(self.dir, "data"))
            self.port, self.tls_port = h.free_port(), h.free_port()
            self._configure(names, more)
            self.ldif = [
                entry(SUFFIX, objectClass=["dcObject", "organization"],
                      dc="xivo", o="XiVO"),
                entry(PEOPLE, objectClass="organizationalUnit", ou="people"),
                entry(SERVICE, objectClass=["applicationProcess",
                                            "simpleSecurityObject"],
                      cn="xivo-auth", userPassword=SERVICE_PASSWORD)]
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind and not issubclass(kind, h.SkipAll):
            h.diag("--- slapd", *self.said().splitlines()[-40:])
        self.close()

    def _configure(self, names, more):
        tls = ""
        if names:
            self.ca = make_ca(self.dir)
            make_certificate(self.dir, self.ca, names)
            tls = ("TLSCertificateFile {0}/server.crt\n"
                   "TLSCertificateKeyFile {0}/server.key\n".format(self.dir))
        with open(os.path.join(self.dir, "slapd.conf"), "w") as f:
            f.write(CONF.format(dir=self.dir, tls=tls, more=more,
                                suffix=SUFFIX))

    # --- what is in it ---

    def person(self, uid, password, rdn=None, where=PEOPLE, **more):
        """rdn: the first part of the DN, ready to use."""
        self.ldif.append(entry(
            "%s,%s" % (rdn or "uid=" + uid, where),
            objectClass="inetOrgPerson", uid=uid, cn="A person", sn="Person",
            **({"userPassword": password} if password else {}), **more))

    # --- the server ---

    def start(self):
        if self.ldif:
            subprocess.run(
                [self.slapadd, "-q", "-f", os.path.join(
                    self.dir, "slapd.conf")], check=True,
                input="".join(self.ldif), text=True)
            self.ldif = []
        where = "ldap://127.0.0.1:%d/" % self.port
        if self.ca:
            where += " ldaps://127.0.0.1:%d/" % self.tls_port
        # Its own copy of slapd.err grows over restarts.
        self.process = h.Process(
            "slapd", [self.slapd, "-d", "0", "-h", where, "-f",
                      os.path.join(self.dir, "slapd.conf")],
            os.path.join(self.dir, "slapd.err"))
        h.until(self._is_up, "slapd", 20)

    def _is_up(self):
        if not self.process.alive():
            raise RuntimeError("slapd does not start:\n" + self.said())
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def stop(self):
        if self.process:
            self.thaw()
            self.process.stop(signal.SIGTERM, 20)
            self.process = None

    def freeze(self):
        """It answers nothing more, but its sockets still take and hold."""
        h.freeze(self.process.pid)

    def thaw(self):
        self.process.send(signal.SIGCONT)

    def close(self):
        self.stop()
        if os.environ.get("XA_KEEP") == "1":
            h.diag("kept: " + self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def said(self):
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(self.dir, "slapd.err"),
                      errors="replace") as f:
                return f.read()
        return ""

    # --- how to reach it ---

    def config(self, way="service", tls="none", **more):
        """The section `ldap` of config.yml.

            way  service, anonymous or dn: how users are found
            tls  none, start_tls or ldaps
        """
        section = {
            "uri": "ldaps://127.0.0.1:%d" % self.tls_port
                   if tls == "ldaps" else "ldap://127.0.0.1:%d" % self.port,
            "user_base_dn": PEOPLE}
        if way == "service":
            section.update(bind_dn=SERVICE, bind_password=SERVICE_PASSWORD)
        elif way == "anonymous":
            section["bind_anonymous"] = True
        if tls != "none":
            section["ca_cert"] = self.ca
        if tls == "start_tls":
            section["start_tls"] = True
        section.update(more)
        return section


class Scripted:
    """A server that does what each connection's script says.

    A script is called with the socket; the connection is closed when it
    returns. Scripts end by themselves when the other side hangs up.
    """

    def __init__(self, script):
        self.script = script
        self.count = 0
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _accept(self):
        while True:
            try:
                s, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self._serve, args=(s,),
                             daemon=True).start()

    def _serve(self, s):
        with contextlib.suppress(OSError), s:
            s.settimeout(20)
            self.script(s)


def silent(s):
    """Take everything, say nothing."""
    while s.recv(65536):
        pass


def message(number, tag, body):
    """An LDAPMessage; everything in it is short."""
    inside = b"\x02\x01" + bytes([number, tag, len(body)]) + body
    return b"\x30" + bytes([len(inside)]) + inside


def result(number, tag, code, said=b""):
    return message(number, tag, b"\x0a\x01" + bytes([code]) + b"\x04\x00\x04"
                   + bytes([len(said)]) + said)


BIND, SEARCH_DONE, EXTENDED = 0x61, 0x65, 0x78


def answers(*replies):
    """A script: one reply for each message that comes, then silence."""
    def script(s):
        for reply in replies:
            if not s.recv(65536):
                return
            s.sendall(reply)
        silent(s)
    return script


def drips(data, pause=0.1):
    """A script: when asked, a byte at a time, and never all."""
    def script(s):
        if not s.recv(65536):
            return
        for byte in data:
            s.sendall(bytes([byte]))
            time.sleep(pause)
        silent(s)
    return script
