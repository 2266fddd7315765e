/* users_file.c - users in a YAML file. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *     users:
 *       alice:
 *         password: "$y$j9T$..."
 *         uuid: 63f3dc3c-865d-419e-bec2-e18c4b118224
 *         acls: [confd.#]
 *
 * The file is read as a whole or not at all: one entry that makes no sense
 * refuses it, because an operator who mistypes must neither lock out half of
 * the users nor give one more than was meant.  It is looked at before each
 * login and read again when it has changed.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <xivo-auth/backend.h>

#define WHY_MAX 512
#define RETRY_S 10 /* until a file that could not be read is tried again */

struct user {
    const char *login; /* in users.text, like the rest */
    const char *hash;
    const char *uuid;
    size_t acl_first; /* in users.acls */
    size_t acl_count;
    int has_acls; /* else the configuration's default_user_acls */
};

/* What one reading of the file gave: sorted by login, constant. */
struct users {
    struct user *list;
    size_t count;
    const char **acls; /* of all users, each user's in a row */
    size_t acl_count;
    char *text; /* every string */
    size_t text_len;
};

struct backend {
    const struct xa_host *host;
    const char *path; /* lent by the host */
    struct users users;
    struct stat seen;  /* the file when last read, well or not; or zero */
    int broken;        /* that reading failed */
    time_t retry_at;   /* monotonic; when broken */
};

/* A pass over the tree: it checks, and counts what is to be allocated. */
struct tally {
    const struct xa_host *host;
    const char *path;
    char *why;
    size_t text_len;
    size_t acl_count;
};

static const char *
path_of(const struct xa_host *host)
{
    const struct xa_node *section = host->get(host->config(host), "users_file");

    return host->text(host->get(section, "path"));
}

static int
is_configured(const struct xa_host *host)
{
    return path_of(host) && *path_of(host);
}

/* --- one reading: check and count -------------------------------------- */

__attribute__((format(printf, 4, 5))) static int
complain(const struct tally *tally, const struct xa_node *where,
         const char *login, const char *fmt, ...)
{
    char what[WHY_MAX / 2];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (login)
        snprintf(tally->why, WHY_MAX, "%s:%u: user %.64s: %s", tally->path,
                 tally->host->line(where), login, what);
    else
        snprintf(tally->why, WHY_MAX, "%s:%u: %s", tally->path,
                 tally->host->line(where), what);
    return -1;
}

#define FIT_TEXT "text of 1 to %d bytes without control characters"

/* Whether one begins there: of ASCII, or U+0080 to U+009F. */
static int
is_control(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;

    return byte[0] < 0x20 || byte[0] == 0x7f ||
           (byte[0] == 0xc2 && byte[1] < 0xa0);
}

/* Length of such a text; 0 if it is none. */
static size_t
fit_len(const char *text, size_t max)
{
    size_t len = text ? strnlen(text, max + 1) : 0;

    if (len > max)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (is_control(text + i))
            return 0;
    return len;
}

static int
tally_acls(struct tally *tally, const char *login, const struct xa_node *acls)
{
    const struct xa_host *host = tally->host;
    size_t count = host->count(acls);
    size_t bytes = 0;
    size_t len;

    if (count > XA_BACKEND_ACLS_MAX)
        return complain(tally, acls, login, "over %d acls",
                        XA_BACKEND_ACLS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct xa_node *acl = host->item(acls, i, NULL);

        len = fit_len(host->text(acl), XA_BACKEND_ACL_MAX);
        if (len == 0)
            return complain(tally, acl, login, "an ACL is " FIT_TEXT,
                            XA_BACKEND_ACL_MAX);
        bytes += len;
        tally->text_len += len + 1;
    }
    if (bytes > XA_BACKEND_ACLS_BYTES)
        return complain(tally, acls, login, "acls of over %d bytes",
                        XA_BACKEND_ACLS_BYTES);
    tally->acl_count += count;
    return 0;
}

/* A misspelt key is refused too: without its `acls` a user would get the
 * default ones. */
static int
check_keys(const struct tally *tally, const char *login,
           const struct xa_node *entry)
{
    const struct xa_host *host = tally->host;
    const char *key = NULL;

    for (size_t i = 0; i < host->count(entry); i++) {
        const struct xa_node *value = host->item(entry, i, &key);

        if (strcmp(key, "password") != 0 && strcmp(key, "uuid") != 0 &&
            strcmp(key, "acls") != 0)
            return complain(tally, value, login, "unknown key %.64s", key);
        if (strcmp(key, "acls") == 0 && !host->is_list(value))
            return complain(tally, value, login,
                            "acls is no list (write [] for none)");
    }
    return 0;
}

