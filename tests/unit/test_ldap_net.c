/* test_ldap_net.c - connections to LDAP servers that end in time. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/ldap_net.h"
#include "core/base/auto.h"
#include "tests/unit/unit.h"

/* A host whose time runs down by `step_ms` each time one looks. */
struct fake {
    struct xa_host host; /* the first member: they share an address */
    int left_ms;
    int step_ms;
};

static int
time_left(const struct xa_host *host)
{
    struct fake *fake = host->ctx;
    int left_ms = fake->left_ms;

    fake->left_ms -= fake->step_ms;
    return left_ms > 0 ? left_ms : 0;
}

static void
set_up(struct fake *fake, int left_ms, int step_ms)
{
    memset(fake, 0, sizeof *fake);
    fake->host.ctx = fake;
    fake->host.time_left_ms = time_left;
    fake->left_ms = left_ms;
    fake->step_ms = step_ms;
}

static void
test_limit__ends_with_the_operation_or_before_the_call(void **state XA_UNUSED)
{
    struct fake fake;
    struct xa_ldap_limit limit;

    set_up(&fake, 3000, 0);
    limit = xa_ldap_limit_in(&fake.host, 2000);
    assert_int_equal(xa_ldap_left_ms(&limit), 2000);
    fake.left_ms = 1001;
    assert_int_equal(xa_ldap_left_ms(&limit), 1);
    fake.left_ms = 1000;
    assert_int_equal(xa_ldap_left_ms(&limit), 0);
    limit = xa_ldap_limit_in(&fake.host, 2000);
    assert_in_range(xa_ldap_left_ms(&limit), 500, 900); /* some is kept */
    fake.left_ms = 0;
    limit = xa_ldap_limit_in(&fake.host, 2000);
    assert_int_equal(xa_ldap_left_ms(&limit), 0);
}

static void
test_receive__gives_up_in_time(void **state XA_UNUSED)
{
    struct fake fake;
    struct xa_ldap_limit limit;
    char bytes[4] = "";
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    set_up(&fake, 3000, 999);
    limit = (struct xa_ldap_limit){.host = &fake.host, .floor_ms = 2999};
    errno = 0; /* within a millisecond, by the second look */
    assert_int_equal(xa_ldap_receive(pair[0], bytes, 4, &limit), -1);
    assert_int_equal(errno, ETIMEDOUT);

    assert_int_equal(write(pair[1], "abc", 3), 3);
    set_up(&fake, 3000, 0);
    limit.floor_ms = 1000;
    assert_int_equal(xa_ldap_receive(pair[0], bytes, 1, &limit), 1);
    assert_int_equal(bytes[0], 'a');
    fake.left_ms = 1000; /* there is more, but no time */
    assert_int_equal(xa_ldap_receive(pair[0], bytes, 1, &limit), -1);
    assert_int_equal(errno, ETIMEDOUT);
    fake.left_ms = 3000;
    close(pair[1]);
    assert_int_equal(xa_ldap_receive(pair[0], bytes, 4, &limit), 2);
    assert_int_equal(xa_ldap_receive(pair[0], bytes, 4, &limit), 0);
    close(pair[0]);
}

static void
test_send__gives_up_in_time(void **state XA_UNUSED)
{
    static const char bytes[65536];
    struct fake fake;
    struct xa_ldap_limit limit;
    int pair[2];
    ssize_t n;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    set_up(&fake, 1000000, 1);
    limit =
        (struct xa_ldap_limit){.host = &fake.host, .floor_ms = 1000000 - 200};
    do /* until the pipe is full */
        n = xa_ldap_send(pair[0], bytes, sizeof bytes, &limit);
    while (n > 0);
    assert_int_equal(n, -1);
    assert_int_equal(errno, ETIMEDOUT);
    close(pair[1]);
    set_up(&fake, 3000, 0);
    limit.floor_ms = 0;
    assert_int_equal(xa_ldap_send(pair[0], bytes, 1, &limit), -1);
    assert_int_equal(errno, EPIPE); /* and no signal */
    close(pair[0]);
}

/* A socket on a free port, that listens or not. */
static int
bind_somewhere(int listens, struct xa_ldap_server *server)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    if (listens)
        assert_int_equal(listen(fd, 1), 0);
    memset(server, 0, sizeof *server);
    strcpy(server->host, "127.0.0.1");
    snprintf(server->port, sizeof server->port, "%u",
             (unsigned)ntohs(address.sin_port));
    snprintf(server->uri, sizeof server->uri, "ldap://127.0.0.1:%s",
             server->port);
    return fd;
}

