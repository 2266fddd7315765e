/* constant_time.c - does the time of a comparison tell what was compared? SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   constant_time [-n SAMPLES]
 *
 * For each way in which a secret is compared: inputs of two classes, drawn by
 * lot, each timed, and Welch's t of the two times (as dudect does: Reparaz,
 * Balasch, Verbauwhede, "Dude, is my code constant time?", 2017).  A line for
 * each, of fields with tabs between:
 *
 *   name  control or checked  samples  ns  t  t90  t50  least
 *
 *   t      of all samples; t90, t50: of those below that percentile, so
 *          that interruptions count less
 *   ns     of a call, the mean below that percentile
 *   least  ns between the classes that would have been seen with that noise
 *
 * A control must be seen: it is what careless code does.
 */
#include "config.h"

#include <crypt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/service/token_manager.h"
#include "core/support/crypto.h"
#include "core/support/password.h"
#include "core/support/uuid.h"

#define SAMPLES 1000000
#define SAMPLES_MIN 100000
#define BAR 10.0    /* dudect's: below, perhaps constant; beyond, it is not */
#define BATCH 200   /* inputs that are made before they are timed */
#define ENOUGH 100  /* samples of a class, for t to mean anything */
#define STORED 1000 /* tokens in the store */
#define TEXT 256
#define GIVEN "the password that is given"

/* A hash of nothing: crypt_r() is replaced below. */
#define SHA512_HEAD "$6$rounds=1000$tests$"
#define SHA512_TAIL                                                            \
    "Da2YRWb72LfDjJILrYnQI/BH/GM692XO92NyTf"                                   \
    "uXFq.OKQjl0Y/xlaSeiDKyfQjDf.UBRqPbN/vQ0XW1uxIVo0"

/* Of "password", at the least cost that libsodium knows. */
#define ARGON2ID_HEAD "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"
#define ARGON2ID_TAIL "dxM42BlXPGcRaznheIro4EsOsM+d+7/i5tdGzz5GT8c"

struct world {
    struct xa_token_manager *manager;
    char ids[STORED][XA_UUID_TEXT];       /* of tokens in the store */
    char strangers[STORED][XA_UUID_TEXT]; /* not there */
    uint64_t lot;
    char kept[TEXT];  /* what the given is compared with */
    char given[TEXT]; /* in one place, whatever the class */
    size_t len;
};

static volatile bool sink; /* so that no call is left out */
static const char *crypt_result;

static uint64_t
draw(struct world *w) /* xorshift64* */
{
    w->lot ^= w->lot >> 12;
    w->lot ^= w->lot << 25;
    w->lot ^= w->lot >> 27;
    return w->lot * UINT64_C(2685821657736338717);
}

/* --- what is compared ---------------------------------------------------- */

static bool
careless_equal(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static void
call_careless(struct world *w)
{
    sink = careless_equal(w->kept, w->given, w->len);
}

static void
call_equal(struct world *w)
{
    sink = xa_secret_equal(w->kept, w->len, w->given, w->len);
}

char *__wrap_crypt_r(const char *phrase, const char *setting,
                     struct crypt_data *data);

/* At once, so that the work does not drown what comes after it. */
char *
__wrap_crypt_r(const char *phrase XA_UNUSED, const char *setting XA_UNUSED,
               struct crypt_data *data)
{
    return strcpy(data->output, crypt_result);
}

static void
call_crypt(struct world *w)
{
    crypt_result = w->given;
    sink = xa_password_verify(w->kept, GIVEN, NULL) == XA_OK;
}

static void
call_argon2id(struct world *w)
{
    sink = xa_password_verify(w->given, "password", NULL) == XA_OK;
}

static void
call_find(struct world *w)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;

    sink = xa_token_manager_find(w->manager, w->given, NULL, xa_clock_now_us(),
                                 &token, NULL, NULL) == XA_OK;
}

/* --- inputs of a class --------------------------------------------------- */

/* Both are made each time, lest the making of one leave the processor in
 * another state than that of the other. */
struct pair {
    char given[2][TEXT]; /* by kind, the class of the input */
};

static void
other(char *byte)
{
    *byte = *byte == 'a' ? 'b' : 'a';
}

/* The same text with another character at `early`, and with one at `late`. */
static void
make_two(struct pair *out, const char *text, size_t early, size_t late)
{
    for (int i = 0; i < 2; i++)
        memcpy(out->given[i], text, strlen(text) + 1);
    other(&out->given[0][early]);
    other(&out->given[1][late]);
}

static void
make_text(struct world *w, struct pair *out, size_t len)
{
    memset(w->kept, 'x', len);
    w->kept[len] = '\0';
    w->len = len;
    make_two(out, w->kept, 0, len - 1);
}

