/* alloc.c - memory that runs out when a test says so. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/fakes/alloc.h"

#include <errno.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);

static unsigned left;
static bool has_failed;

void
fake_alloc_fail(unsigned nth)
{
    left = nth;
    has_failed = false;
}

bool
fake_alloc_has_failed(void)
{
    return has_failed;
}

static bool
fails(void)
{
    if (left == 0 || --left > 0)
        return false;
    has_failed = true;
    errno = ENOMEM;
    return true;
}

void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(old, count, size);
}

char *
__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}
