/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows into the sums of moment.c. Floats and integers of up to 32 bits are one double
 * each: without NULLs, blocks of them are multiplied and added column by column. Other
 * values are up to three doubles, fed row by row.
 */
#include <math.h>

#include "agg/moment.h"

#define PIECES 3
#define PLAIN_ROWS 512
#define FEED_CAP 1024
#define FEED_ROW 9      /* of one row at most 9 products */
#define LARGEST 0x1p511 /* whose square is a double */

/* Doubles on their way into one exact sum: on the stack, as there may be a thousand aggregates. */
struct feed {
    double v[FEED_CAP];
    uint32_t ids[FEED_CAP + BP_AGG_AHEAD];
    int64_t n;
};

/* ---- rows of any values ---- */

static int split_int(bp_int128 v, double *to)
{
    int n = 0;

    do {
        double d = (double)v;

        to[n++] = d;
        v -= (bp_int128)d;
    } while (v && n < PIECES);
    return n;
}

/* Value i as doubles that add up to it. */
static int split(const struct bp_column *c, int64_t i, double *to)
{
    switch (c->type.kind) {
    case BP_FLOAT64: *to = ((const double *)c->data)[i]; return 1;
    case BP_FLOAT32: *to = (double)((const float *)c->data)[i]; return 1;
    case BP_INT8: *to = ((const int8_t *)c->data)[i]; return 1;
    case BP_INT16: *to = ((const int16_t *)c->data)[i]; return 1;
    case BP_INT32: *to = ((const int32_t *)c->data)[i]; return 1;
    case BP_UINT8: *to = ((const uint8_t *)c->data)[i]; return 1;
    case BP_UINT16: *to = ((const uint16_t *)c->data)[i]; return 1;
    case BP_UINT32: *to = ((const uint32_t *)c->data)[i]; return 1;
    case BP_INT64: return split_int(((const int64_t *)c->data)[i], to);
    case BP_UINT64: return split_int(((const uint64_t *)c->data)[i], to);
    default: return split_int(bp_column_decimal(c, i), to);
    }
}

static void feed_put(struct feed *f, double v, uint32_t id)
{
    f->v[f->n] = v;
    f->ids[f->n++] = id;
}

static int feed_flush(struct feed *f, struct bp_exact *x, struct bp_agg *a, struct bp_err *err)
{
    struct bp_column c = {.type = BP_TYPE(BP_FLOAT64), .n_rows = f->n, .data = f->v};
    struct bp_agg_rows r = {.cols = &c, .n_rows = f->n, .ids = f->ids};
    int64_t n = f->n;

    f->n = 0;
    return n ? bp_exact_add(x, a, &r, err) : 0;
}

/* Flushed where one row more might not fit. */
static int feed_check(struct feed *f, struct bp_exact *x, struct bp_agg *a, struct bp_err *err)
{
    return f->n > FEED_CAP - FEED_ROW ? feed_flush(f, x, a, err) : 0;
}

static bool has_value(const struct bp_agg *a, const struct bp_agg_rows *r, int64_t i)
{
    for (int k = 0; k < a->kind->n_args; k++)
        if (r->cols[k].n_nulls && !bp_bit_get(r->cols[k].valid, i))
            return false;
    return true;
}

static int sums_add(struct bp_moment *m, const struct bp_agg_rows *r, int arg, struct bp_err *err)
{
    struct bp_agg *a = &m->base;
    double p[PIECES];
    struct feed f;

    f.n = 0;
    for (int64_t i = 0; i < r->n_rows; i++) {
        if (!has_value(a, r, i))
            continue;
        BP_TRY(feed_check(&f, &m->sum[arg], a, err));
        for (int k = 0, pieces = split(&r->cols[arg], i, p); k < pieces; k++)
            feed_put(&f, p[k], r->ids ? r->ids[i] : 0);
    }
    return feed_flush(&f, &m->sum[arg], a, err);
}

static int too_large(const struct bp_agg *a, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA,
                   "column %s: a value of 2^511 or more, whose square no double holds, has "
                   "no %s; divide the argument",
                   a->name, a->kind->func);
}

/* Infinities and NaN are told by the sums. */
static int products_add(struct bp_moment *m, const struct bp_agg_rows *r, int product,
                        struct bp_err *err)
{
    const struct bp_column *cx = &r->cols[product == BP_YY], *cy = &r->cols[product != BP_XX];
    struct bp_agg *a = &m->base;
    double px[PIECES], py[PIECES], high, low;
    struct feed highs, lows;

    highs.n = lows.n = 0;
    for (int64_t i = 0; i < r->n_rows; i++) {
        uint32_t id = r->ids ? r->ids[i] : 0;
        int nx, ny;

        if (!has_value(a, r, i))
            continue;
        nx = split(cx, i, px);
        ny = split(cy, i, py);
        if (!isfinite(*px) || !isfinite(*py))
            continue;
        if (fabs(*px) >= LARGEST || fabs(*py) >= LARGEST)
            return too_large(a, err);
        BP_TRY(feed_check(&highs, &m->high[product], a, err));
        BP_TRY(feed_check(&lows, &m->low[product], a, err));
        for (int k = 0; k < nx * ny; k++) {
            high = px[k / ny] * py[k % ny];
            low = fma(px[k / ny], py[k % ny], -high);
            feed_put(&highs, high, id);
            if (low != 0)
                feed_put(&lows, low, id);
        }
    }
    BP_TRY(feed_flush(&highs, &m->high[product], a, err));
    return feed_flush(&lows, &m->low[product], a, err);
}

