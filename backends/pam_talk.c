/* pam_talk.c - one login through libpam. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pam_talk.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the conversation knows, and what it was asked. */
struct talk {
    const char *password;
    int answered;   /* the password went out: it goes out once */
    int asked_more; /* something else was asked, and refused */
};

static void
free_replies(struct pam_response *replies, int count)
{
    for (int i = 0; i < count; i++) {
        if (replies[i].resp)
            explicit_bzero(replies[i].resp, strlen(replies[i].resp));
        free(replies[i].resp);
    }
    free(replies);
}

/* One message of a module.  0, or -1: the talk is over. */
static int
reply_to(const struct pam_message *message, struct talk *talk, char **out)
{
    switch (message->msg_style) {
    case PAM_TEXT_INFO:
    case PAM_ERROR_MSG:
        return 0; /* nobody is there to read it */
    case PAM_PROMPT_ECHO_OFF:
        if (talk->answered)
            break;
        talk->answered = 1;
        /* analyzer: libpam frees it */
        *out = strdup(talk->password);
        return *out ? 0 : -1;
    default: /* a login name, a code: not known here */
        break;
    }
    talk->asked_more = 1;
    return -1;
}

static int
converse(int count, const struct pam_message **messages,
         struct pam_response **out, void *ctx)
{
    struct pam_response *replies;

    if (count <= 0 || count > PAM_MAX_NUM_MSG)
        return PAM_CONV_ERR;
    replies = calloc((size_t)count, sizeof *replies);
    if (!replies)
        return PAM_BUF_ERR;
    for (int i = 0; i < count; i++) {
        if (reply_to(messages[i], ctx, &replies[i].resp) != 0) {
            free_replies(replies, count);
            return PAM_CONV_ERR;
        }
    }
    *out = replies;
    return PAM_SUCCESS;
}

#ifdef PAM_FAIL_DELAY
/* A pause would hold up others, and tell a wrong password by its length:
 * slowing down who guesses is the web server's part. */
static void
no_delay(int code, unsigned usec, void *ctx)
{
    (void)code;
    (void)usec;
    (void)ctx;
}
#endif

static int
set_up(pam_handle_t *pam)
{
#ifdef PAM_FAIL_DELAY
    return pam_set_item(pam, PAM_FAIL_DELAY, (const void *)(uintptr_t)no_delay);
#else
    (void)pam;
    return PAM_SUCCESS;
#endif
}

/*
 * A fault of the stack is FAILED and is logged each time; AUTHINFO_UNAVAIL
 * and what may be over in a moment is UNAVAILABLE; the rest is a refusal.
 */
static enum xa_verdict
verdict_of(int code)
{
    switch (code) {
    case PAM_SUCCESS:
        return XA_GRANTED;
    case PAM_AUTHINFO_UNAVAIL:
    case PAM_TRY_AGAIN:
    case PAM_BUF_ERR:
        return XA_UNAVAILABLE;
    case PAM_ABORT:
    case PAM_BAD_ITEM:
    case PAM_MODULE_UNKNOWN:
    case PAM_NO_MODULE_DATA:
    case PAM_OPEN_ERR:
    case PAM_SERVICE_ERR:
    case PAM_SYMBOL_ERR:
    case PAM_SYSTEM_ERR:
        return XA_FAILED;
    default:
        return XA_DENIED;
    }
}

static void
explain(pam_handle_t *pam, const char *step, int code, const struct talk *talk,
        struct pam_answer *out)
{
    if (talk->asked_more)
        snprintf(out->why, sizeof out->why,
                 "%s asks for more than a password, which is refused", step);
    else if (out->verdict != XA_DENIED && out->verdict != XA_GRANTED)
        snprintf(out->why, sizeof out->why, "%s: %.100s", step,
                 pam_strerror(pam, code));
}

/* The name as the modules leave it: they may change what was typed. */
static int
get_user(pam_handle_t *pam, char *out, size_t size)
{
    const void *item = NULL;
    int code = pam_get_item(pam, PAM_USER, &item);

    if (code != PAM_SUCCESS)
        return code;
    if (!item || strlen(item) >= size)
        return PAM_USER_UNKNOWN;
    snprintf(out, size, "%s", (const char *)item);
    return PAM_SUCCESS;
}

void
pam_talk(const char *service, const struct pam_question *question,
         struct pam_answer *out)
{
    const int flags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;
    struct talk talk = {.password = question->password};
    const struct pam_conv conv = {converse, &talk};
    const char *step = "pam_start";
    pam_handle_t *pam = NULL;
    int code;

    memset(out, 0, sizeof *out);
    out->number = question->number;
    code = pam_start(service, question->login, &conv, &pam);
    if (code == PAM_SUCCESS)
        code = set_up(pam);
    if (code == PAM_SUCCESS) {
        step = "pam_authenticate";
        code = pam_authenticate(pam, flags);
    }
    if (code == PAM_SUCCESS) {
        step = "pam_acct_mgmt";
        code = pam_acct_mgmt(pam, flags);
    }
    if (code == PAM_SUCCESS)
        code = get_user(pam, out->user, sizeof out->user);
    out->verdict = verdict_of(code);
    explain(pam, step, code, &talk, out);
    if (pam)
        pam_end(pam, code);
}
