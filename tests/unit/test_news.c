/* test_news.c - what began or ended, until somebody logs it. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>

#include "core/token/news.h"
#include "tests/unit/unit.h"

static void
test_take__gives_events_in_their_order(void **state XA_UNUSED)
{
    struct xa_news news = {.count = 0};
    struct xa_news_item item;

    assert_false(xa_news_take(&news, &item));
    xa_news_put(&news, XA_ERROR, "consul.lost", "reason=%s", "silent");
    xa_news_put(&news, XA_INFO, "consul.back", "after_ms=%d", 17);
    assert_true(xa_news_take(&news, &item));
    assert_int_equal(item.level, XA_ERROR);
    assert_string_equal(item.event, "consul.lost");
    assert_string_equal(item.text, "reason=silent");
    assert_true(xa_news_take(&news, &item));
    assert_int_equal(item.level, XA_INFO);
    assert_string_equal(item.text, "after_ms=17");
    assert_false(xa_news_take(&news, &item));
}

static void
test_put__forgets_the_oldest_when_nobody_asks(void **state XA_UNUSED)
{
    struct xa_news news = {.count = 0};
    struct xa_news_item item;
    char text[16];

    for (int i = 0; i < XA_NEWS_KEPT + 3; i++)
        xa_news_put(&news, XA_INFO, "thing.done", "n=%d", i);
    for (int i = 3; i < XA_NEWS_KEPT + 3; i++) {
        snprintf(text, sizeof text, "n=%d", i);
        assert_true(xa_news_take(&news, &item));
        assert_string_equal(item.text, text);
    }
    assert_false(xa_news_take(&news, &item));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take__gives_events_in_their_order),
        cmocka_unit_test(test_put__forgets_the_oldest_when_nobody_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
