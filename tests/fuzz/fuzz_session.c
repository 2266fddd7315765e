/* fuzz_session.c - FastCGI sessions with the responder as it runs. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: a byte of options, then what web servers send to the real loop, over
 * sockets, with a store in memory and fake backends behind it.  BORDER and a
 * letter end a step: the loop is left alone until it waits again, then all
 * that came back is looked at.  The letter says what is done besides:
 *
 *   0 1 2  go on with this connection      s  stop sending on it
 *   c      close it, answer unread         t  time passes until nothing is due
 *   f      the store fails; again: no more (anything else: nothing)
 *
 * What must hold: every whole request is answered once, in order, by records
 * and CGI that are well formed, with a status of the table; nothing else is
 * answered; a half-sent request ends when its time is over; the loop never
 * turns without a reason, and leaves no descriptor behind.
 *
 * The loop's time is a number here, and it never waits.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/support/crypto.h"
#include "core/support/uuid.h"
#include "fcgi/serve.h"
#include "tests/fakes/io_signal.h"
#include "tests/fakes/memory_store.h"
#include "tests/fuzz/cgi_answer.h"
#include "tests/fuzz/session_peer.h"

#define BORDER "\xf5\xf6" /* no UTF-8 has these */
#define BORDER_LEN 2
#define PEERS 3
#define TURNS_MAX 10000 /* in a row without a step: it spins */
#define BODY_MAX 256
#define PARAMS_SIZE (64u * 1024) /* what serve.c adds to it */
#define START_US 1480933018557553

enum { OPTION_AUTHORIZER_ONLY = 1, OPTION_CORS = 2, OPTION_DRAIN = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __real_epoll_pwait(int fd, struct epoll_event *events, int max, int timeout,
                       const sigset_t *mask);
int __wrap_epoll_pwait(int fd, struct epoll_event *events, int max, int timeout,
                       const sigset_t *mask);
int64_t __wrap_xa_clock_mono_ms(void);
enum xa_rc __wrap_xa_uuid_random(char out[XA_UUID_TEXT], struct xa_err *err);

/* What the wrapped calls can reach: there is no other way in. */
static struct {
    const uint8_t *left; /* of the input */
    size_t left_len;
    struct peer peers[PEERS];
    size_t with; /* the peer in hand */
    struct peer_world world;
    struct sockaddr_un address;
    socklen_t address_len;
    struct xa_store *store;
    int64_t now_ms;
    unsigned turns;
    unsigned uuids;
    bool drains; /* end with connections open */
    bool passes; /* time passes until nothing is due */
    enum { STEPS, LAST_TIME, LAST_CLOSE, STOP } phase;
} session;

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* --- steps --- */

static void
toggle_store(void)
{
    session.world.may_fail = !session.world.may_fail;
    memory_store_fail(session.store,
                      session.world.may_fail ? XA_E_UNAVAILABLE : XA_OK);
}

static void
act(uint8_t letter)
{
    struct peer *peer = &session.peers[session.with];

    if (letter >= '0' && letter < '0' + PEERS)
        session.with = letter - '0';
    else if (letter == 's')
        peer_shut(peer);
    else if (letter == 'c')
        peer_close(peer);
    else if (letter == 't')
        session.passes = true;
    else if (letter == 'f')
        toggle_store();
}

static void
step(void)
{
    const uint8_t *border =
        memmem(session.left, session.left_len, BORDER, BORDER_LEN);
    size_t len = border ? (size_t)(border - session.left) : session.left_len;

    peer_send(&session.peers[session.with], &session.address,
              session.address_len, session.left, len);
    session.left += len;
    session.left_len -= len;
    if (session.left_len <= BORDER_LEN) {
        session.left_len = 0;
        return;
    }
    act(border[BORDER_LEN]);
    session.left += BORDER_LEN + 1;
    session.left_len -= BORDER_LEN + 1;
}

static void
check_peers(void)
{
    /* the store of a session may also be full */
    bool fails = session.world.may_fail;

    session.world.may_fail |=
        memory_store_count(session.store) == MEMORY_STORE_MAX;
    for (size_t i = 0; i < PEERS; i++)
        peer_check(&session.peers[i], &session.world);
    session.world.may_fail = fails;
}

/* What comes when the input is used up. */
static void
end_phase(void)
{
    switch (session.phase) {
    case STEPS:
        session.phase = LAST_TIME;
        session.passes = true;
        break;
    case LAST_TIME:
        session.phase = session.drains ? STOP : LAST_CLOSE;
        for (size_t i = 0; i < PEERS && !session.drains; i++)
            peer_close(&session.peers[i]);
        fake_signal_stop(session.drains);
        break;
    case LAST_CLOSE:
        session.phase = STOP;
        fake_signal_stop(true);
        break;
    case STOP:
        break;
    }
}

/* The loop would wait now, for so long. */
static void
on_rest(int timeout_ms)
{
    bool is_timed = session.passes || session.phase == STOP;

    if (is_timed && timeout_ms >= 0) {
        session.now_ms += timeout_ms;
        check(++session.turns < TURNS_MAX);
        return;
    }
    session.turns = 0;
    session.world.time_went = session.passes;
    session.passes = false;
    if (session.phase != STOP)
        check_peers();
    session.world.time_went = false;
    if (session.left_len > 0)
        step();
    else
        end_phase();
}

/* --- what the loop calls --- */

int
__wrap_epoll_pwait(int fd, struct epoll_event *events, int max, int timeout,
                   const sigset_t *mask XA_UNUSED)
{
    int n = __real_epoll_pwait(fd, events, max, 0, NULL);

    if (n == 0)
        on_rest(timeout);
    else
        check(++session.turns < TURNS_MAX);
    return n;
}

int64_t
__wrap_xa_clock_mono_ms(void)
{
    return session.now_ms;
}

/* Tokens that seeds can name: 00000000-0000-4000-8000-000000000001 is there
 * from the start, the next one is the first that is issued. */
enum xa_rc
__wrap_xa_uuid_random(char out[XA_UUID_TEXT], struct xa_err *err XA_UNUSED)
{
    snprintf(out, XA_UUID_TEXT, "00000000-0000-4000-8000-%012x",
             ++session.uuids);
    return XA_OK;
}

static void
drop_line(void *ctx XA_UNUSED, enum xa_level level XA_UNUSED, const char *line)
{
    check(!strpbrk(line, "\r\n"));
}

/* --- a session --- */

static void
issue_first(struct xa_app *app)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_identity who = {.auth_id = NULL};
    int64_t now_us = xa_clock_now_us();

