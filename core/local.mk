# SPDX-License-Identifier: GPL-3.0-or-later
# Everything worth a unit test, built once; programs and tests link it.
noinst_LTLIBRARIES += libxacore.la

libxacore_la_SOURCES = \
	%D%/backend.h \
	%D%/base/auto.c %D%/base/auto.h \
	%D%/base/buf.c %D%/base/buf.h \
	%D%/base/clock.c %D%/base/clock.h \
	%D%/base/err.c %D%/base/err.h \
	%D%/base/log.c %D%/base/log.h \
	%D%/base/secret.c %D%/base/secret.h \
	%D%/base/str.c %D%/base/str.h \
	%D%/service/discovery.c %D%/service/discovery.h \
	%D%/service/expiry.c %D%/service/expiry.h \
	%D%/service/host.c %D%/service/host.h \
	%D%/service/key_find.c %D%/service/key_find.h \
	%D%/service/registry.c %D%/service/registry.h \
	%D%/service/status_json.c %D%/service/status_json.h \
	%D%/service/store_news.c %D%/service/store_news.h \
	%D%/service/token_manager.c %D%/service/token_manager.h \
	%D%/service/watchdog.c %D%/service/watchdog.h \
	%D%/support/address.c %D%/support/address.h \
	%D%/support/config.c %D%/support/config.h \
	%D%/support/config_check.c %D%/support/config_check.h \
	%D%/support/config_cors.c %D%/support/config_cors.h \
	%D%/support/config_notes.c %D%/support/config_notes.h \
	%D%/support/config_print.c \
	%D%/support/config_table.c %D%/support/config_table.h \
	%D%/support/config_value.c %D%/support/config_value.h \
	%D%/support/crypto.c %D%/support/crypto.h \
	%D%/support/fcgi_ask.c %D%/support/fcgi_ask.h \
	%D%/support/http.c %D%/support/http.h \
	%D%/support/http_head.c %D%/support/http_head.h \
	%D%/support/json.c %D%/support/json.h \
	%D%/support/lock.c %D%/support/lock.h \
	%D%/support/notify.c %D%/support/notify.h \
	%D%/support/path_acl.c %D%/support/path_acl.h \
	%D%/support/password.c %D%/support/password.h \
	%D%/support/password_form.c %D%/support/password_form.h \
	%D%/support/process.c %D%/support/process.h \
	%D%/support/sha256.c %D%/support/sha256.h \
	%D%/support/signals.c %D%/support/signals.h \
	%D%/support/textfile.c %D%/support/textfile.h \
	%D%/support/users_compare.c %D%/support/users_compare.h \
	%D%/support/users_edit.c %D%/support/users_edit.h \
	%D%/support/uuid.c %D%/support/uuid.h \
	%D%/support/yaml.c %D%/support/yaml.h \
	%D%/support/yaml_anchor.c %D%/support/yaml_anchor.h \
	%D%/support/yaml_build.c %D%/support/yaml_copy.c \
	%D%/support/yaml_lines.c %D%/support/yaml_lines.h \
	%D%/support/yaml_node.c %D%/support/yaml_node.h \
	%D%/support/yaml_write.c \
	%D%/token/acl.c %D%/token/acl.h \
	%D%/token/consul/agent.c %D%/token/consul/agent.h \
	%D%/token/consul/breaker.c %D%/token/consul/breaker.h \
	%D%/token/consul/client.c %D%/token/consul/client.h \
	%D%/token/consul/fetch.c %D%/token/consul/fetch.h \
	%D%/token/consul/findings.c %D%/token/consul/findings.h \
	%D%/token/consul/hosts.c %D%/token/consul/hosts.h \
	%D%/token/consul/inside.h \
	%D%/token/consul/lock.c %D%/token/consul/lock.h \
	%D%/token/consul/mend.c %D%/token/consul/mend.h \
	%D%/token/consul/names.c %D%/token/consul/names.h \
	%D%/token/consul/plan.c %D%/token/consul/plan.h \
	%D%/token/consul/probe.c \
	%D%/token/consul/record.c %D%/token/consul/record.h \
	%D%/token/consul/removal.c %D%/token/consul/removal.h \
	%D%/token/consul/store_consul.c %D%/token/consul/store_consul.h \
	%D%/token/consul/store_consul_audit.c \
	%D%/token/consul/store_consul_expire.c \
	%D%/token/consul/store_consul_lead.c \
	%D%/token/consul/store_consul_list.c \
	%D%/token/consul/sweep.h \
	%D%/token/consul/trust.c %D%/token/consul/trust.h \
	%D%/token/consul/txn.c %D%/token/consul/txn.h \
	%D%/token/consul/verdict.c %D%/token/consul/verdict.h \
	%D%/token/consul/walk.c %D%/token/consul/walk.h \
	%D%/token/identity.c %D%/token/identity.h \
	%D%/token/lmdb_env.c %D%/token/lmdb_env.h \
	%D%/token/lmdb_folder.c %D%/token/lmdb_folder.h \
	%D%/token/lmdb_inside.h %D%/token/lmdb_txn.c \
	%D%/token/loader.c %D%/token/loader.h \
	%D%/token/news.c %D%/token/news.h \
	%D%/token/store.c %D%/token/store.h %D%/token/store_ops.h \
	%D%/token/store_lmdb.c %D%/token/store_lmdb.h \
	%D%/token/store_lmdb_audit.c %D%/token/store_lmdb_expire.c \
	%D%/token/store_lmdb_list.c \
	%D%/token/token.c %D%/token/token.h

