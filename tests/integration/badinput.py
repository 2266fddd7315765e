# badinput.py - logins and passwords that nobody should get in with. SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried on every backend that asks a server."""

import base64
import itertools

# Where a value might be pasted into SQL: what ends it, what is put in, and
# what makes the rest harmless.
_ENDS = ["'", "''", '"', "\\'", "')", "'))", "`", ";", "$$", "%27", "\u2019",
         "1", "$1", "\\", ""]
_MIDDLES = [
    " OR 1=1", " OR '1'='1", " OR 'a' LIKE '%", " OR TRUE", " OR login=login",
    " AND 1=(SELECT count(*) FROM userfeatures)",
    " UNION SELECT 'x','x'", " UNION ALL SELECT NULL,NULL,NULL,NULL",
    " UNION SELECT uuid,'x' FROM userfeatures", "; DROP TABLE userfeatures",
    "; DELETE FROM \"user\"", "; UPDATE userfeatures SET passwdclient='x'",
    "; INSERT INTO accesswebservice (login, passwd) VALUES ('x','x')",
    "; SELECT pg_sleep(10)", " || (SELECT pg_sleep(10))::text",
    " OR (SELECT 1 FROM pg_sleep(10)) IS NULL", "; COPY (SELECT 1) TO '/tmp/x'",
    " AND ascii(substr(passwdclient,1,1))>64", " RETURNING *", "/**/OR/**/1=1",
]
_TAILS = ["", " --", " #", "/*", ";--"]

_PLAIN = ["%", "_", "alice%", "al_ce", "*", "a*", "alice'", "alice'--",
          "alice' --", "alice'/*", "alice\\", "alice;", "{alice}", "{}",
          "NULL", "null", "true", "0", "-1", "1e9", "::text", "$$alice$$",
          "U&'\\0061lice'", "E'alice'", "chr(97)", "(SELECT 'alice')"]


def sql():
    """Over 500 logins that are SQL: the same each time."""
    made = ["alice%s%s%s" % words if n % 2 else "%s%s%s" % words
            for n, words in enumerate(
                itertools.product(_ENDS, _MIDDLES, _TAILS))]
    # Of each middle, every end and every tail is in every third.
    return _PLAIN + made[::3] + made[1::3][:100]


def header(login, password):
    """Basic credentials of any bytes."""
    return {"Authorization": "Basic " + base64.b64encode(
        login + b":" + password).decode()}


# Name, bytes. {} is a login that exists.
LOGINS = [
    ("an empty one", b""),
    ("with a NUL behind", b"%s\0"),
    ("with a NUL inside", b"al\0ice"),
    ("with a line end", b"%s\n"),
    ("with a carriage return", b"%s\r"),
    ("with an escape", b"\x1b[2J%s"),
    ("with DEL", b"%s\x7f"),
    ("with a C1 control", b"%s\xc2\x85"),
    ("of bytes that are no UTF-8", b"%s\xff\xfe"),
    ("of an overlong slash", b"%s\xc0\xaf"),
    ("of a surrogate", b"%s\xed\xa0\x80"),
    ("beyond Unicode", b"%s\xf4\x90\x80\x80"),
    ("cut in a character", b"%s\xc3"),
    ("with a no-break space", b"%s\xc2\xa0"),
    ("with a blank behind", b"%s "),
    ("with a blank before", b" %s"),
    ("of 256 bytes", b"a" * 256),
    ("of 257 bytes", b"a" * 257),
    ("of four-byte characters", b"\xf0\x9f\x98\x80" * 64),
    ("written with a combining accent", b"ali\xcc\x81ce"),
]

PASSWORDS = [
    ("an empty one", b""),
    ("with a NUL behind", b"%s\0"),
    ("with a NUL and more", b"%s\0more"),
    ("with a line end", b"%s\n"),
    ("with a blank behind", b"%s "),
    ("with a blank before", b" %s"),
    ("without its last byte", None),
    ("with colons before", b"::%s"),
    ("with colons behind", b"%s::"),
    ("of bytes that are no UTF-8", b"%s\xff"),
    ("of 512 bytes", b"p" * 512),
    ("of 513 bytes", b"p" * 513),
    ("that begins well, of 512 bytes", b"%s"),
    ("that begins well, of 513 bytes", b"%s"),
    ("non-ASCII", "пароль".encode()),
]


def fill(form, good, name=""):
    """The bytes of a form above."""
    if form is None:
        return good[:-1]
    if name.endswith(" bytes") and b"%s" in form:
        return good.ljust(int(name.split()[-2]), b"p")
    return form.replace(b"%s", good)


def refuse_all(h, s, backend, login, password):
    """Each of them through HTTP, one wrong thing at a time, and what is right
    last."""
    body = {"backend": backend}
    good = login.encode(), password.encode()

    def status(*words):
        return s.http("POST", "/0.1/token", body, header(*words)).status

    for name, form in LOGINS:
        h.eq(status(fill(form, good[0], name), good[1]), 401,
             "%s: a login %s" % (backend, name))
    for name, form in PASSWORDS:
        h.eq(status(good[0], fill(form, good[1], name)), 401,
             "%s: a password %s" % (backend, name))
    # More than nginx takes in one header, and more than anybody is called.
    h.eq(status(b"a" * 10240, good[1]), 400, "%s: 10 kB of login" % backend)
    direct = s.ask("POST", "/0.1/token", ('{"backend": "%s"}' % backend)
                   .encode(), which="login" if s.pools["login"] else "check",
                   HTTP_AUTHORIZATION=header(b"a" * 10240, good[1])
                   ["Authorization"])
    h.eq(direct.status, 401, "%s: 10 kB of login, past nginx" % backend)
    h.eq(status(*good), 200, "%s: after all that the right one" % backend)
