/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define CHUNK_MIN_BYTES 4096
#define CHUNK_SHARE 4 /* a new chunk's part of what there is: many arenas grow at the same time */
#define CHUNK_MAX_BYTES ((size_t)1 << 20)

struct bp_arena_chunk {
    struct bp_arena_chunk *next;
    size_t used_bytes, cap_bytes;
    size_t pad;
};

void *bp_arena_alloc(struct bp_arena *a, size_t size_bytes, struct bp_err *err)
{
    struct bp_arena_chunk *c = a->chunks;
    size_t need = (size_bytes + 15) & ~(size_t)15;
    size_t cap;
    void *p;

    if (need < size_bytes) {
        bp_fail_oom(err, size_bytes);
        return NULL;
    }
    if (!c || c->cap_bytes - c->used_bytes < need) {
        cap = a->total_bytes / CHUNK_SHARE;
        if (cap < CHUNK_MIN_BYTES)
            cap = CHUNK_MIN_BYTES;
        if (cap > CHUNK_MAX_BYTES)
            cap = CHUNK_MAX_BYTES;
        if (cap < need)
            cap = need;
        c = bp_mem_new(1, sizeof *c + cap, err);
        if (!c)
            return NULL;
        c->cap_bytes = cap;
        c->next = a->chunks;
        a->chunks = c;
        a->total_bytes += cap;
    }
    p = (uint8_t *)(c + 1) + c->used_bytes;
    c->used_bytes += need;
    return p;
}

char *bp_arena_strn(struct bp_arena *a, const char *s, size_t n, struct bp_err *err)
{
    char *p = bp_arena_alloc(a, n + 1, err);

    if (p && n)
        memcpy(p, s, n);
    return p;
}

char *bp_arena_str(struct bp_arena *a, const char *s, struct bp_err *err)
{
    return bp_arena_strn(a, s, strlen(s), err);
}

char *bp_arena_printf(struct bp_arena *a, struct bp_err *err, const char *fmt, ...)
{
    va_list ap;
    char *p;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    p = bp_arena_alloc(a, (size_t)n + 1, err);
    if (!p)
        return NULL;
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}

void bp_arena_release(struct bp_arena *a)
{
    struct bp_arena_chunk *c, *next;

    for (c = a->chunks; c; c = next) {
        next = c->next;
        bp_mem_free(c);
    }
    a->chunks = NULL;
    a->total_bytes = 0;
}
