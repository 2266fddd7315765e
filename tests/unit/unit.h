/* unit.h - what every unit test includes. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_UNIT_H
#define XA_TESTS_UNIT_H

/* cmocka wants these four before its own header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
