# SPDX-License-Identifier: GPL-3.0-or-later
unit_tests =

if HAVE_CMOCKA
# One cmocka program per module, each from tests/unit/test_MODULE.c.
unit_tests += \
	%D%/unit/test_acl \
	%D%/unit/test_base \
	%D%/unit/test_basic \
	%D%/unit/test_config \
	%D%/unit/test_config_notes \
	%D%/unit/test_crypto \
	%D%/unit/test_expiry \
	%D%/unit/test_handlers \
	%D%/unit/test_host \
	%D%/unit/test_identity \
	%D%/unit/test_io_conn \
	%D%/unit/test_io_peek \
	%D%/unit/test_io_record \
	%D%/unit/test_json \
	%D%/unit/test_key_find \
	%D%/unit/test_lmdb_faults \
	%D%/unit/test_lmdb_files \
	%D%/unit/test_loader \
	%D%/unit/test_log \
	%D%/unit/test_mask \
	%D%/unit/test_password \
	%D%/unit/test_process \
	%D%/unit/test_registry \
	%D%/unit/test_reply \
	%D%/unit/test_request \
	%D%/unit/test_router \
	%D%/unit/test_status \
	%D%/unit/test_store_lmdb \
	%D%/unit/test_str \
	%D%/unit/test_textfile \
	%D%/unit/test_token \
	%D%/unit/test_token_manager \
	%D%/unit/test_users_edit \
	%D%/unit/test_users_file \
	%D%/unit/test_uuid \
	%D%/unit/test_yaml \
	%D%/unit/test_yaml_node
endif

EXTRA_DIST += %D%/unit/config_files.h %D%/unit/unit.h %D%/unit/yaml_tree.h
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

unit_cppflags = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(JSONC_CFLAGS) \
	-DTEST_SRCDIR=\"$(abs_top_srcdir)\" -DTEST_BUILDDIR=\"$(abs_top_builddir)\"

# Stand-ins for a module, linked before the core.
check_LTLIBRARIES += libxafakes.la
libxafakes_la_SOURCES = \
	%D%/fakes/memory_store.c %D%/fakes/memory_store.h

unit_ldadd = libxafakes.la libxacore.la $(CMOCKA_LIBS)

# Memory that runs out on request, see fakes/alloc.h.
unit_alloc = %D%/fakes/alloc.c %D%/fakes/alloc.h
unit_wrap_alloc = -Wl,--wrap=malloc -Wl,--wrap=calloc \
	-Wl,--wrap=reallocarray -Wl,--wrap=strdup

# Folders of backend modules, for the tests that load some.
unit_modules = %D%/unit/modules.c %D%/unit/modules.h

%C%_unit_test_acl_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_acl_LDADD = $(unit_ldadd)
%C%_unit_test_base_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_base_LDADD = $(unit_ldadd)
%C%_unit_test_basic_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_basic_LDADD = libxafcgi.la $(unit_ldadd)
%C%_unit_test_config_SOURCES = %D%/unit/test_config.c $(unit_alloc)
%C%_unit_test_config_LDFLAGS = $(AM_LDFLAGS) $(unit_wrap_alloc)
%C%_unit_test_config_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_config_LDADD = $(unit_ldadd)
%C%_unit_test_config_notes_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_config_notes_LDADD = $(unit_ldadd)
%C%_unit_test_crypto_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_crypto_LDADD = $(unit_ldadd)
%C%_unit_test_handlers_SOURCES = \
	%D%/unit/test_handlers.c %D%/fakes/registry.c %D%/fakes/registry.h
%C%_unit_test_handlers_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_handlers_LDADD = libxafcgi.la $(unit_ldadd)
%C%_unit_test_expiry_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_expiry_LDADD = $(unit_ldadd)
%C%_unit_test_host_SOURCES = %D%/unit/test_host.c $(unit_modules) \
	%D%/fakes/password.c %D%/fakes/password.h
%C%_unit_test_host_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_host_LDADD = $(unit_ldadd)
%C%_unit_test_identity_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_identity_LDADD = $(unit_ldadd)
%C%_unit_test_io_conn_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_io_conn_LDADD = libxaio.la $(unit_ldadd)
%C%_unit_test_io_peek_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_io_peek_LDADD = libxaio.la $(unit_ldadd)
%C%_unit_test_io_record_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_io_record_LDADD = libxaio.la $(unit_ldadd)
%C%_unit_test_json_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_json_LDADD = $(unit_ldadd)
%C%_unit_test_loader_SOURCES = %D%/unit/test_loader.c $(unit_modules)
%C%_unit_test_loader_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_loader_LDADD = $(unit_ldadd)
%C%_unit_test_log_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_log_LDADD = $(unit_ldadd)
%C%_unit_test_mask_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_mask_LDADD = libxafcgi.la $(unit_ldadd)
%C%_unit_test_password_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_password_LDADD = $(unit_ldadd)
%C%_unit_test_password_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=crypt_r
%C%_unit_test_registry_SOURCES = %D%/unit/test_registry.c $(unit_modules) \
	%D%/fakes/password.c %D%/fakes/password.h
