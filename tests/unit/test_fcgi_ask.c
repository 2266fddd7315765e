/* test_fcgi_ask.c - one GET to a FastCGI pool, without waiting. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/auto.h"
#include "core/base/clock.h"
#include "core/support/fcgi_ask.h"
#include "tests/unit/unit.h"

#define LOOKS 1000

static char folder[] = "/tmp/xa-fcgi-ask-XXXXXX";
static char path[64];
static int listener = -1;

static int
make_pool(void **state XA_UNUSED)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/s", folder);
    memcpy(address.sun_path, path, strlen(path));
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    return listen(listener, 0);
}

static int
remove_pool(void **state XA_UNUSED)
{
    close(listener);
    unlink(path);
    return rmdir(folder);
}

static int64_t
soon(void)
{
    return xa_clock_mono_ms() + 5000;
}

/* Look until it has ended. */
static enum xa_rc
finish(struct xa_fcgi_call *call, int *out_status, struct xa_err *err)
{
    bool is_done = false;
    enum xa_rc rc = XA_OK;

    for (int i = 0; i < LOOKS && !is_done; i++)
        rc = xa_fcgi_look(call, &is_done, out_status, err);
    assert_true(is_done);
    return rc;
}

#define RECORD(kind, len) "\1" kind "\0\1\0" len "\0\0"
#define END RECORD("\3", "\10") "\0\0\0\0\0\0\0\0"

#define OK "Status: 200 OK\r\n\r\n{}"
#define DOWN "Content-Type: a/b\r\nstatus: 503 Service Unavailable\r\n\r\n"
#define BODY "X: y\r\n\r\nStatus: 404\r\n\r\n"

#define BYTES(text) (text), sizeof(text) - 1

static const struct {
    const char *name;
    const char *bytes;
    size_t len;
    enum xa_rc rc;
    int status;
} answers[] = {
    {"well", BYTES(RECORD("\6", "\24") OK END), XA_OK, 200},
    {"down", BYTES(RECORD("\6", "\66") DOWN END), XA_OK, 503},
    {"no status, and one in the body", BYTES(RECORD("\6", "\27") BODY END),
     XA_OK, 200},
    {"two pieces",
     BYTES(RECORD("\6", "\11") "Status: 4" RECORD("\6", "\6") "04\r\n\r\n" END),
     XA_OK, 404},
    {"words on stderr",
     BYTES(RECORD("\7", "\3") "hum" RECORD("\6", "\24") OK END), XA_OK, 200},
    {"padding", BYTES("\1\6\0\1\0\24\2\0" OK "\0\0" END), XA_OK, 200},
    {"nothing", "", 0, XA_E_UNAVAILABLE, 0},
    {"breaks off", BYTES(RECORD("\6", "\24") "Status"), XA_E_UNAVAILABLE, 0},
    {"no end", BYTES(RECORD("\6", "\24") OK), XA_E_UNAVAILABLE, 0},
    {"no answer, but an end", BYTES(END), XA_E_INVALID, 0},
    {"overloaded",
     BYTES(RECORD("\6", "\24") OK RECORD("\3", "\10") "\0\0\0\0\2\0\0\0"),
     XA_E_INVALID, 0},
    {"a short end", BYTES(RECORD("\6", "\24") OK RECORD("\3", "\4") "\0\0\0\0"),
     XA_E_INVALID, 0},
    {"HTTP", BYTES("HTTP/1.1 200 OK\r\n\r\n"), XA_E_INVALID, 0},
};

static void
test_look__reads_answers(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(answers); i++) {
        XA_AUTO(xa_fcgi_free) struct xa_fcgi_call *call = NULL;
        struct xa_err err = XA_ERR_NONE;
        int status = 0;
        enum xa_rc rc;
        int fd;

        assert_int_equal(
            xa_fcgi_start(path, "/0.1/status", soon(), &call, &err), XA_OK);
        fd = accept(listener, NULL, NULL);
        assert_int_equal(write(fd, answers[i].bytes, answers[i].len),
                         answers[i].len);
        shutdown(fd, SHUT_WR);
        rc = finish(call, &status, &err);
        if (rc != answers[i].rc || status != answers[i].status)
            print_error("%s: %s\n", answers[i].name, err.text);
        assert_int_equal(rc, answers[i].rc);
        assert_int_equal(status, answers[i].status);
        close(fd);
    }
}

