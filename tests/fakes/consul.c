/* consul.c - a Consul in memory. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/fakes/consul.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/support/crypto.h"
#include "core/support/json.h"
#include "core/support/uuid.h"

struct fake_consul fake_consul;

struct xa_consul {
    const struct xa_config *config;
    struct xa_news news;
};

/* One key; sorted by name. */
struct pair {
    char *name;
    char *value;
    size_t len;
    uint64_t index;
    char session[XA_UUID_TEXT]; /* "": no lock */
};

static struct pair *pairs;
static size_t pair_count;
static size_t pair_room;
static uint64_t latest_index;
static char sessions[8][XA_UUID_TEXT];

/* --- keys --- */

/* Where a name is, or belongs. */
static size_t
place_of(const char *name)
{
    size_t low = 0;
    size_t high = pair_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (strcmp(pairs[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct pair *
find(const char *name)
{
    size_t i = place_of(name);

    return i < pair_count && strcmp(pairs[i].name, name) == 0 ? &pairs[i]
                                                              : NULL;
}

static bool
begins(const struct pair *pair, const char *prefix)
{
    return strncmp(pair->name, prefix, strlen(prefix)) == 0;
}

static void
set(const char *name, const void *value, size_t len)
{
    struct pair *pair = find(name);

    if (!pair) {
        size_t i = place_of(name);

        if (pair_count == pair_room) {
            pair_room = 2 * pair_room + 64;
            pairs = reallocarray(pairs, pair_room, sizeof *pairs);
        }
        pair = &pairs[i];
        memmove(pair + 1, pair, (pair_count++ - i) * sizeof *pair);
        *pair = (struct pair){.name = strdup(name)};
    } else if (pair->len == len && memcmp(pair->value, value, len) == 0) {
        return; /* the same value again keeps its index */
    }
    free(pair->value);
    pair->value = calloc(1, len + 1);
    memcpy(pair->value, value, len);
    pair->len = len;
    pair->index = ++latest_index;
}

void
fake_consul_set(const char *name, const char *value)
{
    set(name, value, strlen(value));
}

const char *
fake_consul_get(const char *name)
{
    const struct pair *pair = find(name);

    return pair ? pair->value : NULL;
}

void
fake_consul_delete(const char *name)
{
    struct pair *pair = find(name);

    if (!pair)
        return;
    free(pair->name);
    free(pair->value);
    pair_count--;
    memmove(pair, pair + 1,
            (pair_count - (size_t)(pair - pairs)) * sizeof *pair);
    latest_index++;
}

size_t
fake_consul_count(const char *prefix)
{
    size_t first = place_of(prefix);
    size_t i = first;

    while (i < pair_count && begins(&pairs[i], prefix))
        i++;
    return i - first;
}

void
fake_consul_reset(void)
{
    while (pair_count > 0)
        fake_consul_delete(pairs[pair_count - 1].name);
    free(pairs);
    pairs = NULL;
    pair_room = 0;
    latest_index = 10;
    memset(sessions, 0, sizeof sessions);
    fake_consul = (struct fake_consul){
        .operations_max = 64,
        .answer_max = XA_CONSUL_ANSWER_MAX,
    };
}

/* --- transactions --- */

static const char *
text_in(struct json_object *kv, const char *name)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(kv, name, &value);
    return value ? json_object_get_string(value) : "";
}

static uint64_t
index_in(struct json_object *kv)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(kv, "Index", &value);
    return (uint64_t)json_object_get_int64(value);
}

/* Whether an operation can be done; the words of Consul if not. */
static const char *
objection(struct json_object *kv)
{
    const char *verb = text_in(kv, "Verb");
    const struct pair *pair = find(text_in(kv, "Key"));

    if (strcmp(verb, "check-session") == 0)
        return pair && pair->session[0] &&
                       strcmp(pair->session, text_in(kv, "Session")) == 0
                   ? NULL
                   : "failed session check for key, current session";
    if (strcmp(verb, "check-index") == 0)
        return pair && pair->index == index_in(kv) ? NULL
                                                   : "failed index check";
    if (strcmp(verb, "check-not-exists") == 0)
        return pair ? "key exists" : NULL;
    if (strcmp(verb, "delete-cas") == 0)
        return !pair || pair->index == index_in(kv)
                   ? NULL
                   : "failed to delete key, index is stale";
    if (strcmp(verb, "set") == 0 || strcmp(verb, "delete") == 0)
        return fake_consul.denies_writes ? "Permission denied" : NULL;
    return strcmp(verb, "get-tree") == 0 ? NULL : "unknown verb";
}

static void
put_pair(struct xa_buf *out, const struct pair *pair, bool with_value)
{
    xa_buf_puts(out, "{\"KV\":{\"LockIndex\":0,\"Key\":");
    xa_json_put_string(out, pair->name);
    xa_buf_puts(out, ",\"Flags\":0,\"Value\":");
    if (with_value && pair->len > 0) {
        xa_buf_putc(out, '"');
        xa_base64_put(out, pair->value, pair->len);
        xa_buf_putc(out, '"');
    } else {
        xa_buf_puts(out, "null");
    }
    xa_buf_putf(out, ",\"CreateIndex\":1,\"ModifyIndex\":%" PRIu64 "}},",
                pair->index);
}

static void
do_operation(struct json_object *kv, struct xa_buf *out)
{
    const char *verb = text_in(kv, "Verb");
    const char *name = text_in(kv, "Key");

    if (strcmp(verb, "set") == 0) {
        const char *text = text_in(kv, "Value");
        char *value = malloc(strlen(text) + 1);
        ptrdiff_t len =
            xa_base64_decode(text, strlen(text), value, strlen(text));

        set(name, value, len > 0 ? (size_t)len : 0);
        free(value);
        put_pair(out, find(name), false);
    } else if (strncmp(verb, "delete", 6) == 0) {
        fake_consul_delete(name);
    } else if (strcmp(verb, "get-tree") == 0 && !fake_consul.denies_reads) {
        for (size_t i = place_of(name);
             i < pair_count && begins(&pairs[i], name); i++)
            put_pair(out, &pairs[i], true);
    }
}

/* A list that was written with a comma behind each. */
static void
close_list(struct xa_buf *out)
{
    if (out->len > 0 && out->data[out->len - 1] == ',')
        out->len--;
    xa_buf_putc(out, ']');
}

static struct json_object *
operation(struct json_object *all, size_t i)
{
    struct json_object *kv = NULL;

    json_object_object_get_ex(json_object_array_get_idx(all, i), "KV", &kv);
    return kv;
}

static long
run_all(struct json_object *all, struct xa_buf *out)
{
    size_t count = json_object_array_length(all);

    if (count > fake_consul.operations_max) {
        xa_buf_putf(out, "Transaction contains too many operations (%zu > %zu)",
                    count, fake_consul.operations_max);
        return 413;
    }
    for (size_t i = 0; i < count; i++) {
        const char *what = objection(operation(all, i));

        if (!what)
            continue;
        xa_buf_putf(out,
                    "{\"Results\":null,\"Errors\":[{\"OpIndex\":%zu,"
                    "\"What\":\"%s\"}]}",
                    i, what);
        return 409;
    }
    xa_buf_puts(out, "{\"Results\":[");
    for (size_t i = 0; i < count; i++)
        do_operation(operation(all, i), out);
    close_list(out);
    xa_buf_puts(out, ",\"Errors\":null}");
    return 200;
}

static long
transaction(const struct xa_buf *body, struct xa_buf *out)
{
    XA_AUTO(xa_json_free) struct json_object *all = NULL;

    if (xa_json_parse(xa_buf_text(body), body->len, 4, &all) != XA_JSON_FINE ||
        !json_object_is_type(all, json_type_array)) {
        xa_buf_puts(out, "Failed to parse body");
        return 400;
    }
    return run_all(all, out);
}

/* --- single keys, listings, locks --- */

static long
list_keys(const char *prefix, struct xa_buf *out)
{
    size_t i = place_of(prefix);

    fake_consul.listings++;
    if (fake_consul.denies_reads || i == pair_count ||
        !begins(&pairs[i], prefix))
        return 404;
    xa_buf_putc(out, '[');
    for (; i < pair_count && begins(&pairs[i], prefix); i++) {
        xa_json_put_string(out, pairs[i].name);
        xa_buf_putc(out, ',');
    }
    close_list(out);
    return 200;
}

static long
get_key(const char *name, struct xa_buf *out)
{
    const struct pair *pair = find(name);

    if (fake_consul.denies_reads)
        return 403;
    if (!pair)
        return 404;
    xa_buf_put(out, pair->value, pair->len);
    return 200;
}

/* kv/NAME?acquire=ID or ?release=ID */
static long
lock_key(const char *name, const char *query, struct xa_buf *out)
{
    bool acquires = strncmp(query, "acquire=", 8) == 0;
    const char *session = query + 8;
    struct pair *pair;
    bool done = false;

    if (!find(name))
        set(name, "", 0);
    pair = find(name);
    for (size_t i = 0; i < XA_COUNT(sessions); i++)
        if (sessions[i][0] && strcmp(sessions[i], session) == 0)
            done = strcmp(pair->session, session) == 0 ||
                   (acquires && !pair->session[0]);
    if (done)
        snprintf(pair->session, sizeof pair->session, "%s",
                 acquires ? session : "");
    xa_buf_puts(out, done ? "true" : "false");
    return 200;
}

static long
session_call(const char *path, struct xa_buf *out)
{
    size_t i;

    if (strcmp(path, "create") == 0) {
        for (i = 0; i + 1 < XA_COUNT(sessions) && sessions[i][0]; i++)
            continue;
        if (xa_uuid_random(sessions[i], NULL) != XA_OK)
            return 500;
        xa_buf_putf(out, "{\"ID\":\"%s\"}", sessions[i]);
        return 200;
    }
    for (i = 0; i < XA_COUNT(sessions); i++)
        if (sessions[i][0] && strstr(path, sessions[i]))
            break;
    if (strncmp(path, "renew/", 6) == 0)
        return i < XA_COUNT(sessions) ? 200 : 404;
    for (size_t p = 0; i < XA_COUNT(sessions) && p < pair_count; p++)
        if (strcmp(pairs[p].session, sessions[i]) == 0)
            pairs[p].session[0] = '\0';
    if (i < XA_COUNT(sessions))
        sessions[i][0] = '\0';
    xa_buf_puts(out, "true");
    return 200;
}

static long
answer_to(const struct xa_consul_request *request, struct xa_buf *out)
{
    char path[4 * 1024];

    snprintf(path, sizeof path, "%s", request->path);
    xa_str_percent_decode(path, strlen(path), path, false);
    if (strcmp(path, "txn") == 0)
        return transaction(request->body, out);
    if (strncmp(path, "session/", 8) == 0)
        return session_call(path + 8, out);
    if (strncmp(path, "kv/", 3) != 0)
        return 200;
    if (strcmp(request->method, "PUT") == 0)
        return request->query ? lock_key(path + 3, request->query, out) : 400;
    if (request->query && strcmp(request->query, "keys") == 0)
        return list_keys(path + 3, out);
    return get_key(path + 3, out);
}

/* --- in place of client.c --- */

enum xa_rc
xa_consul_new(const struct xa_config *config, struct xa_consul **out,
              struct xa_err *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return xa_fail_nomem(err);
    (*out)->config = config;
    return XA_OK;
}

void
xa_consul_free(struct xa_consul **consul)
{
    free(*consul);
    *consul = NULL;
}

struct xa_news *
xa_consul_news(struct xa_consul *consul)
{
    return &consul->news;
}

/* Linked where a test has it wrapped: how much a call does before its time is
 * up would else be the machine's affair. */
int64_t __wrap_xa_clock_mono_ms(void);

int64_t
__wrap_xa_clock_mono_ms(void)
{
    return 1000;
}

int64_t
xa_consul_deadline_ms(const struct xa_consul *consul)
{
    return xa_clock_mono_ms() + consul->config->consul.timeout_ms;
}

void
xa_consul_answer_done(struct xa_consul_answer *answer)
{
    xa_buf_free(&answer->body);
}

enum xa_rc
xa_consul_ask(struct xa_consul *consul XA_UNUSED,
              const struct xa_consul_request *request,
              struct xa_consul_answer *answer, struct xa_err *err)
{
    enum xa_rc rc = XA_OK;

    fake_consul.requests++;
    answer->has_index = answer->has_leader = true;
    answer->last_contact_ms = request->mode == XA_CONSUL_STALE ? 20 : 0;
    xa_buf_clear(&answer->body);
    if (fake_consul.hook &&
        fake_consul.hook(fake_consul.ctx, request, answer, &rc))
        return rc == XA_OK ? XA_OK : xa_fail(err, rc, "as the test wants it");
    answer->status = answer_to(request, &answer->body);
    if (answer->body.broken != XA_OK ||
        answer->body.len > fake_consul.answer_max)
        return xa_fail(err, XA_E_INVALID, "the answer is too large");
    return XA_OK;
}
