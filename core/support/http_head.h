/* http_head.h - the header of an answer, line by line. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SUPPORT_HTTP_HEAD_H
#define XA_SUPPORT_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/support/http.h"

struct xa_http_head {
    bool is_done;      /* read to its end; body or trailers follow */
    bool is_framed;    /* it says where the body ends */
    uint64_t body_len; /* by Content-Length, 0 without; UINT64_MAX: no number
                          that makes sense */
    bool is_interim;   /* what is being read belongs to a 1xx answer */
};

/* Begin with an answer; empties the wanted fields. */
void xa_http_head_init(struct xa_http_head *head,
                       const struct xa_http_answer *answer);

/*
 * Take one line, with its end.  Interim answers are forgotten; what comes
 * behind the header is ignored.
 */
void xa_http_head_line(struct xa_http_head *head,
                       const struct xa_http_answer *answer, const char *line,
                       size_t len);

#endif
