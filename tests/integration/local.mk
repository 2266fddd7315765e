# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the whole through real servers, each a program that prints TAP.
service_tests = \
	%D%/0020-modules.t \
	%D%/0100-errors.t \
	%D%/0110-token.t \
	%D%/0115-openapi.t \
	%D%/0120-head.t \
	%D%/0130-prefix.t \
	%D%/0140-secrets.t \
	%D%/0141-memory.t \
	%D%/0142-secrets-consul.t \
	%D%/0143-secrets-servers.t \
	%D%/0144-core-dumps.t \
	%D%/0160-config.t \
	%D%/0170-guard.t \
	%D%/0180-guard-path.t \
	%D%/0181-guard-apache.t \
	%D%/0182-guard-lighttpd.t \
	%D%/0183-guard-caddy.t \
	%D%/0190-fronts.t \
	%D%/0191-front-trouble.t \
	%D%/0192-crowd.t \
	%D%/0193-apache-logs.t \
	%D%/0194-login-rate.t \
	%D%/0180-cors.t \
	%D%/0200-io.t \
	%D%/0300-program.t \
	%D%/0310-responder.t \
	%D%/0400-authctl.t \
	%D%/0400-expiryd.t \
	%D%/0401-passwd.t \
	%D%/0402-authctl-many.t \
	%D%/0410-nothing-lost.t \
	%D%/0411-sweeper-killed.t \
	%D%/0420-rolling.t \
	%D%/0500-postgresql.t \
	%D%/0501-postgresql-trouble.t \
	%D%/0502-postgresql-strangers.t \
	%D%/0520-store-consul.t \
	%D%/0530-pam.t \
	%D%/0540-wild-backend.t \
	%D%/0550-example.t \
	%D%/0600-ldap.t \
	%D%/0610-ldap-input.t \
	%D%/0620-ldap-trouble.t \
	%D%/0600-consul.t \
	%D%/0601-consul-rounds.t \
	%D%/0610-consul-away.t \
	%D%/0611-consul-hostile.t \
	%D%/0620-consul-cluster.t \
	%D%/0621-consul-restart.t \
	%D%/0630-consul-rights.t \
	%D%/0631-consul-rotation.t \
	%D%/0640-consul-tls.t \
	%D%/0650-consul-garbage.t \
	%D%/0660-consul-daemon.t \
	%D%/0661-consul-leader.t \
	%D%/0662-consul-expiryd.t \
	%D%/0670-consul-nothing-lost.t \
	%D%/0680-discovery.t \
	%D%/0710-consul-breaker.t \
	%D%/0800-model.t \
	%D%/0800-systemd.t \
	%D%/0810-clock.t \
	%D%/0820-partition.t \
	%D%/0830-exhausted.t \
	%D%/0831-system-calls.t \
	%D%/0832-short-io.t \
	%D%/0840-soak.t \
	%D%/0850-isolation.t

# Those of our texts and scripts: a sanitizer sees nothing there.
source_tests = \
	%D%/0010-check-includes.t \
	%D%/0015-robustness.t \
	%D%/0016-comparisons.t \
	%D%/0150-pool.t \
	%D%/0151-pool-trouble.t \
	%D%/0403-completion.t \
	%D%/0690-fetch-consul.t \
	%D%/0810-manuals.t

EXTRA_DIST += $(service_tests) $(source_tests) \
	%D%/badinput.py \
	%D%/consul.py \
	%D%/consul_daemon.py \
	%D%/consul_keys.py \
	%D%/false_consul.py \
	%D%/fastcgi.py \
	%D%/front_cases.py \
	%D%/guards.py \
	%D%/harness.py \
	%D%/load.py \
	%D%/memory.py \
	%D%/model.py \
	%D%/netlab.py \
	%D%/openapi.py \
	%D%/pamlab.py \
	%D%/pgserver.py \
	%D%/poollab.py \
	%D%/slapd.py \
	%D%/storelab.py \
	%D%/syscalls.py \
	%D%/tap.py \
	%D%/trouble.py
TESTS += $(service_tests)
if !ENABLE_SANITIZERS
TESTS += $(source_tests)
endif
