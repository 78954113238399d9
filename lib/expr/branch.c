/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms that choose: AND, OR, CASE, COALESCE, try(). A branch is run only
 * over the rows that reach it, so a value that nobody asked for cannot fail.
 * Positions count rows of the vector that is being made, 0 to ev->n - 1; a
 * selection lists rows of the batch.
 */
#include <string.h>

#include "expr/eval.h"

/* ---- a part of the rows ---- */

struct part {
    struct bp_eval ev;
    struct bp_block *sel;
};

/* The rows of ev at m positions. */
static int part_open(struct part *p, const struct bp_eval *ev, const int32_t *pos, int64_t m)
{
    int32_t *to;

    p->ev = *ev;
    p->sel = NULL;
    if (m == ev->n)
        return 0;
    p->ev.n = m;
    p->ev.sel = pos;
    if (!ev->sel)
        return 0;
    BP_TRY(bp_block_new(&p->sel, (size_t)m * sizeof *to, ev->err));
    to = (int32_t *)p->sel->data;
    for (int64_t i = 0; i < m; i++)
        to[i] = ev->sel[pos[i]];
    p->ev.sel = to;
    return 0;
}

static int part_eval(const struct bp_eval *ev, const int32_t *pos, int64_t m,
                     const struct bp_node *nd, struct bp_vec *out)
{
    struct part p;
    int rc;

    BP_TRY(part_open(&p, ev, pos, m));
    rc = bp_node_eval(&p.ev, nd, out);
    bp_block_unref(p.sel);
    return rc;
}

/* ---- AND, OR ---- */

/* Truth in three values: bits t (true) and f (false); neither is NULL. */
struct truth {
    struct bp_block *own;
    uint64_t *t, *f;
    int64_t n, n_words;
};

static int truth_open(struct truth *x, int64_t n, struct bp_err *err)
{
    x->n = n;
    x->n_words = (n + 63) / 64;
    BP_TRY(bp_block_new(&x->own, (size_t)x->n_words * 16 + 16, err));
    x->t = (uint64_t *)(void *)x->own->data;
    x->f = x->t + x->n_words;
    return 0;
}

static uint64_t word_at(const uint8_t *bits, int64_t w, int64_t n)
{
    uint64_t v = 0;
    int64_t left = n - w * 64;

    memcpy(&v, bits + w * 8, left >= 64 ? 8 : bp_bits_bytes(left));
    return left >= 64 ? v : v & ((UINT64_C(1) << left) - 1);
}

static void truth_from(struct truth *x, const struct bp_vec *v)
{
    if (v->one) {
        bool null = v->c.n_nulls, yes = !null && (*(const uint8_t *)v->c.data & 1);

        memset(x->t, yes ? 0xff : 0, (size_t)x->n_words * 8);
        memset(x->f, !yes && !null ? 0xff : 0, (size_t)x->n_words * 8);
        return;
    }
    for (int64_t w = 0; w < x->n_words; w++) {
        uint64_t t = word_at(v->c.data, w, x->n);

        x->t[w] = t;
        x->f[w] = v->c.n_nulls ? ~t & word_at(v->c.valid, w, x->n) : ~t;
    }
}

/* Rows at pos get v's truth, all others the neutral one. */
static void truth_spread(struct truth *x, const struct bp_vec *v, const int32_t *pos, int64_t m,
                         bool neutral)
{
    memset(x->t, neutral ? 0xff : 0, (size_t)x->n_words * 8);
    memset(x->f, neutral ? 0 : 0xff, (size_t)x->n_words * 8);
    for (int64_t i = 0; i < m; i++) {
        int64_t j = v->one ? 0 : i;
        bool t = bp_bit_get(v->c.data, j), null = bp_column_is_null(&v->c, j);

        bp_bit_put((uint8_t *)x->t, pos[i], t);
        bp_bit_put((uint8_t *)x->f, pos[i], !t && !null);
    }
}

