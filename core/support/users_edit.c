/* users_edit.c - change one user in the text of a users file. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A few small steps, each of which reads the text as it stands, looks for one
 * thing and cuts or inserts there.
 */
#include <config.h> /* not the configuration beside this file */

#include "core/support/users_edit.h"

#include <string.h>

#include "core/support/json.h"
#include "core/support/users_compare.h"
#include "core/support/yaml_lines.h"

#define VALUE_MAX (1024 * 1024) /* bytes of what is put in at once */
#define INDENT 2

struct editor {
    const char *name;
    const struct xa_user_change *change;
    const char *eol; /* as the file ends its lines */
    struct xa_buf text;
    struct xa_lines lines;
    struct xa_node *root;
};

/* A key of a mapping in the text, with its lines. */
struct place {
    const struct xa_node *value;
    unsigned line; /* of the key */
    unsigned end;  /* the first line that is not its own */
    size_t at;     /* behind the colon */
};

static void
editor_done(struct editor *ed)
{
    xa_node_free(&ed->root);
    xa_lines_done(&ed->lines);
    xa_buf_free(&ed->text);
}

/* Read the text as it stands now. */
static enum xa_rc
read_again(struct editor *ed, struct xa_err *err)
{
    enum xa_rc rc;

    xa_node_free(&ed->root);
    xa_lines_done(&ed->lines);
    rc = xa_buf_check(&ed->text, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_yaml_parse(ed->name, xa_buf_text(&ed->text), ed->text.len,
                       XA_USERS_NODES_MAX, &ed->root, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_lines_init(&ed->lines, xa_buf_text(&ed->text), ed->text.len, err);
    return rc == XA_OK ? rc : xa_err_prefix(err, "%s: ", ed->name);
}

static enum xa_rc
refuse(const struct editor *ed, unsigned line, struct xa_err *err)
{
    return xa_fail(err, XA_E_CONFIG,
                   "%s:%u: cannot change this without losing something; "
                   "write each key on a line of its own, without {...}, "
                   "anchors and aliases",
                   ed->name, line);
}

/* Put `piece` in the place of the bytes from `from` to `to`. */
static enum xa_rc
splice(struct editor *ed, size_t from, size_t to, const struct xa_buf *piece,
       struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf result = XA_BUF(ed->text.max);
    struct xa_buf old = ed->text;
    enum xa_rc rc;

    rc = xa_buf_check(piece, err);
    if (rc != XA_OK)
        return rc;
    xa_buf_put(&result, xa_buf_text(&old), from);
    if (from > 0 && from == to && to == old.len &&
        xa_buf_text(&old)[from - 1] != '\n')
        xa_buf_puts(&result, ed->eol); /* the last line had no end */
    xa_buf_put(&result, piece->data, piece->len);
    xa_buf_put(&result, xa_buf_text(&old) + to, old.len - to);
    ed->text = result;
    result = old;
    return read_again(ed, err);
}

/* --- finding --- */

/* Whether the key stands in these lines, not in a mapping merged by `<<`. */
static bool
find_key(const struct editor *ed, const struct xa_node *map, unsigned line,
         unsigned end, const char *key, struct place *out)
{
    const char *name;
    bool found = false;

    out->end = end;
    for (size_t i = 0; i < xa_node_count(map); i++) {
        const struct xa_node *value = xa_node_item(map, i, &name);
        unsigned key_line = xa_node_key_line(map, i);

        if (key_line < line || key_line >= end || strcmp(name, key) != 0)
            continue;
        out->value = value;
        out->line = key_line;
        found = true;
    }
    for (size_t i = 0; found && i < xa_node_count(map); i++) {
        unsigned next = xa_node_key_line(map, i);

        if (next > out->line && next < out->end)
            out->end = next;
    }
    return found && xa_lines_find_value(&ed->lines, out->line, key, &out->at);
}

/* First line of a mapping's keys; 0: it has none in these lines. */
static unsigned
first_key_line(const struct xa_node *map, unsigned line, unsigned end)
{
    unsigned first = 0;

    for (size_t i = 0; i < xa_node_count(map); i++) {
        unsigned key_line = xa_node_key_line(map, i);

        if (key_line >= line && key_line < end &&
            (first == 0 || key_line < first))
            first = key_line;
    }
    return first;
}

static bool
find_users(const struct editor *ed, struct place *out)
{
    return find_key(ed, ed->root, 1, ed->lines.count + 1, "users", out);
}

static bool
find_user(const struct editor *ed, struct place *out)
{
    struct place users;

    return find_users(ed, &users) &&
           find_key(ed, users.value, users.line + 1, users.end,
                    ed->change->login, out);
}

/* --- writing anew what is not in lines --- */

static void
put_indent(struct xa_buf *buf, unsigned indent)
{
    xa_buf_putf(buf, "%*s", (int)indent, "");
}

static void
put_items(struct xa_buf *buf, const struct editor *ed,
          const struct xa_node *map, unsigned indent)
{
    const char *key;

    for (size_t i = 0; i < xa_node_count(map); i++) {
        const struct xa_node *value = xa_node_item(map, i, &key);

        if (buf->len > 0 || indent > 0)
            xa_buf_puts(buf, ed->eol);
        put_indent(buf, indent);
        xa_yaml_put_text(buf, key);
        xa_buf_puts(buf, ": ");
        xa_yaml_put_node(buf, value, NULL);
    }
}

/* Turn a file that is one `{...}`, JSON for instance, into lines. */
static enum xa_rc
put_root_in_lines(struct editor *ed, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf piece = XA_BUF(ed->text.max);
    const struct xa_lines *lines = &ed->lines;
    unsigned line = 1;
    size_t at;
    size_t end;

    while (line <= lines->count && !xa_lines_is_content(lines, line))
        line++;
    at = xa_lines_skip_blanks(lines, xa_lines_start(lines, line));
    if (at >= lines->len || lines->text[at] != '{')
        return XA_OK;
    if (!xa_lines_flow_end(lines, at, lines->len, &end) ||
        !xa_lines_is_rest_blank(lines, end))
        return refuse(ed, line, err);
    put_items(&piece, ed, ed->root, 0);
    return splice(ed, at, end, &piece, err);
}

/*
 * Turn `key: {...}`, or `key: null`, into lines; a comment behind it stays on
 * the line of the key.  Nothing is done if it is in lines already.
 */
static enum xa_rc
put_in_lines(struct editor *ed, const struct place *place, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf piece = XA_BUF(ed->text.max);
    unsigned indent = xa_lines_indent(&ed->lines, place->line) + INDENT;
    size_t at = xa_lines_skip_blanks(&ed->lines, place->at);
    size_t end;
    size_t line_end;

    if (xa_lines_is_rest_blank(&ed->lines, place->at) ||
        first_key_line(place->value, place->line + 1, place->end) != 0)
        return XA_OK;
    if (xa_node_is_null(place->value)
            ? !xa_lines_scalar_end(&ed->lines, at, &end)
            : !xa_lines_flow_end(&ed->lines, at,
                                 xa_lines_start(&ed->lines, place->end), &end))
        return refuse(ed, place->line, err);
    if (!xa_lines_is_rest_blank(&ed->lines, end))
        return refuse(ed, place->line, err);

    line_end = xa_lines_end(&ed->lines, end);
    xa_buf_put(&piece, ed->lines.text + end, line_end - end);
    put_items(&piece, ed, place->value, indent);
    return splice(ed, place->at, line_end, &piece, err);
}

/* --- the steps --- */

/* There is a mapping `users`, and it is in lines. */
static enum xa_rc
want_users(struct editor *ed, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf piece = XA_BUF(VALUE_MAX);
    const struct xa_node *users = xa_node_get(ed->root, "users");
    struct place place;

    if (xa_node_kind(ed->root) != XA_NODE_MAP)
        return xa_fail(err, XA_E_CONFIG, "%s: not a mapping", ed->name);
    if (!users) {
        xa_buf_puts(&piece, "users:");
        xa_buf_puts(&piece, ed->eol);
        return splice(ed, ed->text.len, ed->text.len, &piece, err);
    }
    if (xa_node_kind(users) != XA_NODE_MAP && !xa_node_is_null(users))
        return xa_fail(err, XA_E_CONFIG, "%s:%u: users is no mapping",
                       ed->name, xa_node_line(users));
    if (!find_users(ed, &place))
        return refuse(ed, xa_node_line(users), err);
    return put_in_lines(ed, &place, err);
}

/* Append `login:` behind the last user. */
static enum xa_rc
add_user(struct editor *ed, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf piece = XA_BUF(VALUE_MAX);
    struct place users;
    unsigned first;
    unsigned last;
    unsigned indent;
    size_t at;

    if (!find_users(ed, &users))
        return refuse(ed, 1, err);
    first = first_key_line(users.value, users.line + 1, users.end);
    last = xa_lines_last_content(&ed->lines, users.line, users.end);
    indent = xa_lines_indent(&ed->lines, first ? first : users.line) +
             (first ? 0 : INDENT);
    /* a comment behind the last user that is as far in belongs to it */
    while (last + 1 < users.end && xa_lines_is_comment(&ed->lines, last + 1) &&
           xa_lines_indent(&ed->lines, last + 1) >= indent)
        last++;

    put_indent(&piece, indent);
    xa_yaml_put_text(&piece, ed->change->login);
    xa_buf_putc(&piece, ':');
    xa_buf_puts(&piece, ed->eol);
    at = xa_lines_start(&ed->lines, last + 1);
    return splice(ed, at, at, &piece, err);
}

/* The user is there, and is a mapping in lines. */
static enum xa_rc
want_user(struct editor *ed, bool *out_new, struct xa_err *err)
{
    const struct xa_node *users = xa_node_get(ed->root, "users");
    const struct xa_node *user = xa_node_get(users, ed->change->login);
    struct place place;

    *out_new = !user;
    if (!user)
        return add_user(ed, err);
    if (xa_node_kind(user) != XA_NODE_MAP && !xa_node_is_null(user))
        return xa_fail(err, XA_E_CONFIG, "%s:%u: the user is no mapping",
                       ed->name, xa_node_line(user));
    if (!find_user(ed, &place))
        return refuse(ed, xa_node_line(user), err);
    return put_in_lines(ed, &place, err);
}

/* Insert `key:` with a value behind the password, or else before the first
 * key of the user: places where no value of several lines is cut in two. */
static enum xa_rc
add_value(struct editor *ed, const struct place *user, const char *key,
          const struct xa_buf *value, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf piece = XA_BUF(VALUE_MAX);
    unsigned first = first_key_line(user->value, user->line + 1, user->end);
    unsigned indent = xa_lines_indent(&ed->lines, first ? first : user->line);
    unsigned line = first ? first : user->line + 1;
    struct place password;
    size_t at;

    if (find_key(ed, user->value, line, user->end, "password", &password))
        line = password.line + 1;
    at = xa_lines_start(&ed->lines, line);

    put_indent(&piece, first ? indent : indent + INDENT);
    xa_buf_puts(&piece, key);
    xa_buf_puts(&piece, ": ");
    xa_buf_put(&piece, value->data, value->len);
    xa_buf_puts(&piece, ed->eol);
    return splice(ed, at, at, &piece, err);
}

/* Put the new value in the place of one that ends on the line of its key. */
static enum xa_rc
replace_value(struct editor *ed, const struct place *place,
              const struct xa_buf *value, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf piece = XA_BUF(VALUE_MAX);
    const struct xa_lines *lines = &ed->lines;
    size_t at = xa_lines_skip_blanks(lines, place->at);
    size_t limit = xa_lines_start(lines, place->end);
    size_t end = place->at;

    if (!xa_lines_is_rest_blank(lines, place->at) &&
        !xa_lines_scalar_end(lines, at, &end) &&
        !(lines->text[at] == '[' && xa_lines_flow_end(lines, at, limit, &end) &&
          xa_lines_is_rest_blank(lines, end)))
        return refuse(ed, place->line, err);
    xa_buf_putc(&piece, ' ');
    xa_buf_put(&piece, value->data, value->len);
    return splice(ed, place->at, end, &piece, err);
}

/* Take away the lines of a list below its key, all but comments. */
static enum xa_rc
drop_items(struct editor *ed, const struct place *place, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf kept = XA_BUF(ed->text.max);
    const struct xa_lines *lines = &ed->lines;
    unsigned last = xa_lines_last_content(lines, place->line, place->end);
    size_t from = xa_lines_start(lines, place->line + 1);
    size_t to = xa_lines_start(lines, last + 1);

    if (!xa_lines_is_rest_blank(lines, place->at) || last == place->line)
        return XA_OK;
    if (xa_node_kind(place->value) != XA_NODE_LIST)
        return refuse(ed, place->line, err);
    for (unsigned line = place->line + 1; line <= last; line++)
        if (xa_lines_is_comment(lines, line))
            xa_buf_put(&kept, lines->text + xa_lines_start(lines, line),
                       xa_lines_start(lines, line + 1) -
                           xa_lines_start(lines, line));
    return splice(ed, from, to, &kept, err);
}

static enum xa_rc
set_value(struct editor *ed, const char *key, const struct xa_buf *value,
          struct xa_err *err)
{
    struct place user;
    struct place place;
    enum xa_rc rc;

    if (!find_user(ed, &user))
        return refuse(ed, 1, err);
    if (!find_key(ed, user.value, user.line + 1, user.end, key, &place))
        return add_value(ed, &user, key, value, err);
    rc = drop_items(ed, &place, err);
    if (rc != XA_OK)
        return rc;
    if (!find_user(ed, &user) ||
        !find_key(ed, user.value, user.line + 1, user.end, key, &place))
        return refuse(ed, user.line, err);
    return replace_value(ed, &place, value, err);
}

static enum xa_rc
set_text(struct editor *ed, const char *key, const char *text,
         struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf value = XA_BUF(VALUE_MAX);

    if (!text)
        return XA_OK;
    xa_json_put_string(&value, text);
    return set_value(ed, key, &value, err);
}

static enum xa_rc
set_acls(struct editor *ed, const struct xa_strlist *acls, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf value = XA_BUF(VALUE_MAX);

    if (!acls)
        return XA_OK;
    xa_json_put_strings(&value, (const char *const *)acls->items, acls->count);
    return set_value(ed, "acls", &value, err);
}

enum xa_rc
xa_users_edit(const char *name, const char *text, size_t len,
              const struct xa_user_change *change, struct xa_buf *out,
              bool *out_new, struct xa_err *err)
{
    XA_AUTO(xa_node_free) struct xa_node *before = NULL;
    XA_AUTO(editor_done)
    struct editor ed = {
        .name = name,
        .change = change,
        .eol = memmem(text, len, "\r\n", 2) ? "\r\n" : "\n",
        .text = XA_BUF(out->max),
        .lines = XA_LINES_NONE,
    };
    struct xa_user_change done = *change;
    enum xa_rc rc;

    xa_buf_put(&ed.text, text, len);
    rc = read_again(&ed, err);
    if (rc == XA_OK)
        rc = xa_yaml_parse(name, text, len, XA_USERS_NODES_MAX, &before, err);
    if (rc == XA_OK)
        rc = put_root_in_lines(&ed, err);
    if (rc == XA_OK)
        rc = want_users(&ed, err);
    if (rc == XA_OK)
        rc = want_user(&ed, out_new, err);
    if (rc != XA_OK)
        return rc;
    if (!done.uuid && *out_new)
        done.uuid = done.uuid_if_new;

    /* what is new is put behind the password, the uuid first */
    rc = set_text(&ed, "password", done.hash, err);
    if (rc == XA_OK)
        rc = set_acls(&ed, done.acls, err);
    if (rc == XA_OK)
        rc = set_text(&ed, "uuid", done.uuid, err);
    if (rc != XA_OK)
        return rc;
    if (!xa_users_only_changed(before, ed.root, &done))
        return refuse(&ed, 1, err);
    xa_buf_put(out, ed.text.data, ed.text.len);
    return xa_buf_check(out, err);
}
