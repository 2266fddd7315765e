# SPDX-License-Identifier: GPL-3.0-or-later
# An entry for each parser of outside bytes, fuzz_NAME.c, with seeds in
# seeds/NAME/.  `make check` feeds it its seeds; with CC=clang and
# --enable-fuzzing it is a program of libFuzzer:
#     tests/fuzz/fuzz_request CORPUS .../tests/fuzz/seeds/request
fuzz_entries = \
	%D%/fuzz_acl \
	%D%/fuzz_record \
	%D%/fuzz_request

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
EXTRA_DIST += %D%/replay.c %D%/seeds

%C%_fuzz_acl_SOURCES = %D%/fuzz_acl.c %D%/acl_oracle.h
nodist_%C%_fuzz_acl_SOURCES = $(fuzz_main)
%C%_fuzz_acl_CPPFLAGS = $(fuzz_cppflags)/acl\"
%C%_fuzz_acl_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_acl_LDADD = libxacore.la

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
