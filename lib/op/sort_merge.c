/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A heap of the inputs' heads. The least input gives all its rows that do not come
 * behind the next least head; where that is the rest of its batch, it takes one
 * comparison, and if nothing is waiting for output the batch passes as it is.
 *
 *     slots: the batches of this output; refs: (slot, row) in order
 *     heads: input -> slot, row; slots of batches that are used up stay until
 *            the output is gathered
 */
#include "op/sort_merge.h"

#include <stdio.h>
#include <string.h>

struct bp_merge_head {
    struct bp_source *in;
    int slot;
    int64_t row, n_rows;    /* in the slot's batch */
    struct bp_block *block; /* of words */
    const uint64_t *words;  /* of the batch's rows */
    struct bp_batch last;   /* the last row of the batch before; to check */
    uint64_t last_word;
};

int bp_merger_open(struct bp_merger *m, struct bp_source *ins, int n_ins,
                   const struct bp_sort_keys *keys, bool check, int64_t batch_rows,
                   struct bp_err *err)
{
    *m = (struct bp_merger){
        .ins = ins, .n_ins = n_ins, .keys = keys, .check = check, .batch_rows = batch_rows};
    bp_sort_plan_types(&m->plan, keys);
    m->key_cols = bp_mem_new((size_t)keys->n, sizeof *m->key_cols, err);
    m->heads = bp_mem_new((size_t)n_ins, sizeof *m->heads, err);
    m->heap = bp_mem_new((size_t)n_ins, sizeof *m->heap, err);
    m->refs = bp_mem_new((size_t)batch_rows, sizeof *m->refs, err);
    if (!m->key_cols || !m->heads || !m->heap || !m->refs)
        return err->code;
    for (int i = 0; i < n_ins; i++)
        m->heads[i].in = &ins[i];
    return 0;
}

void bp_merger_release(struct bp_merger *m)
{
    for (int i = 0; m->heads && i < m->n_ins; i++) {
        bp_block_unref(m->heads[i].block);
        bp_batch_release(&m->heads[i].last);
    }
    for (int i = 0; i < m->n_slots; i++)
        bp_batch_release(&m->slots[i]);
    bp_mem_free(m->key_cols);
    bp_mem_free(m->heads);
    bp_mem_free(m->heap);
    bp_mem_free(m->slots);
    bp_mem_free(m->refs);
    memset(m, 0, sizeof *m);
}

/* ---- comparing ---- */

static int compare(const struct bp_merger *m, const struct bp_merge_head *a, int64_t ra,
                   const struct bp_merge_head *b, int64_t rb)
{
    if (a->words[ra] != b->words[rb])
        return a->words[ra] < b->words[rb] ? -1 : 1;
    return bp_sort_compare(m->keys, m->plan.rest_key, &m->slots[a->slot], ra, &m->slots[b->slot],
                           rb);
}

/* Head a before head b; ties by number. */
static bool before(const struct bp_merger *m, int a, int b)
{
    const struct bp_merge_head *ha = &m->heads[a], *hb = &m->heads[b];
    int c = compare(m, ha, ha->row, hb, hb->row);

    return c ? c < 0 : a < b;
}

static void sift_down(struct bp_merger *m, int at)
{
    int head = m->heap[at];

    for (;;) {
        int child = 2 * at + 1;

        if (child >= m->n_heap)
            break;
        if (child + 1 < m->n_heap && before(m, m->heap[child + 1], m->heap[child]))
            child++;
        if (before(m, head, m->heap[child]))
            break;
        m->heap[at] = m->heap[child];
        at = child;
    }
    m->heap[at] = head;
}

/* ---- batches of an input ---- */

static int unsorted(const struct bp_merger *m, const struct bp_merge_head *h, int64_t row,
                    struct bp_err *err)
{
    char by[256];
    size_t n = 0;

    for (int i = 0; i < m->keys->n && n < sizeof by; i++)
        n += (size_t)snprintf(by + n, sizeof by - n, "%s%s", i ? ", " : "",
                              m->keys->order.items[i].text);
    return bp_fail(err, BP_EDATA,
                   "%s is not sorted: row %lld should stand before the row above it by '%s'; sort "
                   "it first, without -m",
                   h->in->name ? h->in->name : "an input", (long long)row, by);
}

