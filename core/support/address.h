/* address.h - the address by which others reach this machine. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SUPPORT_ADDRESS_H
#define XA_SUPPORT_ADDRESS_H

#define XA_ADDRESS_TEXT 16 /* an IPv4 address with its NUL */
#define XA_ADDRESS_LOOPBACK "127.0.0.1"

struct ifaddrs;

/*
 * The IPv4 address of that interface; else that of any eth*; else that of lo;
 * else 127.0.0.1.  An interface that is down has none.
 *
 *   list  as getifaddrs(3) gives it; may be NULL
 */
void xa_address_choose(const struct ifaddrs *list, const char *interface,
                       char out[XA_ADDRESS_TEXT]);

/* The same of this machine, now. */
void xa_address_of(const char *interface, char out[XA_ADDRESS_TEXT]);

#endif
