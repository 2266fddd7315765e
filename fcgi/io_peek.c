/* io_peek.c - is a whole request there? SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/io_peek.h"

#include <string.h>

#include "fcgi/io_record.h"

/* FastCGI 1.0, section 5.1: role (2 bytes), flags, 5 bytes reserved. */
#define BEGIN_CONTENT 8
#define FLAG_KEEP_CONN 1

/* Which record a request may go on with. */
enum stage { WANT_BEGIN, WANT_PARAMS, WANT_STDIN };

/* Where the walk stands in the stream of name-value pairs (section 3.4),
 * which runs through records without regard for their borders. */
struct pairs {
    uint8_t lengths[8]; /* what came of the two lengths of a pair */
    size_t have;        /* how many of these bytes */
    size_t left;        /* bytes of name and value still to come */
};

struct walk {
    enum stage stage;
    struct pairs pairs;
    struct xa_peek *out;
};

static enum xa_peek_found
bad(struct xa_peek *out, const char *why)
{
    out->why = why;
    return XA_PEEK_BAD;
}

/* Bytes of a length that begins with this one: 1, or 4 with the top bit. */
static size_t
width(uint8_t first)
{
    return first & 0x80 ? 4 : 1;
}

static size_t
length_at(const uint8_t *p)
{
    if (width(*p) == 1)
        return *p;
    return (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 |
           (size_t)p[2] << 8 | p[3];
}

/* Whether both lengths of a pair are there; then `left` is their sum. */
static bool
has_lengths(struct pairs *pairs)
{
    size_t value_at;

    if (pairs->have == 0)
        return false;
    value_at = width(pairs->lengths[0]);
    if (pairs->have <= value_at ||
        pairs->have < value_at + width(pairs->lengths[value_at]))
        return false;
    pairs->left =
        length_at(pairs->lengths) + length_at(pairs->lengths + value_at);
    pairs->have = 0;
    return true;
}

/*
 * Go through the content of one PARAMS record.  libfcgi takes pairs as they
 * come, makes C strings of them and believes their lengths; so a NUL inside
 * and a pair larger than any request are refused here.
 */
static const char *
walk_pairs(struct pairs *pairs, const uint8_t *p, size_t len, size_t max)
{
    const uint8_t *end = p + len;

    while (p < end) {
        size_t n = (size_t)(end - p);

        if (pairs->left > 0) {
            if (n > pairs->left)
                n = pairs->left;
            if (memchr(p, '\0', n))
                return "NUL in a parameter";
            pairs->left -= n;
            p += n;
            continue;
        }
        pairs->lengths[pairs->have++] = *p++;
        if (has_lengths(pairs) && pairs->left > max)
            return "parameter longer than a request";
    }
    return NULL;
}

static enum xa_peek_found
step_begin(struct walk *walk, const struct xa_record *rec,
           const uint8_t *content)
{
    uint16_t role;

    role = (uint16_t)(content[0] << 8 | content[1]);
    walk->out->id = rec->id;
    walk->out->keep = content[2] & FLAG_KEEP_CONN;
    walk->out->authorizer = role == XA_FCGI_ROLE_AUTHORIZER;
    if (role != XA_FCGI_ROLE_RESPONDER && role != XA_FCGI_ROLE_AUTHORIZER)
        return XA_PEEK_ROLE;
    walk->stage = WANT_PARAMS;
    return XA_PEEK_MORE;
}

static enum xa_peek_found
step_params(struct walk *walk, const struct xa_record *rec,
            const uint8_t *content, size_t max)
{
    const char *why;

    if (rec->type != XA_RECORD_PARAMS)
        return bad(walk->out, "record before the end of PARAMS");
    if (rec->content > 0) {
        why = walk_pairs(&walk->pairs, content, rec->content, max);
        return why ? bad(walk->out, why) : XA_PEEK_MORE;
    }
    if (walk->pairs.have > 0 || walk->pairs.left > 0)
        return bad(walk->out, "PARAMS end inside a parameter");
    if (walk->out->authorizer)
        return XA_PEEK_WHOLE;
    walk->stage = WANT_STDIN;
    return XA_PEEK_MORE;
}

static enum xa_peek_found
step_stdin(struct walk *walk, const struct xa_record *rec)
{
    if (rec->type != XA_RECORD_STDIN)
        return bad(walk->out, "record before the end of STDIN");
    return rec->content > 0 ? XA_PEEK_MORE : XA_PEEK_WHOLE;
}

/* One record whose content is there.  MORE: go on with the next. */
static enum xa_peek_found
step(struct walk *walk, const struct xa_record *rec, const uint8_t *content,
     size_t max)
{
    if (walk->stage == WANT_BEGIN)
        return step_begin(walk, rec, content);
    if (rec->type == XA_RECORD_ABORT)
        return XA_PEEK_ABORTED;
    /* libfcgi forgets padding behind the end of a stream, and takes it for
     * the next header */
    if (rec->content == 0 && rec->padding != 0)
        return bad(walk->out, "padding behind an empty record");
    if (walk->stage == WANT_PARAMS)
        return step_params(walk, rec, content, max);
    return step_stdin(walk, rec);
}

/* The first record.  Said before its content comes, which may be 64 KiB
 * away. */
static enum xa_peek_found
check_first(const struct walk *walk, const struct xa_record *rec)
{
    if (rec->id == 0 && rec->type != XA_RECORD_BEGIN)
        return XA_PEEK_MANAGEMENT;
    if (rec->type != XA_RECORD_BEGIN)
        return bad(walk->out, "record before BEGIN_REQUEST");
    if (rec->id == 0)
        return bad(walk->out, "BEGIN_REQUEST with id 0");
    /* libfcgi takes padding here for the next header */
    if (rec->content != BEGIN_CONTENT || rec->padding != 0)
        return bad(walk->out, "length of BEGIN_REQUEST");
    return XA_PEEK_MORE;
}

/* What can be said from a header alone.  MORE: nothing against it. */
static enum xa_peek_found
check_header(const struct walk *walk, const struct xa_record *rec)
{
    if (rec->version != XA_RECORD_VERSION)
        return bad(walk->out, "protocol version");
    if (walk->stage == WANT_BEGIN)
        return check_first(walk, rec);
    if (rec->id != walk->out->id)
        return bad(walk->out, "record of another request");
    return XA_PEEK_MORE;
}

enum xa_peek_found
xa_peek(const uint8_t *bytes, size_t len, size_t max, struct xa_peek *out)
{
    struct walk walk = {.stage = WANT_BEGIN, .out = out};
    enum xa_peek_found found;
    size_t at = 0;

    *out = (struct xa_peek){0};
    for (;;) {
        struct xa_record rec;
        size_t end = at + XA_RECORD_HEADER;
        bool managed;

        if (end > len)
            break;
        rec = xa_record_read(bytes + at);
        found = check_header(&walk, &rec);
        managed = found == XA_PEEK_MANAGEMENT;
        if (found != XA_PEEK_MORE && !managed)
            return found;
        end += rec.content + rec.padding;
        if (end > max)
            return managed ? bad(out, "management record too long")
                           : XA_PEEK_TOO_LARGE;
        out->len = end;
        if (end > len)
            return XA_PEEK_MORE;
        if (managed)
            return found;
        found = step(&walk, &rec, bytes + at + XA_RECORD_HEADER, max);
        if (found != XA_PEEK_MORE)
            return found;
        at = end;
    }
    out->len = at + XA_RECORD_HEADER; /* of the next record */
    return out->len > max ? XA_PEEK_TOO_LARGE : XA_PEEK_MORE;
}
