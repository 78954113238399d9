/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows brought together by group, whatever does not fit into memory in a temporary
 * file. Groups are numbers from 0 that may grow as rows come. Memory is that of the
 * rows held, and of a level of buckets (regroup.c); the number of groups costs a few
 * bytes each while their bucket is sorted.
 *
 *     bp_regroup_open, bp_regroup_add ..., then bp_regroup_drain once
 */
#ifndef BP_STAGE_REGROUP_H
#define BP_STAGE_REGROUP_H

#include "stage/pending.h"

struct bp_regroup;

/* Of schema the names and types count; text comes back plain. kept_bytes: of the memory,
 * for whoever takes the rows at the end. */
int bp_regroup_open(struct bp_regroup **out, const struct bp_schema *schema, struct bp_ctx *ctx,
                    int64_t kept_bytes, struct bp_err *err) BP_MUST;
/* in is taken, also on error; group_of[i] < n_groups is the group of row i. */
int bp_regroup_add(struct bp_regroup *g, struct bp_batch *in, const uint32_t *group_of,
                   uint32_t n_groups, struct bp_err *err) BP_MUST;
/* The rows held go to the file: their memory is given back. */
int bp_regroup_yield(struct bp_regroup *g, struct bp_err *err) BP_MUST;
/* All rows, group after group in any order; those of a group in the order in which they
 * came. */
int bp_regroup_drain(struct bp_regroup *g, bp_pending_emit emit, void *arg,
                     struct bp_err *err) BP_MUST;
void bp_regroup_free(struct bp_regroup *g); /* NULL is a no-op */

#endif
