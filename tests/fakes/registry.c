/* registry.c - backends that need no modules. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/fakes/registry.h"

#include <stdlib.h>
#include <string.h>

struct xa_registry {
    unsigned calls;
};

static const struct xa_backend_state states[] = {
    {"mock", NULL},
    {"directory", "unavailable"},
    {"broken", "start failed"},
};

enum xa_rc
xa_registry_new(const struct xa_config *config XA_UNUSED,
                struct xa_registry **out, struct xa_err *err)
{
    struct xa_registry *registry = calloc(1, sizeof *registry);

    if (!registry)
        return xa_fail_nomem(err);
    *out = registry;
    return XA_OK;
}

void
xa_registry_free(struct xa_registry **registry)
{
    free(*registry);
    *registry = NULL;
}

size_t
xa_registry_count(const struct xa_registry *registry XA_UNUSED)
{
    return XA_COUNT(states);
}

struct xa_backend_state
xa_registry_state(const struct xa_registry *registry XA_UNUSED, size_t i)
{
    return states[i];
}

size_t
xa_registry_refused(const struct xa_registry *registry XA_UNUSED)
{
    return 0;
}

static enum xa_rc
grant(struct xa_identity *out, struct xa_err *err)
{
    enum xa_rc rc = xa_identity_set_auth_id(out, "a-mocked-uuid", err);

    if (rc == XA_OK)
        rc = xa_identity_add_acl(out, "foo", err);
    if (rc == XA_OK)
        rc = xa_identity_add_acl(out, "bar", err);
    return rc;
}

enum xa_rc
xa_registry_authenticate(struct xa_registry *registry, const char *backend,
                         const char *login, const char *password,
                         struct xa_identity *out, struct xa_err *err)
{
    registry->calls++;
    if (strcmp(backend, "directory") == 0)
        return xa_fail(err, XA_E_UNAVAILABLE, "no answer");
    if (strcmp(backend, "mock") != 0 || strcmp(login, "foo") != 0 ||
        strcmp(password, "bar") != 0)
        return xa_fail(err, XA_E_DENIED, "no");
    return grant(out, err);
}

unsigned
fake_registry_calls(const struct xa_registry *registry)
{
    return registry->calls;
}
