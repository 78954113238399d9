/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approx_percentile(x, fraction): the value that has at least that part of all values up
 * to it, with a state that does not grow with the number of rows.
 *
 * A group counts values by their code: the double's bits, made to order as numbers do.
 * Up to EXACT_MAX different values the code is whole, and the result is the one of
 * percentile_disc. From then on the low 45 bits are cut off, which leaves, of each power
 * of two, 128 buckets of one width (the idea of DDSketch, with a logarithm that is linear
 * between powers of two); the result is the middle of its bucket: at most 1/256, that is
 * 0.4 %, beside the value. No bucket is ever joined with another for want of room, so
 * the counts depend on the values alone, and states merge in any order to the same bytes.
 * There are 128 buckets for each power of two between the smallest and the largest value.
 *
 *     state   version, form: 0 whole codes, 1 buckets; fraction (double); then for each
 *             code, ascending: the code (uint64), its count (int64); NULL: no value
 */
#include <math.h>
#include <string.h>

#include "agg/agg.h"
#include "agg/fraction.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"

#define VERSION 1
#define HEAD_BYTES 10
#define EXACT_MAX 256
#define LOW_BITS (((uint64_t)1 << 45) - 1)
#define SIGN ((uint64_t)1 << 63)
#define INFINITE 0xfff0000000000000u /* its code */

struct bucket {
    uint64_t code;
    int64_t count;
};

struct histogram {
    struct bucket *p;
    uint32_t n, cap;
    uint32_t last; /* where the last value went */
    bool is_coarse;
};

struct percentile {
    struct bp_agg base;
    struct bp_agg_array groups; /* struct histogram */
    struct bp_arena arena;      /* outgrown ones stay in it */
    struct bp_fraction fraction;
};

static int percentile_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    BP_TRY(bp_agg_array_grow(a, &((struct percentile *)a)->groups, sizeof(struct histogram),
                             n_groups, err));
    a->n_groups = n_groups;
    return 0;
}

static void percentile_release(struct bp_agg *a)
{
    bp_mem_free(((struct percentile *)a)->groups.p);
    bp_arena_release(&((struct percentile *)a)->arena);
}

/* ---- codes ---- */

/* NaN is above all; -0 is 0. */
static uint64_t code_of(double d)
{
    uint64_t u;

    if (d != d)
        return UINT64_MAX;
    d = d == 0 ? 0 : d;
    memcpy(&u, &d, sizeof u);
    return u & SIGN ? ~u : u | SIGN;
}

static double value_of(uint64_t code)
{
    double d;

    code = code & SIGN ? code ^ SIGN : ~code;
    memcpy(&d, &code, sizeof d);
    return d;
}

static double middle_of(uint64_t code)
{
    double lo = value_of(code), hi = value_of(code | LOW_BITS);

    if (code == (UINT64_MAX & ~LOW_BITS))
        return (double)NAN;
    if (code >= INFINITE)
        return (double)INFINITY;
    if (code < (~INFINITE & ~SIGN))
        return -(double)INFINITY;
    return lo == 0 ? 0 : lo + (hi - lo) / 2;
}

/* ---- counting ---- */

static void make_coarse(struct histogram *h)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < h->n; i++) {
        struct bucket b = {h->p[i].code & ~LOW_BITS, h->p[i].count};

        if (n && h->p[n - 1].code == b.code)
            h->p[n - 1].count += b.count;
        else
            h->p[n++] = b;
    }
    h->n = n;
    h->last = 0;
    h->is_coarse = true;
}

/* Where code is or belongs. Without a branch: values come in any order. */
static uint32_t find(const struct histogram *h, uint64_t code)
{
    const struct bucket *at = h->p;

    for (uint32_t n = h->n, half; n; n -= half) {
        half = (n + 1) / 2;
        at += at[half - 1].code < code ? half : 0;
        if (n == 1)
            break;
    }
    return (uint32_t)(at - h->p);
}

