/* cors.c - which pages of other origins may read an answer. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/cors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/support/config_cors.h"
#include "fcgi/params.h"

#define ALLOW "Access-Control-Allow-"
#define CRLF "\r\n"

/* Three lists, and short lines. */
#define LINES_MAX (4 * XA_CORS_LINE_MAX)

struct xa_cors {
    const struct xa_strlist *origins; /* borrowed */
    const struct xa_strlist *methods; /* borrowed */
    bool any_origin;
    struct xa_buf both;      /* for every answer that may be read */
    struct xa_buf actual;    /* for what is no OPTIONS */
    struct xa_buf preflight; /* for a preflight that is granted */
};

static void
put_list(struct xa_buf *out, const char *name, const struct xa_strlist *list)
{
    if (list->count == 0)
        return;
    xa_buf_puts(out, name);
    for (size_t i = 0; i < list->count; i++) {
        xa_buf_puts(out, i == 0 ? ": " : ", ");
        xa_buf_puts(out, list->items[i]);
    }
    xa_buf_puts(out, CRLF);
}

static enum xa_rc
put_lines(struct xa_cors *cors, const struct xa_config *config,
          struct xa_err *err)
{
    enum xa_rc rc;

    if (config->rest_api.cors.supports_credentials)
        xa_buf_puts(&cors->both, ALLOW "Credentials: true" CRLF);
    put_list(&cors->actual, "Access-Control-Expose-Headers",
             &config->rest_api.cors.expose_headers);
    put_list(&cors->preflight, ALLOW "Methods", cors->methods);
    put_list(&cors->preflight, ALLOW "Headers",
             &config->rest_api.cors.allow_headers);
    xa_buf_putf(&cors->preflight, "Access-Control-Max-Age: %" PRIu32 CRLF,
                config->rest_api.cors.max_age_s);
    rc = xa_buf_check(&cors->both, err);
    if (rc == XA_OK)
        rc = xa_buf_check(&cors->actual, err);
    if (rc == XA_OK)
        rc = xa_buf_check(&cors->preflight, err);
    return rc;
}

enum xa_rc
xa_cors_new(const struct xa_config *config, struct xa_cors **out,
            struct xa_err *err)
{
    XA_AUTO(xa_cors_free) struct xa_cors *cors = NULL;
    enum xa_rc rc;

    if (!config->rest_api.cors.enabled) {
        *out = NULL;
        return XA_OK;
    }
    cors = calloc(1, sizeof *cors);
    if (!cors)
        return xa_fail(err, XA_E_NOMEM, "no memory for the CORS headers");
    cors->origins = &config->rest_api.cors.origins;
    cors->methods = &config->rest_api.cors.methods;
    cors->any_origin = xa_strlist_has(cors->origins, "*");
    cors->both = (struct xa_buf)XA_BUF(LINES_MAX);
    cors->actual = (struct xa_buf)XA_BUF(LINES_MAX);
    cors->preflight = (struct xa_buf)XA_BUF(LINES_MAX);
    rc = put_lines(cors, config, err);
    if (rc != XA_OK)
        return rc;

    *out = XA_TAKE(cors);
    return XA_OK;
}

void
xa_cors_free(struct xa_cors **cors)
{
    if (!*cors)
        return;
    xa_buf_free(&(*cors)->both);
    xa_buf_free(&(*cors)->actual);
    xa_buf_free(&(*cors)->preflight);
    free(*cors);
    *cors = NULL;
}

/* The value of a parameter that stands there once; else NULL. */
static const char *
find_param(const char *const *params, const char *name)
{
    const char *value;

    (void)xa_params_find(params, name, &value);
    return value;
}

/* Our own text for the origin that asks; NULL: it may not read the answer. */
static const char *
find_origin(const struct xa_cors *cors, const char *const *params)
{
    const char *asking;

    if (cors->any_origin)
        return "*";
    asking = find_param(params, "HTTP_ORIGIN");
    for (size_t i = 0; asking && i < cors->origins->count; i++)
        if (strcmp(cors->origins->items[i], asking) == 0)
            return cors->origins->items[i];
    return NULL;
}

static bool
is_granted(const struct xa_cors *cors, const char *const *params)
{
    const char *method =
        find_param(params, "HTTP_ACCESS_CONTROL_REQUEST_METHOD");

    return method && xa_strlist_has(cors->methods, method) &&
           find_param(params, "HTTP_ORIGIN");
}

static void
put_all(struct xa_buf *out, const struct xa_buf *lines)
{
    xa_buf_put(out, xa_buf_text(lines), lines->len);
}

void
xa_cors_put(const struct xa_cors *cors, const char *const *params,
            bool is_options, struct xa_buf *headers)
{
    const char *origin;

    if (!cors)
        return;
    xa_buf_puts(headers, "Vary: Origin" CRLF);
    origin = find_origin(cors, params);
    if (!origin)
        return;
    xa_buf_puts(headers, ALLOW "Origin: ");
    xa_buf_puts(headers, origin);
    xa_buf_puts(headers, CRLF);
    put_all(headers, &cors->both);
    if (!is_options)
        put_all(headers, &cors->actual);
    else if (is_granted(cors, params))
        put_all(headers, &cors->preflight);
}
