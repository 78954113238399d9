/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/stage: rows that wait to be written, by partition.
 *
 * Each batch that comes in is sorted by partition at once (a counting sort and
 * one gather, in cache) and held; what a batch has of one partition is a run.
 * When enough is held, flush() walks the partitions and puts the runs of each
 * behind one another, so that a partition's rows become few, long extents,
 * whatever the number of partitions: memory is that of the rows, not a buffer
 * per partition. Rows of a partition keep their order.
 */
#ifndef BP_STAGE_PENDING_H
#define BP_STAGE_PENDING_H

#include "flow/flow.h"

struct bp_pending;

/* Takes rows of one partition, in order; b stays the caller's. */
typedef int (*bp_pending_emit)(void *arg, uint32_t part, const struct bp_batch *b,
                               struct bp_err *err);

int bp_pending_open(struct bp_pending **out, const struct bp_schema *schema, uint32_t n_parts,
                    struct bp_err *err) BP_MUST;
/* From now on there are n_parts partitions, more than before. */
int bp_pending_grow(struct bp_pending *p, uint32_t n_parts, struct bp_err *err) BP_MUST;
/* in is taken, also on error; part_of[i] < n_parts is the partition of row i. */
int bp_pending_add(struct bp_pending *p, struct bp_batch *in, const uint32_t *part_of,
                   struct bp_err *err) BP_MUST;
/* What is held: values and the overhead of holding them. */
int64_t bp_pending_bytes(const struct bp_pending *p);
/* Hands over all that is held, by partition, in batches of about 1 MiB. */
int bp_pending_flush(struct bp_pending *p, bp_pending_emit emit, void *arg,
                     struct bp_err *err) BP_MUST;
void bp_pending_free(struct bp_pending *p);

#endif
