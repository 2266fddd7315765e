/* http_server.h - a server that plays a script, for one test. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_HTTP_SERVER_H
#define XA_TESTS_HTTP_SERVER_H

#include <stddef.h>
#include <sys/types.h>

/* What it does with one request, in the order of the script. */
struct step {
    enum {
        STEP_ANSWER, /* send `text` */
        STEP_ECHO,   /* answer 200 with the request itself as body */
        STEP_SILENT, /* nothing; the connection stays until the client ends */
        STEP_CLOSE,  /* send `text`, then end the connection */
        STEP_RESET   /* end the connection rudely */
    } kind;
    const char *text;
};

/* A process that serves connections one after the other, each as long as the
 * script and the client let it. */
struct server {
    pid_t pid;
    unsigned port;
};

void server_begin(struct server *server, const struct step *steps,
                  size_t count);

/* Wait for its end, when the script is played and the client has closed; how
 * many connections it had, or -1 if that takes too long. */
int server_end(struct server *server);

/* A port on which nobody listens. */
unsigned unused_port(void);

#endif
