# SPDX-License-Identifier: GPL-3.0-or-later
dist_sbin_SCRIPTS = %D%/xivo-auth-pool

# For people with the sources.
EXTRA_DIST += %D%/bench %D%/check %D%/fetch-consul %D%/lib.sh \
	%D%/quickstart

# An operator's file is never overwritten, and only taken away untouched.
EXTRA_DIST += %D%/config.yml
shipped_config = sed -e 's,/etc/xivo-auth,$(xaconfdir),g' \
	-e 's,/usr/lib/xivo-auth/backends,$(backenddir),' $(srcdir)/%D%/config.yml
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(xaconfdir)'
	test -e '$(DESTDIR)$(xaconfdir)/config.yml' || \
	  $(shipped_config) > '$(DESTDIR)$(xaconfdir)/config.yml'
uninstall-local:
	! $(shipped_config) | cmp -s - '$(DESTDIR)$(xaconfdir)/config.yml' || \
	  rm -f '$(DESTDIR)$(xaconfdir)/config.yml'

# A check of the sources, run with the tests.
dist_check_SCRIPTS = %D%/check-includes
TESTS += %D%/check-includes
