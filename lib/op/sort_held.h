/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows held whole in memory: the input of a sort, the build side of a join.
 * They stand in chunks of BP_HELD_ROWS rows, so that a row's number says where
 * it is: id = chunk * BP_HELD_ROWS + row in chunk. Batches that fit the chunks
 * are kept as they come, others are copied together. (A chunk may end early where
 * chunk_bytes or alone_rows say so; then some ids stand for no row.)
 *
 *     bp_held_add() ..., bp_held_finish(), then chunks[] and ids
 */
#ifndef BP_OP_SORT_HELD_H
#define BP_OP_SORT_HELD_H

#include "flow/flow.h"

#define BP_HELD_SHIFT 13
#define BP_HELD_ROWS ((int64_t)1 << BP_HELD_SHIFT)

struct bp_held {
    struct bp_batch *chunks; /* n_chunks; all but the last have BP_HELD_ROWS rows, see above */
    int n_chunks, cap_chunks;
    struct bp_batch *pending; /* shorter batches that wait to be copied together */
    int n_pending, cap_pending;
    int64_t pending_rows, pending_bytes;
    int64_t chunk_bytes; /* a chunk ends early at these; may be set after init */
    int64_t alone_rows;  /* these are worth a chunk that nothing is copied for; the same */
    int64_t n_rows;
    int64_t taken_bytes; /* asked of the budget */
    bool refused;        /* it said no: more is held than was asked for */
    struct bp_budget *budget;
};

/* budget may be NULL. No allocation. */
void bp_held_init(struct bp_held *h, struct bp_budget *budget);
/* Takes in, also on error. All batches have the same columns. */
int bp_held_add(struct bp_held *h, struct bp_batch *in, struct bp_err *err) BP_MUST;
int bp_held_finish(struct bp_held *h, struct bp_err *err) BP_MUST;
void bp_held_release(struct bp_held *h); /* and give back; the held is empty and usable again */

/* What bp_column_gather_many() takes for a row. */
static inline uint64_t bp_held_ref(uint64_t id)
{
    return id >> BP_HELD_SHIFT << 32 | (id & (uint64_t)(BP_HELD_ROWS - 1));
}
/* Ids are below this. */
static inline int64_t bp_held_ids(const struct bp_held *h)
{
    return h->n_chunks
               ? (int64_t)(h->n_chunks - 1) * BP_HELD_ROWS + h->chunks[h->n_chunks - 1].n_rows
               : 0;
}
/* The chunks' columns number col, for bp_column_gather_many(): n_chunks pointers
 * into out. */
void bp_held_columns(const struct bp_held *h, int col, const struct bp_column **out);

#endif
