/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of held rows:
 *   1. the first word of every row is computed and counted into up to 2,048 ranges
 *      of words, whose borders a sample proposes (any borders are right);
 *   2. if they never went down, the rows are in order; else the words are computed
 *      again and written, with the row's id, to their range: the only array that
 *      is as long as the table, written once;
 *   3. each range, small enough for the cache, is sorted by itself: by its words,
 *      then rows of equal words by the next word (sort_ties.c).
 * Steps run on all threads; none of them changes the result.
 */
#include "op/sort_order.h"

#include <string.h>

#include "op/sort_par.h"
#include "op/sort_ties.h"

#define RANGES_MAX 2048
#define RANGE_ROWS 4096 /* aimed at */
#define SAMPLE_CHUNKS 32
#define SAMPLE_ROWS 64 /* of each */
#define TASKS_PER_THREAD 4

struct sorter {
    struct bp_sort_ties ties; /* held, keys, plan, the keys' columns */
    int n_threads;
    uint64_t base; /* words below go to range 0 */
    int shift, n_ranges;
    int64_t n_tasks;   /* of steps 1 and 2, each a run of chunks */
    int64_t *places;   /* [task][range]: rows, then where the next one goes */
    uint64_t *ends;    /* [task][2]: first and last word */
    bool *ordered;     /* [task]: words never went down */
    int64_t *range_at; /* n_ranges + 1 */
    struct bp_sort_rec *recs;
};

static int64_t range_of(const struct sorter *s, uint64_t word)
{
    uint64_t r;

    if (word < s->base)
        return 0;
    r = ((word - s->base) >> s->shift) + 1;
    return r < (uint64_t)s->n_ranges ? (int64_t)r : s->n_ranges - 1;
}

static void first_words(const struct sorter *s, int64_t chunk, int64_t from, int64_t n,
                        uint64_t *out)
{
    bp_sort_words(&s->ties.plan, 0, &s->ties.by_chunk[chunk * s->ties.keys->n], from, n, out);
}

static int64_t task_chunk(const struct sorter *s, int64_t task)
{
    return s->ties.held->n_chunks * task / s->n_tasks;
}

/* ---- 1. counting ---- */

/* Ranges between the 1st and the 99th percent of a sample are of one width. */
static int choose_ranges(struct sorter *s, struct bp_err *err)
{
    const struct bp_held *held = s->ties.held;
    int64_t n_chunks = BP_MIN(held->n_chunks, SAMPLE_CHUNKS), n = 0;
    struct bp_sort_rec *sample, *tmp;
    uint64_t words[SAMPLE_ROWS], top;
    struct bp_block *b;

    s->n_ranges = 1;
    while (s->n_ranges < RANGES_MAX && held->n_rows / s->n_ranges > RANGE_ROWS)
        s->n_ranges *= 2;
    if (s->n_ranges < 4) {
        s->n_ranges = 1;
        s->base = UINT64_MAX;
        return 0;
    }
    BP_TRY(bp_block_new(&b, (size_t)n_chunks * SAMPLE_ROWS * 2 * sizeof *sample, err));
    sample = (struct bp_sort_rec *)(void *)b->data;
    tmp = sample + n_chunks * SAMPLE_ROWS;
    for (int64_t i = 0; i < n_chunks; i++) {
        int64_t chunk = held->n_chunks * i / n_chunks, rows = held->chunks[chunk].n_rows;
        int64_t take = BP_MIN(rows, SAMPLE_ROWS);

        first_words(s, chunk, (rows - take) / 2, take, words);
        for (int64_t j = 0; j < take; j++)
            sample[n++].word = words[j];
    }
    bp_sort_recs(sample, tmp, n);
    s->base = sample[n / 100].word;
    top = sample[n - 1 - n / 100].word;
    while ((top - s->base) >> s->shift >= (uint64_t)s->n_ranges - 2)
        s->shift++;
    bp_block_unref(b);
    return 0;
}

static void count_task(void *ctx, int64_t task)
{
    struct sorter *s = ctx;
    int64_t *places = &s->places[task * s->n_ranges];
    uint64_t words[BP_HELD_ROWS], last = 0, down = 0;
    bool first = true;

    for (int64_t c = task_chunk(s, task); c < task_chunk(s, task + 1); c++) {
        int64_t n = s->ties.held->chunks[c].n_rows;

        first_words(s, c, 0, n, words);
        if (n && first) {
            s->ends[task * 2] = last = words[0];
            first = false;
        }
        for (int64_t i = 0; i < n; i++) {
            places[range_of(s, words[i])]++;
            down |= words[i] < last;
            last = words[i];
        }
    }
    s->ends[task * 2 + 1] = last;
    s->ordered[task] = !down;
}

static bool all_ordered(const struct sorter *s)
{
    for (int64_t t = 0; t < s->n_tasks; t++)
        if (!s->ordered[t] || (t && s->ends[t * 2] < s->ends[t * 2 - 1]))
            return false;
    return true;
}

/* ---- 2. placing ---- */

