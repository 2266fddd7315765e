/* no_table.c - its symbol is of another kind. SPDX-License-Identifier: GPL-3.0-or-later */
/* The header declares the symbol as what it should be. */
#define xa_backend the_declared_one
#include <xivo-auth/backend.h>
#undef xa_backend

#ifdef AS_FUNCTION
extern __attribute__((visibility("default"))) int xa_backend(void);

int
xa_backend(void)
{
    return 1;
}
#elif defined CUT_SHORT
/* It says what it should, and has no calls. */
struct head {
    uint32_t abi;
    uint32_t size;
};

extern __attribute__((visibility("default"))) const struct head xa_backend;
__attribute__((visibility("default"))) const struct head xa_backend = {
    XA_BACKEND_ABI,
    sizeof(struct the_declared_one),
};
#else
/* The right number, and nothing behind it. */
extern __attribute__((visibility("default"))) const uint32_t xa_backend;
__attribute__((visibility("default"))) const uint32_t xa_backend = 1;
#endif
