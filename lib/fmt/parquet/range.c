/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/range.h"

#include <math.h>
#include <string.h>

#define BOUND_MAX_BYTES 64

void bp_pq_range_release(struct bp_pq_range *r)
{
    bp_buf_release(&r->min_bytes);
    bp_buf_release(&r->max_bytes);
    *r = (struct bp_pq_range){0};
}

static float as_float(uint64_t w)
{
    uint32_t bits = (uint32_t)w;
    float f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

static double as_double(uint64_t w)
{
    double d;

    memcpy(&d, &w, sizeof d);
    return d;
}

/* ---- words ---- */

static int compare_words(enum bp_pq_order order, uint64_t a, uint64_t b)
{
    switch (order) {
    case BP_PQ_SIGNED: return ((int64_t)a > (int64_t)b) - ((int64_t)a < (int64_t)b);
    case BP_PQ_FLOAT32: return (as_float(a) > as_float(b)) - (as_float(a) < as_float(b));
    case BP_PQ_FLOAT64: return (as_double(a) > as_double(b)) - (as_double(a) < as_double(b));
    default: return (a > b) - (a < b);
    }
}

static bool is_nan(enum bp_pq_order order, uint64_t w)
{
    return (order == BP_PQ_FLOAT32 && isnan(as_float(w))) ||
           (order == BP_PQ_FLOAT64 && isnan(as_double(w)));
}

static void add_word(struct bp_pq_range *r, enum bp_pq_order order, uint64_t w)
{
    if (is_nan(order, w))
        return;
    if (!r->any) {
        r->any = true;
        r->min = r->max = w;
        return;
    }
    if (compare_words(order, w, r->min) < 0)
        r->min = w;
    if (compare_words(order, w, r->max) > 0)
        r->max = w;
}

/* All of them, in a loop that the compiler turns into vectors. */
static void add_signed(struct bp_pq_range *r, const int64_t *v, int64_t n)
{
    int64_t low = r->any ? (int64_t)r->min : v[0], high = r->any ? (int64_t)r->max : v[0];

    for (int64_t i = 0; i < n; i++) {
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
    }
    r->any = true;
    r->min = (uint64_t)low;
    r->max = (uint64_t)high;
}

/* ---- bytes ---- */

static int compare_bytes(enum bp_pq_order order, const uint8_t *a, size_t na, const uint8_t *b,
                         size_t nb)
{
    size_t n = BP_MIN(na, nb);
    int c = 0;

    /* the sign is in the first byte; behind it, and in it but for the sign, all is unsigned */
    if (order == BP_PQ_BIG_ENDIAN && na && nb && (a[0] ^ b[0]) & 0x80)
        return a[0] & 0x80 ? -1 : 1;
    if (n) /* an empty text may have no address */
        c = memcmp(a, b, n);
    return c ? c : (na > nb) - (na < nb);
}

static int set(struct bp_buf *b, const uint8_t *p, size_t n, struct bp_err *err)
{
    b->len = 0;
    return bp_buf_append(b, p, n, err);
}

static int add_bytes(struct bp_pq_range *r, enum bp_pq_order order, const uint8_t *p, size_t n,
                     struct bp_err *err)
{
    if (!r->any || compare_bytes(order, p, n, r->min_bytes.data, r->min_bytes.len) < 0)
        BP_TRY(set(&r->min_bytes, p, n, err));
    if (!r->any || compare_bytes(order, p, n, r->max_bytes.data, r->max_bytes.len) > 0)
        BP_TRY(set(&r->max_bytes, p, n, err));
    r->any = true;
    return 0;
}

int bp_pq_range_add(struct bp_pq_range *r, const struct bp_pq_layout *l,
                    const struct bp_pq_words *w, const uint8_t *use, struct bp_err *err)
{
    if (l->order == BP_PQ_NO_ORDER || w->n == 0)
        return 0;
    if (w->words && !use && l->order == BP_PQ_SIGNED) {
        add_signed(r, (const int64_t *)(const void *)w->words, w->n);
        return 0;
    }
    for (int64_t i = 0; i < w->n; i++) {
        if (use && !use[i])
            continue;
        if (w->words)
            add_word(r, l->order, w->words[i]);
        else
            BP_TRY(add_bytes(r, l->order, w->bytes + w->offsets[i],
                             (size_t)(w->offsets[i + 1] - w->offsets[i]), err));
    }
    return 0;
}

int bp_pq_range_merge(struct bp_pq_range *r, const struct bp_pq_layout *l,
                      const struct bp_pq_range *o, struct bp_err *err)
{
    if (!o->any)
        return 0;
    if (l->order == BP_PQ_BYTES_UP || l->order == BP_PQ_BIG_ENDIAN) {
        BP_TRY(add_bytes(r, l->order, o->min_bytes.data, o->min_bytes.len, err));
        return add_bytes(r, l->order, o->max_bytes.data, o->max_bytes.len, err);
    }
    add_word(r, l->order, o->min);
    add_word(r, l->order, o->max);
    return 0;
}

int bp_pq_range_compare(const struct bp_pq_layout *l, const struct bp_pq_range *a,
                        const struct bp_pq_range *b, bool max)
{
    const struct bp_buf *x = max ? &a->max_bytes : &a->min_bytes,
                        *y = max ? &b->max_bytes : &b->min_bytes;

    if (l->order == BP_PQ_BYTES_UP || l->order == BP_PQ_BIG_ENDIAN)
        return compare_bytes(l->order, x->data, x->len, y->data, y->len);
    return compare_words(l->order, max ? a->max : a->min, max ? b->max : b->min);
}

/* ---- as they are written ---- */

static uint64_t signed_zero(enum bp_pq_order order, uint64_t w, bool max)
{
    if (order == BP_PQ_FLOAT32 && as_float(w) == 0)
        return max ? 0 : 0x80000000u;
    if (order == BP_PQ_FLOAT64 && as_double(w) == 0)
        return max ? 0 : 0x8000000000000000u;
    return w;
}

/* Where to cut so that no character is cut apart. */
static size_t cut_at(const struct bp_buf *b)
{
    size_t n = BOUND_MAX_BYTES;

    while (n && (b->data[n] & 0xc0) == 0x80)
        n--;
    return n;
}

/* A prefix is below what it was cut from; with its last ASCII character raised, above. */
static int put_cut(const struct bp_buf *b, bool max, struct bp_buf *out, struct bp_err *err)
{
    size_t n = cut_at(b);

    if (!max)
        return bp_buf_append(out, b->data, n, err);
    while (n && b->data[n - 1] >= 0x7f)
        n--;
    if (n == 0)
        return 1;
    BP_TRY(bp_buf_append(out, b->data, n, err));
    out->data[out->len - 1]++;
    return 0;
}

int bp_pq_range_put(const struct bp_pq_range *r, const struct bp_pq_layout *l, bool max,
                    struct bp_buf *out, bool *exact, struct bp_err *err)
{
    const struct bp_buf *b = max ? &r->max_bytes : &r->min_bytes;
    uint64_t w = signed_zero(l->order, max ? r->max : r->min, max);

    *exact = true;
    if (l->order == BP_PQ_BIG_ENDIAN)
        return bp_buf_append(out, b->data, b->len, err);
    if (l->order != BP_PQ_BYTES_UP)
        return bp_buf_append(out, &w, l->physical == BP_PQ_BOOLEAN ? 1 : (size_t)l->width, err);
    if (b->len <= BOUND_MAX_BYTES)
        return bp_buf_append(out, b->data, b->len, err);
    *exact = false;
    return put_cut(b, max, out, err);
}
