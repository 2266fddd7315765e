/* test_wiped.c - nothing that is freed holds a secret. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is wiped cannot be seen to be wiped by what a function answers, and a
 * search of a live process (integration/0141-memory.t) comes too late for a
 * block that the next malloc() has written over.  So each block is searched as
 * it is freed.
 */
#include "config.h"

#include <crypt.h>
#include <string.h>

#include <yaml.h>

#include "core/base/buf.h"
#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/support/crypto.h"
#include "core/support/http.h"
#include "core/support/password.h"
#include "core/token/token.h"
#include "fcgi/basic.h"
#include "tests/fakes/freed.h"
#include "tests/unit/config_files.h"
#include "tests/unit/unit.h"

#define SECRET "qX7%vK2+wZ9=hJ4~fM6@bT3;gN8!dL5"
#define SECRET_LEN (sizeof SECRET - 1)
#define NOW_US INT64_C(1480933018557553)

/* Blocks were freed, and none of them held any of it. */
static void
assert_wiped(void)
{
    assert_int_not_equal(freed_count(), 0);
    assert_int_equal(freed_with_secret(), 0);
}

static void
test_freed__sees_what_is_left(void **state XA_UNUSED)
{
    char *text = NULL;

    freed_watch(SECRET, SECRET_LEN);
    assert_int_equal(xa_str_dup("nothing", &text, NULL), XA_OK);
    xa_str_free(&text);
    assert_wiped();
    /* cut off at both ends */
    assert_int_equal(xa_str_dup("\n" SECRET "\n", &text, NULL), XA_OK);
    memset(text, 0, 10);
    memset(text + SECRET_LEN - 10, 0, 10);
    xa_str_free(&text);
    assert_int_equal(freed_with_secret(), 1);
}

static void
test_secret__is_wiped_when_freed(void **state XA_UNUSED)
{
    struct xa_secret *secret = NULL;

    freed_watch(SECRET, SECRET_LEN);
    assert_int_equal(xa_secret_new(SECRET, SECRET_LEN, &secret, NULL), XA_OK);
    xa_secret_free(&secret);
    assert_wiped();
}

static void
test_buf__is_wiped_when_it_grows_and_when_freed(void **state XA_UNUSED)
{
    struct xa_buf buf = XA_BUF(10000);

    freed_watch(SECRET, SECRET_LEN);
    for (int i = 0; i < 100; i++)
        xa_buf_puts(&buf, SECRET);
    assert_int_equal(xa_buf_check(&buf, NULL), XA_OK);
    assert_wiped();
    xa_buf_free(&buf);
    assert_wiped();
}

static void
test_token__is_wiped_when_freed(void **state XA_UNUSED)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    struct xa_token *token = NULL;
    char id[XA_UUID_TEXT];

    assert_int_equal(xa_identity_set_auth_id(&who, "alice", NULL), XA_OK);
    assert_int_equal(xa_token_new(&who, 60, NOW_US, &token, NULL), XA_OK);
    memcpy(id, xa_token_id(token), sizeof id);
    freed_watch(id, XA_UUID_LEN);
    xa_token_free(&token);
    assert_wiped();
}

/* --- passwords ----------------------------------------------------------- */

static void
test_credentials__are_wiped_when_freed(void **state XA_UNUSED)
{
    static const char plain[] = SECRET ":" SECRET;
    XA_AUTO(xa_buf_free) struct xa_buf header = XA_BUF(1000);
    struct xa_credentials given = XA_CREDENTIALS_EMPTY;

    xa_buf_puts(&header, "Basic ");
    xa_base64_put(&header, plain, sizeof plain - 1);
    freed_watch(SECRET, SECRET_LEN);
    assert_int_equal(xa_basic_read(xa_buf_text(&header), &given, NULL), XA_OK);
    xa_credentials_done(&given);
    assert_wiped();
}

char *__real_crypt_r(const char *phrase, const char *setting,
                     struct crypt_data *data);
char *__wrap_crypt_r(const char *phrase, const char *setting,
                     struct crypt_data *data);

/* Some libcrypts tidy up in there, others leave the phrase, its key schedule
 * and the hash behind: this one is of the others. */
char *
__wrap_crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
    char *hash = __real_crypt_r(phrase, setting, data);

    memcpy((char *)(data + 1) - SECRET_LEN, SECRET, SECRET_LEN);
    return hash;
}

static void
test_verify__leaves_nothing_of_the_password(void **state XA_UNUSED)
{
    static const struct {
        const char *stored;
        const char *given;
    } cases[] = {
        {"$6$rounds=1000$tests$Da2YRWb72LfDjJILrYnQI/BH/GM692XO92NyTf"
         "uXFq.OKQjl0Y/xlaSeiDKyfQjDf.UBRqPbN/vQ0XW1uxIVo0",
         "correct horse"},
        {"$6$rounds=1000$tests$Da2YRWb72LfDjJILrYnQI/BH/GM692XO92NyTf"
         "uXFq.OKQjl0Y/xlaSeiDKyfQjDf.UBRqPbN/vQ0XW1uxIVo0",
         SECRET},
        {NULL, SECRET},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        enum xa_rc rc;

        freed_watch(SECRET, SECRET_LEN);
        rc = xa_password_verify(cases[i].stored, cases[i].given, NULL);
        assert_int_equal(rc, i == 0 ? XA_OK : XA_E_DENIED);
        assert_wiped();
    }
}

