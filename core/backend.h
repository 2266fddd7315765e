/* backend.h - what a backend module and its host promise each other. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A backend is a shared object NAME.so in the backend folder.  It includes
 * this one header, links nothing of xivo-auth, and exports one symbol:
 *
 *     XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
 *         XA_BACKEND_HEAD,
 *         .configured = is_configured,
 *         .start = start,
 *         .authenticate = authenticate,
 *         .stop = stop,
 *     };
 *
 * The calls come from one thread, one at a time, in the order
 * configured, start, authenticate..., stop.  No memory changes hands: a
 * module pushes strings into the host's sink, which copies them; what the
 * host returns is lent, for as long as each call says.
 *
 * A module must not fork outside start(), change signals, the locale or the
 * umask, or write to descriptors 0 to 2.
 */
#ifndef XIVO_AUTH_BACKEND_H
#define XIVO_AUTH_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes when a module built against an older header could not work. */
#define XA_BACKEND_ABI 1u

#define XA_BACKEND_EXPORT __attribute__((visibility("default")))

/* First two members of struct xa_backend: what the module was built with. */
#define XA_BACKEND_HEAD                                                        \
    .abi = XA_BACKEND_ABI, .size = (uint32_t)sizeof(struct xa_backend)

/* What the host hands in and takes: bytes of text, and numbers of ACLs. */
#define XA_BACKEND_LOGIN_MAX 256
#define XA_BACKEND_PASSWORD_MAX 512
#define XA_BACKEND_ID_MAX 256
#define XA_BACKEND_ACL_MAX 1024
#define XA_BACKEND_ACLS_MAX 1024
#define XA_BACKEND_ACLS_BYTES 32768 /* of all ACLs together */

/* What authenticate() says.  Anything that is not GRANTED refuses. */
enum xa_verdict {
    XA_GRANTED = 0,     /* the sink got at least auth_id */
    XA_DENIED = 1,      /* wrong password, unknown or disabled user */
    XA_UNAVAILABLE = 2, /* the server behind the backend does not answer */
    XA_FAILED = 3       /* a fault inside the backend */
};

/* Levels for xa_host.log. */
enum xa_host_level {
    XA_HOST_DEBUG,
    XA_HOST_INFO,
    XA_HOST_WARNING,
    XA_HOST_ERROR
};

/* A value of YAML: a scalar, a mapping or a sequence.  Opaque. */
struct xa_node;

/*
 * Where a module puts the identity it has found.  Each call copies its text
 * (UTF-8, no control characters) and returns 0, or -1 when it is refused
 * (empty, too long, not UTF-8, too many ACLs, out of memory); the module then
 * returns XA_FAILED, and a XA_GRANTED after a refusal counts as that.  A
 * second call for the same id replaces the first; acl() adds.
 */
struct xa_sink {
    uint32_t size; /* sizeof(struct xa_sink) of the host */
    void *ctx;     /* the host's */
    int (*auth_id)(const struct xa_sink *to, const char *text);
    int (*xivo_user_uuid)(const struct xa_sink *to, const char *text);
    int (*xivo_uuid)(const struct xa_sink *to, const char *text);
    int (*acl)(const struct xa_sink *to, const char *text);
};

/*
 * What the host lends a module.  Valid from configured() to the end of
 * stop(), so start() may keep the pointer.
 */
struct xa_host {
    uint32_t abi;
    uint32_t size; /* sizeof(struct xa_host) of the host: grows at the end */
    void *ctx;     /* the host's */

    /*
     * The whole configuration as a mapping, every file and the defaults
     * merged.  Lent until stop() returns.  Never NULL.
     */
    const struct xa_node *(*config)(const struct xa_host *host);

    /* Value of a key of a mapping.  NULL: no such key, null, or no mapping. */
    const struct xa_node *(*get)(const struct xa_node *map, const char *key);

    /* Items of a sequence or mapping; 0 for anything else, and for NULL. */
    size_t (*count)(const struct xa_node *node);

