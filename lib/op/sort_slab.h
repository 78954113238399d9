/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is filled from one end to the other, read at random and freed at once: pieces
 * of large blocks. Each block is as large as all before it together, up to most_bytes, so
 * that a small table takes little; large ones are of huge pages, where there are any, since
 * in small ones nearly every access at random misses the TLB.
 */
#ifndef BP_OP_SORT_SLAB_H
#define BP_OP_SORT_SLAB_H

#include "base/mem.h"

#define BP_SLAB_ALIGN_BYTES 64 /* a line of the cache */

struct bp_slab {
    struct bp_block **blocks;
    int n_blocks;
    size_t used_bytes; /* of the last block */
    size_t all_bytes;  /* of all blocks */
    size_t most_bytes; /* of a block, unless a piece is larger */
};

/* No allocation. limit_bytes: of memory, of which a block is a small part; 0: no limit. */
void bp_slab_init(struct bp_slab *s, int64_t limit_bytes);
void bp_slab_release(struct bp_slab *s);
/* The next piece, aligned. */
int bp_slab_take(struct bp_slab *s, size_t bytes, uint8_t **out, struct bp_err *err) BP_MUST;

#endif
