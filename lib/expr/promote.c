/* SPDX-License-Identifier: Apache-2.0 */
/* Types that meet. */
#include "expr/bind.h"

static int int_bits(struct bp_type t)
{
    return 8 * (int)bp_type_width_bytes(t);
}

static bool is_unsigned(struct bp_type t)
{
    return t.kind >= BP_UINT8 && t.kind <= BP_UINT64;
}

static struct bp_type promote_ints(struct bp_type a, struct bp_type b)
{
    static const uint8_t with_sign[] = {BP_INT16, BP_INT32, BP_INT64};
    struct bp_type u = is_unsigned(a) ? a : b, s = is_unsigned(a) ? b : a;

    if (is_unsigned(a) == is_unsigned(b))
        return int_bits(a) >= int_bits(b) ? a : b;
    if (int_bits(s) > int_bits(u))
        return s;
    if (u.kind == BP_UINT64)
        return BP_TYPE_DECIMAL(20, 0);
    return BP_TYPE(with_sign[u.kind - BP_UINT8]);
}

/* An integer as a decimal. */
static struct bp_type int_decimal(struct bp_type t)
{
    static const uint8_t digits[] = {3, 5, 10, 19, 3, 5, 10, 20};

    return BP_TYPE_DECIMAL(digits[t.kind - BP_INT8], 0);
}

static struct bp_type promote_decimals(struct bp_type a, struct bp_type b)
{
    int scale = BP_MAX(a.scale, b.scale);
    int whole = BP_MAX(a.precision - a.scale, b.precision - b.scale);

    return BP_TYPE_DECIMAL((uint8_t)BP_MIN(38, whole + scale), (uint8_t)scale);
}

struct bp_type bp_promote_numbers(struct bp_type a, struct bp_type b)
{
    if (bp_type_is_float(a) || bp_type_is_float(b))
        return BP_TYPE(a.kind == BP_FLOAT32 && b.kind == BP_FLOAT32 ? BP_FLOAT32 : BP_FLOAT64);
    if (a.kind != BP_DECIMAL && b.kind != BP_DECIMAL)
        return promote_ints(a, b);
    return promote_decimals(a.kind == BP_DECIMAL ? a : int_decimal(a),
                            b.kind == BP_DECIMAL ? b : int_decimal(b));
}

static int time_rank(struct bp_type t)
{
    return t.kind == BP_DATE ? 1 : t.kind == BP_TIMESTAMP ? 2 : t.kind == BP_TIMESTAMPTZ ? 3 : 0;
}

bool bp_promote(struct bp_type a, struct bp_type b, struct bp_type *out)
{
    int unit = BP_MAX(a.unit, b.unit);

    *out = a;
    if (bp_type_equal(a, b))
        return true;
    if (bp_type_is_number(a) && bp_type_is_number(b)) {
        *out = bp_promote_numbers(a, b);
        return true;
    }
    if (time_rank(a) && time_rank(b)) {
        *out = time_rank(a) >= time_rank(b) ? a : b;
        out->unit = (uint8_t)unit;
        return true;
    }
    out->unit = (uint8_t)unit;
    return a.kind == b.kind && !bp_type_is_nested(a);
}

int bp_unify(struct bp_bind *b, int tok, const char *what, struct bp_node **nds, int n, int stride,
             struct bp_type *out)
{
    char na[BP_TYPE_NAME_MAX], nb[BP_TYPE_NAME_MAX];
    struct bp_type t = BP_TYPE(BP_NO_TYPE), u;

    for (int i = 0; i < n; i += stride) {
        if (nds[i]->kind == BP_N_LITERAL)
            continue;
        u = nds[i]->type;
        if (t.kind && !bp_promote(t, u, &u))
            return bp_bind_fail(b, nds[i]->tok < 0 ? tok : nds[i]->tok,
                                "%s cannot be both %s and %s: cast one of them", what,
                                bp_type_name(t, na), bp_type_name(nds[i]->type, nb));
        t = u;
    }
    if (!t.kind)
        t = BP_TYPE(BP_TEXT);
    for (int i = 0; i < n; i += stride)
        BP_TRY(bp_coerce(b, &nds[i], t));
    *out = t;
    return 0;
}
