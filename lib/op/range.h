/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partitions by range of the keys: rows of a table of borders, in order, cut the
 * order of all rows. A row belongs to the partition whose number is the number of
 * borders that do not come after it: a border begins its partition, equal rows meet.
 */
#ifndef BP_OP_RANGE_H
#define BP_OP_RANGE_H

#include "expr/expr.h"
#include "stage/stage.h"

#define BP_BORDERS_MAX 65535

struct bp_range;

/*
 * borders (taken over) is read to its end; its columns of the keys' names are cast to
 * the types that the rows have. order: an ORDER BY list over columns of rows; text NULL:
 * what borders is marked as sorted by.
 */
int bp_range_open(struct bp_range **out, struct bp_source *borders, const struct bp_clause *order,
                  const struct bp_schema *rows, struct bp_ctx *ctx, struct bp_err *err) BP_MUST;
/* All of these live as long as r. */
const char *const *bp_range_keys(const struct bp_range *r); /* NULL-terminated names */
uint32_t bp_range_parts(const struct bp_range *r);          /* borders + 1 */
const struct bp_stage_router *bp_range_router(const struct bp_range *r);
void bp_range_free(struct bp_range *r); /* NULL is a no-op */

/*
 * borders.c: the rows of in that begin the parts when it is put in the order of `order`
 * (columns) and cut into n_parts parts of equal size: n_parts - 1 rows of the key
 * columns; none if in has no rows. in is taken over, and must be whole.
 */
int bp_borders_open(struct bp_source *out, struct bp_source *in, const struct bp_clause *order,
                    int64_t n_parts, struct bp_ctx *ctx, struct bp_err *err) BP_MUST;

#endif
