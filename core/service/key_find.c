/* key_find.c - the token whose key begins with these digits. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/key_find.h"

#include <string.h>

#define PAGE 1000 /* tokens looked at in one view of the store */

struct search {
    char prefix[XA_SHA256_TEXT];
    int64_t now_us;
    struct xa_key found;
    unsigned matches; /* 2 means: more than one */
};

static bool
visit(void *ctx, const struct xa_key *key, const struct xa_token *token)
{
    struct search *search = ctx;
    char shown[XA_SHA256_TEXT];

    xa_key_shown(key, shown);
    if (strncmp(shown, search->prefix, strlen(search->prefix)) != 0 ||
        xa_token_is_expired(token, search->now_us))
        return true;
    search->found = *key;
    return ++search->matches < 2;
}

/* The digits in lower case; false if they are none, too few or too many. */
static bool
take_digits(const char *digits, char out[XA_SHA256_TEXT])
{
    size_t len = strnlen(digits, XA_KEY_DIGITS_MAX + 1);

    if (len < XA_KEY_DIGITS_MIN || len > XA_KEY_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = digits[i];

        out[i] = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
    }
    out[len] = '\0';
    return xa_str_is_hex(out, len);
}

enum xa_rc
xa_key_find(struct xa_store *store, enum xa_key_form form, const char *digits,
            int64_t now_us, struct xa_key *out, struct xa_err *err)
{
    struct search search = {.now_us = now_us};
    struct xa_query query = {.key_prefix = search.prefix};
    struct xa_page page = XA_PAGE_FIRST;
    enum xa_rc rc = XA_OK;

    if (!take_digits(digits, search.prefix))
        return xa_fail(err, XA_E_NOTFOUND,
                       "no such token: neither a UUID nor %d to %d digits of "
                       "a key",
                       XA_KEY_DIGITS_MIN, XA_KEY_DIGITS_MAX);
    if (form == XA_KEY_SHA256 && strlen(search.prefix) == XA_KEY_DIGITS_MAX) {
        memcpy(out->text, search.prefix, sizeof out->text);
        return XA_OK;
    }
    if (form == XA_KEY_PLAIN)
        query.key_prefix = NULL; /* the key is not the one that is shown */
    while (rc == XA_OK && !page.done && search.matches < 2)
        rc = xa_store_list(store, &query, &page, PAGE, visit, &search, err);
    if (rc != XA_OK)
        return rc;
    if (search.matches == 0)
        return xa_fail(err, XA_E_NOTFOUND, "no such token");
    if (search.matches > 1)
        return xa_fail(err, XA_E_INVALID,
                       "more than one key begins so; give more digits");
    *out = search.found;
    return XA_OK;
}
