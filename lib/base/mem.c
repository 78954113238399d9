/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool keeps freed blocks by size class (powers of two, with the halfway
 * sizes between), up to POOL_MAX_BYTES in all (less where memory is bounded), so that a pipeline in
 * its steady state touches no fresh page. Blocks under 4 KiB are left to malloc.
 */
#include "base/mem.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/num.h"

#define POOL_MIN_BYTES 4096
#define POOL_CLASSES 30 /* 4 KiB, 6 KiB, 8 KiB ... 128 MiB */
#define POOL_MAX_BYTES ((size_t)48 << 20)
#define POOL_SHARE 8 /* of a memory limit, for blocks that are free */
#define NOT_POOLED UINT32_MAX
#define NOT_OURS (UINT32_MAX - 1)
#define HUGE_PAGE ((uintptr_t)2 << 20)
#define HUGE_MIN_BYTES (4 * HUGE_PAGE)
#define HUGE_SLOW_NS 1000000 /* for the first touch of one */
#define HUGE_SKIP 2          /* arrays after a slow one */
/* Below this limit, malloc gives back what is free rather than be quick. */
#define TIGHT_BYTES ((int64_t)128 << 20)

static struct {
    atomic_flag busy;
    size_t held_bytes, max_bytes;
    struct bp_block *free[POOL_CLASSES]; /* chained through base */
} pool = {.busy = ATOMIC_FLAG_INIT, .max_bytes = POOL_MAX_BYTES};

void bp_mem_bound(int64_t limit_bytes)
{
    pool.max_bytes = BP_MIN(POOL_MAX_BYTES, (size_t)(limit_bytes / POOL_SHARE));
    if (limit_bytes < TIGHT_BYTES) {
        mallopt(M_ARENA_MAX, 1);
        mallopt(M_MMAP_THRESHOLD, 64 << 10); /* larger: to the system when freed */
        mallopt(M_TRIM_THRESHOLD, 256 << 10);
    } else {
        mallopt(M_ARENA_MAX, 4);
    }
}

bool bp_mem_is_tight(void)
{
    return pool.max_bytes < (size_t)TIGHT_BYTES / POOL_SHARE;
}

static void pool_lock(void)
{
    while (atomic_flag_test_and_set_explicit(&pool.busy, memory_order_acquire))
        ;
}

static void pool_unlock(void)
{
    atomic_flag_clear_explicit(&pool.busy, memory_order_release);
}

static size_t class_bytes(uint32_t c)
{
    size_t pow2 = (size_t)POOL_MIN_BYTES << (c / 2);

    return c % 2 ? pow2 + pow2 / 2 : pow2;
}

/* A page is touched without a change to what it has. */
static bool is_slow_to_touch(uintptr_t page)
{
    volatile uint8_t *p = (volatile uint8_t *)page;
    int64_t from = bp_cpu_ns();

    *p = *p;
    return bp_cpu_ns() - from > HUGE_SLOW_NS;
}

/*
 * Large arrays are hash tables and what is indexed by them: nearly every access to one
 * misses the TLB where pages are small. Huge pages also make the first touch cheaper: 0.1 ms for
 * one, which is an eighth of what the small ones in its place take. Not so in a virtual machine
 * that gives free memory back to its host: there one took 4 to 8 ms, the small ones 1.7. So one is
 * tried, the last of the array, and after a slow one no more are asked for, until some arrays
 * later: by then the memory may be what this process has freed, which the host has not taken yet.
 *
 * What is asked of the kernel is a wish; the last, partly filled page may cost memory.
 */
