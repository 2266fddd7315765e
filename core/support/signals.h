/* signals.h - signals taken one by one by a program that waits. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TERM, INT and USR1 end the program after the work in hand; HUP reopens the
 * log.  They are blocked and taken while waiting only, so nothing is ever
 * interrupted half-way and no handler runs.
 */
#ifndef XA_SUPPORT_SIGNALS_H
#define XA_SUPPORT_SIGNALS_H

#include <signal.h>
#include <stdint.h>

struct xa_signals {
    sigset_t blocked;
    volatile sig_atomic_t stop; /* set once the program shall end */
};

/* Block them, and ignore PIPE.  Child processes inherit it. */
void xa_signals_block(struct xa_signals *signals);

/* Sleep until that moment of xa_clock_mono_ms(), or until told to stop.
 * Signals that are pending already are taken in any case. */
void xa_signals_wait(struct xa_signals *signals, int64_t mono_ms);

#endif
