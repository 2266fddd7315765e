/* names.c - the keys below consul.prefix. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/names.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/str.h"

#define SUBJECT_LEN (XA_SUBJECT_TEXT - 1)
#define WHEN_LEN (XA_WHEN_TEXT - 1)

int64_t
xa_consul_when(int64_t expires_us)
{
    int64_t when;

    if (expires_us <= 0)
        return 0;
    when = expires_us / XA_US_PER_S + (expires_us % XA_US_PER_S > 0);
    return when < XA_WHEN_MAX ? when : XA_WHEN_MAX;
}

void
xa_consul_subject(const char *auth_id, char out[XA_SUBJECT_TEXT])
{
    char whole[XA_SHA256_TEXT];

    xa_sha256_hex(auth_id, strlen(auth_id), whole);
    memcpy(out, whole, SUBJECT_LEN);
    out[SUBJECT_LEN] = '\0';
}

/* Without printf, which would be a tenth of our share of an issue. */

void
xa_consul_put_token(struct xa_buf *out, const char *prefix,
                    const struct xa_key *key)
{
    xa_buf_puts(out, prefix);
    xa_buf_puts(out, "tokens/");
    xa_buf_puts(out, key->text);
}

void
xa_consul_put_schedule(struct xa_buf *out, const char *prefix, int64_t when,
                       const struct xa_key *key)
{
    char digits[WHEN_LEN + 1]; /* and the "/" behind them */

    assert(when >= 0 && when <= XA_WHEN_MAX);
    *xa_str_put_digits(digits, (uint64_t)when, WHEN_LEN) = '/';
    xa_buf_puts(out, prefix);
    xa_buf_puts(out, "schedule/");
    xa_buf_put(out, digits, sizeof digits);
    xa_buf_puts(out, key->text);
}

void
xa_consul_put_subject(struct xa_buf *out, const char *prefix,
                      const char subject[XA_SUBJECT_TEXT],
                      const struct xa_key *key)
{
    xa_buf_puts(out, prefix);
    xa_buf_puts(out, "subjects/");
    xa_buf_puts(out, subject);
    xa_buf_putc(out, '/');
    xa_buf_puts(out, key->text);
}

static bool
is_plain_in_url(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c && strchr("-._~/", c));
}

void
xa_consul_put_escaped(struct xa_buf *out, const char *name)
{
    for (; *name; name++) {
        if (is_plain_in_url(*name))
            xa_buf_putc(out, *name);
        else
            xa_buf_putf(out, "%%%02X", (unsigned char)*name);
    }
}

/* --- back from text --- */

/* Step over what a name must begin with; false: it does not. */
static bool
skip(const char **at, const char *expected)
{
    size_t len = strlen(expected);

    if (strncmp(*at, expected, len) != 0)
        return false;
    *at += len;
    return true;
}

/* So many characters of a set, and a "/" behind them. */
static bool
take(const char **at, const char *set, size_t len, char *out)
{
    if (strspn(*at, set) != len || (*at)[len] != '/')
        return false;
    memcpy(out, *at, len);
    out[len] = '\0';
    *at += len + 1;
    return true;
}

/* The key ends the name: 64 digits, or a UUID, in lower case. */
static bool
take_key(const char *at, struct xa_key *out)
{
    size_t len = strlen(at);
    char uuid[XA_UUID_TEXT];

    if (!xa_str_is_hex(at, XA_SHA256_TEXT - 1) &&
        (!xa_uuid_parse(at, len, uuid) || strcmp(at, uuid) != 0))
        return false;
    memcpy(out->text, at, len + 1);
    return true;
}

bool
xa_consul_read_token(const char *name, const char *prefix, struct xa_key *out)
{
    return skip(&name, prefix) && skip(&name, "tokens/") && take_key(name, out);
}

bool
xa_consul_read_schedule(const char *name, const char *prefix, int64_t *out_when,
                        struct xa_key *out)
{
    char digits[XA_WHEN_TEXT];
    uint64_t when;

    if (!skip(&name, prefix) || !skip(&name, "schedule/") ||
        !take(&name, "0123456789", WHEN_LEN, digits) ||
        !xa_str_to_u64(digits, XA_WHEN_MAX, &when) || !take_key(name, out))
        return false;
    *out_when = (int64_t)when;
    return true;
}

bool
xa_consul_read_subject(const char *name, const char *prefix,
                       char out_subject[XA_SUBJECT_TEXT], struct xa_key *out)
{
    char subject[XA_SUBJECT_TEXT];

    if (!skip(&name, prefix) || !skip(&name, "subjects/") ||
        !take(&name, "0123456789abcdef", SUBJECT_LEN, subject) ||
        !take_key(name, out))
        return false;
    memcpy(out_subject, subject, sizeof subject);
    return true;
}

/* --- an interval as prefixes --- */

void
xa_cover_begin(struct xa_cover *cover, int64_t from, int64_t to)
{
    cover->next = from;
    cover->to = to;
}

bool
xa_cover_next(struct xa_cover *cover, char out[XA_WHEN_TEXT])
{
    int digits = WHEN_LEN;
    int64_t span = 1; /* seconds below a prefix of so many digits */

    if (cover->next > cover->to)
        return false;
    while (digits > 0 && cover->next % (span * 10) == 0 &&
           cover->next + span * 10 - 1 <= cover->to) {
        span *= 10;
        digits--;
    }
    out[0] = '\0';
    if (digits > 0)
        snprintf(out, XA_WHEN_TEXT, "%0*" PRId64, digits, cover->next / span);
    cover->next += span;
    return true;
}
