/* test_yaml.c - what yaml.c reads and what it refuses. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/support/yaml.h"
#include "tests/fakes/alloc.h"
#include "tests/unit/unit.h"
#include "tests/unit/yaml_tree.h"

#define MANY 100000

static void
test_parse__reads_what_operators_write(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *tree;
    } cases[] = {
        {"", "{}"},
        {"# nothing\n", "{}"},
        {"---\n", "{}"},
        {"~", "{}"},
        {"a: 1\nb: two\n", "{a:1 b:two}"},
        {"\xef\xbb\xbf"
         "a: 1\n",
         "{a:1}"},
        {"a: 1\r\nb: 2\r\n", "{a:1 b:2}"},
        {"a:\nb: ~\nc: null\nd: NULL\ne: Null\n", "{a:~ b:~ c:~ d:~ e:~}"},
        {"a: 'null'\nb: \"~\"\nc: ''\n", "{a:null b:~ c:}"},
        {"- a\n- b: [1, {c: d}]\n", "[a {b:[1 {c:d}]}]"},
        {"a: |\n  one\n  two\n", "{a:one\ntwo\n}"},
        {"1: a\nnull: b\n'': c\n", "{1:a null:b :c}"},
        {"text", "text"},
        {"a: &x [1, 2]\nb: *x\n", "{a:[1 2] b:[1 2]}"},
        {"a: &x 1\nb: &x 2\nc: *x\n", "{a:1 b:2 c:2}"},
        {"a: &x {k: &y v}\nb: [*x, *y]\n", "{a:{k:v} b:[{k:v} v]}"},
        {"%YAML 1.1\n---\na: 1\n...\n", "{a:1}"},
        {"\xc3\xa9t\xc3\xa9: \xe2\x82\xac\n",
         "{\xc3\xa9t\xc3\xa9:\xe2\x82\xac}"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_node_free) struct xa_node *root = NULL;
        XA_AUTO(xa_buf_free) struct xa_buf tree = XA_BUF(1000);
        struct xa_err err = XA_ERR_NONE;

        if (parse(cases[i].text, &root, &err) != XA_OK)
            fail_msg("case %zu: %s", i, err.text);
        dump(root, &tree);
        assert_string_equal(xa_buf_text(&tree), cases[i].tree);
    }
}

static void
test_parse__merges(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *tree;
    } cases[] = {
        {"a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n",
         "{a:{x:1 y:2} b:{y:3 x:1}}"},
        {"a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}\n",
         "{a:{x:1} b:{x:2 y:2} c:{x:1 y:2}}"},
        {"b: {<<: {x: 1}, y: 2}\n", "{b:{y:2 x:1}}"},
        {"b: {<<: [], y: 2}\n", "{b:{y:2}}"},
        /* what was merged can be merged on, and its anchors stay good */
        {"a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}\n",
         "{a:{x:1} b:{y:2 x:1} c:{x:1 y:2}}"},
        {"b: {<<: &m {x: &v [1]}, x: 2}\nc: *m\nd: *v\n",
         "{b:{x:2} c:{x:[1]} d:[1]}"},
        /* in quotes it is a key like any other */
        {"a: {'<<': 1}\n", "{a:{<<:1}}"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_node_free) struct xa_node *root = NULL;
        XA_AUTO(xa_buf_free) struct xa_buf tree = XA_BUF(1000);
        struct xa_err err = XA_ERR_NONE;

        if (parse(cases[i].text, &root, &err) != XA_OK)
            fail_msg("case %zu: %s", i, err.text);
        dump(root, &tree);
        /* what is merged comes last, in the order of its own mapping */
        if (i == 4)
            assert_non_null(strstr(xa_buf_text(&tree), "c:{y:2 x:1}"));
        else
            assert_string_equal(xa_buf_text(&tree), cases[i].tree);
    }
}

/* Without the word: it may be a password that lacks its quotes. */
#define NO_TAG                                                                 \
    "a tag (!...) is not accepted; put a value that begins with \"!\" into "   \
    "quotes"
#define NO_ANCHOR                                                              \
    "nothing above has the anchor of this alias; put a value that begins "     \
    "with \"*\" into quotes"

