/* authctl_store.c - xivo-authctl store check, token adopt. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/clock.h"

/* A line of the result; of a fault, whether it can be mended. */
struct row {
    const char *name;
    const char *words;
    uint64_t count;
};

static bool
say_progress(void *ctx, uint64_t done)
{
    return xa_ctl_progress(ctx, done);
}

static void
put_rows(struct xa_ctl *ctl, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ctl->json)
            xa_buf_putf(&ctl->out, "%s\"%s\": %" PRIu64, i > 0 ? ", " : "{",
                        rows[i].name, rows[i].count);
        else
            xa_buf_putf(&ctl->out, "%8" PRIu64 " %s\n", rows[i].count,
                        rows[i].words);
    }
    if (ctl->json)
        xa_buf_puts(&ctl->out, "}\n");
}

static enum xa_rc
audit(struct xa_ctl *ctl, enum xa_audit_mode mode, struct xa_audit *out,
      struct xa_err *err)
{
    struct xa_ctl_progress progress;
    enum xa_rc rc;

    xa_ctl_progress_begin(&progress, "entries looked at");
    rc = xa_store_audit(ctl->store, mode, xa_clock_now_us(), say_progress,
                        &progress, out, err);
    xa_ctl_progress_end(&progress);
    if (rc == XA_OK && xa_ctl_is_interrupted())
        fputs(XA_CTL ": interrupted; this is what was done until then\n",
              stderr);
    return rc;
}

static void
warn_of_unreadable(const struct xa_audit *found)
{
    if (found->unreadable > 0)
        fprintf(stderr,
                XA_CTL ": %" PRIu64 " tokens stay as they are, because they "
                       "cannot be read\n",
                found->unreadable);
}

enum xa_rc
xa_ctl_token_adopt(struct xa_ctl *ctl, struct xa_err *err)
{
    struct xa_audit found;
    enum xa_rc rc;

    rc = xa_ctl_open_store(ctl, err);
    if (rc == XA_OK)
        rc = audit(ctl, XA_AUDIT_ADOPT, &found, err);
    if (rc != XA_OK)
        return rc;
    put_rows(ctl,
             (const struct row[]){
                 {"tokens", "tokens", found.tokens},
                 {"scheduled", "got a schedule", found.unscheduled},
                 {"listed", "got an entry of their subject", found.unlisted},
                 {"unreadable", "cannot be read", found.unreadable},
             },
             4);
    warn_of_unreadable(&found);
    return XA_OK;
}

static void
put_found(struct xa_ctl *ctl, const struct xa_audit *found)
{
    bool mends = ctl->args.repair;

    put_rows(ctl,
             (const struct row[]){
                 {"tokens", "tokens", found->tokens},
                 {"unreadable", "cannot be read", found->unreadable},
                 {"unscheduled",
                  mends ? "got the schedule that they lacked"
                        : "lack their schedule",
                  found->unscheduled},
                 {"unlisted",
                  mends ? "got the entry of their subject that they lacked"
                        : "lack the entry of their subject",
                  found->unlisted},
                 {"stray_schedules",
                  mends ? "schedules without a token removed"
                        : "schedules without a token",
                  found->stray_schedules},
                 {"stray_subjects",
                  mends ? "entries of a subject without a token removed"
                        : "entries of a subject without a token",
                  found->stray_subjects},
             },
             6);
}

/* What is only looked at is not made, either. */
static enum xa_rc
open_store(struct xa_ctl *ctl, struct xa_err *err)
{
    enum xa_rc rc;

    if (ctl->args.repair)
        return xa_ctl_open_store(ctl, err);
    rc = xa_ctl_open_config(ctl, err);
    if (rc == XA_OK)
        rc = xa_store_open(ctl->config, XA_STORE_PROBE, &ctl->store, err);
    return rc;
}

enum xa_rc
xa_ctl_store_check(struct xa_ctl *ctl, struct xa_err *err)
{
    bool mends = ctl->args.repair;
    struct xa_audit found;
    uint64_t mendable;
    enum xa_rc rc;

    rc = open_store(ctl, err);
    if (rc == XA_OK)
        rc = audit(ctl, mends ? XA_AUDIT_REPAIR : XA_AUDIT_LOOK, &found, err);
    if (rc != XA_OK)
        return rc;
    put_found(ctl, &found);
    mendable = found.unscheduled + found.unlisted + found.stray_schedules +
               found.stray_subjects;
    if (mends)
        warn_of_unreadable(&found);
    if (found.unreadable > 0 && (mends || mendable == 0))
        return xa_fail(err, XA_E_NOTFOUND,
                       "what cannot be read cannot be mended");
    if (mendable > 0 && !mends)
        return xa_fail(err, XA_E_NOTFOUND,
                       "--repair would mend %" PRIu64 " of these", mendable);
    return XA_OK;
}
