/* lock.c - which of several daemons works: a session and a lock. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json.h>

#include "core/base/clock.h"
#include "core/support/json.h"
#include "core/support/uuid.h"
#include "core/token/consul/names.h"

#define PATH_MAX_LEN 16384
#define WHO_MAX 512
#define HOST_MAX 256
#define LOCK_DELAY_S 5      /* after a death; the fence makes it a courtesy */
#define RELEASE_MAX_MS 700  /* whoever ends does not wait for long */
#define ANSWER_DEPTH 4      /* levels of JSON */
#define SESSION_PATH_MAX 80 /* "session/renew/" and a UUID */

struct xa_consul_lock {
    struct xa_consul *consul;
    struct xa_buf path; /* of the lock's key, behind /v1/ */
    struct xa_buf who;  /* the lock's value, for operators */

    char session[XA_UUID_TEXT]; /* "": none */
    int64_t renewed_ms; /* when the renewal that succeeded last was sent */
    bool must_renew;    /* whatever the time */
    bool is_held;
};

static void
describe(struct xa_buf *who)
{
    char host[HOST_MAX];

    if (gethostname(host, sizeof host) != 0)
        host[0] = '\0';
    host[sizeof host - 1] = '\0';
    xa_buf_puts(who, "{\"host\": ");
    xa_json_put_string(who, xa_str_is_utf8(host, strlen(host)) ? host : "");
    xa_buf_putf(who, ", \"pid\": %ld}", (long)getpid());
}

enum xa_rc
xa_consul_lock_new(struct xa_consul *consul, const char *name,
                   struct xa_consul_lock **out, struct xa_err *err)
{
    XA_AUTO(xa_consul_lock_free) struct xa_consul_lock *lock = NULL;
    enum xa_rc rc;

    lock = calloc(1, sizeof *lock);
    if (!lock)
        return xa_fail_nomem(err);
    lock->consul = consul;
    lock->path.max = PATH_MAX_LEN;
    xa_buf_puts(&lock->path, "kv/");
    xa_consul_put_escaped(&lock->path, name);
    lock->who.max = WHO_MAX;
    describe(&lock->who);
    rc = xa_buf_check(&lock->path, err);
    if (rc == XA_OK)
        rc = xa_buf_check(&lock->who, err);
    if (rc != XA_OK)
        return rc;
    *out = XA_TAKE(lock);
    return XA_OK;
}

void
xa_consul_lock_free(struct xa_consul_lock **place)
{
    struct xa_consul_lock *lock = XA_TAKE(*place);

    if (!lock)
        return;
    xa_consul_lock_release(lock);
    xa_buf_free(&lock->path);
    xa_buf_free(&lock->who);
    free(lock);
}

static void
forget_session(struct xa_consul_lock *lock)
{
    lock->session[0] = '\0';
    lock->is_held = false;
    lock->must_renew = false;
}

/* --- one request each --- */

static enum xa_rc
put(struct xa_consul_lock *lock, const char *path, const char *query,
    const struct xa_buf *body, int64_t deadline_ms,
    struct xa_consul_answer *answer, struct xa_err *err)
{
    const struct xa_consul_request request = {
        .mode = XA_CONSUL_WRITE,
        .method = "PUT",
        .path = path,
        .query = query,
        .body = body,
        .deadline_ms = deadline_ms,
    };

    return xa_consul_ask(lock->consul, &request, answer, err);
}

static enum xa_rc
refuse(const struct xa_consul_answer *answer, const char *what,
       struct xa_err *err)
{
    if (answer->status == 403)
        return xa_fail(err, XA_E_FORBIDDEN,
                       "not allowed: consul.token has no right to %s", what);
    return xa_fail(err, XA_E_UNAVAILABLE, "Consul answers %ld to: %s",
                   answer->status, what);
}

/* The id in {"ID": "..."}. */
static enum xa_rc
read_session(const struct xa_consul_answer *answer, char out[XA_UUID_TEXT],
             struct xa_err *err)
{
    XA_AUTO(xa_json_free) struct json_object *json = NULL;
    struct json_object *id = NULL;

    if (xa_json_parse(xa_buf_text(&answer->body), answer->body.len,
                      ANSWER_DEPTH, &json) != XA_JSON_FINE ||
        !json_object_is_type(json, json_type_object) ||
        !json_object_object_get_ex(json, "ID", &id) ||
        !json_object_is_type(id, json_type_string) ||
        !xa_uuid_parse(json_object_get_string(id),
                       (size_t)json_object_get_string_len(id), out))
        return xa_fail(err, XA_E_UNAVAILABLE,
                       "Consul made a session without an id");
    return XA_OK;
}

