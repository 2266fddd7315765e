/* http.c - an HTTP client for servers that we depend on. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/http.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "core/base/clock.h"
#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/support/http_head.h"

/* libcurl counts those in use too, and closes one that has just become idle
 * when there are more: two calls may be under way beside the one in hand. */
#define KEPT_CONNECTIONS 3
#define SPARE_CALLS 2  /* handles kept for the next calls */
#define SERVER_MAX 272 /* bytes of "host:port" in a sentence */

struct xa_http {
    CURLM *multi;
    struct curl_slist *headers; /* of each request; the secret is in it */
    char *ca_file;
    char *cert;
    char *key;
    bool verify;
    struct xa_http_call *calls;  /* under way, or ended and not freed */
    struct xa_http_call *spares; /* for the next ones */
    size_t spare_count;
    uint64_t connections; /* made so far */
};

struct xa_http_call {
    struct xa_http *http;
    struct xa_http_call *next;
    CURL *easy;
    struct xa_http_answer *answer; /* the caller's */
    char server[SERVER_MAX];       /* for sentences: no path stands in it */
    char why[CURL_ERROR_SIZE];     /* libcurl's own words */
    int64_t begun_ms;
    int64_t deadline_ms;
    CURLcode result;
    int fd; /* of the connection that was made for it; -1: none was */
    bool has_ended;
    bool is_tls;
    bool is_too_large;
    struct xa_http_head head;
};

/* --- what comes back ----------------------------------------------------- */

/* One line of the header, with its end.  Returning less ends the call. */
static size_t
take_header(char *line, size_t size, size_t count, void *ctx)
{
    struct xa_http_call *call = ctx;
    size_t len = size * count;

    xa_http_head_line(&call->head, call->answer, line, len);
    if (!call->head.is_done || call->head.body_len <= call->answer->body.max)
        return len;
    call->is_too_large = true;
    return 0;
}

static size_t
take_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct xa_http_call *call = ctx;
    struct xa_buf *body = &call->answer->body;
    size_t len = size * count;

    if (len > body->max - body->len) {
        call->is_too_large = true;
        return 0;
    }
    if (body->len == 0 && call->head.body_len > len)
        xa_buf_reserve(body, (size_t)call->head.body_len);
    xa_buf_put(body, bytes, len);
    return body->broken == XA_OK ? len : 0;
}

/* libcurl lends the socket of a call that is under way in no other way. */
static int
note_socket(void *ctx, curl_socket_t fd, curlsocktype purpose XA_UNUSED)
{
    struct xa_http_call *call = ctx;

    call->fd = fd;
    call->http->connections++;
    return CURL_SOCKOPT_OK;
}

/* --- sentences ----------------------------------------------------------- */

/* GnuTLS has one sentence for all that can be wrong with a certificate, and
 * bits that say what it was. */
static const char *
distrust(CURL *easy)
{
    static const struct {
        long bit;
        const char *words;
    } bits[] = {
        {1L << 10, "it has expired"},
        {1L << 9, "it is not valid yet"},
        {1L << 6, "no trusted authority has signed it"},
    };
    const char *library = curl_version_info(CURLVERSION_NOW)->ssl_version;
    long result = 0;

    if (!library || strncmp(library, "GnuTLS", 6) != 0 ||
        curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result) != CURLE_OK)
        return NULL;
    for (size_t i = 0; i < XA_COUNT(bits); i++)
        if (result & bits[i].bit)
            return bits[i].words;
    return NULL;
}

static enum xa_rc
explain_connect(const struct xa_http_call *call, struct xa_err *err)
{
    long number = 0;

    if (curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number) != CURLE_OK)
        number = 0;
    if (number == ECONNREFUSED)
        return xa_fail(err, XA_E_UNAVAILABLE, "%s: connection refused",
                       call->server);
    return xa_fail(err, XA_E_UNAVAILABLE, "%s: no connection: %s", call->server,
                   number > 0 ? strerror((int)number) : call->why);
}

