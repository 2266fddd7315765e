/* authctl_adopt.c - xivo-authctl token adopt. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/clock.h"

#define PROGRESS_MS 500 /* after so long it is said how far it has come */

/* When something was said last; 0: nothing is to be said. */
struct progress {
    int64_t said_ms;
    bool is_open; /* a line that waits for its end */
};

static bool
say_progress(void *ctx, uint64_t done)
{
    struct progress *progress = ctx;
    int64_t now_ms = xa_clock_mono_ms();

    if (progress->said_ms == 0 || now_ms - progress->said_ms < PROGRESS_MS)
        return true;
    fprintf(stderr, "\r%" PRIu64 " tokens looked at", done);
    progress->said_ms = now_ms;
    progress->is_open = true;
    return true;
}

static void
put_result(struct xa_ctl *ctl, const struct xa_audit *found)
{
    const struct {
        const char *name;
        const char *words;
        uint64_t count;
    } rows[] = {
        {"tokens", "tokens", found->tokens},
        {"scheduled", "got a schedule", found->unscheduled},
        {"listed", "got an entry of their subject", found->unlisted},
        {"unreadable", "cannot be read", found->unreadable},
    };

    for (size_t i = 0; i < XA_COUNT(rows); i++) {
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

enum xa_rc
xa_ctl_token_adopt(struct xa_ctl *ctl, struct xa_err *err)
{
    struct progress progress = {0};
    struct xa_audit found;
    enum xa_rc rc;

    if (isatty(STDERR_FILENO))
        progress.said_ms = xa_clock_mono_ms();
    rc = xa_ctl_open_store(ctl, err);
    if (rc == XA_OK)
        rc = xa_store_audit(ctl->store, XA_AUDIT_ADOPT, xa_clock_now_us(),
                            say_progress, &progress, &found, err);
    if (progress.is_open)
        fputc('\n', stderr);
    if (rc != XA_OK)
        return rc;
    put_result(ctl, &found);
    if (found.unreadable > 0)
        fprintf(stderr,
                XA_CTL ": %" PRIu64 " tokens stay as they are, because they "
                       "cannot be read\n",
                found.unreadable);
    return XA_OK;
}
