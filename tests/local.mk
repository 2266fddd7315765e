# SPDX-License-Identifier: GPL-3.0-or-later
unit_tests =

if HAVE_CMOCKA
# One cmocka program per module, each from tests/unit/test_MODULE.c; what one
# needs besides stands further down.
unit_tests += \
	%D%/unit/test_acl \
	%D%/unit/test_address \
	%D%/unit/test_base \
	%D%/unit/test_basic \
	%D%/unit/test_config \
	%D%/unit/test_config_cors \
	%D%/unit/test_config_manual \
	%D%/unit/test_config_notes \
	%D%/unit/test_consul_agent \
	%D%/unit/test_consul_audit \
	%D%/unit/test_consul_breaker \
	%D%/unit/test_consul_client \
	%D%/unit/test_consul_lock \
	%D%/unit/test_consul_names \
	%D%/unit/test_consul_plan \
	%D%/unit/test_consul_record \
	%D%/unit/test_consul_removal \
	%D%/unit/test_consul_trust \
	%D%/unit/test_consul_txn \
	%D%/unit/test_consul_verdict \
	%D%/unit/test_consul_walk \
	%D%/unit/test_cors \
	%D%/unit/test_crypto \
	%D%/unit/test_discovery \
	%D%/unit/test_expiry \
	%D%/unit/test_fcgi_ask \
	%D%/unit/test_handlers \
	%D%/unit/test_handlers_authorize \
	%D%/unit/test_handlers_token \
	%D%/unit/test_host \
	%D%/unit/test_http \
	%D%/unit/test_http_head \
	%D%/unit/test_identity \
	%D%/unit/test_io_conn \
	%D%/unit/test_io_loop \
	%D%/unit/test_io_peek \
	%D%/unit/test_io_record \
	%D%/unit/test_json \
	%D%/unit/test_key_find \
	%D%/unit/test_ldap_net \
	%D%/unit/test_ldap_servers \
	%D%/unit/test_ldap_text \
	%D%/unit/test_lmdb_faults \
	%D%/unit/test_lmdb_files \
	%D%/unit/test_loader \
	%D%/unit/test_lock \
	%D%/unit/test_log \
	%D%/unit/test_mask \
	%D%/unit/test_news \
	%D%/unit/test_notify \
	%D%/unit/test_out_of_memory \
	%D%/unit/test_password \
	%D%/unit/test_path_acl \
	%D%/unit/test_process \
	%D%/unit/test_registry \
	%D%/unit/test_reply \
	%D%/unit/test_request \
	%D%/unit/test_router \
	%D%/unit/test_sha256 \
	%D%/unit/test_status \
	%D%/unit/test_store \
	%D%/unit/test_store_consul \
	%D%/unit/test_store_lmdb \
	%D%/unit/test_str \
	%D%/unit/test_textfile \
	%D%/unit/test_token \
	%D%/unit/test_token_manager \
	%D%/unit/test_users_compare \
	%D%/unit/test_users_edit \
	%D%/unit/test_users_file \
	%D%/unit/test_uuid \
	%D%/unit/test_watchdog \
	%D%/unit/test_wiped \
	%D%/unit/test_xivo_text \
	%D%/unit/test_yaml \
	%D%/unit/test_yaml_lines \
	%D%/unit/test_yaml_node
endif

EXTRA_DIST += %D%/unit/config_files.h %D%/unit/memcheck %D%/unit/tap \
	%D%/unit/text_body.h %D%/unit/unit.h %D%/unit/yaml_tree.h
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

if HAVE_CMOCKA
# Run by integration/0520-store-consul.t, which starts a Consul.
check_PROGRAMS += %D%/unit/store_consul_real
%C%_unit_store_consul_real_SOURCES = %D%/unit/store_consul_real.c \
	%D%/unit/store_suite.c %D%/unit/store_suite.h
endif

# Stand-ins for a module, linked before the core.
check_LTLIBRARIES += libxafakes.la
libxafakes_la_SOURCES = \
	%D%/fakes/memory_store.c %D%/fakes/memory_store.h

