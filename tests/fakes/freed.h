/* freed.h - what stands in memory as it is freed. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For programs linked with $(unit_wrap_freed): each block that our own objects
 * free is searched first, all of it, for the secrets that a test names.  What
 * libraries free goes by unseen.
 */
#ifndef XA_TESTS_FREED_H
#define XA_TESTS_FREED_H

#include <stddef.h>

/* Look for these bytes, lent until the next call, in what is freed from now
 * on; len is 4 at least. */
void freed_watch(const void *secret, size_t len);

/* How many blocks were freed since then, and how many of them held any four
 * bytes of the secret in a row. */
unsigned freed_count(void);
unsigned freed_with_secret(void);

#endif
