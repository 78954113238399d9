/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows brought together by group, whatever does not fit into memory in one temporary
 * file. Groups are numbers from 0 that may grow as rows come. Rows wait as in
 * pending.h; when memory is full they are written by group, as blocks of one Arrow
 * file that is read at a place. At the end each group's blocks follow one another:
 * memory is that of the rows held, then of one block; the number of groups costs a
 * few bytes each, and one open file in all.
 *
 *     bp_by_groups_open, bp_by_groups_add ..., then bp_by_groups_drain once
 */
#ifndef BP_STAGE_GROUPS_H
#define BP_STAGE_GROUPS_H

#include "stage/pending.h"

struct bp_by_groups;

/* Of schema the names and types count; text comes back plain. */
int bp_by_groups_open(struct bp_by_groups **out, const struct bp_schema *schema, struct bp_ctx *ctx,
                      struct bp_err *err) BP_MUST;
/* in is taken, also on error; group_of[i] < n_groups is the group of row i. */
int bp_by_groups_add(struct bp_by_groups *g, struct bp_batch *in, const uint32_t *group_of,
                     uint32_t n_groups, struct bp_err *err) BP_MUST;
/* All rows, group by group from 0, in the order in which they came. */
int bp_by_groups_drain(struct bp_by_groups *g, bp_pending_emit emit, void *arg,
                       struct bp_err *err) BP_MUST;
void bp_by_groups_free(struct bp_by_groups *g); /* NULL is a no-op */

#endif
