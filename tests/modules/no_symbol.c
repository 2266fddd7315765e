/* no_symbol.c - a library, but no backend. SPDX-License-Identifier: GPL-3.0-or-later */
#include "module.h"

extern XA_BACKEND_EXPORT const int some_other_symbol;
XA_BACKEND_EXPORT const int some_other_symbol = 1;
