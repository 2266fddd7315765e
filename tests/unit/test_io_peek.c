/* test_io_peek.c - is a whole request there? SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "fcgi/io_peek.h"
#include "tests/unit/unit.h"

#include "core/base/auto.h"

#define MAX 1024

/* A literal and its length, without its NUL. */
#define BYTES(text) text, sizeof(text) - 1

#define BEGIN "\1\1\0\1\0\10\0\0" "\0\1\1\0\0\0\0\0"
#define BEGIN_ONCE "\1\1\0\1\0\10\0\0" "\0\1\0\0\0\0\0\0"
#define BEGIN_AUTHORIZER "\1\1\0\1\0\10\0\0" "\0\2\1\0\0\0\0\0"
#define BEGIN_FILTER "\1\1\0\1\0\10\0\0" "\0\3\1\0\0\0\0\0"
#define PARAMS_AB "\1\4\0\1\0\4\0\0" "\1\1ab" /* a=b */
#define PARAMS_AB_PADDED "\1\4\0\1\0\4\4\0" "\1\1ab...."
#define PARAMS_LONG "\1\4\0\1\0\12\0\0" "\200\0\0\1\200\0\0\1ab" /* 4 bytes each */
#define PARAMS_END "\1\4\0\1\0\0\0\0"
#define STDIN_XYZ "\1\5\0\1\0\3\0\0" "xyz"
#define STDIN_END "\1\5\0\1\0\0\0\0"
#define ABORT "\1\2\0\1\0\0\0\0"
#define GET_VALUES "\1\11\0\0\0\21\0\0" "\17\0FCGI_MPXS_CONNS"
#define WHOLE BEGIN PARAMS_AB PARAMS_END STDIN_END

static const struct {
    const char *bytes;
    size_t len;
    enum xa_peek_found found;
    size_t at; /* what xa_peek.len must be */
} cases[] = {
    /* requests in full, with and without what may stand in them */
    {BYTES(WHOLE), XA_PEEK_WHOLE, 44},
    {BYTES(BEGIN_ONCE PARAMS_AB PARAMS_END STDIN_END), XA_PEEK_WHOLE, 44},
    {BYTES(BEGIN PARAMS_END STDIN_END), XA_PEEK_WHOLE, 32},
    {BYTES(BEGIN PARAMS_AB PARAMS_AB PARAMS_END STDIN_XYZ STDIN_XYZ STDIN_END),
     XA_PEEK_WHOLE, 78},
    {BYTES(BEGIN PARAMS_AB_PADDED PARAMS_END STDIN_END), XA_PEEK_WHOLE, 48},
    {BYTES(BEGIN PARAMS_LONG PARAMS_END STDIN_END), XA_PEEK_WHOLE, 50},
    {BYTES(BEGIN_AUTHORIZER PARAMS_AB PARAMS_END), XA_PEEK_WHOLE, 36},
    /* a pair that runs through three records */
    {BYTES(BEGIN "\1\4\0\1\0\1\0\0" "\1" "\1\4\0\1\0\2\0\0" "\1a"
                 "\1\4\0\1\0\1\0\0" "b" PARAMS_END STDIN_END),
     XA_PEEK_WHOLE, 60},
    /* and what comes behind one is not its business */
    {BYTES(WHOLE WHOLE), XA_PEEK_WHOLE, 44},
    {BYTES(BEGIN_AUTHORIZER PARAMS_END STDIN_END), XA_PEEK_WHOLE, 24},

    /* beginnings */
    {BYTES(""), XA_PEEK_MORE, 8},
    {BYTES("\1\1\0\1\0\10\0"), XA_PEEK_MORE, 8},
    {BYTES("\1\1\0\1\0\10\0\0"), XA_PEEK_MORE, 16},
    {BYTES(BEGIN), XA_PEEK_MORE, 24},
    {BYTES(BEGIN PARAMS_AB), XA_PEEK_MORE, 36},
    {BYTES(BEGIN PARAMS_AB PARAMS_END), XA_PEEK_MORE, 44},
    {BYTES(BEGIN PARAMS_AB PARAMS_END STDIN_XYZ), XA_PEEK_MORE, 55},
    {BYTES(BEGIN PARAMS_AB PARAMS_END "\1\5\0\1\0\144\0\0"), XA_PEEK_MORE, 144},

    /* aborted, unknown role, management */
    {BYTES(BEGIN ABORT), XA_PEEK_ABORTED, 24},
    {BYTES(BEGIN PARAMS_AB ABORT), XA_PEEK_ABORTED, 36},
    {BYTES(BEGIN PARAMS_AB PARAMS_END STDIN_XYZ ABORT), XA_PEEK_ABORTED, 55},
    {BYTES(BEGIN_FILTER), XA_PEEK_ROLE, 16},
    {BYTES("\1\1\0\1\0\10\0\0" "\1\1\0\0\0\0\0\0"), XA_PEEK_ROLE, 16},
    {BYTES(GET_VALUES), XA_PEEK_MANAGEMENT, 25},
    {BYTES(GET_VALUES WHOLE), XA_PEEK_MANAGEMENT, 25},
    {BYTES("\1\143\0\0\0\0\0\0"), XA_PEEK_MANAGEMENT, 8},
    {BYTES("\1\11\0\0\0\21\0\0" "\17\0FCGI"), XA_PEEK_MORE, 25},

    /* too large, as soon as a header says so */
    {BYTES(BEGIN "\1\4\0\1\4\0\0\0"), XA_PEEK_TOO_LARGE, 16},
    {BYTES(BEGIN PARAMS_AB PARAMS_END "\1\5\0\1\377\377\377\0"),
     XA_PEEK_TOO_LARGE, 36},

    /* nonsense */
    {BYTES("GET / HTTP/1.1\r\n"), XA_PEEK_BAD, 0},
    {BYTES("\0\1\0\1\0\10\0\0"), XA_PEEK_BAD, 0},
    {BYTES("\2\1\0\1\0\10\0\0"), XA_PEEK_BAD, 0},
    {BYTES("\1\1\0\0\0\10\0\0"), XA_PEEK_BAD, 0},  /* BEGIN with id 0 */
    {BYTES("\1\1\0\1\0\7\0\0"), XA_PEEK_BAD, 0},   /* BEGIN too short */
    {BYTES("\1\1\0\1\377\377\0\0"), XA_PEEK_BAD, 0},
    {BYTES("\1\1\0\1\0\10\1\0"), XA_PEEK_BAD, 0},  /* padding on BEGIN */
    {BYTES("\1\4\0\1\0\0\0\0"), XA_PEEK_BAD, 0},   /* PARAMS first */
    {BYTES("\1\143\0\1\0\0\0\0"), XA_PEEK_BAD, 0}, /* type 99 first */
    {BYTES("\1\11\0\0\377\377\0\0"), XA_PEEK_BAD, 0}, /* huge GET_VALUES */
    {BYTES(BEGIN BEGIN), XA_PEEK_BAD, 32},
    {BYTES(BEGIN STDIN_END), XA_PEEK_BAD, 24}, /* no end of PARAMS */
    {BYTES(BEGIN "\1\4\0\2\0\0\0\0"), XA_PEEK_BAD, 16}, /* another id */
    {BYTES(BEGIN "\1\11\0\0\0\0\0\0"), XA_PEEK_BAD, 16}, /* management inside */
    {BYTES(BEGIN "\1\143\0\1\0\0\0\0"), XA_PEEK_BAD, 24},
    {BYTES(BEGIN PARAMS_END PARAMS_END), XA_PEEK_BAD, 32},
    {BYTES(BEGIN PARAMS_END "\1\10\0\1\0\0\0\0"), XA_PEEK_BAD, 32}, /* DATA */
    {BYTES(BEGIN "\1\4\0\1\0\0\1\0" "."), XA_PEEK_BAD, 25},
    {BYTES(BEGIN PARAMS_END "\1\5\0\1\0\0\1\0" "."), XA_PEEK_BAD, 33},
    /* pairs that lie about their lengths, or that C would cut */
    {BYTES(BEGIN "\1\4\0\1\0\3\0\0" "\1\1a" PARAMS_END), XA_PEEK_BAD, 35},
    {BYTES(BEGIN "\1\4\0\1\0\1\0\0" "\1" PARAMS_END), XA_PEEK_BAD, 33},
    {BYTES(BEGIN "\1\4\0\1\0\10\0\0" "\377\377\377\377\377\377\377\377"),
     XA_PEEK_BAD, 32},
    {BYTES(BEGIN "\1\4\0\1\0\4\0\0" "\1\1a\0" PARAMS_END STDIN_END),
     XA_PEEK_BAD, 28},
};

