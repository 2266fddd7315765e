/* registry.c - the enabled backends, and asking one of them. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nothing here tells whether a user exists: every refusal has the same code,
 * one sort of line in the log, and the work of at least one password hash,
 * done here when the module did none.
 */
#include "config.h"

#include "core/service/registry.h"

#include <stdlib.h>
#include <string.h>

#include "core/backend.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "core/service/host.h"
#include "core/service/watchdog.h"
#include "core/support/password.h"
#include "core/support/sha256.h"
#include "core/support/uuid.h"
#include "core/token/loader.h"

#define KEY_SHOWN 12 /* digits of a token key in a log */

_Static_assert(XA_BACKEND_ID_MAX == XA_ID_MAX &&
                   XA_BACKEND_ACL_MAX == XA_ACL_MAX &&
                   XA_BACKEND_ACLS_MAX == XA_ACLS_MAX &&
                   XA_BACKEND_ACLS_BYTES == XA_ACLS_BYTES,
               "backends are told the limits of an identity");
_Static_assert(XA_USER_ACLS_MAX == XA_ACLS_MAX &&
                   XA_USER_ACLS_BYTES == XA_ACLS_BYTES,
               "an identity holds what the configuration lets in");
_Static_assert(XA_BACKEND_PASSWORD_MAX == XA_PASSWORD_MAX,
               "backends are told the limit of a password");

struct backend {
    char *name;
    struct xa_module *module;
    const struct xa_backend *calls; /* the module's */
    struct xa_host_side host;
    void *self; /* the module's */
    bool started;
    const char *reason; /* NULL, or the fixed words of the header */
};

struct xa_registry {
    const struct xa_config *config;
    struct backend **backends; /* each at a fixed place: modules point to it */
    size_t count;
    size_t refused;
};

/* What a module pushes into its sink. */
struct answer {
    struct xa_sink sink;
    struct xa_identity who;
    bool broken; /* something was refused; err says what */
    struct xa_err err;
};

/* A text from outside, quoted for the log; `-` if it is longer than any login
 * or name can be.  What may be a token, put into the wrong place, is shown as
 * the first digits of its key. */
static const char *
shown(const char *text, char out[XA_LOG_VALUE_MAX])
{
    size_t len = strnlen(text, XA_BACKEND_LOGIN_MAX + 1);
    char id[XA_UUID_TEXT];
    char key[XA_SHA256_TEXT];

    if (xa_uuid_parse(text, len, id)) {
        xa_sha256_hex(id, XA_UUID_LEN, key);
        key[KEY_SHOWN] = '\0';
        xa_wipe(id, sizeof id);
        text = key;
    }
    return xa_log_quote(len <= XA_BACKEND_LOGIN_MAX ? text : NULL, out);
}

/* The same for the name of a backend: what can be none may be a token, put
 * into the wrong place. */
static const char *
shown_name(const char *name, char out[XA_LOG_VALUE_MAX])
{
    const char *letters = "abcdefghijklmnopqrstuvwxyz0123456789_";

    if (name[strspn(name, letters)] != '\0')
        return xa_log_quote(NULL, out);
    return shown(name, out);
}

/* Before each call into a module. */
static void
enter(struct backend *backend, const char *call, uint32_t limit_ms)
{
    xa_host_begin(&backend->host);
    xa_watchdog_begin(backend->name, call, limit_ms);
}

static void
backend_free(struct backend **backend)
{
    struct backend *old = *backend;

    *backend = NULL;
    if (!old)
        return;
    if (old->started && old->calls->stop) {
        enter(old, "stop", XA_WATCHDOG_CALL_MS);
        old->calls->stop(old->self);
        xa_watchdog_end();
    }
    xa_module_free(&old->module);
    xa_str_free(&old->name);
    free(old);
}

void
xa_registry_free(struct xa_registry **registry)
{
    struct xa_registry *old = *registry;

    *registry = NULL;
    if (!old)
        return;
    while (old->count > 0)
        backend_free(&old->backends[--old->count]);
    free(old->backends);
    free(old);
}

static enum xa_rc
load(const struct xa_config *config, const char *name, struct backend **out,
     struct xa_err *err)
{
    XA_AUTO(backend_free) struct backend *backend = NULL;
    enum xa_rc rc;