static void
test_hash__leaves_nothing_of_the_password(void **state XA_UNUSED)
{
    char hash[XA_HASH_TEXT];

    freed_watch(SECRET, SECRET_LEN);
    assert_int_equal(xa_password_hash(XA_HASH_YESCRYPT, SECRET, hash, NULL),
                     XA_OK);
    assert_wiped();
}

/* --- what stands in the configuration ------------------------------------ */

void __real_yaml_event_delete(yaml_event_t *event);
void __wrap_yaml_event_delete(yaml_event_t *event);
void __real_yaml_parser_delete(yaml_parser_t *parser);
void __wrap_yaml_parser_delete(yaml_parser_t *parser);

static unsigned scalars; /* that libyaml freed, and parsers */
static unsigned parsers;

static void
assert_no_secret(const unsigned char *begin, const unsigned char *end)
{
    for (size_t i = 0; i + 4 <= SECRET_LEN; i++)
        assert_null(memmem(begin, (size_t)(end - begin), SECRET + i, 4));
}

/* libyaml frees what it holds by itself, so it is searched right before. */
void
__wrap_yaml_event_delete(yaml_event_t *event)
{
    const unsigned char *text = event->data.scalar.value;

    if (event->type == YAML_SCALAR_EVENT) {
        scalars++;
        assert_no_secret(text, text + event->data.scalar.length);
    }
    __real_yaml_event_delete(event);
}

void
__wrap_yaml_parser_delete(yaml_parser_t *parser)
{
    parsers++;
    assert_no_secret(parser->buffer.start, parser->buffer.end);
    assert_no_secret(parser->raw_buffer.start, parser->raw_buffer.end);
    __real_yaml_parser_delete(parser);
}

static void
test_config__is_wiped_when_freed(void **state XA_UNUSED)
{
    static const char *const texts[] = {
        "consul: {token: '" SECRET "'}\n",
        "ldap: {bind_dn: cn=a, bind_password: '" SECRET "'}\n",
        "db_uri: 'postgresql://a:" SECRET "@localhost/b'\n",
        "# " SECRET "\nuuid: a\n",
        "# the secret, further down than libyaml reads at once\n"
        "uuid: a\n\n\n\nconsul:\n  host: b\n  token: \"" SECRET "\"\n",
    };

    for (size_t i = 0; i < XA_COUNT(texts); i++) {
        struct xa_config *config;

        freed_watch(SECRET, SECRET_LEN);
        scalars = parsers = 0;
        config = load(texts[i]);
        assert_wiped();
        assert_true(scalars > 0 && parsers > 0);
        xa_config_free(&config);
        assert_wiped();
    }
}

static void
test_config__leaves_nothing_when_it_is_refused(void **state XA_UNUSED)
{
    static const char *const texts[] = {
        "consul: {token: '" SECRET "', port: nonsense}\n",
        "consul: {token: ['" SECRET "']}\n",
        "consul: {token: '" SECRET "'\n",
    };

    for (size_t i = 0; i < XA_COUNT(texts); i++) {
        struct xa_config_cli cli = {0};
        struct xa_config *config = NULL;
        struct xa_err err = XA_ERR_NONE;

        put_main(texts[i]);
        freed_watch(SECRET, SECRET_LEN);
        assert_int_equal(load_cli(cli, &config, &err), XA_E_CONFIG);
        assert_null(strstr(err.text, SECRET));
        assert_wiped();
    }
}

/* libcurl's own list of headers: test_http, `free__wipes_the_secret`. */
static void
test_http__keeps_the_secret_in_its_list_alone(void **state XA_UNUSED)
{
    static const struct xa_http_setup setup = {
        .secret_name = "X-Consul-Token",
        .secret_value = SECRET,
    };
    struct xa_http *http = NULL;

    freed_watch(SECRET, SECRET_LEN);
    assert_int_equal(xa_http_new(&setup, &http, NULL), XA_OK);
    assert_wiped();
    xa_http_free(&http);
    assert_wiped();
}

static int
start(void **state)
{
    return xa_crypto_init(NULL) == XA_OK ? make_folder(state) : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_freed__sees_what_is_left),
        cmocka_unit_test(test_secret__is_wiped_when_freed),
        cmocka_unit_test(test_buf__is_wiped_when_it_grows_and_when_freed),
        cmocka_unit_test(test_token__is_wiped_when_freed),
        cmocka_unit_test(test_credentials__are_wiped_when_freed),
        cmocka_unit_test(test_verify__leaves_nothing_of_the_password),
        cmocka_unit_test(test_hash__leaves_nothing_of_the_password),
        cmocka_unit_test(test_config__is_wiped_when_freed),
        cmocka_unit_test(test_config__leaves_nothing_when_it_is_refused),
        cmocka_unit_test(test_http__keeps_the_secret_in_its_list_alone),
    };

    return cmocka_run_group_tests(tests, start, drop_folder);
}
