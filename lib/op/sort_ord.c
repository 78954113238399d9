/* SPDX-License-Identifier: Apache-2.0 */
#include "op/sort_ord.h"

#define SIGN BP_ORD_SIGN

#define SIGNED_LOOP(type)                                                                          \
    do {                                                                                           \
        const type *v = (const type *)c->data + from;                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            out[i] = (uint64_t)(int64_t)v[i] ^ SIGN;                                               \
    } while (0)
#define UNSIGNED_LOOP(type)                                                                        \
    do {                                                                                           \
        const type *v = (const type *)c->data + from;                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            out[i] = v[i];                                                                         \
    } while (0)
#define FLOAT_LOOP(type)                                                                           \
    do {                                                                                           \
        const type *v = (const type *)c->data + from;                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            out[i] = ord_float((double)v[i]);                                                      \
    } while (0)

static inline uint64_t ord_float(double v)
{
    uint64_t bits;

    if (v != v)
        return UINT64_MAX;
    v += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &v, sizeof bits);
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | SIGN);
}

/* Months are 30 days, days 24 hours: bp_value_compare()'s order. */
static bp_int128 interval_ns(const struct bp_interval *v)
{
    bp_int128 days = (bp_int128)v->months * 30 + v->days;

    return days * 86400 * 1000000000 + v->ns;
}

static inline uint64_t saturate(bp_int128 v)
{
    if (v > INT64_MAX)
        return UINT64_MAX;
    if (v < INT64_MIN)
        return 0;
    return (uint64_t)(int64_t)v ^ SIGN;
}

void bp_ord64(const struct bp_column *c, int64_t from, int64_t n, uint64_t *out)
{
    switch (c->type.kind) {
    case BP_BOOL:
        for (int64_t i = 0; i < n; i++)
            out[i] = bp_bit_get(c->data, from + i);
        break;
    case BP_INT8: SIGNED_LOOP(int8_t); break;
    case BP_INT16: SIGNED_LOOP(int16_t); break;
    case BP_INT32:
    case BP_DATE: SIGNED_LOOP(int32_t); break;
    case BP_INT64:
    case BP_TIME:
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ: SIGNED_LOOP(int64_t); break;
    case BP_UINT8: UNSIGNED_LOOP(uint8_t); break;
    case BP_UINT16: UNSIGNED_LOOP(uint16_t); break;
    case BP_UINT32: UNSIGNED_LOOP(uint32_t); break;
    case BP_UINT64: UNSIGNED_LOOP(uint64_t); break;
    case BP_FLOAT32: FLOAT_LOOP(float); break;
    case BP_FLOAT64: FLOAT_LOOP(double); break;
    case BP_DECIMAL:
        if (bp_type_is_decimal64(c->type)) {
            SIGNED_LOOP(int64_t);
            break;
        }
        for (int64_t i = 0; i < n; i++)
            out[i] = saturate(((const bp_int128 *)c->data)[from + i]);
        break;
    case BP_INTERVAL:
        for (int64_t i = 0; i < n; i++)
            out[i] = saturate(interval_ns((const struct bp_interval *)c->data + from + i));
        break;
    default: memset(out, 0, (size_t)n * sizeof *out); break;
    }
}

bool bp_ord_is_wide(struct bp_type t)
{
    return bp_type_is_decimal128(t) || t.kind == BP_INTERVAL;
}

void bp_ord128(const struct bp_column *c, int64_t from, int64_t n, bp_uint128 *out)
{
    const bp_uint128 sign = (bp_uint128)1 << 127;

    for (int64_t i = 0; i < n; i++) {
        bp_int128 v = c->type.kind == BP_DECIMAL
                          ? ((const bp_int128 *)c->data)[from + i]
                          : interval_ns((const struct bp_interval *)c->data + from + i);

        out[i] = (bp_uint128)v ^ sign;
    }
}

void bp_ord_range(struct bp_type t, uint64_t *min, uint64_t *max)
{
    int bits = (int)bp_type_width_bytes(t) * 8;

    *min = 0;
    *max = UINT64_MAX;
    switch (t.kind) {
    case BP_BOOL: *max = 1; break;
    case BP_UINT8:
    case BP_UINT16:
    case BP_UINT32: *max = ((uint64_t)1 << bits) - 1; break;
    case BP_INT8:
    case BP_INT16:
    case BP_INT32:
    case BP_DATE:
        *min = SIGN - ((uint64_t)1 << (bits - 1));
        *max = SIGN + ((uint64_t)1 << (bits - 1)) - 1;
        break;
    default: break;
    }
}
