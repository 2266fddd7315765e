/* authctl_print.c - tables and JSON of xivo-authctl. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/support/json.h"

#define NAME_WIDTH 15

void
xa_ctl_put_row(struct xa_ctl *ctl, const char *name, const char *value)
{
    xa_buf_putf(&ctl->out, "%-*s %s\n", NAME_WIDTH, name, value ? value : "-");
}

void
xa_ctl_put_acls(struct xa_ctl *ctl, const char *const *acls, size_t count)
{
    if (count == 0)
        xa_ctl_put_row(ctl, "acls", NULL);
    for (size_t i = 0; i < count; i++)
        xa_ctl_put_row(ctl, i == 0 ? "acls" : "", acls[i]);
}

static void
put_instant(struct xa_ctl *ctl, const char *name, int64_t unix_us)
{
    char text[XA_CLOCK_TEXT];

    xa_clock_format_utc(unix_us, text);
    xa_buf_putf(&ctl->out, "%-*s %s UTC\n", NAME_WIDTH, name, text);
}

static void
put_table(struct xa_ctl *ctl, const struct xa_token *token, const char *key,
          bool with_id)
{
    size_t count;
    const char *const *acls = xa_token_acls(token, &count);

    if (with_id)
        xa_ctl_put_row(ctl, "token", xa_token_id(token));
    xa_buf_putf(&ctl->out, "%-*s %.12s\n", NAME_WIDTH, "key", key);
    xa_ctl_put_row(ctl, "auth_id", xa_token_auth_id(token));
    xa_ctl_put_row(ctl, "xivo_user_uuid", xa_token_user_uuid(token));
    xa_ctl_put_row(ctl, "xivo_uuid", xa_token_xivo_uuid(token));
    put_instant(ctl, "issued_at", xa_token_issued_us(token));
    put_instant(ctl, "expires_at", xa_token_expires_us(token));
    xa_ctl_put_acls(ctl, acls, count);
}

/* The object of the HTTP interface, with the key in front. */
static void
put_json(struct xa_ctl *ctl, const struct xa_token *token, const char *key,
         bool with_id)
{
    XA_AUTO(xa_buf_free) struct xa_buf object = XA_BUF(XA_CTL_OUTPUT_MAX);

    xa_token_put_json(token, with_id, &object);
    if (object.len < 2) {
        ctl->out.broken = object.broken;
        return;
    }
    xa_buf_puts(&ctl->out, "{\"key\": ");
    xa_json_put_string(&ctl->out, key);
    xa_buf_puts(&ctl->out, ", ");
    xa_buf_put(&ctl->out, object.data + 1, object.len - 1);
    xa_buf_putc(&ctl->out, '\n');
}

void
xa_ctl_put_token(struct xa_ctl *ctl, const struct xa_token *token,
                 const struct xa_key *key, bool with_id)
{
    char shown[XA_SHA256_TEXT];

    xa_key_shown(key, shown);
    if (ctl->json)
        put_json(ctl, token, shown, with_id);
    else
        put_table(ctl, token, shown, with_id);
}

enum xa_rc
xa_ctl_flush(struct xa_ctl *ctl, struct xa_err *err)
{
    enum xa_rc rc = xa_buf_check(&ctl->out, err);

    if (rc != XA_OK || ctl->write_errno != 0)
        return rc;
    if (fwrite(xa_buf_text(&ctl->out), 1, ctl->out.len, stdout) !=
            ctl->out.len ||
        fflush(stdout) != 0)
        ctl->write_errno = errno;
    xa_buf_clear(&ctl->out);
    return XA_OK;
}
