# consul_keys.py - what must lie in Consul, told a second time. SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of the Consul store as other programs see them: made here without
any of our code, so that a test can write and judge them."""

import datetime
import hashlib
import json
import math
import uuid

from consul import PREFIX

TOKENS = PREFIX + "tokens/"
SCHEDULE = PREFIX + "schedule/"
SUBJECTS = PREFIX + "subjects/"
LOCK = PREFIX + "expiryd/leader"
SOUND = {"unreadable": 0, "unscheduled": 0, "unlisted": 0,
         "stray schedules": 0, "stray subjects": 0, "odd names": 0}
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)


def key_of(token):
    return hashlib.sha256(token.encode()).hexdigest()


def subject_of(auth_id):
    return hashlib.sha256(auth_id.encode()).hexdigest()[:32]


def text_of(unix, zone=UTC):
    """As the record has it."""
    moment = EPOCH + datetime.timedelta(microseconds=round(unix * 1e6))
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(
        timespec="microseconds")


def unix_of(text):
    moment = datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)
    return (moment - EPOCH) / datetime.timedelta(microseconds=1) / 1e6


def when_of(expires):
    return "%010d" % math.ceil(expires)


def record(expires, issued=None, auth_id="auth-id", token=None, acls=(),
           **more):
    """A record as this service writes it; with `token`, for plain keys."""
    issued = expires - 3600 if issued is None else issued
    fields = {"auth_id": auth_id, "xivo_user_uuid": None, "xivo_uuid": None,
              "issued_at": text_of(issued, None),
              "expires_at": text_of(expires, None),
              "utc_issued_at": text_of(issued),
              "utc_expires_at": text_of(expires), "acls": list(acls)}
    if token:
        fields["token"] = token
    fields.update(more)
    return json.dumps({k: v for k, v in fields.items() if v != "absent"}
                      ).encode()


def names(key, expires, auth_id="auth-id"):
    """Of a token, its schedule and its subject entry."""
    return (TOKENS + key, "%s%s/%s" % (SCHEDULE, when_of(expires), key),
            "%s%s/%s" % (SUBJECTS, subject_of(auth_id), key))


def pairs_of(expires, token=None, auth_id="auth-id", **more):
    """The three keys with their values, for Consul.put_many()."""
    token = token or str(uuid.uuid4())
    name, schedule, subject = names(key_of(token), expires, auth_id)
    return [(name, record(expires, auth_id=auth_id, **more)),
            (schedule, subject_of(auth_id).encode()), (subject, b"")]


def token_keys(pairs):
    """The keys of the tokens that are there."""
    return {x[len(TOKENS):] for x in pairs if x.startswith(TOKENS)}


def audit(pairs):
    """What does not fit, counted; SOUND when all fits."""
    found = dict(SOUND)
    wanted = set()
    for name, value in pairs.items():
        if not name.startswith(TOKENS):
            continue
        try:
            fields = json.loads(value)
            _, schedule, subject = names(
                name[len(TOKENS):], unix_of(fields["utc_expires_at"]),
                fields["auth_id"])
        except (ValueError, KeyError, TypeError):
            found["unreadable"] += 1
            continue
        found["unscheduled"] += schedule not in pairs
        found["unlisted"] += subject not in pairs
        wanted |= {schedule, subject}
    for name in pairs:
        if name.startswith((SCHEDULE, SUBJECTS)):
            which = "schedules" if name.startswith(SCHEDULE) else "subjects"
            found["stray " + which] += name not in wanted
        elif not name.startswith(TOKENS) and name != LOCK:
            found["odd names"] += 1
    return found
