/* SPDX-License-Identifier: Apache-2.0 */
/* MD5 (RFC 1321), for the function md5() only: it protects nothing. */
#ifndef BP_BASE_MD5_H
#define BP_BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

void bp_md5(const void *p, size_t n, uint8_t digest[16]);

#endif
