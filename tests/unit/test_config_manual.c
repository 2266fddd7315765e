/* test_config_manual.c - what xivo-auth.yml(5) says is what the table has. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/str.h"
#include "core/support/config_table.h"
#include "core/support/yaml.h"
#include "core/support/yaml_node.h"
#include "tests/unit/config_files.h"

#define PAGE TEST_SRCDIR "/core/support/xivo-auth.yml.5"
#define PAGE_MAX_LEN (128 * 1024)
#define KEY "\n.It Cm "
#define BLOCK "\n.Bd -literal"

static char page[PAGE_MAX_LEN];

static int
read_page(void **state XA_UNUSED)
{
    FILE *from = fopen(PAGE, "r");
    size_t len;

    assert_non_null(from);
    len = fread(page, 1, sizeof page - 1, from);
    fclose(from);
    assert_true(len > 0 && len < sizeof page - 1);
    return make_folder(NULL);
}

/* The text of a section, in a buffer of the caller. */
static const char *
section(const char *name, char out[PAGE_MAX_LEN])
{
    char head[64];
    const char *from;
    const char *to;
    size_t len;

    snprintf(head, sizeof head, "\n.Sh %s\n", name);
    from = strstr(page, head);
    assert_non_null(from);
    to = strstr(from + 1, "\n.Sh ");
    len = to ? (size_t)(to + 1 - from) : strlen(from);
    memcpy(out, from, len);
    out[len] = '\0';
    return out;
}

/* --- how the page writes a row of the table ------------------------------- */

static void
put_type(struct xa_buf *buf, const struct xa_option *o)
{
    static const char *const words[] = {
        [XA_OPTION_BOOL] = "True or false",
        [XA_OPTION_PATH] = "Absolute path",
        [XA_OPTION_LOG_FILE] = "Absolute path, stderr or syslog",
        [XA_OPTION_LEVEL] = "One of critical, error, warning, info or debug",
        [XA_OPTION_VERIFY] = "True, false, or the absolute path of a CA file",
        [XA_OPTION_TEXTS] = "List of texts",
        [XA_OPTION_NAMES] = "List of names",
        [XA_OPTION_HOSTS] = "List of hosts",
        [XA_OPTION_LIST] = "List",
    };

    switch (o->type) {
    case XA_OPTION_U32:
    case XA_OPTION_U64:
        xa_buf_putf(buf, "Whole number%s%s from %" PRId64 " to %" PRId64,
                    o->unit ? " of " : "", o->unit ? o->unit : "", o->min,
                    o->max);
        break;
    case XA_OPTION_SECONDS:
        xa_buf_putf(buf, "Whole seconds from %" PRId64 " to %" PRId64, o->min,
                    o->max);
        break;
    case XA_OPTION_MS:
        xa_buf_putf(buf, "Seconds or parts of one from %g to %g",
                    (double)o->min / 1000, (double)o->max / 1000);
        break;
    case XA_OPTION_TEXT:
        xa_buf_putf(buf, "Text of at most %" PRId64 " bytes", o->max);
        break;
    case XA_OPTION_WORD:
        xa_buf_putf(buf, "One of %s", o->unit);
        break;
    default:
        xa_buf_puts(buf, words[o->type]);
        if (o->min > 0)
            xa_buf_putf(buf, ", %" PRId64 " at least", o->min);
    }
    xa_buf_puts(buf, o->is_secret ? ".\nA secret.\n" : ".\n");
}

/* Each in a line; what YAML has to quote is a text all the same. */
static void
put_lines(struct xa_buf *buf, const char *def)
{
    XA_AUTO(xa_node_free) struct xa_node *list = NULL;

    assert_int_equal(xa_yaml_parse("default", def, strlen(def),
                                   XA_YAML_NODES_MAX, &list, NULL),
                     XA_OK);
    xa_buf_puts(buf, "Default:\n.Bd -literal -offset indent\n");
    for (size_t i = 0; i < xa_node_count(list); i++)
        xa_buf_putf(buf, "%s\n", xa_node_text(xa_node_item(list, i, NULL)));
    xa_buf_puts(buf, ".Ed\n");
}

