# SPDX-License-Identifier: GPL-3.0-or-later
# Examples to copy to /etc/nginx: which server shall speak is for the site.
nginxdir = $(datadir)/xivo-auth/nginx
dist_nginx_DATA = \
	%D%/xivo-auth-api.conf \
	%D%/xivo-auth-errors.conf \
	%D%/xivo-auth-guard.conf \
	%D%/xivo-auth-locations.conf \
	%D%/xivo-auth-upstreams.conf \
	%D%/xivo-auth.conf