static const struct {
    const char *text;
    const char *why;
} bad_texts[] = {
    {"a: 1\nb: !exec ls\n",
     "t.yml:2: " NO_TAG},
    {"a: !!str 1\n", "t.yml:1: " NO_TAG},
    {"a: ! x\n", "t.yml:1: " NO_TAG},
    {"a: !!python/object/apply:os.system [ls]\n", "t.yml:1: " NO_TAG},
    {"!m\na: 1\n", "t.yml:1: " NO_TAG},
    {"!!str a: 1\n", "t.yml:1: " NO_TAG},
    {"a: 1\nb: 2\na: 3\n",
     "t.yml:3: key \"a\" stands twice in one mapping, first in line 1"},
    {"x:\n  a: 1\n  'a': 2\n",
     "t.yml:3: key \"a\" stands twice in one mapping, first in line 2"},
    {"a: {b: 1, \"b\\e\": 2,\n \"b\\e\": 3}\n",
     "t.yml:2: key \"b?\" stands twice in one mapping, first in line 1"},
    {"a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n",
     "t.yml:4: key \"<<\" stands twice in one mapping, first in line 3"},
    {"a:\n  <<: 1\n", "t.yml:2: \"<<\" takes a mapping or a list of mappings"},
    {"a:\n  <<: [{x: 1},\n    2]\n",
     "t.yml:3: \"<<\" takes a mapping or a list of mappings"},
    {"a: 1\n---\nb: 2\n", "t.yml:2: a second document; one file holds one"},
    {"[a]: 1\n", "t.yml:1: a key must be a text, not a mapping or list"},
    {"a: 1\n? {b: c}\n: 1\n",
     "t.yml:2: a key must be a text, not a mapping or list"},
    {"a: &x k\n*x : 1\n", "t.yml:2: a key must be a text, not an alias"},
    {"&x a: 1\n", "t.yml:1: a key cannot have an anchor"},
    {"a: 1\n?\n: 2\n", "t.yml:2: a key is missing before \":\""},
    {"a: *nope\n", "t.yml:1: " NO_ANCHOR},
    {"a: *x\nb: &x 1\n", "t.yml:1: " NO_ANCHOR},
    {"a: &x [1,\n  *x]\n",
     "t.yml:2: alias \"x\" stands inside what it repeats"},
    {"a: &x\n  b: {<<: *x}\n",
     "t.yml:2: alias \"x\" stands inside what it repeats"},
    {"a: \"b\\0c\"\n", "t.yml:1: a text with a NUL character"},
};

static void
test_parse__refuses_with_file_and_line(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(bad_texts); i++) {
        XA_AUTO(xa_node_free) struct xa_node *root = NULL;
        struct xa_err err = XA_ERR_NONE;

        assert_int_equal(parse(bad_texts[i].text, &root, &err), XA_E_CONFIG);
        assert_null(root);
        assert_string_equal(err.text, bad_texts[i].why);
    }
}

/* The words are libyaml's, so only the place is compared. */
static void
test_parse__names_the_line_of_bad_syntax(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *where;
    } cases[] = {
        {"a: 1\nb: [1, 2\nc: 3\n", "t.yml:3: "},
        {"a: 1\n\tb: 2\n", "t.yml:2: "},
        {"a: 1\nb: 'x\n", "t.yml:3: "},
        {"a: 1\nb: \xff\n", "t.yml:2: "},
        {"a: 1\nb: \xc3(\n", "t.yml:2: "},
        {"a: 1\nb: \xed\xa0\x80\n", "t.yml:2: "},
        {"a: 1\n\nb: \x01\n", "t.yml:3: "},
        {"a: \xc3", "t.yml:1: "},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_node_free) struct xa_node *root = NULL;
        struct xa_err err = XA_ERR_NONE;

        assert_int_equal(parse(cases[i].text, &root, &err), XA_E_CONFIG);
        if (strncmp(err.text, cases[i].where, strlen(cases[i].where)) != 0)
            fail_msg("case %zu: %s", i, err.text);
    }
}

