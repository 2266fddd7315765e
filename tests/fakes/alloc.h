/* alloc.h - memory that runs out when a test says so. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For programs linked with $(unit_wrap_alloc): calls of malloc, calloc,
 * reallocarray and strdup from our own objects go through here.
 */
#ifndef XA_TESTS_ALLOC_H
#define XA_TESTS_ALLOC_H

#include <stdbool.h>

/* Let the nth allocation from now on fail, 1 being the next; 0: none. */
void fake_alloc_fail(unsigned nth);

/* Let the nth fail and each one after it, until fake_alloc_fail(0). */
void fake_alloc_fail_from(unsigned nth);

/* Neither fail nor count while held, for what a test does itself; returns
 * whether it was held before. */
bool fake_alloc_hold(bool hold);

/* Whether that allocation was asked for. */
bool fake_alloc_has_failed(void);

#endif