libxacore_la_CPPFLAGS = $(AM_CPPFLAGS) $(JSONC_CFLAGS) $(NETTLE_CFLAGS) $(SODIUM_CFLAGS) \
	$(UUID_CFLAGS) $(YAML_CFLAGS) $(LMDB_CFLAGS) $(CRYPT_CFLAGS) \
	$(CURL_CFLAGS) \
	-DXA_SYSCONFDIR=\"$(xaconfdir)\" -DXA_BACKENDDIR=\"$(backenddir)\" \
	-DXA_LOCALSTATEDIR=\"$(localstatedir)\"
libxacore_la_LIBADD = $(JSONC_LIBS) $(NETTLE_LIBS) $(SODIUM_LIBS) $(UUID_LIBS) \
	$(YAML_LIBS) \
	$(LMDB_LIBS) $(CRYPT_LIBS) $(CURL_LIBS)

sbin_PROGRAMS += xivo-auth-expiryd
dist_man_MANS += %D%/xivo-auth.7 %D%/support/xivo-auth.yml.5
dist_man_MANS += %D%/service/xivo-auth-expiryd.8
xivo_auth_expiryd_SOURCES = %D%/service/expiryd.c \
	%D%/service/expiryd_options.c %D%/service/expiryd_options.h
xivo_auth_expiryd_LDADD = libxacore.la
xivo_auth_expiryd_LDFLAGS = $(AM_LDFLAGS) $(XA_PROGRAM_LDFLAGS)

bin_PROGRAMS += xivo-authctl
dist_man_MANS += %D%/service/xivo-authctl.8
xivo_authctl_SOURCES = \
	%D%/service/authctl.c %D%/service/authctl.h \
	%D%/service/authctl_args.c \
	%D%/service/authctl_backend.c \
	%D%/service/authctl_config.c \
	%D%/service/authctl_input.c \
	%D%/service/authctl_list.c \
	%D%/service/authctl_open.c \
	%D%/service/authctl_passwd.c \
	%D%/service/authctl_print.c \
	%D%/service/authctl_progress.c \
	%D%/service/authctl_status.c \
	%D%/service/authctl_store.c \
	%D%/service/authctl_token.c \
	%D%/service/authctl_token_new.c
xivo_authctl_CPPFLAGS = $(AM_CPPFLAGS) -DXA_SYSCONFDIR=\"$(xaconfdir)\"
xivo_authctl_LDADD = libxacore.la
xivo_authctl_LDFLAGS = $(AM_LDFLAGS) $(XA_PROGRAM_LDFLAGS)

# Backends see this one header, and only as <xivo-auth/backend.h>.
xaincludedir = $(includedir)/xivo-auth
xainclude_HEADERS = %D%/backend.h
BUILT_SOURCES += include/xivo-auth/backend.h
CLEANFILES += include/xivo-auth/backend.h
include/xivo-auth/backend.h: %D%/backend.h
	$(AM_V_GEN)$(MKDIR_P) include/xivo-auth && cp $(srcdir)/%D%/backend.h $@
