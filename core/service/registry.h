/* registry.h - the enabled backends, and asking one of them. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SERVICE_REGISTRY_H
#define XA_SERVICE_REGISTRY_H

#include "core/base/err.h"
#include "core/support/config.h"
#include "core/token/identity.h"

struct xa_registry; /* opaque */

/*
 * Load, check and start every backend of enabled_plugins.  One that cannot be
 * loaded or is not configured is left out, one whose start failed is kept as
 * failed; each with a line in the log.  The service goes on without it.
 *
 *   config  borrowed until xa_registry_free()
 *
 * XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_registry_new(const struct xa_config *config,
                           struct xa_registry **out, struct xa_err *err);

/* Stop and unload all of them. */
void xa_registry_free(struct xa_registry **registry);

/* One backend, as listings and the status page tell it. */
struct xa_backend_state {
    const char *name;   /* lent until the registry is freed */
    const char *reason; /* NULL: ok; else fixed words: "start failed",
                           "unavailable", "failed" (the last attempt) */
};

/* Backends that are enabled, found and configured, in the order of the
 * configuration; a name that stands twice counts once. */
size_t xa_registry_count(const struct xa_registry *registry);
struct xa_backend_state xa_registry_state(const struct xa_registry *registry,
                                          size_t i);

/* Backends that are enabled but were left out because they could not be
 * loaded; for -t, which then refuses. */
size_t xa_registry_refused(const struct xa_registry *registry);

/*
 * Ask a backend who this is.
 *
 *   backend   its name, from outside
 *   login, password  borrowed; UTF-8
 *   out       an empty identity; filled on XA_OK only, then auth_id is set
 *
 * XA_E_DENIED: wrong password, unknown user, unknown or failed backend, an
 * empty login or password.  All cost the work of a password hash.
 * XA_E_UNAVAILABLE: the backend's server does not answer.
 */
XA_MUST_CHECK
enum xa_rc xa_registry_authenticate(struct xa_registry *registry,
                                    const char *backend, const char *login,
                                    const char *password,
                                    struct xa_identity *out,
                                    struct xa_err *err);

#endif
