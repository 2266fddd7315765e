/* mask.c - text of a request as a log may show it. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/mask.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/support/sha256.h"

#define DIGITS_MIN 16 /* half a token is too much already */
#define ROUTE "/token/"
#define HEX_DIGITS "0123456789abcdefABCDEF"
#define CUT "..."

/*
 * Longest text that is masked.  Masking makes nothing longer but a segment
 * behind ROUTE, at most to ROUTE and a key for each ROUTE that fits in.
 */
#define PLAIN_MAX (XA_MASK_TEXT / 3)

/* What a token is made of.  Not isxdigit(), which asks the locale. */
static bool
is_run_byte(char c)
{
    static const bool table[UCHAR_MAX + 1] = {
        ['0' ... '9'] = true,
        ['a' ... 'f'] = true,
        ['A' ... 'F'] = true,
        ['-'] = true,
    };

    return table[(unsigned char)c];
}

/* Decode what can be decoded, NUL excepted; cut before a run at the end.
 * Returns the length. */
static size_t
decode(const char *text, char out[PLAIN_MAX + sizeof CUT])
{
    size_t n = strcspn(text, "%"); /* nearly always all of it */

    if (n > PLAIN_MAX)
        n = PLAIN_MAX;
    memcpy(out, text, n);
    text += n;
    while (*text && n < PLAIN_MAX) {
        if (text[0] == '%' && strspn(text + 1, HEX_DIGITS) >= 2 &&
            strncmp(text + 1, "00", 2) != 0) {
            (void)xa_str_percent_decode(text, 3, out + n++, false);
            text += 3;
        } else {
            out[n++] = *text++;
        }
    }
    if (*text) {
        while (n > 0 && is_run_byte(out[n - 1]))
            n--;
        memcpy(out + n, CUT, sizeof CUT - 1);
        n += sizeof CUT - 1;
    }
    out[n] = '\0';
    return n;
}

static bool
is_telling(const char *run, size_t len)
{
    size_t digits = 0;

    if (len < DIGITS_MIN)
        return false;
    for (size_t i = 0; i < len; i++)
        digits += run[i] != '-';
    return digits >= DIGITS_MIN;
}

/* Bytes up to the next run that tells, or the next ROUTE. */
static size_t
plain_len(const char *text)
{
    size_t run = 0; /* where the last one began */
    size_t len;

    for (len = 0; text[len]; len++) {
        if (is_run_byte(text[len]))
            continue;
        if (is_telling(text + run, len - run))
            return run;
        if (text[len] == '/' &&
            strncmp(text + len, ROUTE, sizeof ROUTE - 1) == 0)
            return len;
        run = len + 1;
    }
    return is_telling(text + run, len - run) ? run : len;
}

static size_t
run_len(const char *text)
{
    size_t len = 0;

    while (is_run_byte(text[len]))
        len++;
    return len;
}

/* The key of a token is made from its lower-case form. */
static char *
put_key(char *out, char *id, size_t len)
{
    char key[XA_SHA256_TEXT];

    for (size_t i = 0; i < len; i++)
        if (id[i] >= 'A' && id[i] <= 'Z')
            id[i] |= 0x20;
    xa_sha256_hex(id, len, key);
    return (char *)mempcpy(out, key, XA_MASK_DIGITS);
}

const char *
xa_mask(const char *text, char out[XA_MASK_TEXT])
{
    char plain[PLAIN_MAX + sizeof CUT];
    char *in = plain;
    char *end = out;
    size_t whole = decode(text ? text : "", plain);
    size_t len;

    for (;;) {
        len = plain_len(in);
        end = mempcpy(end, in, len);
        in += len;
        if (!*in)
            break;
        if (*in == '/') {
            end = stpcpy(end, ROUTE);
            in += sizeof ROUTE - 1;
            len = strcspn(in, "/");
        } else {
            len = run_len(in);
        }
        if (len > 0)
            end = put_key(end, in, len);
        in += len;
    }
    *end = '\0';
    xa_wipe(plain, whole);
    return out;
}
