/* io_record.h - FastCGI records, read and written. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The records that libfcgi does not send for us: answers, also to a request
 * that it never read, and to management records, which it must not see.
 */
#ifndef XA_FCGI_IO_RECORD_H
#define XA_FCGI_IO_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"

/* FastCGI 1.0, section 8. */
#define XA_RECORD_HEADER 8
#define XA_RECORD_VERSION 1
#define XA_RECORD_CONTENT_MAX 65535
#define XA_RECORD_CLOSING 24 /* see below */

enum xa_record_type {
    XA_RECORD_BEGIN = 1,
    XA_RECORD_ABORT = 2,
    XA_RECORD_END = 3,
    XA_RECORD_PARAMS = 4,
    XA_RECORD_STDIN = 5,
    XA_RECORD_STDOUT = 6,
    XA_RECORD_GET_VALUES = 9,
    XA_RECORD_GET_VALUES_RESULT = 10,
    XA_RECORD_UNKNOWN_TYPE = 11
};

enum { XA_FCGI_ROLE_RESPONDER = 1, XA_FCGI_ROLE_AUTHORIZER = 2 };

/* protocolStatus of an END_REQUEST record. */
enum xa_record_end { XA_END_COMPLETE = 0, XA_END_UNKNOWN_ROLE = 3 };

struct xa_record {
    uint8_t version;
    uint8_t type;
    uint16_t id;
    size_t content; /* bytes behind the header */
    size_t padding; /* bytes behind the content */
};

/* Read a header of XA_RECORD_HEADER bytes; any bytes give a record. */
struct xa_record xa_record_read(const uint8_t *header);

/* Write a header of XA_RECORD_HEADER bytes; len is at most
 * XA_RECORD_CONTENT_MAX. */
void xa_record_write_head(uint8_t *out, enum xa_record_type type, uint16_t id,
                          size_t len);

/* Write XA_RECORD_CLOSING bytes: the end of an answer, and of its request.
 * Returns their number. */
size_t xa_record_write_closing(uint8_t *out, uint16_t id);

/* Append the end of a request, with an empty answer unless one was put. */
void xa_record_put_end(struct xa_buf *out, uint16_t id,
                       enum xa_record_end status);

/* Append an answer of any length as STDOUT records, and their end. */
void xa_record_put_stdout(struct xa_buf *out, uint16_t id, const void *bytes,
                          size_t len);

/*
 * Append the answer to a management record (section 4): GET_VALUES is told
 * what we can do, everything else that its type is unknown.
 *
 *   record     the whole record, as it came
 *   len        at least XA_RECORD_HEADER, and all of its content
 *   max_conns  connections that are served at a time
 */
void xa_record_put_managed(struct xa_buf *out, const uint8_t *record,
                           size_t len, uint32_t max_conns);

#endif