/* ---- rows of values that are one double each ---- */

/* No NULLs, and no value that is more than one double: whole blocks of them go in at once. */
static bool is_plain(const struct bp_agg *a, const struct bp_agg_rows *r)
{
    for (int k = 0; k < a->kind->n_args; k++) {
        struct bp_type t = r->cols[k].type;

        if (r->cols[k].n_nulls || !(bp_type_is_float(t) || bp_type_is_int(t)) ||
            t.kind == BP_INT64 || t.kind == BP_UINT64)
            return false;
    }
    return true;
}

#define DOUBLES(T)                                                                                 \
    do {                                                                                           \
        const T *v = (const T *)c->data + from;                                                    \
        for (int64_t i = 0; i < n; i++)                                                            \
            to[i] = (double)v[i];                                                                  \
    } while (0)

static void doubles_of(const struct bp_column *c, int64_t from, int64_t n, double *to)
{
    switch (c->type.kind) {
    case BP_INT8: DOUBLES(int8_t); break;
    case BP_INT16: DOUBLES(int16_t); break;
    case BP_INT32: DOUBLES(int32_t); break;
    case BP_UINT8: DOUBLES(uint8_t); break;
    case BP_UINT16: DOUBLES(uint16_t); break;
    case BP_UINT32: DOUBLES(uint32_t); break;
    case BP_FLOAT32: DOUBLES(float); break;
    default: DOUBLES(double);
    }
}

/* False: a value is NaN, infinite or has no square. */
static bool all_small(const double *v, int64_t n)
{
    bool small = true;

    for (int64_t i = 0; i < n; i++)
        small &= fabs(v[i]) < LARGEST;
    return small;
}

static int add_block(struct bp_moment *m, struct bp_exact *x, double *v, int64_t n,
                     const uint32_t *ids, struct bp_err *err)
{
    struct bp_column c = {.type = BP_TYPE(BP_FLOAT64), .n_rows = n, .data = v};
    struct bp_agg_rows r = {.cols = &c, .n_rows = n, .ids = ids};

    return bp_exact_add(x, &m->base, &r, err);
}

static int products_block(struct bp_moment *m, int product, const double *x, const double *y,
                          int64_t n, const uint32_t *ids, struct bp_err *err)
{
    double high[PLAIN_ROWS], low[PLAIN_ROWS];
    bool lost = false;

    for (int64_t i = 0; i < n; i++) {
        high[i] = x[i] * y[i];
        low[i] = fma(x[i], y[i], -high[i]);
        lost |= low[i] != 0;
    }
    BP_TRY(add_block(m, &m->high[product], high, n, ids, err));
    return lost ? add_block(m, &m->low[product], low, n, ids, err) : 0;
}

/* *done false: some value needs the other way, and nothing was added. */
static int plain_block(struct bp_moment *m, const struct bp_agg_rows *r, int64_t from, int64_t n,
                       bool *done, struct bp_err *err)
{
    const uint32_t *ids = r->ids ? r->ids + from : NULL;
    int n_args = m->base.kind->n_args;
    double v[2][PLAIN_ROWS];

    *done = true;
    for (int k = 0; k < n_args; k++) {
        doubles_of(&r->cols[k], from, n, v[k]);
        *done &= all_small(v[k], n);
    }
    if (!*done)
        return 0;
    for (int k = 0; k < n_args; k++)
        BP_TRY(add_block(m, &m->sum[k], v[k], n, ids, err));
    for (int k = 0; k < BP_PRODUCTS; k++)
        if (bp_moment_needs(&m->base, k))
            BP_TRY(products_block(m, k, v[k == BP_YY], v[k != BP_XX], n, ids, err));
    return 0;
}

/* ---- all rows ---- */

static int add_rows(struct bp_moment *m, const struct bp_agg_rows *r, struct bp_err *err)
{
    for (int k = 0; k < m->base.kind->n_args; k++)
        BP_TRY(sums_add(m, r, k, err));
    for (int k = 0; k < BP_PRODUCTS; k++)
        if (bp_moment_needs(&m->base, k))
            BP_TRY(products_add(m, r, k, err));
    return 0;
}

static int add_plain(struct bp_moment *m, const struct bp_agg_rows *r, struct bp_err *err)
{
    for (int64_t from = 0, n; from < r->n_rows; from += n) {
        struct bp_column cols[2] = {0};
        struct bp_agg_rows part = {.cols = cols, .ids = r->ids ? r->ids + from : NULL};
        bool done;
        int rc = 0;

        n = part.n_rows = BP_MIN(r->n_rows - from, PLAIN_ROWS);
        BP_TRY(plain_block(m, r, from, n, &done, err));
        if (done)
            continue;
        for (int k = 0; k < m->base.kind->n_args && rc == 0; k++)
            rc = bp_column_slice(&cols[k], &r->cols[k], from, n, err);
        if (rc == 0)
            rc = add_rows(m, &part, err);
        for (int k = 0; k < 2; k++)
            bp_column_release(&cols[k]);
        BP_TRY(rc);
    }
    return 0;
}

int bp_moment_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct bp_moment *m = (struct bp_moment *)a;
    int64_t *count = m->n.p;

    for (int64_t i = 0; i < r->n_rows; i++)
        count[r->ids ? r->ids[i] : 0] += has_value(a, r, i);
    return is_plain(a, r) ? add_plain(m, r, err) : add_rows(m, r, err);
}
