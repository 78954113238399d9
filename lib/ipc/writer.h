/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/ipc: the inside of bp_ipc_writer and its parts. */
#ifndef BP_IPC_WRITER_H
#define BP_IPC_WRITER_H

#include "base/hash.h"
#include "flow/dictset.h"
#include "ipc/ipc.h"
#include "ipc/wire.h"
#include "sys/ring.h"

/*
 * One batch taken apart for writing: the buffers as the metadata lists them,
 * and the pieces of memory that make the body, zero padding between. What had
 * to be converted stands on blocks in temps. Reused from batch to batch.
 */
struct bp_ipc_parts {
    struct bp_ipc_node *nodes;
    int n_nodes, cap_nodes;
    struct bp_ipc_buffer *buffers;
    int n_buffers, cap_buffers;
    struct iovec *iov; /* the first is left for prefix and metadata */
    int n_iov, cap_iov;
    struct bp_block **temps;
    int n_temps, cap_temps;
    uint8_t *tails; /* last bytes of bitmaps, masked */
    int n_tails;
    struct bp_column *held; /* slices of children that were made for the writing */
    int n_held;
    int64_t body_bytes;
    bool as_held; /* decimals of up to 18 digits stay int64: for one of ours. Else as Arrow has
                   * them. False after each start. */
};

/* Room for n_nodes columns, children included; also drops what the last batch held. */
int bp_ipc_parts_start(struct bp_ipc_parts *p, int n_nodes, struct bp_err *err) BP_MUST;
/* Adds a plain column. c must live until the parts are written. */
int bp_ipc_parts_column(struct bp_ipc_parts *p, const struct bp_column *c,
                        struct bp_err *err) BP_MUST;
/* Adds a dictionary column's codes. */
void bp_ipc_parts_codes(struct bp_ipc_parts *p, const struct bp_column *c, const int32_t *codes);
/* The nodes and buffers of a column of type t without rows. */
void bp_ipc_parts_empty(struct bp_ipc_parts *p, struct bp_type t, bool is_dict);
/* Keeps a block until the next start (takes the reference). */
void bp_ipc_parts_keep(struct bp_ipc_parts *p, struct bp_block *b);
void bp_ipc_parts_release(struct bp_ipc_parts *p);

/* A dictionary field's state. */
struct bp_ipc_out_dict {
    int field;
    struct bp_dict *last;   /* stream: what was written last */
    struct bp_dictset set;  /* file: all values of the field; stream: of plain columns */
    struct bp_block *codes; /* scratch */
};

/*
 * Bodies to a reader of ours, through memory that both share (sys/ring.h). Zero-initialise; kept by
 * whoever writes several streams to one pipe.
 */
struct bp_ipc_handover {
    bool decided, may, all;   /* is f a pipe, at all; are small bodies handed over, too? */
    bool begun;               /* a body was handed over */
    struct bp_ring_out *ring; /* NULL: not yet */
    int64_t seen_bytes;       /* of bodies that went through the pipe */
    int n_tries;              /* to find the reader */
};

/* Is a body of about so many bytes to be handed over? Then its parts are made as_held. */
bool bp_ipc_handover_pays(struct bp_ipc_handover *h, const struct bp_ipc_writer *w,
                          int64_t n_bytes);
/* 1: the message of w is out, its body in shared memory. 0: it cannot be, and the body is to go as
 * always, its parts made anew. */
int bp_ipc_hand_over(struct bp_ipc_handover *h, struct bp_ipc_writer *w,
                     struct bp_err *err) BP_MUST;
void bp_ipc_handover_release(struct bp_ipc_handover *h);

struct bp_ipc_writer {
    struct bp_outfile *f;
    struct bp_ipc_handover *handover; /* not ours; NULL: none */
    bool is_file;
    bool schema_written;
    bool broken; /* a write failed: what is out is cut in the middle */
    struct bp_schema schema;
    int n_nodes; /* of a batch */
    struct bp_ipc_out_dict *dicts;
    int n_dicts;
    struct bp_fbw fbw;
    struct bp_buf head; /* prefix, metadata, padding of the message being written */
    struct bp_ipc_parts parts;
    int64_t n_rows, n_batches;
    struct bp_ipc_block *blocks; /* file: of the batches */
    int cap_blocks;
    struct bp_ipc_block *dict_blocks;
    int n_dict_blocks;
    struct bp_buf dict_sums; /* file: XXH3-64 of each dictionary message, hex */
};

/* Writes the schema message if it is not out yet. */
int bp_ipc_writer_begin(struct bp_ipc_writer *w, struct bp_err *err) BP_MUST;
/* Bytes as they are; what fails is known to the writer, too. */
int bp_ipc_writer_bytes(struct bp_ipc_writer *w, const void *p, size_t n,
                        struct bp_err *err) BP_MUST;
/* The abort mark; best effort. */
void bp_ipc_writer_abort_mark(struct bp_ipc_writer *w, const char *reason);

#endif
