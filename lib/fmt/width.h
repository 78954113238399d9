/* SPDX-License-Identifier: Apache-2.0 */
/* How many columns of a terminal a character takes. */
#ifndef BP_FMT_WIDTH_H
#define BP_FMT_WIDTH_H

#include <stdint.h>

/* 0 (combines with the one before), 1 or 2, of a printable code point. The
 * locale plays no part. */
int bp_char_width(uint32_t code_point);

#endif
