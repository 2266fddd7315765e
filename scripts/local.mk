# SPDX-License-Identifier: GPL-3.0-or-later
dist_sbin_SCRIPTS = %D%/xivo-auth-pool
