/* txn.c - several reads or writes of Consul in one request. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/txn.h"

#include <string.h>

#include <json.h>

#include "core/support/crypto.h"
#include "core/support/json.h"

#define DEPTH_MAX 8      /* Consul's own answer has four levels */
#define VALUE_MAX 524288 /* bytes; Consul keeps no larger one */

void
xa_txn_done(struct xa_txn *txn)
{
    xa_buf_free(&txn->body);
    txn->count = 0;
}

/* --- operations --- */

static void
begin(struct xa_txn *txn, const char *verb, const char *name)
{
    xa_buf_puts(&txn->body, txn->count == 0 ? "[" : ",");
    xa_buf_puts(&txn->body, "{\"KV\":{\"Verb\":\"");
    xa_buf_puts(&txn->body, verb);
    xa_buf_puts(&txn->body, "\",\"Key\":");
    xa_json_put_string(&txn->body, name);
    txn->count++;
}

static void
end(struct xa_txn *txn)
{
    xa_buf_puts(&txn->body, "}}");
}

static void
put_with_index(struct xa_txn *txn, const char *verb, const char *name,
               uint64_t index)
{
    begin(txn, verb, name);
    xa_buf_puts(&txn->body, ",\"Index\":");
    xa_buf_put_u64(&txn->body, index);
    end(txn);
}

void
xa_txn_set(struct xa_txn *txn, const char *name, const void *value, size_t len)
{
    begin(txn, "set", name);
    xa_buf_puts(&txn->body, ",\"Value\":\"");
    xa_base64_put(&txn->body, value, len);
    xa_buf_putc(&txn->body, '"');
    end(txn);
}

void
xa_txn_delete(struct xa_txn *txn, const char *name)
{
    begin(txn, "delete", name);
    end(txn);
}

void
xa_txn_delete_cas(struct xa_txn *txn, const char *name, uint64_t index)
{
    put_with_index(txn, "delete-cas", name, index);
}

void
xa_txn_check_session(struct xa_txn *txn, const char *name, const char *session)
{
    begin(txn, "check-session", name);
    xa_buf_puts(&txn->body, ",\"Session\":");
    xa_json_put_string(&txn->body, session);
    end(txn);
}

void
xa_txn_check_index(struct xa_txn *txn, const char *name, uint64_t index)
{
    put_with_index(txn, "check-index", name, index);
}

void
xa_txn_check_absent(struct xa_txn *txn, const char *name)
{
    begin(txn, "check-not-exists", name);
    end(txn);
}

void
xa_txn_get_tree(struct xa_txn *txn, const char *name)
{
    begin(txn, "get-tree", name);
    end(txn);
}

/* --- what Consul says --- */

/* A member of an object; NULL: not there, or null. */
static struct json_object *
member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    if (json_object_is_type(object, json_type_object))
        json_object_object_get_ex(object, name, &value);
    return value;
}

static enum xa_rc
parse(const struct xa_consul_answer *answer, struct json_object **out,
      struct xa_err *err)
{
    if (answer->body.len == 0 ||
        xa_json_parse(answer->body.data, answer->body.len, DEPTH_MAX, out) !=
            XA_JSON_FINE ||
        !json_object_is_type(*out, json_type_object))
        return xa_fail(err, XA_E_UNAVAILABLE,
                       "Consul's answer to a transaction makes no sense");
    return XA_OK;
}

/* One of the errors; false: it has not their form. */
static bool
read_error(struct json_object *error, struct xa_txn_refusal *out,
           const char **out_what)
{
    struct json_object *index = member(error, "OpIndex");
    struct json_object *what = member(error, "What");
    int64_t operation;

    if (!json_object_is_type(index, json_type_int) ||
        !json_object_is_type(what, json_type_string))
        return false;
    operation = json_object_get_int64(index);
    if (operation < 0)
        return false;
    *out_what = json_object_get_string(what);
    out->operation = (size_t)operation;
    out->is_denied = strstr(*out_what, "Permission denied") ||
                     strstr(*out_what, "ACL not found");
    return true;
}

/*
 * Which operation is to blame: one that is denied before one that failed,
 * because Consul asks for rights first, then the earliest.
 */
static enum xa_rc
read_refusal(const struct xa_consul_answer *answer,
             struct xa_txn_refusal *refusal, struct xa_err *err)
{
    XA_AUTO(xa_json_free) struct json_object *json = NULL;
    struct xa_txn_refusal best = {0};
    const char *best_what = NULL;
    struct json_object *errors;
    enum xa_rc rc;

