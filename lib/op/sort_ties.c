/* SPDX-License-Identifier: Apache-2.0 */
#include "op/sort_ties.h"

#include <string.h>

#define COMPARE_MAX 12 /* so many rows of equal words are compared, not loaded again */

int bp_sort_ties_open(struct bp_sort_ties *t, const struct bp_held *held,
                      const struct bp_sort_keys *keys, int n_threads, struct bp_err *err)
{
    size_t n = (size_t)held->n_chunks * (size_t)keys->n;

    memset(t, 0, sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    t->held = held;
    t->keys = keys;
    BP_TRY(bp_sort_plan_rows(&t->plan, keys, held, n_threads, err));
    t->by_chunk = bp_mem_new(n, sizeof *t->by_chunk, err);
    t->by_key = bp_mem_new(n, sizeof *t->by_key, err);
    if (!t->by_chunk || !t->by_key)
        return err->code;
    for (int k = 0; k < keys->n; k++)
        bp_held_columns(held, keys->keys[k].col, t->by_key + (size_t)k * (size_t)held->n_chunks);
    for (int c = 0; c < held->n_chunks; c++)
        for (int k = 0; k < keys->n; k++)
            t->by_chunk[c * keys->n + k] = &held->chunks[c].cols[keys->keys[k].col];
    return 0;
}

void bp_sort_ties_release(struct bp_sort_ties *t)
{
    bp_mem_free(t->by_chunk);
    bp_mem_free(t->by_key);
    pthread_mutex_destroy(&t->lock);
    memset(t, 0, sizeof *t);
}

void bp_sort_ties_fail(struct bp_sort_ties *t, const struct bp_err *err)
{
    pthread_mutex_lock(&t->lock);
    if (!t->err.code)
        t->err = *err;
    pthread_mutex_unlock(&t->lock);
}

int bp_sort_ties_error(struct bp_sort_ties *t, struct bp_err *err)
{
    if (t->err.code)
        *err = t->err;
    return t->err.code;
}

/* ---- by comparing ---- */

static int compare(const struct bp_sort_ties *t, int from_key, uint64_t a, uint64_t b)
{
    const struct bp_batch *chunks = t->held->chunks;

    return bp_sort_compare(t->keys, from_key, &chunks[a >> BP_HELD_SHIFT],
                           (int64_t)(a & (BP_HELD_ROWS - 1)), &chunks[b >> BP_HELD_SHIFT],
                           (int64_t)(b & (BP_HELD_ROWS - 1)));
}

static void insert_by_value(const struct bp_sort_ties *t, int from_key, struct bp_sort_rec *recs,
                            int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        struct bp_sort_rec r = recs[i];
        int64_t j = i;

        for (; j > 0 && compare(t, from_key, recs[j - 1].id, r.id) > 0; j--)
            recs[j] = recs[j - 1];
        recs[j] = r;
    }
}

/* Merge sort: stable. */
static void sort_by_value(const struct bp_sort_ties *t, int from_key, struct bp_sort_rec *recs,
                          struct bp_sort_rec *tmp, int64_t n)
{
    int64_t half = n / 2, i = 0, j = half, out = 0;

    if (n <= COMPARE_MAX) {
        insert_by_value(t, from_key, recs, n);
        return;
    }
    sort_by_value(t, from_key, recs, tmp, half);
    sort_by_value(t, from_key, recs + half, tmp, n - half);
    if (compare(t, from_key, recs[half - 1].id, recs[half].id) <= 0)
        return;
    memcpy(tmp, recs, (size_t)half * sizeof *recs);
    while (i < half && j < n)
        recs[out++] = compare(t, from_key, tmp[i].id, recs[j].id) <= 0 ? tmp[i++] : recs[j++];
    memcpy(recs + out, tmp + i, (size_t)(half - i) * sizeof *recs);
}

/* ---- by the next word ---- */

/* Word w of n <= BP_HELD_ROWS rows. */
static int load_piece(struct bp_sort_ties *t, int w, struct bp_sort_rec *recs, int64_t n,
                      struct bp_column *cols, const struct bp_column **key_cols, struct bp_err *err)
{
    const struct bp_sort_word *word = &t->plan.words[w];
    uint64_t buf[BP_HELD_ROWS];
    int rc = 0;

    for (int64_t i = 0; i < n; i++)
        buf[i] = bp_held_ref(recs[i].id);
    for (int i = word->part_from; i < word->part_to; i++) {
        int key = t->plan.parts[i].key;

        if (key_cols[key])
            continue;
        BP_GO(bp_column_gather_many(&cols[key], t->by_key + (size_t)key * (size_t)t->held->n_chunks,
                                    t->held->n_chunks, buf, n, err));
        key_cols[key] = &cols[key];
    }
    bp_sort_words(&t->plan, w, key_cols, 0, n, buf);
    for (int64_t i = 0; i < n; i++)
        recs[i].word = buf[i];
out:
    for (int k = 0; k < t->keys->n; k++) {
        bp_column_release(&cols[k]);
        key_cols[k] = NULL;
    }
    return rc;
}

static int load_words(struct bp_sort_ties *t, int w, struct bp_sort_rec *recs, int64_t n,
                      struct bp_err *err)
{
    size_t n_keys = (size_t)t->keys->n;
    struct bp_column *cols = bp_mem_new(n_keys, sizeof *cols, err);
    const struct bp_column **key_cols = bp_mem_new(n_keys, sizeof *key_cols, err);
    int rc = 0;

    if (!cols || !key_cols) {
        rc = err->code;
        goto out;
    }
    for (int64_t at = 0; at < n; at += BP_HELD_ROWS)
        BP_GO(load_piece(t, w, recs + at, BP_MIN(n - at, BP_HELD_ROWS), cols, key_cols, err));
out:
    bp_mem_free(cols);
    bp_mem_free(key_cols);
    return rc;
}

static void sort_equal(struct bp_sort_ties *t, int w, struct bp_sort_rec *recs,
                       struct bp_sort_rec *tmp, int64_t n);

/* recs are in order of word w - 1 (in rec.word): runs of equal ones go on. */
static void sort_runs(struct bp_sort_ties *t, int w, struct bp_sort_rec *recs,
                      struct bp_sort_rec *tmp, int64_t n)
{
    for (int64_t i = 0; i < n;) {
        uint64_t word = recs[i].word;
        int64_t from = i;

        while (++i < n && recs[i].word == word)
            ;
        if (i - from > 1)
            sort_equal(t, w, recs + from, tmp, i - from);
    }
}

/* recs are equal in the words before w. */
static void sort_equal(struct bp_sort_ties *t, int w, struct bp_sort_rec *recs,
                       struct bp_sort_rec *tmp, int64_t n)
{
    const struct bp_sort_plan *p = &t->plan;
    struct bp_err err = {0};

    if (w == p->n_words) {
        if (p->rest_key < t->keys->n)
            sort_by_value(t, p->rest_key, recs, tmp, n);
        return;
    }
    if (n <= COMPARE_MAX) {
        insert_by_value(t, p->words[w].first_key, recs, n);
        return;
    }
    if (load_words(t, w, recs, n, &err) < 0) {
        bp_sort_ties_fail(t, &err);
        return;
    }
    bp_sort_recs(recs, tmp, n);
    sort_runs(t, w + 1, recs, tmp, n);
}

void bp_sort_ties(struct bp_sort_ties *t, struct bp_sort_rec *recs, struct bp_sort_rec *tmp,
                  int64_t n)
{
    if (!bp_sort_plan_is_one_word(&t->plan))
        sort_runs(t, 1, recs, tmp, n);
}
