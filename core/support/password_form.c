/* password_form.c - the form and the cost of a stored hash. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/password_form.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/support/password.h"

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define CRYPT64 "./" DIGITS LETTERS /* in the order of their values */
#define BASE64 LETTERS DIGITS "+/"

#define ROUNDS_MIN 1000
#define ROUNDS_MAX 5000000
#define BCRYPT_COST_MIN 4
#define BCRYPT_COST_MAX 14
#define ARGON_MEMORY_MAX 262144 /* KiB */
#define ARGON_PASSES_MAX 10
#define ARGON_LANES_MAX 16
#define YESCRYPT_BLOCKS_MAX (UINT64_C(1) << 23) /* of 128 bytes: 1 GiB */

/*
 * A check of what stands behind the prefix.  NULL if it is fine, else what is
 * wrong with it.
 */
typedef const char *check_fn(const char *rest);

static check_fn check_yescrypt;
static check_fn check_bcrypt;
static check_fn check_sha512;
static check_fn check_sha256;
static check_fn check_argon2id;

static const struct {
    const char *prefix;
    enum xa_password_form form;
    const char *name;
    check_fn *check;
} forms[] = {
    {"$y$", XA_FORM_YESCRYPT, "yescrypt", check_yescrypt},
    {"$2a$", XA_FORM_BCRYPT, "bcrypt", check_bcrypt},
    {"$2b$", XA_FORM_BCRYPT, "bcrypt", check_bcrypt},
    {"$2y$", XA_FORM_BCRYPT, "bcrypt", check_bcrypt},
    {"$6$", XA_FORM_SHA512, "sha512", check_sha512},
    {"$5$", XA_FORM_SHA256, "sha256", check_sha256},
    {"$argon2id$", XA_FORM_ARGON2ID, "argon2id", check_argon2id},
};

static const char not_whole[] = "it is not a whole hash";
static const char too_costly[] = "it costs more than a login may take";

enum xa_password_form
xa_password_form(const char *stored, struct xa_err *err)
{
    const char *wrong;

    if (strnlen(stored, XA_HASH_TEXT) == XA_HASH_TEXT) {
        xa_fail(err, XA_E_INVALID, "password hash over %d bytes",
                XA_HASH_TEXT - 1);
        return XA_FORM_NONE;
    }
    for (size_t i = 0; i < XA_COUNT(forms); i++) {
        size_t len = strlen(forms[i].prefix);

        if (strncmp(stored, forms[i].prefix, len) != 0)
            continue;
        wrong = forms[i].check(stored + len);
        if (!wrong)
            return forms[i].form;
        xa_fail(err, XA_E_INVALID, "password hash (%s): %s", forms[i].name,
                wrong);
        return XA_FORM_NONE;
    }
    xa_fail(err, XA_E_INVALID,
            "not a password hash of an accepted kind (yescrypt, bcrypt, "
            "sha512, sha256, argon2id)");
    return XA_FORM_NONE;
}

/* --- pieces of a hash --- */

/* Step over min to max characters of a set; false if there are fewer, or
 * one more. */
static bool
skip(const char **at, const char *set, size_t min, size_t max)
{
    size_t len = strspn(*at, set);

    *at += len;
    return len >= min && len <= max;
}

static bool
skip_text(const char **at, const char *text)
{
    size_t len = strlen(text);

    if (strncmp(*at, text, len) != 0)
        return false;
    *at += len;
    return true;
}

/* Read a number without leading zeros, of nine digits at most. */
static bool
take_number(const char **at, uint32_t *out)
{
    const char *from = *at;
    uint32_t value = 0;

    if (!skip(at, DIGITS, 1, 9) || (*from == '0' && *at - from > 1))
        return false;
    for (; from < *at; from++)
        value = value * 10 + (uint32_t)(*from - '0');
    *out = value;
    return true;
}

/* Read one character as the number that crypt(3) writes with it. */
static bool
take_digit64(const char **at, unsigned *out)
{
    const char *found = **at ? strchr(CRYPT64, **at) : NULL;

    if (!found)
        return false;
    *out = (unsigned)(found - CRYPT64);
    (*at)++;
    return true;
}

