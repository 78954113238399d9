/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which hashes belong to the N smallest, told as they come: a limit that only falls.
 * Of rows, whose hashes all differ, it is kept by counts of their upper bits, so that
 * it lies a little high until bp_sample_limit_end(); of keys, whose hashes come again,
 * by the set of those below it.
 */
#ifndef BP_OP_SAMPLE_LIMIT_H
#define BP_OP_SAMPLE_LIMIT_H

#include "flow/flow.h"

struct bp_sample_limit {
    int64_t n;
    bool all; /* nothing is out yet */
    uint64_t below;
    struct bp_budget *budget;
    int64_t taken_bytes;
    /* rows */
    int64_t *counts; /* NULL: keys */
    int64_t n_noted, next_at;
    /* keys */
    uint64_t *slots; /* open addressing; 0: free */
    int bits;
    int64_t n_keys;
};

int bp_sample_limit_open(struct bp_sample_limit *l, int64_t n, bool keys, struct bp_ctx *ctx,
                         struct bp_err *err) BP_MUST;
/* Hashes that are not out (bp_sample_out). */
int bp_sample_limit_note(struct bp_sample_limit *l, const uint64_t *hashes, int64_t n,
                         struct bp_err *err) BP_MUST;
/* All are noted. Of rows the hashes in [*from, below) are not told apart yet: the *n
 * smallest of them are in. *n 0: the limit is exact. */
int bp_sample_limit_end(struct bp_sample_limit *l, uint64_t *from, int64_t *n,
                        struct bp_err *err) BP_MUST;
void bp_sample_limit_release(struct bp_sample_limit *l);

static inline bool bp_sample_in(const struct bp_sample_limit *l, uint64_t hash)
{
    return l->all || hash < l->below;
}

/* *p[0, n) sorted: the i-th smallest. */
uint64_t bp_sample_ith(uint64_t *p, int64_t n, int64_t i);

#endif
