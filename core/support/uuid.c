/* uuid.c - random UUIDs and their one spelling. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/uuid.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>

#include <uuid.h>

#include "core/base/secret.h"

#define UUID_BYTES sizeof(uuid_t)

static enum xa_rc
random_bytes(unsigned char *out, size_t len, struct xa_err *err)
{
    ssize_t n;

    while (len > 0) {
        n = getrandom(out, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return xa_fail(err, XA_E_UNAVAILABLE, "no random bytes: %s",
                           n < 0 ? strerror(errno) : "none came");
        out += n;
        len -= (size_t)n;
    }
    return XA_OK;
}

enum xa_rc
xa_uuid_random(char out[XA_UUID_TEXT], struct xa_err *err)
{
    uuid_t bytes;
    enum xa_rc rc;

    out[0] = '\0';
    /* cppcheck-suppress uninitvar ; this is what fills them */
    rc = random_bytes(bytes, UUID_BYTES, err);
    if (rc != XA_OK)
        return rc;
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* the variant */
    uuid_unparse_lower(bytes, out);
    xa_wipe(bytes, sizeof bytes);
    return XA_OK;
}

/* Lower case of a hexadecimal digit; 0 for anything else.  A table, because
 * no processor guesses where branches on random digits go. */
static char
hex_digit(char c)
{
    static const char lower[UCHAR_MAX + 1] = {
        ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4',
        ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
        ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e',
        ['f'] = 'f', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd',
        ['E'] = 'e', ['F'] = 'f',
    };

    return lower[(unsigned char)c];
}

/* By hand: it stands before every check, and uuid_parse() takes its time. */
bool
xa_uuid_parse(const char *text, size_t len, char out[XA_UUID_TEXT])
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    char lower[XA_UUID_TEXT];
    bool valid = len == XA_UUID_LEN;

    for (size_t i = 0; valid && i < XA_UUID_LEN; i++) {
        lower[i] = form[i] == '-' ? '-' : hex_digit(text[i]);
        valid = lower[i] != '\0' && (form[i] != '-' || text[i] == '-');
    }
    if (valid) {
        lower[XA_UUID_LEN] = '\0';
        memcpy(out, lower, sizeof lower);
    }
    xa_wipe(lower, sizeof lower);
    return valid;
}
