#!/bin/sh
# autogen.sh - make ./configure from a fresh checkout. SPDX-License-Identifier: GPL-3.0-or-later
set -eu
cd "$(dirname "$0")"
autoreconf --install --force --warnings=all,no-obsolete
