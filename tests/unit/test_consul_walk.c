/* test_consul_walk.c - the names below a prefix, in order. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/support/crypto.h"
#include "core/support/sha256.h"
#include "core/token/consul/walk.h"
#include "tests/fakes/consul.h"
#include "tests/unit/unit.h"

#define P "xivo/xivo-auth/"
#define UUID_TAIL "-6c6a-4cdc-9869-964a7f08a744"

static struct xa_config config = {.consul.timeout_ms = 1000};
static struct xa_consul *consul;

static int
set_up(void **state XA_UNUSED)
{
    fake_consul_reset();
    return xa_consul_new(&config, &consul, NULL) == XA_OK ? 0 : -1;
}

static int
tear_down(void **state XA_UNUSED)
{
    xa_consul_free(&consul);
    fake_consul_reset();
    return 0;
}

/* What was visited; no name sorts before another. */
struct seen {
    unsigned count;
    unsigned stop_at; /* 0: never */
    char last[256];
    struct xa_buf all; /* the part below root, with a blank behind each */
    size_t root_len;
};

static bool
see(void *ctx, const char *name)
{
    struct seen *seen = ctx;

    assert_true(strcmp(name, seen->last) > 0);
    snprintf(seen->last, sizeof seen->last, "%s", name);
    xa_buf_putf(&seen->all, "%s ", name + seen->root_len);
    return ++seen->count != seen->stop_at;
}

static struct xa_walk
walk_of(const char *root)
{
    return (struct xa_walk){
        .consul = consul, .root = root, .begin = "", .after = ""};
}

static unsigned
count_names(const struct xa_walk *walk)
{
    XA_AUTO(xa_buf_free) struct xa_buf all = XA_BUF(1 << 24);
    struct seen seen = {.all = all};
    struct xa_err err = XA_ERR_NONE;
    bool ended = false;
    enum xa_rc rc = xa_walk_names(walk, see, &seen, &ended, &err);

    all = seen.all;
    if (rc != XA_OK)
        fail_msg("%s: %s", xa_rc_name(rc), err.text);
    assert_true(ended);
    return seen.count;
}

/* Names that sort as their numbers do not: by a hash. */
static void
put_tokens(unsigned count)
{
    char name[128];
    char hex[XA_SHA256_TEXT];

    for (unsigned i = 0; i < count; i++) {
        xa_sha256_hex(&i, sizeof i, hex);
        snprintf(name, sizeof name, P "tokens/%s", hex);
        fake_consul_set(name, "x");
    }
}

static void
test_names__is_exact_whatever_must_be_cut(void **state XA_UNUSED)
{
    static const char *const names[] = {
        "schedule/0000000001/00000000" UUID_TAIL,
        "schedule/0000000001/10000000" UUID_TAIL,
        "schedule/0000000001/10000000-7" UUID_TAIL,
        "schedule/0999999999/f0000000" UUID_TAIL,
        "schedule/1795443199/00000000" UUID_TAIL,
        "schedule/1795443200/00000000" UUID_TAIL,
        "schedule/1795443200/a0000000" UUID_TAIL,
        "schedule/1795443200/aa000000" UUID_TAIL,
        "schedule/1795443200/ab000000" UUID_TAIL,
        "schedule/1795443201/00000000" UUID_TAIL,
        "schedule/9999999999/ffffffff" UUID_TAIL,
    };
    static const struct {
        const char *begin;
        const char *after;
        unsigned first; /* of names */
        unsigned behind;
    } cases[] = {
        {"", "", 0, 11},
        {"0", "", 0, 4},
        {"17954432", "", 5, 10},
        {"1795443200", "", 5, 9},
        {"1795443200/", "", 5, 9},
        {"1795443200/a", "", 6, 9},
        {"2", "", 0, 0},
        {"9999999999/ffffffff" UUID_TAIL, "", 10, 11},
        {"", "0", 0, 11},
        {"", "1", 4, 11},
        {"", "1795443200/a0000000" UUID_TAIL, 7, 11},
        {"", "1795443200/a0000000", 6, 11},
        {"", "1795443200/b", 9, 11},
        {"", "1795443200/~", 9, 11},
        {"", "1795443200", 5, 11},
        {"", "17954432~", 10, 11},
        {"", "9999999999/ffffffff" UUID_TAIL, 0, 0},
        {"", "~", 0, 0},
        {"1795443200", "1795443200/aa000000" UUID_TAIL, 8, 9},
        {"1795443200", "0", 5, 9},
        {"1795443200", "1795443201", 0, 0},
        {"0", "1", 0, 0},
    };
    /* bytes of an answer: all, about two names, one */
    static const size_t limits[] = {XA_CONSUL_ANSWER_MAX, 170, 80};

    for (size_t i = 0; i < XA_COUNT(names); i++) {
        char name[128];

        snprintf(name, sizeof name, P "%s", names[i]);
        fake_consul_set(name, "x");
    }
    fake_consul_set(P "schedulf", "beside it");
    fake_consul_set(P "subjects/0", "beside it");
    for (size_t i = 0; i < XA_COUNT(cases) * XA_COUNT(limits); i++) {
        size_t c = i / XA_COUNT(limits);
        XA_AUTO(xa_buf_free) struct xa_buf expected = XA_BUF(4096);
        struct xa_walk walk = walk_of(P "schedule/");
        struct seen seen = {.all = XA_BUF(4096),
                            .root_len = strlen(P "schedule/")};
        unsigned depth = i % 2 ? 3 : 0;
        bool ended = false;

        for (unsigned n = cases[c].first; n < cases[c].behind; n++)
            xa_buf_putf(&expected, "%s ", names[n] + strlen("schedule/"));
        fake_consul.answer_max = limits[i % XA_COUNT(limits)];
        walk.begin = cases[c].begin;
        walk.after = cases[c].after;
        walk.depth = &depth;

        assert_int_equal(xa_walk_names(&walk, see, &seen, &ended, NULL), XA_OK);
        assert_true(ended);
        assert_string_equal(xa_buf_text(&seen.all), xa_buf_text(&expected));
        xa_buf_free(&seen.all);
    }
}