    rc = parse(answer, &json, err);
    if (rc != XA_OK)
        return rc;
    errors = member(json, "Errors");
    if (!json_object_is_type(errors, json_type_array))
        return xa_fail(err, XA_E_UNAVAILABLE,
                       "Consul refuses a transaction without a reason");
    for (size_t i = 0; i < json_object_array_length(errors); i++) {
        struct xa_txn_refusal one;
        const char *what;

        if (!read_error(json_object_array_get_idx(errors, i), &one, &what))
            continue;
        if (best_what && (best.is_denied > one.is_denied ||
                          (best.is_denied == one.is_denied &&
                           best.operation <= one.operation)))
            continue;
        best = one;
        best_what = what;
    }
    if (!best_what)
        return xa_fail(err, XA_E_UNAVAILABLE,
                       "Consul refuses a transaction without a reason");
    *refusal = best;
    return best.is_denied
               ? xa_fail(err, XA_E_FORBIDDEN,
                         "not allowed: consul.token has no right to "
                         "operation %zu of a transaction",
                         best.operation)
               : xa_fail(err, XA_E_INVALID,
                         "a check of a transaction, operation %zu, did not "
                         "hold",
                         best.operation);
}

/*
 * Whether an answer is a confirmation as Consul writes it.  Of what is JSON at
 * all, whatever begins and ends so has Results and no Errors; parsing it would
 * be a quarter of our share of an issue.
 */
static bool
is_plain_confirmation(const struct xa_buf *body)
{
    static const char head[] = "{\"Results\":[";
    static const char tail[] = "],\"Errors\":null}";
    size_t len = body->len;

    while (len > 0 && body->data[len - 1] == '\n')
        len--;
    return len >= sizeof head - 1 + sizeof tail - 1 &&
           memcmp(body->data, head, sizeof head - 1) == 0 &&
           memcmp(body->data + len - (sizeof tail - 1), tail,
                  sizeof tail - 1) == 0;
}

/* Only Consul's own words say that something was written: 200 may come from
 * anything that listens there. */
static enum xa_rc
confirm(const struct xa_consul_answer *answer, struct xa_err *err)
{
    XA_AUTO(xa_json_free) struct json_object *json = NULL;
    enum xa_rc rc;

    if (is_plain_confirmation(&answer->body))
        return XA_OK;
    rc = parse(answer, &json, err);
    if (rc != XA_OK)
        return rc;
    if (!json_object_object_get_ex(json, "Results", NULL) ||
        member(json, "Errors"))
        return xa_fail(err, XA_E_UNAVAILABLE,
                       "Consul does not confirm a transaction");
    return XA_OK;
}

static enum xa_rc
judge(const struct xa_consul_answer *answer, const struct xa_txn *txn,
      struct xa_txn_refusal *refusal, struct xa_err *err)
{
    switch (answer->status) {
    case 200:
        return XA_OK;
    case 403:
        *refusal = (struct xa_txn_refusal){.is_denied = true};
        return xa_fail(err, XA_E_FORBIDDEN,
                       "Consul does not know consul.token, or grants it "
                       "nothing");
    case 409:
        return read_refusal(answer, refusal, err);
    case 413:
        if (strstr(xa_buf_text(&answer->body), "too many operations"))
            return xa_fail(err, XA_E_STORE,
                           "Consul takes no transaction of %zu operations: "
                           "lower expiry.txn_operations",
                           txn->count);
        return xa_fail(err, XA_E_STORE,
                       "Consul takes no transaction of %zu bytes",
                       txn->body.len);
    default:
        return xa_fail(err, XA_E_STORE,
                       "Consul answers %ld to a transaction of %zu operations",
                       answer->status, txn->count);
    }
}

/* The body is whole then. */
static enum xa_rc
finish(struct xa_txn *txn, struct xa_err *err)
{
    enum xa_rc rc;

    xa_buf_puts(&txn->body, txn->count == 0 ? "[]" : "]");
    rc = xa_buf_check(&txn->body, err);
    if (rc == XA_E_INVALID)
        return xa_fail(err, XA_E_STORE, "a transaction of more than %d bytes",
                       XA_TXN_BODY_MAX);
    return rc;
}

static enum xa_rc
renew(void *ctx, struct xa_err *err)
{
    struct xa_txn *txn = ctx;
    enum xa_rc rc;

    xa_buf_clear(&txn->body);
    txn->count = 0;
    rc = txn->renew(txn->ctx, txn, err);
    return rc == XA_OK ? finish(txn, err) : rc;
}

