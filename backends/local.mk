# SPDX-License-Identifier: GPL-3.0-or-later
# One file, one backend, one module with one export.  A module sees
# <xivo-auth/backend.h> and nothing else of ours.
backend_cppflags = $(XA_CPPFLAGS) -I$(top_builddir)/include
backend_ldflags = $(XA_LDFLAGS) $(XA_MODULE_LDFLAGS) -module -avoid-version \
	-export-symbols-regex '^xa_backend$$'

backend_LTLIBRARIES = %D%/users_file.la

%C%_users_file_la_SOURCES = %D%/users_file.c
%C%_users_file_la_CPPFLAGS = $(backend_cppflags)
%C%_users_file_la_LDFLAGS = $(backend_ldflags)

# Accounts that PAM knows.
if WITH_PAM
backend_LTLIBRARIES += %D%/pam.la
endif

%C%_pam_la_SOURCES = \
	%D%/pam.c \
	%D%/pam_helper.c %D%/pam_helper.h \
	%D%/pam_keeper.c %D%/pam_keeper.h \
	%D%/pam_talk.c %D%/pam_talk.h \
	%D%/pam_wire.c %D%/pam_wire.h
%C%_pam_la_CPPFLAGS = $(backend_cppflags) -D_GNU_SOURCE $(PAM_CFLAGS)
%C%_pam_la_LDFLAGS = $(backend_ldflags)
%C%_pam_la_LIBADD = $(PAM_LIBS)

# An example: no program may write to /etc/pam.d unasked.
pamexampledir = $(pkgdatadir)/pam.d
dist_pamexample_DATA = %D%/pam.d/xivo-auth

# XiVO's database; ldap_user looks for a user there, too.
xivo_db_sources = \
	%D%/xivo_db.c %D%/xivo_db.h \
	%D%/xivo_text.c %D%/xivo_text.h
xivo_account_sources = $(xivo_db_sources) \
	%D%/xivo_account.c %D%/xivo_account.h

# libpq keeps what it gave to OpenSSL in a static variable, so it must stay.
xivo_db_ldflags = $(backend_ldflags) -Wl,-z,nodelete

if WITH_LDAP
backend_LTLIBRARIES += %D%/ldap_user.la
endif
if WITH_PQ
backend_LTLIBRARIES += %D%/xivo_admin.la %D%/xivo_service.la %D%/xivo_user.la
endif

%C%_ldap_user_la_SOURCES = %D%/ldap_user.c $(xivo_db_sources) \
	%D%/ldap_conn.c %D%/ldap_conn.h \
	%D%/ldap_net.c %D%/ldap_net.h \
	%D%/ldap_servers.c %D%/ldap_servers.h \
	%D%/ldap_socket.c %D%/ldap_socket.h \
	%D%/ldap_text.c %D%/ldap_text.h
%C%_ldap_user_la_CPPFLAGS = $(backend_cppflags) $(LDAP_CFLAGS) $(PQ_CFLAGS)
%C%_ldap_user_la_LDFLAGS = $(xivo_db_ldflags)
%C%_ldap_user_la_LIBADD = $(LDAP_LIBS) -llber $(PQ_LIBS)
%C%_xivo_admin_la_SOURCES = %D%/xivo_admin.c $(xivo_account_sources)
%C%_xivo_admin_la_CPPFLAGS = $(backend_cppflags) $(PQ_CFLAGS)
%C%_xivo_admin_la_LDFLAGS = $(xivo_db_ldflags)
%C%_xivo_admin_la_LIBADD = $(PQ_LIBS)
%C%_xivo_service_la_SOURCES = %D%/xivo_service.c $(xivo_account_sources)
%C%_xivo_service_la_CPPFLAGS = $(backend_cppflags) $(PQ_CFLAGS)
%C%_xivo_service_la_LDFLAGS = $(xivo_db_ldflags)
%C%_xivo_service_la_LIBADD = $(PQ_LIBS)
%C%_xivo_user_la_SOURCES = %D%/xivo_user.c $(xivo_account_sources)
%C%_xivo_user_la_CPPFLAGS = $(backend_cppflags) $(PQ_CFLAGS)
%C%_xivo_user_la_LDFLAGS = $(xivo_db_ldflags)
%C%_xivo_user_la_LIBADD = $(PQ_LIBS)

# For tests, and built by make so that one can play with them; libtool makes
# a shared object of what is not installed only if it has an -rpath.
noinst_LTLIBRARIES += \
	%D%/broken_init.la \
	%D%/broken_verify_password.la \
	%D%/mock.la \
	%D%/mock_with_uuid.la

%C%_broken_init_la_SOURCES = %D%/broken_init.c
%C%_broken_init_la_CPPFLAGS = $(backend_cppflags)
%C%_broken_init_la_LDFLAGS = $(backend_ldflags) -rpath $(backenddir)
%C%_broken_verify_password_la_SOURCES = %D%/broken_verify_password.c
%C%_broken_verify_password_la_CPPFLAGS = $(backend_cppflags)
%C%_broken_verify_password_la_LDFLAGS = $(backend_ldflags) -rpath $(backenddir)
%C%_mock_la_SOURCES = %D%/mock.c
%C%_mock_la_CPPFLAGS = $(backend_cppflags)
%C%_mock_la_LDFLAGS = $(backend_ldflags) -rpath $(backenddir)
%C%_mock_with_uuid_la_SOURCES = %D%/mock_with_uuid.c
%C%_mock_with_uuid_la_CPPFLAGS = $(backend_cppflags)
%C%_mock_with_uuid_la_LDFLAGS = $(backend_ldflags) -rpath $(backenddir)

pkgconfig_DATA = %D%/xivo-auth.pc

# How to write one: a manual, and a whole one that builds on its own.
dist_man_MANS += %D%/xivo-auth-backend.7
exampledir = $(docdir)/example
dist_example_DATA = \
	%D%/example/Makefile \
	%D%/example/README.md \
	%D%/example/static_list.c