/* Counts become places: by range, and in a range by task, so in the order of rows. */
static void make_places(struct sorter *s)
{
    int64_t at = 0;

    for (int r = 0; r < s->n_ranges; r++) {
        s->range_at[r] = at;
        for (int64_t t = 0; t < s->n_tasks; t++) {
            int64_t n = s->places[t * s->n_ranges + r];

            s->places[t * s->n_ranges + r] = at;
            at += n;
        }
    }
    s->range_at[s->n_ranges] = at;
}

static void place_task(void *ctx, int64_t task)
{
    struct sorter *s = ctx;
    int64_t *places = &s->places[task * s->n_ranges];
    uint64_t words[BP_HELD_ROWS];

    for (int64_t c = task_chunk(s, task); c < task_chunk(s, task + 1); c++) {
        int64_t n = s->ties.held->chunks[c].n_rows;
        uint64_t id = (uint64_t)c << BP_HELD_SHIFT;

        first_words(s, c, 0, n, words);
        for (int64_t i = 0; i < n; i++)
            s->recs[places[range_of(s, words[i])]++] =
                (struct bp_sort_rec){words[i], id + (uint64_t)i};
    }
}

/* ---- 3. sorting ---- */

static void sort_task(void *ctx, int64_t task)
{
    struct sorter *s = ctx;
    struct bp_sort_rec *recs = s->recs + s->range_at[task];
    int64_t n = s->range_at[task + 1] - s->range_at[task];
    struct bp_err err = {0};
    struct bp_block *b;

    if (n < 2)
        return;
    if (bp_block_new(&b, (size_t)n * sizeof *recs, &err) < 0) {
        bp_sort_ties_fail(&s->ties, &err);
        return;
    }
    bp_sort_recs(recs, (struct bp_sort_rec *)(void *)b->data, n);
    bp_sort_ties(&s->ties, recs, (struct bp_sort_rec *)(void *)b->data, n);
    bp_block_unref(b);
}

/* ---- all of it ---- */

static int sort_rows(struct sorter *s, struct bp_sort_order *out, struct bp_err *err)
{
    size_t n_tasks;

    BP_TRY(choose_ranges(s, err));
    s->n_tasks = s->n_threads > 1 ? (int64_t)s->n_threads * TASKS_PER_THREAD : 1;
    s->n_tasks = BP_MIN(s->n_tasks, s->ties.held->n_chunks);
    n_tasks = (size_t)s->n_tasks;
    s->places = bp_mem_new(n_tasks * (size_t)s->n_ranges, sizeof *s->places, err);
    s->ends = bp_mem_new(n_tasks * 2, sizeof *s->ends, err);
    s->ordered = bp_mem_new(n_tasks, sizeof *s->ordered, err);
    s->range_at = bp_mem_new((size_t)s->n_ranges + 1, sizeof *s->range_at, err);
    if (!s->places || !s->ends || !s->ordered || !s->range_at)
        return err->code;
    bp_par_each(s->n_threads, s->n_tasks, count_task, s);
    if (all_ordered(s) && bp_sort_plan_is_one_word(&s->ties.plan))
        return 0;
    BP_TRY(bp_block_new(&out->block, (size_t)out->n * sizeof *s->recs, err));
    out->recs = s->recs = (struct bp_sort_rec *)(void *)out->block->data;
    make_places(s);
    bp_par_each(s->n_threads, s->n_tasks, place_task, s);
    bp_par_each(s->n_threads, s->n_ranges, sort_task, s);
    return bp_sort_ties_error(&s->ties, err);
}

int bp_sort_order(struct bp_sort_order *out, const struct bp_held *held,
                  const struct bp_sort_keys *keys, int n_threads, struct bp_err *err)
{
    struct sorter s = {.n_threads = n_threads};
    int rc;

    *out = (struct bp_sort_order){.n = held->n_rows};
    BP_GO(bp_sort_ties_open(&s.ties, held, keys, n_threads, err));
    if (s.ties.plan.n_words > 0)
        rc = sort_rows(&s, out, err);
out:
    bp_sort_ties_release(&s.ties);
    bp_mem_free(s.places);
    bp_mem_free(s.ends);
    bp_mem_free(s.ordered);
    bp_mem_free(s.range_at);
    if (rc < 0)
        bp_sort_order_release(out);
    return rc;
}

void bp_sort_order_release(struct bp_sort_order *o)
{
    bp_block_unref(o->block);
    *o = (struct bp_sort_order){0};
}

void bp_sort_order_refs(const struct bp_sort_order *o, const struct bp_held *held, int64_t from,
                        int64_t n, uint64_t *refs)
{
    if (o->recs) {
        for (int64_t i = 0; i < n; i++)
            refs[i] = bp_held_ref(o->recs[from + i].id);
        return;
    }
    /* in order: only chunks that end early make ids jump */
    for (int64_t chunk = 0, i = 0; i < n; chunk++) {
        int64_t rows = held->chunks[chunk].n_rows;

        for (; from < rows && i < n; from++)
            refs[i++] = (uint64_t)chunk << 32 | (uint64_t)from;
        from -= rows;
    }
}