/* a = a op b; returns the rows that a further argument can still change. */
static int64_t truth_join(struct truth *a, const struct truth *b, bool is_and)
{
    int64_t open = 0;

    for (int64_t w = 0; w < a->n_words; w++) {
        uint64_t t = is_and ? a->t[w] & b->t[w] : a->t[w] | b->t[w];
        uint64_t f = is_and ? a->f[w] | b->f[w] : a->f[w] & b->f[w];
        uint64_t undecided = is_and ? ~f : ~t;

        a->t[w] = t;
        a->f[w] = f;
        if (w == a->n_words - 1 && a->n % 64)
            undecided &= (UINT64_C(1) << (a->n % 64)) - 1;
        open += __builtin_popcountll(undecided);
    }
    return open;
}

/* Positions that are not decided yet. */
static int undecided(const struct truth *a, bool is_and, struct bp_block **own, int64_t *m,
                     struct bp_err *err)
{
    struct bp_block *bits;
    uint64_t *w;

    BP_TRY(bp_block_new(&bits, (size_t)a->n_words * 8, err));
    w = (uint64_t *)(void *)bits->data;
    for (int64_t i = 0; i < a->n_words; i++)
        w[i] = is_and ? ~a->f[i] : ~a->t[i];
    if (bp_block_new(own, ((size_t)a->n + 8) * sizeof(int32_t), err) >= 0)
        *m = bp_bits_select(bits->data, a->n, (int32_t *)(*own)->data);
    bp_block_unref(bits);
    return err->code;
}

/* One more argument into acc; *open is the number of undecided rows. */
static int logic_arg(const struct bp_eval *ev, const struct bp_node *arg, bool is_and,
                     struct truth *acc, struct truth *tmp, int64_t *open)
{
    bool narrow = *open < ev->n && (arg->fallible || (arg->slow && *open < ev->n / 2));
    struct bp_block *pos = NULL;
    struct bp_vec v;
    int64_t m = 0;
    int rc;

    if (narrow) {
        BP_TRY(undecided(acc, is_and, &pos, &m, ev->err));
        rc = part_eval(ev, (const int32_t *)pos->data, m, arg, &v);
        if (rc >= 0)
            truth_spread(tmp, &v, (const int32_t *)pos->data, m, is_and);
        bp_block_unref(pos);
    } else {
        rc = bp_node_eval(ev, arg, &v);
        if (rc >= 0)
            truth_from(tmp, &v);
    }
    if (rc < 0)
        return rc;
    bp_vec_release(&v);
    *open = truth_join(acc, tmp, is_and);
    return 0;
}

static int truth_column(const struct truth *x, struct bp_column *out, struct bp_err *err)
{
    struct bp_block *valid;
    void *data;
    uint64_t *w;

    BP_TRY(bp_vec_fixed(out, BP_TYPE(BP_BOOL), x->n, &data, err));
    memcpy(data, x->t, (size_t)x->n_words * 8);
    BP_TRY(bp_block_new(&valid, (size_t)x->n_words * 8 + 8, err));
    w = (uint64_t *)(void *)valid->data;
    for (int64_t i = 0; i < x->n_words; i++)
        w[i] = x->t[i] | x->f[i];
    bp_vec_set_valid(out, valid);
    return 0;
}

int bp_eval_logic(const struct bp_eval *ev, const struct bp_node *nd, struct bp_vec *out)
{
    struct truth acc = {0}, tmp = {0};
    bool is_and = nd->kind == BP_N_AND;
    int64_t open = ev->n;
    int rc;

    BP_TRY(truth_open(&acc, ev->n, ev->err));
    rc = truth_open(&tmp, ev->n, ev->err);
    memset(acc.t, is_and ? 0xff : 0, (size_t)acc.n_words * 8);
    memset(acc.f, is_and ? 0 : 0xff, (size_t)acc.n_words * 8);
    for (int a = 0; a < nd->n_args && rc >= 0 && open > 0; a++)
        rc = logic_arg(ev, nd->args[a], is_and, &acc, &tmp, &open);
    if (rc >= 0)
        rc = truth_column(&acc, &out->c, ev->err);
    bp_block_unref(acc.own);
    bp_block_unref(tmp.own);
    if (rc < 0)
        bp_vec_release(out);
    return rc;
}

