/* SPDX-License-Identifier: Apache-2.0 */
/* Integer accumulators, one per group, for sum and avg. NULL slots hold 0. */
#ifndef BP_AGG_ACC_H
#define BP_AGG_ACC_H

#include "agg/agg.h"

/* int64 += integers of up to 32 bits, or of 64 bits when states are merged. */
int bp_acc64_add(struct bp_agg *a, struct bp_agg_array *acc, const struct bp_column *c,
                 const uint32_t *ids, struct bp_err *err) BP_MUST;

/* 128 bits, and how often they overflowed: intermediate sums may be of any size. */
struct bp_acc128 {
    struct bp_agg_array v;    /* bp_int128 */
    struct bp_agg_array high; /* int64_t, in units of 2^128; p NULL while all are 0 */
};

int bp_acc128_grow(struct bp_agg *a, struct bp_acc128 *acc, int64_t n, struct bp_err *err) BP_MUST;
/* += int64, uint64 or decimal. */
int bp_acc128_add(struct bp_agg *a, struct bp_acc128 *acc, const struct bp_column *c,
                  const uint32_t *ids, struct bp_err *err) BP_MUST;
/* += decimals without NULL, and counts[id]++ for each. */
int bp_acc128_add_counted(struct bp_agg *a, struct bp_acc128 *acc, const struct bp_column *c,
                          const uint32_t *ids, int64_t *counts, struct bp_err *err) BP_MUST;
void bp_acc128_release(struct bp_acc128 *acc);

/* The sums of groups ids[0, n) as decimal(38, s); more than 38 digits are an error. */
int bp_acc128_column(struct bp_agg *a, const struct bp_acc128 *acc, struct bp_type type,
                     const uint32_t *ids, int64_t n, struct bp_column *out,
                     struct bp_err *err) BP_MUST;

/* 10^38, which no decimal reaches. */
bp_int128 bp_acc_decimal_end(void);

#endif