/* --- one check per method --- */

/*
 * `jNr$salt$hash`: `j` stands for the flags of native yescrypt, N and r are
 * one character each as long as the cost is sane; more parameters behind
 * them are possible but nothing writes them.
 */
static const char *
check_yescrypt(const char *rest)
{
    unsigned n_log2;
    unsigned r;
    const char *salt;

    if (!skip_text(&rest, "j"))
        return "its parameters are not those of crypt(3)";
    if (!take_digit64(&rest, &n_log2) || !take_digit64(&rest, &r))
        return not_whole;
    n_log2++; /* both count from 1 */
    r++;
    if (n_log2 > 24 || (UINT64_C(1) << n_log2) * r > YESCRYPT_BLOCKS_MAX)
        return too_costly;
    if (!skip_text(&rest, "$"))
        return "its parameters are not those of crypt(3)";
    salt = rest;
    if (!skip(&rest, CRYPT64, 0, 86) || (rest - salt) % 4 == 1 ||
        !skip_text(&rest, "$") || !skip(&rest, CRYPT64, 43, 43) || *rest)
        return not_whole;
    return NULL;
}

/* `NN$` and 22 characters of salt with 31 of hash. */
static const char *
check_bcrypt(const char *rest)
{
    const char *digits = rest;
    int cost;

    if (!skip(&rest, DIGITS, 2, 2) || !skip_text(&rest, "$") ||
        !skip(&rest, CRYPT64, 53, 53) || *rest)
        return not_whole;
    cost = (digits[0] - '0') * 10 + digits[1] - '0';
    if (cost < BCRYPT_COST_MIN)
        return not_whole;
    return cost > BCRYPT_COST_MAX ? too_costly : NULL;
}

/* `[rounds=N$]salt$hash`; the salt may be of any characters that crypt(3)
 * itself lets pass, which are not tested again here. */
static const char *
check_sha(const char *rest, size_t hash_len)
{
    uint32_t rounds = ROUNDS_MIN;
    size_t salt_len;

    if (skip_text(&rest, "rounds=") &&
        (!take_number(&rest, &rounds) || !skip_text(&rest, "$")))
        return "its rounds are no number";
    if (rounds < ROUNDS_MIN)
        return "its rounds are below 1000";
    if (rounds > ROUNDS_MAX)
        return too_costly;
    salt_len = strcspn(rest, "$");
    rest += salt_len;
    if (salt_len > 16 || !skip_text(&rest, "$") ||
        !skip(&rest, CRYPT64, hash_len, hash_len) || *rest)
        return not_whole;
    return NULL;
}

static const char *
check_sha512(const char *rest)
{
    return check_sha(rest, 86);
}

static const char *
check_sha256(const char *rest)
{
    return check_sha(rest, 43);
}

/* `v=19$m=M,t=T,p=P$salt$hash`, base64 without padding. */
static const char *
check_argon2id(const char *rest)
{
    uint32_t memory;
    uint32_t passes;
    uint32_t lanes;

    if (!skip_text(&rest, "v=19$"))
        return "it is not of version 19";
    if (!skip_text(&rest, "m=") || !take_number(&rest, &memory) ||
        !skip_text(&rest, ",t=") || !take_number(&rest, &passes) ||
        !skip_text(&rest, ",p=") || !take_number(&rest, &lanes) ||
        !skip_text(&rest, "$"))
        return "its parameters are no numbers";
    if (memory > ARGON_MEMORY_MAX || passes > ARGON_PASSES_MAX ||
        lanes > ARGON_LANES_MAX)
        return too_costly;
    if (passes < 1 || lanes < 1 || memory < 8 * lanes)
        return "its parameters are out of range";
    if (!skip(&rest, BASE64, 11, 86) || !skip_text(&rest, "$") ||
        !skip(&rest, BASE64, 22, 86) || *rest)
        return not_whole;
    return NULL;
}
