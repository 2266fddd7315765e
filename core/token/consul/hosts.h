/* hosts.h - the hosts of the configuration, and URLs to them. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_CONSUL_HOSTS_H
#define XA_TOKEN_CONSUL_HOSTS_H

#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/support/config.h"
#include "core/support/http.h"
#include "core/token/consul/client.h"

/*
 * An HTTP client with the certificates and the token of consul.*.
 *
 *   out  set on XA_OK only; release with xa_http_free()
 *
 * XA_E_CONFIG: a certificate or key cannot be read.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_consul_http_new(const struct xa_config *config,
                              struct xa_http **out, struct xa_err *err);

/*
 * Write the URL of a request to a host of the list.
 *
 *   out  is cleared first
 *
 * XA_E_INVALID: longer than out may grow.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_consul_url(const struct xa_config *config, size_t host,
                         const struct xa_consul_request *request,
                         struct xa_buf *out, struct xa_err *err);

#endif
