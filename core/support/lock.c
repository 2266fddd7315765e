/* lock.c - one process at a time, but no waiting for ever. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/lock.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/file.h>

#include "core/base/clock.h"

#define AGAIN_MS 20 /* flock(2) knows no deadline, so it is asked again */

int
xa_lock_exclusive(int fd, int patience_ms)
{
    int64_t end_ms = xa_clock_mono_ms() + patience_ms;

    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK || xa_clock_mono_ms() >= end_ms)
            return errno;
        poll(NULL, 0, AGAIN_MS);
    }
    return 0;
}
