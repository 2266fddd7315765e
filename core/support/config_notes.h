/* config_notes.h - what the configuration is told but not refused. SPDX-License-Identifier: GPL-3.0-or-later */
/* For config*.c alone; everybody else asks xa_config_note(). */
#ifndef XA_SUPPORT_CONFIG_NOTES_H
#define XA_SUPPORT_CONFIG_NOTES_H

#include "core/base/err.h"
#include "core/base/log.h"
#include "core/support/config.h"

/*
 * Keep a note.
 *
 *   event  for the log, "config.unknown_key"; lent for ever
 *   where  file and line; copied
 *   key    what it is about; copied
 *   why    for people; copied
 *
 * XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_notes_add(struct xa_config_notes **notes, enum xa_level level,
                        const char *event, const char *where, const char *key,
                        const char *why, struct xa_err *err);

void xa_notes_free(struct xa_config_notes **notes);

/* Note keys that nobody knows or that mean nothing here, and refuse text or
 * a list where a section is.  XA_E_CONFIG, XA_E_NOMEM. */
XA_MUST_CHECK
enum xa_rc xa_notes_on_keys(struct xa_config_notes **notes,
                            const struct xa_node *root, struct xa_err *err);

/* Note that a file holds a secret and others can read it.  XA_E_NOMEM. */
XA_MUST_CHECK
enum xa_rc xa_notes_on_secrets(struct xa_config_notes **notes,
                               const struct xa_node *file, struct xa_err *err);

/* Value at a key with its sections, "store.lmdb.path"; NULL if there is none,
 * or something that is no mapping on the way. */
const struct xa_node *xa_node_at(const struct xa_node *root, const char *key);

#endif
