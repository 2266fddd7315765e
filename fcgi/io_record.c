/* io_record.c - FastCGI records, read and written. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/io_record.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define END_LEN 8    /* bytes of an END_REQUEST record behind its header */
#define VALUE_MAX 16 /* decimal digits of an uint32_t, and a NUL */

struct xa_record
xa_record_read(const uint8_t *header)
{
    return (struct xa_record){
        .version = header[0],
        .type = header[1],
        .id = (uint16_t)(header[2] << 8 | header[3]),
        .content = (size_t)(header[4] << 8 | header[5]),
        .padding = header[6],
    };
}

void
xa_record_write_head(uint8_t *out, enum xa_record_type type, uint16_t id,
                     size_t len)
{
    const uint8_t header[XA_RECORD_HEADER] = {
        XA_RECORD_VERSION,   (uint8_t)type, (uint8_t)(id >> 8), (uint8_t)id,
        (uint8_t)(len >> 8), (uint8_t)len,  0,                  0,
    };

    memcpy(out, header, sizeof header);
}

size_t
xa_record_write_closing(uint8_t *out, uint16_t id)
{
    xa_record_write_head(out, XA_RECORD_STDOUT, id, 0);
    xa_record_write_head(out + XA_RECORD_HEADER, XA_RECORD_END, id, END_LEN);
    /* appStatus and protocolStatus: both are 0, all went well */
    memset(out + 2 * XA_RECORD_HEADER, 0, END_LEN);
    return XA_RECORD_CLOSING;
}

static void
put_record(struct xa_buf *out, enum xa_record_type type, uint16_t id,
           const void *content, size_t len)
{
    uint8_t header[XA_RECORD_HEADER];

    xa_record_write_head(header, type, id, len);
    xa_buf_put(out, header, sizeof header);
    xa_buf_put(out, content, len);
}

void
xa_record_put_end(struct xa_buf *out, uint16_t id, enum xa_record_end status)
{
    /* appStatus (4 bytes, of no use here), protocolStatus, 3 reserved */
    const uint8_t body[END_LEN] = {0, 0, 0, 0, (uint8_t)status};

    put_record(out, XA_RECORD_END, id, body, sizeof body);
}

void
xa_record_put_stdout(struct xa_buf *out, uint16_t id, const void *bytes,
                     size_t len)
{
    const char *p = bytes;
    size_t n;

    for (; len > 0; p += n, len -= n) {
        n = len < XA_RECORD_CONTENT_MAX ? len : XA_RECORD_CONTENT_MAX;
        put_record(out, XA_RECORD_STDOUT, id, p, n);
    }
    put_record(out, XA_RECORD_STDOUT, id, "", 0);
}

/* Whether a query of GET_VALUES names this variable.  Names and values are
 * short there: a pair with a long length ends the search. */
static bool
is_asked(const uint8_t *p, const uint8_t *end, const char *name)
{
    size_t len = strlen(name);

    while (end - p >= 2) {
        size_t name_len = p[0];
        size_t value_len = p[1];

        if ((p[0] | p[1]) & 0x80 ||
            (size_t)(end - p) < 2 + name_len + value_len)
            return false;
        if (name_len == len && memcmp(p + 2, name, len) == 0)
            return true;
        p += 2 + name_len + value_len;
    }
    return false;
}

static void
put_value(struct xa_buf *out, const char *name, uint32_t value)
{
    char digits[VALUE_MAX];
    int len = snprintf(digits, sizeof digits, "%u", (unsigned)value);

    xa_buf_putc(out, (char)strlen(name));
    xa_buf_putc(out, (char)len);
    xa_buf_puts(out, name);
    xa_buf_put(out, digits, (size_t)len);
}

static void
put_values(struct xa_buf *out, const uint8_t *asked, size_t len,
           uint32_t max_conns)
{
    const struct {
        const char *name;
        uint32_t value;
    } table[] = {
        {"FCGI_MAX_CONNS", max_conns},
        {"FCGI_MAX_REQS", max_conns},
        {"FCGI_MPXS_CONNS", 0},
    };
    struct xa_buf values = XA_BUF(256);

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        if (is_asked(asked, asked + len, table[i].name))
            put_value(&values, table[i].name, table[i].value);
    }
    if (xa_buf_check(&values, NULL) == XA_OK)
        put_record(out, XA_RECORD_GET_VALUES_RESULT, 0, xa_buf_text(&values),
                   values.len);
    xa_buf_free(&values);
}

void
xa_record_put_managed(struct xa_buf *out, const uint8_t *record, size_t len,
                      uint32_t max_conns)
{
    struct xa_record rec = xa_record_read(record);

    if (rec.type == XA_RECORD_GET_VALUES &&
        rec.content <= len - XA_RECORD_HEADER) {
        put_values(out, record + XA_RECORD_HEADER, rec.content, max_conns);
        return;
    }
    put_record(out, XA_RECORD_UNKNOWN_TYPE, 0,
               (const uint8_t[8]){rec.type}, 8);
}
