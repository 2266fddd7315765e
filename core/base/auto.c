/* auto.c - ownership seen in the declaration. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/base/auto.h"

#include <stdlib.h>
#include <unistd.h>

void
xa_str_free(char **text)
{
    free(*text);
    *text = NULL;
}

void
xa_fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
