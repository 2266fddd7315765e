/* store_news.h - the news of a store, into the log. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SERVICE_STORE_NEWS_H
#define XA_SERVICE_STORE_NEWS_H

#include "core/token/store.h"

/* Log what began or ended since the last time; cheap when nothing did. */
void xa_store_log_news(struct xa_store *store);

#endif