    check(xa_registry_authenticate(app->registry, "mock", "foo", "bar", &who,
                                   NULL) == XA_OK);
    check(xa_token_manager_issue(app->manager, &who, 3600, now_us, &token,
                                 NULL) == XA_OK);
    xa_identity_done(&who);
}

static const struct xa_config *
configuration(bool cors)
{
    static struct xa_config *made;
    static char origin[] = CGI_ORIGIN;
    static char *origins[] = {origin};

    if (!made) {
        check(xa_config_defaults(&made, NULL) == XA_OK);
        made->rest_api.max_body_size = BODY_MAX;
        xa_strlist_free(&made->rest_api.cors.origins);
        made->rest_api.cors.origins = (struct xa_strlist){origins, 1};
    }
    made->rest_api.cors.enabled = cors;
    return made;
}

static int
listen_somewhere(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    session.address = (struct sockaddr_un){.sun_family = AF_UNIX};
    session.address_len = sizeof session.address;
    check(fd >= 0 &&
          bind(fd, (struct sockaddr *)&session.address, sizeof(sa_family_t)) ==
              0 && /* the kernel names it */
          listen(fd, PEERS) == 0 &&
          getsockname(fd, (struct sockaddr *)&session.address,
                      &session.address_len) == 0);
    return fd;
}

static void
run(uint8_t options)
{
    const struct xa_config *config = configuration(options & OPTION_CORS);
    XA_AUTO(xa_store_close) struct xa_store *store = memory_store_new();
    XA_AUTO(xa_registry_free) struct xa_registry *registry = NULL;
    XA_AUTO(xa_token_manager_free) struct xa_token_manager *manager = NULL;
    XA_AUTO(xa_cors_free) struct xa_cors *cors = NULL;
    XA_AUTO(xa_fd_close) int listen_fd = listen_somewhere();
    struct xa_app app;

    check(xa_registry_new(config, &registry, NULL) == XA_OK &&
          xa_token_manager_new(store, config, &manager, NULL) == XA_OK &&
          xa_cors_new(config, &cors, NULL) == XA_OK);
    app = (struct xa_app){
        config, registry, manager, store, options & OPTION_AUTHORIZER_ONLY,
        cors};
    session.store = store;
    issue_first(&app);
    check(xa_serve(listen_fd, &app, NULL) == XA_OK);
    for (size_t i = 0; i < PEERS; i++) {
        peer_check_end(&session.peers[i]);
        peer_close(&session.peers[i]);
    }
}

/* The lowest that is free: one higher when something was left open. */
static int
next_fd(void)
{
    int fd = dup(STDOUT_FILENO);

    check(fd >= 0);
    close(fd);
    return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t options = size > 0 ? data[0] : 0;
    int before;

    check(xa_crypto_init(NULL) == XA_OK);
    xa_log_capture(drop_line, NULL, XA_DEBUG);
    memset(&session, 0, sizeof session);
    for (size_t i = 0; i < PEERS; i++)
        session.peers[i] = (struct peer)PEER_NONE;
    session.left = data + (size > 0);
    session.left_len = size - (size > 0);
    session.now_ms = START_US / 1000;
    session.drains = options & OPTION_DRAIN;
    session.world.max_request = BODY_MAX + PARAMS_SIZE;
    session.world.closes_all = options & OPTION_AUTHORIZER_ONLY;
    fake_signal_stop(false);
    before = next_fd();
    run(options);
    check(next_fd() == before);
    return 0;
}
