/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the records of reduce_parts.h stand: chunks of one size, in memory, and when memory is
 * full on disk. Chunks of a part are written behind one another by worker threads, so a part is
 * read back in a few long pieces; meanwhile rows go on into those that are written already.
 *
 *     bp_chunks_room   before bp_chunks_new: the budget is asked for chunks to come
 *     bp_chunks_save   full ones; they are free again when they are written
 *     bp_chunks_wait   before bp_chunks_read
 *
 * One thread calls, but for bp_chunks_read and bp_chunks_discard, which any number may.
 */
#ifndef BP_OP_REDUCE_CHUNKS_H
#define BP_OP_REDUCE_CHUNKS_H

#include "flow/flow.h"

#define BP_CHUNK_WORDS 2044 /* of records; with its head 16 KiB */

/* Records of one part, behind one another. */
struct bp_chunk {
    struct bp_chunk *next;
    int64_t first_row;
    uint32_t task;
    int32_t n;    /* records: set when it is full, or at flush */
    int32_t step; /* words of a record */
    bool nulls;
    uint64_t words[BP_CHUNK_WORDS];
};

struct bp_chunks;

/* ctx is borrowed. */
int bp_chunks_open(struct bp_chunks **out, int n_parts, struct bp_ctx *ctx,
                   struct bp_err *err) BP_MUST;
void bp_chunks_free(struct bp_chunks *c); /* with all chunks; NULL is a no-op */

/* So many chunks more can be had now. */
bool bp_chunks_room(struct bp_chunks *c, int64_t n);
/* One, not initialised; NULL and err if there is no memory or one could not be saved. */
struct bp_chunk *bp_chunks_new(struct bp_chunks *c, struct bp_err *err) BP_MUST;

/* A list of chunks of a part to the temporary file: begins to. */
int bp_chunks_save(struct bp_chunks *c, int part, struct bp_chunk *list,
                   struct bp_err *err) BP_MUST;
/* Until all of them are there. A full disk is BP_ESYS, naming the directory. */
int bp_chunks_wait(struct bp_chunks *c, struct bp_err *err) BP_MUST;
bool bp_chunks_any_saved(const struct bp_chunks *c);
/* take() is given each saved chunk of a part, in the order in which they were saved. */
int bp_chunks_read(const struct bp_chunks *c, int part,
                   int (*take)(void *self, const struct bp_chunk *chunk, struct bp_err *err),
                   void *self, struct bp_err *err) BP_MUST;
/* They are not read again. */
void bp_chunks_discard(const struct bp_chunks *c, int part);

#endif
