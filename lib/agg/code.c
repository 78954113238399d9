/* SPDX-License-Identifier: Apache-2.0 */
#include "agg/code.h"

#include <string.h>

#include "col/text.h"

#define SIGN64 ((uint64_t)1 << 63)
#define SIGN128 ((bp_uint128)1 << 127)

size_t bp_agg_code_bytes(struct bp_type t)
{
    switch (t.kind) {
    case BP_TEXT:
    case BP_BINARY: return 0;
    case BP_BOOL: return 1;
    case BP_DECIMAL: return 16;
    case BP_INTERVAL: return 32;
    default: return 8;
    }
}

static void put64(uint8_t *to, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

static void put128(uint8_t *to, bp_int128 v)
{
    bp_uint128 u = (bp_uint128)v ^ SIGN128;

    put64(to, (uint64_t)(u >> 64));
    put64(to + 8, (uint64_t)u);
}

static bp_int128 get128(const uint8_t *p)
{
    return (bp_int128)(((bp_uint128)get64(p) << 64 | get64(p + 8)) ^ SIGN128);
}

static uint64_t of_double(double d)
{
    uint64_t u;

    if (d != d)
        return UINT64_MAX;
    d = d == 0 ? 0 : d;
    memcpy(&u, &d, sizeof u);
    return u >> 63 ? ~u : u | SIGN64;
}

static double to_double(uint64_t u)
{
    double d;

    if (u == UINT64_MAX)
        return __builtin_nan("");
    u = u >> 63 ? u ^ SIGN64 : ~u;
    memcpy(&d, &u, sizeof d);
    return d;
}

static void put_interval(uint8_t *to, struct bp_interval v)
{
    const int64_t day = 86400 * (int64_t)1000000000;

    put128(to, ((bp_int128)v.months * 30 + v.days) * day + v.ns);
    put64(to + 16, ((uint64_t)(uint32_t)v.months << 32 | (uint32_t)v.days) ^ (SIGN64 | 1u << 31));
    put64(to + 24, (uint64_t)v.ns ^ SIGN64);
}

static struct bp_interval get_interval(const uint8_t *p)
{
    uint64_t u = get64(p + 16) ^ (SIGN64 | 1u << 31);

    return (struct bp_interval){(int32_t)(u >> 32), (int32_t)(uint32_t)u,
                                (int64_t)(get64(p + 24) ^ SIGN64)};
}

static uint64_t of_int(const struct bp_column *c, int64_t i)
{
    const void *p = c->data;

    switch (c->type.kind) {
    case BP_INT8: return (uint64_t)((const int8_t *)p)[i] ^ SIGN64;
    case BP_INT16: return (uint64_t)((const int16_t *)p)[i] ^ SIGN64;
    case BP_DATE:
    case BP_INT32: return (uint64_t)((const int32_t *)p)[i] ^ SIGN64;
    case BP_UINT8: return ((const uint8_t *)p)[i];
    case BP_UINT16: return ((const uint16_t *)p)[i];
    case BP_UINT32: return ((const uint32_t *)p)[i];
    case BP_UINT64: return ((const uint64_t *)p)[i];
    case BP_FLOAT32: return of_double((double)((const float *)p)[i]);
    case BP_FLOAT64: return of_double(((const double *)p)[i]);
    default: return (uint64_t)((const int64_t *)p)[i] ^ SIGN64; /* bigint, time, timestamps */
    }
}

const uint8_t *bp_agg_code(const struct bp_column *c, int64_t i, uint8_t room[BP_AGG_CODE_MAX],
                           size_t *n)
{
    if (bp_type_is_bytes(c->type))
        return bp_column_bytes(c, i, n);
    *n = bp_agg_code_bytes(c->type);
    switch (c->type.kind) {
    case BP_BOOL: room[0] = bp_bit_get(c->data, i); break;
    case BP_DECIMAL: put128(room, bp_column_decimal(c, i)); break;
    case BP_INTERVAL: put_interval(room, ((const struct bp_interval *)c->data)[i]); break;
    default: put64(room, of_int(c, i)); break;
    }
    return room;
}

#define CODES(T, expr)                                                                             \
    do {                                                                                           \
        const T *v = c->data;                                                                      \
        for (int64_t i = 0; i < c->n_rows; i++)                                                    \
            to[i] = (expr);                                                                        \
    } while (0)

void bp_agg_codes64(const struct bp_column *c, uint64_t *to)
{
    switch (c->type.kind) {
    case BP_DATE:
    case BP_INT32: CODES(int32_t, (uint64_t)v[i] ^ SIGN64); break;
    case BP_INT64: CODES(int64_t, (uint64_t)v[i] ^ SIGN64); break;
    case BP_FLOAT32: CODES(float, of_double((double)v[i])); break;
    case BP_FLOAT64: CODES(double, of_double(v[i])); break;
    default:
        for (int64_t i = 0; i < c->n_rows; i++)
            to[i] = of_int(c, i);
    }
}

double bp_agg_code64_number(struct bp_type t, uint64_t code)
{
    if (bp_type_is_float(t))
        return to_double(code);
    if (t.kind >= BP_UINT8 && t.kind <= BP_UINT64)
        return (double)code;
    return (double)(int64_t)(code ^ SIGN64);
}

/* An integer of a narrow type is the code of one that fits. */
static bool fits(struct bp_type t, uint64_t u)
{
    int64_t v = (int64_t)(u ^ SIGN64);

    switch (t.kind) {
    case BP_INT8: return v == (int8_t)v;
    case BP_INT16: return v == (int16_t)v;
    case BP_DATE:
    case BP_INT32: return v == (int32_t)v;
    case BP_UINT8: return u <= UINT8_MAX;
    case BP_UINT16: return u <= UINT16_MAX;
    case BP_UINT32: return u <= UINT32_MAX;
    default: return true;
    }
}

static bool decimal_fits(struct bp_type t, bp_int128 v)
{
    return bp_type_is_decimal128(t) || v == (int64_t)v;
}

bool bp_agg_code_is_good(struct bp_type t, const uint8_t *p, size_t n)
{
    uint8_t again[BP_AGG_CODE_MAX];
    size_t bad_at;

    if (t.kind == BP_TEXT)
        return bp_utf8_check(p, n, &bad_at);
    if (t.kind == BP_BINARY)
        return true;
    if (n != bp_agg_code_bytes(t))
        return false;
    if (t.kind == BP_BOOL)
        return p[0] <= 1;
    if (t.kind == BP_INTERVAL) {
        put_interval(again, get_interval(p));
        return memcmp(again, p, 32) == 0;
    }
    return t.kind == BP_DECIMAL ? decimal_fits(t, get128(p)) : fits(t, get64(p));
}

int bp_agg_code_add(struct bp_builder *b, const uint8_t *p, size_t n, struct bp_err *err)
{
    union {
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        float f;
        double d;
        bp_int128 i128;
        struct bp_interval interval;
    } v = {0};

    switch (b->type.kind) {
    case BP_TEXT:
    case BP_BINARY: return bp_builder_add_bytes(b, p, n, err);
    case BP_BOOL: return bp_builder_add(b, p, err);
    case BP_DECIMAL: v.i128 = get128(p); break;
    case BP_INTERVAL: v.interval = get_interval(p); break;
    case BP_FLOAT32: v.f = (float)to_double(get64(p)); break;
    case BP_FLOAT64: v.d = to_double(get64(p)); break;
    case BP_UINT8:
    case BP_UINT16:
    case BP_UINT32:
    case BP_UINT64: v.i64 = (int64_t)get64(p); break; /* little-endian: the low bytes first */
    default: v.i64 = (int64_t)(get64(p) ^ SIGN64); break;
    }
    return bp_builder_add(b, &v, err);
}

int bp_agg_code_compare(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
    size_t n = BP_MIN(na, nb);
    int d = n ? memcmp(a, b, n) : 0;

    return d ? d : (na > nb) - (na < nb);
}
