# SPDX-License-Identifier: GPL-3.0-or-later
# Everything but the loop and the main, so that tests can link it.
noinst_LTLIBRARIES += libxafcgi.la

libxafcgi_la_SOURCES = \
	%D%/access_log.c %D%/access_log.h \
	%D%/api_yml.h \
	%D%/app.c %D%/app.h \
	%D%/basic.c %D%/basic.h \
	%D%/body.c %D%/body.h \
	%D%/check.c %D%/check.h \
	%D%/cors.c %D%/cors.h \
	%D%/handle_api.c \
	%D%/handle_authorize.c \
	%D%/handle_backends.c \
	%D%/handle_status.c \
	%D%/handle_token_create.c \
	%D%/handle_token_revoke.c \
	%D%/handle_token_show.c \
	%D%/handlers.h \
	%D%/mask.c %D%/mask.h \
	%D%/original.c %D%/original.h \
	%D%/params.c %D%/params.h \
	%D%/path.c %D%/path.h \
	%D%/query.c %D%/query.h \
	%D%/reply.c %D%/reply.h \
	%D%/request.c %D%/request.h \
	%D%/router.c %D%/router.h \
	%D%/status.c %D%/status.h
nodist_libxafcgi_la_SOURCES = %D%/api_yml.c
libxafcgi_la_CPPFLAGS = $(AM_CPPFLAGS) $(JSONC_CFLAGS)
libxafcgi_la_LIBADD = $(JSONC_LIBS)

# The loop over libfcgi.
noinst_LTLIBRARIES += libxaio.la
libxaio_la_SOURCES = \
	%D%/io.c %D%/io.h \
	%D%/io_call.h \
	%D%/io_conn.c %D%/io_conn.h \
	%D%/io_look.c \
	%D%/io_loop.c %D%/io_loop.h \
	%D%/io_peek.c %D%/io_peek.h \
	%D%/io_record.c %D%/io_record.h \
	%D%/io_signal.c %D%/io_signal.h
libxaio_la_CPPFLAGS = $(AM_CPPFLAGS) $(FCGI_CFLAGS)
libxaio_la_LIBADD = $(FCGI_LIBS)

sbin_PROGRAMS += xivo-auth-fcgi
xivo_auth_fcgi_SOURCES = %D%/main.c %D%/serve.c %D%/serve.h
xivo_auth_fcgi_LDFLAGS = $(AM_LDFLAGS) $(XA_PROGRAM_LDFLAGS)
xivo_auth_fcgi_LDADD = libxafcgi.la libxaio.la libxacore.la
dist_man_MANS += %D%/xivo-auth-fcgi.8

# The OpenAPI document goes into the program, so that it is always the one of
# this version.
EXTRA_DIST += %D%/api.yml
CLEANFILES += %D%/api_yml.c
%D%/api_yml.c: %D%/api.yml
	$(AM_V_GEN)$(MKDIR_P) %D% && { \
	echo '/* Made from api.yml by make. */' && \
	echo '#include "config.h"' && \
	echo '#include "fcgi/api_yml.h"' && \
	echo 'const unsigned char xa_api_yml[] = {' && \
	od -An -v -tx1 $(srcdir)/%D%/api.yml | \
	$(SED) 's/[0-9a-f][0-9a-f]/0x&,/g' && \
	echo '};' && \
	echo 'const size_t xa_api_yml_len = sizeof xa_api_yml;'; } >$@.tmp && \
	mv $@.tmp $@
