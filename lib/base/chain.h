/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that are only appended to and read from the front, in blocks of one size: growing copies
 * nothing and wastes less than a block, and what is given back others use. Zero-initialise.
 */
#ifndef BP_BASE_CHAIN_H
#define BP_BASE_CHAIN_H

#include "base/mem.h"

#define BP_CHAIN_BLOCK_BYTES ((size_t)64 << 10)

struct bp_chain {
    struct bp_block **blocks;
    int n, cap;
    size_t len; /* bytes in all */
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
