/* authctl.h - the inside of xivo-authctl. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A command is one function.  It opens what it needs, prints what it found,
 * and returns a code that main turns into the exit code; the sentence in err
 * goes to standard error.
 */
#ifndef XA_SERVICE_AUTHCTL_H
#define XA_SERVICE_AUTHCTL_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/service/registry.h"
#include "core/service/token_manager.h"
#include "core/support/config.h"
#include "core/token/store.h"

#define XA_CTL "xivo-authctl"
#define XA_CTL_OUTPUT_MAX (16u * 1024 * 1024) /* bytes held before printing */

/* What stands behind a command; NULL: not given.  Lent by argv. */
struct xa_ctl_args {
    const char *auth_id;
    const char *backend;
    const char *expiration;
    const char *expiring_within;
    const char *file;
    const char *login;
    const char *method;
    const char *repair; /* not NULL: given */
    const char *scope;
    const char *uuid;
    struct xa_strlist acls;
    char *operand;
};

/* One run. */
struct xa_ctl {
    struct xa_config_cli cli;
    bool json;
    struct xa_ctl_args args;
    struct xa_buf out; /* what goes to standard output at the end */
    int write_errno;   /* why standard output took no more of a list; 0 */

    /* Each NULL until the call below that opens it. */
    struct xa_config *config;
    struct xa_store *store;
    struct xa_registry *registry;
    struct xa_token_manager *manager;
};

/* Options that a command may take, beside those that each one takes. */
enum xa_ctl_option {
    XA_CTL_ACL = 1u << 0,
    XA_CTL_BACKEND = 1u << 1,
    XA_CTL_EXPIRATION = 1u << 2,
    XA_CTL_FILE = 1u << 3,
    XA_CTL_LOGIN = 1u << 4,
    XA_CTL_METHOD = 1u << 5,
    XA_CTL_SCOPE = 1u << 6,
    XA_CTL_UUID = 1u << 7,
    XA_CTL_AUTH_ID = 1u << 8,
    XA_CTL_EXPIRING_WITHIN = 1u << 9,
    XA_CTL_REPAIR = 1u << 10
};

struct xa_ctl_command {
    const char *name;    /* one word or two: "token new" */
    const char *operand; /* how the help calls it; NULL: there is none */
    const char *summary; /* a line without a full stop */
    unsigned takes;      /* of enum xa_ctl_option */
    unsigned needs;      /* those of them that must be given */
    unsigned instead;    /* that one of them that stands for the operand */
    unsigned beside;     /* those of them that go with the operand only */
    enum xa_rc (*run)(struct xa_ctl *ctl, struct xa_err *err);
};

/* --- the command line (authctl_args.c) --- */

enum xa_ctl_parsed { XA_CTL_RUN, XA_CTL_HELP, XA_CTL_VERSION, XA_CTL_WRONG };

/*
 * Read options in front of the command; *out_next is the index of the first
 * word that is none.  A complaint has been printed when it is WRONG.
 */
enum xa_ctl_parsed xa_ctl_parse_global(struct xa_ctl *ctl, int argc,
                                       char **argv, int *out_next);

/* Read what stands behind the words of a command: argv[0] is the last of
 * them, and is changed to the program's name. */
enum xa_ctl_parsed xa_ctl_parse_command(struct xa_ctl *ctl,
                                        const struct xa_ctl_command *command,
                                        int argc, char **argv);

/* The help of one command, on standard output. */
void xa_ctl_print_help(const struct xa_ctl_command *command);

/* --- what commands open (authctl_open.c) --- */

XA_MUST_CHECK
enum xa_rc xa_ctl_open_config(struct xa_ctl *ctl, struct xa_err *err);

/* The configuration and the store; and the token manager over it. */
XA_MUST_CHECK
enum xa_rc xa_ctl_open_store(struct xa_ctl *ctl, struct xa_err *err);

/* The configuration and the backends. */
XA_MUST_CHECK
enum xa_rc xa_ctl_open_registry(struct xa_ctl *ctl, struct xa_err *err);

/*
 * Read the password of --login and ask a backend.
 *
 *   out  an empty identity; filled on XA_OK
 *
 * XA_E_INVALID: no such backend, no password came.  XA_E_DENIED.
 * XA_E_UNAVAILABLE: the backend's server does not answer.
 */
