/* clock.h - the three clocks, and an instant as text. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Only mains, the responder's loop and the daemon ask what time it is; every
 * rule gets the time as an argument, so that tests own time.
 */
#ifndef XA_BASE_CLOCK_H
#define XA_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define XA_US_PER_S INT64_C(1000000)
#define XA_CLOCK_TEXT 27 /* "2016-12-05T11:16:58.557553", with the NUL */

/* Wall clock: Unix time in microseconds. */
int64_t xa_clock_now_us(void);

/* Monotonic clock in milliseconds, for deadlines inside one process. */
int64_t xa_clock_mono_ms(void);

/* Boot clock in microseconds: goes on in suspend, never jumps. */
int64_t xa_clock_boot_us(void);

/*
 * An instant as text with six digits of microseconds and no zone suffix, in
 * the local time zone (TZ) or in UTC.  An instant outside the years 0 to 9999
 * gives "".  A signal handler may use the second of them.
 */
void xa_clock_format_local(int64_t unix_us, char out[XA_CLOCK_TEXT]);
void xa_clock_format_utc(int64_t unix_us, char out[XA_CLOCK_TEXT]);

/*
 * Read such a text back; the fraction may be missing, or shorter.  A local
 * hour that the clock showed twice means the first time, and one that it left
 * out is counted as if it had gone on as before: both by the offset from UTC
 * that was in force until then.
 *
 * false, and out unchanged: not of this form, no date of the calendar, or a
 * year before 1970.
 */
bool xa_clock_parse_local(const char *text, int64_t *out_us);
bool xa_clock_parse_utc(const char *text, int64_t *out_us);

#endif
