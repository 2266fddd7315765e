/* token.c - what a token is, and its record. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/token.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/secret.h"
#include "core/support/json.h"
#include "core/token/acl.h"

/*
 * The record: one byte of format, one of flags, two numbers of eight bytes
 * and one of two (big-endian): issue, expiry, number of ACLs.  Then texts,
 * each with a NUL behind it: id, auth_id, user uuid, xivo uuid, the ACLs;
 * flags tell which of them are there.
 */
#define RECORD_FORMAT 1
#define HAS_ID 1u
#define HAS_USER_UUID 2u
#define HAS_XIVO_UUID 4u
#define HEAD_LEN (2 + 8 + 8 + 2)

/* One allocation: the struct, the array of ACLs, then their text. */
struct xa_token {
    struct xa_token_fields is;
    char id[XA_UUID_TEXT];
    size_t size;
    const char *acls[];
};

void
xa_key_of_token(enum xa_key_form form, const char *id, struct xa_key *out)
{
    if (form == XA_KEY_SHA256)
        xa_sha256_hex(id, strlen(id), out->text);
    else
        memcpy(out->text, id, strnlen(id, XA_UUID_LEN) + 1);
}

void
xa_key_shown(const struct xa_key *key, char out[XA_SHA256_TEXT])
{
    size_t len = strlen(key->text);

    if (len == XA_SHA256_TEXT - 1)
        memcpy(out, key->text, XA_SHA256_TEXT);
    else
        xa_sha256_hex(key->text, len, out);
}

static void
put_number(struct xa_buf *out, uint64_t value, size_t bytes)
{
    while (bytes > 0)
        xa_buf_putc(out, (char)(value >> (8 * --bytes)));
}

