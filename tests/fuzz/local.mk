# SPDX-License-Identifier: GPL-3.0-or-later
# An entry for each parser of outside bytes, fuzz_NAME.c, with seeds in
# seeds/NAME/.  `make check` feeds it its seeds; with CC=clang and
# --enable-fuzzing it is a program of libFuzzer, and `make fuzz` runs each for
# FUZZ_SECONDS.
fuzz_entries = \
	%D%/fuzz_acl \
	%D%/fuzz_basic \
	%D%/fuzz_config \
	%D%/fuzz_consul_listing \
	%D%/fuzz_consul_record \
	%D%/fuzz_consul_txn \
	%D%/fuzz_http_head \
	%D%/fuzz_io_peek \
	%D%/fuzz_json \
	%D%/fuzz_ldap_escape \
	%D%/fuzz_password \
	%D%/fuzz_path_acl \
	%D%/fuzz_record \
	%D%/fuzz_request \
	%D%/fuzz_session \
	%D%/fuzz_uri \
	%D%/fuzz_users \
	%D%/fuzz_yaml

fuzz_cppflags = $(AM_CPPFLAGS) -DFUZZ_SEEDS=\"$(abs_top_srcdir)/%D%/seeds

if ENABLE_FUZZING
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined
noinst_PROGRAMS += $(fuzz_entries)
else
fuzz_ldflags = $(AM_LDFLAGS)
fuzz_main = %D%/replay.c
check_PROGRAMS += $(fuzz_entries)
TESTS += $(fuzz_entries)
endif
EXTRA_DIST += %D%/replay.c %D%/seeds %D%/session_seeds.py \
	%D%/fuzz_afl %D%/fuzz_one

%C%_fuzz_acl_SOURCES = %D%/fuzz_acl.c %D%/acl_oracle.h
nodist_%C%_fuzz_acl_SOURCES = $(fuzz_main)
%C%_fuzz_acl_CPPFLAGS = $(fuzz_cppflags)/acl\"
%C%_fuzz_acl_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_acl_LDADD = libxacore.la

%C%_fuzz_basic_SOURCES = %D%/fuzz_basic.c
nodist_%C%_fuzz_basic_SOURCES = $(fuzz_main)
%C%_fuzz_basic_CPPFLAGS = $(fuzz_cppflags)/basic\"
%C%_fuzz_basic_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_basic_LDADD = libxafcgi.la libxacore.la

%C%_fuzz_config_SOURCES = %D%/fuzz_config.c
nodist_%C%_fuzz_config_SOURCES = $(fuzz_main)
%C%_fuzz_config_CPPFLAGS = $(fuzz_cppflags)/config\"
%C%_fuzz_config_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_config_LDADD = libxafcgi.la libxacore.la

%C%_fuzz_uri_SOURCES = %D%/fuzz_uri.c
nodist_%C%_fuzz_uri_SOURCES = $(fuzz_main)
%C%_fuzz_uri_CPPFLAGS = $(fuzz_cppflags)/uri\"
%C%_fuzz_uri_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_uri_LDADD = libxafcgi.la libxacore.la

%C%_fuzz_consul_listing_SOURCES = %D%/fuzz_consul_listing.c
nodist_%C%_fuzz_consul_listing_SOURCES = $(fuzz_main)
%C%_fuzz_consul_listing_CPPFLAGS = $(fuzz_cppflags)/consul_listing\" $(JSONC_CFLAGS)
%C%_fuzz_consul_listing_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_consul_listing_LDADD = libxacore.la

%C%_fuzz_consul_record_SOURCES = %D%/fuzz_consul_record.c
nodist_%C%_fuzz_consul_record_SOURCES = $(fuzz_main)
%C%_fuzz_consul_record_CPPFLAGS = $(fuzz_cppflags)/consul_record\"
%C%_fuzz_consul_record_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_consul_record_LDADD = libxacore.la

%C%_fuzz_consul_txn_SOURCES = %D%/fuzz_consul_txn.c \
	tests/fakes/consul.c tests/fakes/consul.h
nodist_%C%_fuzz_consul_txn_SOURCES = $(fuzz_main)
%C%_fuzz_consul_txn_CPPFLAGS = $(fuzz_cppflags)/consul_txn\"
%C%_fuzz_consul_txn_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_consul_txn_LDADD = libxacore.la

%C%_fuzz_path_acl_SOURCES = %D%/fuzz_path_acl.c
nodist_%C%_fuzz_path_acl_SOURCES = $(fuzz_main)
%C%_fuzz_path_acl_CPPFLAGS = $(fuzz_cppflags)/path_acl\"
%C%_fuzz_path_acl_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_path_acl_LDADD = libxacore.la

%C%_fuzz_http_head_SOURCES = %D%/fuzz_http_head.c
nodist_%C%_fuzz_http_head_SOURCES = $(fuzz_main)
%C%_fuzz_http_head_CPPFLAGS = $(fuzz_cppflags)/http_head\"
%C%_fuzz_http_head_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_http_head_LDADD = libxacore.la

