/* freed.c - what stands in memory as it is freed. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/fakes/freed.h"

#include <string.h>

#include <malloc.h>

#define PART 4 /* bytes; what is left of a secret may be cut anywhere */

void *__real_malloc(size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void __wrap_free(void *p);

static const char *watched;
static size_t watched_len;
static unsigned count;
static unsigned with_secret;

void
freed_watch(const void *secret, size_t len)
{
    watched = secret;
    watched_len = len;
    count = 0;
    with_secret = 0;
}

unsigned
freed_count(void)
{
    return count;
}

unsigned
freed_with_secret(void)
{
    return with_secret;
}

/* So that nothing stands in it but what its owner put there. */
void *
__wrap_malloc(size_t size)
{
    void *p = __real_malloc(size);

    if (p)
        memset(p, 0xa5, malloc_usable_size(p));
    return p;
}

static int
holds_secret(void *p)
{
    size_t size = malloc_usable_size(p);

    for (size_t i = 0; i + PART <= watched_len; i++)
        if (memmem(p, size, watched + i, PART))
            return 1;
    return 0;
}

void
__wrap_free(void *p)
{
    if (p && watched) {
        count++;
        with_secret += holds_secret(p) ? 1 : 0;
    }
    __real_free(p);
}
