/* SPDX-License-Identifier: Apache-2.0 */
#include "agg/fraction.h"

#include <string.h>

#include "agg/big.h"

int bp_fraction_take(struct bp_fraction *f, const struct bp_agg *a, double v, struct bp_err *err)
{
    if (!(v >= 0 && v <= 1))
        return bp_fail(err, BP_EDATA,
                       "column %s: the fraction of %s is %g, and has to be from 0 to 1", a->name,
                       a->kind->func, v);
    if (f->is_set && memcmp(&v, &f->v, sizeof v) != 0)
        return bp_fail(err, BP_EDATA, "column %s: the fraction of %s has to be one constant",
                       a->name, a->kind->func);
    f->v = v;
    f->is_set = true;
    return 0;
}

int bp_fraction_take_column(struct bp_fraction *f, const struct bp_agg *a,
                            const struct bp_column *c, struct bp_err *err)
{
    double last = -1, v;

    for (int64_t i = 0; i < c->n_rows; i++) {
        if (bp_column_is_null(c, i))
            return bp_fail(err, BP_EDATA, "column %s: the fraction of %s is NULL", a->name,
                           a->kind->func);
        v = bp_agg_number_at(c, i) + 0.0;
        if (v != last)
            BP_TRY(bp_fraction_take(f, a, v, err));
        last = v;
    }
    return 0;
}

/* Powers of ten that are doubles. */
#define EXACT_TENS 22
static const double tens[EXACT_TENS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                            1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                            1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static double decimal_number(bp_int128 v, int scale)
{
    struct bp_big b;

    /* both are exact: one rounding, by the division */
    if (scale <= EXACT_TENS && v <= (bp_int128)1 << 53 && v >= -((bp_int128)1 << 53))
        return (double)(int64_t)v / tens[scale];
    bp_big_from_int(&b, v, 0);
    for (; scale > 0; scale -= 18) {
        uint64_t ten = 1;

        for (int i = 0; i < BP_MIN(scale, 18); i++)
            ten *= 10;
        bp_big_divide(&b, ten);
    }
    return bp_big_round(&b);
}

double bp_agg_number_at(const struct bp_column *c, int64_t i)
{
    switch (c->type.kind) {
    case BP_INT8: return ((const int8_t *)c->data)[i];
    case BP_INT16: return ((const int16_t *)c->data)[i];
    case BP_INT32: return ((const int32_t *)c->data)[i];
    case BP_INT64: return (double)((const int64_t *)c->data)[i];
    case BP_UINT8: return ((const uint8_t *)c->data)[i];
    case BP_UINT16: return ((const uint16_t *)c->data)[i];
    case BP_UINT32: return ((const uint32_t *)c->data)[i];
    case BP_UINT64: return (double)((const uint64_t *)c->data)[i];
    case BP_FLOAT32: return (double)((const float *)c->data)[i];
    case BP_FLOAT64: return ((const double *)c->data)[i];
    default: return decimal_number(bp_column_decimal(c, i), c->type.scale);
    }
}
