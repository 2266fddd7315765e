/* config_check.h - rules that need more than one key. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SUPPORT_CONFIG_CHECK_H
#define XA_SUPPORT_CONFIG_CHECK_H

#include "core/base/err.h"
#include "core/support/config.h"

/* Check what the keys say together, add notes, and bring values into the form
 * that is used.  XA_E_CONFIG: the complaint.  XA_E_NOMEM. */
XA_MUST_CHECK
enum xa_rc xa_config_check(struct xa_config *config, struct xa_err *err);

#endif
