/* SPDX-License-Identifier: Apache-2.0 */
#include "agg/exact.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

#define EXP_MASK 0x7ff
#define MANT_BITS 52
#define MANT_MASK (((uint64_t)1 << MANT_BITS) - 1)
/* A 53-bit mantissa shifted by this still is a positive int128. */
#define SHIFT_MAX 74
/* How far below the largest of the first values the unit lies. */
#define SHIFT_FIRST 48
/* Infinities and NaN must not look as if they fitted. */
#define BASE_MAX (EXP_MASK - SHIFT_MAX - 1)
/* Stands for a base that is not chosen: nothing but zeros fits. */
#define BASE_NONE 4096u
/* Bit 0 of the limb grid is 2^-GRID; a value of biased exponent E begins at bit E + 13. */
#define GRID 1088
#define GRID_OF_EXP 13
#define ADD_ROWS 1024

enum { SPECIAL_INF = 1, SPECIAL_NEG_INF = 2, SPECIAL_NAN = 4 };

/* limb[i] has the weight 2^(64 (lo + i) - GRID); two's complement, and the top limb
 * is only sign, so that one addition cannot overflow it. */
struct bp_exact_wide {
    int lo, n, cap;
    uint64_t limb[];
};

/* ---- the wide accumulator ---- */

static uint64_t sign_limb(uint64_t top)
{
    return top >> 63 ? UINT64_MAX : 0;
}

