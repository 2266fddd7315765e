/* ldap_memory.h - memory that is overwritten when it is freed. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libldap builds and sends a message with a password in memory that it frees
 * as it is, and lets nobody reach it; but lber, below it, takes other
 * functions for all of its memory (LBER_OPT_MEMORY_FNS), and these are such.
 */
#ifndef LDAP_MEMORY_H
#define LDAP_MEMORY_H

void *xa_ldap_malloc(unsigned long size, void *ctx);
void *xa_ldap_calloc(unsigned long count, unsigned long size, void *ctx);
void *xa_ldap_realloc(void *old, unsigned long size, void *ctx);
void xa_ldap_free(void *bytes, void *ctx);

#endif
