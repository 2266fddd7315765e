/* pam_talk.h - one login through libpam. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_BACKENDS_PAM_TALK_H
#define XA_BACKENDS_PAM_TALK_H

#include "pam_wire.h"

/*
 * Ask PAM whether this login has this password and its account may be used.
 * Runs the modules of the service in this process, so for as long as they
 * like: call it where that does no harm.
 *
 *   service   name of the PAM service
 *   question  wiped by the caller
 */
void pam_talk(const char *service, const struct pam_question *question,
              struct pam_answer *out);

#endif
