/* store_consul.c - tokens in Consul: issue, read, revoke. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/store_consul.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/secret.h"
#include "core/support/uuid.h"
#include "core/token/consul/fetch.h"
#include "core/token/consul/names.h"
#include "core/token/consul/record.h"
#include "core/token/consul/txn.h"

#define NAME_MAX_LEN 8192 /* bytes of a name; its prefix is configured */
#define PATH_MAX_LEN (3 * NAME_MAX_LEN)
#define KEYS_OF_TOKEN 3 /* its record, its schedule, its subject entry */

enum xa_rc
xa_store_consul_fail(enum xa_rc rc, struct xa_err *err)
{
    if (rc != XA_E_FORBIDDEN && rc != XA_E_INVALID)
        return rc;
    if (err)
        err->code = XA_E_UNAVAILABLE;
    return XA_E_UNAVAILABLE;
}

/* The names of a token's three keys. */
struct names {
    struct xa_buf token;
    struct xa_buf schedule;
    struct xa_buf subject;
    char subject_text[XA_SUBJECT_TEXT];
};

static void
free_names(struct names *names)
{
    xa_buf_free(&names->token);
    xa_buf_free(&names->schedule);
    xa_buf_free(&names->subject);
}

#define NO_NAMES                                                               \
    {                                                                          \
        .token = XA_BUF(NAME_MAX_LEN), .schedule = XA_BUF(NAME_MAX_LEN),       \
        .subject = XA_BUF(NAME_MAX_LEN)                                        \
    }

static enum xa_rc
make_names(const struct xa_store_consul *store, const struct xa_key *key,
           const struct xa_token *token, struct names *names,
           struct xa_err *err)
{
    const char *prefix = store->config->consul.prefix;
    int64_t when = xa_consul_when(xa_token_expires_us(token));
    enum xa_rc rc;

    xa_consul_subject(xa_token_auth_id(token), names->subject_text);
    xa_consul_put_token(&names->token, prefix, key);
    xa_consul_put_schedule(&names->schedule, prefix, when, key);
    xa_consul_put_subject(&names->subject, prefix, names->subject_text, key);
    rc = xa_buf_check(&names->token, err);
    if (rc == XA_OK)
        rc = xa_buf_check(&names->schedule, err);
    if (rc == XA_OK)
        rc = xa_buf_check(&names->subject, err);
    return rc;
}

static enum xa_rc
run_write(struct xa_store_consul *store, struct xa_txn *txn,
          int64_t deadline_ms, struct xa_err *err)
{
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    enum xa_rc rc = xa_txn_run(store->consul, txn, XA_CONSUL_WRITE, deadline_ms,
                               &answer, NULL, err);

    return xa_store_consul_fail(rc, err);
}

/* --- issue --- */

struct issue {
    const struct xa_store_consul *store;
    struct xa_key *key;
    struct xa_token *token;
};

static bool
is_plain(const struct xa_key *key)
{
    return strlen(key->text) == XA_UUID_LEN;
}

static enum xa_rc
put_issue(const struct issue *issue, struct xa_txn *txn, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(XA_CONSUL_RECORD_MAX);
    XA_AUTO(free_names) struct names names = NO_NAMES;
    enum xa_rc rc;

    rc = make_names(issue->store, issue->key, issue->token, &names, err);
    if (rc != XA_OK)
        return xa_store_consul_fail(rc, err);
    xa_consul_encode(issue->token, is_plain(issue->key), &record);
    rc = xa_buf_check(&record, err);
    if (rc != XA_OK)
        return rc == XA_E_INVALID
                   ? xa_fail(err, XA_E_STORE, "a record of more than %d bytes",
                             XA_CONSUL_RECORD_MAX)
                   : rc;
    xa_txn_set(txn, names.token.data, record.data, record.len);
    xa_txn_set(txn, names.schedule.data, names.subject_text,
               strlen(names.subject_text));
    xa_txn_set(txn, names.subject.data, "", 0);
    return XA_OK;
}

/*
 * A host that was asked and did not confirm it may write the token hours later,
 * when it was revoked long ago.  So that id is given to nobody: it ends by
 * itself, and the next host gets another one.
 */