/* Adds v x 2^(64 at + shift) to the limbs [at, n), which must hold three and the sign. */
static void limbs_add(uint64_t *limb, int at, int n, bp_int128 v, int shift)
{
    bp_uint128 low = (bp_uint128)v << shift, sum;
    bp_int128 high = shift ? v >> (128 - shift) : v >> 127;
    uint64_t part[3] = {(uint64_t)low, (uint64_t)(low >> 64), (uint64_t)high};
    uint64_t fill = sign_limb(part[2]), carry = 0;

    for (int i = at; i < n; i++) {
        sum = (bp_uint128)limb[i] + (i - at < 3 ? part[i - at] : fill) + carry;
        limb[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
}

/* Make *w hold the limbs first..last. */
static int wide_cover(struct bp_agg *a, struct bp_exact_wide **w, int first, int last,
                      struct bp_err *err)
{
    struct bp_exact_wide *old = *w, *p;
    int lo = old ? BP_MIN(first, old->lo) : first;
    int hi = old ? BP_MAX(last, old->lo + old->n - 1) : last;
    int n = hi - lo + 1, below = old ? old->lo - lo : 0;
    uint64_t fill = old ? sign_limb(old->limb[old->n - 1]) : 0;

    if (old && n == old->n)
        return 0;
    p = old;
    if (!old || n > old->cap) {
        p = bp_mem_new(1, sizeof *p + (size_t)(n + 1) * sizeof p->limb[0], err);
        if (!p)
            return err->code;
        p->cap = n + 1;
        a->held_bytes += (int64_t)sizeof *p + (n + 1) * 8;
        if (old) {
            memcpy(p->limb, old->limb, (size_t)old->n * sizeof p->limb[0]);
            p->n = old->n;
            a->held_bytes -= (int64_t)sizeof *p + old->cap * 8;
            bp_mem_free(old);
        }
        *w = p;
    }
    memmove(p->limb + below, p->limb, (size_t)p->n * sizeof p->limb[0]);
    memset(p->limb, 0, (size_t)below * sizeof p->limb[0]);
    for (int i = below + p->n; i < n; i++)
        p->limb[i] = fill;
    p->lo = lo;
    p->n = n;
    return 0;
}

/* Add v x 2^(bit - GRID) to the wide accumulator of a group. */
static int wide_add(struct bp_exact *x, struct bp_agg *a, uint32_t id, bp_int128 v, int bit,
                    struct bp_err *err)
{
    struct bp_exact_wide **w;
    int at = bit >> 6;
    uint64_t top;

    BP_TRY(bp_agg_array_grow(a, &x->wide, sizeof *w, x->window.n, err));
    w = (struct bp_exact_wide **)x->wide.p + id;
    BP_TRY(wide_cover(a, w, at, at + 3, err));
    limbs_add((*w)->limb, at - (*w)->lo, (*w)->n, v, bit & 63);
    top = (*w)->limb[(*w)->n - 1];
    if (top != 0 && top != UINT64_MAX)
        return wide_cover(a, w, (*w)->lo, (*w)->lo + (*w)->n, err);
    return 0;
}

/* The window's contents move to the wide accumulator. */
static int window_flush(struct bp_exact *x, struct bp_agg *a, uint32_t id, struct bp_err *err)
{
    bp_int128 *acc = (bp_int128 *)x->window.p + id;

    BP_TRY(wide_add(x, a, id, *acc, x->base + GRID_OF_EXP, err));
    *acc = 0;
    return 0;
}

static int note_special(struct bp_exact *x, struct bp_agg *a, uint32_t id, int flag,
                        struct bp_err *err)
{
    uint8_t *f;

    BP_TRY(bp_agg_array_grow(a, &x->special, 1, x->window.n, err));
    f = (uint8_t *)x->special.p + id;
    *f = (uint8_t)(*f | flag);
    return 0;
}

/* ---- adding doubles ---- */

/* top: the largest biased exponent in sight; 0: nothing to go by yet. */
static void choose_base(struct bp_exact *x, int top)
{
    if (top > 0)
        x->base = BP_MIN(BP_MAX(top - SHIFT_FIRST, 1), BASE_MAX);
}

/* A value that the fast loop did not take. */
static int add_slow(struct bp_exact *x, struct bp_agg *a, uint32_t id, uint64_t bits,
                    struct bp_err *err)
{
    int e = (int)(bits >> MANT_BITS) & EXP_MASK, k;
    bp_int128 m = (bp_int128)((bits & MANT_MASK) | (uint64_t)(e != 0) << MANT_BITS), sum;
    bp_int128 *acc = (bp_int128 *)x->window.p + id;

    if (e == EXP_MASK) {
        k = bits & MANT_MASK ? SPECIAL_NAN : bits >> 63 ? SPECIAL_NEG_INF : SPECIAL_INF;
        return note_special(x, a, id, k, err);
    }
    e = BP_MAX(e, 1);
    if (!x->base)
        choose_base(x, e);
    k = e - x->base;
    m = bits >> 63 ? -m : m;
    if (k > SHIFT_MAX)
        return wide_add(x, a, id, m, e + GRID_OF_EXP, err);
    if (k < 0) {
        if (k <= -53 || (uint64_t)m << (64 + k))
            return wide_add(x, a, id, m, e + GRID_OF_EXP, err);
        m >>= -k; /* only zeros fall off */
        k = 0;
    }
    m = m * ((bp_int128)1 << k);
    if (__builtin_add_overflow(*acc, m, &sum)) {
        BP_TRY(window_flush(x, a, id, err));
        sum = m;
    }
    *acc = sum;
    return 0;
}

/* The largest biased exponent of finite values; 0 if all are 0 (or none is finite). */
static int top_exponent(const double *v, int64_t n)
{
    uint64_t bits;
    int top = 0, e;

    for (int64_t i = 0; i < n; i++) {
        memcpy(&bits, &v[i], sizeof bits);
        e = (int)(bits >> MANT_BITS) & EXP_MASK;
        top = e != EXP_MASK && e > top ? e : top;
    }
    return top;
}

/*
 * One value: shifted into the window and added. The few that do not fit, and sums
 * that would overflow, leave by the slow path. A zero has k = 0 and m = 0.
 */
#define ADD_ONE(id)                                                                                \
    do {                                                                                           \
        uint64_t bits, e, m;                                                                       \
        bp_int128 add, sum, neg;                                                                   \
        uint32_t k;                                                                                \
        memcpy(&bits, &v[i], sizeof bits);                                                         \
        e = bits >> MANT_BITS & EXP_MASK;                                                          \
        m = (bits & MANT_MASK) | (uint64_t)(e != 0) << MANT_BITS;                                  \
        k = bits << 1 ? (uint32_t)e - base : 0;                                                    \
        if (__builtin_expect(k > SHIFT_MAX, 0)) {                                                  \
            BP_TRY(add_slow(x, a, id, bits, err));                                                 \
            continue;                                                                              \
        }                                                                                          \
        neg = -(bp_int128)(bits >> 63);                                                            \
        add = (((bp_int128)m << k) ^ neg) - neg;                                                   \
        if (__builtin_expect(__builtin_add_overflow(acc[id], add, &sum), 0)) {                     \
            BP_TRY(add_slow(x, a, id, bits, err));                                                 \
            continue;                                                                              \
        }                                                                                          \
        acc[id] = sum;                                                                             \
    } while (0)

static int add_doubles(struct bp_exact *x, struct bp_agg *a, const double *v, const uint32_t *ids,
                       int64_t n, struct bp_err *err)
{
    bp_int128 *acc = x->window.p;
    uint32_t base;

    if (!x->base)
        choose_base(x, top_exponent(v, n));
    base = x->base ? (uint32_t)x->base : BASE_NONE;
    if (ids) {
        for (int64_t i = 0; i < n; i++) {
            BP_AGG_FETCH(acc, ids, i);
            ADD_ONE(ids[i]);
        }
    } else {
        for (int64_t i = 0; i < n; i++)
            ADD_ONE(0);
    }
    return 0;
}

int bp_exact_add(struct bp_exact *x, struct bp_agg *a, const struct bp_agg_rows *r,
                 struct bp_err *err)
{
    const struct bp_column *c = &r->cols[0];
    double wide[ADD_ROWS];

    if (c->type.kind == BP_FLOAT64)
        return add_doubles(x, a, c->data, r->ids, r->n_rows, err);
    for (int64_t from = 0; from < r->n_rows; from += ADD_ROWS) {
        int64_t n = BP_MIN(r->n_rows - from, ADD_ROWS);

        for (int64_t i = 0; i < n; i++)
            wide[i] = (double)((const float *)c->data)[from + i];
        BP_TRY(add_doubles(x, a, wide, r->ids ? r->ids + from : NULL, n, err));
    }
    return 0;
}

int bp_exact_grow(struct bp_exact *x, struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    BP_TRY(bp_agg_array_grow(a, &x->window, sizeof(bp_int128), n_groups, err));
    if (x->special.p)
        BP_TRY(bp_agg_array_grow(a, &x->special, 1, n_groups, err));
    if (x->wide.p)
        BP_TRY(bp_agg_array_grow(a, &x->wide, sizeof(void *), n_groups, err));
    return 0;
}

void bp_exact_release(struct bp_exact *x)
{
    struct bp_exact_wide **w = x->wide.p;

    for (int64_t i = 0; i < x->wide.n; i++)
        bp_mem_free(w[i]);
    bp_mem_free(w);
    bp_mem_free(x->window.p);
    bp_mem_free(x->special.p);
    *x = (struct bp_exact){0};
}

/* ---- the sum ---- */

static int special_of(const struct bp_exact *x, uint32_t id)
{
    int f = x->special.p ? ((const uint8_t *)x->special.p)[id] : 0;

    if (f & SPECIAL_NAN || f == (SPECIAL_INF | SPECIAL_NEG_INF))
        return SPECIAL_NAN;
    return f;
}

static const struct bp_exact_wide *wide_of(const struct bp_exact *x, uint32_t id)
{
    return x->wide.p ? ((struct bp_exact_wide **)x->wide.p)[id] : NULL;
}

/* Window and wide accumulator together, as sign and magnitude. */
void bp_exact_total(const struct bp_exact *x, uint32_t id, struct bp_big *b)
{
    const struct bp_exact_wide *w = wide_of(x, id);
    bp_int128 acc = ((const bp_int128 *)x->window.p)[id];
    int bit = x->base + GRID_OF_EXP;
    uint64_t carry = 1;

    if (!w) {
        bp_big_from_int(b, acc, bit - GRID);
        return;
    }
    memset(b->limb, 0, (size_t)w->lo * sizeof b->limb[0]);
    memcpy(b->limb + w->lo, w->limb, (size_t)w->n * sizeof b->limb[0]);
    for (int i = w->lo + w->n; i < BP_BIG_LIMBS; i++)
        b->limb[i] = sign_limb(w->limb[w->n - 1]);
    limbs_add(b->limb, bit >> 6, BP_BIG_LIMBS, acc, bit & 63);
    b->neg = b->limb[BP_BIG_LIMBS - 1] >> 63;
    for (int i = 0; b->neg && i < BP_BIG_LIMBS; i++) {
        b->limb[i] = ~b->limb[i] + carry;
        carry = carry && !b->limb[i];
    }
    b->n = BP_BIG_LIMBS;
    while (b->n && !b->limb[b->n - 1])
        b->n--;
    b->exp2 = -GRID;
    b->sticky = false;
}

bool bp_exact_is_finite(const struct bp_exact *x, uint32_t id)
{
    return !special_of(x, id);
}

/* 2^e, e that of a normal number. */
static inline double power_of_two(int e)
{
    uint64_t bits = (uint64_t)(e + 1023) << MANT_BITS;
    double d;

    memcpy(&d, &bits, sizeof d);
    return d;
}

double bp_exact_round(const struct bp_exact *x, uint32_t id, uint64_t n)
{
    int special = special_of(x, id);
    bp_int128 acc;
    struct bp_big b;

    if (special)
        return special == SPECIAL_NAN   ? (double)NAN
               : special == SPECIAL_INF ? (double)INFINITY
                                        : -(double)INFINITY;
    /* the common case: the compiler's own conversion of an int128 rounds once, and the
     * scaling is exact while the unit is no subnormal number's */
    if (n == 1 && !wide_of(x, id) && x->base > 55 && x->base < 1900) {
        acc = ((const bp_int128 *)x->window.p)[id];
        return (double)acc * power_of_two(x->base - 1075);
    }
    bp_exact_total(x, id, &b);
    if (n > 1)
        bp_big_divide(&b, n);
    return bp_big_round(&b);
}

bool bp_exact_overflows(const struct bp_exact *x, uint32_t id, double rounded)
{
    return isinf(rounded) && !special_of(x, id);
}

/* ---- the wire form ---- */

size_t bp_exact_encode(const struct bp_exact *x, uint32_t id, uint8_t out[BP_EXACT_WIRE_MAX])
{
    int zeros = 0, exp, bits, n;
    uint64_t carry = 1, v;
    struct bp_big b;

    out[0] = 1;
    out[1] = (uint8_t)special_of(x, id);
    if (out[1])
        return 2;
    bp_exact_total(x, id, &b);
    if (!b.n)
        return 2;
    while (!(b.limb[zeros >> 6] >> (zeros & 63) & 1))
        zeros += b.limb[zeros >> 6] >> (zeros & 63)
                     ? __builtin_ctzll(b.limb[zeros >> 6] >> (zeros & 63))
                     : 64 - (zeros & 63);
    exp = b.exp2 + zeros;
    bits = b.n * 64 - __builtin_clzll(b.limb[b.n - 1]) - zeros;
    n = bits / 8 + 1; /* with the sign bit; as M is odd, negative ones need as many */
    out[2] = (uint8_t)exp;
    out[3] = (uint8_t)(exp >> 8);
    for (int i = 0; i < n; i++) {
        int bit = zeros + 8 * i, at = bit >> 6, s = bit & 63;

        v = at < b.n ? b.limb[at] >> s : 0;
        if (s > 56 && at + 1 < b.n)
            v |= b.limb[at + 1] << (64 - s);
        v &= 0xff;
        if (b.neg) {
            v = (~v & 0xff) + carry;
            carry = v >> 8;
        }
        out[4 + i] = (uint8_t)v;
    }
    return (size_t)(4 + n);
}

int bp_exact_column(const struct bp_exact *x, const struct bp_agg_seen *seen, const uint32_t *ids,
                    int64_t n, struct bp_column *out, struct bp_err *err)
{
    uint8_t wire[BP_EXACT_WIRE_MAX];
    struct bp_builder b;
    int rc;

    bp_builder_init(&b, BP_TYPE(BP_BINARY));
    BP_GO(bp_builder_reserve(&b, n, err));
    for (int64_t i = 0; i < n; i++) {
        if (bp_agg_seen_get(seen, ids[i]))
            rc = bp_builder_add_bytes(&b, wire, bp_exact_encode(x, ids[i], wire), err);
        else
            rc = bp_builder_add_null(&b, err);
        if (rc < 0)
            goto out;
    }
    rc = bp_builder_finish(&b, out, err);
out:
    bp_builder_release(&b);
    return rc;
}

static int bad_state(struct bp_agg *a, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "column %s: a partial state is damaged", a->name);
}

/* Add the little-endian two's complement m[0, n) x 2^exp. */
static int merge_value(struct bp_exact *x, struct bp_agg *a, uint32_t id, const uint8_t *m,
                       size_t n, int exp, struct bp_err *err)
{
    int bits = (int)n * 8, k;
    bp_int128 v = 0, sum;
    bp_int128 *acc = (bp_int128 *)x->window.p + id;

    if (!x->base)
        choose_base(x, BP_MIN(BP_MAX(exp + 1075 + bits - 53, 1), EXP_MASK - 1));
    k = exp + 1075 - x->base;
    if (n <= 16 && k >= 0 && bits + k <= 128) {
        memcpy(&v, m, n);
        v = (bp_int128)((bp_uint128)v << (128 - bits)) >> (128 - bits);
        v = (bp_int128)((bp_uint128)v << k);
        if (__builtin_add_overflow(*acc, v, &sum)) {
            BP_TRY(window_flush(x, a, id, err));
            sum = v;
        }
        *acc = sum;
        return 0;
    }
    for (size_t i = 0; i < n; i += 8) {
        size_t len = BP_MIN(n - i, 8);
        uint64_t piece = 0;

        memcpy(&piece, m + i, len);
        v = (bp_int128)piece;
        if (i + 8 >= n) /* the last piece has the sign */
            v = (bp_int128)((bp_uint128)v << (128 - 8 * len)) >> (128 - 8 * len);
        BP_TRY(wide_add(x, a, id, v, exp + GRID + (int)i * 8, err));
    }
    return 0;
}

static int merge_one(struct bp_exact *x, struct bp_agg *a, uint32_t id, const uint8_t *p, size_t n,
                     struct bp_err *err)
{
    int exp;

    if (n < 2 || p[0] != 1 || n > BP_EXACT_WIRE_MAX)
        return bad_state(a, err);
    if (p[1]) {
        if (n != 2 || (p[1] != SPECIAL_INF && p[1] != SPECIAL_NEG_INF && p[1] != SPECIAL_NAN))
            return bad_state(a, err);
        return note_special(x, a, id, p[1], err);
    }
    if (n == 2)
        return 0;
    if (n < 5)
        return bad_state(a, err);
    exp = (int16_t)(uint16_t)(p[2] | p[3] << 8);
    /* odd, no byte too many, and within what 2^63 doubles can add up to */
    if (!(p[4] & 1) || exp < -1074 || exp + (int)(n - 4) * 8 > 1096 ||
        (n > 5 && (p[n - 1] == 0 || p[n - 1] == 0xff) && (p[n - 1] ^ p[n - 2]) < 0x80))
        return bad_state(a, err);
    return merge_value(x, a, id, p + 4, n - 4, exp, err);
}

int bp_exact_merge(struct bp_exact *x, struct bp_agg *a, const struct bp_agg_rows *r,
                   struct bp_err *err)
{
    const struct bp_column *c = &r->cols[0];

    for (int64_t i = 0; i < r->n_rows; i++) {
        const uint8_t *p;
        size_t n;

        if (bp_column_is_null(c, i))
            continue;
        p = bp_column_bytes(c, i, &n);
        BP_TRY(merge_one(x, a, r->ids ? r->ids[i] : 0, p, n, err));
    }
    return 0;
}
