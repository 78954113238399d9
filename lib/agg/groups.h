/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The groups of bp-reduce: rows' keys to group ids (tickets), dense from 0 in order
 * of first sight. A key is packed into one row of 64-bit words:
 *
 *     16-byte values | 8-byte values | 4 | 2 | 1 | one NULL bit a column
 *
 * Text is its id in a bp_texts. Floats are canonical (0 for -0, one NaN), signed
 * integers have their sign bit flipped so that words order as values do. Two ways
 * to look up: columns whose values lie close together are the index of an array (cube.h);
 * else an open-addressing table of (32 bits of hash, id + 1) over the packed keys. Of one column of
 * codes the groups that were met are listed by code, and nothing is packed.
 */
#ifndef BP_AGG_GROUPS_H
#define BP_AGG_GROUPS_H

#include "agg/pack.h"

struct bp_groups;

int bp_groups_new(struct bp_groups **out, const struct bp_type *types, int n_cols,
                  struct bp_err *err) BP_MUST;
/* Of rows that are packed already, by pack, which must outlive it. */
int bp_groups_new_packed(struct bp_groups **out, const struct bp_pack *pack,
                         struct bp_err *err) BP_MUST;
/* No array, before the first row: for sets of (group, value), of which there may be many. */
void bp_groups_use_table(struct bp_groups *g);
void bp_groups_free(struct bp_groups *g); /* NULL is a no-op */
/* Not by the table, or not yet; for tests. */
bool bp_groups_are_by_place(const struct bp_groups *g);
/* ids[i] = group of row i. With no columns every row is of group 0. */
int bp_groups_find(struct bp_groups *g, const struct bp_column *const cols[], int64_t n_rows,
                   uint32_t *ids, struct bp_err *err) BP_MUST;
/* The same for packed rows, each step words behind the one before. */
int bp_groups_find_rows(struct bp_groups *g, const uint64_t *rows, int step, int64_t n_rows,
                        uint32_t *ids, struct bp_err *err) BP_MUST;
/* The packed keys of groups ids[0, n), one behind the other. */
void bp_groups_rows(const struct bp_groups *g, const uint32_t *ids, int64_t n, uint64_t *rows);
/* Room for n_rows more groups at once. */
int bp_groups_reserve(struct bp_groups *g, int64_t n_rows, struct bp_err *err) BP_MUST;
/* How its rows are packed; texts get their ids there. */
struct bp_pack *bp_groups_own_pack(struct bp_groups *g);
/* No more rows come, or few: what finds groups is given back. (Others are found, if need be, in a
 * new table of all.) */
void bp_groups_rest(struct bp_groups *g);
int64_t bp_groups_count(const struct bp_groups *g);
int64_t bp_groups_held_bytes(const struct bp_groups *g);
/* What is allocated, beside what is held, when n_rows more rows are all new groups:
 * tables that have to grow stand beside their successors for a while. */
int64_t bp_groups_growth_bytes(const struct bp_groups *g, int64_t n_rows);
/* Key column col of groups ids[0, n). Text comes out plain. */
int bp_groups_column(const struct bp_groups *g, int col, const uint32_t *ids, int64_t n,
                     struct bp_column *out, struct bp_err *err) BP_MUST;

#endif
