/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/physical.h"

#include <string.h>

#define INTERVAL_BYTES 12
#define NS_PER_MS 1000000

/* Bytes of two's complement that hold every decimal of so many digits. */
static int decimal_bytes(int precision)
{
    static const uint8_t most[] = {0, 2, 4, 6, 9, 11, 14, 16, 18, 21, 23, 26, 28, 31, 33, 35, 38};
    int n = 1;

    while (most[n] < precision)
        n++;
    return n;
}

static void decimal_layout(struct bp_pq_layout *l)
{
    l->order = BP_PQ_SIGNED;
    if (l->type.precision <= 9) {
        l->physical = BP_PQ_INT32;
        l->width = 4;
    } else if (l->type.precision <= 18) {
        l->physical = BP_PQ_INT64;
        l->width = 8;
    } else {
        l->physical = BP_PQ_FIXED;
        l->width = decimal_bytes(l->type.precision);
        l->order = BP_PQ_BIG_ENDIAN;
    }
}

void bp_pq_layout(struct bp_type t, struct bp_pq_layout *l)
{
    *l = (struct bp_pq_layout){t, BP_PQ_INT64, 8, BP_PQ_SIGNED};
    switch ((enum bp_kind)t.kind) {
    case BP_BOOL: *l = (struct bp_pq_layout){t, BP_PQ_BOOLEAN, 0, BP_PQ_UNSIGNED}; break;
    case BP_INT8:
    case BP_INT16:
    case BP_INT32:
    case BP_DATE: *l = (struct bp_pq_layout){t, BP_PQ_INT32, 4, BP_PQ_SIGNED}; break;
    case BP_UINT8:
    case BP_UINT16:
    case BP_UINT32: *l = (struct bp_pq_layout){t, BP_PQ_INT32, 4, BP_PQ_UNSIGNED}; break;
    case BP_UINT64: l->order = BP_PQ_UNSIGNED; break;
    case BP_FLOAT32: *l = (struct bp_pq_layout){t, BP_PQ_FLOAT, 4, BP_PQ_FLOAT32}; break;
    case BP_FLOAT64: *l = (struct bp_pq_layout){t, BP_PQ_DOUBLE, 8, BP_PQ_FLOAT64}; break;
    case BP_DECIMAL: decimal_layout(l); break;
    case BP_TIME:
        if (t.unit <= BP_MILLI)
            *l = (struct bp_pq_layout){t, BP_PQ_INT32, 4, BP_PQ_SIGNED};
        break;
    case BP_INTERVAL:
        *l = (struct bp_pq_layout){t, BP_PQ_FIXED, INTERVAL_BYTES, BP_PQ_NO_ORDER};
        break;
    case BP_TEXT:
    case BP_BINARY: *l = (struct bp_pq_layout){t, BP_PQ_BYTES, 0, BP_PQ_BYTES_UP}; break;
    case BP_INT64:
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ:
    case BP_NO_TYPE:
    case BP_LIST: /* its leaves have a layout */
    case BP_STRUCT:
    case BP_N_KINDS: break;
    }
}

void bp_pq_words_release(struct bp_pq_words *w)
{
    bp_buf_release(&w->words_mem);
    bp_buf_release(&w->bytes_mem);
    bp_buf_release(&w->offsets_mem);
    *w = (struct bp_pq_words){0};
}

/* ---- words ---- */

#define TAKE(ctype)                                                                                \
    do {                                                                                           \
        const ctype *v = c->data;                                                                  \
        if (!c->n_nulls)                                                                           \
            for (int64_t i = 0; i < c->n_rows; i++)                                                \
                w[i] = (uint64_t)v[i];                                                             \
        else                                                                                       \
            for (int64_t i = 0; i < c->n_rows; i++) {                                              \
                w[n] = (uint64_t)v[i];                                                             \
                n += !bp_column_is_null(c, i);                                                     \
            }                                                                                      \
    } while (0)

static void take_words(const struct bp_column *c, uint64_t *w)
{
    int64_t n = 0;

    switch ((enum bp_kind)c->type.kind) {
    case BP_INT8: TAKE(int8_t); break;
    case BP_INT16: TAKE(int16_t); break;
    case BP_INT32:
    case BP_DATE: TAKE(int32_t); break;
    case BP_UINT8: TAKE(uint8_t); break;
    case BP_UINT16: TAKE(uint16_t); break;
    case BP_UINT32:
    case BP_FLOAT32: TAKE(uint32_t); break;
    default: TAKE(uint64_t); /* decimals too: those of more digits have no words */
    }
}

static void take_bits(const struct bp_column *c, uint64_t *w)
{
    int64_t n = 0;

    for (int64_t i = 0; i < c->n_rows; i++) {
        w[n] = bp_bit_get(c->data, i);
        n += !bp_column_is_null(c, i);
    }
}