%C%_unit_test_registry_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_registry_LDADD = $(unit_ldadd)
%C%_unit_test_process_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_process_LDADD = $(unit_ldadd)
%C%_unit_test_reply_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_reply_LDADD = libxafcgi.la $(unit_ldadd)
%C%_unit_test_request_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_request_LDADD = libxafcgi.la $(unit_ldadd)
%C%_unit_test_router_SOURCES = \
	%D%/unit/test_router.c %D%/fakes/registry.c %D%/fakes/registry.h
%C%_unit_test_router_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_router_LDADD = libxafcgi.la $(unit_ldadd)
%C%_unit_test_status_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_status_LDADD = libxafcgi.la $(unit_ldadd)
lmdb_fixture = \
	%D%/unit/lmdb_fixture.c %D%/unit/lmdb_fixture.h \
	%D%/unit/store_suite.c %D%/unit/store_suite.h
%C%_unit_test_lmdb_faults_SOURCES = %D%/unit/test_lmdb_faults.c $(lmdb_fixture)
%C%_unit_test_key_find_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_key_find_LDADD = $(unit_ldadd)
%C%_unit_test_lmdb_faults_CPPFLAGS = $(unit_cppflags) $(LMDB_CFLAGS)
%C%_unit_test_lmdb_faults_LDADD = $(unit_ldadd) $(LMDB_LIBS)
%C%_unit_test_lmdb_faults_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fstatfs
%C%_unit_test_lmdb_files_SOURCES = %D%/unit/test_lmdb_files.c $(lmdb_fixture)
%C%_unit_test_lmdb_files_CPPFLAGS = $(unit_cppflags) $(LMDB_CFLAGS)
%C%_unit_test_lmdb_files_LDADD = $(unit_ldadd) $(LMDB_LIBS)
%C%_unit_test_lmdb_files_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fstatfs
%C%_unit_test_store_lmdb_SOURCES = %D%/unit/test_store_lmdb.c $(lmdb_fixture)
%C%_unit_test_store_lmdb_CPPFLAGS = $(unit_cppflags) $(LMDB_CFLAGS)
%C%_unit_test_store_lmdb_LDADD = $(unit_ldadd) $(LMDB_LIBS)
%C%_unit_test_store_lmdb_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fstatfs
%C%_unit_test_str_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_str_LDADD = $(unit_ldadd)
%C%_unit_test_users_file_SOURCES = %D%/unit/test_users_file.c $(unit_modules)
%C%_unit_test_users_edit_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_users_edit_LDADD = $(unit_ldadd)
%C%_unit_test_users_file_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_users_file_LDADD = $(unit_ldadd)
%C%_unit_test_uuid_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_uuid_LDADD = $(unit_ldadd)
%C%_unit_test_uuid_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getrandom
%C%_unit_test_yaml_SOURCES = %D%/unit/test_yaml.c $(unit_alloc)
%C%_unit_test_yaml_LDFLAGS = $(AM_LDFLAGS) $(unit_wrap_alloc)
%C%_unit_test_yaml_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_yaml_LDADD = $(unit_ldadd)
%C%_unit_test_yaml_node_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_yaml_node_LDADD = $(unit_ldadd)
%C%_unit_test_textfile_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_textfile_LDADD = $(unit_ldadd)
%C%_unit_test_token_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_token_LDADD = $(unit_ldadd)
%C%_unit_test_token_manager_CPPFLAGS = $(unit_cppflags)
%C%_unit_test_token_manager_LDADD = $(unit_ldadd)

include %D%/fuzz/local.mk
include %D%/modules/local.mk
include %D%/integration/local.mk

# Programs that integration tests drive.
check_PROGRAMS += %D%/tools/echo_responder
%C%_tools_echo_responder_SOURCES = %D%/tools/echo_responder.c
%C%_tools_echo_responder_LDADD = libxaio.la libxacore.la

# What scripts/bench measures against; `make bench-programs` builds it.
EXTRA_PROGRAMS = %D%/bench/same_loop %D%/bench/usual_loop
CLEANFILES += $(EXTRA_PROGRAMS)
EXTRA_DIST += %D%/bench/ask.lua %D%/bench/login.lua
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
