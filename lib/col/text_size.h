/* SPDX-License-Identifier: Apache-2.0 */
/* What the texts between offsets off[0 .. n] take. */
#ifndef BP_COL_TEXT_SIZE_H
#define BP_COL_TEXT_SIZE_H

#include <stdint.h>

/* The bytes of the longest one. */
int32_t bp_text_longest(const int32_t *off, int64_t n);
/* The bytes of those that are longer than this, together. */
int64_t bp_text_longer_bytes(const int32_t *off, int64_t n, int32_t than);

#endif
