/* authctl_token.c - xivo-authctl token show, check, revoke. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/service/key_find.h"

static enum xa_rc
no_such_token(struct xa_err *err)
{
    return xa_fail(err, XA_E_NOTFOUND, "no such token");
}

static enum xa_key_form
key_form(const struct xa_ctl *ctl)
{
    return strcmp(ctl->config->store.token_keys, "plain") == 0 ? XA_KEY_PLAIN
                                                               : XA_KEY_SHA256;
}

/* The store's key of what was given, a token or a key. */
static enum xa_rc
key_of(struct xa_ctl *ctl, const char *text, struct xa_key *out,
       struct xa_err *err)
{
    char id[XA_UUID_TEXT];

    if (!xa_uuid_parse(text, strlen(text), id))
        return xa_key_find(ctl->store, key_form(ctl), text, xa_clock_now_us(),
                           out, err);
    xa_key_of_token(key_form(ctl), id, out);
    xa_wipe(id, sizeof id);
    return XA_OK;
}

/* Blanks around it are no part of it, nor is the return of a foreign file. */
static enum xa_rc
read_operand(struct xa_ctl *ctl, struct xa_secret **out, struct xa_err *err)
{
    XA_AUTO(xa_secret_free) struct xa_secret *line = NULL;
    char *given = ctl->args.operand;
    const char *text;
    size_t len;
    enum xa_rc rc;

    if (strcmp(given, "-") != 0) {
        char id[XA_UUID_TEXT];

        len = strlen(given);
        if (xa_uuid_parse(given, len, id))
            fputs(XA_CTL ": warning: a token on the command line can be seen "
                         "by others; give `-` and write it to standard input\n",
                  stderr);
        xa_wipe(id, sizeof id);
        rc = xa_secret_new(given, len, out, err);
        xa_wipe(given, len); /* argv is what others see */
        return rc;
    }
    rc = xa_ctl_read_secret("Token or key", &line, err);
    if (rc != XA_OK)
        return rc;
    text = xa_secret_text(line) + strspn(xa_secret_text(line), " \t\r");
    len = strcspn(text, " \t\r");
    if (text[len + strspn(text + len, " \t\r")] != '\0')
        return xa_fail(err, XA_E_INVALID, "more than one word came");
    return xa_secret_new(text, len, out, err);
}

/* The key and the token that the operand means; XA_E_NOTFOUND also when it
 * has expired. */
static enum xa_rc
find(struct xa_ctl *ctl, struct xa_key *key, struct xa_token **out,
     struct xa_err *err)
{
    XA_AUTO(xa_secret_free) struct xa_secret *text = NULL;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    static const char no_id[XA_UUID_TEXT];
    enum xa_rc rc;

    rc = read_operand(ctl, &text, err);
    if (rc == XA_OK)
        rc = xa_ctl_open_store(ctl, err);
    if (rc == XA_OK)
        rc = key_of(ctl, xa_secret_text(text), key, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_store_get(ctl->store, key, &token, err);
    if (rc == XA_E_NOTFOUND)
        return no_such_token(err);
    if (rc != XA_OK)
        return rc;
    if (xa_token_is_expired(token, xa_clock_now_us()))
        return xa_fail(err, XA_E_NOTFOUND, "no such token: it has expired");
    xa_token_set_id(token, no_id); /* so that no output can show it */
    *out = XA_TAKE(token);
    return XA_OK;
}

/* As find(); XA_E_FORBIDDEN when it lacks the ACL that was asked for. */
static enum xa_rc
find_allowed(struct xa_ctl *ctl, struct xa_key *key, struct xa_token **out,
             struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    enum xa_rc rc;

    rc = find(ctl, key, &token, err);
    if (rc != XA_OK)
        return rc;
    if (ctl->args.scope && !xa_token_allows(token, ctl->args.scope))
        return xa_fail(err, XA_E_FORBIDDEN,
                       "the token is valid, but does not have this ACL");
    *out = XA_TAKE(token);
    return XA_OK;
}

enum xa_rc
xa_ctl_token_show(struct xa_ctl *ctl, struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_key key;
    enum xa_rc rc;

    rc = find_allowed(ctl, &key, &token, err);
    if (rc != XA_OK)
        return rc;
    xa_ctl_put_token(ctl, token, &key, false);
    return XA_OK;
}

enum xa_rc
xa_ctl_token_check(struct xa_ctl *ctl, struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_key key;
    enum xa_rc rc;

    rc = find_allowed(ctl, &key, &token, err);
    if (rc == XA_OK)
        xa_buf_puts(&ctl->out, ctl->json ? "{\"valid\": true}\n" : "valid\n");
    else if (ctl->json && rc == XA_E_NOTFOUND)
        xa_buf_puts(&ctl->out, "{\"valid\": false}\n");
    else if (ctl->json && rc == XA_E_FORBIDDEN)
        xa_buf_puts(&ctl->out, "{\"valid\": true, \"allowed\": false}\n");
    return rc;
}

/* The key of a token that may be revoked.  A record that cannot be read may
 * be, as by HTTP; but nobody can say which ACLs it has. */
static enum xa_rc
find_to_revoke(struct xa_ctl *ctl, struct xa_key *key, struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    enum xa_rc rc;

    *key->text = '\0';
    rc = find_allowed(ctl, key, &token, err);
    if (rc == XA_E_STORE && *key->text && !ctl->args.scope)
        return XA_OK;
    return rc;
}

enum xa_rc
xa_ctl_token_revoke(struct xa_ctl *ctl, struct xa_err *err)
{
    char shown[XA_SHA256_TEXT];
    bool removed = false;
    struct xa_key key;
    enum xa_rc rc;

    if (ctl->args.auth_id)
        return xa_ctl_token_revoke_user(ctl, err);
    rc = find_to_revoke(ctl, &key, err);
    if (rc == XA_OK)
        rc = xa_store_remove(ctl->store, &key, &removed, err);
    if (rc != XA_OK)
        return rc;
    if (!removed) /* somebody else was quicker */
        return no_such_token(err);
    xa_key_shown(&key, shown);
    if (ctl->json)
        xa_buf_putf(&ctl->out, "{\"revoked\": \"%s\"}\n", shown);
    else
        xa_buf_putf(&ctl->out, "revoked %.12s\n", shown);
    return XA_OK;
}
