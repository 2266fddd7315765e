/* config_cors.h - whether rest_api.cors can go out as headers. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SUPPORT_CONFIG_CORS_H
#define XA_SUPPORT_CONFIG_CORS_H

#include "core/base/err.h"
#include "core/support/config.h"

#define XA_CORS_LINE_MAX 2048 /* bytes of one list as the value of a header */

/*
 * Check rest_api.cors, if it is enabled, and bring methods into upper case.
 * After XA_OK every text in it may stand in a header as it is:
 *
 *   origins  "*", or each as a browser sends it: scheme://host[:port]
 *   methods, allow_headers, expose_headers
 *            tokens of HTTP; the two of headers may have "*"
 *
 * No "*" goes together with supports_credentials: with an origin any page
 * could act as whoever is logged in, and of a header it would mean nothing.
 *
 * XA_E_CONFIG: the complaint.
 */
XA_MUST_CHECK
enum xa_rc xa_config_check_cors(struct xa_config *config, struct xa_err *err);

#endif
