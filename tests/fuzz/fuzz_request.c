/* fuzz_request.c - a request from its parameters to its log line. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: parameters as "NAME=value" lines, an empty line, the body.  The
 * request is answered as the responder does it, over a store in memory and
 * fake backends, then rendered and logged.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/support/crypto.h"
#include "fcgi/access_log.h"
#include "fcgi/app.h"
#include "tests/fakes/memory_store.h"
#include "tests/fakes/registry.h"

#define PARAMS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
    const char *bytes;
    size_t left;
};

static size_t
read_source(void *ctx, void *out, size_t len)
{
    struct source *source = ctx;

    if (len > source->left)
        len = source->left;
    memcpy(out, source->bytes, len);
    source->bytes += len;
    source->left -= len;
    return len;
}

static void
drop_line(void *ctx XA_UNUSED, enum xa_level level XA_UNUSED, const char *line)
{
    if (strpbrk(line, "\r\n"))
        abort();
}

/* The header lines of an answer, whatever was asked, are lines. */
static void
check_answer(const struct xa_buf *wire)
{
    const char *text = xa_buf_text(wire);
    const char *end = strstr(text, "\r\n\r\n");

    if (!end || strncmp(text, "Status: ", 8) != 0)
        abort();
    for (const char *p = text; p < end; p++) {
        if (*p == '\r' && p[1] == '\n')
            p++;
        else if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
            abort();
    }
}

static void
answer(const struct xa_cgi *cgi)
{
    XA_AUTO(xa_request_done) struct xa_request req = XA_REQUEST_EMPTY;
    XA_AUTO(xa_buf_free) struct xa_buf wire = XA_BUF(4 * XA_REPLY_MAX);
    XA_AUTO(xa_store_close) struct xa_store *store = memory_store_new();
    XA_AUTO(xa_registry_free) struct xa_registry *registry = NULL;
    XA_AUTO(xa_token_manager_free) struct xa_token_manager *manager = NULL;
    XA_AUTO(xa_reply_done) struct xa_reply reply;
    char form[] = "sha256";
    struct xa_config config = {
        .default_token_lifetime_s = 7200,
        .max_token_lifetime_s = 86400,
        .rest_api.max_body_size = 16384,
        .store.token_keys = form,
    };
    struct xa_app app = {.config = &config, .store = store};

    xa_reply_init(&reply);
    if (xa_registry_new(&config, &registry, NULL) != XA_OK ||
        xa_token_manager_new(store, &config, &manager, NULL) != XA_OK)
        abort();
    app.registry = registry;
    app.manager = manager;
    xa_request_init(&req, cgi, 1480933018557553);
    xa_app_answer(&app, &req, &reply);
    xa_reply_render(&reply, req.method == XA_HEAD, &wire);
    if (xa_buf_check(&wire, NULL) != XA_OK)
        abort();
    check_answer(&wire);
    xa_access_log(&req, &reply, 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *vector[PARAMS_MAX + 1] = {NULL};
    struct source source = {"", 0};
    struct xa_cgi cgi = {vector, read_source, &source};
    char *text = malloc(size + 1);
    char *line = text;
    size_t n = 0;

    if (!text || xa_crypto_init(NULL) != XA_OK)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    xa_log_capture(drop_line, NULL, XA_DEBUG);
    while (n < PARAMS_MAX && line < text + size && *line != '\n') {
        char *end = memchr(line, '\n', (size_t)(text + size - line));

        vector[n++] = line;
        if (!end) {
            line = text + size;
            break;
        }
        *end = '\0';
        line = end + 1;
    }
    if (line < text + size) {
        source.bytes = line + 1;
        source.left = (size_t)(text + size - line - 1);
    }
    answer(&cgi);
    free(text);
    return 0;
}