static int make_room(struct percentile *x, struct histogram *h, struct bp_err *err)
{
    uint32_t cap = h->cap ? 2 * h->cap : 2;
    struct bucket *p = bp_arena_alloc(&x->arena, cap * sizeof *p, err);

    if (!p)
        return err->code;
    if (h->n)
        memcpy(p, h->p, h->n * sizeof *p);
    h->p = p;
    h->cap = cap;
    return 0;
}

static int too_many(const struct bp_agg *a, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "column %s: the counts of the partial input are too large",
                   a->name);
}

static int add(struct percentile *x, struct histogram *h, uint64_t code, int64_t count,
               struct bp_err *err)
{
    uint32_t at;

    code = h->is_coarse ? code & ~LOW_BITS : code;
    at = h->last < h->n && h->p[h->last].code == code ? h->last : find(h, code);
    if (at == h->n || h->p[at].code != code) {
        if (!h->is_coarse && h->n == EXACT_MAX) {
            make_coarse(h);
            return add(x, h, code, count, err);
        }
        if (h->n == h->cap)
            BP_TRY(make_room(x, h, err));
        memmove(&h->p[at + 1], &h->p[at], (h->n - at) * sizeof *h->p);
        h->p[at] = (struct bucket){code, 0};
        h->n++;
    }
    h->last = at;
    return __builtin_add_overflow(h->p[at].count, count, &h->p[at].count) ? too_many(&x->base, err)
                                                                          : 0;
}

static int percentile_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct percentile *x = (struct percentile *)a;
    int64_t before = (int64_t)x->arena.total_bytes;
    struct histogram *h = x->groups.p;

    BP_TRY(bp_fraction_take_column(&x->fraction, a, &r->cols[1], err));
    for (int64_t i = 0; i < r->n_rows; i++) {
        if (bp_column_is_null(&r->cols[0], i))
            continue;
        BP_TRY(
            add(x, &h[r->ids ? r->ids[i] : 0], code_of(bp_agg_number_at(&r->cols[0], i)), 1, err));
    }
    a->held_bytes += (int64_t)x->arena.total_bytes - before;
    return 0;
}

/* ---- states ---- */

static bool good_state(const uint8_t *p, size_t n)
{
    size_t n_codes = n < HEAD_BYTES ? 0 : (n - HEAD_BYTES) / 16;
    uint64_t code, last = 0;

    if (!n_codes || n != HEAD_BYTES + 16 * n_codes || p[0] != VERSION || p[1] > 1 ||
        (!p[1] && n_codes > EXACT_MAX))
        return false;
    for (size_t i = 0; i < n_codes; i++) {
        code = bp_load_u64(p + HEAD_BYTES + 16 * i);
        if ((i && code <= last) || (p[1] && code & LOW_BITS) ||
            (int64_t)bp_load_u64(p + HEAD_BYTES + 16 * i + 8) <= 0)
            return false;
        last = code;
    }
    return true;
}

static int merge_one(struct percentile *x, struct histogram *h, const uint8_t *p, size_t n,
                     struct bp_err *err)
{
    double fraction;

    if (!good_state(p, n))
        return bp_fail(err, BP_EDATA, "column %s: a partial state is damaged", x->base.name);
    memcpy(&fraction, p + 2, sizeof fraction);
    BP_TRY(bp_fraction_take(&x->fraction, &x->base, fraction, err));
    if (p[1] && !h->is_coarse)
        make_coarse(h);
    for (size_t i = HEAD_BYTES; i < n; i += 16)
        BP_TRY(add(x, h, bp_load_u64(p + i), (int64_t)bp_load_u64(p + i + 8), err));
    return 0;
}

