/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/ipc: messages off a bp_input, and what both sources share. */
#ifndef BP_IPC_STREAM_READ_H
#define BP_IPC_STREAM_READ_H

#include "ipc/ipc.h"
#include "ipc/wire.h"
#include "sys/ring.h"

/* What stood where a message was looked for. */
enum bp_ipc_next {
    BP_IPC_NEXT_MESSAGE, /* metadata is in *meta, decoded in *m */
    BP_IPC_NEXT_EOS,
    BP_IPC_NEXT_END,   /* no more bytes at all */
    BP_IPC_NEXT_ABORT, /* the abort mark: the call fails with its reason */
};

/* The next message's metadata. *what is set also where it fails. */
int bp_ipc_message_read(struct bp_input *in, struct bp_buf *meta, struct bp_ipc_message *m,
                        enum bp_ipc_next *what, struct bp_err *err) BP_MUST;
/* Its body: out of ring (NULL: none) where it was handed over, else in steps, memory growing only
 * as bytes arrive. */
int bp_ipc_body_read(struct bp_input *in, const struct bp_ipc_message *m, struct bp_ring_in *ring,
                     struct bp_ipc_body *out, struct bp_err *err) BP_MUST;

/* The schema that a source shows: the wanted columns, and all metadata. */
int bp_ipc_project(struct bp_schema *out, const struct bp_schema *in, const int *columns,
                   int n_columns, struct bp_err *err) BP_MUST;
/* A batch without rows that carries a share. */
int bp_ipc_share_batch(struct bp_batch *out, const struct bp_schema *schema, struct bp_share share,
                       struct bp_err *err) BP_MUST;
/* Decimal text of n bytes -> *out; false if it is anything else. */
bool bp_ipc_count_parse(const char *s, size_t n, int64_t *out);

/* Foreign batches may have millions of rows: they are handed on in slices. */
#define BP_IPC_SLICE_ROWS 65536
struct bp_ipc_slicer {
    struct bp_batch batch;
    int64_t from;
};
/* The next slice of what is held; BP_DONE: nothing is held. */
int bp_ipc_slicer_next(struct bp_ipc_slicer *s, struct bp_batch *out, struct bp_err *err) BP_MUST;

#endif
