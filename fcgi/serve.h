/* serve.h - between the loop and the application. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_SERVE_H
#define XA_FCGI_SERVE_H

#include "fcgi/app.h"

/*
 * Serve until a signal ends it and the drain is over.
 *
 *   listen_fd  a listening socket; stays the caller's
 *
 * XA_E_INVALID: listen_fd is none.  XA_E_UNAVAILABLE, XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_serve(int listen_fd, const struct xa_app *app,
                    struct xa_err *err);

#endif
