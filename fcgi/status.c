/* status.c - every refusal, its status and its public words. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/status.h"

#include <stddef.h>

static const struct {
    unsigned status;
    const char *reason;
    const char *challenge;
} problems[XA_PROBLEMS] = {
    [XA_FINE] = {200, "", NULL},
    [XA_BAD_ENCODING] = {400, "Invalid encoding in request", NULL},
    [XA_BAD_SCOPE_TWICE] = {400, "Duplicate scope", NULL},
    [XA_BAD_JSON] = {400, "Request body is not valid JSON", NULL},
    [XA_BAD_JSON_KIND] = {400, "Request body must be a JSON object", NULL},
    [XA_BAD_JSON_DEPTH] = {400, "Request body is nested too deeply", NULL},
    [XA_BAD_NO_BACKEND] = {400, "Missing backend", NULL},
    [XA_BAD_BACKEND] = {400, "Invalid backend", NULL},
    [XA_BAD_EXPIRATION] = {400, "Invalid expiration", NULL},
    [XA_BAD_BODY_LENGTH] = {400, "Incomplete request body", NULL},
    [XA_BAD_CREDENTIALS] = {401, "Authentication Failed",
                            "Basic realm=\"xivo-auth\", charset=\"UTF-8\""},
    [XA_BAD_BEARER] = {401, "Authentication Failed", "Bearer"},
    [XA_NOT_ALLOWED] = {403, "Unauthorized for ", NULL},
    [XA_NOT_A_RESPONDER] = {403, "Role not supported", NULL},
    [XA_NO_TOKEN] = {404, "No such token", NULL},
    [XA_NO_ROUTE] = {404, "Not found", NULL},
    [XA_NO_METHOD] = {405, "Method not allowed", NULL},
    [XA_TOO_LARGE] = {413, "Request body too large", NULL},
    [XA_NOT_JSON_TYPE] = {415, "Content-Type must be application/json", NULL},
    [XA_STORE_REFUSED] = {500, "Connection to consul failed", NULL},
    [XA_STORE_SILENT] = {500, "Connection to consul timedout", NULL},
    [XA_STORE_FAILED] = {500, "Token store failed", NULL},
    [XA_INTERNAL] = {500, "Internal error", NULL},
    [XA_BACKEND_DOWN] = {503, "Authentication backend unavailable", NULL},
};

static const struct {
    unsigned status;
    const char *line;
} lines[] = {
    {200, "200 OK"},
    {204, "204 No Content"},
    {400, "400 Bad Request"},
    {401, "401 Unauthorized"},
    {403, "403 Forbidden"},
    {404, "404 Not Found"},
    {405, "405 Method Not Allowed"},
    {413, "413 Content Too Large"},
    {415, "415 Unsupported Media Type"},
    {500, "500 Internal Server Error"},
    {503, "503 Service Unavailable"},
};

unsigned
xa_problem_status(enum xa_problem problem)
{
    return problems[problem].status;
}

const char *
xa_problem_reason(enum xa_problem problem)
{
    return problems[problem].reason;
}

const char *
xa_problem_challenge(enum xa_problem problem)
{
    return problems[problem].challenge;
}

const char *
xa_status_line(unsigned status)
{
    for (size_t i = 0; i < XA_COUNT(lines); i++)
        if (lines[i].status == status)
            return lines[i].line;
    return "500 Internal Server Error";
}

enum xa_problem
xa_problem_of_token(enum xa_rc rc)
{
    switch (rc) {
    case XA_OK:
        return XA_FINE;
    case XA_E_NOTFOUND:
        return XA_NO_TOKEN;
    case XA_E_FORBIDDEN:
        return XA_NOT_ALLOWED;
    case XA_E_UNAVAILABLE:
        return XA_STORE_REFUSED;
    case XA_E_TIMEOUT:
        return XA_STORE_SILENT;
    case XA_E_STORE:
    case XA_E_CONFIG: /* what stands in its folder now is no store of ours */
        return XA_STORE_FAILED;
    default:
        return XA_INTERNAL;
    }
}

enum xa_problem
xa_problem_of_login(enum xa_rc rc)
{
    switch (rc) {
    case XA_OK:
        return XA_FINE;
    case XA_E_DENIED:
        return XA_BAD_CREDENTIALS;
    case XA_E_UNAVAILABLE:
    case XA_E_TIMEOUT:
        return XA_BACKEND_DOWN;
    default:
        return XA_INTERNAL;
    }
}
