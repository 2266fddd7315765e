/* test_address.c - the address by which others reach this machine. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/auto.h"
#include "core/support/address.h"
#include "tests/unit/unit.h"

#define MOST 4

struct interface {
    const char *name; /* NULL: no more */
    const char *ipv4; /* NULL: it has an address of another kind */
    bool is_down;
};

static const struct {
    const char *wanted;
    const char *expected;
    struct interface list[MOST];
} cases[] = {
    {"eth0", "10.0.0.2", {{"lo", "127.0.0.1"}, {"eth0", "10.0.0.2"}}},
    {"lo", "127.0.0.1", {{"eth0", "10.0.0.2"}, {"lo", "127.0.0.1"}}},
    {"wlan0",
     "10.0.0.4",
     {{"lo", "127.0.0.1"}, {"eth1", "10.0.0.3"}, {"wlan0", "10.0.0.4"}}},
    /* the one that is wanted is not there: any eth, then lo */
    {"eth0", "10.0.0.3", {{"lo", "127.0.0.1"}, {"eth1", "10.0.0.3"}}},
    {"eth0", "127.0.0.1", {{"wlan0", "10.0.0.4"}, {"lo", "127.0.0.1"}}},
    {"eth0", "127.0.0.1", {{"wlan0", "10.0.0.4"}}},
    {"eth0", "127.0.0.1", {{NULL, NULL}}},
    /* a name that begins so is another one, unless it is any eth */
    {"wlan", "127.0.0.1", {{"wlan0", "10.0.0.4"}, {"lo", "127.0.0.1"}}},
    {"eth", "10.0.0.2", {{"lo", "127.0.0.1"}, {"eth0", "10.0.0.2"}}},
    {"", "127.0.0.1", {{"wlan0", "10.0.0.4"}, {"lo", "127.0.0.1"}}},
    /* no IPv4, or down */
    {"eth0",
     "10.0.0.3",
     {{"eth0", NULL}, {"eth1", "10.0.0.3"}, {"lo", "127.0.0.1"}}},
    {"eth0",
     "10.0.0.2",
     {{"eth0", NULL}, {"eth0", "10.0.0.2"}, {"lo", "127.0.0.1"}}},
    {"eth0", "127.0.0.1", {{"eth0", "10.0.0.2", true}, {"lo", "127.0.0.1"}}},
};

static void
test_choose__takes_interface_then_eth_then_lo(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct ifaddrs list[MOST] = {{.ifa_next = NULL}};
        struct sockaddr_in addresses[MOST] = {{.sin_family = AF_INET}};
        char name[MOST][16] = {""};
        char out[XA_ADDRESS_TEXT] = "";
        size_t count = 0;

        for (; count < MOST && cases[i].list[count].name; count++) {
            const struct interface *one = &cases[i].list[count];

            strncpy(name[count], one->name, sizeof name[count] - 1);
            list[count].ifa_name = name[count];
            list[count].ifa_flags = one->is_down ? 0 : IFF_UP;
            addresses[count].sin_family = one->ipv4 ? AF_INET : AF_INET6;
            if (one->ipv4)
                inet_pton(AF_INET, one->ipv4, &addresses[count].sin_addr);
            list[count].ifa_addr = (struct sockaddr *)&addresses[count];
            if (count > 0)
                list[count - 1].ifa_next = &list[count];
        }
        xa_address_choose(count > 0 ? list : NULL, cases[i].wanted, out);
        if (strcmp(out, cases[i].expected) != 0)
            print_error("case %zu: %s\n", i, cases[i].wanted);
        assert_string_equal(out, cases[i].expected);
    }
}

static void
test_choose__passes_over_one_without_address(void **state XA_UNUSED)
{
    char name[] = "eth0";
    struct ifaddrs bare = {.ifa_name = name, .ifa_flags = IFF_UP};
    char out[XA_ADDRESS_TEXT];

    xa_address_choose(&bare, "eth0", out);
    assert_string_equal(out, XA_ADDRESS_LOOPBACK);
}

static void
test_of__reads_this_machine(void **state XA_UNUSED)
{
    char out[XA_ADDRESS_TEXT];

    xa_address_of("lo", out);
    assert_string_equal(out, "127.0.0.1");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose__takes_interface_then_eth_then_lo),
        cmocka_unit_test(test_choose__passes_over_one_without_address),
        cmocka_unit_test(test_of__reads_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