static void want_huge_pages(void *p, size_t bytes)
{
    static atomic_int skip; /* so many arrays; two threads may count one for two */
    uintptr_t from = ((uintptr_t)p + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    uintptr_t to = ((uintptr_t)p + bytes) & ~(HUGE_PAGE - 1);

    if (bytes < HUGE_MIN_BYTES || to <= from)
        return;
    if (atomic_load(&skip) > 0) {
        atomic_fetch_sub(&skip, 1);
        return;
    }
    if (madvise((void *)from, to - from, MADV_HUGEPAGE) < 0 || !is_slow_to_touch(to - HUGE_PAGE))
        return;
    atomic_store(&skip, HUGE_SKIP);
    (void)madvise((void *)from, to - from, MADV_NOHUGEPAGE);
}

void *bp_mem_new(size_t n, size_t size_bytes, struct bp_err *err)
{
    void *p = calloc(n ? n : 1, size_bytes ? size_bytes : 1);

    if (!p)
        bp_fail_oom(err, n * size_bytes);
    else
        want_huge_pages(p, n * size_bytes);
    return p;
}

void *bp_mem_grow(void *p, size_t n, size_t size_bytes, struct bp_err *err)
{
    size_t bytes;
    void *q;

    if (__builtin_mul_overflow(n, size_bytes, &bytes)) {
        bp_fail_oom(err, SIZE_MAX);
        return NULL;
    }
    q = realloc(p, bytes ? bytes : 1);
    if (!q)
        bp_fail_oom(err, bytes);
    else
        want_huge_pages(q, bytes);
    return q;
}

char *bp_mem_strn(const char *s, size_t n, struct bp_err *err)
{
    char *p = bp_mem_new(n + 1, 1, err);

    if (p && n)
        memcpy(p, s, n);
    return p;
}

char *bp_mem_str(const char *s, struct bp_err *err)
{
    return bp_mem_strn(s, strlen(s), err);
}

void bp_mem_free(void *p)
{
    free(p);
}

static struct bp_block *pool_take(uint32_t c)
{
    struct bp_block *b;

    pool_lock();
    b = pool.free[c];
    if (b) {
        pool.free[c] = b->base;
        pool.held_bytes -= b->cap_bytes;
    }
    pool_unlock();
    if (b)
        b->base = b;
    return b;
}

static bool pool_give(struct bp_block *b)
{
    bool kept = false;

    pool_lock();
    if (pool.held_bytes + b->cap_bytes <= pool.max_bytes) {
        b->base = pool.free[b->pool_class];
        pool.free[b->pool_class] = b;
        pool.held_bytes += b->cap_bytes;
        kept = true;
    }
    pool_unlock();
    return kept;
}

void bp_mem_drop_free(size_t least_bytes)
{
    for (uint32_t c = 0; c < POOL_CLASSES; c++)
        for (struct bp_block *b; class_bytes(c) >= least_bytes && (b = pool_take(c));)
            free(b);
}

static uint32_t class_for(size_t size_bytes)
{
    if (size_bytes <= POOL_MIN_BYTES / 2)
        return NOT_POOLED;
    for (uint32_t c = 0; c < POOL_CLASSES; c++)
        if (size_bytes <= class_bytes(c))
            return c;
    return NOT_POOLED;
}

int bp_block_new(struct bp_block **out, size_t size_bytes, struct bp_err *err)
{
    uint32_t c = class_for(size_bytes);
    size_t cap = c == NOT_POOLED ? size_bytes : class_bytes(c);
    size_t total;
    struct bp_block *b = c == NOT_POOLED ? NULL : pool_take(c);
    void *p;

    if (!b) {
        /* header in the first 64 bytes, data behind it */
        if (__builtin_add_overflow(cap, (size_t)64 + BP_BLOCK_PAD_BYTES, &total))
            return bp_fail_oom(err, size_bytes);
        total = (total + 63) & ~(size_t)63;
        p = aligned_alloc(64, total);
        if (!p)
            return bp_fail_oom(err, total);
        b = p;
        b->base = b;
        b->data = (uint8_t *)p + 64;
        b->cap_bytes = cap;
        b->pool_class = c;
    }
    atomic_init(&b->refs, 1);
    *out = b;
    return 0;
}

void bp_block_huge(struct bp_block *b)
{
    b->pool_class = NOT_POOLED;
    want_huge_pages(b->data, b->cap_bytes);
}

struct foreign {
    struct bp_block block; /* first: they are one address */
    void (*release)(void *ctx);
    void *ctx;
};

int bp_block_over(struct bp_block **out, uint8_t *data, size_t n, void (*release)(void *ctx),
                  void *ctx, struct bp_err *err)
{
    struct foreign *f = bp_mem_new(1, sizeof *f, err);

    if (!f)
        return err->code;
    f->block.data = data;
    f->block.cap_bytes = n;
    f->block.pool_class = NOT_OURS;
    f->block.base = f;
    f->release = release;
    f->ctx = ctx;
    atomic_init(&f->block.refs, 1);
    *out = &f->block;
    return 0;
}

static void free_foreign(struct bp_block *b)
{
    struct foreign *f = b->base;

    f->release(f->ctx);
    bp_mem_free(f);
}

struct bp_block *bp_block_ref(struct bp_block *b)
{
    if (b)
        atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void bp_block_unref(struct bp_block *b)
{
    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (b->pool_class == NOT_OURS)
        free_foreign(b);
    else if (b->pool_class == NOT_POOLED || !pool_give(b))
        free(b);
}

int bp_block_grow(struct bp_block **b, size_t used_bytes, size_t need_bytes, struct bp_err *err)
{
    struct bp_block *bigger;
    size_t want = need_bytes;

    if (*b && (*b)->cap_bytes >= need_bytes)
        return 0;
    if (*b && want < (*b)->cap_bytes * 2)
        want = (*b)->cap_bytes * 2;
    BP_TRY(bp_block_new(&bigger, want, err));
    if (used_bytes)
        memcpy(bigger->data, (*b)->data, used_bytes);
    bp_block_unref(*b);
    *b = bigger;
    return 0;
}