/* The rows of the batch that h just got, and the one before them. */
static int check_batch(const struct bp_merger *m, const struct bp_merge_head *h, struct bp_err *err)
{
    const struct bp_batch *b = &m->slots[h->slot];
    const uint64_t *w = h->words;
    int rest = m->plan.rest_key;

    if (h->last.n_rows &&
        (w[0] < h->last_word ||
         (w[0] == h->last_word && bp_sort_compare(m->keys, rest, &h->last, 0, b, 0) > 0)))
        return unsorted(m, h, b->first_row + 1, err);
    for (int64_t i = 1; i < b->n_rows; i++)
        if (w[i] < w[i - 1] || (w[i] == w[i - 1] && rest < m->keys->n &&
                                bp_sort_compare(m->keys, rest, b, i - 1, b, i) > 0))
            return unsorted(m, h, b->first_row + i + 1, err);
    return 0;
}

static int keep_last(const struct bp_merger *m, struct bp_merge_head *h, struct bp_err *err)
{
    int32_t row = (int32_t)h->n_rows - 1;

    bp_batch_release(&h->last);
    BP_TRY(bp_batch_gather(&h->last, &m->slots[h->slot], &row, 1, err));
    h->last_word = h->words[row];
    return 0;
}

static int make_words(struct bp_merger *m, struct bp_merge_head *h, struct bp_err *err)
{
    const struct bp_batch *b = &m->slots[h->slot];
    uint64_t *words;

    bp_block_unref(h->block);
    h->block = NULL;
    BP_TRY(bp_block_new(&h->block, (size_t)b->n_rows * sizeof *words, err));
    h->words = words = (uint64_t *)(void *)h->block->data;
    for (int k = 0; k < m->keys->n; k++)
        m->key_cols[k] = &b->cols[m->keys->keys[k].col];
    bp_sort_words(&m->plan, 0, m->key_cols, 0, b->n_rows, words);
    return 0;
}

static int add_slot(struct bp_merger *m, struct bp_batch *b, struct bp_err *err)
{
    if (m->n_slots == m->cap_slots) {
        int want = m->cap_slots ? m->cap_slots * 2 : m->n_ins + 8;
        struct bp_batch *bigger = bp_mem_grow(m->slots, (size_t)want, sizeof *bigger, err);

        if (!bigger)
            return err->code;
        m->slots = bigger;
        m->cap_slots = want;
    }
    bp_batch_move(&m->slots[m->n_slots++], b);
    return 0;
}

static int start_batch(struct bp_merger *m, struct bp_merge_head *h, struct bp_batch *b,
                       struct bp_err *err)
{
    h->row = 0;
    h->n_rows = b->n_rows;
    BP_TRY(bp_sort_keys_add(m->keys, b, err));
    BP_TRY(add_slot(m, b, err));
    h->slot = m->n_slots - 1;
    BP_TRY(make_words(m, h, err));
    if (!m->check)
        return 0;
    BP_TRY(check_batch(m, h, err));
    return keep_last(m, h, err);
}

/* The next batch with rows, or BP_DONE. */
static int load(struct bp_merger *m, struct bp_merge_head *h, struct bp_err *err)
{
    struct bp_batch b;
    int rc;

    do {
        rc = bp_source_next(h->in, &b, err);
        if (rc)
            return rc;
        if (b.n_rows == 0)
            bp_batch_release(&b);
    } while (b.n_rows == 0);
    rc = start_batch(m, h, &b, err);
    bp_batch_release(&b);
    return rc;
}

static int start(struct bp_merger *m, struct bp_err *err)
{
    for (int i = 0; i < m->n_ins; i++) {
        int rc = load(m, &m->heads[i], err);

        if (rc < 0)
            return rc;
        if (rc == 0)
            m->heap[m->n_heap++] = i;
    }
    for (int at = m->n_heap / 2 - 1; at >= 0; at--)
        sift_down(m, at);
    m->started = true;
    return 0;
}

/* ---- output ---- */

