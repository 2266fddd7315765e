/* store_dump.c - what is in a store, for tests. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store_dump -c CONFIG
 *
 * Prints a line `KEY AUTH_ID EXPIRES_US` for each token, then one line with
 * what an audit counts.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "core/support/crypto.h"
#include "core/support/sha256.h"
#include "core/token/store.h"

#define PAGE 1000

static bool
print(void *ctx XA_UNUSED, const struct xa_key *key,
      const struct xa_token *token)
{
    char shown[XA_SHA256_TEXT];

    xa_key_shown(key, shown);
    printf("%s %s %" PRId64 "\n", shown, xa_token_auth_id(token),
           xa_token_expires_us(token));
    return true;
}

static enum xa_rc
dump(struct xa_store *store, struct xa_err *err)
{
    const struct xa_query everything = {0};
    struct xa_page page = XA_PAGE_FIRST;
    struct xa_audit found;
    enum xa_rc rc;

    while (!page.done) {
        rc = xa_store_list(store, &everything, &page, PAGE, print, NULL, err);
        if (rc != XA_OK)
            return rc;
    }
    rc = xa_store_audit(store, XA_AUDIT_LOOK, 0, NULL, NULL, &found, err);
    if (rc != XA_OK)
        return rc;
    printf("tokens=%" PRIu64 " unreadable=%" PRIu64 " unscheduled=%" PRIu64
           " unlisted=%" PRIu64 " stray_schedules=%" PRIu64
           " stray_subjects=%" PRIu64 "\n",
           found.tokens, found.unreadable, found.unscheduled, found.unlisted,
           found.stray_schedules, found.stray_subjects);
    return XA_OK;
}

int
main(int argc, char **argv)
{
    struct xa_config_cli cli = {.path = argc == 3 ? argv[2] : NULL};
    struct xa_config *config = NULL;
    struct xa_store *store = NULL;
    struct xa_err err = XA_ERR_NONE;
    enum xa_rc rc;

    if (argc != 3 || strcmp(argv[1], "-c") != 0) {
        fputs("usage: store_dump -c CONFIG\n", stderr);
        return EX_USAGE;
    }
    rc = xa_config_load(&cli, &config, &err);
    if (rc == XA_OK)
        rc = xa_crypto_init(&err);
    if (rc == XA_OK)
        rc = xa_store_open(config, XA_STORE_PROBE, &store, &err);
    if (rc == XA_OK)
        rc = dump(store, &err);
    if (rc != XA_OK)
        fprintf(stderr, "store_dump: %s\n", err.text);
    xa_store_close(&store);
    xa_config_free(&config);
    return xa_rc_exit_code(rc);
}
