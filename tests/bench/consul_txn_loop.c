/* consul_txn_loop.c - Consul's writes with nothing around them. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   consul_txn_loop PORT CLIENTS SECONDS BYTES
 *
 * Each client is a process with one kept connection, which sends the
 * transaction of an issue one time after the other: three keys, the record of
 * so many bytes.  Prints one line of JSON.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include <curl/curl.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/support/crypto.h"
#include "core/support/sha256.h"

#define CLIENTS_MAX 64
#define TIMES_MAX 200000
#define BODY_MAX 65536
#define PREFIX "xivo/xivo-auth/"

struct loop {
    uint64_t port;
    uint64_t clients;
    uint64_t seconds;
    uint64_t bytes;
};

struct done {
    uint32_t requests;
    uint32_t failed;
    uint32_t times_us[TIMES_MAX];
};

static size_t
ignore(char *data, size_t size, size_t count, void *ctx)
{
    (void)data;
    (void)ctx;
    return size * count;
}

static void
put_set(struct xa_buf *body, const char *folder, const char *middle,
        const char *key, const char *value)
{
    xa_buf_putf(body,
                "%s{\"KV\":{\"Verb\":\"set\",\"Key\":\"" PREFIX
                "%s/%s%s%s\",\"Value\":\"%s\"}}",
                body->len > 1 ? "," : "", folder, middle, *middle ? "/" : "",
                key, value);
}

static bool
make_body(struct xa_buf *body, const char *record)
{
    uint8_t random[24];
    char key[XA_SHA256_TEXT];

    if (getrandom(random, sizeof random, 0) != sizeof random)
        return false;
    xa_sha256_hex(random, sizeof random, key);
    xa_buf_clear(body);
    xa_buf_putc(body, '[');
    put_set(body, "tokens", "", key, record);
    put_set(body, "schedule", "1999999999", key,
            "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=");
    put_set(body, "subjects", "00000000000000000000000000000000", key, "");
    xa_buf_putc(body, ']');
    return xa_buf_check(body, NULL) == XA_OK;
}

static CURL *
open_curl(const struct loop *loop)
{
    CURL *curl = curl_easy_init();
    char url[64];

    if (!curl)
        return NULL;
    snprintf(url, sizeof url, "http://127.0.0.1:%" PRIu64 "/v1/txn",
             loop->port);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "PUT");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 10000L);
    return curl;
}

static bool
send_one(CURL *curl, const struct xa_buf *body)
{
    long status = 0;

    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body->len);
    if (curl_easy_perform(curl) != CURLE_OK)
        return false;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status == 200;
}

static void
be_client(const struct loop *loop, const char *record, struct done *done)
{
    XA_AUTO(xa_buf_free) struct xa_buf body = XA_BUF(BODY_MAX);
    int64_t end_ms = xa_clock_mono_ms() + (int64_t)loop->seconds * 1000;
    CURL *curl = open_curl(loop);

    while (curl && xa_clock_mono_ms() < end_ms && done->requests < TIMES_MAX) {
        int64_t begun_us;

        if (!make_body(&body, record))
            break;
        begun_us = xa_clock_boot_us();
        if (!send_one(curl, &body))
            done->failed++;
        done->times_us[done->requests++] =
            (uint32_t)(xa_clock_boot_us() - begun_us);
    }
    curl_easy_cleanup(curl);
}

/* A client in a process of its own; the end of a pipe that tells its result,
 * -1 if there is none. */
static int
start_client(const struct loop *loop, const char *record)
{
    struct done *done;
    int ends[2];
    pid_t pid;

    if (pipe(ends) != 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        done = calloc(1, sizeof *done);
        if (!done)
            _exit(70);
        be_client(loop, record, done);
        for (size_t at = 0; at < sizeof *done;) {
            ssize_t n =
                write(ends[1], (const char *)done + at, sizeof *done - at);

            if (n <= 0)
                _exit(74);
            at += (size_t)n;
        }
        _exit(0);
    }
    close(ends[1]);
    return pid < 0 ? -1 : ends[0];
}

static bool
read_client(int fd, struct done *out)
{
    size_t at = 0;
    ssize_t n = 0;

    while (at < sizeof *out &&
           (n = read(fd, (char *)out + at, sizeof *out - at)) > 0)
        at += (size_t)n;
    close(fd);
    return at == sizeof *out;
}

static int
compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static int
print(const struct loop *loop, uint32_t *times_us, size_t count,
      uint64_t failed)
{
    if (count == 0)
        return 1;
    qsort(times_us, count, sizeof *times_us, compare);
    printf("{\"requests\": %zu, \"seconds\": %" PRIu64 ", \"failed\": %" PRIu64
           ", \"p50_ms\": %.4f, \"p99_ms\": %.4f}\n",
           count, loop->seconds, failed, times_us[count / 2] / 1e3,
           times_us[count * 99 / 100] / 1e3);
    return 0;
}

static int
run(const struct loop *loop, const char *record)
{
    struct done *done = malloc(sizeof *done);
    uint32_t *times = malloc(sizeof *times * TIMES_MAX * CLIENTS_MAX);
    int from[CLIENTS_MAX];
    uint64_t failed = 0;
    size_t count = 0;

    for (size_t i = 0; i < loop->clients; i++)
        from[i] = start_client(loop, record);
    for (size_t i = 0; done && times && i < loop->clients; i++) {
        if (from[i] < 0 || !read_client(from[i], done)) {
            fprintf(stderr, "consul_txn_loop: a client ended\n");
            failed++;
            continue;
        }
        memcpy(times + count, done->times_us, done->requests * sizeof *times);
        count += done->requests;
        failed += done->failed;
    }
    while (wait(NULL) > 0)
        ;
    free(done);
    return print(loop, times, times ? count : 0, failed);
}

int
main(int argc, char **argv)
{
    char record[BODY_MAX / 2];
    struct loop loop;
    size_t len;

    if (argc != 5 || !xa_str_to_u64(argv[1], 65535, &loop.port) ||
        !xa_str_to_u64(argv[2], CLIENTS_MAX, &loop.clients) ||
        !xa_str_to_u64(argv[3], 3600, &loop.seconds) ||
        !xa_str_to_u64(argv[4], sizeof record / 2, &loop.bytes)) {
        fprintf(stderr, "usage: consul_txn_loop PORT CLIENTS SECONDS BYTES\n");
        return 64;
    }
    len = (size_t)(loop.bytes + 2) / 3 * 4; /* base64 */
    memset(record, 'e', len);
    record[len] = '\0';
    if (xa_crypto_init(NULL) != XA_OK || curl_global_init(0) != 0)
        return 70;
    return run(&loop, record);
}
