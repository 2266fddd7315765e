/* http_head.c - the header of an answer, line by line. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/http_head.h"

#include <string.h>
#include <strings.h>

#include "core/base/str.h"

struct field {
    const char *value; /* without blanks around it */
    size_t len;
};

void
xa_http_head_init(struct xa_http_head *head,
                  const struct xa_http_answer *answer)
{
    *head = (struct xa_http_head){.is_done = false};
    for (size_t i = 0; i < answer->wanted_count; i++)
        answer->wanted[i].value[0] = '\0';
}

/* Whether a line is the field of that name. */
static bool
is_field(const char *line, size_t len, const char *name, struct field *out)
{
    size_t name_len = strlen(name);

    if (len <= name_len || line[name_len] != ':' ||
        strncasecmp(line, name, name_len) != 0)
        return false;
    out->value = line + name_len + 1;
    out->len = len - name_len - 1;
    while (out->len > 0 && (*out->value == ' ' || *out->value == '\t')) {
        out->value++;
        out->len--;
    }
    while (out->len > 0 && memchr(" \t\r\n", out->value[out->len - 1], 4))
        out->len--;
    return true;
}

/* Whether size bytes hold it as a text. */
static bool
fits(const struct field *field, size_t size)
{
    return field->len < size && !memchr(field->value, '\0', field->len);
}

static uint64_t
to_length(const struct field *field)
{
    char digits[24] = "";
    uint64_t len = UINT64_MAX;

    if (fits(field, sizeof digits))
        memcpy(digits, field->value, field->len);
    xa_str_to_u64(digits, UINT64_MAX, &len);
    return len;
}

static void
read_field(struct xa_http_head *head, const struct xa_http_answer *answer,
           const char *line, size_t len)
{
    struct field field;

    if (is_field(line, len, "Content-Length", &field)) {
        head->is_framed = true;
        head->body_len = to_length(&field);
    } else if (is_field(line, len, "Transfer-Encoding", &field)) {
        head->is_framed = true;
    }
    for (size_t i = 0; i < answer->wanted_count; i++) {
        struct xa_http_wanted *wanted = &answer->wanted[i];

        if (!is_field(line, len, wanted->name, &field))
            continue;
        if (!fits(&field, sizeof wanted->value))
            field.len = 0;
        memcpy(wanted->value, field.value, field.len);
        wanted->value[field.len] = '\0';
    }
}

void
xa_http_head_line(struct xa_http_head *head,
                  const struct xa_http_answer *answer, const char *line,
                  size_t len)
{
    const char *status;

    if (head->is_done || len == 0)
        return;
    if (len > 5 && memcmp(line, "HTTP/", 5) == 0) {
        xa_http_head_init(head, answer);
        status = memchr(line, ' ', len - 1);
        head->is_interim = status && status[1] == '1';
    } else if (*line == '\r' || *line == '\n') {
        head->is_done = !head->is_interim;
    } else {
        read_field(head, answer, line, len);
    }
}