static enum xa_rc
put_another(void *ctx, struct xa_txn *txn, struct xa_err *err)
{
    struct issue *issue = ctx;
    char id[XA_UUID_TEXT];
    enum xa_rc rc = xa_uuid_random(id, err);

    if (rc != XA_OK)
        return rc;
    xa_token_set_id(issue->token, id);
    xa_key_of_token(is_plain(issue->key) ? XA_KEY_PLAIN : XA_KEY_SHA256, id,
                    issue->key);
    xa_wipe(id, sizeof id);
    return put_issue(issue, txn, err);
}

static enum xa_rc
create(struct xa_store *base, struct xa_key *key, struct xa_token *token,
       struct xa_err *err)
{
    struct xa_store_consul *store = (struct xa_store_consul *)base;
    int64_t deadline_ms = xa_consul_deadline_ms(store->consul);
    struct issue issue = {.store = store, .key = key, .token = token};
    XA_AUTO(xa_txn_done) struct xa_txn txn = XA_TXN_EMPTY;
    enum xa_rc rc = put_issue(&issue, &txn, err);

    txn.renew = put_another;
    txn.ctx = &issue;
    return rc == XA_OK ? run_write(store, &txn, deadline_ms, err) : rc;
}

/* --- read --- */

static enum xa_rc
ask_for_key(struct xa_store_consul *store, const char *name,
            enum xa_consul_mode mode, int64_t deadline_ms,
            struct xa_consul_answer *answer, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf path = XA_BUF(PATH_MAX_LEN);
    struct xa_consul_request request = {
        .mode = mode,
        .method = "GET",
        .query = "raw",
        .deadline_ms = deadline_ms,
    };
    enum xa_rc rc;

    xa_buf_puts(&path, "kv/");
    xa_consul_put_escaped(&path, name);
    rc = xa_buf_check(&path, err);
    if (rc != XA_OK)
        return rc;
    request.path = path.data;
    return xa_consul_ask(store->consul, &request, answer, err);
}

/* XA_OK: the answer is a value.  XA_E_NOTFOUND: Consul has no such key.
 * XA_E_FORBIDDEN: it will not say. */
static enum xa_rc
judge_key(const struct xa_consul_answer *answer, struct xa_err *err)
{
    switch (answer->status) {
    case 200:
        return XA_OK;
    case 404:
        return xa_fail(err, XA_E_NOTFOUND, "no such token");
    case 403:
        return xa_fail(err, XA_E_FORBIDDEN,
                       "not allowed: consul.token has no right to read "
                       "below consul.prefix, or Consul does not know it");
    default:
        return xa_fail(err, XA_E_UNAVAILABLE, "Consul answers %ld to a read",
                       answer->status);
    }
}

/* The record of a key, surely there or surely not: that it is not there is
 * believed when the leader has made sure that it still leads. */
static enum xa_rc
read_record(struct xa_store_consul *store, const struct xa_key *key,
            enum xa_consul_mode mode, int64_t deadline_ms,
            struct xa_consul_answer *answer, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf name = XA_BUF(NAME_MAX_LEN);
    enum xa_rc rc;

    xa_consul_put_token(&name, store->config->consul.prefix, key);
    rc = xa_buf_check(&name, err);
    if (rc != XA_OK)
        return rc;
    rc = ask_for_key(store, name.data, mode, deadline_ms, answer, err);
    if (rc == XA_OK && answer->status == 404 && mode != XA_CONSUL_STALE &&
        !answer->is_sure)
        rc = ask_for_key(store, name.data, XA_CONSUL_SURE, deadline_ms, answer,
                         err);
    return rc == XA_OK ? judge_key(answer, err) : rc;
}

static void
note_stale(struct xa_store_consul *store, bool accepts)
{
    struct xa_news *news = xa_consul_news(store->consul);

    if (store->accepts_stale == accepts)
        return;
    store->accepts_stale = accepts;
    if (accepts)
        xa_news_put(news, XA_WARNING, "stale.accepted", "max_s=%u",
                    store->config->consul.stale_max_s);
    else
        xa_news_put(news, XA_INFO, "stale.ended", "max_s=%u",
                    store->config->consul.stale_max_s);
}

/*
 * While Consul has no leader, a token may be accepted from what a server
 * remembers; nothing is ever refused by that.  Without a contact it says that
 * it leads itself, and yet it did not do so a moment ago: it may have just
 * begun, and not have read its log again.
 */
