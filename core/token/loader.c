/* loader.c - a backend module, from its file to its table of calls. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dlopen(3) runs the constructors of a module, so whose file it is comes
 * first.  The path is made free of links once, then checked from / downwards:
 * nobody but root or the running user can rename or replace what lies in a
 * folder that is theirs and closed to others, nor, in a sticky ancestor, an
 * entry that is theirs.  When the last check is done, no one else can have
 * swapped any part of the path, or can before dlopen() walks it again; root
 * and the running user need no swap to have their way.
 *
 * Opening the file and loading /proc/self/fd/N instead would not be safer: the
 * C library knows loaded objects by name, and takes a second module under a
 * number that is used again for the first one.
 */
#include "config.h"

#include "core/token/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BYTES_MAX 64

struct xa_module {
    void *handle; /* dlopen's */
    const struct xa_backend *backend;
};

static enum xa_rc
check_name(const char *name, struct xa_err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    size_t len = strlen(name);

    if (len == 0 || strspn(name, allowed) != len)
        return xa_fail(err, XA_E_CONFIG,
                       "a backend's name has only a-z, 0-9 and _, not `%.64s`",
                       name);
    if (len > NAME_BYTES_MAX)
        return xa_fail(err, XA_E_CONFIG,
                       "a backend's name has at most %d bytes", NAME_BYTES_MAX);
    return XA_OK;
}

/* The file's path without any link, "." or "..". */
static enum xa_rc
resolve(const char *dir, const char *name, char **out, struct xa_err *err)
{
    char path[PATH_MAX];
    char *real;
    int n;

    n = snprintf(path, sizeof path, "%s/%s.so", dir, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return xa_fail(err, XA_E_CONFIG, "backend_dir is too long");
    real = realpath(path, NULL);
    if (real) {
        *out = real;
        return XA_OK;
    }
    if (errno == ENOMEM)
        return xa_fail_nomem(err);
    if (errno == ENOENT)
        return xa_fail(err, XA_E_NOTFOUND, "there is no file %s", path);
    return xa_fail(err, XA_E_CONFIG, "cannot find %s: %s", path,
                   strerror(errno));
}

/* Whose it is, and who can change it. */
static enum xa_rc
check_entry(const char *path, mode_t type, bool sticky_will_do,
            struct xa_err *err)
{
    uid_t me = geteuid();
    struct stat st;

    if (lstat(path, &st) != 0)
        return xa_fail(err, XA_E_CONFIG, "cannot examine %s: %s", path,
                       strerror(errno));
    if ((st.st_mode & S_IFMT) != type)
        return xa_fail(err, XA_E_CONFIG, "%s is no %s", path,
                       type == S_IFREG ? "regular file" : "folder");
    if (st.st_uid != 0 && st.st_uid != me)
        return xa_fail(err, XA_E_CONFIG,
                       "%s belongs to user %lu, not to root or user %lu", path,
                       (unsigned long)st.st_uid, (unsigned long)me);
    if (sticky_will_do && (st.st_mode & S_ISVTX))
        return XA_OK;
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return xa_fail(err, XA_E_CONFIG, "%s can be written by %s (mode %04o)",
                       path, st.st_mode & S_IWOTH ? "everybody" : "its group",
                       (unsigned)(st.st_mode & 07777));
    return XA_OK;
}

/*
 * Every folder from / down, then the file.  The folder that holds the file
 * may not be a sticky one: there anybody could put a hard link to some other
 * library of root's.
 */
static enum xa_rc
check_path(char *path, struct xa_err *err)
{
    char *last = strrchr(path, '/');
    enum xa_rc rc;

    rc = check_entry("/", S_IFDIR, last != path, err);
    for (char *slash = path; rc == XA_OK && slash != last;) {
        slash = strchr(slash + 1, '/');
        /* analyzer: it meets the last one at the latest */
        *slash = '\0';
        rc = check_entry(path, S_IFDIR, slash != last, err);
        *slash = '/';
    }
    if (rc != XA_OK)
        return rc;
    return check_entry(path, S_IFREG, false, err);
}

/* Bytes of a symbol that is data; 0 for a function, say. */
static size_t
data_size(const void *symbol)
{
#ifdef __GLIBC__
    const ElfW(Sym) *entry = NULL;
    void *out = NULL;
    Dl_info info;

    if (dladdr1(symbol, &info, &out, RTLD_DL_SYMENT) == 0 || !out)
        return 0;
    entry = out;
    return ELF64_ST_TYPE(entry->st_info) == STT_OBJECT ? entry->st_size : 0;
#else
    (void)symbol; /* nobody can tell */
    return SIZE_MAX;
#endif
}

/* Abi and size first: until they fit, nothing else there has a meaning. */
static enum xa_rc
check_table(const struct xa_backend *backend, size_t bytes, struct xa_err *err)
{
    if (bytes < offsetof(struct xa_backend, configured))
        return xa_fail(err, XA_E_CONFIG, "its xa_backend is no table");
    if (backend->abi != XA_BACKEND_ABI)
        return xa_fail(err, XA_E_CONFIG,
                       "it was built for interface %u, this is %u",
                       (unsigned)backend->abi, XA_BACKEND_ABI);
    if (backend->size != sizeof *backend)
        return xa_fail(err, XA_E_CONFIG,
                       "its table has %u bytes, %zu are expected",
                       (unsigned)backend->size, sizeof *backend);
    if (bytes < sizeof *backend)
        return xa_fail(err, XA_E_CONFIG, "its table is cut short");
    if (!backend->configured)
        return xa_fail(err, XA_E_CONFIG, "its table has no configured()");
    if (!backend->start)
        return xa_fail(err, XA_E_CONFIG, "its table has no start()");
    if (!backend->authenticate)
        return xa_fail(err, XA_E_CONFIG, "its table has no authenticate()");
    return XA_OK;
}

/* From here on code of the module runs: its constructors. */
static enum xa_rc
open_module(const char *path, struct xa_module *module, struct xa_err *err)
{
    const char *why;
    enum xa_rc rc;

    module->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module->handle) {
        why = dlerror();
        return xa_fail(err, XA_E_CONFIG, "cannot load it: %s",
                       why ? why : "no reason given");
    }
    module->backend = dlsym(module->handle, "xa_backend");
    if (!module->backend)
        return xa_fail(err, XA_E_CONFIG, "%s has no symbol xa_backend", path);
    rc = check_table(module->backend, data_size(module->backend), err);
    if (rc != XA_OK)
        xa_err_prefix(err, "%s: ", path);
    return rc;
}

enum xa_rc
xa_module_load(const char *dir, const char *name, struct xa_module **out,
               struct xa_err *err)
{
    XA_AUTO(xa_module_free) struct xa_module *module = NULL;
    XA_AUTO(xa_str_free) char *path = NULL;
    enum xa_rc rc;

    rc = check_name(name, err);
    if (rc != XA_OK)
        return rc;
    rc = resolve(dir, name, &path, err);
    if (rc != XA_OK)
        return rc;
    rc = check_path(path, err);
    if (rc != XA_OK)
        return rc;
    module = calloc(1, sizeof *module);
    if (!module)
        return xa_fail_nomem(err);
    rc = open_module(path, module, err);
    if (rc != XA_OK)
        return rc;
    *out = XA_TAKE(module);
    return XA_OK;
}

const struct xa_backend *
xa_module_backend(const struct xa_module *module)
{
    return module->backend;
}

void
xa_module_free(struct xa_module **module)
{
    if (*module && (*module)->handle)
        dlclose((*module)->handle);
    free(*module);
    *module = NULL;
}
