/* expiry.c - removing what is due, in batches, paced. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/expiry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/service/store_news.h"

#define BATCH 256 /* tokens in one write */
#define JUMP_US (5 * XA_US_PER_S)
#define PAUSE_MIN_MS 1
#define PAUSE_MAX_MS 100

struct xa_expiry {
    struct xa_store *store;
    const struct xa_config *config;
    struct xa_expiry_env env;

    bool clock_known;
    int64_t clock_offset_us;   /* wall clock minus boot clock, as last seen */
    int64_t distrust_until_us; /* boot clock; 0: the clock is trusted */

    uint32_t failures;        /* ticks in a row */
    int64_t failing_since_us; /* boot clock */
    uint32_t skipped;         /* as the log knows it */

    bool leads; /* of a shared store */
    bool waits; /* for the lead, and the log knows it */
};

/* What one tick did. */
struct sweep {
    uint64_t removed;
    uint32_t skipped;
    char example[XA_SHA256_TEXT]; /* one of them, a new one as a rule */
    int64_t late_us;              /* of the most overdue */
    bool asked;                   /* whether the store was */
    struct xa_expired last;
};

enum xa_rc
xa_expiry_new(struct xa_store *store, const struct xa_config *config,
              const struct xa_expiry_env *env, struct xa_expiry **out,
              struct xa_err *err)
{
    struct xa_expiry *expiry;

    expiry = calloc(1, sizeof *expiry);
    if (!expiry)
        return xa_fail_nomem(err);
    expiry->store = store;
    expiry->config = config;
    expiry->env = *env;
    *out = expiry;
    return XA_OK;
}

void
xa_expiry_free(struct xa_expiry **expiry)
{
    free(*expiry);
    *expiry = NULL;
}

static struct xa_moment
read_clocks(const struct xa_expiry *expiry)
{
    return expiry->env.read_clocks(expiry->env.ctx);
}

/* A wall clock that was set to a wrong time must not cost living tokens:
 * whoever set it gets some time to notice. */
static bool
is_clock_trusted(struct xa_expiry *expiry, struct xa_moment at)
{
    uint32_t grace_s = expiry->config->expiry.clock_grace_s;
    int64_t offset_us = at.now_us - at.boot_us;
    int64_t jump_us = offset_us - expiry->clock_offset_us;

    expiry->clock_offset_us = offset_us;
    if (!expiry->clock_known) {
        expiry->clock_known = true;
    } else if (jump_us > JUMP_US || jump_us < -JUMP_US) {
        xa_log(XA_WARNING, "clock.jumped", "by_s=%" PRId64 " pause_s=%" PRIu32,
               jump_us / XA_US_PER_S, grace_s);
        expiry->distrust_until_us = at.boot_us + grace_s * XA_US_PER_S;
    }
    if (at.boot_us < expiry->distrust_until_us)
        return false;
    if (expiry->distrust_until_us > 0)
        xa_log(XA_INFO, "clock.trusted", "paused_s=%" PRIu32, grace_s);
    expiry->distrust_until_us = 0;
    return true;
}

/* Whoever checks or issues gets as much of the machine as the removal. */
static void
pause_after(const struct xa_expiry *expiry, int64_t took_us)
{
    int64_t ms = took_us / 1000;

    if (ms < PAUSE_MIN_MS)
        ms = PAUSE_MIN_MS;
    if (ms > PAUSE_MAX_MS)
        ms = PAUSE_MAX_MS;
    expiry->env.pause(expiry->env.ctx, (int)ms);
}

/* A store of one machine needs no leader, so nothing is said of one. */
static void
log_lead(struct xa_expiry *expiry, bool leads)
{
    if (!xa_store_is_shared(expiry->store))
        return;
    if (leads && !expiry->leads)
        xa_log(XA_INFO, "leader.taken", "pid=%ld", (long)getpid());
    else if (!leads && expiry->leads)
        xa_log(XA_WARNING, "leader.lost",
               "reason=\"another daemon may lead now\"");
    else if (!leads && !expiry->waits)
        xa_log(XA_INFO, "leader.waiting", "reason=\"another daemon leads\"");
    expiry->waits = !leads;
}

static enum xa_rc
lead(struct xa_expiry *expiry, struct xa_err *err)
{
    bool leads = false;
    enum xa_rc rc = xa_store_lead(expiry->store, &leads, err);

    if (rc != XA_OK)
        return rc;
    log_lead(expiry, leads);
    expiry->leads = leads;
    return XA_OK;
}

