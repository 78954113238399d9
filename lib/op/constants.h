/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns behind those of a source that have one value for all of it (what a file's directory
 * tells) or for each batch (the file or the partition that it is of: batch.origin).
 */
#ifndef BP_OP_CONSTANTS_H
#define BP_OP_CONSTANTS_H

#include "flow/flow.h"

struct bp_constant {
    const char *name;
    struct bp_type type;
    const char *text; /* of the value, n_bytes; NULL: NULL */
    size_t n_bytes;
    const char *const *texts; /* [n_texts]: the value by the batch's origin; or NULL */
    int n_texts;
    bool is_origin; /* an integer: the origin itself; below 0: NULL */
    bool pseudo;    /* as of a field */
};

/* in is taken over, also on error; c is read while opening only. BP_EDATA: a text that is
 * no value of its type; a name that the source has, too. */
int bp_constants_open(struct bp_source *out, struct bp_source *in, const struct bp_constant *c,
                      int n, struct bp_err *err) BP_MUST;

#endif
