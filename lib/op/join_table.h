/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The build side's rows by key. If no key comes twice, a lookup gives the row (its
 * id in held); else a place in ids[], where the rows of the key stand one behind the
 * other in input order, the last of them with BP_JOIN_LAST set. Three forms, chosen by the keys at
 * hand: words whose ranges together are narrow index an array; words that fit 64
 * bits together are hashed as one number; all else is hashed as bytes.
 * Tables hash with a seed of the process, not as partitions are.
 */
#ifndef BP_OP_JOIN_TABLE_H
#define BP_OP_JOIN_TABLE_H

#include "op/join_key.h"
#include "op/join_plan.h"
#include "op/sort_held.h"

#define BP_JOIN_NONE UINT32_MAX
#define BP_JOIN_LAST ((uint32_t)1 << 31)

struct bp_join_part { /* one key's place in the packed number */
    uint64_t min, max;
    int shift;
};

struct bp_join_slot {
    uint64_t key;   /* the packed number, or the hash of the bytes */
    uint32_t head;  /* what a lookup gives; BP_JOIN_NONE: an empty slot */
    uint32_t entry; /* bytes: which of entry_at */
};

struct bp_join_table {
    enum { BP_TABLE_EMPTY, BP_TABLE_DENSE, BP_TABLE_WORDS, BP_TABLE_BYTES } form;
    int n_keys;
    const struct bp_join_key *keys;
    struct bp_join_form *left_forms, *right_forms;
    struct bp_join_part *parts;
    uint64_t seed;

    uint32_t *dense; /* by packed number */
    uint64_t n_dense;
    struct bp_join_slot *slots; /* a power of two of them, open addressing */
    uint64_t mask;
    struct bp_buf bytes; /* of distinct keys, one behind the other */
    uint64_t *entry_at;  /* [n_entries + 1] */
    uint32_t n_entries, cap_entries;

    uint32_t *ids; /* NULL if no key comes twice */
    struct bp_block *blocks[3];
    int64_t taken_bytes;
    struct bp_budget *budget;
};

/* Looks at the keys: held is finished, its columns are the right's. Released also on error. */
int bp_join_table_open(struct bp_join_table *t, const struct bp_join_plan *p,
                       const struct bp_held *held, struct bp_budget *budget,
                       struct bp_err *err) BP_MUST;
/* What the building takes, beside the rows. */
int64_t bp_join_table_need_bytes(const struct bp_join_table *t, const struct bp_held *held);
/* held has at most BP_JOIN_LAST ids. */
int bp_join_table_build(struct bp_join_table *t, const struct bp_held *held,
                        struct bp_err *err) BP_MUST;
/* heads[i] for each row of left; BP_JOIN_NONE: no match. Thread safe. */
int bp_join_table_find(const struct bp_join_table *t, const struct bp_batch *left, uint32_t *heads,
                       struct bp_err *err) BP_MUST;
void bp_join_table_release(struct bp_join_table *t);

#endif
