/* authctl.c - xivo-authctl, the operator's command line. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "core/base/log.h"
#include "core/service/authctl.h"
#include "core/support/crypto.h"
#include "core/support/process.h"

#define ONE_TOKEN "TOKEN|KEY|-"

static const struct xa_ctl_command commands[] = {
    {"backend list", NULL, "list the backends and whether they started",
     .run = xa_ctl_backend_list},
    {"backend test", "BACKEND",
     "ask a backend who somebody is; the password is read, not given",
     .takes = XA_CTL_LOGIN, .needs = XA_CTL_LOGIN, .run = xa_ctl_backend_test},
    {"config check", NULL, "say whether the configuration is usable",
     .run = xa_ctl_config_check},
    {"config show", NULL,
     "print the configuration, defaults included, secrets hidden",
     .run = xa_ctl_config_show},
    {"passwd", "LOGIN",
     "set the password of a user in the users file, or add the user",
     .takes = XA_CTL_FILE | XA_CTL_UUID | XA_CTL_ACL | XA_CTL_METHOD,
     .run = xa_ctl_passwd},
    {"status", NULL, "say whether the store is usable, and name the backends",
     .run = xa_ctl_status},
    {"store check", NULL,
     "find tokens without a schedule, and entries without a token",
     .takes = XA_CTL_REPAIR, .run = xa_ctl_store_check},
    {"token adopt", NULL,
     "give tokens of another service the schedule that they lack",
     .run = xa_ctl_token_adopt},
    {"token check", ONE_TOKEN,
     "say by the exit code whether a token is valid, and has an ACL",
     .takes = XA_CTL_SCOPE, .run = xa_ctl_token_check},
    {"token list", NULL, "list the valid tokens, or some of them",
     .takes = XA_CTL_AUTH_ID | XA_CTL_EXPIRING_WITHIN,
     .run = xa_ctl_token_list},
    {"token new", NULL, "issue a token; the password is read, not given",
     .takes = XA_CTL_BACKEND | XA_CTL_LOGIN | XA_CTL_EXPIRATION,
     .needs = XA_CTL_BACKEND | XA_CTL_LOGIN, .run = xa_ctl_token_new},
    {"token revoke", ONE_TOKEN, "revoke a token, or all tokens of a user",
     .takes = XA_CTL_AUTH_ID | XA_CTL_SCOPE, .instead = XA_CTL_AUTH_ID,
     .beside = XA_CTL_SCOPE, .run = xa_ctl_token_revoke},
    {"token show", ONE_TOKEN, "show whose a token is, and what it may do",
     .takes = XA_CTL_SCOPE, .run = xa_ctl_token_show},
};

static void
print_usage(FILE *to)
{
    fputs("Usage: " XA_CTL " [-c FILE] [-d] [--json] COMMAND ...\n"
          "       " XA_CTL " COMMAND --help\n"
          "       " XA_CTL " -V, --version | -h, --help\n\nCommands:\n",
          to);
    for (size_t i = 0; i < XA_COUNT(commands); i++)
        fprintf(to, "  %-14s %s\n", commands[i].name, commands[i].summary);
    fputs("\nExit codes: 0 done or valid, 1 no such token or something found,\n"
          "2 ACL missing, otherwise those of sysexits(3).\n",
          to);
}

/* The command that these words begin with; *out_words tells how many. */
static const struct xa_ctl_command *
find_command(int argc, char **argv, int *out_words)
{
    for (size_t i = 0; i < XA_COUNT(commands); i++) {
        const char *name = commands[i].name;
        size_t first = strcspn(name, " ");

        if (strlen(argv[0]) != first || memcmp(argv[0], name, first) != 0)
            continue;
        *out_words = name[first] ? 2 : 1;
        if (!name[first] ||
            (argc > 1 && strcmp(argv[1], name + first + 1) == 0))
            return &commands[i];
    }
    return NULL;
}

static int
exit_code(enum xa_rc rc)
{
    switch (rc) {
    case XA_E_NOTFOUND:
        return 1;
    case XA_E_FORBIDDEN:
        return 2;
    case XA_E_DENIED:
        return EX_NOPERM;
    default:
        return xa_rc_exit_code(rc);
    }
}

static int
run(struct xa_ctl *ctl, const struct xa_ctl_command *command)
{
    struct xa_err err = XA_ERR_NONE;
    enum xa_rc rc;

    rc = xa_log_open(XA_CTL, "stderr", ctl->cli.debug ? XA_DEBUG : XA_WARNING,
                     &err);
    if (rc == XA_OK)
        rc = xa_crypto_init(&err);
    if (rc == XA_OK)
        rc = command->run(ctl, &err);
    if (rc == XA_OK)
        rc = xa_buf_check(&ctl->out, &err);
    if (ctl->write_errno == 0)
        fwrite(xa_buf_text(&ctl->out), 1, ctl->out.len, stdout);
    if (rc != XA_OK)
        xa_log_complain(XA_CTL, err.text);
    return exit_code(rc);
}

/* Parse what is left, find the command, run it. */
static int
dispatch(struct xa_ctl *ctl, int argc, char **argv)
{
    const struct xa_ctl_command *command;
    int words = 0;

    if (argc == 0) {
        fputs(XA_CTL ": no command; try \"" XA_CTL " -h\"\n", stderr);
        return EX_USAGE;
    }
    command = find_command(argc, argv, &words);
    if (!command) {
        fprintf(stderr, XA_CTL ": no such command; try \"" XA_CTL " -h\"\n");
        return EX_USAGE;
    }
    argc -= words - 1;
    argv += words - 1;
    switch (xa_ctl_parse_command(ctl, command, argc, argv)) {
    case XA_CTL_RUN:
        return run(ctl, command);
    case XA_CTL_HELP:
        xa_ctl_print_help(command);
        return EX_OK;
    case XA_CTL_VERSION:
        puts(XA_CTL " " PACKAGE_VERSION);
        return EX_OK;
    case XA_CTL_WRONG:
        break;
    }
    return EX_USAGE;
}

/* A list whose reader has seen enough is no failure.  Other output that is lost
 * is one, though of a pipe that was closed nothing need be said. */
static int
end_output(const struct xa_ctl *ctl, int code)
{
    int number = ctl->write_errno;

    if (number == EPIPE)
        return code;
    if (number == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        number = errno;
    if (number == 0)
        return code;
    if (number != EPIPE)
        fprintf(stderr, XA_CTL ": standard output: %s\n", strerror(number));
    return code == EX_OK ? EX_IOERR : code;
}

int
main(int argc, char **argv)
{
    XA_AUTO(xa_ctl_done) struct xa_ctl ctl = {.out = XA_BUF(XA_CTL_OUTPUT_MAX)};
    int code = EX_USAGE;
    int next = 0;

    xa_process_protect();
    signal(SIGPIPE, SIG_IGN); /* what is done must be done whole */
    switch (xa_ctl_parse_global(&ctl, argc, argv, &next)) {
    case XA_CTL_RUN:
        code = dispatch(&ctl, argc - next, argv + next);
        break;
    case XA_CTL_HELP:
        print_usage(stdout);
        code = EX_OK;
        break;
    case XA_CTL_VERSION:
        puts(XA_CTL " " PACKAGE_VERSION);
        code = EX_OK;
        break;
    case XA_CTL_WRONG:
        break;
    }
    code = end_output(&ctl, code);
    xa_ctl_die_of_signal();
    return code;
}
