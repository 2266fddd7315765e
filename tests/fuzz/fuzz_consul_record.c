/* fuzz_consul_record.c - a record of Consul, read and written again. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/token/consul/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct xa_key key = {
        .text = "1823c1ee-6c6a-4cdc-9869-964a7f08a744"};
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    XA_AUTO(xa_token_free) struct xa_token *again = NULL;
    XA_AUTO(xa_buf_free) struct xa_buf json = XA_BUF(8 * XA_RECORD_MAX);
    XA_AUTO(xa_buf_free) struct xa_buf one = XA_BUF(XA_RECORD_MAX);
    XA_AUTO(xa_buf_free) struct xa_buf two = XA_BUF(XA_RECORD_MAX);

    if (xa_consul_decode(data, size, &key, &token, NULL) != XA_OK)
        return 0;
    /* what was accepted is the same token when it is written and read */
    xa_consul_encode(token, true, &json);
    if (json.len > XA_CONSUL_RECORD_MAX)
        return 0;
    if (xa_consul_decode(json.data, json.len, &key, &again, NULL) != XA_OK)
        abort();
    xa_token_encode(token, true, &one);
    xa_token_encode(again, true, &two);
    if (one.len != two.len || memcmp(one.data, two.data, one.len) != 0)
        abort();
    return 0;
}
