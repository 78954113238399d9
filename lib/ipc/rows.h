/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream from rows: for programs that get a table value by value, such as those that read
 * databases. Each row's values are added to `cols`, one each, then bp_ipc_rows_next() is called;
 * what is added is sent as a batch when it is BP_IPC_ROWS_N rows or BP_IPC_ROWS_BYTES.
 *
 *     bp_ipc_rows_open -> (bp_builder_add... on each of cols, bp_ipc_rows_next)* -> bp_ipc_rows_end
 */
#ifndef BP_IPC_ROWS_H
#define BP_IPC_ROWS_H

#include "col/column.h"
#include "flow/flow.h"

#define BP_IPC_ROWS_N 8192
#define BP_IPC_ROWS_BYTES ((size_t)1 << 20)

struct bp_ipc_rows {
    struct bp_builder *cols; /* [n_cols] */
    int n_cols;
    int64_t n_rows;     /* all that are whole */
    size_t batch_bytes; /* of those that are not yet sent, as the caller counts them */
    struct bp_sink sink;
};

/* Onto the descriptor fd, which is borrowed (bp_outfile_borrow()); name is for messages. The
 * schema has at least one column and is only read. A zeroed *r, or one whose opening failed, can be
 * ended. */
int bp_ipc_rows_open(struct bp_ipc_rows *r, int fd, const char *name,
                     const struct bp_schema *schema, struct bp_err *err) BP_MUST;
/* Every column has got its value of one more row, n_bytes of the input. */
int bp_ipc_rows_next(struct bp_ipc_rows *r, size_t n_bytes, struct bp_err *err) BP_MUST;
/* Tells people what failed. */
typedef void bp_ipc_say(const struct bp_err *err);
/* rc 0: what is left is sent and the stream committed; else it is aborted with err's message,
 * after say (NULL: nobody) was called: whoever reads the stream may end us when it sees that it
 * is aborted. Frees; returns rc, or the code of what failed here. */
int bp_ipc_rows_end(struct bp_ipc_rows *r, int rc, bp_ipc_say *say, struct bp_err *err) BP_MUST;

#endif
