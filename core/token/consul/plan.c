/* plan.c - which seconds of the schedule are to be looked at. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/plan.h"

static int64_t
smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void
xa_plan_reset(struct xa_plan *plan)
{
    plan->swept = -1;
    plan->again = XA_WHEN_MAX;
    plan->is_open = false;
}

void
xa_plan_begin(struct xa_plan *plan, int64_t now_s, int64_t look_back_s)
{
    int64_t to = smaller(now_s, XA_WHEN_MAX);
    int64_t from = 0;

    if (plan->swept >= 0) {
        from = smaller(plan->swept, to) + 1 - look_back_s;
        from = smaller(smaller(from, plan->again), to);
    }
    plan->again = XA_WHEN_MAX;
    plan->to = to;
    plan->is_open = true;
    xa_cover_begin(&plan->cover, from > 0 ? from : 0, to);
}

bool
xa_plan_next(struct xa_plan *plan, char out[XA_WHEN_TEXT])
{
    if (xa_cover_next(&plan->cover, out))
        return true;
    plan->is_open = false;
    plan->swept = plan->to;
    return false;
}

void
xa_plan_again(struct xa_plan *plan, int64_t when)
{
    plan->again = smaller(plan->again, when);
}
