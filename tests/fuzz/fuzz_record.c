/* fuzz_record.c - a record of the store, read and written again. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/token/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(XA_RECORD_MAX);
    XA_AUTO(xa_buf_free) struct xa_buf json = XA_BUF(8 * XA_RECORD_MAX);

    if (xa_token_decode(data, size, &token, NULL) != XA_OK)
        return 0;
    /* what was accepted is written back as it was, unknown flags aside */
    xa_token_encode(token, xa_token_id(token)[0] != '\0', &record);
    if (xa_buf_check(&record, NULL) != XA_OK || record.len != size ||
        memcmp(record.data + 2, data + 2, size - 2) != 0)
        abort();
    xa_token_put_json(token, true, &json);
    if (xa_buf_check(&json, NULL) != XA_OK)
        abort();
    return 0;
}
