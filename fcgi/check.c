/* check.c - -t: whether a start would be whole. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "core/base/log.h"
#include "core/service/registry.h"
#include "core/token/store.h"

static int
complain(const char *program, const struct xa_err *err)
{
    xa_log_complain(program, err->text);
    return xa_rc_exit_code(err->code);
}

/* The log says what is wrong with each of them. */
static int
check_backends(const char *program, const struct xa_config *config)
{
    XA_AUTO(xa_registry_free) struct xa_registry *registry = NULL;
    struct xa_err err = XA_ERR_NONE;
    size_t failed;

    if (xa_registry_new(config, &registry, &err) != XA_OK)
        return complain(program, &err);
    failed = xa_registry_refused(registry);
    for (size_t i = 0; i < xa_registry_count(registry); i++)
        failed += xa_registry_state(registry, i).reason != NULL;
    if (failed == 0)
        return EX_OK;
    fprintf(stderr, "%s: %zu enabled backend%s cannot be used\n", program,
            failed, failed == 1 ? "" : "s");
    return EX_CONFIG;
}

static int
check_store(const char *program, const struct xa_config *config)
{
    XA_AUTO(xa_store_close) struct xa_store *store = NULL;
    struct xa_err err = XA_ERR_NONE;

    if (xa_store_open(config, XA_STORE_PROBE, &store, &err) != XA_OK ||
        xa_store_check(store, &err) != XA_OK)
        return complain(program, &err);
    return EX_OK;
}

/* Who reads this and not the exit code must not wait for it in vain. */
static int
say_ok(const char *program)
{
    if (puts("configuration ok") != EOF && fflush(stdout) == 0)
        return EX_OK;
    fprintf(stderr, "%s: standard output: %s\n", program, strerror(errno));
    return EX_IOERR;
}

int
xa_check_setup(const char *program, const struct xa_config_cli *cli)
{
    XA_AUTO(xa_config_free) struct xa_config *config = NULL;
    bool verbose = cli->debug || cli->log_level;
    struct xa_err err = XA_ERR_NONE;
    int backends;
    int store;

    if (xa_config_load(cli, &config, &err) != XA_OK ||
        xa_log_open(program, "stderr", verbose ? config->log_level : XA_WARNING,
                    &err) != XA_OK)
        return complain(program, &err);
    if (xa_log_probe(config->log_filename, &err) != XA_OK)
        return complain(program, &err);
    xa_config_log_notes(config);
    backends = check_backends(program, config);
    store = check_store(program, config);
    if (backends == EX_OK && store == EX_OK)
        return say_ok(program);
    return backends != EX_OK ? backends : store;
}
