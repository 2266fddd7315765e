/* fuzz_ldap_escape.c - a value in a search filter, and in a DN. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: the value.  What is written, read as a server reads it, is the value
 * again; a byte with a meaning there aborts, and so does one that does not
 * fit where it should.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/ldap_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef ptrdiff_t escape_fn(const char *value, size_t len, char *out,
                            size_t size);

static int
digit(char c)
{
    const char *digits = "0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    if (!at)
        abort();
    return (int)(at - digits);
}

/* Read what was written: \XX is a byte, and nothing bare is in `meaning`. */
static size_t
read_back(const char *text, const char *meaning, uint8_t *out)
{
    size_t len = 0;

    while (*text) {
        if (strchr(meaning, *text))
            abort();
        if (*text == '\\') {
            out[len++] = (uint8_t)(digit(text[1]) << 4 | digit(text[2]));
            text += 3;
        } else {
            if ((unsigned char)*text < 0x20 || *text == 0x7f)
                abort();
            out[len++] = (uint8_t)*text++;
        }
    }
    return len;
}

static void
check(escape_fn *escape, const char *meaning, const uint8_t *data, size_t size)
{
    size_t most = size * XA_LDAP_ESCAPED_MAX + 1;
    char *text = malloc(most);
    uint8_t *back = malloc(most);
    ptrdiff_t len;

    if (!text || !back)
        abort();
    len = escape((const char *)data, size, text, most);
    if (len < 0 || (size_t)len != strlen(text))
        abort();
    if (read_back(text, meaning, back) != size || memcmp(back, data, size) != 0)
        abort();
    if (escape((const char *)data, size, (char *)back, (size_t)len + 1) != len)
        abort();
    if (len > 0 &&
        escape((const char *)data, size, (char *)back, (size_t)len) != -1)
        abort();
    free(back);
    free(text);
}

/* RFC 4514: blanks at the ends and a # in front have a meaning, too. */
static void
check_ends(const uint8_t *data, size_t size)
{
    char *text = malloc(size * XA_LDAP_ESCAPED_MAX + 1);
    ptrdiff_t len;

    if (!text)
        abort();
    len = xa_ldap_escape_dn((const char *)data, size, text,
                            size * XA_LDAP_ESCAPED_MAX + 1);
    if (len > 0 && (text[0] == ' ' || text[0] == '#' || text[len - 1] == ' '))
        abort();
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(xa_ldap_escape_filter, "*()", data, size);
    check(xa_ldap_escape_dn, "\"+,;<=>", data, size);
    check_ends(data, size);
    xa_ldap_is_plain((const char *)data, size);
    return 0;
}
