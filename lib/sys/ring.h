/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that the two processes at the ends of a pipe share, so that large bodies need not be
 * copied into the kernel and out again. What goes through the pipe says in which slot one lies;
 * so the pipe still carries the order, its end, and the news that the other has died.
 *
 *   reader: binds the abstract Unix socket "\0batchpipe 2 DEVICE INODE" of its pipe, and listens
 *   writer: connects to that of its pipe, if there is one; sends a hello with the memory (a sealed
 *           memfd); fills a slot and says so in the pipe
 *   reader: uses the slot where it is, or copies it; then sends its number back by the socket
 *
 * Who reads or writes the pipe and is not one of ours knows nothing of all this: then there is no
 * such socket, and bytes go through the pipe. Both check that the other is of the same user: who
 * could change what was checked already could as well trace the reader.
 * The reader never keeps the last slots: what it holds for long can not stop the writer.
 *
 * With BP_RING=off in its environment, a process neither offers nor looks for any.
 */
#ifndef BP_SYS_RING_H
#define BP_SYS_RING_H

#include "base/mem.h"

/* A body and what is behind it fit, if its batch has no single row of much text. */
#define BP_RING_SLOT_BYTES ((size_t)3 << 19)

/* ---- the writer ---- */

struct bp_ring_out;

/* Is it wanted at all, and fd the end of a pipe? */
bool bp_ring_may(int fd);
/* To whoever reads the pipe fd. NULL: nobody of ours, or not yet. */
struct bp_ring_out *bp_ring_out_open(int fd);
/* What the reader needs to know besides the slot. */
uint32_t bp_ring_out_token(const struct bp_ring_out *r);
/* A slot for at most BP_RING_SLOT_BYTES, its number in *slot; waits until one is free. NULL: the
 * reader has gone, which writing to the pipe will tell, too. The slot is filled, then named in the
 * pipe. */
uint8_t *bp_ring_out_slot(struct bp_ring_out *r, uint32_t *slot);
void bp_ring_out_free(struct bp_ring_out *r); /* NULL is a no-op */

/* ---- the reader ---- */

struct bp_ring_in;

/* For whoever writes the pipe fd. NULL: it cannot be. */
struct bp_ring_in *bp_ring_in_open(int fd);
/* n bytes in this slot of the ring with this token, as the pipe said. */
int bp_ring_in_take(struct bp_ring_in *r, uint32_t token, uint32_t slot, size_t n,
                    struct bp_block **out, struct bp_err *err) BP_MUST;
/* Blocks may live longer. */
void bp_ring_in_free(struct bp_ring_in *r); /* NULL is a no-op */

#endif
