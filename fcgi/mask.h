/* mask.h - text of a request as a log may show it. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_MASK_H
#define XA_FCGI_MASK_H

#define XA_MASK_TEXT 1536 /* bytes, with the NUL */

/*
 * Make a path or a query fit for the log.  Percent-encoding is undone where
 * it can be, so that it hides nothing.  What follows `/token/` up to the next
 * slash, and every run of hexadecimal digits and dashes that could be a token
 * or most of one, becomes the first 12 digits of its token key.  What is too
 * long is cut, and never inside such a run.
 *
 *   text  may be NULL, then out is ""
 *
 * Returns out.
 */
const char *xa_mask(const char *text, char out[XA_MASK_TEXT]);

#endif
