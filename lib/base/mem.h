/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory. This room is the only caller of malloc and free. Three shapes:
 *   bp_mem    plain objects and arrays with one owner;
 *   bp_block  reference-counted, 64-byte aligned value buffers, recycled
 *             through a process-wide pool, because the first touch of fresh
 *             memory costs more than parsing into it;
 *   bp_arena  (arena.h) many small things that end together.
 */
#ifndef BP_BASE_MEM_H
#define BP_BASE_MEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* n objects of size bytes, zeroed; NULL with *err filled. n * size is checked. */
void *bp_mem_new(size_t n, size_t size_bytes, struct bp_err *err) BP_MUST;
/* Grow p (NULL is a new one) to n objects; new bytes are not zeroed. On failure
 * NULL with *err filled, and p is still the caller's. */
void *bp_mem_grow(void *p, size_t n, size_t size_bytes, struct bp_err *err) BP_MUST;
/* A copy of the string s, or of n bytes of it with a NUL put behind. */
char *bp_mem_str(const char *s, struct bp_err *err) BP_MUST;
char *bp_mem_strn(const char *s, size_t n, struct bp_err *err) BP_MUST;
void bp_mem_free(void *p);

/* Bytes after the asked size that may be read and written (for wide loads). */
#define BP_BLOCK_PAD_BYTES 64

/* Memory that is free but kept, by the pool and by malloc, is to be small against
 * limit_bytes. To be called before threads start. */
void bp_mem_bound(int64_t limit_bytes);
/* Blocks of at least so many bytes that are free and kept are given back: they are not what will be
 * needed from now on. */
void bp_mem_drop_free(size_t least_bytes);
/* Is that limit so low that buffers for speed alone are not worth it? */
bool bp_mem_is_tight(void);

struct bp_block {
    atomic_int refs;
    uint32_t pool_class; /* private to mem.c */
    size_t cap_bytes;    /* at least what was asked for */
    uint8_t *data;       /* 64-byte aligned; contents undefined at first */
    void *base;          /* private to mem.c */
};

/* A block with one reference. Thread safe. */
int bp_block_new(struct bp_block **out, size_t size_bytes, struct bp_err *err) BP_MUST;
/* For a block that will be full and read at random, before anything is written to it: of huge
 * pages, if it is large and the system has them. The pool will not keep it. */
void bp_block_huge(struct bp_block *b);
/* Over n bytes at data (64-byte aligned, padded as all are) that are not ours: when nobody needs
 * them any more, release(ctx) is called, by any thread. */
int bp_block_over(struct bp_block **out, uint8_t *data, size_t n, void (*release)(void *ctx),
                  void *ctx, struct bp_err *err) BP_MUST;
struct bp_block *bp_block_ref(struct bp_block *b); /* NULL passes through */
void bp_block_unref(struct bp_block *b);           /* NULL is a no-op */
/* Make *b (NULL is a new one; else solely owned) hold need_bytes, keeping the
 * first used_bytes. Grows by doubling. */
int bp_block_grow(struct bp_block **b, size_t used_bytes, size_t need_bytes,
                  struct bp_err *err) BP_MUST;

#endif
