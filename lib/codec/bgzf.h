/* SPDX-License-Identifier: Apache-2.0 */
/* What reading and writing of BGZF share: section 4.1 of the SAM specification. */
#ifndef BP_CODEC_BGZF_H
#define BP_CODEC_BGZF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define BP_BGZF_MOST_BYTES 65536 /* of a block, plain; and packed */

/* The empty block that ends a row of them. */
static const uint8_t bp_bgzf_marker[28] = {0x1f, 0x8b, 8,  4, 0, 0, 0, 0, 0, 0xff, 6, 0, 'B', 'C',
                                           2,    0,    27, 0, 3, 0, 0, 0, 0, 0,    0, 0, 0,   0};

/* The encoder (struct bp_encoder in sys/outfile.h); NULL with *err. */
void *bp_bgzf_open(int n_threads, struct bp_err *err);
int bp_bgzf_encode(void *self, const void *p, size_t n, bool end, struct bp_buf *out,
                   struct bp_err *err) BP_MUST;
void bp_bgzf_free(void *self);

#endif
