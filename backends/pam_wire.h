/* pam_wire.h - what a process and its PAM helper say to each other. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Both are forks of one program, so a message is a structure, sent whole as
 * one packet (SOCK_SEQPACKET) or one write to a pipe.  Its number tells which
 * question an answer belongs to.
 */
#ifndef XA_BACKENDS_PAM_WIRE_H
#define XA_BACKENDS_PAM_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include <xivo-auth/backend.h>

#define PAM_WHY_BYTES 160

struct pam_question {
    uint64_t number; /* one more for each question */
    int32_t limit_ms;
    char login[XA_BACKEND_LOGIN_MAX + 1];
    char password[XA_BACKEND_PASSWORD_MAX + 1];
};

struct pam_answer {
    uint64_t number;                  /* of the question */
    int32_t verdict;                  /* enum xa_verdict */
    char user[XA_BACKEND_ID_MAX + 1]; /* with XA_GRANTED: the account's name */
    char why[PAM_WHY_BYTES];          /* "", or what the log should say */
};

/* A question without the parts that the caller's process fills.  Both texts
 * are within the limits of backend.h. */
void pam_question_make(struct pam_question *out, uint64_t number,
                       int32_t limit_ms, const char *login,
                       const char *password);

/* An answer that is no XA_GRANTED. */
void pam_answer_refuse(struct pam_answer *out, uint64_t number,
                       enum xa_verdict verdict, const char *why);

/* Monotonic milliseconds. */
int64_t pam_now_ms(void);

/* How receiving ended. */
enum pam_receipt { PAM_RECEIVED, PAM_LATE, PAM_CLOSED };

/* Send one message.  0, or -1 when the other end is gone or stuck. */
int pam_send(int fd, const void *message, size_t size);

/*
 * Receive one message of exactly that size.
 *
 *   until_ms  monotonic; negative: wait for ever
 *
 * PAM_CLOSED: the other end is gone, or sent something else.
 */
enum pam_receipt pam_receive(int fd, void *message, size_t size,
                             int64_t until_ms);

#endif
