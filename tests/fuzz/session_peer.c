/* session_peer.c - a web server's end of a connection. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/fuzz/session_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgi/io_peek.h"
#include "fcgi/io_record.h"
#include "tests/fuzz/cgi_answer.h"

#define BYTES_MAX (16u * 1024 * 1024)
#define LONG_REQUEST 8192 /* the answer may repeat it, six bytes for one */
#define MANAGED_IN_A_ROW 8

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* --- sending --- */

static void
connect_to(struct peer *peer, const struct sockaddr_un *to, size_t to_len)
{
    peer_close(peer);
    *peer = (struct peer){
        .sent = XA_BUF(BYTES_MAX),
        .came = XA_BUF(BYTES_MAX),
        .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
    };
    check(peer->fd >= 0 && connect(peer->fd, (const struct sockaddr *)to,
                                   (socklen_t)to_len) == 0);
}

void
peer_send(struct peer *peer, const struct sockaddr_un *to, size_t to_len,
          const uint8_t *bytes, size_t len)
{
    ssize_t n;

    if (len == 0)
        return;
    if (peer->fd < 0 || peer->has_ended || peer->has_shut)
        connect_to(peer, to, to_len);
    n = send(peer->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) /* less than all when the socket is full */
        xa_buf_put(&peer->sent, bytes, (size_t)n);
}

void
peer_shut(struct peer *peer)
{
    if (peer->fd < 0)
        return;
    shutdown(peer->fd, SHUT_WR);
    peer->has_shut = true;
}

void
peer_close(struct peer *peer)
{
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
    xa_buf_free(&peer->sent);
    xa_buf_free(&peer->came);
}

/* --- what came --- */

static void
receive(struct peer *peer)
{
    char piece[16384];
    ssize_t n;

    while ((n = recv(peer->fd, piece, sizeof piece, MSG_DONTWAIT)) > 0)
        xa_buf_put(&peer->came, piece, (size_t)n);
    if (n == 0 || errno != EAGAIN)
        peer->has_ended = true;
}

/* The next record that came; its content is lent. */
static struct xa_record
next_record(struct peer *peer, const uint8_t **out_content)
{
    const uint8_t *at = (const uint8_t *)peer->came.data + peer->came_at;
    size_t left = peer->came.len - peer->came_at;
    struct xa_record rec;

    check(left >= XA_RECORD_HEADER);
    rec = xa_record_read(at);
    check(rec.version == XA_RECORD_VERSION &&
          left >= XA_RECORD_HEADER + rec.content + rec.padding);
    peer->came_at += XA_RECORD_HEADER + rec.content + rec.padding;
    *out_content = at + XA_RECORD_HEADER;
    return rec;
}

static void
expect_end(const struct xa_record *rec, const uint8_t *content, uint16_t id,
           enum xa_record_end status)
{
    static const uint8_t zero[4];

    check(rec->type == XA_RECORD_END && rec->id == id && rec->content == 8);
    check(memcmp(content, zero, sizeof zero) == 0 && content[4] == status);
}

/* STDOUT, its end, and the end of the request. */
static unsigned
expect_answer(struct peer *peer, uint16_t id, const struct cgi_asked *asked)
{
    XA_AUTO(xa_buf_free) struct xa_buf text = XA_BUF(BYTES_MAX);
    const uint8_t *content;
    struct xa_record rec;
    bool is_closed = false;

    for (rec = next_record(peer, &content); rec.type == XA_RECORD_STDOUT;
         rec = next_record(peer, &content)) {
        check(rec.id == id && !is_closed);
        is_closed = rec.content == 0;
        xa_buf_put(&text, content, rec.content);
    }
    check(is_closed);
    expect_end(&rec, content, id, XA_END_COMPLETE);
    return cgi_answer_check(xa_buf_text(&text), text.len, asked);
}

/* Requests in all that was sent of which no record is missing, read as
 * plainly as can be. */
