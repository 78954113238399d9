/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys too heavy for one partition, as their hashes: what spreads their rows asks for
 * no more. A key that shares its hash with one of them is spread with it.
 */
#ifndef BP_OP_HOT_H
#define BP_OP_HOT_H

#include "flow/flow.h"

#define BP_HOT_MAX 1000000

struct bp_hot {
    uint64_t *hashes; /* n, ascending, each once */
    int64_t n;
    uint64_t identity; /* the same for the same keys */
};

/* The keys are the columns of table (read to its end; stays the caller's) that have the
 * names keys (NULL-terminated) in rows; other columns do not count. A column of another
 * key class than the rows' is BP_EUSAGE. */
int bp_hot_read(struct bp_hot *out, struct bp_source *table, char *const keys[],
                const struct bp_schema *rows, struct bp_err *err) BP_MUST;
void bp_hot_release(struct bp_hot *h);

#endif
