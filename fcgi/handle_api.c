/* handle_api.c - GET, HEAD /0.1/api/api.yml: the OpenAPI document. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/api_yml.h"
#include "fcgi/handlers.h"

void
xa_handle_api(struct xa_app *app XA_UNUSED,
              const struct xa_request *req XA_UNUSED, struct xa_reply *reply)
{
    reply->type = "application/x-yaml";
    xa_buf_put(&reply->body, xa_api_yml, xa_api_yml_len);
}