%C%_fuzz_io_peek_SOURCES = %D%/fuzz_io_peek.c
nodist_%C%_fuzz_io_peek_SOURCES = $(fuzz_main)
%C%_fuzz_io_peek_CPPFLAGS = $(fuzz_cppflags)/io_peek\"
%C%_fuzz_io_peek_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_io_peek_LDADD = libxaio.la libxacore.la

%C%_fuzz_json_SOURCES = %D%/fuzz_json.c
nodist_%C%_fuzz_json_SOURCES = $(fuzz_main)
%C%_fuzz_json_CPPFLAGS = $(fuzz_cppflags)/json\" $(JSONC_CFLAGS)
%C%_fuzz_json_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_json_LDADD = libxacore.la

%C%_fuzz_ldap_escape_SOURCES = %D%/fuzz_ldap_escape.c \
	backends/ldap_text.c backends/ldap_text.h
nodist_%C%_fuzz_ldap_escape_SOURCES = $(fuzz_main)
%C%_fuzz_ldap_escape_CPPFLAGS = $(fuzz_cppflags)/ldap_escape\" \
	-I$(top_builddir)/include
%C%_fuzz_ldap_escape_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_ldap_escape_LDADD =

%C%_fuzz_password_SOURCES = %D%/fuzz_password.c
nodist_%C%_fuzz_password_SOURCES = $(fuzz_main)
%C%_fuzz_password_CPPFLAGS = $(fuzz_cppflags)/password\"
%C%_fuzz_password_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_password_LDADD = libxacore.la

%C%_fuzz_record_SOURCES = %D%/fuzz_record.c
nodist_%C%_fuzz_record_SOURCES = $(fuzz_main)
%C%_fuzz_record_CPPFLAGS = $(fuzz_cppflags)/record\"
%C%_fuzz_record_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_record_LDADD = libxacore.la

%C%_fuzz_request_SOURCES = %D%/fuzz_request.c \
	tests/fakes/registry.c tests/fakes/registry.h
nodist_%C%_fuzz_request_SOURCES = $(fuzz_main)
%C%_fuzz_request_CPPFLAGS = $(fuzz_cppflags)/request\"
%C%_fuzz_request_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_request_LDADD = libxafcgi.la libxafakes.la libxacore.la

# The whole responder but its main, its signals and its waiting.
%C%_fuzz_session_SOURCES = %D%/fuzz_session.c \
	%D%/cgi_answer.c %D%/cgi_answer.h \
	%D%/session_peer.c %D%/session_peer.h \
	fcgi/serve.c fcgi/serve.h \
	tests/fakes/io_signal.c tests/fakes/io_signal.h \
	tests/fakes/registry.c tests/fakes/registry.h
nodist_%C%_fuzz_session_SOURCES = $(fuzz_main)
%C%_fuzz_session_CPPFLAGS = $(fuzz_cppflags)/session\" $(JSONC_CFLAGS)
%C%_fuzz_session_LDFLAGS = $(fuzz_ldflags) -Wl,--wrap=epoll_pwait \
	-Wl,--wrap=xa_clock_mono_ms -Wl,--wrap=xa_uuid_random
%C%_fuzz_session_LDADD = libxafcgi.la libxaio.la libxafakes.la libxacore.la

%C%_fuzz_users_SOURCES = %D%/fuzz_users.c
nodist_%C%_fuzz_users_SOURCES = $(fuzz_main)
%C%_fuzz_users_CPPFLAGS = $(fuzz_cppflags)/users\"
%C%_fuzz_users_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_users_LDADD = libxacore.la

%C%_fuzz_yaml_SOURCES = %D%/fuzz_yaml.c
nodist_%C%_fuzz_yaml_SOURCES = $(fuzz_main)
%C%_fuzz_yaml_CPPFLAGS = $(fuzz_cppflags)/yaml\"
%C%_fuzz_yaml_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_yaml_LDADD = libxacore.la

# What is found stays in fuzz-found/, what was learnt in fuzz-corpus/; with AFL++
# both in fuzz-afl/.  Sessions are worth more time than the others, and go first.
FUZZ_SECONDS = 10
FUZZ_SESSION_SECONDS = $(FUZZ_SECONDS)
FUZZ_JOBS = 2
fuzz_each = { echo %D%/fuzz_session $(FUZZ_SESSION_SECONDS); \
	  for entry in $(fuzz_entries); do \
	    test $$entry = %D%/fuzz_session || echo $$entry $(FUZZ_SECONDS); \
	  done; } | xargs -P $(FUZZ_JOBS) -n 2 $(SHELL) -c \
	  'exec "$$1/%D%/$$0" "$$2" "$$1/%D%/seeds" "$$3"'
.PHONY: fuzz fuzz-afl
if ENABLE_FUZZING
fuzz: $(fuzz_entries)
	@$(fuzz_each) fuzz_one $(abs_top_srcdir)
fuzz-afl: $(fuzz_entries)
	@$(fuzz_each) fuzz_afl $(abs_top_srcdir)
else
fuzz:
	@echo "configure with CC=clang and --enable-fuzzing first"; exit 1
fuzz-afl:
	@echo "configure with CC=afl-clang-fast and --enable-fuzzing first"; exit 1
endif
clean-local:
	rm -rf fuzz-afl fuzz-corpus fuzz-found