/* Nine levels of nine aliases each would be 387 million values. */
static void
test_parse__stops_at_max_nodes_at_once(void **state XA_UNUSED)
{
    static const char laughs[] = "a: &a [x,x,x,x,x,x,x,x,x]\n"
                                 "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                                 "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                                 "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                                 "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                                 "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
                                 "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n"
                                 "h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n"
                                 "i: &i [*h,*h,*h,*h,*h,*h,*h,*h,*h]\n";
    XA_AUTO(xa_node_free) struct xa_node *root = NULL;
    struct xa_err err = XA_ERR_NONE;

    assert_int_equal(parse(laughs, &root, &err), XA_E_CONFIG);
    assert_string_equal(err.text,
                        "t.yml:1: more than 10000 values, aliases expanded");
}

static void
test_parse__counts_every_value(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        size_t nodes; /* that are just enough */
    } cases[] = {
        {"a", 1},
        {"a: 1\nb: 2\n", 3},
        {"a: [1, 2]\nb: {c: d}\n", 6},
        {"a: &x [1, 2]\nb: *x\n", 7},
        {"a: &x {y: 1}\nb: {<<: *x}\n", 7}, /* as alias, then merged */
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_node_free) struct xa_node *root = NULL;
        const char *text = cases[i].text;

        assert_int_equal(xa_yaml_parse("t", text, strlen(text),
                                       cases[i].nodes - 1, &root, NULL),
                         XA_E_CONFIG);
        assert_int_equal(
            xa_yaml_parse("t", text, strlen(text), cases[i].nodes, &root, NULL),
            XA_OK);
    }
}

static void
test_parse__limits_what_aliases_repeat(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf text = XA_BUF(XA_YAML_FILE_MAX);
    XA_AUTO(xa_node_free) struct xa_node *root = NULL;
    struct xa_err err = XA_ERR_NONE;

    xa_buf_puts(&text, "- &x ");
    for (int i = 0; i < 100000; i++)
        xa_buf_puts(&text, "0123456789");
    for (int i = 0; i < 20; i++)
        xa_buf_puts(&text, "\n- *x");
    assert_int_equal(parse(xa_buf_text(&text), &root, &err), XA_E_CONFIG);
    assert_string_equal(err.text,
                        "t.yml:1: aliases repeat more than 16777216 bytes");
}

static void
nest(struct xa_buf *buf, int depth)
{
    for (int i = 0; i < depth; i++)
        xa_buf_putc(buf, '[');
    for (int i = 0; i < depth; i++)
        xa_buf_putc(buf, ']');
}

static void
test_parse__limits_the_depth(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf fits = XA_BUF(1000);
    XA_AUTO(xa_buf_free) struct xa_buf deep = XA_BUF(1000);
    XA_AUTO(xa_buf_free) struct xa_buf copied = XA_BUF(1000);
    XA_AUTO(xa_node_free) struct xa_node *root = NULL;
    struct xa_err err = XA_ERR_NONE;

    nest(&fits, XA_YAML_DEPTH_MAX);
    nest(&deep, XA_YAML_DEPTH_MAX + 1);
    assert_int_equal(parse(xa_buf_text(&deep), &root, &err), XA_E_CONFIG);
    assert_string_equal(err.text, "t.yml:1: nested deeper than 64");
    assert_int_equal(parse(xa_buf_text(&fits), &root, &err), XA_OK);
    xa_node_free(&root);

    xa_buf_puts(&copied, "- &x ");
    nest(&copied, XA_YAML_DEPTH_MAX - 1);
    xa_buf_puts(&copied, "\n- [*x]\n");
    assert_int_equal(parse(xa_buf_text(&copied), &root, &err), XA_E_CONFIG);
    assert_string_equal(err.text,
                        "t.yml:1: nested deeper than 64, aliases expanded");
}

static void
test_parse__takes_a_hundred_thousand_users(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf text = XA_BUF(XA_YAML_FILE_MAX);
    XA_AUTO(xa_node_free) struct xa_node *root = NULL;
    const struct xa_node *users;
    char name[32];

    xa_buf_puts(&text, "users:\n");
    for (unsigned i = 0; i < MANY; i++)
        xa_buf_putf(&text, "  user%u: {uuid: u%u, acls: [a]}\n",
                    i * 7919 % MANY, i * 7919 % MANY);
    assert_int_equal(
        xa_yaml_parse("t", xa_buf_text(&text), text.len, 5 * MANY, &root, NULL),
        XA_OK);
    users = xa_node_get(root, "users");
    assert_int_equal(xa_node_count(users), MANY);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "user%u", i);
        assert_string_equal(
            xa_node_text(xa_node_get(xa_node_get(users, name), "uuid")) + 1,
            name + 4);
    }
    assert_null(xa_node_get(users, "user"));
}

