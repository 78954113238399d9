/* SPDX-License-Identifier: Apache-2.0 */
/* Numbered tasks on several threads at once, all done on return. For work inside
 * one step of an operator; ordered streams of jobs use sys/pool.h. */
#ifndef BP_OP_SORT_PAR_H
#define BP_OP_SORT_PAR_H

#include <stdint.h>

/* Calls run(ctx, task) for task 0 .. n_tasks - 1, each once, in any order. What a
 * task does must not depend on which thread runs it; errors live in ctx. */
void bp_par_each(int n_threads, int64_t n_tasks, void (*run)(void *ctx, int64_t task), void *ctx);

#endif
