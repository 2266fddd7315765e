/* fuzz_consul_listing.c - the names that Consul lists. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json.h>

#include "core/support/json.h"
#include "core/token/consul/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
count_one(void *ctx, const char *name)
{
    struct {
        size_t count;
        size_t bytes;
    } *seen = ctx;

    seen->count++;
    seen->bytes += strlen(name);
    return true;
}

/* What the parser makes of it: the number of names, or -1. */
static ptrdiff_t
count_parsed(const char *text, size_t size, size_t *out_bytes)
{
    XA_AUTO(xa_json_free) struct json_object *json = NULL;
    size_t count;

    *out_bytes = 0;
    if (xa_json_parse(text, size, 1, &json) != XA_JSON_FINE ||
        !json_object_is_type(json, json_type_array) ||
        memchr(text, '\v', size) || memchr(text, '\f', size))
        return -1;
    count = json_object_array_length(json);
    for (size_t i = 0; i < count; i++) {
        struct json_object *name = json_object_array_get_idx(json, i);

        if (!json_object_is_type(name, json_type_string) ||
            memchr(json_object_get_string(name), '\0',
                   (size_t)json_object_get_string_len(name)))
            return -1;
        *out_bytes += (size_t)json_object_get_string_len(name);
    }
    return (ptrdiff_t)count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct {
        size_t count;
        size_t bytes;
    } seen = {0, 0};
    char *text = malloc(size + 1);
    ptrdiff_t expected;
    size_t bytes;
    bool ended;
    enum xa_rc rc;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    expected = count_parsed(text, size, &bytes);
    rc = xa_walk_listing(text, size, count_one, &seen, &ended, NULL);
    /* no name is lost that a parser would have found */
    if (expected >= 0 &&
        (rc != XA_OK || !ended || seen.count != (size_t)expected ||
         seen.bytes != bytes))
        abort();
    free(text);
    return 0;
}
