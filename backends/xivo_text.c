/* xivo_text.c - what the texts of XiVO's database and its address mean. SPDX-License-Identifier: GPL-3.0-or-later */
#include "xivo_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEME "postgresql"
#define SHORT_SCHEME "postgres"
#define METHOD_MAX 16 /* bytes between the first two $ of a hash */

static int
is_scheme(const char *text, size_t len)
{
    return (len == strlen(SCHEME) && memcmp(text, SCHEME, len) == 0) ||
           (len == strlen(SHORT_SCHEME) &&
            memcmp(text, SHORT_SCHEME, len) == 0);
}

/* Whether a bare @ stands elsewhere than where libpq sees the end of the
 * password: its first @ before any slash. */
static int
has_stray_at(const char *rest)
{
    const char *at = rest + strcspn(rest, "@/");

    if (*at != '@')
        return strchr(rest, '@') != NULL;
    at++;
    return at[strcspn(at, "@?")] == '@';
}

const char *
xivo_text_uri(const char *db_uri, char **out)
{
    const char *rest = strstr(db_uri, "://");
    const char *word = strchr(db_uri, '=');
    size_t size;

    if (word && (!rest || word < rest)) {
        *out = strdup(db_uri);
        return *out ? NULL : "out of memory";
    }
    if (!rest || !is_scheme(db_uri, strcspn(db_uri, "+:")))
        return "is no postgresql:// URI";
    if (has_stray_at(rest + strlen("://")))
        return "has an @ or / too many; in a password write %40 for @ and "
               "%2F for /";
    size = strlen(SCHEME) + strlen(rest) + 1;
    *out = malloc(size);
    if (!*out)
        return "out of memory";
    snprintf(*out, size, "%s%s", SCHEME, rest);
    return NULL;
}

int
xivo_text_is_local(const char *hosts)
{
    static const char *const ours[] = {"", "localhost", "::1"};
    const char *host = hosts ? hosts : "";

    for (;;) {
        size_t len = strcspn(host, ",");
        int is_local = *host == '/' || *host == '@' || /* unix sockets */
                       strncmp(host, "127.", 4) == 0;

        for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
            is_local |=
                len == strlen(ours[i]) && strncmp(host, ours[i], len) == 0;
        if (!is_local || host[len] == '\0')
            return is_local;
        host += len + 1;
    }
}

/* $METHOD$..., as crypt(3) and argon2 write it. */
static int
has_form_of_hash(const char *text)
{
    size_t len;

    if (*text != '$')
        return 0;
    len = strspn(text + 1, "0123456789-abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return len > 0 && len <= METHOD_MAX && text[1 + len] == '$';
}

enum xivo_stored
xivo_text_stored(const char *stored)
{
    const char *rest = stored ? stored + strspn(stored, "*!") : "";

    if (*rest == '\0')
        return XIVO_NO_PASSWORD;
    if (rest == stored)
        return has_form_of_hash(rest) ? XIVO_HASHED : XIVO_PLAIN;
    if (has_form_of_hash(rest) || strcmp(stored, "*0") == 0 ||
        strcmp(stored, "*1") == 0)
        return XIVO_NO_PASSWORD;
    return XIVO_PLAIN; /* !important, say */
}

/* Whether a control character begins there: of ASCII, or U+0080 to U+009F. */
static int
is_control(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;

    return byte[0] < 0x20 || byte[0] == 0x7f ||
           (byte[0] == 0xc2 && byte[1] < 0xa0);
}

int
xivo_text_tenant_acl(const char *entity, char out[XIVO_ACL_MAX])
{
    int len;

    if (*entity == '\0' || strcmp(entity, "me") == 0)
        return -1;
    for (const char *p = entity; *p; p++)
        if (is_control(p) || strchr(".*#", *p))
            return -1;
    len = snprintf(out, XIVO_ACL_MAX, "dird.tenants.%s.#", entity);
    return len > 0 && len < XIVO_ACL_MAX ? 0 : -1;
}
