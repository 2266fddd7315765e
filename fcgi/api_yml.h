/* api_yml.h - fcgi/api.yml as bytes; make writes api_yml.c. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_API_YML_H
#define XA_FCGI_API_YML_H

#include <stddef.h>

extern const unsigned char xa_api_yml[];
extern const size_t xa_api_yml_len;

#endif
