/* io_signal.h - signals that a test gives without sending any. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_FAKES_IO_SIGNAL_H
#define XA_TESTS_FAKES_IO_SIGNAL_H

#include <stdbool.h>

/*
 * Linked in place of fcgi/io_signal.c, so that a loop can be ended many times
 * in one process: whether a stop signal has come.
 */
void fake_signal_stop(bool stop);

#endif
