/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One side of a join that is larger than memory, cut into partitions on disk by the
 * keys: rows that can match are in partitions of the same number on both sides. Each
 * row gets its number in the input as a last column, by which the result is put in
 * order again. The hash is one of the process; each level cuts by other bits of it.
 * Rows whose keys match nothing (NULLs) go anywhere.
 *
 *     bp_join_split_open, bp_join_split_put ..., bp_join_split_end; then parts[]
 */
#ifndef BP_OP_JOIN_SPLIT_H
#define BP_OP_JOIN_SPLIT_H

#include "op/join_key.h"
#include "stage/spill.h"

#define BP_JOIN_SPLIT_BITS 4
#define BP_JOIN_SPLIT_PARTS (1 << BP_JOIN_SPLIT_BITS)

/* Rows of one side on disk. */
struct bp_join_part_rows {
    struct bp_spill *spill; /* NULL: no rows */
    struct bp_spill_run run;
};

/* How a side's keys are hashed: the same words, or bytes, on both sides. */
struct bp_join_hash {
    int n_keys;
    const int *cols;
    const struct bp_join_form *forms;
    bool by_words;
};

struct bp_join_split {
    struct bp_ctx *ctx;
    const struct bp_schema *schema; /* with the number */
    const struct bp_join_hash *hash;
    int level;
    bool numbered; /* batches come with the number */
    int64_t n_rows;
    struct bp_batch *waiting; /* numbered */
    int n_waiting, cap_waiting;
    int64_t waiting_bytes, waiting_rows;
    uint8_t *part; /* of each waiting row */
    int64_t cap_part;
    struct bp_join_part_rows parts[BP_JOIN_SPLIT_PARTS];
};

/* The last column of a numbered batch: an int64 in the clothes of a timestamp, which no
 * --fill takes for a number. */
#define BP_JOIN_ROW_TYPE BP_TYPE_UNIT(BP_TIMESTAMP, BP_MICRO)

/* No allocation; schema and hash are borrowed. */
void bp_join_split_open(struct bp_join_split *s, const struct bp_schema *schema,
                        const struct bp_join_hash *hash, int level, bool numbered,
                        struct bp_ctx *ctx);
/* in stays the caller's. */
int bp_join_split_put(struct bp_join_split *s, const struct bp_batch *in,
                      struct bp_err *err) BP_MUST;
int bp_join_split_end(struct bp_join_split *s, struct bp_err *err) BP_MUST;
void bp_join_split_release(struct bp_join_split *s);

void bp_join_part_free(struct bp_join_part_rows *p); /* zeroes */
/* Memory that is free for one purpose: what the budget has left. */
int64_t bp_join_free_bytes(const struct bp_ctx *ctx);

#endif
