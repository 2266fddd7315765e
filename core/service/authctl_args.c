/* authctl_args.c - the command line of xivo-authctl. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define FIRST_LONG 256 /* options without a letter count from here */
#define JSON (FIRST_LONG - 1)

/* Where an option goes, and how the help shows it. */
static const struct {
    enum xa_ctl_option bit;
    const char *name;
    const char *arg;
    size_t offset; /* in struct xa_ctl_args; of a list for --acl */
    const char *help;
} options[] = {
    {XA_CTL_AUTH_ID, "auth-id", "ID", offsetof(struct xa_ctl_args, auth_id),
     "whose tokens"},
    {XA_CTL_EXPIRING_WITHIN, "expiring-within", "SECONDS",
     offsetof(struct xa_ctl_args, expiring_within),
     "only tokens that end within so long"},
    {XA_CTL_REPAIR, "repair", NULL, offsetof(struct xa_ctl_args, repair),
     "mend what can be mended"},
    {XA_CTL_BACKEND, "backend", "NAME", offsetof(struct xa_ctl_args, backend),
     "the backend that knows the login"},
    {XA_CTL_LOGIN, "login", "LOGIN", offsetof(struct xa_ctl_args, login),
     "who it is"},
    {XA_CTL_EXPIRATION, "expiration", "SECONDS",
     offsetof(struct xa_ctl_args, expiration),
     "how long it lives; default_token_lifetime without it"},
    {XA_CTL_SCOPE, "scope", "ACL", offsetof(struct xa_ctl_args, scope),
     "the ACL that it must have"},
    {XA_CTL_FILE, "file", "FILE", offsetof(struct xa_ctl_args, file),
     "the users file (-f); users_file.path without it"},
    {XA_CTL_UUID, "uuid", "UUID", offsetof(struct xa_ctl_args, uuid),
     "the user's UUID; a new user gets a random one"},
    {XA_CTL_ACL, "acl", "ACL", offsetof(struct xa_ctl_args, acls),
     "an ACL of the user, in place of those so far; may be repeated"},
    {XA_CTL_METHOD, "method", "METHOD", offsetof(struct xa_ctl_args, method),
     "yescrypt (the default), bcrypt, sha512 or argon2id"},
};

#define OPTION_COUNT (int)XA_COUNT(options)

static const char letters[] = "c:df:hV";

