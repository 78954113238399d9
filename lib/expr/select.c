/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows by truth. The terms of a conjunction are run one after the other: cheap
 * ones that cannot fail over all rows, word by word; the others only over the
 * rows that are left. Bits become row numbers eight at a time, without a
 * branch: a table gives the places of the set bits of a byte.
 */
#include "base/simd.h"

#include <string.h>

#include "expr/eval.h"

/* Byte k of places[b] is the place of the k-th set bit of b. */
static uint64_t places[256];

__attribute__((constructor)) static void fill_places(void)
{
    for (unsigned b = 0; b < 256; b++) {
        int k = 0;

        for (unsigned i = 0; i < 8; i++)
            if (b >> i & 1)
                places[b] |= (uint64_t)i << (8 * k++);
    }
}

int64_t bp_bits_select(const uint8_t *bits, int64_t n, int32_t *sel)
{
    int64_t m = 0, i = 0;

    for (; i + 64 <= n; i += 64) {
        uint64_t w = bp_load_u64(bits + i / 8);

        if (w == 0)
            continue;
        if (w == UINT64_MAX) {
            for (int k = 0; k < 64; k++)
                sel[m + k] = (int32_t)(i + k);
            m += 64;
            continue;
        }
        for (int b = 0; b < 8; b++, w >>= 8) {
            uint64_t p = places[w & 0xff];
            int32_t base = (int32_t)i + b * 8;

            for (int k = 0; k < 8; k++)
                sel[m + k] = base + (int32_t)(p >> (8 * k) & 0xff);
            m += __builtin_popcount(w & 0xff);
        }
    }
    for (; i < n; i++)
        if (bp_bit_get(bits, i))
            sel[m++] = (int32_t)i;
    return m;
}

/* sel[m + 8) may be written before m has grown, but never beyond row n: rows
 * before i have given at most i entries, and eight more fit while i + 8 <= n. */

struct picker {
    const struct bp_batch *in;
    int32_t *sel;
    int64_t n_sel;
    bool compact;          /* sel is filled; else bits hold the rows */
    struct bp_block *bits; /* NULL: all rows */
    struct bp_err *err;
};

static void pick_compact(struct picker *p)
{
    if (p->compact)
        return;
    p->compact = true;
    if (p->bits) {
        p->n_sel = bp_bits_select(p->bits->data, p->in->n_rows, p->sel);
        return;
    }
    for (int64_t i = 0; i < p->in->n_rows; i++)
        p->sel[i] = (int32_t)i;
    p->n_sel = p->in->n_rows;
}

/* Keep what v (over all rows) says. */
static int pick_dense(struct picker *p, const struct bp_vec *v)
{
    size_t bytes = bp_bits_bytes(p->in->n_rows);
    const uint8_t *t = v->c.data;

    if (v->one) {
        if (*t & 1)
            return 0;
        p->compact = true;
        p->n_sel = 0;
        return 0;
    }
    if (!p->bits) {
        BP_TRY(bp_block_new(&p->bits, bytes + 8, p->err));
        memcpy(p->bits->data, t, bytes);
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        p->bits->data[i] = (uint8_t)(p->bits->data[i] & t[i]);
    return 0;
}

static void pick_sparse(struct picker *p, const struct bp_vec *v)
{
    int64_t m = 0;

    if (v->one) {
        p->n_sel = (*(const uint8_t *)v->c.data & 1) ? p->n_sel : 0;
        return;
    }
    for (int64_t k = 0; k < p->n_sel; k++) {
        p->sel[m] = p->sel[k];
        m += bp_bit_get(v->c.data, k);
    }
    p->n_sel = m;
}

static int64_t rows_left(const struct picker *p)
{
    if (p->compact)
        return p->n_sel;
    return p->bits ? bp_bits_count(p->bits->data, p->in->n_rows) : p->in->n_rows;
}

static int pick_term(struct picker *p, const struct bp_node *term)
{
    struct bp_eval ev = {.in = p->in, .n = p->in->n_rows, .err = p->err};
    struct bp_vec v;
    int rc = 0;

    if (!p->compact && p->bits && (term->fallible || term->slow))
        if (term->fallible || rows_left(p) < p->in->n_rows / 2)
            pick_compact(p);
    if (!p->compact) {
        BP_TRY(bp_node_eval(&ev, term, &v));
        rc = pick_dense(p, &v);
    } else if (p->n_sel > 0) {
        ev.sel = p->n_sel < p->in->n_rows ? p->sel : NULL;
        ev.n = p->n_sel;
        BP_TRY(bp_node_eval(&ev, term, &v));
        pick_sparse(p, &v);
    } else {
        return 0;
    }
    bp_vec_release(&v);
    return rc;
}

static int pick(struct picker *p, const struct bp_node *nd)
{
    if (nd->kind != BP_N_AND)
        return pick_term(p, nd);
    for (int a = 0; a < nd->n_args; a++)
        BP_TRY(pick(p, nd->args[a]));
    return 0;
}

int bp_expr_select(const struct bp_expr *e, const struct bp_batch *in, int32_t *sel, int64_t *n_sel,
                   struct bp_err *err)
{
    struct picker p = {.in = in, .sel = sel, .err = err};
    int rc = 0;

    if (in->n_rows > 0)
        rc = pick(&p, e->root);
    if (rc >= 0)
        pick_compact(&p);
    *n_sel = p.n_sel;
    bp_block_unref(p.bits);
    return rc;
}