static void
test_names__visits_what_makes_no_sense(void **state XA_UNUSED)
{
    struct xa_walk walk = walk_of(P "tokens/");

    put_tokens(3);
    fake_consul_set(P "tokens/", "");
    fake_consul_set(P "tokens/Z", "");
    fake_consul_set(P "tokens/a/b", "");
    fake_consul_set(P "tokens/\"\\\n<\xc3\xa9", "");
    assert_int_equal(count_names(&walk), 6); /* the folder is no name in it */
    walk.root = P "nothing/";
    assert_int_equal(count_names(&walk), 0);
}

static void
test_names__ends_when_the_visitor_has_enough(void **state XA_UNUSED)
{
    struct xa_walk walk = walk_of(P "tokens/");
    struct seen seen = {.all = XA_BUF(1 << 16)};
    unsigned total = 0;
    char after[256] = "";
    bool ended = false;

    put_tokens(100);
    fake_consul.answer_max = 1000;
    while (!ended) {
        walk.after = after;
        seen.count = 0;
        seen.stop_at = 7;
        assert_int_equal(xa_walk_names(&walk, see, &seen, &ended, NULL), XA_OK);
        assert_true(ended || seen.count == 7);
        total += seen.count;
        snprintf(after, sizeof after, "%s", seen.last + strlen(P "tokens/"));
    }
    assert_int_equal(total, 100);
    xa_buf_free(&seen.all);
}

static void
test_names__remembers_how_deep_it_had_to_go(void **state XA_UNUSED)
{
    struct xa_walk walk = walk_of(P "tokens/");
    unsigned depth = 0;

    put_tokens(30000); /* 2.6 MiB of names */
    walk.depth = &depth;
    assert_int_equal(count_names(&walk), 30000);
    assert_int_equal(depth, 1);
    assert_int_equal(fake_consul.listings, 17);
    assert_int_equal(count_names(&walk), 30000);
    assert_int_equal(fake_consul.listings, 17 + 16);

    /* not before where it goes on */
    walk.after = "f";
    fake_consul.listings = 0;
    assert_true(count_names(&walk) > 1000);
    assert_int_equal(fake_consul.listings, 1);
}

static void
test_names__forgets_it_when_little_is_left(void **state XA_UNUSED)
{
    struct xa_walk walk = walk_of(P "tokens/");
    unsigned depth = 5;

    put_tokens(100);
    walk.depth = &depth;
    assert_int_equal(count_names(&walk), 100);
    assert_int_equal(depth, 0);
    assert_true(fake_consul.listings <= 5 * 16);
    fake_consul.listings = 0;
    assert_int_equal(count_names(&walk), 100);
    assert_int_equal(fake_consul.listings, 1);
}

/* The first so many listings take too long. */
static bool
is_slow(void *ctx, const struct xa_consul_request *request XA_UNUSED,
        struct xa_consul_answer *answer XA_UNUSED, enum xa_rc *rc)
{
    unsigned *left = ctx;

    *rc = XA_E_TIMEOUT;
    return *left > 0 && (*left)--;
}

static void
test_names__cuts_what_takes_too_long(void **state XA_UNUSED)
{
    struct xa_walk walk = walk_of(P "tokens/");
    unsigned left = 2;

    put_tokens(1000);
    fake_consul.hook = is_slow;
    fake_consul.ctx = &left;
    assert_int_equal(count_names(&walk), 1000);
    left = 2;
    walk.deadline_ms = INT64_MAX / 4;
    assert_int_equal(count_names(&walk), 1000);
}

