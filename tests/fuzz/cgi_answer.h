/* cgi_answer.h - what every answer must be. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_FUZZ_CGI_ANSWER_H
#define XA_TESTS_FUZZ_CGI_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The one origin that may read answers, where CORS is on. */
#define CGI_ORIGIN "https://app.example"

/* What is known of the request that was answered. */
struct cgi_asked {
    bool authorizer;
    bool may_be_head; /* its method may be HEAD: a length, and no body */
    bool may_fail;    /* the store fails, or the answer may be too long */
};

/*
 * Look at a CGI answer (RFC 3875 section 6) and abort unless it is one: its
 * status stands in the table of errors, its headers are lines, its length is
 * told right, its body is JSON that says the same, and what each status must
 * carry is there.  Returns the status.
 */
unsigned cgi_answer_check(const char *text, size_t len,
                          const struct cgi_asked *asked);

#endif
