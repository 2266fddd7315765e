/* modules.h - a folder of backend modules for one test. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_UNIT_MODULES_H
#define XA_TESTS_UNIT_MODULES_H

#define MODULES_DIR_MAX 64
#define MODULES_PATH_MAX 192

/* Make a new folder of mode 0755 below /tmp.  Failure fails the test. */
void modules_make_dir(char dir[MODULES_DIR_MAX]);

/*
 * Copy a module of this build, one of backends/ or of tests/modules/, into a
 * folder as NAME.so of mode 0644.  So a test does not depend on the modes of
 * the build tree, and may change those of the copy.
 */
void modules_copy(const char *dir, const char *name);

/* Write a text file, by way of a rename as a careful tool does. */
void modules_write(const char *path, const char *text);

/* Remove a folder and all in it. */
void modules_remove_dir(const char *dir);

/* dir/file into out.  Returns out. */
const char *modules_path(const char *dir, const char *file,
                         char out[MODULES_PATH_MAX]);

#endif
