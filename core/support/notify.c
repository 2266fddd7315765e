/* notify.c - telling systemd how a daemon is. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/base/auto.h"

/* The address; 0: it is none. */
static socklen_t
set_address(const char *name, struct sockaddr_un *address)
{
    size_t len = strlen(name);
    size_t used = len;

    if ((name[0] != '/' && name[0] != '@') || len < 2)
        return 0;
    if (name[0] == '/')
        used++; /* the NUL ends a path, and is part of an abstract name */
    if (used > sizeof address->sun_path)
        return 0;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, name, used);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + used);
}

bool
xa_notify(const char *state)
{
    struct sockaddr_un address = {0};
    const char *name = getenv("NOTIFY_SOCKET");
    XA_AUTO(xa_fd_close) int fd = -1;
    socklen_t len = name ? set_address(name, &address) : 0;

    if (len == 0)
        return false;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    return sendto(fd, state, strlen(state), MSG_DONTWAIT | MSG_NOSIGNAL,
                  (const struct sockaddr *)&address,
                  len) == (ssize_t)strlen(state);
}
