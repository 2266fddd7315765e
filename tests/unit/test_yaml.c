/* test_yaml.c - what yaml.c reads and what it refuses. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/support/yaml.h"
#include "tests/unit/unit.h"

static enum xa_rc
parse(const char *text, struct xa_node **out, struct xa_err *err)
{
    return xa_yaml_parse("t.yml", text, strlen(text), XA_YAML_NODES_MAX, out,
                         err);
}

/* The tree on one line: text bare, null as ~, maps and lists in brackets. */
static void
dump(const struct xa_node *node, struct xa_buf *buf)
{
    const char *key;

    if (xa_node_kind(node) == XA_NODE_SCALAR) {
        xa_buf_puts(buf, xa_node_is_null(node) ? "~" : xa_node_text(node));
        return;
    }
    xa_buf_putc(buf, xa_node_kind(node) == XA_NODE_MAP ? '{' : '[');
    for (size_t i = 0; i < xa_node_count(node); i++) {
        const struct xa_node *value = xa_node_item(node, i, &key);

        if (i > 0)
            xa_buf_putc(buf, ' ');
        if (key)
            xa_buf_putf(buf, "%s:", key);
        dump(value, buf);
    }
    xa_buf_putc(buf, xa_node_kind(node) == XA_NODE_MAP ? '}' : ']');
}

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
        {"\xef\xbb\xbf" "a: 1\n", "{a:1}"},
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
        {"\xc3\xa9t\xc3\xa9: \xe2\x82\xac\n", "{\xc3\xa9t\xc3\xa9:\xe2\x82\xac}"},
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

static void
test_parse__refuses_with_file_and_line(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"a: 1\nb: !exec ls\n",
         "t.yml:2: tag \"!exec\" is not accepted; write the value itself"},
        {"a: !!str 1\n", "t.yml:1: tag \"tag:yaml.org,2002:str\" is not "
                         "accepted; write the value itself"},
        {"a: ! x\n",
         "t.yml:1: tag \"!\" is not accepted; write the value itself"},
        {"a: !!python/object/apply:os.system [ls]\n",
         "t.yml:1: tag \"tag:yaml.org,2002:python/object/apply:os.system\" is "
         "not accepted; write the value itself"},
        {"!m\na: 1\n",
         "t.yml:1: tag \"!m\" is not accepted; write the value itself"},
        {"!!str a: 1\n", "t.yml:1: tag \"tag:yaml.org,2002:str\" is not "
                         "accepted; write the value itself"},
        {"a: 1\nb: 2\na: 3\n",
         "t.yml:3: key \"a\" stands twice in one mapping, first in line 1"},
        {"x:\n  a: 1\n  'a': 2\n",
         "t.yml:3: key \"a\" stands twice in one mapping, first in line 2"},
        {"a: {b: 1, \"b\\e\": 2,\n \"b\\e\": 3}\n",
         "t.yml:2: key \"b?\" stands twice in one mapping, first in line 1"},
        {"a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n",
         "t.yml:4: key \"<<\" stands twice in one mapping, first in line 3"},
        {"a:\n  <<: 1\n",
         "t.yml:2: \"<<\" takes a mapping or a list of mappings"},
        {"a:\n  <<: [{x: 1},\n    2]\n",
         "t.yml:3: \"<<\" takes a mapping or a list of mappings"},
        {"a: 1\n---\nb: 2\n", "t.yml:2: a second document; one file holds one"},
        {"[a]: 1\n",
         "t.yml:1: a key must be a text, not a mapping or list"},
        {"a: 1\n? {b: c}\n: 1\n",
         "t.yml:2: a key must be a text, not a mapping or list"},
        {"a: &x k\n*x : 1\n", "t.yml:2: a key must be a text, not an alias"},
        {"&x a: 1\n", "t.yml:1: a key cannot have an anchor"},
        {"a: 1\n?\n: 2\n", "t.yml:2: a key is missing before \":\""},
        {"a: *nope\n", "t.yml:1: nothing above has the anchor \"nope\""},
        {"a: *x\nb: &x 1\n", "t.yml:1: nothing above has the anchor \"x\""},
        {"a: &x [1,\n  *x]\n",
         "t.yml:2: alias \"x\" stands inside what it repeats"},
        {"a: &x\n  b: {<<: *x}\n",
         "t.yml:2: alias \"x\" stands inside what it repeats"},
        {"a: \"b\\0c\"\n", "t.yml:1: a text with a NUL character"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_node_free) struct xa_node *root = NULL;
        struct xa_err err = XA_ERR_NONE;

        assert_int_equal(parse(cases[i].text, &root, &err), XA_E_CONFIG);
        assert_null(root);
        assert_string_equal(err.text, cases[i].why);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse__reads_what_operators_write),
        cmocka_unit_test(test_parse__merges),
        cmocka_unit_test(test_parse__refuses_with_file_and_line),
        cmocka_unit_test(test_parse__names_the_line_of_bad_syntax),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
