/* http.h - servers that behave as told, in a time of their own. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stands in for core/support/http.c and, with -Wl,--wrap, for the monotonic
 * clock: time goes on only while somebody waits for an answer.
 */
#ifndef XA_TESTS_FAKES_HTTP_H
#define XA_TESTS_FAKES_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_HOSTS 4 /* "h0" to "h3" */

struct fake_host {
    enum {
        FAKE_FINE,       /* an answer of Consul's: `status`, with an index */
        FAKE_FROZEN,     /* answers once it is another again */
        FAKE_DEAD,       /* what was asked meanwhile is never answered */
        FAKE_REFUSED,    /* no connection */
        FAKE_LEADERLESS, /* 500 */
        FAKE_BUSY        /* 429 */
    } kind;
    long status;         /* of FAKE_FINE; 0: 200 */
    long stale_status;   /* of a stale read, if not 0 */
    const char *contact; /* X-Consul-LastContact; NULL: "0" */
    const char *text;    /* the body; NULL: "fresh" or "stale" */
    const char *past;    /* the body while it has not read its log, of all
                            reads but consistent ones; NULL: it has */
    bool has_connection; /* kept; false: the next request makes one */
    int64_t takes_ms;    /* from the request to the answer */
    unsigned busy_left;  /* FAKE_BUSY turns into FAKE_FINE after so many; 0:
                            never */
    unsigned asked;
};

struct fake_http {
    int64_t now_ms;
    struct fake_host hosts[FAKE_HOSTS];
    unsigned asked; /* requests in all */
    unsigned connections;
    unsigned under_way; /* now */
    unsigned most;      /* at once */
    char method[8];     /* of the last one, as are ... */
    char url[512];
    char body[1024];
};
extern struct fake_http fake_http;

/* All hosts fine, nothing asked. */
void fake_http_reset(void);

#endif
