/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/convert.h"

#include <string.h>

#define NS_PER_DAY ((int64_t)86400000000000)
#define JULIAN_OF_1970 2440588 /* the Julian day that begins at noon of 1970-01-01 */

static int too_large(const struct bp_pq_column *c, struct bp_err *err)
{
    char type[BP_TYPE_NAME_MAX];

    return bp_fail(err, BP_EDATA, "it has a value that is no %s", bp_type_name(c->type, type));
}

static int narrow(const struct bp_pq_column *c, const int32_t *in, int64_t n, void *out,
                  struct bp_err *err)
{
    int bits = c->convert == BP_PQ_NARROW_8 ? 8 : 16;
    int32_t low = c->is_unsigned ? 0 : -(1 << (bits - 1));
    int32_t high = c->is_unsigned ? (1 << bits) - 1 : (1 << (bits - 1)) - 1;

    for (int64_t i = 0; i < n; i++) {
        if (in[i] < low || in[i] > high)
            return too_large(c, err);
        if (bits == 8)
            ((uint8_t *)out)[i] = (uint8_t)in[i];
        else
            ((uint16_t *)out)[i] = (uint16_t)in[i];
    }
    return 0;
}

/* 10^precision: what no value of the type reaches. */
static bp_int128 decimal_end(struct bp_type t)
{
    bp_int128 end = 1;

    for (int i = 0; i < t.precision; i++)
        end *= 10;
    return end;
}

/* Two's complement, most significant byte first; false: more than 128 bits. */
static bool big_endian(const uint8_t *p, size_t n, bp_int128 *out)
{
    uint8_t sign = n && p[0] & 0x80 ? 0xff : 0;
    bp_uint128 v = sign ? ~(bp_uint128)0 : 0;

    for (; n > 16; p++, n--)
        if (*p != sign)
            return false;
    if (n == 16 && ((*p & 0x80) != 0) != (sign != 0))
        return false;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    *out = (bp_int128)v;
    return true;
}

/* From n big-endian bytes to value i of out. */
static bool put_decimal(struct bp_type t, bp_int128 end, const uint8_t *p, size_t n, void *out,
                        int64_t i)
{
    bp_int128 v;

    if (!big_endian(p, n, &v) || v >= end || v <= -end)
        return false;
    if (bp_type_is_decimal64(t))
        ((int64_t *)out)[i] = (int64_t)v;
    else
        ((bp_int128 *)out)[i] = v;
    return true;
}

static int fixed_decimals(const struct bp_pq_column *c, const uint8_t *in, int64_t n, void *out,
                          struct bp_err *err)
{
    bp_int128 end = decimal_end(c->type);
    size_t width = (size_t)c->fixed_bytes;

    for (int64_t i = 0; i < n; i++)
        if (!put_decimal(c->type, end, in + (size_t)i * width, width, out, i))
            return too_large(c, err);
    return 0;
}

int bp_pq_convert_bytes(const struct bp_pq_column *c, const struct bp_pq_texts *in, int64_t n,
                        void *out, struct bp_err *err)
{
    const int32_t *offsets = bp_pq_offsets(in);
    bp_int128 end = decimal_end(c->type);

    for (int64_t i = 0; i < n; i++)
        if (!put_decimal(c->type, end, in->bytes->data + offsets[i],
                         (size_t)(offsets[i + 1] - offsets[i]), out, i))
            return too_large(c, err);
    return 0;
}

#define DECIMAL_LOOP(from, to)                                                                     \
    do {                                                                                           \
        const from *v = (const from *)(const void *)in;                                            \
        const to end = (to)decimal_end(c->type);                                                   \
        to *o = out;                                                                               \
        for (int64_t i = 0; i < n; i++) {                                                          \
            o[i] = v[i];                                                                           \
            bad |= o[i] >= end || o[i] <= -end;                                                    \
        }                                                                                          \
    } while (0)

static int int_decimals(const struct bp_pq_column *c, const uint8_t *in, int64_t n, void *out,
                        struct bp_err *err)
{
    bool narrow = bp_type_is_decimal64(c->type), bad = false;

    if (c->convert == BP_PQ_INT32_DEC && narrow)
        DECIMAL_LOOP(int32_t, int64_t);
    else if (c->convert == BP_PQ_INT32_DEC)
        DECIMAL_LOOP(int32_t, bp_int128);
    else if (narrow)
        DECIMAL_LOOP(int64_t, int64_t);
    else
        DECIMAL_LOOP(int64_t, bp_int128);
    return bad ? too_large(c, err) : 0;
}

/* INT96: nanoseconds of the day (int64), Julian day (int32). */
static int int96(const struct bp_pq_column *c, const uint8_t *in, int64_t n, int64_t *out,
                 struct bp_err *err)
{
    for (int64_t i = 0; i < n; i++, in += 12) {
        int64_t ns = (int64_t)bp_load_u64(in), days = (int64_t)bp_load_u32(in + 8) - JULIAN_OF_1970;

        if (__builtin_mul_overflow(days, NS_PER_DAY, &out[i]) ||
            __builtin_add_overflow(out[i], ns, &out[i]))
            return too_large(c, err);
    }
    return 0;
}

/* IEEE 754 binary16 -> binary32; every value of it is one of those. */
static uint32_t half_bits(uint32_t h)
{
    uint32_t sign = (h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 0x3ff;

    if (exponent == 31)
        return sign | 0x7f800000 | fraction << 13;
    if (exponent)
        return sign | (exponent + 112) << 23 | fraction << 13;
    if (!fraction)
        return sign;
    exponent = 113;
    while (!(fraction & 0x400)) {
        fraction <<= 1;
        exponent--;
    }
    return sign | exponent << 23 | (fraction & 0x3ff) << 13;
}

static void halves(const uint8_t *in, int64_t n, uint32_t *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = half_bits((uint32_t)in[2 * i] | (uint32_t)in[2 * i + 1] << 8);
}

static int durations(const struct bp_pq_column *c, const uint8_t *in, int64_t n,
                     struct bp_interval *out, struct bp_err *err)
{
    for (int64_t i = 0; i < n; i++, in += 12) {
        uint32_t months = bp_load_u32(in), days = bp_load_u32(in + 4);

        if (months > INT32_MAX || days > INT32_MAX)
            return too_large(c, err);
        out[i] = (struct bp_interval){(int32_t)months, (int32_t)days,
                                      (int64_t)bp_load_u32(in + 8) * 1000000};
    }
    return 0;
}

int bp_pq_convert_fixed(const struct bp_pq_column *c, const uint8_t *in, int64_t n, void *out,
                        struct bp_err *err)
{
    switch (c->convert) {
    case BP_PQ_NARROW_8:
    case BP_PQ_NARROW_16: return narrow(c, (const int32_t *)(const void *)in, n, out, err);
    case BP_PQ_WIDEN:
        for (int64_t i = 0; i < n; i++)
            ((int64_t *)out)[i] = ((const int32_t *)(const void *)in)[i];
        return 0;
    case BP_PQ_INT32_DEC:
    case BP_PQ_INT64_DEC: return int_decimals(c, in, n, out, err);
    case BP_PQ_FIXED_DEC: return fixed_decimals(c, in, n, out, err);
    case BP_PQ_INT96_NS: return int96(c, in, n, out, err);
    case BP_PQ_HALF: halves(in, n, out); return 0;
    case BP_PQ_DURATION: return durations(c, in, n, out, err);
    case BP_PQ_AS_IS:
    case BP_PQ_BYTES_DEC:
    case BP_PQ_FIXED_BYTES: break;
    }
    return bp_fail(err, BP_EDATA, "it is converted in no way that is known");
}
