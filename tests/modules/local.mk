# SPDX-License-Identifier: GPL-3.0-or-later
# Modules that the loader or the registry must refuse, each for one reason.
test_module_cppflags = $(XA_CPPFLAGS) -I$(top_builddir)/include
test_module_ldflags = $(XA_LDFLAGS) -module -avoid-version \
	-export-symbols-regex '^(xa_backend|some_other_symbol)$$' \
	-rpath $(backenddir)

check_LTLIBRARIES += \
	%D%/announced.la \
	%D%/bad_abi.la \
	%D%/bad_size.la \
	%D%/cut_short.la \
	%D%/no_authenticate.la \
	%D%/no_configured.la \
	%D%/no_start.la \
	%D%/no_symbol.la \
	%D%/no_table.la \
	%D%/no_table_function.la \
	%D%/not_configured.la \
	%D%/odd.la \
	%D%/unresolved.la \
	%D%/wild.la

EXTRA_DIST += %D%/module.h

# Preloaded, no backend.
check_LTLIBRARIES += %D%/short_io.la
%C%_short_io_la_SOURCES = %D%/short_io.c
%C%_short_io_la_CPPFLAGS = $(XA_CPPFLAGS) -D_GNU_SOURCE
%C%_short_io_la_LDFLAGS = $(XA_LDFLAGS) -module -avoid-version \
	-rpath $(backenddir)

# One of PAM's.
if WITH_PAM
check_LTLIBRARIES += %D%/pam_odd.la
endif
%C%_pam_odd_la_SOURCES = %D%/pam_odd.c
%C%_pam_odd_la_CPPFLAGS = $(XA_CPPFLAGS) -D_GNU_SOURCE $(PAM_CFLAGS)
%C%_pam_odd_la_LDFLAGS = $(XA_LDFLAGS) -module -avoid-version \
	-rpath $(backenddir)
%C%_pam_odd_la_LIBADD = $(PAM_LIBS)

%C%_announced_la_SOURCES = %D%/announced.c
%C%_announced_la_CPPFLAGS = $(test_module_cppflags)
%C%_announced_la_LDFLAGS = $(test_module_ldflags)
%C%_bad_abi_la_SOURCES = %D%/bad_abi.c
%C%_bad_abi_la_CPPFLAGS = $(test_module_cppflags)
%C%_bad_abi_la_LDFLAGS = $(test_module_ldflags)
%C%_bad_size_la_SOURCES = %D%/bad_size.c
%C%_bad_size_la_CPPFLAGS = $(test_module_cppflags)
%C%_bad_size_la_LDFLAGS = $(test_module_ldflags)
%C%_cut_short_la_SOURCES = %D%/no_table.c
%C%_cut_short_la_CPPFLAGS = $(test_module_cppflags) -DCUT_SHORT
%C%_cut_short_la_LDFLAGS = $(test_module_ldflags)
%C%_no_authenticate_la_SOURCES = %D%/missing_call.c
%C%_no_authenticate_la_CPPFLAGS = $(test_module_cppflags) -DWITHOUT_AUTHENTICATE
%C%_no_authenticate_la_LDFLAGS = $(test_module_ldflags)
%C%_no_configured_la_SOURCES = %D%/missing_call.c
%C%_no_configured_la_CPPFLAGS = $(test_module_cppflags) -DWITHOUT_CONFIGURED
%C%_no_configured_la_LDFLAGS = $(test_module_ldflags)
%C%_no_start_la_SOURCES = %D%/missing_call.c
%C%_no_start_la_CPPFLAGS = $(test_module_cppflags) -DWITHOUT_START
%C%_no_start_la_LDFLAGS = $(test_module_ldflags)
%C%_no_symbol_la_SOURCES = %D%/no_symbol.c
%C%_no_symbol_la_CPPFLAGS = $(test_module_cppflags)
%C%_no_symbol_la_LDFLAGS = $(test_module_ldflags)
%C%_no_table_la_SOURCES = %D%/no_table.c
%C%_no_table_la_CPPFLAGS = $(test_module_cppflags)
%C%_no_table_la_LDFLAGS = $(test_module_ldflags)
%C%_no_table_function_la_SOURCES = %D%/no_table.c
%C%_no_table_function_la_CPPFLAGS = $(test_module_cppflags) -DAS_FUNCTION
%C%_no_table_function_la_LDFLAGS = $(test_module_ldflags)
%C%_not_configured_la_SOURCES = %D%/not_configured.c
%C%_not_configured_la_CPPFLAGS = $(test_module_cppflags)
%C%_not_configured_la_LDFLAGS = $(test_module_ldflags)
%C%_odd_la_SOURCES = %D%/odd.c
%C%_odd_la_CPPFLAGS = $(test_module_cppflags)
%C%_odd_la_LDFLAGS = $(test_module_ldflags)
%C%_unresolved_la_SOURCES = %D%/unresolved.c
%C%_unresolved_la_CPPFLAGS = $(test_module_cppflags)
%C%_unresolved_la_LDFLAGS = $(test_module_ldflags)
%C%_wild_la_SOURCES = %D%/wild.c
%C%_wild_la_CPPFLAGS = $(test_module_cppflags)
%C%_wild_la_LDFLAGS = $(test_module_ldflags)
