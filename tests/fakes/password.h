/* password.h - passwords without the work, and a count of it. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_FAKES_PASSWORD_H
#define XA_TESTS_FAKES_PASSWORD_H

#include "core/support/password.h"

/* A stored hash is "plain:" and the password; every other one is refused. */
#define FAKE_HASH(password) "plain:" password

struct fake_password {
    unsigned verified; /* calls with a stored hash */
    unsigned decoys;   /* calls without */
};

extern struct fake_password fake_password;

#endif
