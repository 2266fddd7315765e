/* fuzz_acl.c - the ACL matcher against what its rules say. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: pattern, newline, auth_id, newline, required ACL.  Short inputs are
 * also matched by trying every way, and both must agree.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/token/acl.h"
#include "tests/fuzz/acl_oracle.h"

#define TRIED_MAX 14 /* bytes of a pattern for which trying all ends soon */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *pattern = malloc(size + 1);
    char *auth_id;
    char *required;

    if (!pattern)
        return 0;
    memcpy(pattern, data, size);
    pattern[size] = '\0';
    auth_id = strchr(pattern, '\n');
    required = auth_id ? strchr(auth_id + 1, '\n') : NULL;
    if (required && auth_id[1] != '\n') {
        bool matches;

        *auth_id++ = '\0';
        *required++ = '\0';
        matches = xa_acl_matches(pattern, auth_id, required);
        if (strlen(pattern) <= TRIED_MAX && strlen(required) <= TRIED_MAX &&
            matches != acl_oracle(pattern, auth_id, required))
            abort();
    }
    free(pattern);
    return 0;
}