/* How many rows of the least head, at most max, come before all other heads. */
static int64_t run_length(const struct bp_merger *m, int64_t max)
{
    int least = m->heap[0], second;
    const struct bp_merge_head *h = &m->heads[least], *s;
    int64_t n = 1;
    int c;

    if (m->n_heap == 1)
        return max;
    second = m->n_heap > 2 && before(m, m->heap[2], m->heap[1]) ? m->heap[2] : m->heap[1];
    s = &m->heads[second];
    c = compare(m, h, h->row + max - 1, s, s->row);
    if (c ? c < 0 : least < second)
        return max;
    for (; n < max; n++) {
        uint64_t w = h->words[h->row + n], sw = s->words[s->row];

        if (w < sw)
            continue;
        c = compare(m, h, h->row + n, s, s->row);
        if (!(c ? c < 0 : least < second))
            break;
    }
    return n;
}

/* Moves slots that heads still use to the front, and releases the others. */
static void forget_slots(struct bp_merger *m)
{
    int n = 0;

    for (int i = 0; i < m->n_slots; i++) {
        int user = -1;

        for (int k = 0; k < m->n_heap && user < 0; k++)
            if (m->heads[m->heap[k]].slot == i)
                user = m->heap[k];
        if (user < 0) {
            bp_batch_release(&m->slots[i]);
            continue;
        }
        if (n != i)
            bp_batch_move(&m->slots[n], &m->slots[i]);
        m->heads[user].slot = n++;
    }
    m->n_slots = n;
}

static int gather_refs(struct bp_merger *m, struct bp_batch *out, struct bp_err *err)
{
    const struct bp_column **srcs = bp_mem_new((size_t)m->n_slots, sizeof *srcs, err);
    int rc = 0;

    if (!srcs)
        return err->code;
    BP_GO(bp_batch_init(out, m->keys->n_in, err));
    for (int c = 0; c < out->n_cols; c++) {
        for (int i = 0; i < m->n_slots; i++)
            srcs[i] = &m->slots[i].cols[c];
        BP_GO(bp_column_gather_many(&out->cols[c], srcs, m->n_slots, m->refs, m->n_refs, err));
    }
    out->n_rows = m->n_refs;
    m->n_refs = 0;
out:
    bp_mem_free(srcs);
    if (rc < 0)
        bp_batch_release(out);
    return rc;
}

static int pass_rows(struct bp_merger *m, const struct bp_merge_head *h, int64_t n,
                     struct bp_batch *out, struct bp_err *err)
{
    const struct bp_batch *b = &m->slots[h->slot];

    BP_TRY(h->row == 0 && n == b->n_rows ? bp_batch_ref(out, b, err)
                                         : bp_batch_slice(out, b, h->row, n, err));
    bp_sort_keys_drop(m->keys, out);
    return 0;
}

/* The least head has used n more rows: its next batch, and its place in the heap. */
static int advance(struct bp_merger *m, int64_t n, struct bp_err *err)
{
    struct bp_merge_head *h = &m->heads[m->heap[0]];
    int rc = 0;

    h->row += n;
    if (h->row == h->n_rows)
        rc = load(m, h, err);
    if (rc < 0)
        return rc;
    if (rc == BP_DONE)
        m->heap[0] = m->heap[--m->n_heap];
    if (m->n_heap)
        sift_down(m, 0);
    return 0;
}

static int next_batch(struct bp_merger *m, struct bp_batch *out, struct bp_err *err)
{
    while (m->n_heap && m->n_refs < m->batch_rows) {
        const struct bp_merge_head *h = &m->heads[m->heap[0]];
        int64_t rest = h->n_rows - h->row, n;

        n = run_length(m, rest);
        if (m->n_refs == 0 && n >= m->batch_rows / 2) {
            BP_TRY(pass_rows(m, h, n, out, err));
            if (advance(m, n, err) < 0) {
                bp_batch_release(out);
                return err->code;
            }
            return 0;
        }
        n = BP_MIN(n, m->batch_rows - m->n_refs);
        for (int64_t i = 0; i < n; i++)
            m->refs[m->n_refs++] = (uint64_t)h->slot << 32 | (uint64_t)(h->row + i);
        BP_TRY(advance(m, n, err));
    }
    return m->n_refs ? gather_refs(m, out, err) : BP_DONE;
}

int bp_merger_next(struct bp_merger *m, struct bp_batch *out, struct bp_err *err)
{
    int rc;

    if (!m->started)
        BP_TRY(start(m, err));
    rc = next_batch(m, out, err);
    if (rc)
        return rc;
    forget_slots(m);
    out->first_row = m->n_rows;
    m->n_rows += out->n_rows;
    return 0;
}