static enum xa_rc
read_stale(struct xa_store_consul *store, const struct xa_key *key,
           int64_t deadline_ms, struct xa_token **out)
{
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    int64_t max_ms = (int64_t)store->config->consul.stale_max_s * 1000;
    enum xa_rc rc;

    if (max_ms == 0)
        return XA_E_UNAVAILABLE;
    rc = read_record(store, key, XA_CONSUL_STALE, deadline_ms, &answer, NULL);
    if (rc != XA_OK)
        return rc;
    if (answer.last_contact_ms == 0 || answer.last_contact_ms > max_ms)
        return XA_E_UNAVAILABLE;
    return xa_consul_decode(xa_buf_text(&answer.body), answer.body.len, key,
                            out, NULL);
}

static enum xa_rc
get(struct xa_store *base, const struct xa_key *key, struct xa_token **out,
    struct xa_err *err)
{
    struct xa_store_consul *store = (struct xa_store_consul *)base;
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    uint32_t timeout_ms = store->config->consul.timeout_ms;
    int64_t deadline_ms = xa_consul_deadline_ms(store->consul);
    int64_t main_ms = deadline_ms;
    enum xa_rc rc;

    if (store->config->consul.stale_max_s > 0)
        main_ms -= timeout_ms / 3; /* for the stale read */
    rc = read_record(store, key, XA_CONSUL_CHECK, main_ms, &answer, err);
    if (rc == XA_E_TIMEOUT || rc == XA_E_UNAVAILABLE) {
        if (read_stale(store, key, deadline_ms, out) != XA_OK)
            return rc;
        note_stale(store, true);
        return XA_OK;
    }
    if (rc != XA_OK && rc != XA_E_NOTFOUND)
        return xa_store_consul_fail(rc, err);
    note_stale(store, false);
    if (rc != XA_OK)
        return rc;
    return xa_consul_decode(xa_buf_text(&answer.body), answer.body.len, key,
                            out, err);
}

/* --- revoke --- */

/* A record that cannot be read says nothing of its other keys: it goes alone,
 * and they go when they are due. */
static enum xa_rc
put_removal(struct xa_store_consul *store, const struct xa_key *key,
            const void *record, size_t len, struct xa_txn *txn,
            struct xa_err *err)
{
    XA_AUTO(free_names) struct names names = NO_NAMES;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    enum xa_rc rc;

    rc = xa_consul_decode(record, len, key, &token, err);
    if (rc == XA_OK) {
        rc = make_names(store, key, token, &names, err);
        if (rc != XA_OK)
            return rc;
        xa_txn_delete(txn, names.schedule.data);
        xa_txn_delete(txn, names.subject.data);
    } else if (rc == XA_E_STORE) {
        xa_consul_put_token(&names.token, store->config->consul.prefix, key);
        rc = xa_buf_check(&names.token, err);
    }
    if (rc == XA_OK)
        xa_txn_delete(txn, names.token.data);
    return rc;
}

static enum xa_rc
remove_token(struct xa_store *base, const struct xa_key *key, bool *out_removed,
             struct xa_err *err)
{
    struct xa_store_consul *store = (struct xa_store_consul *)base;
    int64_t deadline_ms = xa_consul_deadline_ms(store->consul);
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    XA_AUTO(xa_txn_done) struct xa_txn txn = XA_TXN_EMPTY;
    bool is_there = true;
    enum xa_rc rc;

    rc = read_record(store, key, XA_CONSUL_READ, deadline_ms, &answer, err);
    if (rc == XA_E_NOTFOUND) {
        is_there = false;
    } else {
        if (rc == XA_OK)
            rc = put_removal(store, key, xa_buf_text(&answer.body),
                             answer.body.len, &txn, err);
        if (rc == XA_OK)
            rc = run_write(store, &txn, deadline_ms, err);
        if (rc != XA_OK)
            return xa_store_consul_fail(rc, err);
    }
    if (out_removed)
        *out_removed = is_there;
    return XA_OK;
}

/* Records that were read together, and go together. */
struct group {
    struct xa_store_consul *store;
    const struct xa_key *keys;
    struct xa_fetch fetch;
    struct xa_txn txn;
    uint64_t found;
};

static void
group_done(struct group *group)
{
    xa_fetch_done(&group->fetch);
    xa_txn_done(&group->txn);
}

static enum xa_rc
take_record(void *ctx, size_t i, const struct xa_txn_item *item,
            struct xa_err *err)
{
    struct group *group = ctx;

    if (!item)
        return XA_OK;
    group->found++;
    return put_removal(group->store, &group->keys[i],
                       item->value ? item->value : "", item->len, &group->txn,
                       err);
}

