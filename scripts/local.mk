# SPDX-License-Identifier: GPL-3.0-or-later
dist_sbin_SCRIPTS = %D%/xivo-auth-pool
dist_man_MANS += %D%/xivo-auth-pool.8

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = %D%/completions/xivo-authctl

# For people with the sources.
EXTRA_DIST += %D%/bench %D%/check %D%/check-analyze %D%/check-coverage \
	%D%/check-packages %D%/fetch-consul %D%/lib.sh %D%/quickstart

# An operator's file is never overwritten, and only taken away untouched.
EXTRA_DIST += %D%/config.yml
shipped_config = sed -e 's,/etc/xivo-auth,$(xaconfdir),g' \
	-e 's,^.\(log_filename: \)/var/log/.*,\1$(localstatedir)/log/xivo-auth/xivo-auth.log,' \
	-e 's,/usr/lib/xivo-auth/backends,$(backenddir),' $(srcdir)/%D%/config.yml
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(xaconfdir)/conf.d'
	test -e '$(DESTDIR)$(xaconfdir)/config.yml' || \
	  $(shipped_config) > '$(DESTDIR)$(xaconfdir)/config.yml'

# Nothing is left behind: folders of ours go when they are empty; below a
# DESTDIR, those of the system, too.
own_dirs = '$(xaconfdir)/conf.d' '$(xaconfdir)' '$(exampledir)' '$(docdir)' \
	'$(pamexampledir)' '$(nginxdir)' '$(pkgdatadir)' '$(backenddir)' \
	'$(libdir)/xivo-auth' '$(xaincludedir)'
shared_dirs = '$(bindir)' '$(sbindir)' '$(libdir)' '$(pkgconfigdir)' \
	'$(includedir)' '$(datadir)/doc' '$(mandir)/man1' '$(mandir)/man5' \
	'$(mandir)/man7' '$(mandir)/man8' '$(unitdir)' \
	'$(sysconfdir)/logrotate.d' '$(prefix)/lib/sysusers.d' \
	'$(prefix)/lib/tmpfiles.d' \
	'$(datadir)/bash-completion/completions'
uninstall-local:
	! $(shipped_config) | cmp -s - '$(DESTDIR)$(xaconfdir)/config.yml' || \
	  rm -f '$(DESTDIR)$(xaconfdir)/config.yml'
uninstall-hook:
	rm -f '$(DESTDIR)$(sysconfdir)/logrotate.d/xivo-auth' \
	  '$(DESTDIR)$(prefix)/lib/sysusers.d/xivo-auth.conf' \
	  '$(DESTDIR)$(prefix)/lib/tmpfiles.d/xivo-auth.conf'
	for dir in $(own_dirs); do \
	  test ! -d "$(DESTDIR)$$dir" || \
	    rmdir --ignore-fail-on-non-empty "$(DESTDIR)$$dir"; \
	done
	test -z '$(DESTDIR)' || { cd '$(DESTDIR)' && \
	  for dir in $(shared_dirs); do \
	    test ! -d ".$$dir" || \
	      rmdir -p --ignore-fail-on-non-empty "$${dir#/}"; \
	  done; }

# For systemd and its friends. A unit is made here, not by configure, because
# only make knows what $(sbindir) is in the end.
systemd_units = \
	%D%/systemd/xivo-auth-check.socket \
	%D%/systemd/xivo-auth-check@.service \
	%D%/systemd/xivo-auth-expiryd.service \
	%D%/systemd/xivo-auth-login.socket \
	%D%/systemd/xivo-auth-login@.service \
	%D%/systemd/xivo-auth.target
systemd_others = %D%/systemd/logrotate %D%/systemd/sysusers.conf \
	%D%/systemd/tmpfiles.conf
unitdir = $(systemdsystemunitdir)
nodist_unit_DATA = $(systemd_units)
EXTRA_DIST += $(systemd_units:=.in) $(systemd_others:=.in)
CLEANFILES += $(systemd_units) $(systemd_others)
all-local: $(systemd_others)
$(systemd_units) $(systemd_others): %: $(srcdir)/%.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D%/systemd && sed \
	  -e 's,[@]localstatedir[@],$(localstatedir),g' \
	  -e 's,[@]sbindir[@],$(sbindir),g' \
	  -e 's,[@]webgroup[@],$(webgroup),g' \
	  -e 's,[@]xaconfdir[@],$(xaconfdir),g' $< >$@.tmp && mv $@.tmp $@

# Each has the name of what it belongs to where it goes.
install-data-hook: $(systemd_others)
	for pair in 'logrotate $(sysconfdir)/logrotate.d/xivo-auth' \
	    'sysusers.conf $(prefix)/lib/sysusers.d/xivo-auth.conf' \
	    'tmpfiles.conf $(prefix)/lib/tmpfiles.d/xivo-auth.conf'; do \
	  set -- $$pair && $(MKDIR_P) "$(DESTDIR)$${2%/*}" && \
	    $(INSTALL_DATA) %D%/systemd/$$1 "$(DESTDIR)$$2" || exit 1; \
	done

# A check of the sources, run with the tests.
dist_check_SCRIPTS = %D%/check-includes
if !ENABLE_SANITIZERS
TESTS += %D%/check-includes
endif
