/* SPDX-License-Identifier: Apache-2.0 */
#include "op/sort_top.h"

#include <string.h>

#include "op/sort_order.h"

#define HOLD_ROWS ((int64_t)1 << 16) /* at least, before a cut */

void bp_sort_top_init(struct bp_sort_top *t, const struct bp_sort_keys *keys, int64_t n_rows,
                      int n_threads)
{
    memset(t, 0, sizeof *t);
    t->keys = keys;
    t->n_rows = n_rows;
    t->hold_rows = n_rows > INT64_MAX / 4 ? INT64_MAX : BP_MAX(4 * n_rows, HOLD_ROWS);
    t->n_threads = n_threads;
    bp_sort_plan_types(&t->plan, keys);
}

void bp_sort_top_release(struct bp_sort_top *t)
{
    bp_batch_release(&t->bar);
    memset(t, 0, sizeof *t);
}

/* Numbers of the rows below the bar. Equal rows came later: they are not. */
static int64_t below_bar(const struct bp_sort_top *t, const struct bp_batch *b,
                         const struct bp_column *const key_cols[], int32_t *sel)
{
    enum { STEP = 1024 };
    uint64_t words[STEP];
    int64_t n = 0;

    for (int64_t from = 0; from < b->n_rows; from += STEP) {
        int64_t step = BP_MIN(b->n_rows - from, STEP);

        bp_sort_words(&t->plan, 0, key_cols, from, step, words);
        for (int64_t i = 0; i < step; i++) {
            if (words[i] > t->bar_word)
                continue;
            if (words[i] < t->bar_word ||
                bp_sort_compare(t->keys, t->plan.rest_key, b, from + i, &t->bar, 0) < 0)
                sel[n++] = (int32_t)(from + i);
        }
    }
    return n;
}

static int key_columns(const struct bp_sort_keys *k, const struct bp_batch *b,
                       const struct bp_column ***out, struct bp_err *err)
{
    *out = bp_mem_new((size_t)k->n, sizeof **out, err);
    if (!*out)
        return err->code;
    for (int i = 0; i < k->n; i++)
        (*out)[i] = &b->cols[k->keys[i].col];
    return 0;
}

int bp_sort_top_filter(const struct bp_sort_top *t, struct bp_batch *b, struct bp_err *err)
{
    const struct bp_column **key_cols;
    struct bp_block *block = NULL;
    struct bp_batch kept = {0};
    int32_t *sel;
    int64_t n;
    int rc = 0;

    if (!t->bar.n_rows || !b->n_rows)
        return 0;
    BP_TRY(key_columns(t->keys, b, &key_cols, err));
    BP_GO(bp_block_new(&block, (size_t)b->n_rows * sizeof *sel, err));
    sel = (int32_t *)(void *)block->data;
    n = below_bar(t, b, key_cols, sel);
    if (n < b->n_rows) {
        BP_GO(bp_batch_gather(&kept, b, sel, n, err));
        bp_batch_release(b);
        bp_batch_move(b, &kept);
    }
out:
    bp_mem_free(key_cols);
    bp_block_unref(block);
    return rc;
}

/* The first n rows of held in order, moved into kept. */
static int keep(struct bp_held *kept, const struct bp_held *held, const struct bp_sort_order *order,
                int64_t n, struct bp_err *err)
{
    int n_cols = held->chunks[0].n_cols;
    const struct bp_column **srcs = bp_mem_new((size_t)held->n_chunks, sizeof *srcs, err);
    uint64_t refs[BP_HELD_ROWS];
    struct bp_batch b = {0};
    int rc = 0;

    if (!srcs)
        return err->code;
    for (int64_t from = 0; from < n; from += BP_HELD_ROWS) {
        int64_t step = BP_MIN(n - from, BP_HELD_ROWS);

        bp_sort_order_refs(order, held, from, step, refs);
        BP_GO(bp_batch_init(&b, n_cols, err));
        b.n_rows = step;
        for (int c = 0; c < n_cols; c++) {
            bp_held_columns(held, c, srcs);
            BP_GO(bp_column_gather_many(&b.cols[c], srcs, held->n_chunks, refs, step, err));
        }
        BP_GO(bp_held_add(kept, &b, err));
    }
    rc = bp_held_finish(kept, err);
out:
    bp_batch_release(&b);
    bp_mem_free(srcs);
    return rc;
}

/* The last row of held becomes the bar. */
static int set_bar(struct bp_sort_top *t, const struct bp_held *held, struct bp_err *err)
{
    const struct bp_batch *last = &held->chunks[held->n_chunks - 1];
    const struct bp_column **key_cols;
    int32_t row = (int32_t)last->n_rows - 1;

    bp_batch_release(&t->bar);
    BP_TRY(bp_batch_gather(&t->bar, last, &row, 1, err));
    BP_TRY(key_columns(t->keys, &t->bar, &key_cols, err));
    bp_sort_words(&t->plan, 0, key_cols, 0, 1, &t->bar_word);
    bp_mem_free(key_cols);
    return 0;
}

int bp_sort_top_cut(struct bp_sort_top *t, struct bp_held *held, struct bp_err *err)
{
    struct bp_sort_order order = {0};
    struct bp_held kept;
    int rc;

    if (held->n_rows < t->hold_rows)
        return 0;
    bp_held_init(&kept, held->budget);
    kept.chunk_bytes = held->chunk_bytes;
    BP_GO(bp_held_finish(held, err));
    BP_GO(bp_sort_order(&order, held, t->keys, t->n_threads, err));
    BP_GO(keep(&kept, held, &order, t->n_rows, err));
    BP_GO(set_bar(t, &kept, err));
    bp_held_release(held);
    *held = kept;
    bp_held_init(&kept, NULL);
out:
    bp_sort_order_release(&order);
    bp_held_release(&kept);
    return rc;
}
