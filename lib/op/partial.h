/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp.partial, the mark of a partial stream: what bp-reduce --partial wrote about
 * its keys and aggregates, so that --final needs no AGGS. Compact JSON:
 *   {"aggs":[{"args":["numeric(10,2)"],"func":"sum","name":"revenue",
 *             "result":"numeric(38,2)"}],"keys":["hour"],"version":1}
 * and "across":true, where there is --across, whose key is the last.
 */
#ifndef BP_OP_PARTIAL_H
#define BP_OP_PARTIAL_H

#include "col/schema.h"

#define BP_PARTIAL_VERSION 1
#define BP_PARTIAL_ARGS_MAX 4

struct bp_partial_agg {
    char *name, *func;
    struct bp_type args[BP_PARTIAL_ARGS_MAX];
    int n_args;
    struct bp_type result;
};

struct bp_partial {
    char **keys; /* NULL-terminated */
    int n_keys;
    bool across; /* the last key's values become columns */
    struct bp_partial_agg *aggs;
    int n_aggs;
};

/* *present false if the mark is absent; a malformed one is BP_EDATA. Release what
 * is filled. */
int bp_partial_read(const struct bp_schema *s, bool *present, struct bp_partial *out,
                    struct bp_err *err) BP_MUST;
int bp_partial_write(struct bp_schema *s, const struct bp_partial *p, struct bp_err *err) BP_MUST;
void bp_partial_release(struct bp_partial *p);

/* BP_EUSAGE if the schema carries bp.partial; cmd ("bp-filter") is for the message. */
int bp_partial_refuse(const struct bp_schema *s, const char *cmd, struct bp_err *err) BP_MUST;

#endif
