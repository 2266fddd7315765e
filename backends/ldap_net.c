/* ldap_net.c - connections to LDAP servers that end in time. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ldap_net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SPARE_MS 300 /* of the call, to answer in */
#define DNS_S 1      /* that one DNS server has */

struct xa_ldap_limit
xa_ldap_limit_in(const struct xa_host *host, int ms)
{
    int floor_ms = host->time_left_ms(host) - ms;

    return (struct xa_ldap_limit){
        .host = host,
        .floor_ms = floor_ms > SPARE_MS ? floor_ms : SPARE_MS,
    };
}

int
xa_ldap_left_ms(const struct xa_ldap_limit *limit)
{
    int left_ms = limit->host->time_left_ms(limit->host) - limit->floor_ms;

    return left_ms > 0 ? left_ms : 0;
}

/* --- connecting -------------------------------------------------------- */

/* 0 when the socket is ready; -1 with ETIMEDOUT when it is over. */
static int
wait_for(int fd, short events, const struct xa_ldap_limit *limit)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    int left_ms;
    int n;

    do {
        left_ms = xa_ldap_left_ms(limit);
        if (left_ms == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        n = poll(&poll_fd, 1, left_ms);
    } while (n == 0 || (n < 0 && errno == EINTR));
    return n < 0 ? -1 : 0;
}

/* The file descriptor, or -1 with errno. */
static int
connect_to(const struct addrinfo *address, const struct xa_ldap_limit *limit)
{
    const int on = 1;
    socklen_t len = sizeof(int);
    int failure = 0;
    int fd;

    fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                address->ai_protocol);
    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    failure = errno;
    if (failure == EINPROGRESS) {
        failure = 0;
        if (wait_for(fd, POLLOUT, limit) != 0 ||
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0)
            failure = errno;
    }
    if (failure == 0)
        return fd;
    close(fd);
    errno = failure;
    return -1;
}

/* How the resolver of this process asks; of it only what is changed here. */
struct ways {
    int nscount;
    int retrans_s;
    int retry;
    unsigned long options;
};

/* The ways until now. */
static struct ways
set_ways(struct ways ways)
{
    struct ways old = {_res.nscount, _res.retrans, _res.retry, _res.options};

    _res.nscount = ways.nscount;
    _res.retrans = ways.retrans_s;
    _res.retry = ways.retry;
    _res.options = ways.options;
    return old;
}

/*
 * resolv.conf(5) allows silent DNS servers ten seconds and more.  Here each of
 * them has DNS_S for one name, for A and AAAA together.  A name with a dot is
 * taken as it stands; one without is looked for in the search list, which ends
 * at the first silence.
 *
 *   servers  how many are asked; of 0 only /etc/hosts and the like remain
 */
static struct ways
quick_ways(const char *host, int servers)
{
    struct ways ways = {
        .nscount = servers < _res.nscount ? servers : _res.nscount,
        .retrans_s = DNS_S,
        .retry = 1,
        .options =
            _res.options | RES_SNGLKUP | RES_SNGLKUPREOP | RES_NOTLDQUERY,
    };

    if (strchr(host, '.'))
        ways.options &= ~(unsigned long)RES_DNSRCH;
    return ways;
}

/* How many silent DNS servers there is time for: a started second of the
 * operation counts as one, if the call has that much. */
static int
servers_in(const struct xa_ldap_limit *limit)
{
    int operation =
        (xa_ldap_left_ms(limit) + DNS_S * 1000 - 1) / (DNS_S * 1000);
    int call = limit->host->time_left_ms(limit->host) / (DNS_S * 1000);

    return operation < call ? operation : call;
}

static int
look_up(const struct xa_ldap_server *server, const struct xa_ldap_limit *limit,
        struct addrinfo **out)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG,
    };
    struct ways usual;
    int rc;

    if (res_init() != 0)
        return EAI_SYSTEM; /* no limit could be set */
    usual = set_ways(quick_ways(server->host, servers_in(limit)));
    rc = getaddrinfo(server->host, server->port, &hints, out);
    set_ways(usual);
    return rc;
}

static size_t
count_addresses(const struct addrinfo *list)
{
    size_t count = 0;

    for (; list; list = list->ai_next)
        count++;
    return count;
}

int
xa_ldap_dial(const struct xa_ldap_server *server,
             const struct xa_ldap_limit *limit, char *why, size_t why_size)
{
    struct addrinfo *list = NULL;
    size_t todo;
    int failure = 0;
    int fd = -1;
    int rc;

    if (xa_ldap_left_ms(limit) == 0) {
        snprintf(why, why_size, "%s: no time is left", server->uri);
        return -1;
    }
    rc = look_up(server, limit, &list);
    if (rc != 0) {
        snprintf(why, why_size, "%s: %s", server->uri, gai_strerror(rc));
        return -1;
    }
    todo = count_addresses(list);
    for (struct addrinfo *at = list; fd < 0 && at; at = at->ai_next, todo--) {
        /* One that is away leaves the others their share of the time. */
        struct xa_ldap_limit share = *limit;
        int left_ms = xa_ldap_left_ms(limit);

        share.floor_ms += left_ms - left_ms / (int)todo;
        fd = connect_to(at, &share);
        failure = errno;
    }
    freeaddrinfo(list);
    if (fd < 0)
        snprintf(why, why_size, "%s: %s", server->uri, strerror(failure));
    return fd;
}

/* --- bytes ---------------------------------------------------------------- */

/* Also for who gets a byte at a time, and never waits. */
static int
is_over(const struct xa_ldap_limit *limit)
{
    if (xa_ldap_left_ms(limit) > 0)
        return 0;
    errno = ETIMEDOUT;
    return 1;
}

ssize_t
xa_ldap_receive(int fd, void *bytes, size_t len,
                const struct xa_ldap_limit *limit)
{
    ssize_t n;

    while (!is_over(limit)) {
        n = recv(fd, bytes, len, MSG_DONTWAIT);
        if (n >= 0 || (errno != EAGAIN && errno != EINTR))
            return n;
        if (wait_for(fd, POLLIN, limit) != 0)
            return -1;
    }
    return -1;
}

ssize_t
xa_ldap_send(int fd, const void *bytes, size_t len,
             const struct xa_ldap_limit *limit)
{
    ssize_t n;

    while (!is_over(limit)) {
        n = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0 || (errno != EAGAIN && errno != EINTR))
            return n;
        if (wait_for(fd, POLLOUT, limit) != 0)
            return -1;
    }
    return -1;
}