static void
test_names__gives_up_when_all_takes_too_long(void **state XA_UNUSED)
{
    struct xa_walk walk = walk_of(P "tokens/");
    struct seen seen = {.all = XA_BUF(1 << 16)};
    unsigned depth = 0;
    unsigned left = 1000000;
    bool ended;

    put_tokens(10);
    walk.depth = &depth;
    fake_consul.hook = is_slow;
    fake_consul.ctx = &left;
    for (int i = 0; i < 100; i++) {
        fake_consul.requests = 0;
        assert_int_equal(xa_walk_names(&walk, see, &seen, &ended, NULL),
                         XA_E_TIMEOUT);
        assert_true(fake_consul.requests <= 3);
    }
    walk.deadline_ms = 1; /* long ago */
    fake_consul.requests = 0;
    assert_int_equal(xa_walk_names(&walk, see, &seen, &ended, NULL),
                     XA_E_TIMEOUT);
    assert_int_equal(fake_consul.requests, 1);
    left = 0;
    walk.deadline_ms = 0;
    fake_consul.listings = 0;
    assert_int_equal(count_names(&walk), 10);
    assert_true(fake_consul.listings < 300);
}

/* An answer that is given to each request. */
struct canned {
    enum xa_rc rc;
    long status;
    const char *body;
};

static bool
answer_so(void *ctx, const struct xa_consul_request *request XA_UNUSED,
          struct xa_consul_answer *answer, enum xa_rc *rc)
{
    const struct canned *canned = ctx;

    *rc = canned->rc;
    answer->status = canned->status;
    xa_buf_puts(&answer->body, canned->body);
    return true;
}

static void
test_names__says_what_is_wrong(void **state XA_UNUSED)
{
    static const struct {
        struct canned says;
        enum xa_rc rc;
    } cases[] = {
        {{XA_OK, 404, ""}, XA_OK},
        {{XA_OK, 200, "[]"}, XA_OK},
        {{XA_OK, 200, " [ ] \n"}, XA_OK},
        {{XA_OK, 403, "Permission denied"}, XA_E_FORBIDDEN},
        {{XA_OK, 400, ""}, XA_E_STORE},
        {{XA_OK, 500, "no"}, XA_E_STORE},
        {{XA_E_UNAVAILABLE, 0, ""}, XA_E_UNAVAILABLE},
        {{XA_E_NOMEM, 0, ""}, XA_E_NOMEM},
        {{XA_E_INVALID, 0, ""}, XA_E_STORE}, /* however deep */
        {{XA_OK, 200, ""}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "null"}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "["}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "[\"a"}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "[\"a\""}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "[\"a\","}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "[\"a\",]"}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "[,\"a\"]"}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "[\"a\" \"b\"]"}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "[\"a\"] x"}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "[1]"}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "[[\"a\"]]"}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "[\"\\u0000\"]"}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "[\"\\x\"]"}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "[\"\\"}, XA_E_UNAVAILABLE},
        {{XA_OK, 200, "[\"elsewhere\"]"}, XA_OK},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct xa_walk walk = walk_of(P "tokens/");
        struct canned says = cases[i].says;
        struct seen seen = {0};
        bool ended;

        fake_consul.hook = answer_so;
        fake_consul.ctx = &says;
        assert_int_equal(xa_walk_names(&walk, see, &seen, &ended, NULL),
                         cases[i].rc);
        assert_int_equal(seen.count, 0);
    }
}

static void
test_names__drops_what_is_out_of_order(void **state XA_UNUSED)
{
    struct canned says = {XA_OK, 200,
                          "[\"" P "tokens/b\",\"" P "tokens/a\",\"" P
                          "tokens/b\",\"" P "tokens/c\"]"};
    struct xa_walk walk = walk_of(P "tokens/");

    fake_consul.hook = answer_so;
    fake_consul.ctx = &says;
    assert_int_equal(count_names(&walk), 2);
}

static bool
append(void *ctx, const char *name)
{
    xa_buf_putf(ctx, "%s|", name);
    return true;
}

static void
test_listing__undoes_escapes(void **state XA_UNUSED)
{
    char text[] = " [\"a\", \"\\u003c\\u0026\\\"\\\\\\/\" ,\"\\ud83d\\ude00\", "
                  "\"\"\n]\n";
    XA_AUTO(xa_buf_free) struct xa_buf all = XA_BUF(100);
    bool ended = false;

    assert_int_equal(
        xa_walk_listing(text, strlen(text), append, &all, &ended, NULL), XA_OK);
    assert_true(ended);
    assert_string_equal(xa_buf_text(&all), "a|<&\"\\/|\xf0\x9f\x98\x80||");
}

#define WALK_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WALK_TEST(test_names__is_exact_whatever_must_be_cut),
        WALK_TEST(test_names__visits_what_makes_no_sense),
        WALK_TEST(test_names__ends_when_the_visitor_has_enough),
        WALK_TEST(test_names__remembers_how_deep_it_had_to_go),
        WALK_TEST(test_names__forgets_it_when_little_is_left),
        WALK_TEST(test_names__cuts_what_takes_too_long),
        WALK_TEST(test_names__gives_up_when_all_takes_too_long),
        WALK_TEST(test_names__says_what_is_wrong),
        WALK_TEST(test_names__drops_what_is_out_of_order),
        WALK_TEST(test_listing__undoes_escapes),
    };

    if (xa_crypto_init(NULL) != XA_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
