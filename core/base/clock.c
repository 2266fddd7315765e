/* clock.c - the three clocks, and an instant as text. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/base/clock.h"

#include <string.h>
#include <time.h>

#include "core/base/str.h"

/* The first second of the year 0 and the last one of 9999, in UTC. */
#define FIRST_S INT64_C(-62167219200)
#define LAST_S INT64_C(253402300799)

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
put_digits(char *out, int number, size_t digits, char behind)
{
    out = xa_str_put_digits(out, (uint64_t)number, digits);
    *out++ = behind;
    return out;
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

/*
 * gmtime_r() for years that put_date() writes, which takes no lock, so that a
 * signal handler may use it, and costs a tenth.  Counted in years that begin
 * in March, so that a leap day is the last one, and in 400 of them, which all
 * have as many days.
 */
static bool
to_utc(int64_t seconds, struct tm *out)
{
    const int64_t days_of_400 = 146097;
    const int64_t from_march_0 = 719468; /* days from then to 1970 */
    int64_t day = seconds / 86400 - (seconds % 86400 < 0);
    int second = (int)(seconds - day * 86400);
    int64_t era, of_era, year, of_year, month;

    if (seconds < FIRST_S || seconds > LAST_S)
        return false;
    day += from_march_0 + days_of_400; /* the year 0 begins before March */
    era = day / days_of_400 - 1;
    of_era = day % days_of_400;
    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year + year / 4 - year / 100);
    month = (5 * of_year + 2) / 153; /* from March: 31, 30, 31, 30, 31 days */
    out->tm_mday = (int)(of_year - (153 * month + 2) / 5 + 1);
    out->tm_mon = (int)(month < 10 ? month + 2 : month - 10);
    out->tm_year = (int)(year + 400 * era + (month >= 10)) - 1900;
    out->tm_hour = second / 3600;
    out->tm_min = second / 60 % 60;
    out->tm_sec = second % 60;
    return true;
}

static bool
to_local(int64_t seconds, struct tm *out)
{
    time_t t = (time_t)seconds;

    return localtime_r(&t, out) && out->tm_year >= -1900 &&
           out->tm_year <= 9999 - 1900;
}

static void
format(int64_t unix_us, bool (*to_tm)(int64_t, struct tm *),
       char out[XA_CLOCK_TEXT])
{
    int64_t seconds = unix_us / XA_US_PER_S;
    int64_t micros = unix_us % XA_US_PER_S;
    struct tm tm;

    if (micros < 0) { /* before 1970 the remainder is negative */
        micros += XA_US_PER_S;
        seconds--;
    }
    out[0] = '\0';
    if (to_tm(seconds, &tm))
        put_date(out, &tm, (int)micros);
}

void
xa_clock_format_local(int64_t unix_us, char out[XA_CLOCK_TEXT])
{
    format(unix_us, to_local, out);
}

void
xa_clock_format_utc(int64_t unix_us, char out[XA_CLOCK_TEXT])
{
    format(unix_us, to_utc, out);
}

/* So many digits and the byte behind them, '\0' at the end of the text. */
static bool
take_digits(const char **at, int digits, char behind, int *out)
{
    int value = 0;

    for (; digits > 0; digits--, ++*at) {
        if (**at < '0' || **at > '9')
            return false;
        value = value * 10 + (**at - '0');
    }
    if (**at != behind)
        return false;
    *at += behind != '\0';
    *out = value;
    return true;
}

/* One to six digits, which end the text. */
static bool
take_fraction(const char *at, int *out_micros)
{
    int digits = (int)strspn(at, "0123456789");

    if (digits < 1 || digits > 6 || !take_digits(&at, digits, '\0', out_micros))
        return false;
    for (; digits < 6; digits++)
        *out_micros *= 10;
    return true;
}

/* The text as if it were UTC. */
static bool
read_date(const char *at, int64_t *out_s, int *out_micros)
{
    struct tm tm = {0};
    struct tm again;
    time_t seconds;

    if (!take_digits(&at, 4, '-', &tm.tm_year) ||
        !take_digits(&at, 2, '-', &tm.tm_mon) ||
        !take_digits(&at, 2, 'T', &tm.tm_mday) ||
        !take_digits(&at, 2, ':', &tm.tm_hour) ||
        !take_digits(&at, 2, ':', &tm.tm_min) || tm.tm_year < 1970)
        return false;
    *out_micros = 0;
    if (strlen(at) > 2 ? !take_digits(&at, 2, '.', &tm.tm_sec) ||
                             !take_fraction(at, out_micros)
                       : !take_digits(&at, 2, '\0', &tm.tm_sec))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    again = tm;
    seconds = timegm(&again); /* makes 1 March of 29 February, if need be */
    *out_s = seconds;
    return again.tm_year == tm.tm_year && again.tm_mon == tm.tm_mon &&
           again.tm_mday == tm.tm_mday && again.tm_hour == tm.tm_hour &&
           again.tm_min == tm.tm_min && again.tm_sec == tm.tm_sec;
}

bool
xa_clock_parse_utc(const char *text, int64_t *out_us)
{
    int64_t seconds;
    int micros;

    if (!read_date(text, &seconds, &micros))
        return false;
    *out_us = seconds * XA_US_PER_S + micros;
    return true;
}

/* Seconds that the local clock is ahead of UTC at an instant. */
static int64_t
offset_at(int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    return localtime_r(&t, &tm) ? (int64_t)timegm(&tm) - seconds : 0;
}

/*
 * Not by mktime(), whose choice for a double hour depends on what it was
 * asked before.  No zone changes its offset twice in two days.
 */
bool
xa_clock_parse_local(const char *text, int64_t *out_us)
{
    const int64_t day = 86400;
    int64_t shown; /* by the local clock, as if it were UTC */
    int64_t before;
    int64_t behind;
    int micros;

    if (!read_date(text, &shown, &micros))
        return false;
    before = shown - offset_at(shown - day);
    behind = shown - offset_at(shown + day);
    if (before + offset_at(before) != shown &&
        behind + offset_at(behind) == shown)
        before = behind;
    if (before < 0)
        return false;
    *out_us = before * XA_US_PER_S + micros;
    return true;
}