static enum xa_rc
explain_certificate(const struct xa_http_call *call, struct xa_err *err)
{
    const char *words = distrust(call->easy);

    return xa_fail(err, XA_E_UNAVAILABLE,
                   "%s: its certificate is not accepted: %s", call->server,
                   words ? words : call->why);
}

/* By TLS 1.3 a server that misses our certificate accepts the connection and
 * ends it with the first request, and libcurl knows no words for that. */
static enum xa_rc
explain_break(const struct xa_http_call *call, struct xa_err *err)
{
    long made = 0;
    bool is_new = curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &made) ==
                      CURLE_OK &&
                  made > 0;

    return xa_fail(err, XA_E_UNAVAILABLE, "%s: the connection broke: %s%s",
                   call->server, call->why,
                   is_new && call->is_tls && !call->http->cert
                       ? " (it may want a client certificate)"
                       : "");
}

static enum xa_rc
explain(const struct xa_http_call *call, struct xa_err *err)
{
    static const struct {
        CURLcode code;
        const char *words;
        bool with_why; /* libcurl's words hold no URL then */
    } table[] = {
        {CURLE_COULDNT_RESOLVE_HOST, "its name is not found", false},
        {CURLE_GOT_NOTHING, "closed the connection without an answer", false},
        {CURLE_PARTIAL_FILE, "the answer breaks off", false},
        {CURLE_UNSUPPORTED_PROTOCOL, "the answer is no HTTP", false},
        {CURLE_WEIRD_SERVER_REPLY, "the answer is no HTTP", false},
        {CURLE_SSL_CONNECT_ERROR, "no TLS connection", true},
        {CURLE_SSL_CACERT_BADFILE, "the file of authorities is no use", true},
        {CURLE_SSL_CERTPROBLEM, "the client certificate is no use", true},
    };

    if (call->result == CURLE_OUT_OF_MEMORY)
        return xa_fail_nomem(err);
    if (call->result == CURLE_COULDNT_CONNECT)
        return explain_connect(call, err);
    if (call->result == CURLE_SEND_ERROR || call->result == CURLE_RECV_ERROR)
        return explain_break(call, err);
    if (call->result == CURLE_PEER_FAILED_VERIFICATION)
        return explain_certificate(call, err);
    for (size_t i = 0; i < XA_COUNT(table); i++)
        if (table[i].code == call->result)
            return xa_fail(err, XA_E_UNAVAILABLE, "%s: %s%s%s", call->server,
                           table[i].words, table[i].with_why ? ": " : "",
                           table[i].with_why ? call->why : "");
    return xa_fail(err, XA_E_UNAVAILABLE, "%s: %s", call->server,
                   curl_easy_strerror(call->result));
}

static enum xa_rc
explain_timeout(const struct xa_http_call *call, struct xa_err *err)
{
    long sent = 0;
    double resolved = 0;

    if (curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent) != CURLE_OK)
        sent = 0;
    if (curl_easy_getinfo(call->easy, CURLINFO_NAMELOOKUP_TIME, &resolved) !=
        CURLE_OK)
        resolved = 0;
    return xa_fail(err, XA_E_TIMEOUT, "%s: %s within %lld ms", call->server,
                   sent > 0       ? "no answer"
                   : resolved > 0 ? "no connection"
                                  : "its name is not found",
                   (long long)(call->deadline_ms - call->begun_ms));
}

static enum xa_rc
outcome(const struct xa_http_call *call, struct xa_err *err)
{
    struct xa_http_answer *answer = call->answer;

    if (call->is_too_large)
        return xa_fail(err, XA_E_INVALID,
                       "%s: the answer is larger than %zu bytes", call->server,
                       answer->body.max);
    if (answer->body.broken != XA_OK)
        return xa_fail_nomem(err);
    if (call->result != CURLE_OK)
        return explain(call, err);
    if (answer->status != 204 && answer->status != 304 && !call->head.is_framed)
        return xa_fail(err, XA_E_UNAVAILABLE,
                       "%s: the answer, status %ld, does not say where it ends",
                       call->server, answer->status);
    return XA_OK;
}