/* ---- CASE, COALESCE: results of several branches in one column ---- */

struct mosaic {
    const struct bp_eval *ev;
    struct bp_type type;
    struct bp_vec *piece; /* one per branch that was taken */
    int n_pieces, cap;
    uint64_t *ref; /* row by row: piece and row in it; UINT64_MAX is NULL */
    struct bp_block *ref_own, *rest_own;
    int32_t *rest; /* positions without a result yet */
    int64_t n_rest;
};

static int mosaic_open(struct mosaic *x, const struct bp_eval *ev, struct bp_type type, int cap)
{
    *x = (struct mosaic){.ev = ev, .type = type, .cap = cap, .n_rest = ev->n};
    x->piece = bp_mem_new((size_t)cap, sizeof *x->piece, ev->err);
    if (!x->piece)
        return ev->err->code;
    BP_TRY(bp_block_new(&x->ref_own, (size_t)ev->n * sizeof *x->ref, ev->err));
    BP_TRY(bp_block_new(&x->rest_own, ((size_t)ev->n + 8) * sizeof *x->rest, ev->err));
    x->ref = (uint64_t *)(void *)x->ref_own->data;
    x->rest = (int32_t *)x->rest_own->data;
    memset(x->ref, 0xff, (size_t)ev->n * sizeof *x->ref);
    for (int64_t i = 0; i < ev->n; i++)
        x->rest[i] = (int32_t)i;
    return 0;
}

static void mosaic_release(struct mosaic *x)
{
    for (int i = 0; i < x->n_pieces; i++)
        bp_vec_release(&x->piece[i]);
    bp_mem_free(x->piece);
    bp_block_unref(x->ref_own);
    bp_block_unref(x->rest_own);
}

/* Rows pos[k] are rows k of v (or its only one). Takes v. */
static void mosaic_put(struct mosaic *x, const int32_t *pos, int64_t m, struct bp_vec *v)
{
    uint64_t p = (uint64_t)x->n_pieces << 32;

    x->piece[x->n_pieces++] = *v;
    for (int64_t k = 0; k < m; k++)
        x->ref[pos[k]] = p | (v->one ? 0 : (uint64_t)k);
}

static int mosaic_close(struct mosaic *x, struct bp_vec *out)
{
    const struct bp_column **src;
    int rc;

    if (x->n_pieces == 0)
        return bp_column_nulls(&out->c, x->type, x->ev->n, x->ev->err);
    src = bp_mem_new((size_t)x->n_pieces, sizeof *src, x->ev->err);
    if (!src)
        return x->ev->err->code;
    for (int i = 0; i < x->n_pieces; i++)
        src[i] = &x->piece[i].c;
    rc = bp_column_gather_many(&out->c, src, x->n_pieces, x->ref, x->ev->n, x->ev->err);
    bp_mem_free(src);
    return rc;
}

/* The rest where v is true goes to yes, where it is not stays in the rest. */
static int64_t split_rest(struct mosaic *x, const struct bp_vec *v, int32_t *yes)
{
    int64_t n_yes = 0, n_no = 0;

    for (int64_t k = 0; k < x->n_rest; k++) {
        int32_t pos = x->rest[k];
        bool t = bp_bit_get(v->c.data, v->one ? 0 : k);

        yes[n_yes] = pos;
        x->rest[n_no] = pos;
        n_yes += t;
        n_no += !t;
    }
    x->n_rest = n_no;
    return n_yes;
}

static int case_branch(struct mosaic *x, const struct bp_node *when, const struct bp_node *then,
                       int32_t *yes)
{
    struct bp_vec v;
    int64_t n_yes;

    BP_TRY(part_eval(x->ev, x->rest, x->n_rest, when, &v));
    n_yes = split_rest(x, &v, yes);
    bp_vec_release(&v);
    if (n_yes == 0)
        return 0;
    BP_TRY(part_eval(x->ev, yes, n_yes, then, &v));
    mosaic_put(x, yes, n_yes, &v);
    return 0;
}