static void
make_token_text(struct world *w, struct pair *out)
{
    make_text(w, out, XA_UUID_LEN);
}

static void
make_key_text(struct world *w, struct pair *out)
{
    make_text(w, out, 64);
}

/* Another text altogether, and one that differs in the last byte.  That one is
 * the same is no class: the answer says so anyway. */
static void
make_random(struct world *w, struct pair *out)
{
    make_text(w, out, 64);
    for (size_t i = 0; i < 64; i++)
        out->given[0][i] = (char)('a' + draw(w) % 23);
}

static void
make_crypt(struct world *w, struct pair *out)
{
    static const char hash[] = SHA512_HEAD SHA512_TAIL;

    memcpy(w->kept, hash, sizeof hash);
    make_two(out, hash, sizeof SHA512_HEAD - 1, sizeof hash - 2);
}

/* The last character but one: some bits of the last mean nothing. */
static void
make_argon2id(struct world *w XA_UNUSED, struct pair *out)
{
    static const char hash[] = ARGON2ID_HEAD ARGON2ID_TAIL;

    make_two(out, hash, sizeof ARGON2ID_HEAD - 1, sizeof hash - 3);
}

/* Far from any token, and one but for its last digit; of as many each, since
 * a processor learns what it sees often. */
static void
make_id(struct world *w, struct pair *out)
{
    size_t i = draw(w) % STORED;

    memcpy(out->given[0], w->strangers[i], XA_UUID_TEXT);
    memcpy(out->given[1], w->ids[i], XA_UUID_TEXT);
    for (int kind = 0; kind < 2; kind++)
        other(&out->given[kind][XA_UUID_LEN - 1]);
}

static const struct row {
    const char *name;
    void (*make)(struct world *w, struct pair *out);
    void (*call)(struct world *w);
    unsigned calls;   /* in a sample, to be above the clock's grain */
    unsigned divisor; /* of the samples, where a call is long */
    bool is_control;
} rows[] = {
    {"careless comparison of a token", make_token_text, call_careless, 20, 1,
     true},
    {"xa_secret_equal, 36 bytes", make_token_text, call_equal, 20, 1, false},
    {"xa_secret_equal, 64 bytes", make_key_text, call_equal, 20, 1, false},
    {"xa_secret_equal, random or near", make_random, call_equal, 20, 1, false},
    {"xa_password_verify, crypt(3)", make_crypt, call_crypt, 1, 2, false},
    {"xa_password_verify, argon2id", make_argon2id, call_argon2id, 1, 10,
     false},
    {"xa_token_manager_find, sha256", make_id, call_find, 2, 2, false},
};

/* --- Welch's t ----------------------------------------------------------- */

struct moments {
    double count, mean, squares;
};

static void
put(struct moments *m, double value)
{
    double before = value - m->mean;

    m->count += 1;
    m->mean += before / m->count;
    m->squares += before * (value - m->mean);
}

/* Of the difference of the means; 0: there are too few samples. */
static double
deviation(const struct moments m[2])
{
    double sum = 0;

    for (int i = 0; i < 2; i++) {
        if (m[i].count < ENOUGH)
            return 0;
        sum += m[i].squares / (m[i].count - 1) / m[i].count;
    }
    return sqrt(sum);
}

static double
welch(const struct moments m[2])
{
    double noise = deviation(m);

    return noise > 0 ? (m[0].mean - m[1].mean) / noise : 0;
}

/* --- a row --------------------------------------------------------------- */

static double
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

struct input {
    char kept[TEXT];
    char given[TEXT];
    unsigned kind;
};

/* Long before they are timed, lest the processor be still about the making. */
static void
make_batch(struct world *w, const struct row *row, struct input batch[BATCH])
{
    static struct pair two;

    for (size_t i = 0; i < BATCH; i++) {
        row->make(w, &two);
        batch[i].kind = (unsigned)(draw(w) >> 63);
        memcpy(batch[i].kept, w->kept, TEXT);
        memcpy(batch[i].given, two.given[batch[i].kind], TEXT);
    }
}

static double
sample(struct world *w, const struct row *row, const struct input *input)
{
    double begun;

    memcpy(w->kept, input->kept, TEXT);
    memcpy(w->given, input->given, TEXT);
    row->call(w); /* so that the copying is not what is seen */
    begun = now_ns();
    for (unsigned i = 0; i < row->calls; i++)
        row->call(w);
    return now_ns() - begun;
}

