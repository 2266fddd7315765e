/* io_signal.c - signals that a test gives without sending any. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/fakes/io_signal.h"

#include "fcgi/io_signal.h"

static bool is_stop;

void
fake_signal_stop(bool stop)
{
    is_stop = stop;
}

enum xa_rc
xa_signal_begin(sigset_t *out_waiting, struct xa_err *err XA_UNUSED)
{
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(out_waiting);
    return XA_OK;
}

void
xa_signal_end(void)
{
}

void
xa_signal_let_in(int64_t now_ms XA_UNUSED)
{
}

bool
xa_signal_is_stop(void)
{
    return is_stop;
}

bool
xa_signal_take_hangup(void)
{
    return false;
}

void
xa_signal_enter(int64_t now_ms XA_UNUSED, uint32_t limit_ms XA_UNUSED)
{
}

void
xa_signal_leave(void)
{
}
