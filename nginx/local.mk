# SPDX-License-Identifier: GPL-3.0-or-later
# Examples to copy to /etc/nginx: which server shall speak is for the site.
nginxdir = $(datadir)/xivo-auth/nginx
dist_nginx_DATA = \
	%D%/apache-authorizer.conf \
	%D%/apache-error.json \
	%D%/apache-fcgid.conf \
	%D%/apache-responder.conf \
	%D%/caddy-forward-auth.Caddyfile \
	%D%/lighttpd-authorizer.conf \
	%D%/lighttpd-responder.conf \
	%D%/traefik-forward-auth.yml \
	%D%/xivo-auth-api.conf \
	%D%/xivo-auth-errors.conf \
	%D%/xivo-auth-forward-auth.conf \
	%D%/xivo-auth-guard-path.conf \
	%D%/xivo-auth-guard.conf \
	%D%/xivo-auth-locations.conf \
	%D%/xivo-auth-upstreams.conf \
	%D%/xivo-auth.conf