static void
test_peek__tells_what_lies_there(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct xa_peek peek;
        enum xa_peek_found found =
            xa_peek((const uint8_t *)cases[i].bytes, cases[i].len, MAX, &peek);

        if (found != cases[i].found || peek.len != cases[i].at)
            fail_msg("case %zu: found %d at %zu (%s)", i, (int)found, peek.len,
                     peek.why ? peek.why : "-");
        assert_true((found == XA_PEEK_BAD) == (peek.why != NULL));
    }
}

/* Whatever is asked for in the end, no prefix is taken for it, and each tells
 * of a place that lies ahead. */
static void
test_peek__asks_for_more_until_it_is_there(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        if (cases[i].found != XA_PEEK_WHOLE)
            continue;
        for (size_t n = 0; n < cases[i].at; n++) {
            struct xa_peek peek;

            assert_int_equal(
                xa_peek((const uint8_t *)cases[i].bytes, n, MAX, &peek),
                XA_PEEK_MORE);
            assert_in_range(peek.len, n + 1, cases[i].at);
        }
    }
}

static void
test_peek__tells_id_role_and_keep(void **state XA_UNUSED)
{
    static const char high_id[] =
        "\1\1\1\2\0\10\0\0" "\0\2\0\0\0\0\0\0" "\1\4\1\2\0\0\0\0";
    struct xa_peek peek;

    assert_int_equal(xa_peek((const uint8_t *)BYTES(WHOLE), MAX, &peek),
                     XA_PEEK_WHOLE);
    assert_int_equal(peek.id, 1);
    assert_true(peek.keep);
    assert_false(peek.authorizer);

    assert_int_equal(xa_peek((const uint8_t *)BYTES(high_id), MAX, &peek),
                     XA_PEEK_WHOLE);
    assert_int_equal(peek.id, 0x102);
    assert_false(peek.keep);
    assert_true(peek.authorizer);
}

static void
test_peek__counts_records_and_padding_against_max(void **state XA_UNUSED)
{
    struct xa_peek peek;

    assert_int_equal(xa_peek((const uint8_t *)BYTES(WHOLE), 44, &peek),
                     XA_PEEK_WHOLE);
    assert_int_equal(xa_peek((const uint8_t *)BYTES(WHOLE), 43, &peek),
                     XA_PEEK_TOO_LARGE);
    assert_int_equal(peek.id, 1);
    /* even before the header that would not fit has come */
    assert_int_equal(xa_peek((const uint8_t *)WHOLE, 36, 43, &peek),
                     XA_PEEK_TOO_LARGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peek__tells_what_lies_there),
        cmocka_unit_test(test_peek__asks_for_more_until_it_is_there),
        cmocka_unit_test(test_peek__tells_id_role_and_keep),
        cmocka_unit_test(test_peek__counts_records_and_padding_against_max),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
