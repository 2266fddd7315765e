/* fuzz_consul_txn.c - what Consul answers to a transaction. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/token/consul/txn.h"
#include "tests/fakes/consul.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

/* A refusal with the input for a reason. */
static bool
refuse(void *ctx, const struct xa_consul_request *request XA_UNUSED,
       struct xa_consul_answer *answer, enum xa_rc *rc XA_UNUSED)
{
    const struct input *input = ctx;

    answer->status = 409;
    xa_buf_put(&answer->body, input->data, input->size);
    return true;
}

/* Its bytes must all be there. */
static enum xa_rc
look(void *ctx, const struct xa_txn_item *item, struct xa_err *err XA_UNUSED)
{
    size_t *sum = ctx;

    for (size_t i = 0; i < item->len; i++)
        *sum += ((const unsigned char *)item->value)[i];
    *sum += strlen(item->name);
    return XA_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    XA_AUTO(xa_txn_done) struct xa_txn txn = XA_TXN_EMPTY;
    struct xa_txn_refusal refusal;
    size_t sum = 0;
    enum xa_rc rc;

    fake_consul.hook = refuse;
    fake_consul.ctx = &input;
    xa_txn_delete(&txn, "a");
    rc = xa_txn_run(NULL, &txn, XA_CONSUL_WRITE, 0, &answer, &refusal, NULL);
    if (rc != XA_E_UNAVAILABLE && rc != XA_E_INVALID && rc != XA_E_FORBIDDEN &&
        size <= XA_CONSUL_ANSWER_MAX)
        abort();
    rc = xa_txn_each(&answer, look, &sum, NULL);
    if (rc != XA_OK && rc != XA_E_UNAVAILABLE)
        abort();
    return 0;
}