enum xa_rc
xa_txn_run(struct xa_consul *consul, struct xa_txn *txn,
           enum xa_consul_mode mode, int64_t deadline_ms,
           struct xa_consul_answer *answer, struct xa_txn_refusal *refusal,
           struct xa_err *err)
{
    const struct xa_consul_request request = {
        .mode = mode,
        .method = "PUT",
        .path = "txn",
        .body = &txn->body,
        .deadline_ms = deadline_ms,
        .renew = txn->renew ? renew : NULL,
        .ctx = txn,
    };
    struct xa_txn_refusal unread;
    enum xa_rc rc = finish(txn, err);

    if (rc == XA_OK)
        rc = xa_consul_ask(consul, &request, answer, err);
    if (rc == XA_OK)
        rc = judge(answer, txn, refusal ? refusal : &unread, err);
    if (rc == XA_OK && mode == XA_CONSUL_WRITE)
        rc = confirm(answer, err);
    return rc;
}

/* --- results --- */

/* The value, out of base64; null means no bytes. */
static enum xa_rc
take_value(struct json_object *kv, struct xa_buf *value,
           struct xa_txn_item *item, struct xa_err *err)
{
    struct json_object *text = member(kv, "Value");
    ptrdiff_t len;
    size_t room;

    item->value = "";
    item->len = 0;
    if (!text)
        return XA_OK;
    if (!json_object_is_type(text, json_type_string))
        return xa_fail(err, XA_E_UNAVAILABLE,
                       "Consul gives a value that is "
                       "no text");
    room = (size_t)json_object_get_string_len(text) / 4 * 3;
    if (room > value->max)
        return xa_fail(err, XA_E_UNAVAILABLE,
                       "Consul gives a value of %zu "
                       "bytes",
                       room);
    xa_buf_clear(value);
    if (!xa_buf_reserve(value, room))
        return xa_buf_check(value, err);
    len = xa_base64_decode(json_object_get_string(text),
                           (size_t)json_object_get_string_len(text),
                           value->data, room);
    if (len < 0)
        return xa_fail(err, XA_E_UNAVAILABLE,
                       "Consul gives a value that is "
                       "no base64");
    value->len = (size_t)len;
    value->data[len] = '\0';
    item->value = value->data;
    item->len = value->len;
    return XA_OK;
}

static enum xa_rc
visit_one(struct json_object *result, struct xa_buf *value,
          xa_txn_item_fn *visit, void *ctx, struct xa_err *err)
{
    struct json_object *kv = member(result, "KV");
    struct json_object *name = member(kv, "Key");
    struct json_object *index = member(kv, "ModifyIndex");
    struct xa_txn_item item;
    enum xa_rc rc;

    if (!json_object_is_type(name, json_type_string) ||
        !json_object_is_type(index, json_type_int) ||
        json_object_get_int64(index) < 0)
        return xa_fail(err, XA_E_UNAVAILABLE,
                       "Consul's answer to a transaction makes no sense");
    item.name = json_object_get_string(name);
    if (strlen(item.name) != (size_t)json_object_get_string_len(name))
        return xa_fail(err, XA_E_UNAVAILABLE,
                       "Consul gives a name with a "
                       "NUL inside");
    item.index = (uint64_t)json_object_get_int64(index);
    rc = take_value(kv, value, &item, err);
    return rc == XA_OK ? visit(ctx, &item, err) : rc;
}

enum xa_rc
xa_txn_each(const struct xa_consul_answer *answer, xa_txn_item_fn *visit,
            void *ctx, struct xa_err *err)
{
    XA_AUTO(xa_json_free) struct json_object *json = NULL;
    XA_AUTO(xa_buf_free) struct xa_buf value = XA_BUF(VALUE_MAX + 2);
    struct json_object *results;
    enum xa_rc rc;

    rc = parse(answer, &json, err);
    if (rc != XA_OK)
        return rc;
    results = member(json, "Results");
    if (!results) /* nothing was found, or nothing was asked */
        return XA_OK;
    if (!json_object_is_type(results, json_type_array))
        return xa_fail(err, XA_E_UNAVAILABLE,
                       "Consul's answer to a transaction makes no sense");
    for (size_t i = 0; rc == XA_OK && i < json_object_array_length(results);
         i++)
        rc = visit_one(json_object_array_get_idx(results, i), &value, visit,
                       ctx, err);
    return rc;
}
