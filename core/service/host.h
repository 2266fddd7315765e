/* host.h - what the service lends to a backend module. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SERVICE_HOST_H
#define XA_SERVICE_HOST_H

#include <stdint.h>

#include "core/backend.h"
#include "core/support/config.h"

#define XA_HOST_CALL_MS 3000      /* what one call into a module may take */
#define XA_HOST_NODES_MAX 4000000 /* of a file that a module reads */

/*
 * One per module, in its keeper's storage, which must not move: the module
 * keeps a pointer to `lent`.
 */
struct xa_host_side {
    struct xa_host lent;            /* the part that the module sees */
    const char *name;               /* of the backend; borrowed */
    const struct xa_config *config; /* borrowed */
    int64_t begun_ms;               /* monotonic; of the call in hand */
    unsigned hashes;                /* passwords verified in that call */
};

/*
 * Fill it.  Both pointers are borrowed for its whole life.
 */
void xa_host_init(struct xa_host_side *side, const char *name,
                  const struct xa_config *config);

/* A call into the module begins: its time and its work count from here. */
void xa_host_begin(struct xa_host_side *side);

/* Milliseconds since xa_host_begin(). */
int64_t xa_host_spent_ms(const struct xa_host_side *side);

#endif
