/* pam_odd.c - a PAM module: the login chooses what it does. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The part of the login before a dash is the act of pam_authenticate(), the
 * part behind it of pam_acct_mgmt(); a number is what that one returns.
 * Everybody has the same password.
 */
#include <fcntl.h>
#include <security/pam_modules.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD "open: s\xc3\xa9same\xc3\xbf :"
#define EXPORT __attribute__((visibility("default")))

EXPORT int pam_sm_authenticate(pam_handle_t *pam, int flags, int argc,
                               const char **argv);
EXPORT int pam_sm_acct_mgmt(pam_handle_t *pam, int flags, int argc,
                            const char **argv);
EXPORT int pam_sm_setcred(pam_handle_t *pam, int flags, int argc,
                          const char **argv);

/* The password, and a further question of that style; 0: no further one. */
static int
ask(pam_handle_t *pam, int style)
{
    static const struct pam_message password = {PAM_PROMPT_ECHO_OFF, "?"};
    const struct pam_message second = {style, "and?"};
    const struct pam_message *messages[] = {&password, &second};
    struct pam_response *replies = NULL;
    const struct pam_conv *conv = NULL;
    int count = style ? 2 : 1;
    int code;

    code = pam_get_item(pam, PAM_CONV, (const void **)&conv);
    if (code != PAM_SUCCESS || !conv)
        return PAM_SYSTEM_ERR;
    code = conv->conv(count, messages, &replies, conv->appdata_ptr);
    if (code != PAM_SUCCESS)
        return code;
    code = replies[0].resp && strcmp(replies[0].resp, PASSWORD) == 0
               ? PAM_SUCCESS
               : PAM_AUTH_ERR;
    for (int i = 0; i < count; i++)
        free(replies[i].resp);
    free(replies);
    return code;
}

static int
fine(pam_handle_t *pam)
{
    return ask(pam, 0);
}

static int
twice(pam_handle_t *pam)
{
    int code = ask(pam, 0);

    return code == PAM_SUCCESS ? ask(pam, 0) : code;
}

static int
hidden(pam_handle_t *pam)
{
    return ask(pam, PAM_PROMPT_ECHO_OFF);
}

static int
shown(pam_handle_t *pam)
{
    return ask(pam, PAM_PROMPT_ECHO_ON);
}

static int
chatty(pam_handle_t *pam)
{
    return ask(pam, PAM_TEXT_INFO);
}

static _Noreturn void
sleep_for_ever(void)
{
    for (;;)
        pause();
}

static int
hang(pam_handle_t *pam)
{
    (void)pam;
    sleep_for_ever();
}

static int
die(pam_handle_t *pam)
{
    (void)pam;
    raise(SIGKILL);
    return PAM_SUCCESS;
}

/* Its child keeps every descriptor and goes on for ever. */
static int
leave_child(pam_handle_t *pam)
{
    if (fork() == 0)
        sleep_for_ever();
    return ask(pam, 0);
}

/* Nothing is open but the streams and the one for the answer. */
static int
see_few_files(pam_handle_t *pam)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count == 4 ? ask(pam, 0) : PAM_SYSTEM_ERR;
}

static int
see_plain_signals(pam_handle_t *pam)
{
    struct sigaction now;
    sigset_t mask;

    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int sig = 1; sig < NSIG; sig++) {
        if (sigaction(sig, NULL, &now) != 0)
            continue;
        if (now.sa_handler != SIG_DFL || sigismember(&mask, sig) == 1)
            return PAM_SYSTEM_ERR;
    }
    return ask(pam, 0);
}

static int
rename_user(pam_handle_t *pam)
{
    pam_set_item(pam, PAM_USER, "the-account");
    return ask(pam, 0);
}

static int
garble_user(pam_handle_t *pam)
{
    pam_set_item(pam, PAM_USER, "the\naccount");
    return ask(pam, 0);
}

static int
drop_user(pam_handle_t *pam)
{
    pam_set_item(pam, PAM_USER, NULL);
    return ask(pam, 0);
}

/* What a stack does that slows down guessing. */
static int
delay(pam_handle_t *pam)
{
    pam_fail_delay(pam, 2900000);
    return PAM_AUTH_ERR;
}

static int
act(pam_handle_t *pam, const char *name, size_t len)
{
    static const struct {
        const char *name;
        int (*run)(pam_handle_t *pam);
    } acts[] = {
        {"chatty", chatty},
        {"delay", delay},
        {"die", die},
        {"drop_user", drop_user},
        {"files", see_few_files},
        {"fine", fine},
        {"garble", garble_user},
        {"hang", hang},
        {"hidden", hidden},
        {"linger", leave_child},
        {"rename", rename_user},
        {"shown", shown},
        {"signals", see_plain_signals},
        {"twice", twice},
    };

    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (strlen(acts[i].name) == len &&
            strncmp(acts[i].name, name, len) == 0)
            return acts[i].run(pam);
    return len > 0 && strspn(name, "0123456789") >= len ? atoi(name)
                                                        : PAM_USER_UNKNOWN;
}

int
pam_sm_authenticate(pam_handle_t *pam, int flags, int argc, const char **argv)
{
    const char *login = NULL;

    (void)flags;
    (void)argc;
    (void)argv;
    if (pam_get_user(pam, &login, NULL) != PAM_SUCCESS)
        return PAM_AUTH_ERR;
    return act(pam, login, strcspn(login, "-"));
}

int
pam_sm_acct_mgmt(pam_handle_t *pam, int flags, int argc, const char **argv)
{
    const void *login = NULL;
    const char *dash;

    (void)flags;
    (void)argc;
    (void)argv;
    if (pam_get_item(pam, PAM_USER, &login) != PAM_SUCCESS || !login)
        return PAM_SUCCESS;
    dash = strchr(login, '-');
    if (!dash || strcmp(login, "the-account") == 0)
        return PAM_SUCCESS;
    return act(pam, dash + 1, strlen(dash + 1));
}

int
pam_sm_setcred(pam_handle_t *pam, int flags, int argc, const char **argv)
{
    (void)pam;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_SUCCESS;
}
