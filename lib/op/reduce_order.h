/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of a finished reduce: by the documented hash of the keys, ties column
 * by column, class then canonical bytes. Partition p of any number is a stretch of
 * this order, so results of partitions, one after the other, are the whole in order.
 */
#ifndef BP_OP_REDUCE_ORDER_H
#define BP_OP_REDUCE_ORDER_H

#include "agg/groups.h"

/* order[0, count) = all group ids in this order; the array is the caller's, from
 * bp_mem. */
int bp_reduce_order(const struct bp_groups *g, int n_keys, uint32_t **order,
                    struct bp_err *err) BP_MUST;
/* The same where hash[id] is known, and the first same_bits of all are alike. */
int bp_reduce_order_hashed(const struct bp_groups *g, int n_keys, const uint64_t *hash,
                           int same_bits, uint32_t **order, struct bp_err *err) BP_MUST;
/* hash[id] of all groups. */
int bp_reduce_hashes(const struct bp_groups *g, int n_keys, uint64_t *hash,
                     struct bp_err *err) BP_MUST;

#endif