/* Where the build installs to is its affair; the page names the usual. */
static void
put_default(struct xa_buf *buf, const char *def)
{
    static const char conf[] = "\"" XA_SYSCONFDIR "/";

    if (!def)
        xa_buf_puts(buf, "No default.\n");
    else if (strcmp(def, "\"" XA_BACKENDDIR "\"") == 0)
        xa_buf_puts(buf, "Default: /usr/lib/xivo-auth/backends.\n");
    else if (strncmp(def, conf, strlen(conf)) == 0)
        xa_buf_putf(buf, "Default: /etc/xivo-auth/%.*s.\n",
                    (int)(strlen(def) - strlen(conf) - 1), def + strlen(conf));
    else if (strlen(def) > 80)
        put_lines(buf, def);
    else
        xa_buf_putf(buf, "Default: %s.\n", def);
}

/* --- tests ---------------------------------------------------------------- */

static void
test_manual__has_the_keys_of_the_table_and_no_others(void **state XA_UNUSED)
{
    static char keys[PAGE_MAX_LEN];
    const char *at = section("KEYS", keys);
    char key[100];
    size_t i = 0;

    for (; (at = strstr(at, KEY)) != NULL; i++) {
        at += strlen(KEY);
        snprintf(key, sizeof key, "%.*s", (int)strcspn(at, "\n"), at);
        if (i >= xa_option_count)
            fail_msg("%s is the page's alone", key);
        if (strcmp(key, xa_options[i].key) != 0)
            fail_msg("%s where the table has %s", key, xa_options[i].key);
    }
    assert_int_equal(i, xa_option_count);
}

static void
test_manual__has_types_ranges_and_defaults(void **state XA_UNUSED)
{
    for (size_t i = 0; i < xa_option_count; i++) {
        XA_AUTO(xa_buf_free) struct xa_buf want = XA_BUF(4096);
        const struct xa_option *o = &xa_options[i];

        xa_buf_putf(&want, KEY "%s\n", o->key);
        put_type(&want, o);
        put_default(&want, o->def);
        assert_int_equal(xa_buf_check(&want, NULL), XA_OK);
        if (!strstr(page, xa_buf_text(&want)))
            fail_msg("not in the page:%s", xa_buf_text(&want));
    }
}

/* After type and default comes what the key does. */
static void
test_manual__explains_each_key(void **state XA_UNUSED)
{
    for (size_t i = 0; i < xa_option_count; i++) {
        XA_AUTO(xa_buf_free) struct xa_buf head = XA_BUF(4096);
        const struct xa_option *o = &xa_options[i];
        const char *at;
        size_t before;

        put_type(&head, o);
        put_default(&head, o->def);
        before = head.len;
        xa_buf_clear(&head);
        xa_buf_putf(&head, KEY "%s\n", o->key);
        at = strstr(page, xa_buf_text(&head));
        assert_non_null(at);
        at += head.len + before;
        if (strncmp(at, ".It", 3) == 0 || strncmp(at, ".El", 3) == 0)
            fail_msg("%s is not explained", o->key);
    }
}

/* A literal block is how roff has it, with its backslashes written \e. */
static void
test_manual__examples_load_without_a_note(void **state XA_UNUSED)
{
    static char examples[PAGE_MAX_LEN];
    const char *at = section("EXAMPLES", examples);
    size_t count = 0;

    for (; (at = strstr(at, BLOCK)) != NULL; count++) {
        XA_AUTO(xa_config_free) struct xa_config *c = NULL;
        const char *end;
        char text[4096];

        at = strchr(at + 1, '\n') + 1;
        end = strstr(at, ".Ed\n");
        assert_true(end && end - at < (ptrdiff_t)sizeof text);
        snprintf(text, sizeof text, "%.*s", (int)(end - at), at);
        assert_null(strchr(text, '\\'));
        c = load(text);
        if (xa_config_note_count(c) > 0)
            fail_msg("%s\n%s", xa_config_note(c, 0, NULL), text);
    }
    assert_true(count >= 6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manual__has_the_keys_of_the_table_and_no_others),
        cmocka_unit_test(test_manual__has_types_ranges_and_defaults),
        cmocka_unit_test(test_manual__explains_each_key),
        cmocka_unit_test(test_manual__examples_load_without_a_note),
    };

    return cmocka_run_group_tests(tests, read_page, drop_folder);
}
