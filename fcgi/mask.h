/* mask.h - text of a request as a log may show it. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_MASK_H
#define XA_FCGI_MASK_H

#define XA_MASK_TEXT 1536 /* bytes, with the NUL */
#define XA_MASK_DIGITS 12 /* of a token key, in place of a token */

/*
 * Make a path or a query fit for the log.  Percent-encoding is undone where
 * it can be, so that it hides nothing.  What follows `/token/` up to the next
 * slash, and every run of hexadecimal digits and dashes that could be a token
 * or most of one, becomes the first digits of its token key.  What is too
 * long is cut, and never inside such a run.
 *
 *   text  may be NULL, then out is ""
 *
 * Returns out.
 */
const char *xa_mask(const char *text, char out[XA_MASK_TEXT]);

#endif
