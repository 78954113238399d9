/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/col: the part of bp_column_gather() and bp_column_gather_many()
 * that is about lists and structs. dst has type, rows and validity already; the
 * caller releases it on error. */
#ifndef BP_COL_GATHER_H
#define BP_COL_GATHER_H

#include "col/column.h"

int bp_gather_nested(struct bp_column *dst, const struct bp_column *src, const int32_t *idx,
                     int64_t n, struct bp_err *err) BP_MUST;
int bp_gather_many_nested(struct bp_column *dst, const struct bp_column *const srcs[], int n_srcs,
                          const uint64_t *refs, int64_t n, struct bp_err *err) BP_MUST;

#endif
