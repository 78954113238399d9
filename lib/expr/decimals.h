/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimals for kernels that work in 128 bits. Those of up to 18 digits are held in 64 (col/type.h):
 * arguments are widened into scratch, a result is made there and narrowed at the end.
 */
#ifndef BP_EXPR_DECIMALS_H
#define BP_EXPR_DECIMALS_H

#include "expr/node.h"

#define BP_DECIMALS_ARGS 2

struct bp_decimals {
    const bp_int128 *arg[BP_DECIMALS_ARGS]; /* of arguments that are decimals; one value where the
                                             * argument is one */
    void *to;                               /* bp_int128, if the result is a decimal */
};

/* Makes *out a column of r's type, r->n rows, to be released also on error. Its scratch lives on
 * it until bp_decimals_end(). Not for results that are text. */
int bp_decimals_start(struct bp_decimals *d, struct bp_run *r, const struct bp_vec *args,
                      int n_args, struct bp_column *out) BP_MUST;
/* The values at to are out's. Those of nulls may be anything; others fit the type. */
void bp_decimals_end(struct bp_decimals *d, struct bp_column *out);

#endif
