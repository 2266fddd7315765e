/* address.c - the address by which others reach this machine. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

static bool
is_named(const char *name, const char *wanted, bool is_start)
{
    return is_start ? strncmp(name, wanted, strlen(wanted)) == 0
                    : strcmp(name, wanted) == 0;
}

/* The first one with that name, or with a name that begins so. */
static bool
find(const struct ifaddrs *list, const char *wanted, bool is_start,
     char out[XA_ADDRESS_TEXT])
{
    for (const struct ifaddrs *one = list; one; one = one->ifa_next) {
        struct sockaddr_in in;

        if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET ||
            !(one->ifa_flags & IFF_UP) ||
            !is_named(one->ifa_name, wanted, is_start))
            continue;
        memcpy(&in, one->ifa_addr, sizeof in);
        if (inet_ntop(AF_INET, &in.sin_addr, out, XA_ADDRESS_TEXT))
            return true;
    }
    return false;
}

void
xa_address_choose(const struct ifaddrs *list, const char *interface,
                  char out[XA_ADDRESS_TEXT])
{
    if (!find(list, interface, false, out) && !find(list, "eth", true, out) &&
        !find(list, "lo", false, out))
        memcpy(out, XA_ADDRESS_LOOPBACK, sizeof XA_ADDRESS_LOOPBACK);
}

void
xa_address_of(const char *interface, char out[XA_ADDRESS_TEXT])
{
    struct ifaddrs *list = NULL;

    if (getifaddrs(&list) != 0)
        list = NULL;
    xa_address_choose(list, interface, out);
    if (list)
        freeifaddrs(list);
}
