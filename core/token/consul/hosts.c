/* hosts.c - the hosts of the configuration, and URLs to them. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/hosts.h"

#include <string.h>

#include "core/token/consul/names.h"

enum xa_rc
xa_consul_http_new(const struct xa_config *config, struct xa_http **out,
                   struct xa_err *err)
{
    const char *verify = config->consul.verify;
    bool has_ca_file =
        strcmp(verify, "true") != 0 && strcmp(verify, "false") != 0;
    struct xa_http_setup setup = {
        .verify = strcmp(verify, "false") != 0,
        .ca_file = has_ca_file ? verify : NULL,
        .cert = config->consul.cert,
        .key = config->consul.key,
        .secret_name = config->consul.token ? "X-Consul-Token" : NULL,
        .secret_value = config->consul.token,
    };

    if (xa_http_new(&setup, out, err) == XA_OK)
        return XA_OK;
    xa_err_prefix(err, "consul: ");
    return err->code;
}

static void
put_host(const struct xa_config *config, size_t host, struct xa_buf *out)
{
    const char *name = config->consul.hosts.items[host];
    bool is_bare_ipv6 = strchr(name, ':') && name[0] != '[';

    xa_buf_puts(out, config->consul.scheme);
    xa_buf_puts(out, is_bare_ipv6 ? "://[" : "://");
    xa_buf_puts(out, name);
    xa_buf_puts(out, is_bare_ipv6 ? "]:" : ":");
    xa_buf_put_u64(out, config->consul.port);
}

static const char *
consistency(enum xa_consul_mode mode)
{
    if (mode == XA_CONSUL_STALE)
        return "stale";
    return mode == XA_CONSUL_SURE ? "consistent" : NULL;
}

/* One more part of the query, behind "?" or "&". */
static void
put_part(struct xa_buf *out, char *before, const char *part)
{
    if (!part)
        return;
    xa_buf_putc(out, *before);
    xa_buf_puts(out, part);
    *before = '&';
}

enum xa_rc
xa_consul_url(const struct xa_config *config, size_t host,
              const struct xa_consul_request *request, struct xa_buf *out,
              struct xa_err *err)
{
    char before = '?';

    xa_buf_clear(out);
    put_host(config, host, out);
    xa_buf_puts(out, "/v1/");
    xa_buf_puts(out, request->path);
    put_part(out, &before, request->query);
    put_part(out, &before, consistency(request->mode));
    if (config->consul.datacenter) {
        put_part(out, &before, "dc=");
        xa_consul_put_escaped(out, config->consul.datacenter);
    }
    return xa_buf_check(out, err);
}
