/* store_fill.c - fill a store with live tokens, for measurements. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store_fill -c CONFIG -n N [-o IDS] [-m M] [--lifetime S] [--users U]
 *
 * Makes N tokens of U users (1000), and writes the first M of them, a line
 * each, to the file IDS.  Nothing waits for the disk, so it is no measure
 * itself.
 */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/support/crypto.h"
#include "core/token/store.h"

#define USERS 1000

struct options {
    struct xa_config_cli cli;
    uint64_t count;
    uint64_t told; /* of them go to ids */
    uint64_t lifetime_s;
    uint64_t users;
    const char *ids; /* NULL: nowhere */
};

static enum xa_rc
make_user(unsigned n, struct xa_identity *who, struct xa_err *err)
{
    static const char *const acls[] = {"confd.users.me.read", "dird.#.me.read",
                                       "events.calls.me", "websocketd"};
    char auth_id[64];
    enum xa_rc rc;

    snprintf(auth_id, sizeof auth_id, "%08x-0000-4000-8000-000000000000", n);
    rc = xa_identity_set_auth_id(who, auth_id, err);
    if (rc == XA_OK)
        rc = xa_identity_set_user_uuid(who, auth_id, err);
    for (size_t i = 0; rc == XA_OK && i < XA_COUNT(acls); i++)
        rc = xa_identity_add_acl(who, acls[i], err);
    return rc;
}

static enum xa_rc
make_token(struct xa_store *store, const struct options *options,
           enum xa_key_form form, uint64_t n, FILE *ids, struct xa_err *err)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_key key;
    enum xa_rc rc;

    rc = make_user((unsigned)(n % options->users), &who, err);
    if (rc == XA_OK)
        rc = xa_token_new(&who, (uint32_t)options->lifetime_s,
                          xa_clock_now_us(), &token, err);
    if (rc != XA_OK)
        return rc;
    xa_key_of_token(form, xa_token_id(token), &key);
    if (ids && n < options->told)
        fprintf(ids, "%s\n", xa_token_id(token));
    return xa_store_create(store, &key, token, err);
}

static enum xa_rc
fill(const struct options *options, FILE *ids, struct xa_err *err)
{
    XA_AUTO(xa_config_free) struct xa_config *config = NULL;
    struct xa_store *store = NULL;
    enum xa_key_form form;
    enum xa_rc rc;

    rc = xa_config_load(&options->cli, &config, err);
    if (rc == XA_OK)
        rc = xa_crypto_init(err);
    if (rc != XA_OK)
        return rc;
    form = strcmp(config->store.token_keys, "plain") == 0 ? XA_KEY_PLAIN
                                                          : XA_KEY_SHA256;
    config->store.lmdb.sync = false;
    rc = xa_store_open(config, XA_STORE_USE, &store, err);
    for (uint64_t n = 0; rc == XA_OK && n < options->count; n++)
        rc = make_token(store, options, form, n, ids, err);
    xa_store_close(&store);
    return rc;
}

static bool
parse(int argc, char **argv, struct options *out)
{
    static const struct option names[] = {
        {"lifetime", required_argument, NULL, 's'},
        {"users", required_argument, NULL, 'u'},
        {NULL, 0, NULL, 0},
    };
    bool good = true;
    int flag;

    out->told = UINT64_MAX;
    out->lifetime_s = 86400;
    out->users = USERS;
    while ((flag = getopt_long(argc, argv, "c:n:o:m:", names, NULL)) != -1) {
        switch (flag) {
        case 'c':
            out->cli.path = optarg;
            break;
        case 'n':
            good &= xa_str_to_u64(optarg, UINT32_MAX, &out->count);
            break;
        case 'm':
            good &= xa_str_to_u64(optarg, UINT32_MAX, &out->told);
            break;
        case 's':
            good &= xa_str_to_u64(optarg, XA_LIFETIME_MAX_S, &out->lifetime_s);
            break;
        case 'u':
            good &= xa_str_to_u64(optarg, UINT32_MAX, &out->users) &&
                    out->users > 0;
            break;
        case 'o':
            out->ids = optarg;
            break;
        default:
            good = false;
        }
    }
    return good && optind == argc && out->cli.path && out->count > 0;
}

int
main(int argc, char **argv)
{
    struct options options = {.ids = NULL};
    struct xa_err err = XA_ERR_NONE;
    FILE *ids = NULL;
    enum xa_rc rc;

    if (!parse(argc, argv, &options)) {
        fputs("usage: store_fill -c CONFIG -n N [-o IDS] [-m M]"
              " [--lifetime S] [--users U]\n",
              stderr);
        return EX_USAGE;
    }
    if (options.ids && !(ids = fopen(options.ids, "w"))) {
        perror(options.ids);
        return EX_CANTCREAT;
    }
    rc = fill(&options, ids, &err);
    if (rc != XA_OK)
        fprintf(stderr, "store_fill: %s\n", err.text);
    if (ids && fclose(ids) != 0) {
        perror(options.ids);
        return EX_IOERR;
    }
    return xa_rc_exit_code(rc);
}