static int percentile_merge(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct percentile *x = (struct percentile *)a;
    int64_t before = (int64_t)x->arena.total_bytes;
    struct histogram *h = x->groups.p;

    for (int64_t i = 0; i < r->n_rows; i++) {
        size_t n;
        const uint8_t *p = bp_column_bytes(&r->cols[0], i, &n);

        if (!bp_column_is_null(&r->cols[0], i))
            BP_TRY(merge_one(x, &h[r->ids ? r->ids[i] : 0], p, n, err));
    }
    a->held_bytes += (int64_t)x->arena.total_bytes - before;
    return 0;
}

static int save_one(const struct percentile *x, const struct histogram *h, struct bp_buf *buf,
                    struct bp_builder *to, struct bp_err *err)
{
    uint8_t head[HEAD_BYTES] = {VERSION, h->is_coarse};

    if (!h->n)
        return bp_builder_add_null(to, err);
    memcpy(head + 2, &x->fraction.v, sizeof x->fraction.v);
    buf->len = 0;
    BP_TRY(bp_buf_append(buf, head, sizeof head, err));
    BP_TRY(bp_buf_append(buf, h->p, h->n * sizeof *h->p, err));
    return bp_builder_add_bytes(to, buf->data, buf->len, err);
}

static int percentile_save(struct bp_agg *a, const uint32_t *ids, int64_t n,
                           struct bp_column *parts, struct bp_err *err)
{
    const struct percentile *x = (struct percentile *)a;
    const struct histogram *h = x->groups.p;
    struct bp_buf buf = {0};
    struct bp_builder to;
    int rc;

    bp_builder_init(&to, BP_TYPE(BP_BINARY));
    BP_GO(bp_builder_reserve(&to, n, err));
    for (int64_t i = 0; i < n; i++)
        BP_GO(save_one(x, &h[ids[i]], &buf, &to, err));
    rc = bp_builder_finish(&to, parts, err);
out:
    bp_builder_release(&to);
    bp_buf_release(&buf);
    return rc;
}

/* ---- results ---- */

static int add_result(const struct percentile *x, const struct histogram *h, struct bp_builder *to,
                      struct bp_err *err)
{
    int64_t total = 0, rank;
    uint32_t i = 0;
    double v;

    if (!h->n)
        return bp_builder_add_null(to, err);
    for (uint32_t k = 0; k < h->n; k++)
        if (__builtin_add_overflow(total, h->p[k].count, &total))
            return too_many(&x->base, err);
    v = ceil(x->fraction.v * (double)total);
    rank = v < 1 ? 1 : v >= (double)total ? total : (int64_t)v;
    while (rank > h->p[i].count)
        rank -= h->p[i++].count;
    v = h->is_coarse ? middle_of(h->p[i].code) : value_of(h->p[i].code);
    return bp_builder_add(to, &v, err);
}

static int percentile_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                            struct bp_err *err)
{
    const struct percentile *x = (struct percentile *)a;
    const struct histogram *h = x->groups.p;
    struct bp_builder to;
    int rc;

    bp_builder_init(&to, a->result);
    BP_GO(bp_builder_reserve(&to, n, err));
    for (int64_t i = 0; i < n; i++)
        BP_GO(add_result(x, &h[ids[i]], &to, err));
    rc = bp_builder_finish(&to, out, err);
out:
    bp_builder_release(&to);
    return rc;
}

static const struct bp_agg_ops percentile_ops = {
    sizeof(struct percentile), percentile_grow,  percentile_update,  percentile_merge,
    percentile_save,           percentile_final, percentile_release,
};

static bool number_and_fraction(const struct bp_type *t)
{
    return bp_type_is_number(t[0]) && bp_type_is_number(t[1]);
}

static int percentile_types(const struct bp_type *args, struct bp_type *result,
                            struct bp_agg_part *parts)
{
    (void)args;
    *result = BP_TYPE(BP_FLOAT64);
    parts[0] = (struct bp_agg_part){NULL, BP_TYPE(BP_BINARY)};
    return 1;
}

const struct bp_agg_kind bp_agg_bucket_kinds[] = {
    {"approx_percentile", "number, fraction", 2, number_and_fraction, percentile_types,
     &percentile_ops},
    {0},
};