# For every program that says nothing else.
AM_CPPFLAGS += $(CMOCKA_CFLAGS) $(JSONC_CFLAGS) $(LMDB_CFLAGS)
LDADD = libxafcgi.la libxaio.la libxafakes.la libxacore.la \
	$(CMOCKA_LIBS) $(LMDB_LIBS)

# Memory that runs out on request, see fakes/alloc.h.
unit_alloc = %D%/fakes/alloc.c %D%/fakes/alloc.h
unit_wrap_alloc = -Wl,--wrap=malloc -Wl,--wrap=calloc \
	-Wl,--wrap=reallocarray -Wl,--wrap=strdup

# What stands in memory as it is freed, see fakes/freed.h.
unit_freed = %D%/fakes/freed.c %D%/fakes/freed.h
unit_wrap_freed = -Wl,--wrap=malloc -Wl,--wrap=free

# A Consul in memory.
unit_consul = %D%/fakes/consul.c %D%/fakes/consul.h
unit_stop_clock = $(AM_LDFLAGS) -Wl,--wrap=xa_clock_mono_ms

# Requests to the routes.
unit_handlers = %D%/fakes/registry.c %D%/fakes/registry.h \
	%D%/unit/handlers_fixture.c %D%/unit/handlers_fixture.h

unit_lmdb = \
	%D%/unit/lmdb_fixture.c %D%/unit/lmdb_fixture.h \
	%D%/unit/store_suite.c %D%/unit/store_suite.h
unit_wrap_statfs = $(AM_LDFLAGS) -Wl,--wrap=fstatfs

# Folders of backend modules, for the tests that load some.
unit_modules = %D%/unit/modules.c %D%/unit/modules.h
unit_registry = $(unit_modules) \
	%D%/unit/registry_world.c %D%/unit/registry_world.h
unit_paths = $(AM_CPPFLAGS) -DTEST_SRCDIR=\"$(abs_top_srcdir)\" \
	-DTEST_BUILDDIR=\"$(abs_top_builddir)\"

%C%_unit_test_config_SOURCES = %D%/unit/test_config.c $(unit_alloc)
%C%_unit_test_config_LDFLAGS = $(AM_LDFLAGS) $(unit_wrap_alloc)
%C%_unit_test_config_manual_CPPFLAGS = $(unit_paths) \
	-DXA_SYSCONFDIR=\"$(xaconfdir)\" -DXA_BACKENDDIR=\"$(backenddir)\"
%C%_unit_test_config_notes_CPPFLAGS = $(unit_paths)
%C%_unit_test_consul_agent_SOURCES = %D%/unit/test_consul_agent.c \
	%D%/fakes/http.c %D%/fakes/http.h
%C%_unit_test_consul_agent_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=xa_clock_mono_ms
%C%_unit_test_consul_client_SOURCES = %D%/unit/test_consul_client.c \
	%D%/fakes/http.c %D%/fakes/http.h
%C%_unit_test_consul_client_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=xa_clock_mono_ms
%C%_unit_test_consul_lock_SOURCES = %D%/unit/test_consul_lock.c $(unit_consul)
%C%_unit_test_consul_audit_SOURCES = %D%/unit/test_consul_audit.c \
	%D%/unit/store_suite.c %D%/unit/store_suite.h $(unit_consul)
%C%_unit_test_consul_audit_LDFLAGS = $(unit_stop_clock)
%C%_unit_test_consul_txn_SOURCES = %D%/unit/test_consul_txn.c $(unit_consul)
%C%_unit_test_consul_walk_SOURCES = %D%/unit/test_consul_walk.c $(unit_consul)
%C%_unit_test_cors_SOURCES = %D%/unit/test_cors.c $(unit_handlers)
%C%_unit_test_handlers_SOURCES = %D%/unit/test_handlers.c $(unit_handlers)
%C%_unit_test_handlers_authorize_SOURCES = \
	%D%/unit/test_handlers_authorize.c $(unit_handlers)
