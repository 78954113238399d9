/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that are only appended to and read from the front, in blocks that double up to a largest
 * size: growing copies nothing, few bytes take a small block, and what is given back others use.
 * Zero-initialise.
 */
#ifndef BP_BASE_CHAIN_H
#define BP_BASE_CHAIN_H

#include "base/mem.h"

#define BP_CHAIN_LEAST_BYTES ((size_t)4 << 10)
#define BP_CHAIN_MOST_BYTES ((size_t)64 << 10)

struct bp_chain {
    struct bp_block **blocks;
    int n, cap;
    size_t len;  /* bytes in all */
    size_t room; /* of the blocks, in all */
};

/* After an error a part may have been appended. */
int bp_chain_put(struct bp_chain *c, const void *p, size_t n, struct bp_err *err) BP_MUST;
/* The bytes in block i of n. */
size_t bp_chain_block_bytes(const struct bp_chain *c, int i);
/* Memory that it takes. */
size_t bp_chain_bytes(const struct bp_chain *c);
/* The blocks are given back; what they were listed in stays. */
void bp_chain_clear(struct bp_chain *c);
void bp_chain_release(struct bp_chain *c);

#endif