/* --- handles ------------------------------------------------------------- */

/*
 * Each option is known to every libcurl that we accept, or is a wish only; a
 * failure can only be memory, and is seen because CURLOPT_URL fails then too.
 */
static void
set_constant_options(const struct xa_http_call *call)
{
    const struct xa_http *http = call->http;
    CURL *easy = call->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->why);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, note_socket);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, call);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
                     (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A name server that is silent holds up a thread of libcurl's, not us. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, http->verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, http->verify ? 2L : 0L);
    if (http->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
    if (http->cert)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, http->cert);
    if (http->key)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, http->key);
}

static void
call_destroy(struct xa_http_call *call)
{
    if (!call)
        return;
    curl_easy_cleanup(call->easy);
    free(call);
}

static struct xa_http_call *
call_new(struct xa_http *http)
{
    struct xa_http_call *call = calloc(1, sizeof *call);

    if (!call)
        return NULL;
    call->http = http;
    call->easy = curl_easy_init();
    if (!call->easy) {
        free(call);
        return NULL;
    }
    set_constant_options(call);
    return call;
}

/* A call that is ready to be filled, among those under way. */
static struct xa_http_call *
call_take(struct xa_http *http)
{
    struct xa_http_call *call = http->spares;

    if (call) {
        http->spares = call->next;
        http->spare_count--;
    } else {
        call = call_new(http);
    }
    if (call) {
        call->next = http->calls;
        http->calls = call;
    }
    return call;
}

void
xa_http_call_free(struct xa_http_call **place)
{
    struct xa_http_call *call = XA_TAKE(*place);
    struct xa_http *http;
    struct xa_http_call **link;

    if (!call)
        return;
    /* analyzer: a call stands in the list once, and is freed once */
    http = call->http;
    for (link = &http->calls; *link != call; link = &(*link)->next)
        ;
    *link = call->next;
    curl_multi_remove_handle(http->multi, call->easy);
    if (http->spare_count == SPARE_CALLS) {
        call_destroy(call);
        return;
    }
    call->next = http->spares;
    http->spares = call;
    http->spare_count++;
}

/* --- the client ---------------------------------------------------------- */

/* libcurl tells of such a file only when it connects. */
static enum xa_rc
copy_file_name(const char *path, const char *what, char **out,
               struct xa_err *err)
{
    if (path && access(path, R_OK) != 0)
        return xa_fail(err, XA_E_CONFIG, "%s %s cannot be read: %s", what, path,
                       strerror(errno));
    return xa_str_dup(path, out, err);
}

static enum xa_rc
add_header(struct xa_http *http, const char *line, struct xa_err *err)
{
    struct curl_slist *list = curl_slist_append(http->headers, line);

    if (!list)
        return xa_fail_nomem(err);
    http->headers = list;
    return XA_OK;
}

static enum xa_rc
add_headers(struct xa_http *http, const struct xa_http_setup *setup,
            struct xa_err *err)
{
    /* Without a value: libcurl is not to send it. */
    static const char *const unsent[] = {"Expect:", "Accept:", "Content-Type:"};
    XA_AUTO(xa_buf_free) struct xa_buf line = XA_BUF(16384);
    enum xa_rc rc;

    for (size_t i = 0; i < XA_COUNT(unsent); i++) {
        rc = add_header(http, unsent[i], err);
        if (rc != XA_OK)
            return rc;
    }
    if (!setup->secret_name)
        return XA_OK;
    if (xa_str_has_ascii_control(setup->secret_value,
                                 strlen(setup->secret_value)))
        return xa_fail(err, XA_E_CONFIG,
                       "a control character stands in the value of %s",
                       setup->secret_name);
    xa_buf_puts(&line, setup->secret_name);
    xa_buf_puts(&line, ": ");
    xa_buf_puts(&line, setup->secret_value);
    rc = xa_buf_check(&line, err);
    return rc != XA_OK ? rc : add_header(http, line.data, err);
}

