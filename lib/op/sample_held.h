/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that may be of a sample, with their hashes, in input order: in memory as far as
 * the budget goes, then on disk.
 */
#ifndef BP_OP_SAMPLE_HELD_H
#define BP_OP_SAMPLE_HELD_H

#include "op/sample_limit.h"
#include "stage/spill.h"

struct bp_sample_chunk {
    struct bp_batch rows;
    uint64_t *hashes; /* of each */
};

struct bp_sample_held {
    struct bp_ctx *ctx;
    const struct bp_schema *schema; /* of the rows */
    struct bp_sample_chunk *chunks;
    int n_chunks, cap_chunks;
    int64_t n_rows, taken_bytes; /* of chunks */
    int64_t next_cut;            /* rows, above which those that are out are dropped */
    /* on disk; all before the chunks */
    struct bp_spill *spill;
    struct bp_schema spilled; /* the rows' columns and the hash */
    struct bp_spill_run *runs;
    int n_runs;
    /* reading */
    struct bp_source run;
    struct bp_column run_hashes; /* of the batch that was given last */
    int at_run, at_chunk;
};

void bp_sample_held_init(struct bp_sample_held *h, const struct bp_schema *schema,
                         struct bp_ctx *ctx);
/* rows is taken, also on error. Rows of h that l has out are dropped now and then. */
int bp_sample_held_add(struct bp_sample_held *h, struct bp_batch *rows, const uint64_t *hashes,
                       const struct bp_sample_limit *l, struct bp_err *err) BP_MUST;
/* The next rows of all that are held, out or not, and their hashes, which live until
 * the next call; BP_DONE at the end. To read again: bp_sample_held_rewind(). */
int bp_sample_held_next(struct bp_sample_held *h, struct bp_batch *out, const uint64_t **hashes,
                        struct bp_err *err) BP_MUST;
/* Chunks of memory are given as references. */
void bp_sample_held_rewind(struct bp_sample_held *h);
void bp_sample_held_release(struct bp_sample_held *h);

#endif
