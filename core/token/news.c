/* news.c - what began or ended, until somebody logs it. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/news.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
drop_oldest(struct xa_news *news)
{
    news->count--;
    memmove(news->items, news->items + 1, news->count * sizeof news->items[0]);
}

void
xa_news_put(struct xa_news *news, enum xa_level level, const char *event,
            const char *fmt, ...)
{
    struct xa_news_item *item;
    va_list ap;

    if (news->count == XA_NEWS_KEPT)
        drop_oldest(news);
    item = &news->items[news->count++];
    item->level = level;
    item->event = event;
    va_start(ap, fmt);
    vsnprintf(item->text, sizeof item->text, fmt, ap);
    va_end(ap);
}

bool
xa_news_take(struct xa_news *news, struct xa_news_item *out)
{
    if (news->count == 0)
        return false;
    *out = news->items[0];
    drop_oldest(news);
    return true;
}
