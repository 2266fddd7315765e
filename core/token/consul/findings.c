/* findings.c - what has become of schedules that are due. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/findings.h"

#include <string.h>

#include "core/token/consul/record.h"
#include "core/token/consul/txn.h"

#define NAME_MAX_LEN 8192

/* A reading under way. */
struct reading {
    struct xa_consul *consul;
    const char *prefix;
    int64_t now_us;
    struct xa_findings *findings;
};

static struct xa_finding *
find(struct xa_findings *findings, const struct xa_key *key)
{
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->items[i].due->key.text, key->text) == 0)
            return &findings->items[i];
    return NULL;
}

static void
begin(struct xa_findings *findings, const struct xa_due *due, size_t count)
{
    findings->count = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_second = find(findings, &due[i].key) != NULL;

        findings->items[findings->count++] = (struct xa_finding){
            .due = &due[i],
            .what = is_second ? XA_FOUND_TWICE : XA_FOUND_NO_RECORD,
        };
    }
}

/* --- what comes back --- */

static enum xa_rc
take_record(void *ctx, const struct xa_txn_item *item, struct xa_err *err)
{
    struct reading *reading = ctx;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_finding *finding;
    struct xa_key key;
    enum xa_rc rc;

    if (!xa_consul_read_token(item->name, reading->prefix, &key))
        return XA_OK; /* something that begins with one of our names */
    finding = find(reading->findings, &key);
    if (!finding)
        return XA_OK;
    rc = xa_consul_decode(item->value, item->len, &key, &token, err);
    if (rc != XA_OK && rc != XA_E_STORE)
        return rc;
    finding->what = XA_FOUND_NO_SENSE;
    if (rc == XA_E_STORE)
        return XA_OK;
    finding->what = xa_token_is_expired(token, reading->now_us)
                        ? XA_FOUND_EXPIRED
                        : XA_FOUND_LIVING;
    finding->index = item->index;
    finding->expires_us = xa_token_expires_us(token);
    xa_consul_subject(xa_token_auth_id(token), finding->subject);
    return XA_OK;
}

/* The value of a schedule is 32 digits. */
static enum xa_rc
take_schedule(void *ctx, const struct xa_txn_item *item,
              struct xa_err *err XA_UNUSED)
{
    struct reading *reading = ctx;
    char text[XA_SUBJECT_TEXT];
    struct xa_finding *finding;
    struct xa_key key;
    int64_t when;

    if (!xa_consul_read_schedule(item->name, reading->prefix, &when, &key))
        return XA_OK;
    finding = find(reading->findings, &key);
    if (!finding || finding->due->when != when)
        return XA_OK;
    if (item->len == sizeof text - 1) {
        memcpy(text, item->value, item->len);
        text[item->len] = '\0';
        if (xa_str_is_hex(text, item->len))
            memcpy(finding->listed, text, sizeof text);
    }
    if (finding->what == XA_FOUND_GONE)
        finding->what =
            finding->listed[0] ? XA_FOUND_NO_RECORD : XA_FOUND_NO_SENSE;
    return XA_OK;
}

/* --- asking --- */

/* What is read of some findings: their records, or their schedules. */
struct question {
    enum xa_found one; /* of findings that are one of these */
    enum xa_found other;
    bool is_schedule;
    xa_txn_item_fn *take;
};

static enum xa_rc
put_names(const struct reading *reading, const struct question *question,
          size_t from, size_t to, struct xa_txn *txn, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf name = XA_BUF(NAME_MAX_LEN);
    enum xa_rc rc = XA_OK;

    for (size_t i = from; rc == XA_OK && i < to; i++) {
        const struct xa_finding *finding = &reading->findings->items[i];
        const struct xa_due *due = finding->due;

        if (finding->what != question->one && finding->what != question->other)
            continue;
        xa_buf_clear(&name);
        if (question->is_schedule)
            xa_consul_put_schedule(&name, reading->prefix, due->when,
                                   &due->key);
        else
            xa_consul_put_token(&name, reading->prefix, &due->key);
        rc = xa_buf_check(&name, err);
        if (rc == XA_OK)
            xa_txn_get_tree(txn, name.data);
    }
    return rc;
}

/*
 * Values that are too large together are read in two halves; one that is too
 * large alone makes no sense.
 */
static enum xa_rc
ask(struct reading *reading, const struct question *question, size_t from,
    size_t to, struct xa_err *err)
{
    XA_AUTO(xa_txn_done) struct xa_txn txn = XA_TXN_EMPTY;
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    size_t middle = from + (to - from) / 2;
    enum xa_rc rc;

    rc = put_names(reading, question, from, to, &txn, err);
    if (rc != XA_OK || txn.count == 0)
        return rc;
    rc = xa_txn_run(reading->consul, &txn, XA_CONSUL_READ,
                    xa_consul_deadline_ms(reading->consul), &answer, NULL, err);
    if (rc == XA_OK)
        return xa_txn_each(&answer, question->take, reading, err);
    if (rc != XA_E_INVALID)
        return rc;
    if (to - from == 1) {
        reading->findings->items[from].what = XA_FOUND_NO_SENSE;
        return XA_OK;
    }
    rc = ask(reading, question, from, middle, err);
    return rc == XA_OK ? ask(reading, question, middle, to, err) : rc;
}

enum xa_rc
xa_findings_read(struct xa_consul *consul, const char *prefix,
                 const struct xa_due *due, size_t count, int64_t now_us,
                 struct xa_findings *out, struct xa_err *err)
{
    static const struct question records = {
        XA_FOUND_NO_RECORD, XA_FOUND_NO_RECORD, false, take_record};
    /* Without a record, the schedule alone knows whose entry is to go; with
     * one that lives on, whether the entry is of the right subject. */
    static const struct question schedules = {XA_FOUND_GONE, XA_FOUND_LIVING,
                                              true, take_schedule};
    struct reading reading = {consul, prefix, now_us, out};
    enum xa_rc rc;

    begin(out, due, count);
    rc = ask(&reading, &records, 0, count, err);
    if (rc != XA_OK)
        return rc;
    for (size_t i = 0; i < out->count; i++)
        if (out->items[i].what == XA_FOUND_NO_RECORD)
            out->items[i].what = XA_FOUND_GONE; /* until it is seen */
    return ask(&reading, &schedules, 0, count, err);
}
