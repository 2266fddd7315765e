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
static bool goes_on; /* what failed once fails from then on */
static bool is_held;
static bool has_failed;

void
fake_alloc_fail(unsigned nth)
{
    left = nth;
    goes_on = false;
    has_failed = false;
}

void
fake_alloc_fail_from(unsigned nth)
{
    fake_alloc_fail(nth);
    goes_on = true;
}

bool
fake_alloc_hold(bool hold)
{
    bool was_held = is_held;

    is_held = hold;
    return was_held;
}

bool
fake_alloc_has_failed(void)
{
    return has_failed;
}

static bool
fails(void)
{
    if (left == 0 || is_held || --left > 0)
        return false;
    left = goes_on ? 1 : 0;
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