static unsigned
count_whole(const struct xa_buf *sent)
{
    const uint8_t *p = (const uint8_t *)sent->data;
    const uint8_t *end = p + sent->len;
    enum { OUTSIDE, PARAMS, STDIN } stage = OUTSIDE;
    uint16_t id = 0;
    unsigned count = 0;
    bool authorizer = false;

    while (end - p >= XA_RECORD_HEADER) {
        struct xa_record rec = xa_record_read(p);

        p += XA_RECORD_HEADER;
        if ((size_t)(end - p) < rec.content + rec.padding)
            break;
        if (rec.type == XA_RECORD_BEGIN && rec.content >= 2) {
            stage = PARAMS;
            id = rec.id;
            authorizer = p[1] == XA_FCGI_ROLE_AUTHORIZER;
        } else if (rec.id == id && rec.content == 0) {
            if (stage == PARAMS && rec.type == XA_RECORD_PARAMS)
                stage = authorizer ? OUTSIDE : STDIN;
            else if (stage == STDIN && rec.type == XA_RECORD_STDIN)
                stage = OUTSIDE;
            else
                stage = rec.type == XA_RECORD_ABORT ? OUTSIDE : stage;
            count += stage == OUTSIDE && rec.type != XA_RECORD_ABORT;
        }
        p += rec.content + rec.padding;
    }
    return count;
}

/* --- what must come --- */

static const char *
unanswered(const struct peer *peer)
{
    return peer->sent.data + peer->sent_at;
}

/* True: the connection ends with this answer. */
static bool
expect_served(struct peer *peer, const struct xa_peek *peek,
              const struct peer_world *world)
{
    const struct cgi_asked asked = {
        .authorizer = peek->authorizer,
        .may_be_head = memmem(unanswered(peer), peek->len, "HEAD", 4) != NULL,
        .may_fail = world->may_fail || peek->len > LONG_REQUEST,
    };
    bool has_surplus = peer->sent.len - peer->sent_at > peek->len;

    check(expect_answer(peer, peek->id, &asked) != 413 || !peek->authorizer);
    check(++peer->answers <= count_whole(&peer->sent));
    peer->sent_at += peek->len;
    return has_surplus || peek->authorizer || !peek->keep || world->closes_all;
}

static void
expect_managed(struct peer *peer, const struct xa_peek *peek)
{
    struct xa_record asked = xa_record_read((const uint8_t *)unanswered(peer));
    const uint8_t *content;
    struct xa_record rec = next_record(peer, &content);

    check(rec.id == 0);
    if (asked.type == XA_RECORD_GET_VALUES)
        check(rec.type == XA_RECORD_GET_VALUES_RESULT);
    else
        check(rec.type == XA_RECORD_UNKNOWN_TYPE && rec.content == 8 &&
              content[0] == asked.type);
    peer->sent_at += peek->len;
}

/* An end without a word. */
static void
expect_unserved(struct peer *peer, uint16_t id, enum xa_record_end status)
{
    const uint8_t *content;
    struct xa_record rec = next_record(peer, &content);

    expect_end(&rec, content, id, status);
}

/* Go through what was sent and not yet answered.  True: the connection must
 * have ended. */
static bool
expect(struct peer *peer, const struct peer_world *world)
{
    const struct cgi_asked unread = {.may_be_head = false};
    struct xa_peek peek;

    for (int managed = 0;;) {
        peer->is_half = false;
        if (peer->sent_at == peer->sent.len)
            return peer->has_shut;
        switch (xa_peek((const uint8_t *)unanswered(peer),
                        peer->sent.len - peer->sent_at, world->max_request,
                        &peek)) {
        case XA_PEEK_MORE:
            peer->is_half = true;
            return peer->has_shut;
        case XA_PEEK_WHOLE:
            if (expect_served(peer, &peek, world))
                return true;
            managed = 0;
            break;
        case XA_PEEK_MANAGEMENT:
            if (++managed > MANAGED_IN_A_ROW)
                return true;
            expect_managed(peer, &peek);
            break;
        case XA_PEEK_TOO_LARGE:
            check(expect_answer(peer, peek.id, &unread) == 413);
            return true;
        case XA_PEEK_ROLE:
            expect_unserved(peer, peek.id, XA_END_UNKNOWN_ROLE);
            return true;
        case XA_PEEK_ABORTED:
            expect_unserved(peer, peek.id, XA_END_COMPLETE);
            return true;
        case XA_PEEK_BAD:
            return true;
        }
    }
}

void
peer_check(struct peer *peer, const struct peer_world *world)
{
    bool had_ended = peer->has_ended;

    if (peer->fd < 0)
        return;
    receive(peer);
    if (!had_ended) {
        bool must_end = expect(peer, world);

        if (peer->is_half && world->time_went)
            must_end = true;
        check(must_end == peer->has_ended);
    }
    check(peer->came_at == peer->came.len);
}

void
peer_check_end(struct peer *peer)
{
    if (peer->fd < 0)
        return;
    receive(peer);
    check(peer->has_ended && peer->came_at == peer->came.len);
}
