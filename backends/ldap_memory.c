/* ldap_memory.c - memory that is overwritten when it is freed. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ldap_memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void *
xa_ldap_malloc(unsigned long size, void *ctx)
{
    (void)ctx;
    return malloc(size);
}

void *
xa_ldap_calloc(unsigned long count, unsigned long size, void *ctx)
{
    (void)ctx;
    return calloc(count, size);
}

/* Never in place, as what grows there may move. */
void *
xa_ldap_realloc(void *old, unsigned long size, void *ctx)
{
    size_t kept = old ? malloc_usable_size(old) : 0;
    void *fresh = malloc(size);

    if (!fresh)
        return NULL;
    if (old)
        memcpy(fresh, old, kept < size ? kept : size);
    xa_ldap_free(old, ctx);
    return fresh;
}

/* Memory that lber had from elsewhere before is malloc's, too. */
void
xa_ldap_free(void *bytes, void *ctx)
{
    (void)ctx;
    if (bytes)
        explicit_bzero(bytes, malloc_usable_size(bytes));
    free(bytes);
}
