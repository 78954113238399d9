/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-2 (FIPS 180-4), for the functions sha224() to sha512(); libmd has no SHA-224. */
#ifndef BP_BASE_SHA2_H
#define BP_BASE_SHA2_H

#include <stddef.h>
#include <stdint.h>

void bp_sha256(const void *p, size_t n, int digest_bytes /* 28 or 32 */, uint8_t *digest);
void bp_sha512(const void *p, size_t n, int digest_bytes /* 48 or 64 */, uint8_t *digest);

#endif
