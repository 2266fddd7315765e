/* record.c - a token as the JSON that Consul keeps. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/record.h"

#include <stdlib.h>
#include <string.h>

#include <json.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/support/json.h"
#include "core/token/consul/names.h"

#define DEPTH_MAX 8 /* the record itself has two levels */

void
xa_consul_encode(const struct xa_token *token, bool with_id, struct xa_buf *out)
{
    xa_token_put_json(token, with_id, out);
}

/* A text as an identity may hold it: no control characters, which could end
 * up in the headers of an answer, and no NUL.  NULL: it is none. */
static const char *
text_of(struct json_object *value)
{
    const char *text;
    size_t len;

    if (!json_object_is_type(value, json_type_string))
        return NULL;
    text = json_object_get_string(value);
    len = (size_t)json_object_get_string_len(value);
    return xa_str_has_control(text, len) ? NULL : text;
}

/* A field that may be missing or null; false: it is something else. */
static bool
take_text(struct json_object *record, const char *name, const char **out)
{
    struct json_object *value = NULL;

    *out = NULL;
    if (!json_object_object_get_ex(record, name, &value) || !value)
        return true;
    *out = text_of(value);
    return *out != NULL;
}

/* The instant in UTC, or else the local one. */
static bool
take_instant(struct json_object *record, const char *utc_name,
             const char *local_name, int64_t *out_us)
{
    const char *text;

    if (!take_text(record, utc_name, &text))
        return false;
    if (text)
        return xa_clock_parse_utc(text, out_us);
    return take_text(record, local_name, &text) && text &&
           xa_clock_parse_local(text, out_us);
}

/* The texts stay the property of the parsed record; the array is owned. */
static enum xa_rc
take_acls(struct json_object *record, const char ***out, size_t *out_count,
          struct xa_err *err)
{
    struct json_object *list = NULL;
    size_t count;

    if (!json_object_object_get_ex(record, "acls", &list) || !list)
        return XA_OK;
    if (!json_object_is_type(list, json_type_array))
        return xa_fail(err, XA_E_STORE, "record whose acls are no list");
    count = json_object_array_length(list);
    *out = calloc(count + 1, sizeof **out);
    if (!*out)
        return xa_fail_nomem(err);
    for (size_t i = 0; i < count; i++) {
        (*out)[i] = text_of(json_object_array_get_idx(list, i));
        if (!(*out)[i])
            return xa_fail(err, XA_E_STORE,
                           "record with an ACL that is no "
                           "text");
    }
    *out_count = count;
    return XA_OK;
}

/* The token of the record and that of its key must be the same. */
static bool
take_id(struct json_object *record, const struct xa_key *key, const char **out)
{
    bool is_plain = strlen(key->text) == XA_UUID_LEN;
    char id[XA_UUID_TEXT];
    struct xa_key own;

    if (!take_text(record, "token", out))
        return false;
    if (!*out) {
        *out = is_plain ? key->text : NULL;
        return true;
    }
    if (!xa_uuid_parse(*out, strlen(*out), id) || strcmp(*out, id) != 0)
        return false;
    xa_key_of_token(is_plain ? XA_KEY_PLAIN : XA_KEY_SHA256, id, &own);
    return strcmp(own.text, key->text) == 0;
}

/* Without the field a record is of the first form, as those are that the
 * Python service wrote. */
static enum xa_rc
check_format(struct json_object *record, struct xa_err *err)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(record, "format", &value))
        return XA_OK;
    if (!json_object_is_type(value, json_type_int) ||
        json_object_get_int64(value) != XA_CONSUL_RECORD_FORMAT)
        return xa_fail(err, XA_E_STORE, "record of a format that is not %d",
                       XA_CONSUL_RECORD_FORMAT);
    return XA_OK;
}

static enum xa_rc
restore(struct json_object *record, const struct xa_key *key,
        const char ***acls, struct xa_token **out, struct xa_err *err)
{
    struct xa_token_fields is = {0};
    enum xa_rc rc = check_format(record, err);

    if (rc != XA_OK)
        return rc;
    if (!take_instant(record, "utc_issued_at", "issued_at", &is.issued_us))
        return xa_fail(err, XA_E_STORE, "record without a valid issue");
    if (!take_instant(record, "utc_expires_at", "expires_at", &is.expires_us) ||
        is.expires_us > XA_WHEN_MAX * XA_US_PER_S)
        return xa_fail(err, XA_E_STORE, "record without a valid expiry");
    if (!take_text(record, "auth_id", &is.auth_id) || !is.auth_id ||
        !is.auth_id[0])
        return xa_fail(err, XA_E_STORE, "record without an auth_id");
    if (!take_text(record, "xivo_user_uuid", &is.user_uuid) ||
        !take_text(record, "xivo_uuid", &is.xivo_uuid))
        return xa_fail(err, XA_E_STORE, "record with a UUID that is no text");
    if (!take_id(record, key, &is.id))
        return xa_fail(err, XA_E_STORE, "record of another token");
    rc = take_acls(record, acls, &is.acl_count, err);
    if (rc != XA_OK)
        return rc;
    is.acls = *acls;
    return xa_token_restore(&is, out, err);
}

static void
texts_free(const char ***texts)
{
    free(*texts);
    *texts = NULL;
}

enum xa_rc
xa_consul_decode(const void *record, size_t len, const struct xa_key *key,
                 struct xa_token **out, struct xa_err *err)
{
    XA_AUTO(xa_json_free) struct json_object *json = NULL;
    XA_AUTO(texts_free) const char **acls = NULL;

    if (len > XA_CONSUL_RECORD_MAX)
        return xa_fail(err, XA_E_STORE, "a record of %zu bytes", len);
    if (xa_json_parse(record, len, DEPTH_MAX, &json) != XA_JSON_FINE ||
        !json_object_is_type(json, json_type_object))
        return xa_fail(err, XA_E_STORE, "a record that is no JSON object");
    return restore(json, key, &acls, out, err);
}
