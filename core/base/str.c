/* str.c - text from outside, checked. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/base/str.h"

#include <stdlib.h>
#include <string.h>

enum xa_rc
xa_strlist_add(struct xa_strlist *list, const char *text, struct xa_err *err)
{
    XA_AUTO(xa_str_free) char *copy = NULL;
    char **items;
    enum xa_rc rc;

    rc = xa_str_dup(text, &copy, err);
    if (rc != XA_OK)
        return rc;
    items = reallocarray(list->items, list->count + 1, sizeof *items);
    if (!items)
        return xa_fail_nomem(err);
    list->items = items;
    list->items[list->count++] = XA_TAKE(copy);
    return XA_OK;
}

bool
xa_strlist_has(const struct xa_strlist *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

void
xa_strlist_free(struct xa_strlist *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    list->items = NULL;
    list->count = 0;
}

enum xa_rc
xa_str_dup(const char *text, char **out, struct xa_err *err)
{
    char *copy = NULL;

    if (text) {
        copy = strdup(text);
        if (!copy)
            return xa_fail_nomem(err);
    }
    *out = copy;
    return XA_OK;
}

/* Bytes in front that are ASCII, by words: most text is nothing else. */
static size_t
ascii_len(const unsigned char *s, size_t len)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    uint64_t word;
    size_t n = 0;

    for (; len - n >= sizeof word; n += sizeof word) {
        memcpy(&word, s + n, sizeof word);
        if (word & high_bits)
            break;
    }
    while (n < len && s[n] < 0x80)
        n++;
    return n;
}

/*
 * Length of the well-formed character at s (RFC 3629 section 4), 0 if there
 * is none.  The second byte's range keeps out overlong forms, surrogates and
 * what lies above U+10FFFF.
 */
static size_t
utf8_char_len(const unsigned char *s, size_t left)
{
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t len;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (left < len)
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool
xa_str_is_utf8(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n;

    for (;;) {
        n = ascii_len(s, len);
        s += n;
        len -= n;
        if (len == 0)
            return true;
        n = utf8_char_len(s, len);
        if (n == 0)
            return false;
        s += n;
        len -= n;
    }
}

bool
xa_str_has_ascii_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return true;
    return false;
}

bool
xa_str_has_control(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;

    if (xa_str_has_ascii_control(text, len))
        return true;
    for (size_t i = 1; i < len; i++)
        if (s[i - 1] == 0xc2 && s[i] >= 0x80 && s[i] < 0xa0)
            return true;
    return false;
}

char *
xa_str_put_digits(char *out, uint64_t number, size_t digits)
{
    for (size_t i = digits; i-- > 0; number /= 10)
        out[i] = (char)('0' + number % 10);
    return out + digits;
}

char *
xa_str_put_u64(char *out, uint64_t number)
{
    char digits[XA_U64_TEXT];
    char *digit = digits + sizeof digits;

    *--digit = '\0';
    do
        *--digit = (char)('0' + number % 10);
    while (number /= 10);
    return stpcpy(out, digit);
}

bool
xa_str_to_u64(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    uint64_t digit;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        digit = (uint64_t)(*text - '0');
        if (digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

void
xa_str_hex(const void *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = bytes;

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * len] = '\0';
}

bool
xa_str_is_hex(const char *text, size_t len)
{
    return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

ptrdiff_t
xa_str_percent_decode(const char *in, size_t len, char *out, bool plus_is_space)
{
    size_t n = 0;
    int high;
    int low;

    if (!memchr(in, '%', len) && !(plus_is_space && memchr(in, '+', len))) {
        memmove(out, in, len);
        out[len] = '\0';
        return (ptrdiff_t)len;
    }
    for (size_t i = 0; i < len; i++) {
        if (in[i] == '+' && plus_is_space) {
            out[n++] = ' ';
            continue;
        }
        if (in[i] != '%') {
            out[n++] = in[i];
            continue;
        }
        if (len - i < 3)
            return -1;
        high = hex_value(in[i + 1]);
        low = hex_value(in[i + 2]);
        if (high < 0 || low < 0)
            return -1;
        out[n++] = (char)(high << 4 | low);
        i += 2;
    }
    out[n] = '\0';
    return (ptrdiff_t)n;
}
