/* token_manager.c - issue, find, revoke: the rules of a token. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/token_manager.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"

struct xa_token_manager {
    struct xa_store *store;
    const struct xa_config *config;
    enum xa_key_form key_form;
};

enum xa_rc
xa_token_manager_new(struct xa_store *store, const struct xa_config *config,
                     struct xa_token_manager **out, struct xa_err *err)
{
    struct xa_token_manager *manager;

    manager = calloc(1, sizeof *manager);
    if (!manager)
        return xa_fail_nomem(err);
    manager->store = store;
    manager->config = config;
    manager->key_form = strcmp(config->store.token_keys, "plain") == 0
                            ? XA_KEY_PLAIN
                            : XA_KEY_SHA256;
    *out = manager;
    return XA_OK;
}

void
xa_token_manager_free(struct xa_token_manager **manager)
{
    free(*manager);
    *manager = NULL;
}

enum xa_rc
xa_token_manager_lifetime(const struct xa_token_manager *manager,
                          uint64_t lifetime_s, uint32_t *out_s,
                          struct xa_err *err)
{
    const struct xa_config *config = manager->config;

    if (lifetime_s > config->max_token_lifetime_s)
        return xa_fail(err, XA_E_INVALID, "lifetime over %u s",
                       config->max_token_lifetime_s);
    *out_s = lifetime_s > 0 ? (uint32_t)lifetime_s
                            : config->default_token_lifetime_s;
    return XA_OK;
}

static void
log_token(const char *event, const struct xa_key *key, const char *auth_id)
{
    char shown[XA_SHA256_TEXT];
    char quoted[XA_LOG_VALUE_MAX];

    if (!xa_log_enabled(XA_INFO))
        return;
    xa_key_shown(key, shown);
    if (auth_id)
        xa_log(XA_INFO, event, "key=%.12s auth_id=%s", shown,
               xa_log_quote(auth_id, quoted));
    else
        xa_log(XA_INFO, event, "key=%.12s", shown);
}

enum xa_rc
xa_token_manager_issue(struct xa_token_manager *manager,
                       const struct xa_identity *who, uint32_t lifetime_s,
                       int64_t now_us, struct xa_token **out,
                       struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_identity full = *who; /* borrows; never freed */
    struct xa_key key;
    enum xa_rc rc;

    if (!full.xivo_uuid)
        full.xivo_uuid = manager->config->uuid;
    rc = xa_token_new(&full, lifetime_s, now_us, &token, err);
    if (rc != XA_OK)
        return rc;
    xa_key_of_token(manager->key_form, xa_token_id(token), &key);
    rc = xa_store_create(manager->store, &key, token, err);
    if (rc != XA_OK)
        return rc;
    log_token("token.issued", &key, full.auth_id);
    *out = XA_TAKE(token);
    return XA_OK;
}

/* The key of a token's text, whose one spelling goes to id. */
static enum xa_rc
key_of(const struct xa_token_manager *manager, const char *text,
       char id[XA_UUID_TEXT], struct xa_key *key, struct xa_err *err)
{
    if (!xa_uuid_parse(text, strlen(text), id))
        return xa_fail(err, XA_E_NOTFOUND, "not a token");
    xa_key_of_token(manager->key_form, id, key);
    return XA_OK;
}

enum xa_rc
xa_token_manager_find(struct xa_token_manager *manager, const char *id,
                      const char *scope, int64_t now_us, struct xa_token **out,
                      struct xa_key *out_key, struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    char spelled[XA_UUID_TEXT];
    struct xa_key key;
    enum xa_rc rc;

    rc = key_of(manager, id, spelled, &key, err);
    if (rc != XA_OK)
        return rc;
    if (out_key)
        *out_key = key;
    rc = xa_store_get(manager->store, &key, &token, err);
    if (rc != XA_OK)
        return rc;
    if (xa_token_is_expired(token, now_us))
        return xa_fail(err, XA_E_NOTFOUND, "token has expired");
    if (scope && !xa_token_allows(token, scope))
        return xa_fail(err, XA_E_FORBIDDEN, "no ACL of the token allows it");

    xa_token_set_id(token, spelled);
    *out = XA_TAKE(token);
    return XA_OK;
}

enum xa_rc
xa_token_manager_revoke(struct xa_token_manager *manager, const char *id,
                        struct xa_err *err)
{
    char spelled[XA_UUID_TEXT];
    struct xa_key key;
    bool removed = false;
    enum xa_rc rc;

    rc = key_of(manager, id, spelled, &key, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_store_remove(manager->store, &key, &removed, err);
    if (rc != XA_OK)
        return rc;
    if (removed)
        log_token("token.revoked", &key, NULL);
    return XA_OK;
}
