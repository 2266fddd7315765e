/* fuzz_config.c - a configuration file, read, checked and printed. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: the file.  What is refused is said of that file; what is accepted
 * stands within its limits, gives CORS headers that are lines, and is accepted
 * again as it is printed.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/support/config.h"
#include "fcgi/cors.h"

#define HEADERS_MAX (4u * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* A file without a place of its own that has these bytes. */
static const char *
put_file(const void *bytes, size_t size)
{
    static char path[64];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("config.yml", MFD_CLOEXEC);
        check(fd >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    check(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, size, 0) == (ssize_t)size);
    return path;
}

static enum xa_rc
load(const void *bytes, size_t size, struct xa_config **out)
{
    const struct xa_config_cli cli = {.path = put_file(bytes, size)};
    struct xa_err err = XA_ERR_NONE;
    enum xa_rc rc = xa_config_load(&cli, out, &err);

    if (rc != XA_OK)
        check(rc == XA_E_CONFIG && err.code == rc && err.text[0]);
    return rc;
}

/* As browsers send them (RFC 6454 section 6.2), and nothing besides. */
static void
check_origin(const char *origin)
{
    const char *host = strstr(origin, "://");

    if (strcmp(origin, "*") == 0)
        return;
    check(host && host > origin && host[3] &&
          !strpbrk(host + 3, "/*?#@,; \t\r\n\"ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
    for (const char *p = origin; *p; p++)
        check(*p > 0x20 && *p < 0x7f);
}

static void
check_cors(const struct xa_config *config)
{
    static const char *const params[] = {
        "HTTP_ORIGIN=https://app.example",
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD=GET", NULL};
    XA_AUTO(xa_buf_free) struct xa_buf headers = XA_BUF(HEADERS_MAX);
    XA_AUTO(xa_cors_free) struct xa_cors *cors = NULL;
    const struct xa_strlist *origins = &config->rest_api.cors.origins;

    for (size_t i = 0; config->rest_api.cors.enabled && i < origins->count; i++)
        check_origin(origins->items[i]);
    if (xa_cors_new(config, &cors, NULL) != XA_OK)
        return; /* more headers than an answer may have */
    check((cors != NULL) == config->rest_api.cors.enabled);
    xa_cors_put(cors, params, true, &headers);
    for (const char *p = xa_buf_text(&headers); *p;) {
        const char *eol = strstr(p, "\r\n");

        check(eol && memchr(p, ':', (size_t)(eol - p)));
        for (; p < eol; p++)
            check((unsigned char)*p >= 0x20 && *p != 0x7f);
        p = eol + 2;
    }
}

static void
check_printed(const struct xa_config *config)
{
    XA_AUTO(xa_config_free) struct xa_config *again = NULL;
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    check(to != NULL);
    xa_config_print(config, to);
    check(fclose(to) == 0 && load(text, len, &again) == XA_OK);
    check(again->max_token_lifetime_s == config->max_token_lifetime_s &&
          again->authorize.paths.count == config->authorize.paths.count &&
          again->expiry.interval_ms == config->expiry.interval_ms);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    XA_AUTO(xa_config_free) struct xa_config *config = NULL;

    /* files of the machine are not of interest */
    if (memmem(data, size, "extra", 5) || memmem(data, size, "verify", 6))
        return 0;
    if (load(data, size, &config) != XA_OK)
        return 0;
    check(config->default_token_lifetime_s > 0 &&
          config->default_token_lifetime_s <= config->max_token_lifetime_s);
    check(config->rest_api.max_connections > 0 &&
          config->expiry.interval_ms > 0 && config->consul.timeout_ms > 0);
    check_cors(config);
    check_printed(config);
    return 0;
}