static void
test_dial__says_why_not(void **state XA_UNUSED)
{
    struct xa_ldap_server server;
    struct xa_ldap_limit limit;
    struct fake fake;
    char why[128] = "";
    int there;
    int fd;

    set_up(&fake, 3000, 0);
    limit = xa_ldap_limit_in(&fake.host, 2000);
    there = bind_somewhere(1, &server);
    fd = xa_ldap_dial(&server, &limit, why, sizeof why);
    assert_true(fd >= 0);
    close(fd);
    close(there);

    there = bind_somewhere(0, &server);
    assert_int_equal(xa_ldap_dial(&server, &limit, why, sizeof why), -1);
    assert_non_null(strstr(why, server.uri));
    assert_non_null(strstr(why, "refused"));
    close(there);
}

/* --- silent name servers --- */

/* How the resolver was set when it was asked. */
static struct {
    int times;
    int servers;
    int seconds; /* for each of them */
    unsigned long options;
} asked;

int __real_getaddrinfo(const char *node, const char *service,
                       const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(const char *node, const char *service,
                       const struct addrinfo *hints, struct addrinfo **out);
int __wrap___res_init(void);

int
__wrap_getaddrinfo(const char *node, const char *service,
                   const struct addrinfo *hints, struct addrinfo **out)
{
    if (strncmp(node, "ldap", 4) != 0)
        return __real_getaddrinfo(node, service, hints, out);
    asked.times++;
    asked.servers = _res.nscount;
    asked.seconds = _res.retrans * _res.retry;
    asked.options = _res.options;
    return EAI_AGAIN;
}

/* As three lines "nameserver" and a "search" leave it. */
int
__wrap___res_init(void)
{
    _res.nscount = 3;
    _res.retrans = 5;
    _res.retry = 2;
    _res.options = RES_DEFAULT;
    return 0;
}

static void
dial_name(const char *name, int left_ms, int operation_ms)
{
    struct xa_ldap_server server = {.port = "389"};
    struct xa_ldap_limit limit;
    struct fake fake;
    char why[128] = "";

    memset(&asked, 0, sizeof asked);
    set_up(&fake, left_ms, 0);
    limit = xa_ldap_limit_in(&fake.host, operation_ms);
    strcpy(server.host, name);
    snprintf(server.uri, sizeof server.uri, "ldap://%s", name);
    assert_int_equal(xa_ldap_dial(&server, &limit, why, sizeof why), -1);
    assert_non_null(strstr(why, server.uri));
}

static void
test_dial__asks_as_many_name_servers_as_there_is_time_for(
    void **state XA_UNUSED)
{
    static const struct {
        int left_ms;
        int operation_ms;
        int servers;
    } cases[] = {
        {5000, 5000, 3}, {3000, 2000, 2}, {2990, 1990, 2},
        {3000, 1000, 1}, {3000, 666, 1},  {1999, 2000, 1},
        {1000, 2000, 1}, {999, 2000, 0}, /* which leaves /etc/hosts */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dial_name("ldap.example", cases[i].left_ms, cases[i].operation_ms);
        assert_int_equal(asked.times, 1);
        assert_int_equal(asked.servers, cases[i].servers);
        assert_int_equal(asked.seconds, 1);
    }
    /* for who comes after it all is as it was */
    assert_int_equal(_res.nscount, 3);
    assert_int_equal(_res.retrans, 5);
    assert_int_equal(_res.retry, 2);
    assert_true(_res.options == RES_DEFAULT);
}

static void
test_dial__asks_name_servers_for_one_name(void **state XA_UNUSED)
{
    dial_name("ldap.example", 3000, 2000);
    assert_false(asked.options & RES_DNSRCH);
    dial_name("ldap", 3000, 2000); /* the name is one of the search list */
    assert_true(asked.options & RES_DEFNAMES);
    assert_true(asked.options & RES_DNSRCH);
    assert_true(asked.options & RES_NOTLDQUERY);
}

static void
test_dial__asks_nobody_when_time_is_up(void **state XA_UNUSED)
{
    dial_name("ldap.example", 3000, 0);
    assert_int_equal(asked.times, 0);
    dial_name("ldap.example", 300, 2000);
    assert_int_equal(asked.times, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_limit__ends_with_the_operation_or_before_the_call),
        cmocka_unit_test(test_receive__gives_up_in_time),
        cmocka_unit_test(test_send__gives_up_in_time),
        cmocka_unit_test(test_dial__says_why_not),
        cmocka_unit_test(
            test_dial__asks_as_many_name_servers_as_there_is_time_for),
        cmocka_unit_test(test_dial__asks_name_servers_for_one_name),
        cmocka_unit_test(test_dial__asks_nobody_when_time_is_up),
    };

    return cmocka_run_group_tests_name("ldap_net", tests, NULL, NULL);
}
