/* access_log.h - the line that each request leaves. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_ACCESS_LOG_H
#define XA_FCGI_ACCESS_LOG_H

#include <stdint.h>

#include "fcgi/reply.h"
#include "fcgi/request.h"

/*
 * Event `request.done`: who asked, the status, the time it took, and for what.
 * At level info, or error with the cause for a status of 500 and above.  No
 * token stands in it (mask.h).
 */
void xa_access_log(const struct xa_request *req, const struct xa_reply *reply,
                   int64_t took_us);

#endif
