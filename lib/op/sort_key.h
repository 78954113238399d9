/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of an ORDER BY list over keyed batches: a batch behind whose columns
 * stand the values of those keys that are not just a column. Sort, top N and
 * merge share the comparison here, so that they agree on what is in order.
 */
#ifndef BP_OP_SORT_KEY_H
#define BP_OP_SORT_KEY_H

#include "expr/expr.h"
#include "flow/flow.h"

struct bp_sort_key {
    int col; /* in a keyed batch */
    struct bp_type type;
    bool desc, nulls_first;
};

struct bp_sort_keys {
    struct bp_order order;
    struct bp_sort_key *keys;
    int n;
    int n_in; /* columns of the input; keyed batches have n_in + n_added */
    int n_added;
};

int bp_sort_keys_open(struct bp_sort_keys *k, const struct bp_clause *order,
                      const struct bp_schema *s, struct bp_err *err) BP_MUST;
void bp_sort_keys_release(struct bp_sort_keys *k);
/* Makes b keyed, in place. */
int bp_sort_keys_add(const struct bp_sort_keys *k, struct bp_batch *b, struct bp_err *err) BP_MUST;
/* Drops the added columns again. */
void bp_sort_keys_drop(const struct bp_sort_keys *k, struct bp_batch *b);
/* Row ra of a against row rb of b by keys from_key..: < 0, 0, > 0. Both keyed. */
int bp_sort_compare(const struct bp_sort_keys *k, int from_key, const struct bp_batch *a,
                    int64_t ra, const struct bp_batch *b, int64_t rb);
/* Sets bp.sorted to the leading keys that are columns; removes it if there is none. */
int bp_sort_keys_mark(const struct bp_sort_keys *k, struct bp_schema *s,
                      struct bp_err *err) BP_MUST;

#endif
