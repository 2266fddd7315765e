/* handle_token_create.c - POST /0.1/token: a login and password for a token. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <json.h>
#include <string.h>

#include "core/support/json.h"
#include "fcgi/basic.h"
#include "fcgi/body.h"
#include "fcgi/handlers.h"

#define DEPTH_MAX 16 /* levels of a body */

/* What the body asks for. */
struct wish {
    char *backend; /* owned */
    uint32_t lifetime_s;
};

static void
wish_done(struct wish *wish)
{
    xa_str_free(&wish->backend);
}

static enum xa_problem
read_object(const struct xa_app *app, const struct xa_request *req,
            struct json_object **out)
{
    XA_AUTO(xa_buf_free)
    struct xa_buf body = XA_BUF(app->config->rest_api.max_body_size);
    XA_AUTO(xa_json_free) struct json_object *json = NULL;
    enum xa_problem problem;

    if (!xa_body_is_json_type(req->params.content_type))
        return XA_NOT_JSON_TYPE;
    problem = xa_body_read(req, &body);
    if (problem != XA_FINE)
        return problem;
    switch (xa_json_parse(xa_buf_text(&body), body.len, DEPTH_MAX, &json)) {
    case XA_JSON_FINE:
        break;
    case XA_JSON_TOO_DEEP:
        return XA_BAD_JSON_DEPTH;
    case XA_JSON_SYNTAX:
        return XA_BAD_JSON;
    }
    if (!json_object_is_type(json, json_type_object))
        return XA_BAD_JSON_KIND;
    *out = XA_TAKE(json);
    return XA_FINE;
}

static enum xa_problem
read_backend(struct json_object *body, char **out)
{
    struct json_object *value;
    const char *text;

    if (!json_object_object_get_ex(body, "backend", &value))
        return XA_BAD_NO_BACKEND;
    if (!json_object_is_type(value, json_type_string))
        return XA_BAD_BACKEND;
    text = json_object_get_string(value);
    if (strlen(text) != (size_t)json_object_get_string_len(value))
        return XA_BAD_BACKEND; /* \u0000 in it */
    return xa_str_dup(text, out, NULL) == XA_OK ? XA_FINE : XA_INTERNAL;
}

static enum xa_problem
read_lifetime(const struct xa_app *app, struct json_object *body,
              uint32_t *out_s)
{
    struct json_object *value = NULL;
    int64_t wished = 0; /* the default */
    enum xa_rc rc;

    json_object_object_get_ex(body, "expiration", &value);
    if (value) {
        if (!json_object_is_type(value, json_type_int))
            return XA_BAD_EXPIRATION;
        wished = json_object_get_int64(value);
        if (wished < 1)
            return XA_BAD_EXPIRATION;
    }
    rc = xa_token_manager_lifetime(app->manager, (uint64_t)wished, out_s, NULL);
    return rc == XA_OK ? XA_FINE : XA_BAD_EXPIRATION;
}

static enum xa_problem
read_wish(const struct xa_app *app, const struct xa_request *req,
          struct wish *out)
{
    XA_AUTO(xa_json_free) struct json_object *body = NULL;
    enum xa_problem problem;

    problem = read_object(app, req, &body);
    if (problem == XA_FINE)
        problem = read_backend(body, &out->backend);
    if (problem == XA_FINE)
        problem = read_lifetime(app, body, &out->lifetime_s);
    return problem;
}

static enum xa_rc
authenticate(struct xa_app *app, const struct xa_request *req,
             const char *backend, struct xa_identity *out, struct xa_err *err)
{
    XA_AUTO(xa_credentials_done)
    struct xa_credentials given = XA_CREDENTIALS_EMPTY;
    enum xa_rc rc;

    if (req->params.twice_authorization)
        return xa_fail(err, XA_E_DENIED, "two Authorization headers");
    rc = xa_basic_read(req->params.authorization, &given, err);
    if (rc != XA_OK)
        return rc;
    return xa_registry_authenticate(app->registry, backend, given.login,
                                    xa_secret_text(given.password), out, err);
}

static enum xa_problem
create(struct xa_app *app, const struct xa_request *req, struct xa_reply *reply)
{
    XA_AUTO(wish_done) struct wish wish = {NULL, 0};
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    enum xa_problem problem;
    enum xa_rc rc;

    problem = read_wish(app, req, &wish);
    if (problem != XA_FINE)
        return problem;
    rc = authenticate(app, req, wish.backend, &who, &reply->err);
    if (rc != XA_OK)
        return xa_problem_of_login(rc);
    rc = xa_token_manager_issue(app->manager, &who, wish.lifetime_s,
                                req->now_us, &token, &reply->err);
    if (rc != XA_OK)
        return xa_problem_of_token(rc);
    xa_buf_puts(&reply->body, "{\"data\": ");
    xa_token_put_json(token, true, &reply->body);
    xa_buf_putc(&reply->body, '}');
    return XA_FINE;
}

void
xa_handle_token_create(struct xa_app *app, const struct xa_request *req,
                       struct xa_reply *reply)
{
    enum xa_problem problem = create(app, req, reply);

    if (problem != XA_FINE)
        xa_reply_refuse(reply, problem, NULL);
}
