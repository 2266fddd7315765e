/* authctl_passwd.c - xivo-authctl passwd. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include <string.h>

#include "core/backend.h"
#include "core/support/json.h"
#include "core/support/password.h"
#include "core/support/textfile.h"
#include "core/support/users_edit.h"

static const struct {
    const char *name;
    enum xa_hash_method method;
} methods[] = {
    {"yescrypt", XA_HASH_YESCRYPT},
    {"bcrypt", XA_HASH_BCRYPT},
    {"sha512", XA_HASH_SHA512},
    {"argon2id", XA_HASH_ARGON2ID},
};

static enum xa_rc
find_method(const char *name, enum xa_hash_method *out, struct xa_err *err)
{
    for (size_t i = 0; i < XA_COUNT(methods); i++) {
        if (!name || strcmp(methods[i].name, name) == 0) {
            *out = methods[i].method;
            return XA_OK;
        }
    }
    return xa_fail(err, XA_E_INVALID,
                   "--method is yescrypt, bcrypt, sha512 or argon2id");
}

/* A login that nobody could log in with is of no use. */
static enum xa_rc
check_login(const char *login, struct xa_err *err)
{
    size_t len = strlen(login);

    if (len == 0 || len > XA_BACKEND_LOGIN_MAX)
        return xa_fail(err, XA_E_INVALID, "a login has 1 to %d bytes",
                       XA_BACKEND_LOGIN_MAX);
    if (!xa_str_is_utf8(login, len) || xa_str_has_control(login, len) ||
        strchr(login, ':'))
        return xa_fail(err, XA_E_INVALID,
                       "a login is UTF-8 without control characters and `:`");
    return XA_OK;
}

/* By the rules of what a backend may say. */
static enum xa_rc
check_identity(const struct xa_ctl_args *args, struct xa_err *err)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    enum xa_rc rc = XA_OK;

    if (args->uuid)
        rc = xa_identity_set_auth_id(&who, args->uuid, err);
    if (rc != XA_OK)
        return xa_err_prefix(err, "--uuid: ");
    for (size_t i = 0; rc == XA_OK && i < args->acls.count; i++)
        rc = xa_identity_add_acl(&who, args->acls.items[i], err);
    return rc == XA_OK ? rc : xa_err_prefix(err, "--acl: ");
}

static enum xa_rc
read_hash(enum xa_hash_method method, char out[XA_HASH_TEXT],
          struct xa_err *err)
{
    XA_AUTO(xa_secret_free) struct xa_secret *password = NULL;
    enum xa_rc rc;

    rc = xa_ctl_read_new_password(&password, err);
    if (rc != XA_OK)
        return rc;
    if (xa_str_has_ascii_control(xa_secret_text(password),
                                 xa_secret_len(password)))
        return xa_fail(err, XA_E_INVALID,
                       "the password holds a control character");
    return xa_password_hash(method, xa_secret_text(password), out, err);
}

static enum xa_rc
find_file(struct xa_ctl *ctl, const char **out, struct xa_err *err)
{
    const struct xa_node *section;
    const char *path;
    enum xa_rc rc;

    *out = ctl->args.file;
    if (*out)
        return XA_OK;
    rc = xa_ctl_open_config(ctl, err);
    if (rc != XA_OK)
        return rc;
    section = xa_node_get(ctl->config->root, "users_file");
    path = xa_node_text(xa_node_get(section, "path"));
    *out = path ? path : XA_SYSCONFDIR "/users.yml";
    return XA_OK;
}

static enum xa_rc
change_file(const char *path, const struct xa_user_change *change,
            bool *out_new, struct xa_err *err)
{
    XA_AUTO(xa_textfile_done) struct xa_textfile file = XA_TEXTFILE_NONE;
    XA_AUTO(xa_buf_free) struct xa_buf before = XA_BUF(XA_YAML_FILE_MAX);
    XA_AUTO(xa_buf_free) struct xa_buf after = XA_BUF(XA_YAML_FILE_MAX);
    enum xa_rc rc;

    rc = xa_textfile_open(path, &file, &before, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_users_edit(path, xa_buf_text(&before), before.len, change, &after,
                       out_new, err);
    if (rc != XA_OK)
        return rc;
    return xa_textfile_replace(&file, xa_buf_text(&after), after.len, err);
}

static void
report(struct xa_ctl *ctl, const char *path,
       const struct xa_user_change *change, bool is_new)
{
    if (!ctl->json) {
        xa_buf_putf(&ctl->out, "%s: %s: %s\n", path, change->login,
                    is_new ? "added" : "password changed");
        return;
    }
    xa_buf_puts(&ctl->out, "{\"file\": ");
    xa_json_put_string(&ctl->out, path);
    xa_buf_puts(&ctl->out, ", \"login\": ");
    xa_json_put_string(&ctl->out, change->login);
    xa_buf_putf(&ctl->out, ", \"added\": %s}\n", is_new ? "true" : "false");
}

enum xa_rc
xa_ctl_passwd(struct xa_ctl *ctl, struct xa_err *err)
{
    const struct xa_ctl_args *args = &ctl->args;
    char hash[XA_HASH_TEXT];
    char uuid[XA_UUID_TEXT];
    struct xa_user_change change = {
        .login = args->operand,
        .hash = hash,
        .uuid = args->uuid,
        .uuid_if_new = uuid,
        .acls = args->acls.count > 0 ? &args->acls : NULL,
    };
    enum xa_hash_method method = XA_HASH_YESCRYPT;
    const char *path = NULL;
    bool is_new = false;
    enum xa_rc rc;

    rc = check_login(args->operand, err);
    if (rc == XA_OK)
        rc = check_identity(args, err);
    if (rc == XA_OK)
        rc = find_method(args->method, &method, err);
    if (rc == XA_OK)
        rc = find_file(ctl, &path, err);
    if (rc == XA_OK)
        rc = xa_uuid_random(uuid, err);
    if (rc == XA_OK)
        rc = read_hash(method, hash, err);
    if (rc == XA_OK)
        rc = change_file(path, &change, &is_new, err);
    xa_wipe(hash, sizeof hash);
    if (rc != XA_OK)
        return rc;
    report(ctl, path, &change, is_new);
    return XA_OK;
}
