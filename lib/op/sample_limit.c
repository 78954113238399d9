/* SPDX-License-Identifier: Apache-2.0 */
#include "op/sample_limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define COUNT_BITS 16
#define N_COUNTS ((uint64_t)1 << COUNT_BITS)
#define SPARE 4096 /* noted beyond N before the limit is looked at */
#define FIRST_BITS 10

int bp_sample_limit_open(struct bp_sample_limit *l, int64_t n, bool keys, struct bp_ctx *ctx,
                         struct bp_err *err)
{
    *l = (struct bp_sample_limit){
        .n = n, .all = n > 0, .budget = &ctx->budget, .next_at = n > INT64_MAX / 4 ? n : n + SPARE};
    if (keys)
        return 0;
    l->taken_bytes = (int64_t)(N_COUNTS * sizeof *l->counts);
    bp_budget_least(l->budget, l->taken_bytes);
    (void)bp_budget_take(l->budget, l->taken_bytes);
    l->counts = bp_mem_new(N_COUNTS, sizeof *l->counts, err);
    return l->counts ? 0 : err->code;
}

void bp_sample_limit_release(struct bp_sample_limit *l)
{
    if (l->budget)
        bp_budget_give(l->budget, l->taken_bytes);
    bp_mem_free(l->counts);
    bp_mem_free(l->slots);
    memset(l, 0, sizeof *l);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

uint64_t bp_sample_ith(uint64_t *p, int64_t n, int64_t i)
{
    qsort(p, (size_t)n, sizeof *p, by_value);
    return p[i];
}

/* ---- rows ---- */

/* The group of hashes in which the N-th smallest lies, and how many are before it. */
static uint64_t find_group(const struct bp_sample_limit *l, int64_t *before)
{
    uint64_t g = 0;

    *before = 0;
    while (*before + l->counts[g] < l->n)
        *before += l->counts[g++];
    return g;
}

static void lower_rows(struct bp_sample_limit *l)
{
    int64_t before;
    uint64_t g;

    if (l->n_noted <= l->n)
        return;
    g = find_group(l, &before);
    l->n_noted = before + l->counts[g];
    memset(l->counts + g + 1, 0, (N_COUNTS - g - 1) * sizeof *l->counts);
    if (g + 1 < N_COUNTS) {
        l->all = false;
        l->below = (g + 1) << (64 - COUNT_BITS);
    }
    l->next_at = l->n_noted + BP_MAX(l->n / 4, SPARE);
}

/* ---- keys ---- */

static void place(struct bp_sample_limit *l, uint64_t h)
{
    uint64_t mask = ((uint64_t)1 << l->bits) - 1, at = h >> (64 - l->bits);

    h = h ? h : 1; /* 0 is a free slot: the two smallest hashes are one */
    while (l->slots[at] && l->slots[at] != h)
        at = (at + 1) & mask;
    l->n_keys += !l->slots[at];
    l->slots[at] = h;
}

/* What is in, in 2^bits slots. */
static int rebuild(struct bp_sample_limit *l, int bits, struct bp_err *err)
{
    size_t n_old = l->slots ? (size_t)1 << l->bits : 0;
    int64_t bytes = (int64_t)(((size_t)1 << bits) * sizeof *l->slots);
    uint64_t *old = l->slots;

    if (!bp_budget_take(l->budget, bytes))
        return bp_fail(err, BP_ENOMEM,
                       "%lld keys do not fit in the memory given (--mem): take fewer, or a "
                       "percentage of them, which holds nothing",
                       (long long)l->n);
    l->slots = bp_mem_new((size_t)1 << bits, sizeof *l->slots, err);
    if (!l->slots) {
        l->slots = old;
        bp_budget_give(l->budget, bytes);
        return err->code;
    }
    l->bits = bits;
    l->n_keys = 0;
    for (size_t i = 0; i < n_old; i++)
        if (old[i] && bp_sample_in(l, old[i]))
            place(l, old[i]);
    bp_budget_give(l->budget, l->taken_bytes);
    l->taken_bytes = bytes;
    bp_mem_free(old);
    return 0;
}

static int lower_keys(struct bp_sample_limit *l, struct bp_err *err)
{
    uint64_t *all;
    int64_t n = 0;

    if (l->n_keys <= l->n)
        return 0;
    all = bp_mem_grow(NULL, (size_t)l->n_keys, sizeof *all, err);
    if (!all)
        return err->code;
    for (size_t i = 0; i < (size_t)1 << l->bits; i++)
        if (l->slots[i])
            all[n++] = l->slots[i];
    l->below = bp_sample_ith(all, n, l->n);
    l->all = false;
    bp_mem_free(all);
    return rebuild(l, l->bits, err);
}

static int note_key(struct bp_sample_limit *l, uint64_t h, struct bp_err *err)
{
    if (!l->slots || 2 * l->n_keys >= (int64_t)1 << l->bits)
        BP_TRY(rebuild(l, l->slots ? l->bits + 1 : FIRST_BITS, err));
    place(l, h);
    return l->n_keys > l->next_at && l->n_keys - l->n > l->n ? lower_keys(l, err) : 0;
}

/* ---- */

int bp_sample_limit_note(struct bp_sample_limit *l, const uint64_t *hashes, int64_t n,
                         struct bp_err *err)
{
    for (int64_t i = 0; i < n; i++) {
        if (!l->counts && bp_sample_in(l, hashes[i]))
            BP_TRY(note_key(l, hashes[i], err));
        else if (l->counts)
            l->counts[hashes[i] >> (64 - COUNT_BITS)]++;
    }
    if (!l->counts)
        return 0;
    l->n_noted += n;
    if (l->n_noted > l->next_at)
        lower_rows(l);
    return 0;
}

int bp_sample_limit_end(struct bp_sample_limit *l, uint64_t *from, int64_t *n, struct bp_err *err)
{
    int64_t before;
    uint64_t g;

    *n = 0;
    if (!l->counts)
        return lower_keys(l, err);
    if (l->n_noted <= l->n)
        return 0;
    lower_rows(l);
    g = find_group(l, &before);
    *from = g << (64 - COUNT_BITS);
    *n = l->n - before;
    return 0;
}
