/* pam.c - accounts that PAM knows. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * PAM decides by the files of its service, and its modules run in another
 * process (pam_helper.h).  The account's name, as the modules leave it, is
 * auth_id; ACLs are default_user_acls.
 *
 * Wrong passwords, unknown and expired accounts are told apart nowhere, and
 * what PAM does for them costs what its modules make it cost: pam_unix hashes
 * for an unknown user too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xivo-auth/backend.h>

#include "pam_helper.h"

struct backend {
    const struct xa_host *host;
    struct pam_helper helper;
    char said[PAM_WHY_BYTES]; /* the latest line about what is wrong */
};

static const char *
service_of(const struct xa_host *host)
{
    const struct xa_node *section = host->get(host->config(host), "pam");

    return host->text(host->get(section, "service"));
}

static int
is_configured(const struct xa_host *host)
{
    const char *service = service_of(host);

    return service && *service;
}

/* Libpam takes what follows the last slash, and the name in lower case. */
static int
is_service_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

    return name[strspn(name, allowed)] == '\0';
}

/* Without a file of its own a service is what the system does by default. */
static void
look_for_file(const struct xa_host *host, const char *service)
{
    static const char *const folders[] = {"/etc/pam.d", "/usr/lib/pam.d",
                                          "/usr/etc/pam.d",
                                          "/usr/local/etc/pam.d"};
    char path[512];

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", folders[i], service);
        if (access(path, F_OK) == 0)
            return;
    }
    host->log(host, XA_HOST_WARNING,
              "there is no /etc/pam.d/%s; PAM goes by /etc/pam.d/other",
              service);
}

static void
tell_of_rights(const struct xa_host *host)
{
    if (geteuid() != 0)
        host->log(host, XA_HOST_INFO,
                  "runs as user %ld, not as root: modules that must read "
                  "/etc/shadow, such as pam_unix, refuse everybody else",
                  (long)geteuid());
}

static int
start(const struct xa_host *host, void **out)
{
    const char *service = service_of(host);
    struct backend *self;

    if (!is_service_name(service)) {
        host->log(host, XA_HOST_ERROR,
                  "pam.service has only a-z, 0-9, _ and -, not \"%s\"",
                  service);
        return -1;
    }
    self = calloc(1, sizeof *self);
    if (!self) {
        host->log(host, XA_HOST_ERROR, "out of memory");
        return -1;
    }
    self->host = host;
    self->helper =
        (struct pam_helper){.host = host, .service = service, .fd = -1};
    if (pam_helper_start(&self->helper) != 0) {
        free(self);
        return -1;
    }
    look_for_file(host, service);
    tell_of_rights(host);
    *out = self;
    return 0;
}

static enum xa_verdict
grant(const struct xa_host *host, const char *user, const struct xa_sink *to)
{
    const struct xa_node *acls =
        host->get(host->config(host), "default_user_acls");
    int rc = to->auth_id(to, user);

    for (size_t i = 0; rc == 0 && i < host->count(acls); i++)
        rc = to->acl(to, host->text(host->item(acls, i, NULL)));
    return rc == 0 ? XA_GRANTED : XA_FAILED;
}

/* What goes on being wrong is said once. */
static void
tell(struct backend *self, const struct pam_answer *answer)
{
    if (answer->why[0] && strcmp(answer->why, self->said) != 0)
        self->host->log(self->host, XA_HOST_WARNING, "%s", answer->why);
    memcpy(self->said, answer->why, sizeof self->said);
}

static enum xa_verdict
authenticate(void *ptr, const char *login, const char *password,
             const struct xa_sink *to)
{
    struct backend *self = ptr;
    const struct xa_host *host = self->host;
    struct pam_answer answer;

    pam_helper_ask(&self->helper, login, password,
                   pam_now_ms() + host->time_left_ms(host), &answer);
    tell(self, &answer);
    switch (answer.verdict) {
    case XA_GRANTED:
        return grant(host, answer.user, to);
    case XA_DENIED:
        return XA_DENIED;
    case XA_UNAVAILABLE:
        return XA_UNAVAILABLE;
    default:
        return XA_FAILED;
    }
}

static void
stop(void *ptr)
{
    struct backend *self = ptr;

    pam_helper_end(&self->helper);
    free(self);
}

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD, .configured = is_configured,
    .start = start,  .authenticate = authenticate,
    .stop = stop,
};
