/* loader.h - a backend module, from its file to its table of calls. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_LOADER_H
#define XA_TOKEN_LOADER_H

#include "core/backend.h"
#include "core/base/err.h"

struct xa_module; /* opaque: a loaded shared object */

/*
 * Load NAME.so from a folder, and check it before any of its code runs.
 * Refused, each with its own sentence in err: a name outside [a-z0-9_]+, no
 * such file, a file or a folder on its path that is not owned by root or the
 * running user, or that group or others can write (a sticky ancestor is fine,
 * the module's own folder may not be one), what dlopen(3) says, no symbol
 * xa_backend, another ABI number, a table of another size, a required call
 * that is missing.
 *
 *   dir  absolute, or relative to the working directory; links are followed
 *        and the target is checked
 *   out  set on XA_OK only; release with xa_module_free()
 *
 * XA_E_NOTFOUND: no such file.  XA_E_CONFIG: refused.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_module_load(const char *dir, const char *name,
                          struct xa_module **out, struct xa_err *err);

/* The module's table; lent until the module is freed. */
const struct xa_backend *xa_module_backend(const struct xa_module *module);

/* Unload. */
void xa_module_free(struct xa_module **module);

#endif
