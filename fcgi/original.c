/* original.c - method and path of the request that is guarded. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/original.h"

#include <stddef.h>
#include <string.h>

#include "core/base/auto.h"
#include "fcgi/params.h"

enum { METHOD, TARGET };

/* Parameters that belong together. */
static const struct family {
    enum xa_witness witness;
    const char *name[2];
} families[] = {
    {XA_WITNESS_SERVER, {"REQUEST_METHOD", "REQUEST_URI"}},
    {XA_WITNESS_HEADERS, {"HTTP_X_ORIGINAL_METHOD", "HTTP_X_ORIGINAL_URI"}},
    {XA_WITNESS_HEADERS, {"HTTP_X_FORWARDED_METHOD", "HTTP_X_FORWARDED_URI"}},
};

bool
xa_original_read(const char *const *params, enum xa_witness witness,
                 struct xa_original *out)
{
    const char *found[2] = {NULL, NULL};
    bool has_family = false;

    for (size_t i = 0; i < XA_COUNT(families); i++) {
        const char *value[2];

        if (families[i].witness != witness)
            continue;
        for (int k = METHOD; k <= TARGET; k++) {
            if (!xa_params_find(params, families[i].name[k], &value[k]))
                return false;
            if (value[k] && !*value[k])
                value[k] = NULL;
        }
        if (!value[METHOD] && !value[TARGET])
            continue;
        if (has_family)
            return false;
        has_family = true;
        memcpy(found, value, sizeof found);
    }
    if (!found[METHOD] || !found[TARGET])
        return false;
    *out = (struct xa_original){found[METHOD], found[TARGET]};
    return true;
}
