/* host.c - what the service lends to a backend module. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/host.h"

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "core/support/password.h"
#include "core/support/yaml.h"

static struct xa_host_side *
side_of(const struct xa_host *host)
{
    return host->ctx;
}

static const struct xa_node *
lend_config(const struct xa_host *host)
{
    return side_of(host)->config->root;
}

static const struct xa_node *
lend_get(const struct xa_node *map, const char *key)
{
    const struct xa_node *value;

    if (!map || xa_node_kind(map) != XA_NODE_MAP)
        return NULL;
    value = xa_node_get(map, key);
    return xa_node_is_null(value) ? NULL : value;
}

static size_t
lend_count(const struct xa_node *node)
{
    return node ? xa_node_count(node) : 0;
}

static const struct xa_node *
lend_item(const struct xa_node *node, size_t i, const char **out_key)
{
    return node ? xa_node_item(node, i, out_key) : NULL;
}

static int
lend_is_map(const struct xa_node *node)
{
    return node && xa_node_kind(node) == XA_NODE_MAP;
}

static int
lend_is_list(const struct xa_node *node)
{
    return node && xa_node_kind(node) == XA_NODE_LIST;
}

static unsigned
lend_line(const struct xa_node *node)
{
    return node ? xa_node_line(node) : 0;
}

static int
lend_integer(const struct xa_node *node, int64_t *out)
{
    return node && xa_node_to_int(node, out) ? 0 : -1;
}

static int
lend_boolean(const struct xa_node *node, int *out)
{
    bool value;

    if (!node || !xa_node_to_bool(node, &value))
        return -1;
    *out = value;
    return 0;
}

static struct xa_node *
lend_read_file(const struct xa_host *host XA_UNUSED, const char *path,
               char *why, size_t why_len)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_node *tree = NULL;

    if (xa_yaml_read(path, XA_HOST_NODES_MAX, &tree, &err) == XA_OK)
        return tree;
    snprintf(why, why_len, "%s", err.text);
    return NULL;
}

/* The tree of many users is some 100 MiB in small pieces, and what a module
 * made of it lies above them: without a word libc would keep all of it. */
static void
lend_free_tree(struct xa_node *tree)
{
    xa_node_free(&tree);
#ifdef HAVE_MALLOC_TRIM
    malloc_trim(0);
#endif
}

static enum xa_level
level_of(enum xa_host_level level)
{
    switch (level) {
    case XA_HOST_DEBUG:
        return XA_DEBUG;
    case XA_HOST_INFO:
        return XA_INFO;
    case XA_HOST_WARNING:
        return XA_WARNING;
    case XA_HOST_ERROR:
        break;
    }
    return XA_ERROR;
}

XA_PRINTF(3, 4)
static void
lend_log(const struct xa_host *host, enum xa_host_level level, const char *fmt,
         ...)
{
    char text[XA_LOG_VALUE_MAX];
    char quoted[XA_LOG_VALUE_MAX];
    va_list ap;

    if (!xa_log_enabled(level_of(level)))
        return;
    va_start(ap, fmt);
    if (vsnprintf(text, sizeof text, fmt, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    xa_log(level_of(level), "backend.says", "name=%s text=%s",
           side_of(host)->name, xa_log_quote(text, quoted));
}

static int
lend_verify(const struct xa_host *host, const char *stored, const char *given)
{
    struct xa_err err = XA_ERR_NONE;
    enum xa_rc rc;

    rc = xa_password_verify(stored, given, &err);
    if (rc == XA_E_INVALID)
        return -1;
    side_of(host)->hashes++;
    if (rc == XA_OK)
        return 1;
    if (rc != XA_E_DENIED) /* out of memory, say: nobody is let in */
        xa_log(XA_ERROR, "backend.unverified", "name=%s why=%s",
               side_of(host)->name, xa_rc_name(rc));
    return 0;
}

static int
lend_is_hash(const char *stored)
{
    return stored && xa_password_is_hash(stored, NULL);
}

static int
lend_equal(const char *a, const char *b)
{
    return xa_secret_equal(a, strlen(a), b, strlen(b));
}

static int
lend_time_left(const struct xa_host *host)
{
    int64_t spent = xa_host_spent_ms(side_of(host));

    return spent < XA_HOST_CALL_MS ? (int)(XA_HOST_CALL_MS - spent) : 0;
}

void
xa_host_init(struct xa_host_side *side, const char *name,
             const struct xa_config *config)
{
    static const struct xa_host calls = {
        .abi = XA_BACKEND_ABI,
        .size = (uint32_t)sizeof(struct xa_host),
        .config = lend_config,
        .get = lend_get,
        .count = lend_count,
        .item = lend_item,
        .text = xa_node_text,
        .is_map = lend_is_map,
        .is_list = lend_is_list,
        .line = lend_line,
        .integer = lend_integer,
        .boolean = lend_boolean,
        .read_file = lend_read_file,
        .free_tree = lend_free_tree,
        .log = lend_log,
        .wipe = xa_wipe,
        .verify_password = lend_verify,
        .is_hash = lend_is_hash,
        .equal = lend_equal,
        .time_left_ms = lend_time_left,
    };

    side->lent = calls;
    side->lent.ctx = side;
    side->name = name;
    side->config = config;
    xa_host_begin(side);
}

void
xa_host_begin(struct xa_host_side *side)
{
    side->begun_ms = xa_clock_mono_ms();
    side->hashes = 0;
}

int64_t
xa_host_spent_ms(const struct xa_host_side *side)
{
    return xa_clock_mono_ms() - side->begun_ms;
}
