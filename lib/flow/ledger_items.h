/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/flow: the entries of several ledgers in a row, by what is one thing to be
 * read and then by what was read of it. */
#ifndef BP_FLOW_LEDGER_ITEMS_H
#define BP_FLOW_LEDGER_ITEMS_H

#include "base/buf.h"
#include "flow/ledger.h"

struct bp_ledger_item {
    const struct bp_ledger_entry *e;
    int task;
};

struct bp_ledger_items {
    struct bp_ledger_item *p; /* bp_mem */
    int n;
};

/* Of tasks 0..n-1, without pipes. */
int bp_ledger_items(const struct bp_ledger *const tasks[], int n, struct bp_ledger_items *out,
                    struct bp_err *err) BP_MUST;
bool bp_ledger_same_input(const struct bp_ledger_entry *a, const struct bp_ledger_entry *b);
/* It was the same file or stage for both. */
bool bp_ledger_same_state(const struct bp_ledger_entry *a, const struct bp_ledger_entry *b);
/* The same range of a task's once more: both sides of a join read it. */
bool bp_ledger_repeats(const struct bp_ledger_item *before, const struct bp_ledger_item *p);
/* "5477 bytes of 2024-01-02 03:04:05.000000000 UTC", "version 01234567". */
int bp_ledger_put_state(const struct bp_ledger_entry *e, struct bp_buf *out,
                        struct bp_err *err) BP_MUST;

#endif
