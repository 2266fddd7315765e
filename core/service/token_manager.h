/* token_manager.h - issue, find, revoke: the rules of a token. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rules and nothing else: no HTTP, no Consul, no JSON.  Store failures
 * come through as the store gives them (core/token/store.h).
 */
#ifndef XA_SERVICE_TOKEN_MANAGER_H
#define XA_SERVICE_TOKEN_MANAGER_H

#include "core/token/store.h"
#include "core/token/token.h"

struct xa_token_manager; /* opaque */

/*
 *   store   borrowed until xa_token_manager_free()
 *   config  borrowed likewise
 *   out     set on XA_OK only
 *
 * XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_token_manager_new(struct xa_store *store,
                                const struct xa_config *config,
                                struct xa_token_manager **out,
                                struct xa_err *err);
void xa_token_manager_free(struct xa_token_manager **manager);

/*
 * Whether a wished lifetime may be had, to be asked before anybody is
 * authenticated.
 *
 *   lifetime_s  0: the default is wished
 *   out_s       the lifetime that the token will have
 *
 * XA_E_INVALID: over max_token_lifetime.
 */
XA_MUST_CHECK
enum xa_rc xa_token_manager_lifetime(const struct xa_token_manager *manager,
                                     uint64_t lifetime_s, uint32_t *out_s,
                                     struct xa_err *err);

/*
 * Make a token and write it, with its schedule, in one step.
 *
 *   who         what the backend said; xivo_uuid may be missing, then the
 *               configuration's is used
 *   lifetime_s  from xa_token_manager_lifetime()
 */
XA_MUST_CHECK
enum xa_rc xa_token_manager_issue(struct xa_token_manager *manager,
                                  const struct xa_identity *who,
                                  uint32_t lifetime_s, int64_t now_us,
                                  struct xa_token **out, struct xa_err *err);

/*
 * Find a valid token.
 *
 *   id       any text; compared as a UUID of either case
 *   scope    the required ACL; NULL: none, "" is an ACL of no characters
 *   out      set on XA_OK only, with its id; release with xa_token_free()
 *   out_key  set unless it is no UUID, for the log: a key costs a hash; may
 *            be NULL
 *
 * XA_E_NOTFOUND: no such token, expired by now_us, or no UUID.
 * XA_E_FORBIDDEN: valid, but its ACLs do not allow scope.
 */
XA_MUST_CHECK
enum xa_rc xa_token_manager_find(struct xa_token_manager *manager,
                                 const char *id, const char *scope,
                                 int64_t now_us, struct xa_token **out,
                                 struct xa_key *out_key, struct xa_err *err);

/*
 * Revoke.  XA_OK also when it was never there.
 *
 * XA_E_NOTFOUND: id is no UUID.
 */
XA_MUST_CHECK
enum xa_rc xa_token_manager_revoke(struct xa_token_manager *manager,
                                   const char *id, struct xa_err *err);

#endif
