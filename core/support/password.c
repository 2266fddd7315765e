/* password.c - password hashes: verify, make, and the work of a decoy. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/password.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/support/crypto.h"
#include "core/support/password_form.h"

#define CRYPT_READS (CRYPT_MAX_PASSPHRASE_SIZE - 1) /* bytes, the NUL apart */
#define BCRYPT_READS 72
#define BCRYPT_COST 12
#define SHA512_ROUNDS 200000

/* A salt that nobody has, at the cost of Debian's default. */
#define DECOY "$y$j9T$M7Pcy2A2aXpZjlVnkZsB2/"

_Static_assert(XA_HASH_TEXT >= CRYPT_OUTPUT_SIZE, "room for a hash");
_Static_assert(XA_HASH_TEXT >= XA_ARGON2ID_TEXT, "room for a hash");

/* How a new hash is asked of crypt_gensalt_ra(). */
static const struct {
    const char *prefix; /* NULL: not crypt(3) */
    unsigned long count;
    size_t max_len;
} methods[] = {
    [XA_HASH_YESCRYPT] = {"$y$", 0, CRYPT_READS},
    [XA_HASH_BCRYPT] = {"$2b$", BCRYPT_COST, BCRYPT_READS},
    [XA_HASH_SHA512] = {"$6$", SHA512_ROUNDS, CRYPT_READS},
    [XA_HASH_ARGON2ID] = {NULL, 0, XA_PASSWORD_MAX},
};

static enum xa_rc work_and_compare(const char *setting, bool is_decoy,
                                   const char *given, struct xa_err *err);
static enum xa_rc make_crypt(enum xa_hash_method method, const char *password,
                             char out[XA_HASH_TEXT], struct xa_err *err);

bool
xa_password_is_hash(const char *stored, struct xa_err *err)
{
    return xa_password_form(stored, err) != XA_FORM_NONE;
}

enum xa_rc
xa_password_verify(const char *stored, const char *given, struct xa_err *err)
{
    enum xa_password_form form;
    size_t len = strnlen(given, XA_PASSWORD_MAX + 1);

    if (len > XA_PASSWORD_MAX)
        return xa_fail(err, XA_E_DENIED, "password over %d bytes",
                       XA_PASSWORD_MAX);
    if (!stored)
        return work_and_compare(DECOY, true, given, err);
    form = xa_password_form(stored, err);
    if (form == XA_FORM_NONE)
        return XA_E_INVALID;
    if (form != XA_FORM_ARGON2ID)
        return work_and_compare(stored, false, given, err);
    if (!xa_argon2id_verify(stored, given, len) || len == 0)
        return xa_fail(err, XA_E_DENIED, "wrong password");
    return XA_OK;
}

enum xa_rc
xa_password_hash(enum xa_hash_method method, const char *password,
                 char out[XA_HASH_TEXT], struct xa_err *err)
{
    char text[XA_ARGON2ID_TEXT];
    size_t len = strnlen(password, XA_PASSWORD_MAX + 1);
    enum xa_rc rc;

    if (len == 0)
        return xa_fail(err, XA_E_INVALID, "the password is empty");
    if (len > methods[method].max_len)
        return xa_fail(err, XA_E_INVALID,
                       "the password is longer than %zu bytes",
                       methods[method].max_len);
    if (methods[method].prefix)
        return make_crypt(method, password, out, err);
    rc = xa_argon2id_hash(password, len, text, err);
    if (rc != XA_OK)
        return rc;
    memcpy(out, text, sizeof text);
    return XA_OK;
}

static void
crypt_data_free(struct crypt_data **data)
{
    if (*data) {
        xa_wipe(*data, sizeof **data); /* 32 KiB with parts of the password */
        free(*data);
    }
    *data = NULL;
}

/* crypt(3) into data->output.  It may fail with NULL or with a text that no
 * hash begins with, "*0". */
static enum xa_rc
run_crypt(const char *given, const char *setting, struct crypt_data *data,
          const char **out, struct xa_err *err)
{
    const char *result;

    errno = 0;
    result = crypt_r(given, setting, data);
    if (result && result[0] != '*') {
        *out = result;
        return XA_OK;
    }
    if (errno == ENOMEM)
        return xa_fail_nomem(err);
    return xa_fail(err, XA_E_INVALID, "crypt(3) refuses the stored hash: %s",
                   errno ? strerror(errno) : "no reason given");
}

static enum xa_rc
work_and_compare(const char *setting, bool is_decoy, const char *given,
                 struct xa_err *err)
{
    XA_AUTO(crypt_data_free) struct crypt_data *data = NULL;
    char read[CRYPT_READS + 1];
    size_t len = strlen(given);
    size_t reads = setting[1] == '2' ? BCRYPT_READS : CRYPT_READS;
    const char *result;
    bool same;
    enum xa_rc rc;

    data = calloc(1, sizeof *data);
    if (!data)
        return xa_fail_nomem(err);
    /* too long does the work too: how long it takes tells nothing */
    memcpy(read, given, len < sizeof read ? len : sizeof read - 1);
    read[len < sizeof read ? len : sizeof read - 1] = '\0';
    rc = run_crypt(read, setting, data, &result, err);
    xa_wipe(read, sizeof read);
    if (rc != XA_OK)
        return rc;
    same = xa_secret_equal(result, strlen(result), setting, strlen(setting));
    if (!same || is_decoy || len == 0 || len > reads)
        return xa_fail(err, XA_E_DENIED, "wrong password");
    return XA_OK;
}

static enum xa_rc
make_crypt(enum xa_hash_method method, const char *password,
           char out[XA_HASH_TEXT], struct xa_err *err)
{
    XA_AUTO(crypt_data_free) struct crypt_data *data = NULL;
    XA_AUTO(xa_str_free) char *setting = NULL;
    const char *result;
    enum xa_rc rc;

    /* without bytes of ours libcrypt takes the kernel's */
    setting = crypt_gensalt_ra(methods[method].prefix, methods[method].count,
                               NULL, 0);
    if (!setting)
        return xa_fail(err, errno == ENOMEM ? XA_E_NOMEM : XA_E_UNAVAILABLE,
                       "libcrypt makes no salt for %s: %s",
                       methods[method].prefix, strerror(errno));
    data = calloc(1, sizeof *data);
    if (!data)
        return xa_fail_nomem(err);
    rc = run_crypt(password, setting, data, &result, err);
    if (rc == XA_E_INVALID)
        return xa_fail(err, XA_E_UNAVAILABLE, "libcrypt does not have %s",
                       methods[method].prefix);
    if (rc != XA_OK)
        return rc;
    memcpy(out, result, strlen(result) + 1);
    return XA_OK;
}