bool
xa_expiry_leads(const struct xa_expiry *expiry)
{
    return expiry->leads;
}

void
xa_expiry_keep_lead(struct xa_expiry *expiry)
{
    enum xa_rc rc = XA_OK;

    if (expiry->leads && expiry->failures == 0)
        rc = lead(expiry, NULL);
    (void)rc; /* the next tick meets it, and says so */
}

static enum xa_rc
remove_batch(struct xa_expiry *expiry, struct xa_moment at, struct sweep *sweep,
             struct xa_err *err)
{
    struct xa_expired batch;
    enum xa_rc rc;

    rc = xa_store_expire(expiry->store, at.now_us, BATCH, &batch, err);
    if (rc != XA_OK)
        return rc;
    sweep->last = batch;
    sweep->removed += batch.removed;
    if (batch.skipped > sweep->skipped) { /* each counts all so far */
        sweep->skipped = batch.skipped;
        memcpy(sweep->example, batch.example, sizeof sweep->example);
    }
    if (batch.removed > 0 && at.now_us - batch.oldest_us > sweep->late_us)
        sweep->late_us = at.now_us - batch.oldest_us;
    return XA_OK;
}

static enum xa_rc
remove_all(struct xa_expiry *expiry, const volatile sig_atomic_t *stop,
           struct sweep *sweep, struct xa_err *err)
{
    struct xa_moment at;
    enum xa_rc rc;

    while (!*stop) {
        at = read_clocks(expiry);
        rc = lead(expiry, err); /* also while the clock is not trusted */
        if (rc != XA_OK)
            return rc;
        if (!is_clock_trusted(expiry, at))
            return XA_OK;
        sweep->asked = true;
        if (!expiry->leads)
            return XA_OK;
        rc = remove_batch(expiry, at, sweep, err);
        if (rc != XA_OK || !sweep->last.more)
            return rc;
        pause_after(expiry, read_clocks(expiry).boot_us - at.boot_us);
    }
    return XA_OK;
}

static void
log_skipped(struct xa_expiry *expiry, const struct sweep *sweep)
{
    const char *example = sweep->example;

    if (sweep->skipped > expiry->skipped)
        xa_log(XA_WARNING, "expiry.skipped", "count=%" PRIu32 " key=%.12s",
               sweep->skipped, example[0] ? example : "-");
    expiry->skipped = sweep->skipped;
}

static void
log_failure(struct xa_expiry *expiry, int64_t boot_us, const struct xa_err *err)
{
    char quoted[XA_LOG_VALUE_MAX];

    if (expiry->failures++ > 0)
        return;
    expiry->failing_since_us = boot_us;
    xa_log(XA_ERROR, "expiry.failing", "reason=%s",
           xa_log_quote(err->text, quoted));
}

static void
log_recovery(struct xa_expiry *expiry, int64_t boot_us)
{
    if (expiry->failures == 0)
        return;
    xa_log(XA_INFO, "expiry.recovered", "failures=%" PRIu32 " after_s=%" PRId64,
           expiry->failures,
           (boot_us - expiry->failing_since_us) / XA_US_PER_S);
    expiry->failures = 0;
}

enum xa_rc
xa_expiry_tick(struct xa_expiry *expiry, const volatile sig_atomic_t *stop,
               struct xa_err *err)
{
    struct xa_err own = XA_ERR_NONE;
    struct xa_err *cause = err ? err : &own;
    int64_t began_us = read_clocks(expiry).boot_us;
    struct sweep sweep = {0};
    int64_t ended_us;
    enum xa_rc rc;

    rc = remove_all(expiry, stop, &sweep, cause);
    xa_store_log_news(expiry->store);
    ended_us = read_clocks(expiry).boot_us;
    if (sweep.removed > 0)
        xa_log(
            XA_INFO, "expiry.done",
            "removed=%" PRIu64 " took_ms=%" PRId64 " latest_late_ms=%" PRId64,
            sweep.removed, (ended_us - began_us) / 1000, sweep.late_us / 1000);
    if (rc != XA_OK) {
        log_failure(expiry, ended_us, cause);
        return rc;
    }
    if (sweep.asked) {
        log_skipped(expiry, &sweep);
        log_recovery(expiry, ended_us);
    }
    return XA_OK;
}