static uint64_t
get_number(const unsigned char *at, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

static void
put_text(struct xa_buf *out, const char *text)
{
    if (text)
        xa_buf_put(out, text, strlen(text) + 1);
}

static void
put_record(const struct xa_token_fields *is, struct xa_buf *out)
{
    unsigned flags = (is->id ? HAS_ID : 0) |
                     (is->user_uuid ? HAS_USER_UUID : 0) |
                     (is->xivo_uuid ? HAS_XIVO_UUID : 0);

    put_number(out, RECORD_FORMAT, 1);
    put_number(out, flags, 1);
    put_number(out, (uint64_t)is->issued_us, 8);
    put_number(out, (uint64_t)is->expires_us, 8);
    put_number(out, is->acl_count, 2);
    put_text(out, is->id);
    put_text(out, is->auth_id);
    put_text(out, is->user_uuid);
    put_text(out, is->xivo_uuid);
    for (size_t i = 0; i < is->acl_count; i++)
        put_text(out, is->acls[i]);
}

/* The next text of a record, or NULL when it does not end inside. */
static const char *
take_text(const char **at, const char *end)
{
    const char *text = *at;
    const char *nul = memchr(text, '\0', (size_t)(end - text));

    if (!nul)
        return NULL;
    *at = nul + 1;
    return text;
}

/* Read the texts into the token, whose head is filled in. */
static bool
take_texts(struct xa_token *token, unsigned flags, const char *at,
           const char *end)
{
    struct xa_token_fields *is = &token->is;

    if (flags & HAS_ID) {
        is->id = take_text(&at, end);
        if (!is->id || strlen(is->id) != XA_UUID_LEN)
            return false;
        memcpy(token->id, is->id, XA_UUID_TEXT);
    }
    is->auth_id = take_text(&at, end);
    if (!is->auth_id)
        return false;
    if (flags & HAS_USER_UUID && !(is->user_uuid = take_text(&at, end)))
        return false;
    if (flags & HAS_XIVO_UUID && !(is->xivo_uuid = take_text(&at, end)))
        return false;
    for (size_t i = 0; i < is->acl_count; i++)
        if (!(token->acls[i] = take_text(&at, end)))
            return false;
    return at == end;
}

enum xa_rc
xa_token_decode(const void *record, size_t len, struct xa_token **out,
                struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    const unsigned char *head = record;
    size_t acl_count;
    size_t size;
    char *texts;

    if (len < HEAD_LEN || len > XA_RECORD_MAX)
        return xa_fail(err, XA_E_STORE, "a record of %zu bytes", len);
    if (head[0] != RECORD_FORMAT)
        return xa_fail(err, XA_E_STORE, "record of format %d, not %d", head[0],
                       RECORD_FORMAT);
    acl_count = (size_t)get_number(head + 18, 2);
    if (acl_count > len - HEAD_LEN) /* each takes a byte at least */
        return xa_fail(err, XA_E_STORE, "record with %zu ACLs", acl_count);

    size = sizeof *token + acl_count * sizeof token->acls[0] + len - HEAD_LEN;
    token = malloc(size); /* calloc() takes none of glibc's quick chunks */
    if (!token)
        return xa_fail_nomem(err);
    *token = (struct xa_token){.size = size};
    token->is.issued_us = (int64_t)get_number(head + 2, 8);
    token->is.expires_us = (int64_t)get_number(head + 10, 8);
    token->is.acl_count = acl_count;
    token->is.acls = token->acls;
    texts = (char *)(token->acls + acl_count);
    memcpy(texts, head + HEAD_LEN, len - HEAD_LEN);
    if (!take_texts(token, head[1], texts, texts + len - HEAD_LEN))
        return xa_fail(err, XA_E_STORE, "record with a text cut short");
    if (token->is.expires_us <= token->is.issued_us)
        return xa_fail(err, XA_E_STORE, "record without a valid expiry");

    *out = XA_TAKE(token);
    return XA_OK;
}

void
xa_token_encode(const struct xa_token *token, bool with_id, struct xa_buf *out)
{
    struct xa_token_fields is = token->is;

    is.id = with_id && token->id[0] ? token->id : NULL;
    put_record(&is, out);
}

enum xa_rc
xa_token_restore(const struct xa_token_fields *fields, struct xa_token **out,
                 struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(XA_RECORD_MAX);
    enum xa_rc rc;

    put_record(fields, &record);
    rc = xa_buf_check(&record, err);
    if (rc == XA_E_INVALID)
        return xa_fail(err, XA_E_STORE, "a record of more than %d bytes",
                       XA_RECORD_MAX);
    if (rc != XA_OK)
        return rc;
    return xa_token_decode(record.data, record.len, out, err);
}

enum xa_rc
xa_token_new(const struct xa_identity *who, uint32_t lifetime_s, int64_t now_us,
             struct xa_token **out, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(XA_RECORD_MAX);
    struct xa_token_fields is = {
        .auth_id = who->auth_id,
        .user_uuid = who->xivo_user_uuid,
        .xivo_uuid = who->xivo_uuid,
        .issued_us = now_us,
        .acls = (const char *const *)who->acls.items,
        .acl_count = who->acls.count,
    };
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    enum xa_rc rc;

    if (lifetime_s < 1 || lifetime_s > XA_LIFETIME_MAX_S)
        return xa_fail(err, XA_E_INVALID, "lifetime of %u s", lifetime_s);
    if (now_us < 0 || now_us > INT64_MAX / 2)
        return xa_fail(err, XA_E_INVALID, "the clock is out of range");
    if (!who->auth_id)
        return xa_fail(err, XA_E_INVALID, "identity without auth_id");
    is.expires_us = now_us + (int64_t)lifetime_s * XA_US_PER_S;

    put_record(&is, &record);
    rc = xa_buf_check(&record, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_token_decode(record.data, record.len, &token, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_uuid_random(token->id, err);
    if (rc != XA_OK)
        return rc;
    *out = XA_TAKE(token);
    return XA_OK;
}

void
xa_token_free(struct xa_token **token)
{
    if (*token) {
        xa_wipe(*token, (*token)->size);
        free(*token);
    }
    *token = NULL;
}

const char *
xa_token_id(const struct xa_token *token)
{
    return token->id;
}

void
xa_token_set_id(struct xa_token *token, const char id[XA_UUID_TEXT])
{
    memcpy(token->id, id, XA_UUID_TEXT);
}

const char *
xa_token_auth_id(const struct xa_token *token)
{
    return token->is.auth_id;
}

const char *
xa_token_user_uuid(const struct xa_token *token)
{
    return token->is.user_uuid;
}

const char *
xa_token_xivo_uuid(const struct xa_token *token)
{
    return token->is.xivo_uuid;
}

int64_t
xa_token_issued_us(const struct xa_token *token)
{
    return token->is.issued_us;
}

int64_t
xa_token_expires_us(const struct xa_token *token)
{
    return token->is.expires_us;
}

const char *const *
xa_token_acls(const struct xa_token *token, size_t *out_count)
{
    *out_count = token->is.acl_count;
    return token->is.acls;
}

bool
xa_token_is_expired(const struct xa_token *token, int64_t now_us)
{
    return now_us >= token->is.expires_us;
}

bool
xa_token_allows(const struct xa_token *token, const char *scope)
{
    return xa_acl_allows(token->is.acls, token->is.acl_count, token->is.auth_id,
                         scope);
}

static void
put_instant(struct xa_buf *out, const char *name,
            void (*format)(int64_t, char[XA_CLOCK_TEXT]), int64_t unix_us)
{
    char text[XA_CLOCK_TEXT];

    format(unix_us, text);
    xa_buf_puts(out, ", \"");
    xa_buf_puts(out, name);
    xa_buf_puts(out, "\": \"");
    xa_buf_puts(out, text);
    xa_buf_putc(out, '"');
}

void
xa_token_put_json(const struct xa_token *token, bool with_id,
                  struct xa_buf *out)
{
    const struct xa_token_fields *is = &token->is;

    xa_buf_putc(out, '{');
    if (with_id && token->id[0]) {
        xa_buf_puts(out, "\"token\": ");
        xa_json_put_string(out, token->id);
        xa_buf_puts(out, ", ");
    }
    xa_buf_puts(out, "\"auth_id\": ");
    xa_json_put_string(out, is->auth_id);
    xa_buf_puts(out, ", \"xivo_user_uuid\": ");
    xa_json_put_string_or_null(out, is->user_uuid);
    xa_buf_puts(out, ", \"xivo_uuid\": ");
    xa_json_put_string_or_null(out, is->xivo_uuid);
    put_instant(out, "issued_at", xa_clock_format_local, is->issued_us);
    put_instant(out, "expires_at", xa_clock_format_local, is->expires_us);
    put_instant(out, "utc_issued_at", xa_clock_format_utc, is->issued_us);
    put_instant(out, "utc_expires_at", xa_clock_format_utc, is->expires_us);
    xa_buf_puts(out, ", \"acls\": ");
    xa_json_put_strings(out, is->acls, is->acl_count);
    xa_buf_putc(out, '}');
}
