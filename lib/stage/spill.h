/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that do not fit into memory: partitions without a name. One temporary file
 * ($TMPDIR, unlinked at once) holds any number of runs behind one another, each an
 * Arrow stream with its trailer, written and read by lib/ipc: what comes back short
 * is an error. Whole numbers stand there in the bytes that their values need (narrowed.h);
 * where a later batch of a run needs more, a further stream begins. Memory is that of a
 * batch for each run that is being read, and of none for those that are not.
 *
 *     bp_spill_open, then for each run: bp_spill_put ..., bp_spill_end
 *     bp_spill_source for the runs wanted, in any order, many at a time
 */
#ifndef BP_STAGE_SPILL_H
#define BP_STAGE_SPILL_H

#include "flow/flow.h"
#include "sys/tempfile.h"

struct bp_spill;

struct bp_spill_run {
    int64_t from, to; /* bytes of the file */
    int first, n_streams;
    int64_t n_rows;
    int64_t value_bytes; /* of all batches, in memory */
    int64_t batch_bytes; /* of the largest */
};

/* Of schema the names and types count: no marks, no dictionaries (values come back
 * as plain text). */
int bp_spill_open(struct bp_spill **out, const struct bp_schema *schema, struct bp_ctx *ctx,
                  struct bp_err *err) BP_MUST;
/* Adds to the run that is being written; in stays the caller's. Blocks as they come:
 * their size is what reading a run will hold. A full disk is BP_ESYS, naming the
 * directory, what is there of ours, and what is free. */
int bp_spill_put(struct bp_spill *s, const struct bp_batch *in, struct bp_err *err) BP_MUST;
/* Ends the run; also one without rows. */
int bp_spill_end(struct bp_spill *s, struct bp_spill_run *run, struct bp_err *err) BP_MUST;
/* The rows of a run, in order. s must outlive it. */
int bp_spill_source(struct bp_source *out, const struct bp_spill *s, const struct bp_spill_run *run,
                    struct bp_err *err) BP_MUST;
/* The run is not read again. */
void bp_spill_discard(struct bp_spill *s, const struct bp_spill_run *run);
void bp_spill_free(struct bp_spill *s); /* NULL is a no-op */

/* A write to f failed: the error in the user's words, with where, how many bytes of
 * ours are there, how many were needed, how many are free. Returns err->code. */
int bp_spill_failed(const struct bp_tempfile *f, int64_t there_bytes, int64_t need_bytes,
                    struct bp_err *err);

#endif