static enum xa_rc
fill(struct xa_http *http, const struct xa_http_setup *setup,
     struct xa_err *err)
{
    enum xa_rc rc;

    http->verify = setup->verify;
    rc = copy_file_name(setup->ca_file, "file of authorities", &http->ca_file,
                        err);
    if (rc == XA_OK)
        rc =
            copy_file_name(setup->cert, "client certificate", &http->cert, err);
    if (rc == XA_OK)
        rc = copy_file_name(setup->key, "key of the client certificate",
                            &http->key, err);
    if (rc == XA_OK)
        rc = add_headers(http, setup, err);
    if (rc != XA_OK)
        return rc;
    http->multi = curl_multi_init();
    if (!http->multi)
        return xa_fail_nomem(err);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS,
                      (long)KEPT_CONNECTIONS);
    curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return XA_OK;
}

enum xa_rc
xa_http_new(const struct xa_http_setup *setup, struct xa_http **out,
            struct xa_err *err)
{
    XA_AUTO(xa_http_free) struct xa_http *http = NULL;
    enum xa_rc rc;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return xa_fail_nomem(err);
    http = calloc(1, sizeof *http);
    if (!http) {
        curl_global_cleanup();
        return xa_fail_nomem(err);
    }
    rc = fill(http, setup, err);
    if (rc != XA_OK)
        return rc;
    *out = XA_TAKE(http);
    return XA_OK;
}

void
xa_http_free(struct xa_http **place)
{
    struct xa_http *http = XA_TAKE(*place);
    struct xa_http_call *call;

    if (!http)
        return;
    while ((call = http->calls))
        xa_http_call_free(&call);
    while ((call = http->spares)) {
        http->spares = call->next;
        call_destroy(call);
    }
    curl_multi_cleanup(http->multi);
    for (struct curl_slist *line = http->headers; line; line = line->next)
        xa_wipe(line->data, strlen(line->data));
    curl_slist_free_all(http->headers);
    free(http->ca_file);
    free(http->cert);
    free(http->key);
    free(http);
    curl_global_cleanup();
}

void
xa_http_answer_done(struct xa_http_answer *answer)
{
    xa_buf_free(&answer->body);
}

/* --- a call -------------------------------------------------------------- */

/* "host:port" of a URL. */
static void
name_server(struct xa_http_call *call, const char *url)
{
    const char *begin = strstr(url, "://");
    size_t len;

    begin = begin ? begin + 3 : url;
    len = strcspn(begin, "/?#");
    if (len >= sizeof call->server)
        len = sizeof call->server - 1;
    memcpy(call->server, begin, len);
    call->server[len] = '\0';
}

static CURLcode
set_request(CURL *easy, const struct xa_http_request *request)
{
    bool is_get = strcmp(request->method, "GET") == 0;
    bool has_body = request->body || strcmp(request->method, "PUT") == 0;

    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    if (has_body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)request->body_len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                         request->body ? request->body : "");
    }
    if (curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
                         is_get ? NULL : request->method) != CURLE_OK)
        return CURLE_OUT_OF_MEMORY;
    return curl_easy_setopt(easy, CURLOPT_URL, request->url);
}

static void
begin(struct xa_http_call *call, const struct xa_http_request *request,
      struct xa_http_answer *answer)
{
    xa_buf_clear(&answer->body);
    answer->body.max = request->answer_max;
    answer->status = 0;
    call->answer = answer;
    call->why[0] = '\0';
    call->begun_ms = xa_clock_mono_ms();
    call->deadline_ms = request->deadline_ms;
    call->result = CURLE_OK;
    call->fd = -1;
    call->has_ended = false;
    call->is_tls = strncmp(request->url, "https:", 6) == 0;
    call->is_too_large = false;
    xa_http_head_init(&call->head, answer);
    name_server(call, request->url);
}