%C%_unit_test_handlers_token_SOURCES = \
	%D%/unit/test_handlers_token.c $(unit_handlers)
%C%_unit_test_host_SOURCES = %D%/unit/test_host.c $(unit_modules) \
	%D%/fakes/password.c %D%/fakes/password.h
%C%_unit_test_host_CPPFLAGS = $(unit_paths)
%C%_unit_test_http_SOURCES = %D%/unit/test_http.c \
	%D%/unit/http_server.c %D%/unit/http_server.h
%C%_unit_test_http_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
%C%_unit_test_http_LDADD = $(LDADD) $(CURL_LIBS)
%C%_unit_test_http_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=curl_slist_free_all
%C%_unit_test_io_loop_SOURCES = %D%/unit/test_io_loop.c \
	%D%/fakes/io_signal.c %D%/fakes/io_signal.h
%C%_unit_test_io_loop_LDFLAGS = $(unit_stop_clock)
unit_ldap_cppflags = $(AM_CPPFLAGS) -I$(top_builddir)/include
%C%_unit_test_ldap_net_SOURCES = %D%/unit/test_ldap_net.c \
	backends/ldap_net.c backends/ldap_net.h
%C%_unit_test_ldap_net_CPPFLAGS = $(unit_ldap_cppflags)
%C%_unit_test_ldap_net_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=getaddrinfo,--wrap=__res_init
%C%_unit_test_ldap_servers_SOURCES = %D%/unit/test_ldap_servers.c \
	backends/ldap_servers.c backends/ldap_servers.h
%C%_unit_test_ldap_text_SOURCES = %D%/unit/test_ldap_text.c \
	backends/ldap_text.c backends/ldap_text.h
%C%_unit_test_ldap_text_CPPFLAGS = $(unit_ldap_cppflags)
%C%_unit_test_lmdb_faults_SOURCES = %D%/unit/test_lmdb_faults.c $(unit_lmdb) \
	$(unit_alloc)
%C%_unit_test_lmdb_faults_LDFLAGS = $(unit_wrap_statfs) $(unit_wrap_alloc) \
	-Wl,--wrap=mdb_txn_commit -Wl,--wrap=mdb_env_set_mapsize
%C%_unit_test_lmdb_files_SOURCES = %D%/unit/test_lmdb_files.c $(unit_lmdb)
%C%_unit_test_lmdb_files_LDFLAGS = $(unit_wrap_statfs)
%C%_unit_test_loader_SOURCES = %D%/unit/test_loader.c $(unit_modules)
%C%_unit_test_loader_CPPFLAGS = $(unit_paths)
%C%_unit_test_log_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=closelog \
	-Wl,--wrap=openlog -Wl,--wrap=syslog -Wl,--wrap=__syslog_chk
%C%_unit_test_out_of_memory_SOURCES = %D%/unit/test_out_of_memory.c \
	%D%/unit/store_suite.c %D%/unit/store_suite.h $(unit_alloc) \
	$(unit_consul)
%C%_unit_test_out_of_memory_LDFLAGS = $(AM_LDFLAGS) $(unit_wrap_alloc) \
	-Wl,--wrap=xa_consul_ask
%C%_unit_test_password_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=crypt_r
%C%_unit_test_registry_SOURCES = %D%/unit/test_registry.c $(unit_registry) \
	%D%/fakes/password.c %D%/fakes/password.h $(unit_alloc)
%C%_unit_test_registry_LDFLAGS = $(AM_LDFLAGS) $(unit_wrap_alloc)
%C%_unit_test_registry_CPPFLAGS = $(unit_paths)
%C%_unit_test_router_SOURCES = \
	%D%/unit/test_router.c %D%/fakes/registry.c %D%/fakes/registry.h
%C%_unit_test_sha256_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=xa_wipe
%C%_unit_test_store_consul_SOURCES = %D%/unit/test_store_consul.c \
	%D%/unit/store_suite.c %D%/unit/store_suite.h $(unit_consul)
