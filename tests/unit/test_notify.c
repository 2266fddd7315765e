/* test_notify.c - telling systemd how a daemon is. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/auto.h"
#include "core/support/notify.h"
#include "tests/unit/unit.h"

static char folder[] = "/tmp/xa-notify-XXXXXX";

static int
make_folder(void **state XA_UNUSED)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state XA_UNUSED)
{
    unsetenv("NOTIFY_SOCKET");
    return rmdir(folder);
}

/* A socket of that name, as systemd makes it. */
static int
listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0 && len < sizeof address.sun_path);
    memcpy(address.sun_path, name, len);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    assert_int_equal(
        bind(fd, (struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
        0);
    return fd;
}

static void
assert_arrives(int fd, const char *expected)
{
    char got[64];
    ssize_t len = recv(fd, got, sizeof got - 1, 0);

    assert_int_equal(len, strlen(expected));
    got[len] = '\0';
    assert_string_equal(got, expected);
    assert_int_equal(recv(fd, got, sizeof got, 0), -1); /* and nothing more */
}

static void
test_notify__reaches_a_path_and_an_abstract_name(void **state XA_UNUSED)
{
    char path[64];
    char abstract[64];
    const char *names[] = {path, abstract};

    snprintf(path, sizeof path, "%s/notify", folder);
    snprintf(abstract, sizeof abstract, "@xa-notify-%ld", (long)getpid());
    for (size_t i = 0; i < XA_COUNT(names); i++) {
        XA_AUTO(xa_fd_close) int fd = listen_at(names[i]);

        setenv("NOTIFY_SOCKET", names[i], 1);
        assert_true(xa_notify(XA_NOTIFY_READY));
        assert_arrives(fd, "READY=1");
        assert_true(xa_notify(XA_NOTIFY_ALIVE));
        assert_arrives(fd, "WATCHDOG=1");
        assert_true(xa_notify(XA_NOTIFY_STOPPING));
        assert_arrives(fd, "STOPPING=1");
    }
    unlink(path);
}

static void
test_notify__is_silent_without_a_socket(void **state XA_UNUSED)
{
    char too_long[256];
    const char *names[] = {"",      "/", "@", "relative", "/nonexistent/notify",
                           too_long};

    memset(too_long, 'x', sizeof too_long - 1);
    too_long[0] = '/';
    too_long[sizeof too_long - 1] = '\0';
    for (size_t i = 0; i < XA_COUNT(names); i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        assert_false(xa_notify(XA_NOTIFY_READY));
    }
    unsetenv("NOTIFY_SOCKET");
    assert_false(xa_notify(XA_NOTIFY_READY));
}

static void
test_notify__never_waits(void **state XA_UNUSED)
{
    char path[64];
    XA_AUTO(xa_fd_close) int fd = -1;

    snprintf(path, sizeof path, "%s/full", folder);
    fd = listen_at(path);
    setenv("NOTIFY_SOCKET", path, 1);
    for (int i = 0; i < 100000 && xa_notify(XA_NOTIFY_ALIVE); i++)
        ;
    assert_false(xa_notify(XA_NOTIFY_ALIVE)); /* nobody reads */
    unlink(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notify__reaches_a_path_and_an_abstract_name),
        cmocka_unit_test(test_notify__is_silent_without_a_socket),
        cmocka_unit_test(test_notify__never_waits),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
