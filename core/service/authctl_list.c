/* authctl_list.c - xivo-authctl token list, and token revoke of a user. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"

#define PAGE 256            /* tokens in hand at a time */
#define TEN_YEARS 315360000 /* seconds */

/* --- token list --- */

struct listing {
    struct xa_ctl *ctl;
    int64_t now_us;
    uint64_t count;
};

static void
put_line(struct listing *listing, const struct xa_key *key,
         const struct xa_token *token)
{
    struct xa_buf *out = &listing->ctl->out;
    char when[XA_CLOCK_TEXT];
    char shown[XA_SHA256_TEXT];

    xa_key_shown(key, shown);
    xa_clock_format_utc(xa_token_expires_us(token), when);
    if (listing->count == 0)
        xa_buf_puts(out, "key           expires_at (UTC)            auth_id\n");
    xa_buf_putf(out, "%.12s  %-26s  %s\n", shown, when,
                xa_token_auth_id(token));
}

static bool
visit_listed(void *ctx, const struct xa_key *key, const struct xa_token *token)
{
    struct listing *listing = ctx;

    if (xa_token_is_expired(token, listing->now_us))
        return true;
    if (!listing->ctl->json) {
        put_line(listing, key, token);
    } else {
        xa_buf_puts(&listing->ctl->out, listing->count > 0 ? ", " : "[");
        xa_ctl_put_token(listing->ctl, token, key, false);
    }
    listing->count++;
    return listing->ctl->out.broken == XA_OK;
}

static enum xa_rc
read_query(const struct xa_ctl *ctl, int64_t now_us, struct xa_query *out,
           struct xa_err *err)
{
    uint64_t within_s = 0;

    *out = (struct xa_query){.auth_id = ctl->args.auth_id};
    if (!ctl->args.expiring_within)
        return XA_OK;
    if (!xa_str_to_u64(ctl->args.expiring_within, TEN_YEARS, &within_s) ||
        within_s == 0)
        return xa_fail(err, XA_E_INVALID,
                       "--expiring-within is a whole number of seconds from 1 "
                       "to %d",
                       TEN_YEARS);
    out->expires_before_us = now_us + (int64_t)within_s * XA_US_PER_S;
    return XA_OK;
}

enum xa_rc
xa_ctl_token_list(struct xa_ctl *ctl, struct xa_err *err)
{
    struct listing listing = {.ctl = ctl, .now_us = xa_clock_now_us()};
    struct xa_page page = XA_PAGE_FIRST;
    struct xa_ctl_progress progress;
    struct xa_query query;
    enum xa_rc rc;

    rc = read_query(ctl, listing.now_us, &query, err);
    if (rc == XA_OK)
        rc = xa_ctl_open_store(ctl, err);
    if (rc != XA_OK)
        return rc;
    xa_ctl_progress_begin(&progress, "tokens listed");
    if (isatty(STDOUT_FILENO))
        progress.said_ms = 0; /* the list itself shows how far it is */
    while (rc == XA_OK && !page.done && ctl->write_errno == 0 &&
           xa_ctl_progress(&progress, listing.count)) {
        rc = xa_store_list(ctl->store, &query, &page, PAGE, visit_listed,
                           &listing, err);
        if (rc == XA_OK)
            rc = xa_ctl_flush(ctl, err);
    }
    xa_ctl_progress_end(&progress);
    if (rc != XA_OK)
        return rc;
    if (xa_ctl_is_interrupted())
        fprintf(stderr, XA_CTL ": interrupted after %" PRIu64 " tokens\n",
                listing.count);
    else if (ctl->json)
        xa_buf_puts(&ctl->out, listing.count > 0 ? "]\n" : "[]\n");
    return XA_OK;
}

/* --- token revoke --auth-id --- */

struct picking {
    struct xa_key keys[PAGE];
    size_t count;
};

static bool
visit_picked(void *ctx, const struct xa_key *key,
             const struct xa_token *token XA_UNUSED)
{
    struct picking *picking = ctx;

    picking->keys[picking->count++] = *key;
    return picking->count < PAGE;
}

/* One page: those that stand there now, then away with them. */
static enum xa_rc
revoke_page(struct xa_ctl *ctl, struct xa_page *page, uint64_t *count,
            struct xa_err *err)
{
    const struct xa_query query = {.auth_id = ctl->args.auth_id};
    struct picking picking = {.count = 0};
    uint64_t removed = 0;
    enum xa_rc rc;

    rc = xa_store_list(ctl->store, &query, page, PAGE, visit_picked, &picking,
                       err);
    if (rc != XA_OK || picking.count == 0)
        return rc;
    rc = xa_store_remove_many(ctl->store, picking.keys, picking.count, &removed,
                              err);
    *count += removed;
    return rc;
}

static void
put_count(struct xa_ctl *ctl, uint64_t count, bool is_whole)
{
    if (ctl->json)
        xa_buf_putf(&ctl->out, "{\"revoked\": %" PRIu64 ", \"done\": %s}\n",
                    count, is_whole ? "true" : "false");
    else
        xa_buf_putf(&ctl->out, "revoked %" PRIu64 " token%s%s\n", count,
                    count == 1 ? "" : "s",
                    is_whole ? "" : ", not all: give the command again");
}

enum xa_rc
xa_ctl_token_revoke_user(struct xa_ctl *ctl, struct xa_err *err)
{
    struct xa_page page = XA_PAGE_FIRST;
    struct xa_ctl_progress progress;
    uint64_t count = 0;
    enum xa_rc rc;

    rc = xa_ctl_open_store(ctl, err);
    if (rc != XA_OK)
        return rc;
    xa_ctl_progress_begin(&progress, "tokens revoked");
    while (rc == XA_OK && !page.done && xa_ctl_progress(&progress, count))
        rc = revoke_page(ctl, &page, &count, err);
    xa_ctl_progress_end(&progress);
    put_count(ctl, count, rc == XA_OK && page.done);
    if (rc == XA_OK && page.done && count == 0)
        return xa_fail(err, XA_E_NOTFOUND, "no token of this user");
    return rc;
}