%C%_unit_test_store_consul_LDFLAGS = $(unit_stop_clock)
%C%_unit_test_store_lmdb_SOURCES = %D%/unit/test_store_lmdb.c $(unit_lmdb)
%C%_unit_test_store_lmdb_LDFLAGS = $(unit_wrap_statfs)
%C%_unit_test_users_file_SOURCES = %D%/unit/test_users_file.c $(unit_registry)
%C%_unit_test_users_file_CPPFLAGS = $(unit_paths)
%C%_unit_test_uuid_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getrandom
%C%_unit_test_wiped_SOURCES = %D%/unit/test_wiped.c $(unit_freed)
%C%_unit_test_wiped_LDFLAGS = $(AM_LDFLAGS) $(unit_wrap_freed) \
	-Wl,--wrap=crypt_r -Wl,--wrap=yaml_event_delete \
	-Wl,--wrap=yaml_parser_delete
%C%_unit_test_wiped_CPPFLAGS = $(AM_CPPFLAGS) $(YAML_CFLAGS)
%C%_unit_test_xivo_text_SOURCES = %D%/unit/test_xivo_text.c \
	backends/xivo_text.c backends/xivo_text.h
%C%_unit_test_xivo_text_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_builddir)/include
%C%_unit_test_yaml_SOURCES = %D%/unit/test_yaml.c $(unit_alloc)
%C%_unit_test_yaml_LDFLAGS = $(AM_LDFLAGS) $(unit_wrap_alloc)

include %D%/fuzz/local.mk
include %D%/modules/local.mk
include %D%/integration/local.mk

# Programs that integration tests drive.
check_PROGRAMS += %D%/tools/echo_responder
%C%_tools_echo_responder_SOURCES = %D%/tools/echo_responder.c
%C%_tools_echo_responder_LDADD = libxaio.la libxacore.la

# What scripts/bench measures against; `make bench-programs` builds it.
EXTRA_PROGRAMS = %D%/bench/constant_time \
	%D%/bench/consul_get_loop %D%/bench/consul_txn_loop \
	%D%/bench/same_loop %D%/bench/usual_loop
CLEANFILES += $(EXTRA_PROGRAMS)
EXTRA_DIST += %D%/ROBUSTNESS.md
EXTRA_DIST += %D%/bench/ask.lua %D%/bench/backend_timing.py \
	%D%/bench/bench.py %D%/bench/constant_time.py \
	%D%/bench/consul_figures.py %D%/bench/consul_rig.py \
	%D%/bench/figures.py %D%/bench/guard.lua %D%/bench/login.lua \
	%D%/bench/many_tokens.py %D%/bench/report.lua %D%/bench/rig.py
%C%_bench_constant_time_LDADD = libxacore.la -lm
%C%_bench_constant_time_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=crypt_r
%C%_bench_consul_get_loop_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
%C%_bench_consul_get_loop_LDADD = libxaio.la libxacore.la $(CURL_LIBS)
%C%_bench_consul_txn_loop_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
%C%_bench_consul_txn_loop_LDADD = libxacore.la $(CURL_LIBS)
%C%_bench_same_loop_LDADD = libxaio.la libxacore.la
%C%_bench_usual_loop_CPPFLAGS = $(AM_CPPFLAGS) $(FCGI_CFLAGS)
%C%_bench_usual_loop_LDADD = $(FCGI_LIBS)
bench-programs: $(EXTRA_PROGRAMS) %D%/tools/store_fill$(EXEEXT)
.PHONY: bench-programs

AM_TESTS_ENVIRONMENT = \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	srcdir='$(abs_top_srcdir)'; export srcdir; \
	builddir='$(abs_top_builddir)'; export builddir; \
	CC='$(CC)'; export CC;

# Programs for measurements and for tests with real servers.
noinst_PROGRAMS += %D%/tools/store_dump %D%/tools/store_fill
%C%_tools_store_dump_LDADD = libxacore.la
%C%_tools_store_fill_LDADD = libxacore.la