    /*
     * Item i of a sequence, or value i of a mapping, whose key then goes to
     * *out_key (may be NULL).  NULL when i is out of range.
     */
    const struct xa_node *(*item)(const struct xa_node *node, size_t i,
                                  const char **out_key);

    /*
     * Text of a scalar, "" for an empty one.  NULL when node is NULL, null,
     * a mapping or a sequence.
     */
    const char *(*text)(const struct xa_node *node);

    /* Whether node is a mapping; a sequence. */
    int (*is_map)(const struct xa_node *node);
    int (*is_list)(const struct xa_node *node);

    /* Line of the file where node stands, from 1; 0 for NULL. */
    unsigned (*line)(const struct xa_node *node);

    /*
     * A scalar as a whole number or a boolean, by the rules of the
     * configuration (yes/no, on/off, true/false in any case).  0 and the
     * value in *out, or -1.
     */
    int (*integer)(const struct xa_node *node, int64_t *out);
    int (*boolean)(const struct xa_node *node, int *out);

    /*
     * Read a YAML file into a tree.  The tree belongs to the module, which
     * gives it back to free_tree().
     *
     *   why, why_len  the complaint, with file and line, on failure
     *
     * NULL on failure; free_tree(NULL) is allowed.
     */
    struct xa_node *(*read_file)(const struct xa_host *host, const char *path,
                                 char *why, size_t why_len);
    void (*free_tree)(struct xa_node *tree);

    /*
     * One line in the log.  The host puts the backend's name in front and
     * escapes control characters.  No password or key may stand in it.
     */
    void (*log)(const struct xa_host *host, enum xa_host_level level,
                const char *fmt, ...) __attribute__((format(printf, 3, 4)));

    /* Overwrite memory that held a secret. */
    void (*wipe)(void *bytes, size_t len);

    /*
     * Compare a password with what is stored: crypt(3) (yescrypt, bcrypt,
     * sha512, sha256) or argon2id, in constant time.  1: it matches, 0: it
     * does not, -1: `stored` is no hash that is accepted here (then 0 work
     * was done; ask with NULL, so that the answer takes its time).
     *
     *   stored  NULL does the work for a user who does not exist
     */
    int (*verify_password)(const struct xa_host *host, const char *stored,
                           const char *given);

    /* 1 if `stored` is a hash that verify_password() accepts, else 0. */
    int (*is_hash)(const char *stored);

    /* Whether two texts are equal, in constant time: 1 or 0. */
    int (*equal)(const char *a, const char *b);

    /*
     * Milliseconds left for the authenticate() in hand, at first 3000; 0
     * when it should have returned.  Also from start(), which has 3000 too.
     */
    int (*time_left_ms)(const struct xa_host *host);
};

/* What a module exports, under the name xa_backend. */
struct xa_backend {
    uint32_t abi;  /* XA_BACKEND_ABI when the module was built */
    uint32_t size; /* sizeof(struct xa_backend), likewise */

    /*
     * Whether the configuration has what this backend needs.  1: yes.
     * 0: no; the backend is left out and the host says so.
     */
    int (*configured)(const struct xa_host *host);

    /*
     * Make the backend ready.  *self is handed to the other calls.
     * 0, or -1 after a line in the log; then stop() is not called, and a
     * login through this backend is refused.  A server that is away is no
     * reason to fail: answer XA_UNAVAILABLE until it is back.
     */
    int (*start)(const struct xa_host *host, void **self);

    /*
     * Ask whether this login has this password.  Both are UTF-8
     * without control characters, not NULL, not empty, within the lengths
     * above, and wiped by the host afterwards.  Must return before
     * host->time_left_ms() is 0; a process whose module is not back five
     * seconds later is ended.
     */
    enum xa_verdict (*authenticate)(void *self, const char *login,
                                    const char *password,
                                    const struct xa_sink *to);

    /* Undo start().  May be NULL. */
    void (*stop)(void *self);
};

extern XA_BACKEND_EXPORT const struct xa_backend xa_backend;

#ifdef __cplusplus
}
#endif

#endif
