/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparisons. Every type has two loops, less-than and equal, over column and
 * column, column and constant, constant and column; the other four operators
 * are these with sides or bits turned, since every type is totally ordered
 * (NaN equals NaN and is above all other floats). A loop makes a byte per row,
 * which vectorises; eight bytes then become eight bits by one multiplication.
 */
#include "base/simd.h"
#include "col/key.h"

#include <string.h>

#include "expr/bind.h"

#define CHUNK 1024

/* n bytes of 0 or 1 -> bits; may write up to 7 bytes of zero bits more. */
static inline void pack(const uint8_t *bytes, int64_t n, uint8_t *bits)
{
    for (int64_t i = 0; i < n; i += 8) {
        uint64_t v = bp_load_u64(bytes + i);

        bits[i / 8] = (uint8_t)((v * UINT64_C(0x0102040810204080)) >> 56);
    }
}

#define F_LT(x, y) (((x) < (y)) | (((y) != (y)) & ((x) == (x))))
#define F_EQ(x, y) (((x) == (y)) | (((x) != (x)) & ((y) != (y))))
#define I_LT(x, y) ((x) < (y))
#define I_EQ(x, y) ((x) == (y))

/* ---- intervals: days of 24 hours, months of 30 days ---- */

static inline bp_int128 span_ns(struct bp_interval v)
{
    return (bp_int128)v.ns + ((bp_int128)v.months * 30 + v.days) * (bp_int128)86400000000000;
}
typedef struct bp_interval interval;
#define V_LT(x, y) (span_ns(x) < span_ns(y))
#define V_EQ(x, y) (span_ns(x) == span_ns(y))

#define LOOP(NAME, T, EXPR, A, B)                                                                  \
    BP_WIDE static void NAME(const T *a, const T *b, int64_t n, uint8_t *bits)                     \
    {                                                                                              \
        uint8_t buf[CHUNK + 8];                                                                    \
        for (int64_t i = 0; i < n; i += CHUNK) {                                                   \
            int64_t m = n - i < CHUNK ? n - i : CHUNK;                                             \
            for (int64_t k = 0; k < m; k++)                                                        \
                buf[k] = (uint8_t)EXPR(A, B);                                                      \
            memset(buf + m, 0, 8);                                                                 \
            pack(buf, m, bits + i / 8);                                                            \
        }                                                                                          \
    }
