/* plan.h - which seconds of the schedule are to be looked at. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is due is read in passes.  Who becomes leader begins with everything
 * up to now; each later pass covers what fell due since the one before, and
 * reaches back some minutes for schedules that a host with a slow clock
 * wrote.  A pass that was interrupted goes on where it was.
 */
#ifndef XA_TOKEN_CONSUL_PLAN_H
#define XA_TOKEN_CONSUL_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/token/consul/names.h"

struct xa_plan {
    int64_t swept; /* all up to this second was looked at; -1: nothing */
    int64_t again; /* the next pass begins here at the latest */
    bool is_open;  /* a pass is under way */
    int64_t to;    /* of that pass */
    struct xa_cover cover;
};

/* As a new leader. */
void xa_plan_reset(struct xa_plan *plan);

/* Begin a pass; none is under way. */
void xa_plan_begin(struct xa_plan *plan, int64_t now_s, int64_t look_back_s);

/* What the names to look at next begin with; false: the pass has ended. */
bool xa_plan_next(struct xa_plan *plan, char out[XA_WHEN_TEXT]);

/* Something of that second was left for the next pass. */
void xa_plan_again(struct xa_plan *plan, int64_t when);

#endif
