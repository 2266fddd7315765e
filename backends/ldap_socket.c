/* ldap_socket.c - the socket below libldap and its TLS. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ldap_socket.h"

#include <errno.h>
#include <string.h>

#include <lber.h>

#define UNUSED __attribute__((unused))
#define MOST_BYTES (256 * 1024) /* that one connection may bring */

static int
set_up(Sockbuf_IO_Desc *io, void *sock)
{
    io->sbiod_pvt = sock;
    return 0;
}

static int
remove_it(Sockbuf_IO_Desc *io)
{
    io->sbiod_pvt = NULL;
    return 0;
}

/* No option is known, and no data kept back. */
static int
control(Sockbuf_IO_Desc *io UNUSED, int option UNUSED, void *arg UNUSED)
{
    return 0;
}

static ber_slen_t
read_some(Sockbuf_IO_Desc *io, void *bytes, ber_len_t len)
{
    struct xa_ldap_socket *sock = io->sbiod_pvt;
    ssize_t n;

    if (sock->received >= MOST_BYTES) {
        errno = EMSGSIZE;
        return -1;
    }
    n = xa_ldap_receive(sock->fd, bytes, len, &sock->limit);
    sock->received += n > 0 ? (size_t)n : 0;
    return n;
}

static ber_slen_t
write_some(Sockbuf_IO_Desc *io, void *bytes, ber_len_t len)
{
    struct xa_ldap_socket *sock = io->sbiod_pvt;

    return xa_ldap_send(sock->fd, bytes, len, &sock->limit);
}

/* The owner does it, however far libldap came. */
static int
close_not(Sockbuf_IO_Desc *io UNUSED)
{
    return 0;
}

/* --- above TLS ----------------------------------------------------------- */

static int
pass_control(Sockbuf_IO_Desc *io, int option, void *arg)
{
    return LBER_SBIOD_CTRL_NEXT(io, option, arg);
}

static ber_slen_t
pass_read(Sockbuf_IO_Desc *io, void *bytes, ber_len_t len)
{
    return LBER_SBIOD_READ_NEXT(io, bytes, len);
}

/* Nothing reads them again: libldap would to follow a referral, which it may
 * not, and to go on with a write, but one of ours waits or fails for good. */
static ber_slen_t
write_and_wipe(Sockbuf_IO_Desc *io, void *bytes, ber_len_t len)
{
    ber_slen_t n = LBER_SBIOD_WRITE_NEXT(io, bytes, len);

    explicit_bzero(bytes, n < 0 ? (size_t)len : (size_t)n);
    return n;
}

int
xa_ldap_socket_attach(struct xa_ldap_socket *sock, void *sockbuf)
{
    /* constant, but for the type that lber wants */
    static Sockbuf_IO below = {set_up,    remove_it,  control,
                               read_some, write_some, close_not};
    static Sockbuf_IO above = {set_up,    remove_it,      pass_control,
                               pass_read, write_and_wipe, close_not};
    ber_len_t most = MOST_BYTES;

    if (ber_sockbuf_add_io(sockbuf, &below, LBER_SBIOD_LEVEL_PROVIDER, sock) !=
            0 ||
        ber_sockbuf_add_io(sockbuf, &above, LBER_SBIOD_LEVEL_APPLICATION,
                           sock) != 0)
        return -1;
    ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_SET_MAX_INCOMING, &most);
    return 0;
}
