/* walk.c - the names below a prefix, in order, in bounded memory. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/walk.h"

#include <string.h>

#include <json.h>

#include "core/base/clock.h"
#include "core/support/json.h"
#include "core/token/consul/names.h"

/* Where a listing may be cut: so many characters, "/", and a key. */
#define PLACE_MAX (XA_SUBJECT_TEXT + XA_SHA256_TEXT)

/* A row of siblings that is smaller together is listed at once next time. */
#define SMALL_ROW (XA_CONSUL_ANSWER_MAX / 4)

/* A listing that takes too long counts as too large so many times in a row,
 * and not further down than this. */
#define SLOW_MAX 3
#define SLOW_DEPTH 12

struct folder {
    const char *name;
    size_t head;          /* characters before the "/" and the key; 0: none */
    const char *alphabet; /* of the head */
};

static const struct folder folders[] = {
    {"schedule/", XA_WHEN_TEXT - 1, "0123456789"},
    {"subjects/", XA_SUBJECT_TEXT - 1, "0123456789abcdef"},
    {"tokens/", 0, ""}, /* and any other */
};

/* A walk under way. */
struct run {
    const struct xa_walk *walk;
    xa_walk_fn *visit;
    void *ctx;
    const struct folder *folder;
    size_t root_len;
    size_t begin_len;
    char at[PLACE_MAX]; /* what is listed now, below root */
    size_t len;         /* of it */
    unsigned *depth;
    unsigned own_depth;     /* when the caller has no place for it */
    size_t row;             /* bytes of the listings beside this one */
    unsigned slow;          /* listings in a row that took too long */
    struct xa_buf previous; /* the latest name that was visited */
};

static void
run_done(struct run *run)
{
    xa_buf_free(&run->previous);
}

/* --- places, in the order of names --- */

/* The characters that may follow so many; "-" in a UUID sorts first. */
static const char *
alphabet(const struct run *run, size_t len)
{
    size_t in_key;

    if (len < run->folder->head)
        return run->folder->alphabet;
    in_key = run->folder->head > 0 ? len - run->folder->head - 1 : len;
    if (in_key == 8 || in_key == 13 || in_key == 18 || in_key == 23)
        return "-0123456789abcdef";
    return "0123456789abcdef";
}

/* Whether "/" comes next. */
static bool
ends_head(const struct run *run)
{
    return run->folder->head > 0 && run->len == run->folder->head;
}

static bool
can_cut(const struct run *run)
{
    return run->len + 3 < PLACE_MAX;
}

static void
append(struct run *run, char c)
{
    run->at[run->len++] = c;
    run->at[run->len] = '\0';
}

/* Whether all names there sort at or before `after`. */
static bool
is_past(const struct run *run)
{
    return strncmp(run->at, run->walk->after, run->len) < 0;
}

/* To the next sibling that is not past; false: there is none. */
static bool
step_aside(struct run *run)
{
    char *last = &run->at[run->len - 1];
    const char *set = alphabet(run, run->len - 1);
    const char *c;

    for (c = strchr(set, *last) + 1; *c; c++) {
        *last = *c;
        if (!is_past(run))
            return true;
    }
    return false;
}

/* To the parent. */
static void
step_up(struct run *run)
{
    run->len--;
    if (run->folder->head > 0 && run->len == run->folder->head + 1 &&
        run->len > run->begin_len)
        run->len--; /* the "/" is no place of its own */
    run->at[run->len] = '\0';
}

/* To the first child that is not past; false: all are. */
static bool
step_down(struct run *run)
{
    if (ends_head(run))
        append(run, '/');
    append(run, alphabet(run, run->len)[0]);
    return !is_past(run) || step_aside(run);
}

/* Behind what has been listed; false: the end. */
static bool
step_on(struct run *run)
{
    while (run->len > run->begin_len) {
        if (step_aside(run))
            return true;
        step_up(run);
        if (run->row<SMALL_ROW && * run->depth> run->len)
            *run->depth = (unsigned)run->len;
        run->row = 0;
    }
    return false;
}

/* As far down as listings had to go before; false: nothing is left. */
static bool
settle(struct run *run)
{
    while (run->len < *run->depth && can_cut(run))
        if (!step_down(run) && !step_on(run))
            return false;
    return true;
}

/* --- one listing --- */

