/* fuzz_http_head.c - the header of an answer over HTTP. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: what a server sends.  It is handed over line by line, each in memory
 * of its own, so that reading past one is seen.  A reader that has the whole
 * text before it must find the same.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/support/http_head.h"

#define NAMES 2
#define LENGTH_DIGITS 23

struct piece {
    const char *at; /* NULL: there is none */
    size_t len;
};

static const char *const names[NAMES] = {"X-Consul-Index",
                                         "X-Consul-LastContact"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* Cut a line off, with its end. */
static struct piece
next_line(struct piece *text)
{
    const char *end = memchr(text->at, '\n', text->len);
    struct piece line = {text->at,
                         end ? (size_t)(end - text->at) + 1 : text->len};

    text->at += line.len;
    text->len -= line.len;
    return line;
}

static bool
has_status(struct piece line)
{
    return line.len > 5 && memcmp(line.at, "HTTP/", 5) == 0;
}

/* A 1xx answer, in which case another follows. */
static bool
is_interim(struct piece line)
{
    const char *blank = memchr(line.at, ' ', line.len);

    return blank && blank + 1 < line.at + line.len && blank[1] == '1';
}

/* The fields of the answer that counts; what follows is left in text. */
static struct piece
find_fields(struct piece *text, bool *out_is_done)
{
    struct piece fields = {text->at, 0};
    bool interim = false;

    *out_is_done = false;
    while (text->len > 0 && !*out_is_done) {
        struct piece line = next_line(text);

        if (has_status(line)) {
            interim = is_interim(line);
            fields.at = text->at;
        } else if (*line.at == '\r' || *line.at == '\n') {
            *out_is_done = !interim;
        }
    }
    fields.len = (size_t)(text->at - fields.at);
    return fields;
}

/* The last value of that name, without blanks around it. */
static struct piece
find_value(struct piece fields, const char *name)
{
    struct piece found = {NULL, 0};

    while (fields.len > 0) {
        struct piece line = next_line(&fields);
        const char *colon = memchr(line.at, ':', line.len);

        if (!colon || (size_t)(colon - line.at) != strlen(name) ||
            strncasecmp(line.at, name, strlen(name)) != 0)
            continue;
        found.at = colon + 1;
        found.len = (size_t)(line.at + line.len - found.at);
        while (found.len > 0 && memchr(" \t\r\n", found.at[found.len - 1], 4))
            found.len--;
        while (found.len > 0 && memchr(" \t", *found.at, 2)) {
            found.at++;
            found.len--;
        }
    }
    return found;
}

static void
check_wanted(struct piece fields, const struct xa_http_wanted *wanted)
{
    struct piece value = find_value(fields, wanted->name);
    bool counts = value.at && value.len < sizeof wanted->value &&
                  !memchr(value.at, '\0', value.len);

    check(strnlen(wanted->value, sizeof wanted->value) ==
          (counts ? value.len : 0));
    check(!counts || memcmp(wanted->value, value.at, value.len) == 0);
}

/* A number of at most LENGTH_DIGITS digits and 64 bits; UINT64_MAX: none. */
static uint64_t
to_number(struct piece digits)
{
    uint64_t value = 0;

    if (digits.len == 0 || digits.len > LENGTH_DIGITS)
        return UINT64_MAX;
    for (size_t i = 0; i < digits.len; i++) {
        if (!memchr("0123456789", digits.at[i], 10) ||
            __builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(digits.at[i] - '0'),
                                   &value))
            return UINT64_MAX;
    }
    return value;
}

static void
check_frame(struct piece fields, const struct xa_http_head *head)
{
    struct piece length = find_value(fields, "Content-Length");

    check(head->is_framed ==
          (length.at || find_value(fields, "Transfer-Encoding").at));
    check(head->body_len == (length.at ? to_number(length) : 0));
}

static void
hand_over(struct piece text, struct xa_http_head *head,
          const struct xa_http_answer *answer)
{
    while (text.len > 0) {
        struct piece line = next_line(&text);
        char *alone = malloc(line.len);

        check(alone != NULL);
        memcpy(alone, line.at, line.len);
        xa_http_head_line(head, answer, alone, line.len);
        free(alone);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xa_http_wanted wanted[NAMES] = {{names[0], "left over"},
                                           {names[1], "left over"}};
    struct xa_http_answer answer = XA_HTTP_ANSWER(wanted, NAMES);
    struct piece text = {(const char *)data, size};
    struct xa_http_head head;
    struct piece fields;
    bool is_done;

    xa_http_head_init(&head, &answer);
    hand_over(text, &head, &answer);
    fields = find_fields(&text, &is_done);
    check(head.is_done == is_done);
    check_frame(fields, &head);
    for (size_t i = 0; i < NAMES; i++)
        check_wanted(fields, &wanted[i]);
    return 0;
}