    backend = calloc(1, sizeof *backend);
    if (!backend)
        return xa_fail_nomem(err);
    rc = xa_str_dup(name, &backend->name, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_module_load(config->backend_dir, name, &backend->module, err);
    if (rc != XA_OK)
        return rc;
    backend->calls = xa_module_backend(backend->module);
    xa_host_init(&backend->host, backend->name, config);
    *out = XA_TAKE(backend);
    return XA_OK;
}

static void
start(struct backend *backend)
{
    int rc;

    enter(backend, "start", XA_WATCHDOG_START_MS);
    rc = backend->calls->start(&backend->host.lent, &backend->self);
    xa_watchdog_end();
    if (rc != 0) {
        backend->reason = "start failed";
        xa_log(XA_ERROR, "backend.start_failed", "name=%s", backend->name);
        return;
    }
    backend->started = true;
    xa_log(XA_INFO, "backend.started", "name=%s", backend->name);
}

static enum xa_rc
add(struct xa_registry *registry, const char *name, struct xa_err *err)
{
    XA_AUTO(backend_free) struct backend *backend = NULL;
    char quoted_name[XA_LOG_VALUE_MAX];
    char quoted_why[XA_LOG_VALUE_MAX];
    struct xa_err why = XA_ERR_NONE;
    enum xa_rc rc;
    int fit;

    rc = load(registry->config, name, &backend, &why);
    if (rc == XA_E_NOMEM)
        return xa_fail_nomem(err);
    if (rc != XA_OK) {
        registry->refused++;
        xa_log(XA_ERROR, "backend.refused", "name=%s reason=%s",
               shown(name, quoted_name), xa_log_quote(why.text, quoted_why));
        return XA_OK;
    }
    enter(backend, "configured", XA_WATCHDOG_CALL_MS);
    fit = backend->calls->configured(&backend->host.lent);
    xa_watchdog_end();
    if (fit != 1) {
        xa_log(XA_INFO, "backend.not_configured", "name=%s", name);
        return XA_OK;
    }
    start(backend);
    /* analyzer: the registry owns it now */
    registry->backends[registry->count++] = XA_TAKE(backend);
    return XA_OK;
}

static bool
stood_before(const struct xa_strlist *names, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(names->items[k], names->items[i]) == 0)
            return true;
    return false;
}

enum xa_rc
xa_registry_new(const struct xa_config *config, struct xa_registry **out,
                struct xa_err *err)
{
    XA_AUTO(xa_registry_free) struct xa_registry *registry = NULL;
    const struct xa_strlist *names = &config->enabled_plugins;
    enum xa_rc rc;

    registry = calloc(1, sizeof *registry);
    if (!registry)
        return xa_fail_nomem(err);
    registry->config = config;
    registry->backends = calloc(names->count + 1, sizeof(struct backend *));
    if (!registry->backends)
        return xa_fail_nomem(err);
    for (size_t i = 0; i < names->count; i++) {
        if (stood_before(names, i))
            continue;
        rc = add(registry, names->items[i], err);
        if (rc != XA_OK)
            return rc;
    }
    *out = XA_TAKE(registry);
    return XA_OK;
}

size_t
xa_registry_count(const struct xa_registry *registry)
{
    return registry->count;
}

struct xa_backend_state
xa_registry_state(const struct xa_registry *registry, size_t i)
{
    return (struct xa_backend_state){
        .name = registry->backends[i]->name,
        .reason = registry->backends[i]->reason,
    };
}

size_t
xa_registry_refused(const struct xa_registry *registry)
{
    return registry->refused;
}

typedef enum xa_rc set_fn(struct xa_identity *who, const char *text,
                          struct xa_err *err);

static int
push(const struct xa_sink *to, set_fn *set, const char *text)
{
    struct answer *answer = to->ctx;

    if (text && set(&answer->who, text, &answer->err) == XA_OK)
        return 0;
    if (!text)
        xa_fail(&answer->err, XA_E_INVALID, "no text in the sink");
    answer->broken = true;
    return -1;
}

static int
push_auth_id(const struct xa_sink *to, const char *text)
{
    return push(to, xa_identity_set_auth_id, text);
}

static int
push_user_uuid(const struct xa_sink *to, const char *text)
{
    return push(to, xa_identity_set_user_uuid, text);
}

static int
push_xivo_uuid(const struct xa_sink *to, const char *text)
{
    return push(to, xa_identity_set_xivo_uuid, text);
}

static int
push_acl(const struct xa_sink *to, const char *text)
{
    return push(to, xa_identity_add_acl, text);
}

static struct xa_sink
sink_into(struct answer *answer)
{
    return (struct xa_sink){
        .size = (uint32_t)sizeof(struct xa_sink),
        .ctx = answer,
        .auth_id = push_auth_id,
        .xivo_user_uuid = push_user_uuid,
        .xivo_uuid = push_xivo_uuid,
        .acl = push_acl,
    };
}

static void
answer_done(struct answer *answer)
{
    xa_identity_done(&answer->who);
}

static struct backend *
find(const struct xa_registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->count; i++)
        if (strcmp(registry->backends[i]->name, name) == 0)
            return registry->backends[i];
    return NULL;
}

