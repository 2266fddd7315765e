/* config_table.h - a row for each key of the configuration. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SUPPORT_CONFIG_TABLE_H
#define XA_SUPPORT_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"

/* What a value may be, and what field of struct xa_config it fills. */
enum xa_option_type {
    XA_OPTION_BOOL,     /* bool */
    XA_OPTION_U32,      /* uint32_t: a whole number */
    XA_OPTION_U64,      /* uint64_t: a whole number */
    XA_OPTION_SECONDS,  /* uint32_t: seconds, a fraction is rounded up */
    XA_OPTION_MS,       /* uint32_t: seconds with a fraction, in ms */
    XA_OPTION_TEXT,     /* char *; max is its length in bytes */
    XA_OPTION_PATH,     /* char *: absolute */
    XA_OPTION_LOG_FILE, /* char *: absolute path, stderr or syslog */
    XA_OPTION_WORD,     /* char *: one of the words in `unit` */
    XA_OPTION_LEVEL,    /* enum xa_level */
    XA_OPTION_VERIFY,   /* char *: true, false, or the path of a CA file */
    XA_OPTION_TEXTS,    /* struct xa_strlist: a list, or a text with commas */
    XA_OPTION_NAMES,    /* the same, of names of backends */
    XA_OPTION_HOSTS,    /* the same, of names and addresses of hosts */
    XA_OPTION_LIST      /* no field: a list of anything */
};

/* The value is read by a backend or a web handler, from the tree. */
#define XA_OPTION_NO_FIELD SIZE_MAX

struct xa_option {
    const char *key; /* with its sections: "rest_api.max_body_size" */
    enum xa_option_type type;
    size_t offset;    /* in struct xa_config, or XA_OPTION_NO_FIELD */
    int64_t min;      /* of a number, in its unit; MS: in milliseconds */
    int64_t max;
    const char *unit; /* "bytes"; of a WORD: "one, two or three" */
    const char *def;  /* default as YAML; NULL: none */
    bool is_secret;
    const char *help; /* one line */
};

extern const struct xa_option xa_options[];
extern const size_t xa_option_count;

/* The row of a key, NULL if there is none. */
const struct xa_option *xa_option_find(const char *key);

/* Whether keys stand below this one: "rest_api", "rest_api.cors". */
bool xa_option_is_section(const char *key);

/* Whether the Python service knew this key, which has no meaning here. */
bool xa_option_is_old(const char *key);

/*
 * Append `key:` as a line of a nested mapping, after the headings of the
 * sections that it does not share with the key before it ("" for none).
 */
void xa_option_put_key(struct xa_buf *buf, const char *previous,
                       const char *key);

#endif
