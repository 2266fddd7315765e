/* registry_world.h - a registry of modules, and what it logs. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_REGISTRY_WORLD_H
#define XA_TESTS_REGISTRY_WORLD_H

#include "core/service/registry.h"
#include "tests/unit/modules.h"
#include "tests/unit/unit.h"

#define WORLD_LINES_MAX 64

/* What every test stands on: modules in a folder, a configuration, the log. */
extern struct world {
    char dir[MODULES_DIR_MAX];
    struct xa_config config; /* names the folder */
    struct xa_registry *registry;
    const char *const *unsaid;
    char lines[WORLD_LINES_MAX][1024]; /* from level info on */
    size_t line_count;
} world;

/*
 * Make an empty folder and a configuration of it that enables nothing.
 *
 *   unsaid  texts that no line may hold, ended by NULL; borrowed until the
 *           next call
 */
void world_make(const char *const *unsaid);

/* Free all, the registry too, if a test has made it. */
int world_tear_down(void **state);

/* Read the sections of backends from this text, in place of those before. */
void world_configure(const char *yaml);

/* Name a backend in the configuration. */
void world_enable(const char *name);

/* Make the registry, as it must be possible. */
void world_start(void);

void world_forget_lines(void);

#endif