static enum xa_rc
remove_group(struct group *group, size_t count, struct xa_err *err)
{
    struct xa_store_consul *store = group->store;
    enum xa_rc rc;

    group->found = 0;
    xa_fetch_clear(&group->fetch);
    for (size_t i = 0; i < count; i++) {
        XA_AUTO(xa_buf_free) struct xa_buf name = XA_BUF(NAME_MAX_LEN);

        xa_consul_put_token(&name, store->config->consul.prefix,
                            &group->keys[i]);
        rc = xa_buf_check(&name, err);
        if (rc != XA_OK)
            return rc;
        xa_fetch_add(&group->fetch, name.data);
    }
    xa_txn_done(&group->txn);
    group->txn = (struct xa_txn)XA_TXN_EMPTY;
    rc = xa_fetch_run(&group->fetch, store->consul,
                      store->config->expiry.txn_operations, take_record, group,
                      err);
    if (rc != XA_OK || group->found == 0)
        return rc;
    return run_write(store, &group->txn, xa_consul_deadline_ms(store->consul),
                     err);
}

static enum xa_rc
remove_many(struct xa_store *base, const struct xa_key *keys, size_t count,
            uint64_t *out_removed, struct xa_err *err)
{
    struct xa_store_consul *store = (struct xa_store_consul *)base;
    size_t most = store->config->expiry.txn_operations / KEYS_OF_TOKEN;
    XA_AUTO(group_done)
    struct group group = {
        .store = store,
        .fetch = XA_FETCH_EMPTY,
        .txn = XA_TXN_EMPTY,
    };
    size_t fit;
    enum xa_rc rc;

    if (most > XA_FETCH_MAX)
        most = XA_FETCH_MAX;
    for (size_t done = 0; done < count; done += fit) {
        fit = count - done < most ? count - done : most;
        group.keys = keys + done;
        rc = remove_group(&group, fit, err);
        if (rc != XA_OK)
            return xa_store_consul_fail(rc, err);
        *out_removed += group.found;
    }
    return XA_OK;
}

/* --- check, open, close --- */

enum xa_rc
xa_store_consul_check(struct xa_store *base, struct xa_err *err)
{
    struct xa_store_consul *store = (struct xa_store_consul *)base;
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    XA_AUTO(xa_buf_free) struct xa_buf name = XA_BUF(NAME_MAX_LEN);
    enum xa_rc rc;

    xa_buf_putf(&name, "%sschedule/0000000000", store->config->consul.prefix);
    rc = xa_buf_check(&name, err);
    if (rc == XA_OK)
        rc = ask_for_key(store, name.data, XA_CONSUL_READ,
                         xa_consul_deadline_ms(store->consul), &answer, err);
    if (rc == XA_OK)
        rc = judge_key(&answer, err);
    return rc == XA_E_NOTFOUND ? XA_OK : xa_store_consul_fail(rc, err);
}

static bool
news(struct xa_store *base, struct xa_news_item *out)
{
    struct xa_store_consul *store = (struct xa_store_consul *)base;

    return xa_news_take(xa_consul_news(store->consul), out);
}

static void
close_store(struct xa_store *base)
{
    struct xa_store_consul *store = (struct xa_store_consul *)base;

    xa_consul_lock_free(&store->lock);
    xa_sweep_free(&store->sweep);
    xa_consul_free(&store->consul);
    free(store);
}

enum xa_rc
xa_store_consul_open(const struct xa_config *config,
                     enum xa_store_mode mode XA_UNUSED, struct xa_store **out,
                     struct xa_err *err)
{
    static const struct xa_store_ops ops = {
        .type = "consul",
        .create = create,
        .get = get,
        .remove = remove_token,
        .remove_many = remove_many,
        .lead = xa_store_consul_lead,
        .resign = xa_store_consul_resign,
        .expire = xa_store_consul_expire,
        .list = xa_store_consul_list,
        .audit = xa_store_consul_audit,
        .check = xa_store_consul_check,
        .news = news,
        .close = close_store,
    };
    struct xa_store_consul *store;
    enum xa_rc rc;

    store = calloc(1, sizeof *store);
    if (!store)
        return xa_fail_nomem(err);
    store->base.ops = &ops;
    store->config = config;
    rc = xa_consul_new(config, &store->consul, err);
    if (rc != XA_OK) {
        free(store);
        return rc;
    }
    *out = &store->base;
    return XA_OK;
}