static bool
is_fit(const char *text, size_t max)
{
    size_t len = strnlen(text, max + 1);

    return len > 0 && len <= max && xa_str_is_utf8(text, len) &&
           !xa_str_has_ascii_control(text, len);
}

/* Why the module is not even asked; NULL: it is. */
static const char *
why_not_ask(const struct backend *backend, const char *login,
            const char *password)
{
    if (!backend)
        return "no such backend";
    if (!backend->started)
        return "backend did not start";
    if (!is_fit(login, XA_BACKEND_LOGIN_MAX))
        return "login empty, too long or not plain text";
    if (!is_fit(password, XA_BACKEND_PASSWORD_MAX))
        return "password empty, too long or not plain text";
    return NULL;
}

static void
decoy_work(void)
{
    enum xa_rc rc XA_UNUSED = xa_password_verify(NULL, "decoy", NULL);
}

static enum xa_rc
refuse(enum xa_rc code, const char *backend, const char *login, const char *why,
       struct xa_err *err)
{
    char quoted_backend[XA_LOG_VALUE_MAX];
    char quoted_login[XA_LOG_VALUE_MAX];

    xa_log(XA_INFO, "login.refused", "backend=%s login=%s why=\"%s\"",
           shown_name(backend, quoted_backend), shown(login, quoted_login),
           why);
    return xa_fail(err, code, "%s", why);
}

/* What the module says, less what it may not say. */
static enum xa_verdict
ask(struct backend *backend, const char *login, const char *password,
    struct answer *answer)
{
    enum xa_verdict verdict;

    answer->sink = sink_into(answer);
    enter(backend, "authenticate", XA_WATCHDOG_CALL_MS);
    verdict = backend->calls->authenticate(backend->self, login, password,
                                           &answer->sink);
    xa_watchdog_end();
    if (verdict == XA_DENIED || verdict == XA_UNAVAILABLE)
        return verdict;
    if (verdict == XA_GRANTED && !answer->broken && answer->who.auth_id)
        return verdict;
    if (verdict == XA_GRANTED && !answer->broken)
        xa_fail(&answer->err, XA_E_INVALID, "granted without auth_id");
    else if (verdict != XA_FAILED && verdict != XA_GRANTED)
        xa_fail(&answer->err, XA_E_INVALID, "no such verdict: %d",
                (int)verdict);
    else if (!answer->broken)
        xa_fail(&answer->err, XA_E_INVALID, "it says so");
    return XA_FAILED;
}

/* Keep the state; say when it changes, and each fault. */
static void
note(struct backend *backend, enum xa_verdict verdict, const struct xa_err *err)
{
    bool was_away =
        backend->reason && strcmp(backend->reason, "unavailable") == 0;
    int64_t spent_ms = xa_host_spent_ms(&backend->host);
    char quoted[XA_LOG_VALUE_MAX];

    if (spent_ms > XA_HOST_CALL_MS)
        xa_log(XA_WARNING, "backend.slow", "name=%s ms=%lld", backend->name,
               (long long)spent_ms);
    switch (verdict) {
    case XA_UNAVAILABLE:
        backend->reason = "unavailable";
        if (!was_away)
            xa_log(XA_WARNING, "backend.unavailable", "name=%s", backend->name);
        return;
    case XA_GRANTED:
    case XA_DENIED:
        backend->reason = NULL;
        if (was_away)
            xa_log(XA_INFO, "backend.back", "name=%s", backend->name);
        return;
    case XA_FAILED:
        break;
    }
    backend->reason = "failed";
    xa_log(XA_ERROR, "backend.failed", "name=%s why=%s", backend->name,
           xa_log_quote(err->text, quoted));
}

enum xa_rc
xa_registry_authenticate(struct xa_registry *registry, const char *name,
                         const char *login, const char *password,
                         struct xa_identity *out, struct xa_err *err)
{
    XA_AUTO(answer_done) struct answer answer = {.who = XA_IDENTITY_EMPTY};
    struct backend *backend = find(registry, name);
    const char *why = why_not_ask(backend, login, password);
    enum xa_verdict verdict;

    if (why) {
        decoy_work();
        return refuse(XA_E_DENIED, name, login, why, err);
    }
    verdict = ask(backend, login, password, &answer);
    note(backend, verdict, &answer.err);
    if (verdict == XA_UNAVAILABLE)
        return refuse(XA_E_UNAVAILABLE, name, login, "backend unavailable",
                      err);
    if (verdict != XA_GRANTED) {
        if (backend->host.hashes == 0)
            decoy_work();
        return refuse(XA_E_DENIED, name, login,
                      verdict == XA_DENIED ? "wrong login or password"
                                           : "backend failed",
                      err);
    }
    *out = answer.who;
    memset(&answer.who, 0, sizeof answer.who); /* taken: out owns it now */
    return XA_OK;
}
