/* uuid.h - random UUIDs and their one spelling. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SUPPORT_UUID_H
#define XA_SUPPORT_UUID_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

#define XA_UUID_LEN 36
#define XA_UUID_TEXT (XA_UUID_LEN + 1) /* with the NUL */

/*
 * A version 4 UUID (RFC 9562 section 5.4) in lower case, drawn from the
 * kernel's generator by getrandom(2) and from nowhere else.
 *
 * XA_E_UNAVAILABLE: the kernel gave no random bytes; out is "".
 */
XA_MUST_CHECK
enum xa_rc xa_uuid_random(char out[XA_UUID_TEXT], struct xa_err *err);

/*
 * Whether len bytes are 8-4-4-4-12 hexadecimal digits of either case; then
 * out gets them in lower case.  Any version and variant will do.
 */
bool xa_uuid_parse(const char *text, size_t len, char out[XA_UUID_TEXT]);

#endif