XA_MUST_CHECK
enum xa_rc xa_ctl_authenticate(struct xa_ctl *ctl, const char *backend,
                               struct xa_identity *out, struct xa_err *err);

void xa_ctl_done(struct xa_ctl *ctl);

/* --- the terminal (authctl_input.c) --- */

/*
 * Read a line that nobody shall see: from the terminal, with a prompt and no
 * echo, or one line from standard input when that is none.
 *
 *   out  without the newline
 *
 * XA_E_INVALID: nothing came, more than 4096 bytes, a NUL, no UTF-8.
 */
XA_MUST_CHECK
enum xa_rc xa_ctl_read_secret(const char *prompt, struct xa_secret **out,
                              struct xa_err *err);

/* The same, twice when it is a terminal.  XA_E_INVALID: they differ. */
XA_MUST_CHECK
enum xa_rc xa_ctl_read_new_password(struct xa_secret **out, struct xa_err *err);

/* --- output (authctl_print.c) --- */

/* A line `name  value` of a table; NULL is shown as `-`. */
void xa_ctl_put_row(struct xa_ctl *ctl, const char *name, const char *value);

/* One line an ACL, the name on the first. */
void xa_ctl_put_acls(struct xa_ctl *ctl, const char *const *acls, size_t count);

/* A token as a table or as JSON, its key shortened or whole; the token itself
 * when with_id. */
void xa_ctl_put_token(struct xa_ctl *ctl, const struct xa_token *token,
                      const struct xa_key *key, bool with_id);

/*
 * Write what stands in ctl->out to standard output now, for output without
 * end.  When it cannot be written, that is XA_OK and ctl->write_errno: there
 * is no use in going on.
 *
 * Else as xa_buf_check().
 */
XA_MUST_CHECK
enum xa_rc xa_ctl_flush(struct xa_ctl *ctl, struct xa_err *err);

/* --- long work (authctl_progress.c) --- */

/* On standard error, when that is a terminal. */
struct xa_ctl_progress {
    const char *words; /* "tokens revoked"; static */
    int64_t said_ms;   /* when something was said last; 0: nothing is to be */
    bool is_open;      /* a line that waits for its end */
};

/* From here on INT and TERM, unless they are ignored, do not end the process:
 * the work does when xa_ctl_progress() is false, and says what it has done. */
void xa_ctl_progress_begin(struct xa_ctl_progress *progress, const char *words);
bool xa_ctl_progress(struct xa_ctl_progress *progress, uint64_t done);
void xa_ctl_progress_end(struct xa_ctl_progress *progress);

/* Whether such a signal came. */
bool xa_ctl_is_interrupted(void);

/* Then end by it, as the shell expects; all has been said. */
void xa_ctl_die_of_signal(void);

/* --- commands --- */

enum xa_rc xa_ctl_backend_list(struct xa_ctl *ctl, struct xa_err *err);
enum xa_rc xa_ctl_backend_test(struct xa_ctl *ctl, struct xa_err *err);
enum xa_rc xa_ctl_config_check(struct xa_ctl *ctl, struct xa_err *err);
enum xa_rc xa_ctl_config_show(struct xa_ctl *ctl, struct xa_err *err);
enum xa_rc xa_ctl_passwd(struct xa_ctl *ctl, struct xa_err *err);
enum xa_rc xa_ctl_status(struct xa_ctl *ctl, struct xa_err *err);
enum xa_rc xa_ctl_store_check(struct xa_ctl *ctl, struct xa_err *err);
enum xa_rc xa_ctl_token_adopt(struct xa_ctl *ctl, struct xa_err *err);
enum xa_rc xa_ctl_token_check(struct xa_ctl *ctl, struct xa_err *err);
enum xa_rc xa_ctl_token_list(struct xa_ctl *ctl, struct xa_err *err);
enum xa_rc xa_ctl_token_new(struct xa_ctl *ctl, struct xa_err *err);
enum xa_rc xa_ctl_token_revoke(struct xa_ctl *ctl, struct xa_err *err);
enum xa_rc xa_ctl_token_revoke_user(struct xa_ctl *ctl, struct xa_err *err);
enum xa_rc xa_ctl_token_show(struct xa_ctl *ctl, struct xa_err *err);

#endif