/* Parquet has no seconds. */
static int scale_seconds(const struct bp_type t, struct bp_pq_words *w, struct bp_err *err)
{
    int64_t v;

    if (t.unit != BP_SECOND ||
        (t.kind != BP_TIME && t.kind != BP_TIMESTAMP && t.kind != BP_TIMESTAMPTZ))
        return 0;
    for (int64_t i = 0; i < w->n; i++) {
        if (__builtin_mul_overflow((int64_t)w->words[i], (int64_t)1000, &v))
            return bp_fail(err, BP_EDATA,
                           "a timestamp of %lld seconds is too far away for Parquet's milliseconds",
                           (long long)w->words[i]);
        w->words[i] = (uint64_t)v;
    }
    return 0;
}

/* ---- bytes of one length ---- */

static void put_big_endian(uint8_t *p, int width, bp_int128 v)
{
    for (int i = width; i-- > 0; v >>= 8)
        p[i] = (uint8_t)v;
}

static int put_interval(uint8_t *p, const struct bp_interval *v, struct bp_err *err)
{
    int64_t ms = v->ns / NS_PER_MS;
    uint32_t parts[3] = {(uint32_t)v->months, (uint32_t)v->days, (uint32_t)ms};

    if (v->months < 0 || v->days < 0 || v->ns < 0 || v->ns % NS_PER_MS || ms > UINT32_MAX)
        return bp_fail(err, BP_EDATA,
                       "an interval of %d months, %d days, %lld ns: Parquet's have whole "
                       "milliseconds and are not negative; write it as text (::text)",
                       v->months, v->days, (long long)v->ns);
    memcpy(p, parts, sizeof parts);
    return 0;
}

static int take_fixed(const struct bp_pq_layout *l, const struct bp_column *c,
                      struct bp_pq_words *out, struct bp_err *err)
{
    int32_t *offsets;
    uint8_t *p;

    out->bytes_mem.len = out->offsets_mem.len = 0;
    BP_TRY(bp_buf_reserve(&out->bytes_mem, (size_t)out->n * (size_t)l->width + 1, err));
    BP_TRY(bp_buf_reserve(&out->offsets_mem, (size_t)(out->n + 1) * sizeof *offsets, err));
    p = out->bytes_mem.data;
    offsets = (int32_t *)(void *)out->offsets_mem.data;
    for (int64_t i = 0; i < c->n_rows; i++) {
        if (bp_column_is_null(c, i))
            continue;
        if (c->type.kind == BP_DECIMAL)
            put_big_endian(p, l->width, bp_column_decimal(c, i));
        else
            BP_TRY(put_interval(p, &((const struct bp_interval *)c->data)[i], err));
        p += l->width;
    }
    for (int64_t i = 0; i <= out->n; i++)
        offsets[i] = (int32_t)(i * l->width);
    out->bytes = out->bytes_mem.data;
    out->offsets = offsets;
    return 0;
}

/* ---- texts ---- */

/* Null rows have no bytes, so their offsets are left out, and nothing is copied. */
static int take_texts(const struct bp_column *c, struct bp_pq_words *out, struct bp_err *err)
{
    const int32_t *from = c->data;
    int32_t *offsets;
    int64_t n = 0;

    out->bytes = c->bytes;
    out->offsets = from;
    if (!c->n_nulls)
        return 0;
    out->offsets_mem.len = 0;
    BP_TRY(bp_buf_reserve(&out->offsets_mem, (size_t)(c->n_rows + 1) * sizeof *offsets, err));
    offsets = (int32_t *)(void *)out->offsets_mem.data;
    for (int64_t i = 0; i < c->n_rows; i++) {
        offsets[n] = from[i];
        n += !bp_column_is_null(c, i);
    }
    offsets[n] = from[c->n_rows];
    out->offsets = offsets;
    return 0;
}

int bp_pq_to_words(const struct bp_pq_layout *l, const struct bp_column *c, struct bp_pq_words *out,
                   struct bp_err *err)
{
    out->n = c->n_rows - c->n_nulls;
    out->words = NULL; /* of another column before */
    if (l->physical == BP_PQ_BYTES)
        return take_texts(c, out, err);
    if (l->physical == BP_PQ_FIXED)
        return take_fixed(l, c, out, err);
    out->words_mem.len = 0;
    BP_TRY(bp_buf_reserve(&out->words_mem, (size_t)(c->n_rows + 1) * sizeof *out->words, err));
    out->words = (uint64_t *)(void *)out->words_mem.data;
    if (l->physical == BP_PQ_BOOLEAN) {
        take_bits(c, out->words);
        return 0;
    }
    take_words(c, out->words);
    return scale_seconds(c->type, out, err);
}
