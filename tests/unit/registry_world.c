/* registry_world.c - a registry of modules, and what it logs. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/unit/registry_world.h"

#include <stdio.h>
#include <string.h>

struct world world;

static void
keep(void *ctx XA_UNUSED, enum xa_level level XA_UNUSED, const char *line)
{
    for (const char *const *text = world.unsaid; *text; text++)
        assert_null(strstr(line, *text));
    assert_true(world.line_count < WORLD_LINES_MAX);
    snprintf(world.lines[world.line_count++], sizeof world.lines[0], "%s",
             line);
}

void
world_make(const char *const *unsaid)
{
    memset(&world, 0, sizeof world);
    modules_make_dir(world.dir);
    world.config.backend_dir = world.dir;
    world.unsaid = unsaid;
    world_configure("{}");
    xa_log_capture(keep, NULL, XA_INFO);
}

int
world_tear_down(void **state XA_UNUSED)
{
    xa_registry_free(&world.registry);
    xa_log_capture(NULL, NULL, XA_INFO);
    xa_strlist_free(&world.config.enabled_plugins);
    xa_node_free(&world.config.root);
    modules_remove_dir(world.dir);
    return 0;
}

void
world_configure(const char *yaml)
{
    xa_node_free(&world.config.root);
    assert_int_equal(xa_yaml_parse("config.yml", yaml, strlen(yaml), 100,
                                   &world.config.root, NULL),
                     XA_OK);
}

void
world_enable(const char *name)
{
    assert_int_equal(xa_strlist_add(&world.config.enabled_plugins, name, NULL),
                     XA_OK);
}

void
world_start(void)
{
    assert_int_equal(xa_registry_new(&world.config, &world.registry, NULL),
                     XA_OK);
}

void
world_forget_lines(void)
{
    world.line_count = 0;
}
