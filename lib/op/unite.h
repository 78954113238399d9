/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs of different schemas as one table, by the names of their columns. The columns
 * are those of the first input, in its order; those that only later ones have come behind.
 * A column that an input lacks is an error, or NULL if that is asked for. Where types
 * differ, the wider one wins if it holds all values of both exactly:
 *
 *     integers                     the smallest that holds both; bigint with ubigint
 *                                  is decimal(20,0)
 *     integer, decimal             a decimal of the digits and the scale of both
 *     decimals                     the same
 *     real, double precision       double precision
 *     integer of up to 16, 32 bits, and real, double precision: the latter (real with
 *                                  integer: double precision)
 *     times, timestamps            the finer unit (both with a zone, or both without)
 *
 * Anything else is an error that names both inputs.
 */
#ifndef BP_OP_UNITE_H
#define BP_OP_UNITE_H

#include "flow/flow.h"

struct bp_unite { /* zero-initialise */
    struct bp_schema all;
    char **origins; /* of each column: the input that decided its type */
    char *first;    /* the name of the first input */
    bool missing_null;
};

bool bp_widen(struct bp_type a, struct bp_type b, struct bp_type *out);

/* One input more; name may be NULL. The first one's metadata is kept. */
int bp_unite_add(struct bp_unite *u, const struct bp_schema *s, const char *name,
                 struct bp_err *err) BP_MUST;
/* Would adding s change nothing? */
bool bp_unite_has(const struct bp_unite *u, const struct bp_schema *s);
void bp_unite_release(struct bp_unite *u);

/* s (replaced) as columns cols[0, n) of all, or all of them (cols NULL). It decodes no
 * others; c may be NULL. */
int bp_unite_adapt(struct bp_source *s, const struct bp_schema *all, const int *cols, int n,
                   const struct bp_condition *c, struct bp_err *err) BP_MUST;

#endif
