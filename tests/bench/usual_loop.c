/* usual_loop.c - a 204 from libfcgi's own loop. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loop of every example of libfcgi: accept, answer, close.  It is what
 * the loop of fcgi/io.h is measured against.
 */
#include "config.h"

#include <fcgiapp.h>

int
main(void)
{
    FCGX_Request request;

    if (FCGX_Init() != 0)
        return 70;
    FCGX_InitRequest(&request, 0, 0);
    while (FCGX_Accept_r(&request) == 0) {
        FCGX_PutS("Status: 204 No Content\r\n\r\n", request.out);
        FCGX_Finish_r(&request);
    }
    return 0;
}