/* A text with escapes, quotes included, by way of the parser. */
static enum xa_rc
visit_escaped(const char *text, size_t len, xa_walk_fn *visit, void *ctx,
              bool *out_go_on, struct xa_err *err)
{
    XA_AUTO(xa_json_free) struct json_object *json = NULL;
    const char *name;

    if (xa_json_parse(text, len, 1, &json) != XA_JSON_FINE ||
        !json_object_is_type(json, json_type_string))
        return xa_fail(err, XA_E_UNAVAILABLE, "Consul lists what is no name");
    name = json_object_get_string(json);
    if (strlen(name) != (size_t)json_object_get_string_len(json))
        return xa_fail(err, XA_E_UNAVAILABLE, "Consul lists what is no name");
    *out_go_on = visit(ctx, name);
    return XA_OK;
}

static char *
skip_blanks(char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* The quote that ends a text which begins at `at`; NULL: there is none. */
static char *
end_of_text(char *at, bool *out_escaped)
{
    *out_escaped = false;
    for (at = strpbrk(at + 1, "\"\\"); at && *at == '\\';
         at = strpbrk(at, "\"\\")) {
        *out_escaped = true;
        at += at[1] ? 2 : 1;
    }
    return at;
}

enum xa_rc
xa_walk_listing(char *text, size_t len, xa_walk_fn *visit, void *ctx,
                bool *out_ended, struct xa_err *err)
{
    char *at = skip_blanks(text);
    bool is_list = true;
    bool go_on = true;
    enum xa_rc rc;

    if (*at != '[')
        return xa_fail(err, XA_E_UNAVAILABLE, "Consul's listing is no list");
    at = skip_blanks(at + 1);
    while (is_list && go_on && *at != ']') {
        bool escaped;
        char *end = *at == '"' ? end_of_text(at, &escaped) : NULL;

        if (!end)
            return xa_fail(err, XA_E_UNAVAILABLE,
                           "Consul lists what is no name");
        if (escaped) {
            rc = visit_escaped(at, (size_t)(end - at) + 1, visit, ctx, &go_on,
                               err);
            if (rc != XA_OK)
                return rc;
        } else {
            *end = '\0';
            go_on = visit(ctx, at + 1);
        }
        at = skip_blanks(end + 1);
        if (*at == ',') {
            at = skip_blanks(at + 1);
            is_list = *at == '"';
        } else {
            is_list = *at == ']';
        }
    }
    if (!is_list)
        return xa_fail(err, XA_E_UNAVAILABLE, "Consul's listing breaks off");
    if (go_on && skip_blanks(at + 1) != text + len)
        return xa_fail(err, XA_E_UNAVAILABLE,
                       "Consul's listing goes on "
                       "behind its end");
    *out_ended = go_on;
    return XA_OK;
}

/* --- the walk --- */

/* A name of a listing, if it is one that is wanted, to the visitor. */
static bool
deliver(void *ctx, const char *name)
{
    struct run *run = ctx;
    const struct xa_walk *walk = run->walk;

    if (strncmp(name, walk->root, run->root_len) != 0 ||
        strncmp(name + run->root_len, run->at, run->len) != 0 ||
        strcmp(name + run->root_len, walk->after) <= 0 ||
        strcmp(name, xa_buf_text(&run->previous)) <= 0)
        return true;
    xa_buf_clear(&run->previous);
    xa_buf_puts(&run->previous, name);
    return run->visit(run->ctx, name);
}

/* Of the time that is left a listing which can still be cut gets half, so
 * that there is some for its parts. */
static int64_t
deadline_of(const struct run *run)
{
    int64_t now_ms = xa_clock_mono_ms();
    int64_t end_ms = run->walk->deadline_ms;

    if (end_ms == 0)
        return xa_consul_deadline_ms(run->walk->consul);
    return can_cut(run) ? now_ms + (end_ms - now_ms) / 2 : end_ms;
}

static enum xa_rc
ask(const struct run *run, struct xa_consul_answer *answer, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf name = XA_BUF(XA_CONSUL_NAME_MAX);
    XA_AUTO(xa_buf_free)
    struct xa_buf path = XA_BUF(3 * XA_CONSUL_NAME_MAX + 3);
    struct xa_consul_request request = {
        .mode = XA_CONSUL_READ,
        .method = "GET",
        .query = "keys",
        .deadline_ms = deadline_of(run),
    };
    enum xa_rc rc;

    xa_buf_puts(&name, run->walk->root);
    xa_buf_puts(&name, run->at);
    xa_buf_puts(&path, "kv/");
    xa_consul_put_escaped(&path, xa_buf_text(&name));
    rc = xa_buf_check(&name, err);
    if (rc == XA_OK)
        rc = xa_buf_check(&path, err);
    if (rc != XA_OK)
        return rc;
    request.path = xa_buf_text(&path);
    return xa_consul_ask(run->walk->consul, &request, answer, err);
}

/* One listing.  out_go_on: the visitor has not enough yet. */
static enum xa_rc
list(struct run *run, bool *out_go_on, struct xa_err *err)
{
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    enum xa_rc rc = ask(run, &answer, err);

    if (rc != XA_OK)
        return rc;
    switch (answer.status) {
    case 200:
        run->row += answer.body.len;
        if (!answer.body.data)
            return xa_fail(err, XA_E_UNAVAILABLE, "Consul's listing is empty");
        rc = xa_walk_listing(answer.body.data, answer.body.len, deliver, run,
                             out_go_on, err);
        return rc == XA_OK ? xa_buf_check(&run->previous, err) : rc;
    case 404:
        return XA_OK;
    case 403:
        return xa_fail(err, XA_E_FORBIDDEN,
                       "not allowed: consul.token has no right to "
                       "list keys");
    default:
        return xa_fail(err, XA_E_STORE, "Consul answers %ld to a listing",
                       answer.status);
    }
}

/*
 * Whether a listing that failed is to be cut.  One that takes long may be
 * large: Consul needs a second and more to gather a million names.
 */
static bool
is_too_large(struct run *run, enum xa_rc rc)
{
    if (rc == XA_E_INVALID)
        return true;
    if (rc != XA_E_TIMEOUT || run->len >= SLOW_DEPTH || ++run->slow >= SLOW_MAX)
        return false;
    return run->walk->deadline_ms == 0 ||
           xa_clock_mono_ms() < run->walk->deadline_ms;
}

static enum xa_rc
cut(struct run *run, bool *out_more, struct xa_err *err)
{
    if (!can_cut(run))
        return xa_fail(err, XA_E_STORE,
                       "more than %d bytes of names begin "
                       "with the same key",
                       XA_CONSUL_ANSWER_MAX);
    *out_more = step_down(run) || step_on(run);
    if (*run->depth < run->len)
        *run->depth = (unsigned)run->len;
    run->row = SMALL_ROW; /* not all of this row at once again */
    return XA_OK;
}

static enum xa_rc
walk_on(struct run *run, bool *out_ended, struct xa_err *err)
{
    bool more = !is_past(run) && settle(run);
    bool go_on = true;
    enum xa_rc rc;

    while (more && go_on) {
        rc = list(run, &go_on, err);
        if (is_too_large(run, rc)) {
            rc = cut(run, &more, err);
            if (rc != XA_OK)
                return rc;
            continue;
        }
        if (rc != XA_OK)
            return rc;
        run->slow = 0;
        if (go_on)
            more = step_on(run) && settle(run);
    }
    *out_ended = go_on;
    return XA_OK;
}

static const struct folder *
folder_of(const char *root)
{
    size_t len = strlen(root);
    size_t last = XA_COUNT(folders) - 1;

    for (size_t i = 0; i < last; i++) {
        size_t own = strlen(folders[i].name);

        if (len >= own && strcmp(root + len - own, folders[i].name) == 0)
            return &folders[i];
    }
    return &folders[last];
}

enum xa_rc
xa_walk_names(const struct xa_walk *walk, xa_walk_fn *visit, void *ctx,
              bool *out_ended, struct xa_err *err)
{
    XA_AUTO(run_done)
    struct run run = {
        .walk = walk,
        .visit = visit,
        .ctx = ctx,
        .folder = folder_of(walk->root),
        .root_len = strlen(walk->root),
        .begin_len = strlen(walk->begin),
        .previous = XA_BUF(XA_CONSUL_ANSWER_MAX),
    };

    run.depth = walk->depth ? walk->depth : &run.own_depth;
    run.len = run.begin_len;
    if (run.len >= PLACE_MAX) { /* longer than any name of ours */
        *out_ended = true;
        return XA_OK;
    }
    memcpy(run.at, walk->begin, run.len + 1);
    return walk_on(&run, out_ended, err);
}
