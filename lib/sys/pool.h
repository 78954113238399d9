/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ordered worker pool: jobs are numbered by the caller, run on n threads in
 * any order, and taken back in the order they were given, so that a result
 * never depends on the number of threads. The caller is one of the n: while the job
 * that it wants is not finished, it runs others inside bp_pool_take(). What it ran is
 * in its own core's cache when it goes on with it. With one thread nothing is started.
 *
 *     bp_pool_open(&p, n_threads, n_slots, work, ctx, err)
 *     while more:  if (bp_pool_has_room(p)) bp_pool_give(p, job)  else  take
 *     bp_pool_take() returns jobs in order of giving
 *     bp_pool_free() waits for running jobs, and drops the rest with drop()
 */
#ifndef BP_SYS_POOL_H
#define BP_SYS_POOL_H

#include "base/err.h"
#include <stdbool.h>

struct bp_pool;

struct bp_pool_ops {
    /* Run one job; its result and its own bp_err live in the job. worker is
     * 0..n_threads-1, for per-thread scratch; the last is the caller's. */
    void (*work)(void *ctx, int worker, void *job);
    void (*drop)(void *ctx, void *job); /* frees a job that nobody took; may be NULL */
};

int bp_pool_open(struct bp_pool **out, int n_threads, int n_slots, const struct bp_pool_ops *ops,
                 void *ctx, struct bp_err *err) BP_MUST;
/* Fewer than n_slots jobs are given and not yet taken. */
bool bp_pool_has_room(const struct bp_pool *p);
/* Needs room. The pool holds the job until take. */
void bp_pool_give(struct bp_pool *p, void *job);
/* The oldest job, finished; waits for it. NULL: none is given. */
void *bp_pool_take(struct bp_pool *p);
void bp_pool_free(struct bp_pool *p); /* NULL is a no-op */

#endif
