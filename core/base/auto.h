/* auto.h - ownership seen in the declaration. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An owning local is born with XA_AUTO(free_fn) and initialised; when it goes
 * out of scope free_fn is called with its address.  Ownership leaves by
 * XA_TAKE().  A free function therefore takes a pointer to the variable,
 * accepts NULL inside, and leaves NULL behind.
 */
#ifndef XA_BASE_AUTO_H
#define XA_BASE_AUTO_H

#include <stddef.h>

#define XA_AUTO(free_fn) __attribute__((cleanup(free_fn)))
#define XA_MUST_CHECK __attribute__((warn_unused_result))
#define XA_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define XA_UNUSED __attribute__((unused))

/* Hand over what an owning local holds; the local is left empty. */
#define XA_TAKE(ptr)                                                           \
    __extension__({                                                            \
        __typeof__(ptr) xa_taken_ = (ptr);                                     \
        (ptr) = NULL;                                                          \
        xa_taken_;                                                             \
    })

#define XA_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Free functions for locals that are no object of ours. */
void xa_str_free(char **text);
void xa_fd_close(int *fd); /* -1 means: nothing to close */

#endif
