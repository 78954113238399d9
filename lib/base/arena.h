/* SPDX-License-Identifier: Apache-2.0 */
/* Bump allocation for many small things that end together. Zero-initialise. */
#ifndef BP_BASE_ARENA_H
#define BP_BASE_ARENA_H

#include <stddef.h>

#include "base/err.h"

struct bp_arena_chunk;

struct bp_arena {
    struct bp_arena_chunk *chunks; /* newest first */
    size_t total_bytes;            /* what the chunks hold */
};

/* size_bytes zeroed bytes, 16-byte aligned, that live until reset or release;
 * NULL with *err filled. */
void *bp_arena_alloc(struct bp_arena *a, size_t size_bytes, struct bp_err *err) BP_MUST;
char *bp_arena_strn(struct bp_arena *a, const char *s, size_t n, struct bp_err *err) BP_MUST;
char *bp_arena_str(struct bp_arena *a, const char *s, struct bp_err *err) BP_MUST;
char *bp_arena_printf(struct bp_arena *a, struct bp_err *err, const char *fmt, ...) BP_MUST
    BP_PRINTF(3, 4);
void bp_arena_release(struct bp_arena *a);

#endif