static int case_run(struct mosaic *x, const struct bp_node *nd, int32_t *yes, struct bp_vec *out)
{
    int a;

    for (a = 0; a + 1 < nd->n_args && x->n_rest > 0; a += 2)
        BP_TRY(case_branch(x, nd->args[a], nd->args[a + 1], yes));
    if (a + 1 == nd->n_args && x->n_rest > 0) {
        struct bp_vec v;

        BP_TRY(part_eval(x->ev, x->rest, x->n_rest, nd->args[a], &v));
        mosaic_put(x, x->rest, x->n_rest, &v);
    }
    return mosaic_close(x, out);
}

int bp_eval_case(const struct bp_eval *ev, const struct bp_node *nd, struct bp_vec *out)
{
    struct bp_block *yes = NULL;
    struct mosaic x;
    int rc;

    rc = mosaic_open(&x, ev, nd->type, nd->n_args / 2 + 1);
    if (rc >= 0)
        rc = bp_block_new(&yes, ((size_t)ev->n + 8) * sizeof(int32_t), ev->err);
    if (rc >= 0)
        rc = case_run(&x, nd, (int32_t *)yes->data, out);
    bp_block_unref(yes);
    mosaic_release(&x);
    if (rc < 0)
        bp_vec_release(out);
    return rc;
}

/* Keep in the rest where v is NULL; v gives all rows of the rest their value. */
static int coalesce_arg(struct mosaic *x, const struct bp_node *arg)
{
    struct bp_vec v;
    int64_t n_no = 0;

    BP_TRY(part_eval(x->ev, x->rest, x->n_rest, arg, &v));
    mosaic_put(x, x->rest, x->n_rest, &v);
    for (int64_t k = 0; k < x->n_rest; k++) {
        x->rest[n_no] = x->rest[k];
        n_no += bp_column_is_null(&v.c, v.one ? 0 : k);
    }
    x->n_rest = n_no;
    return 0;
}

int bp_eval_coalesce(const struct bp_eval *ev, const struct bp_node *nd, struct bp_vec *out)
{
    struct mosaic x;
    int rc;

    rc = mosaic_open(&x, ev, nd->type, nd->n_args);
    for (int a = 0; a < nd->n_args && rc >= 0 && x.n_rest > 0; a++)
        rc = coalesce_arg(&x, nd->args[a]);
    if (rc >= 0 && x.n_pieces == 1 && x.n_rest == 0) {
        *out = x.piece[0];
        x.n_pieces = 0;
    } else if (rc >= 0) {
        rc = mosaic_close(&x, out);
    }
    mosaic_release(&x);
    return rc;
}

/* ---- try ---- */

/* Rows of v that are marked bad become NULL. */
static int drop_bad(const struct bp_eval *ev, const uint8_t *bad, struct bp_vec *v)
{
    struct bp_column out;
    struct bp_block *idx;
    int32_t *to;
    int rc;

    BP_TRY(bp_block_new(&idx, (size_t)ev->n * sizeof *to, ev->err));
    to = (int32_t *)idx->data;
    for (int64_t i = 0; i < ev->n; i++)
        to[i] = bp_bit_get(bad, ev->sel ? ev->sel[i] : i) ? -1 : v->one ? 0 : (int32_t)i;
    rc = bp_column_gather(&out, &v->c, to, ev->n, ev->err);
    bp_block_unref(idx);
    if (rc < 0)
        return rc;
    bp_vec_release(v);
    v->c = out;
    return 0;
}

int bp_eval_try(const struct bp_eval *ev, const struct bp_node *nd, struct bp_vec *out)
{
    size_t bytes = bp_bits_bytes(ev->in->n_rows);
    struct bp_eval sub = *ev;
    struct bp_block *bad;
    int rc;

    BP_TRY(bp_block_new(&bad, bytes + 8, ev->err));
    memset(bad->data, 0, bytes + 8);
    sub.bad = bad->data;
    rc = bp_node_eval(&sub, nd->args[0], out);
    if (rc >= 0 && bp_bits_count(bad->data, ev->in->n_rows) > 0)
        rc = drop_bad(ev, bad->data, out);
    bp_block_unref(bad);
    if (rc < 0)
        bp_vec_release(out);
    return rc;
}