static void
test_look__sends_one_whole_request(void **state XA_UNUSED)
{
    XA_AUTO(xa_fcgi_free) struct xa_fcgi_call *call = NULL;
    bool is_done = true;
    char bytes[1024];
    int status = 0;
    ssize_t got;
    int fd;

    assert_int_equal(xa_fcgi_start(path, "/0.1/status", soon(), &call, NULL),
                     XA_OK);
    fd = accept(listener, NULL, NULL);
    assert_int_equal(xa_fcgi_look(call, &is_done, &status, NULL), XA_OK);
    assert_false(is_done); /* and it came back at once */
    got = read(fd, bytes, sizeof bytes);
    assert_true(got > 40);
    assert_memory_equal(bytes, "\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0", 16);
    assert_memory_equal(bytes + got - 16, "\1\4\0\1\0\0\0\0\1\5\0\1\0\0\0\0",
                        16);
    assert_non_null(memmem(bytes, (size_t)got, "\16\3REQUEST_METHODGET", 19));
    assert_non_null(
        memmem(bytes, (size_t)got, "\13\13REQUEST_URI/0.1/status", 24));
    close(fd);
}

static void
test_look__has_a_deadline(void **state XA_UNUSED)
{
    XA_AUTO(xa_fcgi_free) struct xa_fcgi_call *call = NULL;
    struct xa_err err = XA_ERR_NONE;
    bool is_done = false;
    int status = 0;

    assert_int_equal(
        xa_fcgi_start(path, "/0.1/status", xa_clock_mono_ms(), &call, &err),
        XA_OK);
    assert_int_equal(xa_fcgi_look(call, &is_done, &status, &err), XA_E_TIMEOUT);
    assert_true(is_done);
    assert_non_null(strstr(err.text, "no answer in time"));
    close(accept(listener, NULL, NULL));
}

/* The queue of the socket is full: no connection yet, and no waiting. */
static void
test_start__does_not_wait_for_a_full_queue(void **state XA_UNUSED)
{
    struct xa_fcgi_call *calls[4] = {NULL};
    int status = 0;

    for (size_t i = 0; i < XA_COUNT(calls); i++)
        assert_int_equal(
            xa_fcgi_start(path, "/0.1/status", soon(), &calls[i], NULL), XA_OK);
    for (size_t i = 0; i < XA_COUNT(calls); i++) {
        bool is_done = false;
        int fd;

        assert_int_equal(xa_fcgi_look(calls[i], &is_done, &status, NULL),
                         XA_OK);
        fd = accept(listener, NULL, NULL);
        assert_int_equal(write(fd, BYTES(RECORD("\6", "\24") OK END)),
                         sizeof(RECORD("\6", "\24") OK END) - 1);
        assert_int_equal(finish(calls[i], &status, NULL), XA_OK);
        assert_int_equal(status, 200);
        xa_fcgi_free(&calls[i]);
        close(fd);
    }
}

static void
test_look__bounds_the_answer(void **state XA_UNUSED)
{
    XA_AUTO(xa_fcgi_free) struct xa_fcgi_call *call = NULL;
    static char junk[XA_FCGI_ANSWER_MAX + 8] = {1, 6, 0, 1, 127, 127, 0, 0};
    struct xa_err err = XA_ERR_NONE;
    int status = 0;
    int fd;

    assert_int_equal(xa_fcgi_start(path, "/0.1/status", soon(), &call, &err),
                     XA_OK);
    fd = accept(listener, NULL, NULL);
    assert_int_equal(write(fd, junk, sizeof junk), sizeof junk);
    assert_int_equal(finish(call, &status, &err), XA_E_INVALID);
    assert_non_null(strstr(err.text, "too large"));
    close(fd);
}

static void
test_start__says_what_is_wrong(void **state XA_UNUSED)
{
    XA_AUTO(xa_fcgi_free) struct xa_fcgi_call *call = NULL;
    struct xa_err err = XA_ERR_NONE;
    char longer[200];

    assert_int_equal(
        xa_fcgi_start("/nowhere/s", "/0.1/status", soon(), &call, &err),
        XA_E_UNAVAILABLE);
    assert_string_equal(err.text, "/nowhere/s: No such file or directory");
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(xa_fcgi_start(longer, "/0.1/status", soon(), &call, &err),
                     XA_E_INVALID);
    assert_int_equal(xa_fcgi_start(path, longer, soon(), &call, &err),
                     XA_E_INVALID);
    assert_null(call);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_look__reads_answers),
        cmocka_unit_test(test_look__sends_one_whole_request),
        cmocka_unit_test(test_look__has_a_deadline),
        cmocka_unit_test(test_start__does_not_wait_for_a_full_queue),
        cmocka_unit_test(test_look__bounds_the_answer),
        cmocka_unit_test(test_start__says_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, make_pool, remove_pool);
}
