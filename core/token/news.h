/* news.h - what began or ended, until somebody logs it. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A store notices that its server is lost, or back; the use case that called
 * it has the log.  Whoever uses a store asks for its news now and then
 * (xa_store_news()) and writes each as an event.
 */
#ifndef XA_TOKEN_NEWS_H
#define XA_TOKEN_NEWS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/log.h"

#define XA_NEWS_TEXT 1152 /* a reason of XA_ERR_MAX, quoted, and more */
#define XA_NEWS_KEPT 4

struct xa_news_item {
    enum xa_level level;
    const char *event; /* static */
    char text[XA_NEWS_TEXT];
};

/* Zeroed: nothing is new. */
struct xa_news {
    struct xa_news_item items[XA_NEWS_KEPT]; /* in order */
    size_t count;
};

/* Note an event; the oldest is forgotten when nobody asks. */
XA_PRINTF(4, 5)
void xa_news_put(struct xa_news *news, enum xa_level level, const char *event,
                 const char *fmt, ...);

/* The oldest; false: nothing is new. */
bool xa_news_take(struct xa_news *news, struct xa_news_item *out);

#endif