static void
write_file(const char *path, off_t len)
{
    FILE *to = fopen(path, "w");

    assert_non_null(to);
    assert_true(fputs("a: 1\n", to) >= 0);
    assert_int_equal(fclose(to), 0);
    assert_int_equal(truncate(path, len), 0);
}

static void
test_read__names_the_file(void **state XA_UNUSED)
{
    char dir[] = "/tmp/test_yaml.XXXXXX";
    char path[sizeof dir + 8];
    char why[200];
    XA_AUTO(xa_node_free) struct xa_node *root = NULL;
    struct xa_err err = XA_ERR_NONE;

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/t.yml", dir);
    assert_int_equal(xa_yaml_read(path, 10, &root, &err), XA_E_CONFIG);
    snprintf(why, sizeof why, "%s: cannot be opened: No such file or directory",
             path);
    assert_string_equal(err.text, why);
    assert_int_equal(xa_yaml_read(dir, 10, &root, &err), XA_E_CONFIG);
    snprintf(why, sizeof why, "%s: cannot be read: Is a directory", dir);
    assert_string_equal(err.text, why);

    write_file(path, 5);
    assert_int_equal(xa_yaml_read(path, 10, &root, &err), XA_OK);
    assert_string_equal(xa_node_file(root), path);
    assert_string_equal(xa_node_text(xa_node_get(root, "a")), "1");
    xa_node_free(&root);

    write_file(path, XA_YAML_FILE_MAX + 1);
    assert_int_equal(xa_yaml_read(path, 10, &root, &err), XA_E_CONFIG);
    snprintf(why, sizeof why, "%s: larger than %u bytes", path,
             XA_YAML_FILE_MAX);
    assert_string_equal(err.text, why);
    unlink(path);
    rmdir(dir);
}

/* Leaks on the way out are for the sanitizer to find. */
static void
test_parse__survives_any_failed_allocation(void **state XA_UNUSED)
{
    static const char text[] = "a: &a {x: 1, y: [1, 2, 3, 4, 5]}\n"
                               "b: &b {<<: *a, y: 2, z: *a}\n"
                               "c: {<<: [*b, {k: l}], <<x: *b}\n";
    bool has_failed = true;

    for (unsigned n = 1; has_failed; n++) {
        XA_AUTO(xa_node_free) struct xa_node *root = NULL;
        XA_AUTO(xa_node_free) struct xa_node *other = NULL;
        enum xa_rc rc;

        fake_alloc_fail(n);
        rc = parse(text, &root, NULL);
        if (rc == XA_OK)
            rc = parse("a: {w: ~}\nd: 1\ne: 1\nf: 1\n", &other, NULL);
        if (rc == XA_OK)
            rc = xa_node_merge(root, &other, NULL);
        if (rc == XA_OK)
            rc = xa_node_drop_nulls(root, NULL);
        has_failed = fake_alloc_has_failed();
        fake_alloc_fail(0);
        assert_int_equal(rc, has_failed ? XA_E_NOMEM : XA_OK);
        assert_true(n < 1000);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse__reads_what_operators_write),
        cmocka_unit_test(test_parse__merges),
        cmocka_unit_test(test_parse__refuses_with_file_and_line),
        cmocka_unit_test(test_parse__names_the_line_of_bad_syntax),
        cmocka_unit_test(test_parse__stops_at_max_nodes_at_once),
        cmocka_unit_test(test_parse__counts_every_value),
        cmocka_unit_test(test_parse__limits_what_aliases_repeat),
        cmocka_unit_test(test_parse__limits_the_depth),
        cmocka_unit_test(test_parse__takes_a_hundred_thousand_users),
        cmocka_unit_test(test_parse__survives_any_failed_allocation),
        cmocka_unit_test(test_read__names_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
