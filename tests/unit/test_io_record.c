/* test_io_record.c - FastCGI records, read and written. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fcgi/io_record.h"
#include "tests/unit/unit.h"

static void
assert_bytes(const struct xa_buf *buf, const char *want, size_t len)
{
    assert_int_equal(xa_buf_check(buf, NULL), XA_OK);
    assert_int_equal(buf->len, len);
    assert_memory_equal(buf->data, want, len);
}

static void
test_read__takes_a_header_apart(void **state XA_UNUSED)
{
    struct xa_record rec =
        xa_record_read((const uint8_t *)"\1\5\2\3\4\5\6\7");

    assert_int_equal(rec.version, 1);
    assert_int_equal(rec.type, XA_RECORD_STDIN);
    assert_int_equal(rec.id, 0x0203);
    assert_int_equal(rec.content, 0x0405);
    assert_int_equal(rec.padding, 6);
}

static void
test_put_end__is_one_record(void **state XA_UNUSED)
{
    static const char want[] = "\1\3\1\2\0\10\0\0" "\0\0\0\0\3\0\0";
    XA_AUTO(xa_buf_free) struct xa_buf out = XA_BUF(100);

    xa_record_put_end(&out, 0x102, XA_END_UNKNOWN_ROLE);
    assert_bytes(&out, want, sizeof want); /* its last byte is the NUL */
}

static void
test_put_stdout__ends_the_stream(void **state XA_UNUSED)
{
    static const char want[] = "\1\6\0\1\0\2\0\0hi" "\1\6\0\1\0\0\0";
    static const char nothing[] = "\1\6\0\1\0\0\0";
    XA_AUTO(xa_buf_free) struct xa_buf out = XA_BUF(100);
    XA_AUTO(xa_buf_free) struct xa_buf empty = XA_BUF(100);

    xa_record_put_stdout(&out, 1, "hi", 2);
    assert_bytes(&out, want, sizeof want);
    xa_record_put_stdout(&empty, 1, NULL, 0);
    assert_bytes(&empty, nothing, sizeof nothing);
}

static void
test_write_closing__is_what_the_others_put(void **state XA_UNUSED)
{
    struct xa_buf out = XA_BUF(100);
    uint8_t bytes[XA_RECORD_CLOSING];

    xa_record_put_stdout(&out, 0x102, "", 0);
    xa_record_put_end(&out, 0x102, XA_END_COMPLETE);
    assert_int_equal(xa_record_write_closing(bytes, 0x102), out.len);
    assert_memory_equal(bytes, out.data, out.len);
    xa_buf_free(&out);
}

static void
test_put_stdout__cuts_what_no_record_holds(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf out = XA_BUF(100000);
    XA_AUTO(xa_str_free) char *text = calloc(1, 70000);
    struct xa_record second;

    assert_non_null(text);
    xa_record_put_stdout(&out, 1, text, 70000);
    assert_int_equal(xa_buf_check(&out, NULL), XA_OK);
    assert_int_equal(out.len, 70000 + 3 * XA_RECORD_HEADER);
    second = xa_record_read((const uint8_t *)out.data + XA_RECORD_HEADER +
                            XA_RECORD_CONTENT_MAX);
    assert_int_equal(second.type, XA_RECORD_STDOUT);
    assert_int_equal(second.content, 70000 - XA_RECORD_CONTENT_MAX);
}

static void
test_put_managed__tells_what_is_asked(void **state XA_UNUSED)
{
    static const char all[] = "\1\11\0\0\0\60\0\0"
                              "\16\0FCGI_MAX_CONNS" "\15\0FCGI_MAX_REQS"
                              "\17\0FCGI_MPXS_CONNS";
    static const char all_told[] =
        "\1\12\0\0\0\71\0\0"
        "\16\4FCGI_MAX_CONNS1000" "\15\4FCGI_MAX_REQS1000"
        "\17\1FCGI_MPXS_CONNS0";
    static const char other[] = "\1\11\0\0\0\3\0\0" "\1\0X";
    static const char nothing[] = "\1\12\0\0\0\0\0";
    static const char liar[] = "\1\11\0\0\0\3\0\0" "\77\0X";
    XA_AUTO(xa_buf_free) struct xa_buf out = XA_BUF(200);

    xa_record_put_managed(&out, (const uint8_t *)all, sizeof all - 1, 1000);
    assert_bytes(&out, all_told, sizeof all_told - 1);

    xa_buf_clear(&out);
    xa_record_put_managed(&out, (const uint8_t *)other, sizeof other - 1, 7);
    assert_bytes(&out, nothing, sizeof nothing);

    xa_buf_clear(&out);
    xa_record_put_managed(&out, (const uint8_t *)liar, sizeof liar - 1, 7);
    assert_bytes(&out, nothing, sizeof nothing);
}

static void
test_put_managed__does_not_know_other_types(void **state XA_UNUSED)
{
    static const char want[] = "\1\13\0\0\0\10\0\0" "\143\0\0\0\0\0\0";
    XA_AUTO(xa_buf_free) struct xa_buf out = XA_BUF(100);

    xa_record_put_managed(&out, (const uint8_t *)"\1\143\0\0\0\0\0", 8, 1);
    assert_bytes(&out, want, sizeof want);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read__takes_a_header_apart),
        cmocka_unit_test(test_put_end__is_one_record),
        cmocka_unit_test(test_put_stdout__ends_the_stream),
        cmocka_unit_test(test_write_closing__is_what_the_others_put),
        cmocka_unit_test(test_put_stdout__cuts_what_no_record_holds),
        cmocka_unit_test(test_put_managed__tells_what_is_asked),
        cmocka_unit_test(test_put_managed__does_not_know_other_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