static int
by_value(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

/* What is below the n-th tenth of some samples. */
static void
find_limits(struct world *w, const struct row *row, size_t count,
            double *samples, double limits[3])
{
    static struct input batch[BATCH];

    for (size_t i = 0; i < count; i++) {
        if (i % BATCH == 0)
            make_batch(w, row, batch);
        samples[i] = sample(w, row, &batch[i % BATCH]);
    }
    qsort(samples, count, sizeof *samples, by_value);
    limits[0] = INFINITY;
    limits[1] = samples[count * 9 / 10];
    limits[2] = samples[count / 2];
}

static int
measure(struct world *w, const struct row *row, size_t count)
{
    static struct input batch[BATCH];
    struct moments below[3][2] = {{{0}}}; /* by limit, by class */
    double *first = calloc(count / 10, sizeof *first);
    double limits[3];

    if (!first)
        return -1;
    find_limits(w, row, count / 10, first, limits);
    free(first);
    for (size_t i = 0; i < count; i++) {
        const struct input *input = &batch[i % BATCH];
        double ns;

        if (i % BATCH == 0)
            make_batch(w, row, batch);
        ns = sample(w, row, input);
        for (int k = 0; k < 3; k++)
            if (ns <= limits[k])
                put(&below[k][input->kind], ns);
    }
    printf("%s\t%s\t%zu\t%.2f\t%.2f\t%.2f\t%.2f\t%.4f\n", row->name,
           row->is_control ? "control" : "checked", count,
           below[1][0].mean / row->calls, welch(below[0]), welch(below[1]),
           welch(below[2]), BAR * deviation(below[1]) / row->calls);
    return fflush(stdout);
}

/* --- a store with tokens ------------------------------------------------- */

static enum xa_rc
fill(struct world *w, struct xa_store *store, struct xa_err *err)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    enum xa_rc rc;

    rc = xa_identity_set_auth_id(&who, "alice", err);
    for (size_t i = 0; rc == XA_OK && i < STORED; i++) {
        XA_AUTO(xa_token_free) struct xa_token *token = NULL;
        struct xa_key key;

        rc = xa_token_new(&who, 86400, xa_clock_now_us(), &token, err);
        if (rc != XA_OK)
            return rc;
        memcpy(w->ids[i], xa_token_id(token), XA_UUID_TEXT);
        xa_key_of_token(XA_KEY_SHA256, w->ids[i], &key);
        rc = xa_store_create(store, &key, token, err);
        if (rc == XA_OK)
            rc = xa_uuid_random(w->strangers[i], err);
    }
    return rc;
}

static enum xa_rc
work(struct world *w, struct xa_config *config, const char *folder,
     size_t samples, struct xa_err *err)
{
    struct xa_store *store = NULL;
    enum xa_rc rc;

    free(config->store.lmdb.path);
    config->store.lmdb.path = strdup(folder);
    config->store.lmdb.max_size = 64 << 20;
    config->store.lmdb.sync = false;
    rc = xa_store_open(config, XA_STORE_USE, &store, err);
    if (rc == XA_OK)
        rc = fill(w, store, err);
    if (rc == XA_OK)
        rc = xa_token_manager_new(store, config, &w->manager, err);
    for (size_t i = 0; rc == XA_OK && i < XA_COUNT(rows); i++)
        if (measure(w, &rows[i], samples / rows[i].divisor) != 0)
            rc = xa_fail_nomem(err);
    xa_token_manager_free(&w->manager);
    xa_store_close(&store);
    return rc;
}

static void
remove_store(const char *folder)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", ""};
    char path[TEXT];

    for (size_t i = 0; i < XA_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
}

int
main(int argc, char **argv)
{
    static struct world world = {.lot = UINT64_C(88172645463325252)};
    char folder[] = "/tmp/constant_time.XXXXXX";
    struct xa_err err = XA_ERR_NONE;
    struct xa_config *config = NULL;
    uint64_t samples = SAMPLES;
    enum xa_rc rc;

    if (argc == 3 && strcmp(argv[1], "-n") == 0) {
        if (!xa_str_to_u64(argv[2], UINT32_MAX, &samples) ||
            samples < SAMPLES_MIN)
            return 64;
    } else if (argc != 1) {
        return 64;
    }
    if (!mkdtemp(folder)) {
        perror(folder);
        return 73;
    }
    world.lot ^= (uint64_t)xa_clock_now_us();
    rc = xa_crypto_init(&err);
    if (rc == XA_OK)
        rc = xa_config_defaults(&config, &err);
    if (rc == XA_OK)
        rc = work(&world, config, folder, (size_t)samples, &err);
    if (rc != XA_OK)
        fprintf(stderr, "constant_time: %s\n", err.text);
    xa_config_free(&config);
    remove_store(folder);
    return xa_rc_exit_code(rc);
}