#define LOOPS(S, T, LT, EQ)                                                                        \
    LOOP(lt_vv_##S, T, LT, a[i + k], b[i + k])                                                     \
    LOOP(lt_vc_##S, T, LT, a[i + k], *b)                                                           \
    LOOP(lt_cv_##S, T, LT, *a, b[i + k])                                                           \
    LOOP(eq_vv_##S, T, EQ, a[i + k], b[i + k])                                                     \
    LOOP(eq_vc_##S, T, EQ, a[i + k], *b)                                                           \
    static void lt_##S(const void *a, bool a_one, const void *b, bool b_one, int64_t n,            \
                       uint8_t *bits)                                                              \
    {                                                                                              \
        (a_one && !b_one ? lt_cv_##S : b_one && !a_one ? lt_vc_##S : lt_vv_##S)(a, b, n, bits);    \
    }                                                                                              \
    static void eq_##S(const void *a, bool a_one, const void *b, bool b_one, int64_t n,            \
                       uint8_t *bits)                                                              \
    {                                                                                              \
        if (a_one && !b_one)                                                                       \
            eq_vc_##S(b, a, n, bits);                                                              \
        else                                                                                       \
            (b_one && !a_one ? eq_vc_##S : eq_vv_##S)(a, b, n, bits);                              \
    }

LOOPS(i8, int8_t, I_LT, I_EQ)
LOOPS(i16, int16_t, I_LT, I_EQ)
LOOPS(i32, int32_t, I_LT, I_EQ)
LOOPS(i64, int64_t, I_LT, I_EQ)
LOOPS(u8, uint8_t, I_LT, I_EQ)
LOOPS(u16, uint16_t, I_LT, I_EQ)
LOOPS(u32, uint32_t, I_LT, I_EQ)
LOOPS(u64, uint64_t, I_LT, I_EQ)
LOOPS(f32, float, F_LT, F_EQ)
LOOPS(f64, double, F_LT, F_EQ)
LOOPS(i128, bp_int128, I_LT, I_EQ)
LOOPS(span, interval, V_LT, V_EQ)

typedef void (*loop)(const void *a, bool a_one, const void *b, bool b_one, int64_t n,
                     uint8_t *bits);
static const struct {
    loop lt, eq;
} loops[BP_N_KINDS] = {
    [BP_INT8] = {lt_i8, eq_i8},          [BP_INT16] = {lt_i16, eq_i16},
    [BP_INT32] = {lt_i32, eq_i32},       [BP_INT64] = {lt_i64, eq_i64},
    [BP_UINT8] = {lt_u8, eq_u8},         [BP_UINT16] = {lt_u16, eq_u16},
    [BP_UINT32] = {lt_u32, eq_u32},      [BP_UINT64] = {lt_u64, eq_u64},
    [BP_FLOAT32] = {lt_f32, eq_f32},     [BP_FLOAT64] = {lt_f64, eq_f64},
    [BP_DECIMAL] = {lt_i128, eq_i128},   [BP_DATE] = {lt_i32, eq_i32},
    [BP_TIME] = {lt_i64, eq_i64},        [BP_TIMESTAMP] = {lt_i64, eq_i64},
    [BP_TIMESTAMPTZ] = {lt_i64, eq_i64}, [BP_INTERVAL] = {lt_span, eq_span},
};

/* ---- bits and bytes ---- */

static void lt_bool(const struct bp_vec *a, const struct bp_vec *b, int64_t n, uint8_t *bits)
{
    const uint8_t *x = a->c.data, *y = b->c.data;
    uint8_t xc = (uint8_t) - (*x & 1), yc = (uint8_t) - (*y & 1);

    for (size_t i = 0; i < bp_bits_bytes(n); i++)
        bits[i] = (uint8_t)(~(a->one ? xc : x[i]) & (b->one ? yc : y[i]));
}

static void eq_bool(const struct bp_vec *a, const struct bp_vec *b, int64_t n, uint8_t *bits)
{
    const uint8_t *x = a->c.data, *y = b->c.data;
    uint8_t xc = (uint8_t) - (*x & 1), yc = (uint8_t) - (*y & 1);

    for (size_t i = 0; i < bp_bits_bytes(n); i++)
        bits[i] = (uint8_t) ~((a->one ? xc : x[i]) ^ (b->one ? yc : y[i]));
}

/* Text against a constant of one to eight bytes: both are a word. Eight bytes are read where
 * a value may be shorter: its block has them. */
static void eq_short(const struct bp_column *c, const uint8_t *want, int32_t len, int64_t n,
                     uint8_t *bits)
{
    const int32_t *off = c->data;
    const uint8_t *bytes = c->bytes;
    uint64_t mask = 0, word = 0;

    memcpy(&word, want, (size_t)len);
    memset(&mask, 0xff, (size_t)len);
    for (int64_t i = 0; i < n; i += 8) {
        unsigned set = 0;

        for (int k = 0; k < 8 && i + k < n; k++) {
            uint64_t have;

            memcpy(&have, bytes + off[i + k], 8);
            set |= (unsigned)(off[i + k + 1] - off[i + k] == len && !((have ^ word) & mask)) << k;
        }
        bits[i / 8] = (uint8_t)set;
    }
}

static void eq_text(const struct bp_vec *a, const struct bp_vec *b, int64_t n, uint8_t *bits)
{
    const int32_t *oa = a->c.data, *ob = b->c.data;
    int64_t sa = !a->one, sb = !b->one;

    if (a->one && !b->one) {
        eq_text(b, a, n, bits);
        return;
    }
    if (b->one && !a->one && a->c.own[2] && ob[1] - ob[0] >= 1 && ob[1] - ob[0] <= 8) {
        eq_short(&a->c, b->c.bytes + ob[0], ob[1] - ob[0], n, bits);
        return;
    }
    memset(bits, 0, bp_bits_bytes(n));
    for (int64_t i = 0; i < n; i++) {
        int32_t na = oa[i * sa + 1] - oa[i * sa], nb = ob[i * sb + 1] - ob[i * sb];

        if (na == nb && memcmp(a->c.bytes + oa[i * sa], b->c.bytes + ob[i * sb], (size_t)na) == 0)
            bp_bit_set(bits, i);
    }
}

static void lt_text(const struct bp_vec *a, const struct bp_vec *b, int64_t n, uint8_t *bits)
{
    const int32_t *oa = a->c.data, *ob = b->c.data;
    int64_t sa = !a->one, sb = !b->one;

    memset(bits, 0, bp_bits_bytes(n));
    for (int64_t i = 0; i < n; i++) {
        int32_t na = oa[i * sa + 1] - oa[i * sa], nb = ob[i * sb + 1] - ob[i * sb];
        int c =
            memcmp(a->c.bytes + oa[i * sa], b->c.bytes + ob[i * sb], (size_t)(na < nb ? na : nb));

        if (c < 0 || (c == 0 && na < nb))
            bp_bit_set(bits, i);
    }
}

/* Lists and structs, in the order of bp_value_compare(). */
static void compare_nested(bool less, const struct bp_vec *a, const struct bp_vec *b, int64_t n,
                           uint8_t *bits)
{
    memset(bits, 0, bp_bits_bytes(n));
    for (int64_t i = 0; i < n; i++) {
        int64_t ra = a->one ? 0 : i, rb = b->one ? 0 : i;
        bool is_null = bp_column_is_null(&a->c, ra) || bp_column_is_null(&b->c, rb);
        int c = is_null ? 1 : bp_value_compare(&a->c, ra, &b->c, rb);

        if (less ? c < 0 : c == 0)
            bp_bit_set(bits, i);
    }
}

/* ---- the kernel ---- */

/* Decimals are of one scale and held in as many bits: binding has seen to that. */
static void compare(struct bp_type t, bool less, const struct bp_vec *a, const struct bp_vec *b,
                    int64_t n, uint8_t *bits)
{
    int kind = bp_type_is_decimal64(t) ? BP_INT64 : t.kind;

    if (kind == BP_BOOL)
        (less ? lt_bool : eq_bool)(a, b, n, bits);
    else if (kind >= BP_LIST)
        compare_nested(less, a, b, n, bits);
    else if (kind == BP_TEXT || kind == BP_BINARY)
        (less ? lt_text : eq_text)(a, b, n, bits);
    else
        (less ? loops[kind].lt : loops[kind].eq)(a->c.data, a->one, b->c.data, b->one, n, bits);
}

static void flip_bits(uint8_t *bits, int64_t n)
{
    for (size_t i = 0; i < bp_bits_bytes(n); i++)
        bits[i] = (uint8_t)~bits[i];
}

static int run_compare(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int op = r->node->op;
    bool swap = op == BP_GT || op == BP_LE, flip = op == BP_NE || op == BP_LE || op == BP_GE;
    void *bits;

    BP_TRY(bp_vec_fixed(out, BP_TYPE(BP_BOOL), r->n, &bits, r->ev->err));
    compare(args[0].c.type, op != BP_EQ && op != BP_NE, &args[swap], &args[!swap], r->n, bits);
    if (flip)
        flip_bits(bits, r->n);
    return 0;
}

/* op: 1 for IS NOT DISTINCT FROM. Null slots are zero, so equal bits plus both
 * validities decide. */
static int run_distinct(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_column *a = &args[0].c, *b = &args[1].c;
    uint8_t *bits;
    void *data;

    BP_TRY(bp_vec_fixed(out, BP_TYPE(BP_BOOL), r->n, &data, r->ev->err));
    bits = data;
    compare(a->type, false, &args[0], &args[1], r->n, bits);
    for (size_t i = 0; i < bp_bits_bytes(r->n); i++) {
        uint8_t va = !a->n_nulls ? 0xff : args[0].one ? 0 : a->valid[i];
        uint8_t vb = !b->n_nulls ? 0xff : args[1].one ? 0 : b->valid[i];
        uint8_t same = (uint8_t)((bits[i] & va & vb) | (~va & ~vb));

        bits[i] = r->node->op ? same : (uint8_t)~same;
    }
    return 0;
}

/* ---- binding ---- */

static int cannot(struct bp_bind *b, int tok, const struct bp_node *l, const struct bp_node *r)
{
    char nl[BP_TYPE_NAME_MAX], nr[BP_TYPE_NAME_MAX];

    return bp_bind_fail(b, tok, "%s cannot be compared with %s: cast one of them",
                        bp_type_name(l->type, nl), bp_type_name(r->type, nr));
}

/* A constant number beside a column of whole numbers or decimals: into the
 * column's own type if that loses nothing, so that the column is not converted. */
static int narrow_const(struct bp_bind *b, struct bp_node *col, struct bp_node **c)
{
    struct bp_batch in = {.n_rows = 1};
    struct bp_err quiet = {0};
    struct bp_eval ev = {.in = &in, .n = 1, .err = &quiet};
    struct bp_node *there, *back, *same;
    struct bp_vec v;
    bool equal;

    if (bp_node_is_const(col) || !bp_node_is_const(*c) || (*c)->value.n_nulls ||
        bp_type_is_float(col->type) || bp_type_is_float((*c)->type) ||
        bp_type_equal(col->type, (*c)->type))
        return 0;
    BP_TRY(bp_bind_cast(b, (*c)->tok, *c, col->type, &there));
    if (!bp_node_is_const(there))
        return 0;
    BP_TRY(bp_bind_cast(b, (*c)->tok, there, (*c)->type, &back));
    if (!bp_node_is_const(back))
        return 0;
    BP_TRY(bp_node_call(b, (*c)->tok,
                        &(struct bp_call){.run = run_compare, .type = BP_TYPE(BP_BOOL)},
                        (struct bp_node *[]){back, *c}, 2, &same));
    if (bp_node_eval(&ev, same, &v) < 0)
        return 0;
    equal = *(const uint8_t *)v.c.data & 1;
    bp_vec_release(&v);
    if (equal)
        *c = there;
    return 0;
}

static int match_numbers(struct bp_bind *b, struct bp_node **l, struct bp_node **r)
{
    struct bp_type t;

    BP_TRY(narrow_const(b, *l, r));
    BP_TRY(narrow_const(b, *r, l));
    if (bp_type_equal((*l)->type, (*r)->type))
        return 0;
    if ((*l)->type.kind == BP_DECIMAL && (*r)->type.kind == BP_DECIMAL &&
        (*l)->type.scale == (*r)->type.scale &&
        bp_type_is_decimal64((*l)->type) == bp_type_is_decimal64((*r)->type))
        return 0;
    t = bp_promote_numbers((*l)->type, (*r)->type);
    if (t.kind != BP_DECIMAL) {
        BP_TRY(bp_coerce(b, l, t));
        return bp_coerce(b, r, t);
    }
    t.precision = 38; /* both of 128 bits: in them a scale that is too large saturates */
    BP_TRY(bp_bind_widen(b, l, t));
    return bp_bind_widen(b, r, t);
}

int bp_bind_match(struct bp_bind *b, int tok, struct bp_node **l, struct bp_node **r)
{
    struct bp_type t;

    if ((*l)->kind == BP_N_LITERAL && (*r)->kind != BP_N_LITERAL)
        BP_TRY(bp_coerce(b, l, (*r)->type));
    else if ((*r)->kind == BP_N_LITERAL && (*l)->kind != BP_N_LITERAL)
        BP_TRY(bp_coerce(b, r, (*l)->type));
    BP_TRY(bp_settle(b, l));
    BP_TRY(bp_settle(b, r));
    if (bp_type_is_number((*l)->type) && bp_type_is_number((*r)->type))
        return match_numbers(b, l, r);
    if (!bp_promote((*l)->type, (*r)->type, &t))
        return cannot(b, tok, *l, *r);
    BP_TRY(bp_bind_widen(b, l, t));
    return bp_bind_widen(b, r, t);
}

int bp_bind_compare(struct bp_bind *b, int tok, enum bp_cmp op, struct bp_node *l,
                    struct bp_node *r, struct bp_node **out)
{
    struct bp_call c = {.run = run_compare, .op = (uint8_t)op, .type = BP_TYPE(BP_BOOL)};

    BP_TRY(bp_bind_match(b, tok, &l, &r));
    c.on_dict = l->type.kind == BP_TEXT;
    c.slow = !bp_type_width_bytes(l->type) && l->type.kind != BP_BOOL;
    return bp_node_call(b, tok, &c, (struct bp_node *[]){l, r}, 2, out);
}

bool bp_node_is_compare(const struct bp_node *nd)
{
    return nd->run == run_compare;
}

int bp_bind_distinct(struct bp_bind *b, int tok, bool negate, struct bp_node *l, struct bp_node *r,
                     struct bp_node **out)
{
    struct bp_call c = {.run = run_distinct, .op = negate, .type = BP_TYPE(BP_BOOL), .lax = true};

    BP_TRY(bp_bind_match(b, tok, &l, &r));
    c.slow = !bp_type_width_bytes(l->type) && l->type.kind != BP_BOOL;
    return bp_node_call(b, tok, &c, (struct bp_node *[]){l, r}, 2, out);
}