/* Move everything that is under way, and note what has ended. */
static void
drive(struct xa_http *http)
{
    CURLMsg *message;
    int left;

    if (curl_multi_perform(http->multi, &left) != CURLM_OK)
        return; /* the deadline ends it */
    while ((message = curl_multi_info_read(http->multi, &left))) {
        char *call = NULL;

        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call) !=
                CURLE_OK)
            continue;
        ((struct xa_http_call *)(void *)call)->result = message->data.result;
        ((struct xa_http_call *)(void *)call)->has_ended = true;
    }
}

static enum xa_rc
start(struct xa_http *http, const struct xa_http_request *request,
      struct xa_http_answer *answer, struct xa_http_call **out,
      struct xa_err *err)
{
    XA_AUTO(xa_http_call_free) struct xa_http_call *call = call_take(http);

    if (!call)
        return xa_fail_nomem(err);
    begin(call, request, answer);
    if (set_request(call->easy, request) != CURLE_OK ||
        curl_multi_add_handle(http->multi, call->easy) != CURLM_OK)
        return xa_fail_nomem(err);
    *out = XA_TAKE(call);
    return XA_OK;
}

enum xa_rc
xa_http_start(struct xa_http *http, const struct xa_http_request *request,
              struct xa_http_answer *answer, struct xa_http_call **out,
              struct xa_err *err)
{
    enum xa_rc rc = start(http, request, answer, out, err);

    if (rc == XA_OK)
        drive(http);
    return rc;
}

/* Until the call has ended or that moment has come. */
static void
drive_until(struct xa_http_call *call, int64_t until_ms)
{
    for (;;) {
        int64_t left_ms;

        if (!call->has_ended)
            drive(call->http); /* an answer that is there beats the deadline */
        left_ms = until_ms - xa_clock_mono_ms();
        if (call->has_ended || left_ms <= 0)
            return;
        xa_http_wait(call->http, left_ms);
    }
}

enum xa_rc
xa_http_look(struct xa_http_call *call, int64_t wait_ms, bool *out_done,
             struct xa_err *err)
{
    int64_t until_ms = xa_clock_mono_ms() + wait_ms;
    long status = 0;

    if (until_ms > call->deadline_ms)
        until_ms = call->deadline_ms;
    drive_until(call, until_ms);
    *out_done = true;
    if (!call->has_ended && xa_clock_mono_ms() >= call->deadline_ms)
        return explain_timeout(call, err);
    *out_done = call->has_ended;
    if (!call->has_ended)
        return XA_OK;
    if (curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status) ==
        CURLE_OK)
        call->answer->status = status;
    return outcome(call, err);
}

bool
xa_http_is_received(const struct xa_http_call *call)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    long sent = 0;

    if (call->has_ended || call->fd < 0 ||
        curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent) != CURLE_OK)
        return false;
    return sent > 0 &&
           getsockopt(call->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
           info.tcpi_unacked == 0;
}

uint64_t
xa_http_connections(const struct xa_http *http)
{
    return http->connections;
}

void
xa_http_wait(struct xa_http *http, int64_t wait_ms)
{
    curl_multi_poll(http->multi, NULL, 0,
                    wait_ms > INT_MAX ? INT_MAX : (int)wait_ms, NULL);
}

enum xa_rc
xa_http_ask(struct xa_http *http, const struct xa_http_request *request,
            struct xa_http_answer *answer, struct xa_err *err)
{
    XA_AUTO(xa_http_call_free) struct xa_http_call *call = NULL;
    bool is_done = false;
    enum xa_rc rc;

    rc = start(http, request, answer, &call, err);
    while (rc == XA_OK && !is_done)
        rc = xa_http_look(call, INT_MAX, &is_done, err);
    return rc;
}
