/* clock.c - the three clocks, and an instant as text. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/base/clock.h"

#include <time.h>

static int64_t
read_clock_ns(clockid_t id)
{
    struct timespec ts = {0};

    /* Cannot fail for the three clocks below on any Linux that runs us. */
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

int64_t
xa_clock_now_us(void)
{
    return read_clock_ns(CLOCK_REALTIME) / 1000;
}

int64_t
xa_clock_mono_ms(void)
{
    return read_clock_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t
xa_clock_boot_us(void)
{
    return read_clock_ns(CLOCK_BOOTTIME) / 1000;
}

/* So many digits of a number, and what follows them.  Returns the end. */
static char *
put_digits(char *out, int number, int digits, char behind)
{
    for (int i = digits; i > 0; i--, number /= 10)
        out[i - 1] = (char)('0' + number % 10);
    out[digits] = behind;
    return out + digits + 1;
}

/* By hand, because each answer with a token has four of them. */
static void
put_date(char *out, const struct tm *tm, int micros)
{
    out = put_digits(out, tm->tm_year + 1900, 4, '-');
    out = put_digits(out, tm->tm_mon + 1, 2, '-');
    out = put_digits(out, tm->tm_mday, 2, 'T');
    out = put_digits(out, tm->tm_hour, 2, ':');
    out = put_digits(out, tm->tm_min, 2, ':');
    out = put_digits(out, tm->tm_sec, 2, '.');
    put_digits(out, micros, 6, '\0');
}

static void
format(int64_t unix_us, struct tm *(*to_tm)(const time_t *, struct tm *),
       char out[XA_CLOCK_TEXT])
{
    int64_t seconds = unix_us / XA_US_PER_S;
    int64_t micros = unix_us % XA_US_PER_S;
    struct tm tm;
    time_t t;

    if (micros < 0) { /* before 1970 the remainder is negative */
        micros += XA_US_PER_S;
        seconds--;
    }
    t = (time_t)seconds;
    out[0] = '\0';
    if (to_tm(&t, &tm) && tm.tm_year >= -1900 && tm.tm_year <= 9999 - 1900)
        put_date(out, &tm, (int)micros);
}

void
xa_clock_format_local(int64_t unix_us, char out[XA_CLOCK_TEXT])
{
    format(unix_us, localtime_r, out);
}

void
xa_clock_format_utc(int64_t unix_us, char out[XA_CLOCK_TEXT])
{
    format(unix_us, gmtime_r, out);
}