static int
tally_user(struct tally *tally, const char *login, const struct xa_node *entry)
{
    const struct xa_host *host = tally->host;
    const char *hash = host->text(host->get(entry, "password"));
    const char *uuid = host->text(host->get(entry, "uuid"));
    const struct xa_node *acls = host->get(entry, "acls");

    if (fit_len(login, XA_BACKEND_LOGIN_MAX) == 0)
        return complain(tally, entry, NULL, "a login is " FIT_TEXT,
                        XA_BACKEND_LOGIN_MAX);
    if (!host->is_map(entry))
        return complain(tally, entry, login, "no mapping of password and uuid");
    if (check_keys(tally, login, entry) != 0)
        return -1;
    if (!hash)
        return complain(tally, entry, login, "no password");
    if (!host->is_hash(hash))
        return complain(tally, host->get(entry, "password"), login,
                        "password is no hash that is accepted");
    if (!uuid)
        return complain(tally, entry, login, "no uuid");
    if (fit_len(uuid, XA_BACKEND_ID_MAX) == 0)
        return complain(tally, host->get(entry, "uuid"), login,
                        "uuid is " FIT_TEXT, XA_BACKEND_ID_MAX);
    tally->text_len += strlen(login) + strlen(hash) + strlen(uuid) + 3;
    return acls ? tally_acls(tally, login, acls) : 0;
}

static int
tally_all(struct tally *tally, const struct xa_node *tree,
          const struct xa_node *map)
{
    const struct xa_host *host = tally->host;
    const char *login = NULL;

    if (!host->is_map(map))
        return complain(tally, map ? map : tree, NULL,
                        "users is no mapping of logins (write {} for none)");
    for (size_t i = 0; i < host->count(map); i++) {
        const struct xa_node *entry = host->item(map, i, &login);

        if (tally_user(tally, login, entry) != 0)
            return -1;
    }
    return 0;
}

/* --- one reading: copy --------------------------------------------------- */

static void
users_free(const struct xa_host *host, struct users *users)
{
    if (users->text)
        host->wipe(users->text, users->text_len);
    free(users->text);
    free(users->acls);
    free(users->list);
    memset(users, 0, sizeof *users);
}

static const char *
copy_text(struct users *users, const char *text)
{
    size_t size = strlen(text) + 1;
    char *place = users->text + users->text_len;

    memcpy(place, text, size);
    users->text_len += size;
    return place;
}

static void
copy_user(const struct xa_host *host, struct users *users, const char *login,
          const struct xa_node *entry)
{
    const struct xa_node *acls = host->get(entry, "acls");
    struct user *user = &users->list[users->count++];

    user->login = copy_text(users, login);
    user->hash = copy_text(users, host->text(host->get(entry, "password")));
    user->uuid = copy_text(users, host->text(host->get(entry, "uuid")));
    user->has_acls = acls != NULL;
    user->acl_first = users->acl_count;
    user->acl_count = host->count(acls);
    for (size_t i = 0; i < user->acl_count; i++)
        users->acls[users->acl_count++] =
            copy_text(users, host->text(host->item(acls, i, NULL)));
}

static int
by_login(const void *a, const void *b)
{
    return strcmp(((const struct user *)a)->login,
                  ((const struct user *)b)->login);
}

