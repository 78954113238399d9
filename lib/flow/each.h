/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of a source through a function, one by one: on threads where a batch is
 * worth it, in the order of the source always. Results and errors are those of one
 * thread: what is given before an error is given, then the error of the first batch
 * that failed, or of the source.
 */
#ifndef BP_FLOW_EACH_H
#define BP_FLOW_EACH_H

#include "flow/flow.h"

struct bp_each;

/* Fills out from in, which it may take over (it is released by the caller). Runs for
 * several batches at a time. out is empty again on an error. */
typedef int (*bp_each_fn)(void *ctx, struct bp_batch *in, struct bp_batch *out, struct bp_err *err);

#define BP_EACH_WORTH_NS 100000 /* that a batch takes where threads are to pay */

/* ctx must outlive it. Batches that take less than worth_ns go without threads. */
int bp_each_open(struct bp_each **out, int n_threads, int64_t worth_ns, bp_each_fn run, void *ctx,
                 struct bp_err *err) BP_MUST;
/* 0 and a batch, BP_DONE, or < 0; src is the same each time. */
int bp_each_next(struct bp_each *e, struct bp_source *src, struct bp_batch *out,
                 struct bp_err *err) BP_MUST;
/* Waits for what is running. NULL is a no-op. */
void bp_each_free(struct bp_each *e);
/* How many threads may hold batches of these columns, read and made. */
int bp_each_threads(const struct bp_ctx *ctx, const struct bp_schema *in,
                    const struct bp_schema *out);

#endif