static enum xa_rc
make_session(struct xa_consul_lock *lock, int64_t now_ms, struct xa_err *err)
{
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    XA_AUTO(xa_buf_free) struct xa_buf body = XA_BUF(WHO_MAX);
    enum xa_rc rc;

    xa_buf_putf(&body,
                "{\"Name\": \"xivo-auth-expiryd\", \"TTL\": \"%ds\", "
                "\"LockDelay\": \"%ds\", \"Behavior\": \"release\"}",
                XA_SESSION_TTL_S, LOCK_DELAY_S);
    rc = xa_buf_check(&body, err);
    if (rc == XA_OK)
        rc = put(lock, "session/create", NULL, &body,
                 xa_consul_deadline_ms(lock->consul), &answer, err);
    if (rc != XA_OK)
        return rc;
    if (answer.status != 200)
        return refuse(&answer, "make a session", err);
    rc = read_session(&answer, lock->session, err);
    if (rc != XA_OK) {
        lock->session[0] = '\0';
        return rc;
    }
    lock->renewed_ms = now_ms;
    return XA_OK;
}

static void
session_path(const struct xa_consul_lock *lock, const char *verb,
             char out[SESSION_PATH_MAX])
{
    snprintf(out, SESSION_PATH_MAX, "session/%s/%s", verb, lock->session);
}

/* A session that Consul does not know any more is forgotten. */
static enum xa_rc
renew(struct xa_consul_lock *lock, int64_t now_ms, struct xa_err *err)
{
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    char path[SESSION_PATH_MAX];
    enum xa_rc rc;

    session_path(lock, "renew", path);
    rc = put(lock, path, NULL, NULL, xa_consul_deadline_ms(lock->consul),
             &answer, err);
    if (rc == XA_OK && answer.status != 200 && answer.status != 404)
        rc = refuse(&answer, "renew a session", err);
    if (rc != XA_OK) {
        /* It may have ended by now, and another may hold the lock. */
        if (now_ms - lock->renewed_ms >= XA_SESSION_TTL_S * 1000)
            lock->is_held = false;
        return rc;
    }
    if (answer.status == 404) {
        forget_session(lock);
        return XA_OK;
    }
    lock->renewed_ms = now_ms;
    lock->must_renew = false;
    return XA_OK;
}

static enum xa_rc
acquire(struct xa_consul_lock *lock, struct xa_err *err)
{
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    char query[SESSION_PATH_MAX];
    enum xa_rc rc;

    snprintf(query, sizeof query, "acquire=%s", lock->session);
    rc = put(lock, lock->path.data, query, &lock->who,
             xa_consul_deadline_ms(lock->consul), &answer, err);
    if (rc != XA_OK)
        return rc;
    if (answer.status == 500) { /* it ended since it was renewed */
        forget_session(lock);
        return XA_OK;
    }
    if (answer.status != 200)
        return refuse(&answer, "take the lock of the expiry daemon", err);
    lock->is_held = strncmp(xa_buf_text(&answer.body), "true", 4) == 0;
    return XA_OK;
}

/* --- the life of the lock --- */

enum xa_rc
xa_consul_lock_hold(struct xa_consul_lock *lock, int64_t now_ms, bool *out_held,
                    struct xa_err *err)
{
    enum xa_rc rc = XA_OK;

    if (lock->session[0] &&
        (lock->must_renew || now_ms - lock->renewed_ms >= XA_SESSION_RENEW_MS))
        rc = renew(lock, now_ms, err);
    if (rc == XA_OK && !lock->session[0])
        rc = make_session(lock, now_ms, err);
    if (rc == XA_OK && !lock->is_held)
        rc = acquire(lock, err);
    if (rc != XA_OK)
        return rc;
    *out_held = lock->is_held;
    return XA_OK;
}

/* Released before the session ends, the lock can be taken without delay. */
void
xa_consul_lock_release(struct xa_consul_lock *lock)
{
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    int64_t latest_ms = xa_clock_mono_ms() + RELEASE_MAX_MS;
    int64_t deadline_ms = xa_consul_deadline_ms(lock->consul);
    char text[SESSION_PATH_MAX];
    enum xa_rc rc = XA_OK;

    if (!lock->session[0])
        return;
    if (deadline_ms > latest_ms)
        deadline_ms = latest_ms;
    if (lock->is_held) {
        snprintf(text, sizeof text, "release=%s", lock->session);
        rc = put(lock, lock->path.data, text, &lock->who, deadline_ms, &answer,
                 NULL);
    }
    if (rc == XA_OK) {
        session_path(lock, "destroy", text);
        rc = put(lock, text, NULL, NULL, deadline_ms, &answer, NULL);
    }
    (void)rc; /* else the session ends by itself */
    forget_session(lock);
}

/* The session itself may live, if somebody took the lock's key away. */
void
xa_consul_lock_lost(struct xa_consul_lock *lock)
{
    lock->is_held = false;
    lock->must_renew = true;
}

const char *
xa_consul_lock_session(const struct xa_consul_lock *lock)
{
    return lock->is_held ? lock->session : NULL;
}
