/* fuzz_json.c - a JSON text in, and a string out. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: a byte for the depth, then the text.  What is accepted must be so
 * at any greater depth and too deep at a smaller one; the input as a string
 * must be read back as it was.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json.h>

#include "core/base/str.h"
#include "core/support/json.h"

#define DEPTH_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum xa_json_fault
fault_of(const char *text, size_t len, int depth)
{
    XA_AUTO(xa_json_free) struct json_object *json = NULL;

    return xa_json_parse(text, len, depth, &json);
}

static void
check_depths(const char *text, size_t len, int depth)
{
    enum xa_json_fault fault = fault_of(text, len, depth);

    if (fault == XA_JSON_FINE && fault_of(text, len, depth + 1) != XA_JSON_FINE)
        abort();
    if (fault == XA_JSON_FINE && depth > 0 &&
        fault_of(text, len, depth - 1) == XA_JSON_SYNTAX)
        abort();
}

static void
check_string(const char *text, size_t len)
{
    XA_AUTO(xa_buf_free) struct xa_buf buf = XA_BUF(6 * len + 2);
    XA_AUTO(xa_json_free) struct json_object *json = NULL;

    if (memchr(text, '\0', len) || !xa_str_is_utf8(text, len))
        return;
    xa_json_put_string(&buf, text);
    if (xa_buf_check(&buf, NULL) != XA_OK ||
        xa_json_parse(buf.data, buf.len, 0, &json) != XA_JSON_FINE ||
        strcmp(json_object_get_string(json), text) != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;
    size_t len = size > 0 ? size - 1 : 0;

    if (size == 0)
        return 0;
    text = malloc(len + 1);
    if (!text)
        abort();
    memcpy(text, data + 1, len);
    text[len] = '\0';
    check_depths(text, len, data[0] % DEPTH_MAX);
    check_string(text, len);
    free(text);
    return 0;
}
