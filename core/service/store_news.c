/* store_news.c - the news of a store, into the log. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/store_news.h"

#include "core/base/log.h"

void
xa_store_log_news(struct xa_store *store)
{
    struct xa_news_item item;

    while (xa_store_news(store, &item))
        xa_log(item.level, item.event, "%s", item.text);
}