static int
build(const struct tally *tally, const struct xa_node *map, struct users *out)
{
    const struct xa_host *host = tally->host;
    size_t count = host->count(map);
    struct users users = {0};
    const char *login = NULL;

    /* one more of each, for a file without users */
    users.list = calloc(count + 1, sizeof *users.list);
    users.acls = calloc(tally->acl_count + 1, sizeof *users.acls);
    users.text = malloc(tally->text_len + 1);
    if (!users.list || !users.acls || !users.text) {
        users_free(host, &users);
        return complain(tally, map, NULL, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        const struct xa_node *entry = host->item(map, i, &login);

        copy_user(host, &users, login, entry);
    }
    qsort(users.list, users.count, sizeof *users.list, by_login);
    *out = users;
    return 0;
}

static int
read_users(const struct backend *self, struct users *out, char why[WHY_MAX])
{
    const struct xa_host *host = self->host;
    struct tally tally = {.host = host, .path = self->path, .why = why};
    struct xa_node *tree = host->read_file(host, self->path, why, WHY_MAX);
    const struct xa_node *map;
    int rc;

    if (!tree)
        return -1;
    map = host->get(tree, "users");
    rc = tally_all(&tally, tree, map);
    if (rc == 0)
        rc = build(&tally, map, out);
    host->free_tree(tree);
    return rc;
}

/* --- the file, now and again -------------------------------------------- */

static int
look(const struct backend *self, struct stat *st, char why[WHY_MAX])
{
    memset(st, 0, sizeof *st);
    if (stat(self->path, st) != 0) {
        snprintf(why, WHY_MAX, "%s: %s", self->path, strerror(errno));
        return -1;
    }
    if (S_ISREG(st->st_mode))
        return 0;
    snprintf(why, WHY_MAX, "%s: is no regular file", self->path);
    return -1;
}

/* Ctime too: a tool may set mtime back. */
static int
is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && a->st_mode == b->st_mode &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static time_t
now_s(void)
{
    struct timespec ts = {0};

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

static void
warn_of_mode(const struct backend *self, mode_t mode)
{
    if (mode & (S_IROTH | S_IWOTH))
        self->host->log(self->host, XA_HOST_WARNING,
                        "%s can be %s by everybody", self->path,
                        mode & S_IWOTH ? "written" : "read");
}

/* What stays broken is said once, and tried again now and then: the cause may
 * have been ours, too few descriptors say. */
static void
keep_old(struct backend *self, const char *why, int is_new)
{
    if (is_new)
        self->host->log(self->host, XA_HOST_ERROR,
                        "%s; the %zu users known before stay", why,
                        self->users.count);
    self->broken = 1;
    self->retry_at = now_s() + RETRY_S;
}

static void
refresh(struct backend *self)
{
    struct users fresh = {0};
    char why[WHY_MAX] = "";
    struct stat st;
    int found = look(self, &st, why) == 0;
    int is_new = !is_same(&st, &self->seen);

    if (!is_new && (!self->broken || now_s() < self->retry_at))
        return;
    /* Looked at before it is read: a change meanwhile is seen next time. */
    self->seen = st;
    if (!found || read_users(self, &fresh, why) != 0) {
        keep_old(self, why, is_new);
        return;
    }
    users_free(self->host, &self->users);
    self->users = fresh;
    self->broken = 0;
    warn_of_mode(self, st.st_mode);
    self->host->log(self->host, XA_HOST_INFO, "%s read again, %zu users",
                    self->path, self->users.count);
}

static void
stop(void *ptr)
{
    struct backend *self = ptr;

    users_free(self->host, &self->users);
    free(self);
}

static int
start(const struct xa_host *host, void **out)
{
    struct backend *self = calloc(1, sizeof *self);
    char why[WHY_MAX] = "";

    if (!self) {
        host->log(host, XA_HOST_ERROR, "out of memory");
        return -1;
    }
    self->host = host;
    self->path = path_of(host);
    if (look(self, &self->seen, why) != 0 ||
        read_users(self, &self->users, why) != 0) {
        host->log(host, XA_HOST_ERROR, "%s", why);
        stop(self);
        return -1;
    }
    warn_of_mode(self, self->seen.st_mode);
    host->log(host, XA_HOST_INFO, "%s: %zu users", self->path,
              self->users.count);
    *out = self;
    return 0;
}

/* --- a login -------------------------------------------------------------- */

/*
 * A stored hash for a login that does not exist, the same one each time: so
 * unknown users cost what known ones do at this site, whatever its methods
 * and costs are.  NULL when there is no user at all.
 */
static const char *
decoy_for(const struct users *users, const char *login)
{
    uint64_t mix = UINT64_C(14695981039346656037); /* FNV-1a */

    if (users->count == 0)
        return NULL;
    for (; *login; login++)
        mix = (mix ^ (unsigned char)*login) * UINT64_C(1099511628211);
    return users->list[mix % users->count].hash;
}

static int
push_default_acls(const struct xa_host *host, const struct xa_sink *to)
{
    const struct xa_node *acls =
        host->get(host->config(host), "default_user_acls");
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < host->count(acls); i++)
        rc = to->acl(to, host->text(host->item(acls, i, NULL)));
    return rc;
}

static enum xa_verdict
grant(const struct backend *self, const struct user *user,
      const struct xa_sink *to)
{
    int rc = to->auth_id(to, user->uuid);

    if (rc == 0)
        rc = to->xivo_user_uuid(to, user->uuid);
    if (rc == 0 && !user->has_acls)
        rc = push_default_acls(self->host, to);
    for (size_t i = 0; rc == 0 && i < user->acl_count; i++)
        rc = to->acl(to, self->users.acls[user->acl_first + i]);
    return rc == 0 ? XA_GRANTED : XA_FAILED;
}

static enum xa_verdict
authenticate(void *ptr, const char *login, const char *password,
             const struct xa_sink *to)
{
    struct backend *self = ptr;
    const struct xa_host *host = self->host;
    const struct user key = {.login = login};
    const struct user *user = NULL;
    const char *stored;
    int matches;

    refresh(self);
    if (self->users.count > 0)
        user = bsearch(&key, self->users.list, self->users.count, sizeof key,
                       by_login);
    stored = user ? user->hash : decoy_for(&self->users, login);
    matches = host->verify_password(host, stored, password);
    if (!user || matches == 0) /* the decoy's password opens nothing */
        return XA_DENIED;
    return matches == 1 ? grant(self, user, to) : XA_FAILED;
}

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD,
    .configured = is_configured,
    .start = start,
    .authenticate = authenticate,
    .stop = stop,
};