/* The table as getopt_long(3) wants it. */
static void
fill_long_options(struct option out[])
{
    static const struct option common[] = {
        {"config", required_argument, NULL, 'c'},
        {"debug", no_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {"json", no_argument, NULL, JSON},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };

    for (int i = 0; i < OPTION_COUNT; i++)
        out[i] = (struct option){
            options[i].name, options[i].arg ? required_argument : no_argument,
            NULL, FIRST_LONG + i};
    memcpy(out + OPTION_COUNT, common, sizeof common);
}

#define LONG_OPTIONS_MAX (XA_COUNT(options) + 6)

/* Options that stand in front of a command and behind it alike. */
static enum xa_ctl_parsed
take_common(struct xa_ctl *ctl, int c)
{
    switch (c) {
    case 'c':
        ctl->cli.path = optarg;
        return XA_CTL_RUN;
    case 'd':
        ctl->cli.debug = true;
        return XA_CTL_RUN;
    case JSON:
        ctl->json = true;
        return XA_CTL_RUN;
    case 'h':
        return XA_CTL_HELP;
    case 'V':
        return XA_CTL_VERSION;
    default: /* getopt has said what is wrong */
        fputs("Try \"" XA_CTL " -h\".\n", stderr);
        return XA_CTL_WRONG;
    }
}

enum xa_ctl_parsed
xa_ctl_parse_global(struct xa_ctl *ctl, int argc, char **argv, int *out_next)
{
    struct option longs[LONG_OPTIONS_MAX];
    enum xa_ctl_parsed parsed;
    int c;

    fill_long_options(longs);
    while ((c = getopt_long(argc, argv, "+c:dhV", longs + OPTION_COUNT,
                            NULL)) != -1) {
        parsed = take_common(ctl, c);
        if (parsed != XA_CTL_RUN)
            return parsed;
    }
    *out_next = optind;
    return XA_CTL_RUN;
}

static enum xa_ctl_parsed
complain(const struct xa_ctl_command *command, const char *what,
         const char *which)
{
    fprintf(stderr, XA_CTL ": %s: %s%s; try \"" XA_CTL " %s --help\"\n",
            command->name, what, which, command->name);
    return XA_CTL_WRONG;
}

static enum xa_ctl_parsed
take_own(struct xa_ctl *ctl, const struct xa_ctl_command *command, int i,
         unsigned *seen)
{
    char *where = (char *)&ctl->args + options[i].offset;

    if (!(command->takes & options[i].bit))
        return complain(command, "it does not take --", options[i].name);
    if (options[i].bit == XA_CTL_ACL) {
        if (xa_strlist_add(&ctl->args.acls, optarg, NULL) != XA_OK)
            return complain(command, "out of memory", "");
    } else if (*seen & options[i].bit) {
        return complain(command, "given twice: --", options[i].name);
    } else {
        *(const char **)(void *)where = optarg ? optarg : options[i].name;
    }
    *seen |= options[i].bit;
    return XA_CTL_RUN;
}

static int
option_of_letter(int c)
{
    for (int i = 0; c == 'f' && i < OPTION_COUNT; i++)
        if (options[i].bit == XA_CTL_FILE)
            return i;
    return c - FIRST_LONG;
}

/* What stands behind the options, and what is missing. */
static enum xa_ctl_parsed
take_operand(struct xa_ctl *ctl, const struct xa_ctl_command *command,
             unsigned seen, int argc, char **argv)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (command->needs & ~seen & options[i].bit)
            return complain(command, "missing --", options[i].name);
        if (seen & command->instead && seen & command->beside & options[i].bit)
            return complain(command, "not for many tokens: --",
                            options[i].name);
    }
    if (argc > (command->operand && !(seen & command->instead) ? 1 : 0))
        return complain(command, "too many arguments", "");
    if (command->operand && argc == 0 && !(seen & command->instead))
        return complain(command, "missing ", command->operand);
    ctl->args.operand = argc > 0 ? argv[0] : NULL;
    return XA_CTL_RUN;
}

enum xa_ctl_parsed
xa_ctl_parse_command(struct xa_ctl *ctl, const struct xa_ctl_command *command,
                     int argc, char **argv)
{
    struct option longs[LONG_OPTIONS_MAX];
    char name[] = XA_CTL;
    enum xa_ctl_parsed parsed = XA_CTL_RUN;
    unsigned seen = 0;
    int c;

    argv[0] = name; /* in getopt's complaints */
    fill_long_options(longs);
    optind = 0; /* glibc: begin anew */
    while (parsed == XA_CTL_RUN &&
           (c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        int i = option_of_letter(c);

        parsed =
            i >= 0 ? take_own(ctl, command, i, &seen) : take_common(ctl, c);
    }
    argv[0] = NULL;
    if (parsed != XA_CTL_RUN)
        return parsed;
    return take_operand(ctl, command, seen, argc - optind, argv + optind);
}

void
xa_ctl_print_help(const struct xa_ctl_command *command)
{
    printf("Usage: " XA_CTL " [-c FILE] [-d] [--json] %s", command->name);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (command->needs & options[i].bit)
            printf(" --%s %s", options[i].name, options[i].arg);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (command->takes & ~command->needs & options[i].bit)
            printf(" [--%s%s%s]%s", options[i].name, options[i].arg ? " " : "",
                   options[i].arg ? options[i].arg : "",
                   options[i].bit == XA_CTL_ACL ? "..." : "");
    if (command->operand)
        printf(command->instead ? " [%s]" : " %s", command->operand);
    printf("\n\n%s.\n\n", command->summary);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (command->takes & options[i].bit)
            printf("  --%-15s %-8s %s\n", options[i].name,
                   options[i].arg ? options[i].arg : "", options[i].help);
    puts("  --json                     JSON, not a table\n"
         "  -c FILE                    configuration ($XIVO_AUTH_CONFIG, else"
         " the one installed)\n"
         "  -d                         log everything to standard error");
}
