/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 2: one field of many records becomes part of one column. A loop per
 * type; the plain shapes of values are read by csv_digits.h, the others by
 * lib/col/text. Each loop is built twice, for the base machine and for one with
 * BMI2 (whose shifts by a variable count are cheap). Where there is AVX-512, they see
 * only what csv_wide.c left.
 */
#include <string.h>

#include "col/text.h"
#include "fmt/csv_digits.h"
#include "fmt/csv_out.h"
#include "fmt/csv_wide.h"

#define LIKELY(c) __builtin_expect(!!(c), 1)

struct field {
    const uint8_t *s;
    int32_t n; /* -1: an empty quoted field */
};

CSV_INLINE struct field field_at(const struct csv_span *f, int64_t i)
{
    uint32_t s = f->s[(size_t)i * f->step] + 1, e = f->e[(size_t)i * f->step];

    return (struct field){f->p + s, (int32_t)(e - s)};
}

CSV_INLINE void put_null(struct csv_out *o, int64_t row)
{
    bp_bit_clear(o->valid->data, row);
    o->n_nulls++;
}

/* ---- integers ---- */

CSV_INLINE bool read_int(const uint8_t *s, uint32_t n, int64_t *v)
{
    uint64_t u;
    uint32_t minus = *s == '-';

    if (!LIKELY(csv_uint(s + minus, n - minus, &u)))
        return bp_parse_int64((const char *)s, n, v) == BP_TEXT_OK;
    *v = minus ? -(int64_t)u : (int64_t)u;
    return true;
}

/* Numbers of a span as `type`. read sees x, the field, and fills v; false: csv_slow.c says why. */
#define NUMBER_LOOP(name, type, wide, read)                                                        \
    CSV_INLINE bool name(struct csv_out *o, const struct csv_span *f)                              \
    {                                                                                              \
        type *out = (type *)(void *)o->data->data + o->n_rows;                                     \
        for (int64_t i = 0; i < f->n; i++) {                                                       \
            struct field x = field_at(f, i);                                                       \
            wide v = 0;                                                                            \
            if (x.n == 0)                                                                          \
                put_null(o, o->n_rows + i);                                                        \
            else if (x.n < 0 || !(read))                                                           \
                return false;                                                                      \
            out[i] = (type)v;                                                                      \
        }                                                                                          \
        return true;                                                                               \
    }
#define INT_LOOP(name, type, min, max)                                                             \
    NUMBER_LOOP(name, type, int64_t, read_int(x.s, (uint32_t)x.n, &v) && v >= (min) && v <= (max))
INT_LOOP(loop_int8, int8_t, INT8_MIN, INT8_MAX)
INT_LOOP(loop_int16, int16_t, INT16_MIN, INT16_MAX)
INT_LOOP(loop_int32, int32_t, INT32_MIN, INT32_MAX)
INT_LOOP(loop_int64, int64_t, INT64_MIN, INT64_MAX)
INT_LOOP(loop_uint8, uint8_t, 0, UINT8_MAX)
INT_LOOP(loop_uint16, uint16_t, 0, UINT16_MAX)
INT_LOOP(loop_uint32, uint32_t, 0, UINT32_MAX)

/* ---- floats and decimals ---- */

/* digits / 10^scale is one correctly rounded operation on exact operands. */
CSV_INLINE bool read_float64(const uint8_t *s, uint32_t n, double *v)
{
    uint32_t minus = *s == '-', scale;
    uint64_t digits;

    if (!LIKELY(csv_fixed(s + minus, n - minus, &digits, &scale) && digits < (uint64_t)1 << 53))
        return bp_parse_float64((const char *)s, n, v) == BP_TEXT_OK;
    *v = (double)(int64_t)digits / csv_pow10[scale];
    if (minus)
        *v = -*v;
    return true;
}

NUMBER_LOOP(loop_float64, double, double, read_float64(x.s, (uint32_t)x.n, &v))

/* Of up to 18 digits. */
CSV_INLINE bool read_decimal64(struct bp_type t, const uint8_t *s, uint32_t n, int64_t *v)
{
    uint32_t minus = *s == '-', scale;
    uint64_t digits;
    int64_t w;

    if (!LIKELY(
            csv_fixed(s + minus, n - minus, &digits, &scale) && scale <= t.scale &&
            !__builtin_mul_overflow((int64_t)digits, (int64_t)bp_pow10_u64[t.scale - scale], &w) &&
            w < (int64_t)bp_pow10_u64[t.precision]))
        return bp_text_parse(t, (const char *)s, n, v) == BP_TEXT_OK;
    *v = minus ? -w : w;
    return true;
}

NUMBER_LOOP(loop_decimal64, int64_t, int64_t, read_decimal64(o->type, x.s, (uint32_t)x.n, &v))

/* ---- dates and times ---- */

static __attribute__((noinline)) bool date_miss(struct csv_dates *dates, uint32_t slot,
                                                const uint8_t *s, int32_t *days)
{
    if (s[4] != '-' || s[7] != '-' || s[0] < '0' || s[0] > '9' || s[9] < '0' || s[9] > '9' ||
        bp_parse_date((const char *)s, 10, days) != BP_TEXT_OK)
        return false;
    dates->slot[slot].head = csv_load(s);
    dates->slot[slot].tail = (uint32_t)s[8] | (uint32_t)s[9] << 8;
    dates->slot[slot].days = *days;
    return true;
}

/* Ten bytes "YYYY-MM-DD". */
CSV_INLINE bool read_date(struct csv_dates *dates, const uint8_t *s, int32_t *days)
{
    uint64_t head = csv_load(s);
    uint32_t tail = (uint32_t)s[8] | (uint32_t)s[9] << 8;
    uint32_t slot = (uint32_t)(((head ^ (uint64_t)tail << 40) * 0x9E3779B97F4A7C15u) >> 56);

    if (!LIKELY(dates->slot[slot].head == head && dates->slot[slot].tail == tail))
        return date_miss(dates, slot, s, days);
    *days = dates->slot[slot].days;
    return true;
}

CSV_INLINE bool loop_date(struct csv_out *o, const struct csv_span *f)
{
    int32_t *out = (int32_t *)(void *)o->data->data + o->n_rows;

    for (int64_t i = 0; i < f->n; i++) {
        struct field x = field_at(f, i);
        int32_t v = 0;

        if (x.n == 0)
            put_null(o, o->n_rows + i);
        else if (!(LIKELY(x.n == 10) && read_date(f->dates, x.s, &v)) &&
                 (x.n < 0 || bp_parse_date((const char *)x.s, (size_t)x.n, &v) != BP_TEXT_OK))
            return false;
        out[i] = v;
    }
    return true;
}

CSV_INLINE bool loop_timestamp(struct csv_out *o, const struct csv_span *f)
{
    const int64_t per_second = bp_unit_per_second(o->type.unit);
    const bool zone = o->type.kind == BP_TIMESTAMPTZ, nano = o->type.unit == BP_NANO;
    int64_t *out = (int64_t *)(void *)o->data->data + o->n_rows;

    for (int64_t i = 0; i < f->n; i++) {
        struct field x = field_at(f, i);
        int64_t v = 0;
        int32_t days;
        uint32_t seconds;

        if (x.n == 0)
            put_null(o, o->n_rows + i);
        else if (LIKELY(x.n == 19 && !nano && (x.s[10] == ' ' || x.s[10] == 'T') &&
                        read_date(f->dates, x.s, &days) && csv_clock(x.s + 11, &seconds)))
            v = ((int64_t)days * 86400 + seconds) * per_second;
        else if (x.n < 0 || bp_parse_timestamp((const char *)x.s, (size_t)x.n, o->type.unit, zone,
                                               &v) != BP_TEXT_OK)
            return false;
        out[i] = v;
    }
    return true;
}

/* ---- text ---- */

CSV_INLINE bool loop_text(struct csv_out *o, const struct csv_span *f)
{
    int32_t *off = (int32_t *)(void *)o->data->data + o->n_rows + 1;
    uint8_t *base = o->bytes->data, *out = base + o->bytes_len;

    for (int64_t i = 0; i < f->n; i++) {
        struct field x = field_at(f, i);

        if (x.n == 0) {
            put_null(o, o->n_rows + i);
        } else {
            memcpy(out, x.s, 16); /* most are short */
            if (x.n > 16)
                memcpy(out + 16, x.s + 16, (size_t)x.n - 16);
            out += x.n;
        }
        off[i] = (int32_t)(out - base);
    }
    o->bytes_len = (size_t)(out - base);
    return true;
}

/* n > 0 bytes in which each pair of quotes stands for one. */
static uint8_t *unescape(uint8_t *out, const uint8_t *s, size_t n, uint8_t quote)
{
    const uint8_t *end = s + n, *q;

    while ((q = memchr(s, quote, (size_t)(end - s)))) {
        memcpy(out, s, (size_t)(q - s) + 1);
        out += q - s + 1;
        s = q + 2;
        if (s >= end)
            return out;
    }
    memcpy(out, s, (size_t)(end - s));
    return out + (end - s);
}

static bool loop_text_marked(struct csv_out *o, const struct csv_span *f)
{
    int32_t *off = (int32_t *)(void *)o->data->data + o->n_rows + 1;
    uint8_t *base = o->bytes->data, *out = base + o->bytes_len;

    for (int64_t i = 0; i < f->n; i++) {
        uint32_t s = f->s[i], from = (s & ~CSV_ESCAPED) + 1;
        int32_t n = (int32_t)(f->e[i] - from);

        if (n == 0) {
            put_null(o, o->n_rows + i);
        } else if (s & CSV_ESCAPED) {
            out = unescape(out, f->p + from, (size_t)n, f->quote);
        } else if (n > 0) {
            memcpy(out, f->p + from, (size_t)n);
            out += n;
        }
        off[i] = (int32_t)(out - base);
    }
    o->bytes_len = (size_t)(out - base);
    return true;
}

/* ---- text of which a dictionary is made ---- */

#define CODES_ROWS 64
#define NEAR_SLOTS 8192 /* an L2 has so many: they need not be fetched */

static __attribute__((noinline)) bool find_code(struct csv_out *o, const struct csv_span *f,
                                                const uint8_t *s, size_t n, int32_t *code)
{
    size_t bad_at;

    if (f->unchecked && !bp_utf8_check(s, n, &bad_at))
        return false;
    return bp_dictset_code(o->dict, s, n, code, f->err) == 0;
}

/* At most CODES_ROWS fields, which are looked up at the same time: first where each begins, so
 * that the lines of the table are on their way. */
CSV_INLINE bool codes_block(struct csv_out *o, const struct csv_span *f, int64_t first, int64_t n)
{
    int32_t *out = (int32_t *)(void *)o->data->data + o->n_rows + first;
    bool far = o->dict->n_slots > NEAR_SLOTS;
    uint64_t heads[CODES_ROWS][2];
    uint32_t at[CODES_ROWS];

    for (int64_t i = 0; i < n; i++) {
        struct field x = field_at(f, first + i);

        bp_dict_head(x.s, (uint32_t)BP_MIN(x.n, BP_DICT_INLINE), heads[i]);
        at[i] = bp_dictset_start(o->dict, heads[i]);
        if (far) {
            __builtin_prefetch(&o->dict->slots[at[i]]);
            __builtin_prefetch(&o->dict->slots[at[i]].number);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        struct field x = field_at(f, first + i);

        out[i] = bp_dictset_find(o->dict, heads[i], (uint32_t)x.n, at[i]);
        if (x.n == 0) { /* the empty text may be in the table */
            out[i] = 0;
            put_null(o, o->n_rows + first + i);
        } else if (!LIKELY(out[i] >= 0 && x.n <= BP_DICT_INLINE) &&
                   !find_code(o, f, x.s, (size_t)x.n, &out[i])) {
            return false;
        }
    }
    return true;
}

CSV_INLINE bool loop_codes(struct csv_out *o, const struct csv_span *f)
{
    if (bp_dictset_ready(o->dict, f->err) < 0)
        return false;
    for (int64_t i = 0; i < f->n; i += CODES_ROWS)
        if (!codes_block(o, f, i, BP_MIN(f->n - i, CODES_ROWS)))
            return false;
    return true;
}

static bool loop_codes_marked(struct csv_out *o, const struct csv_span *f)
{
    int32_t *out = (int32_t *)(void *)o->data->data + o->n_rows;

    for (int64_t i = 0; i < f->n; i++) {
        uint32_t s = f->s[i], from = (s & ~CSV_ESCAPED) + 1;
        int32_t n = (int32_t)(f->e[i] - from);
        const uint8_t *p = f->p + from;

        out[i] = 0;
        if (n == 0) {
            put_null(o, o->n_rows + i);
            continue;
        }
        if (s & CSV_ESCAPED) {
            n = (int32_t)(unescape(o->bytes->data, p, (size_t)n, f->quote) - o->bytes->data);
            p = o->bytes->data;
        }
        if (!find_code(o, f, p, (size_t)BP_MAX(n, 0), &out[i]))
            return false;
    }
    return true;
}

/* ---- the types that are rare in CSV ---- */

static bool loop_any(struct csv_out *o, const struct csv_span *f)
{
    size_t w = bp_type_width_bytes(o->type);
    bp_int128 room[2];

    for (int64_t i = 0; i < f->n; i++) {
        struct field x = field_at(f, i);

        memset(room, 0, sizeof room);
        if (x.n == 0)
            put_null(o, o->n_rows + i);
        else if (x.n < 0 || bp_text_parse(o->type, (const char *)x.s, (size_t)x.n, room) != 0)
            return false;
        if (o->type.kind == BP_BOOL)
            bp_bit_put(o->data->data, o->n_rows + i, *(const uint8_t *)room);
        else
            memcpy(o->data->data + (size_t)(o->n_rows + i) * w, room, w);
    }
    return true;
}

static bool loop_binary(struct csv_out *o, const struct csv_span *f)
{
    int32_t *off = (int32_t *)(void *)o->data->data + o->n_rows + 1;

    for (int64_t i = 0; i < f->n; i++) {
        struct field x = field_at(f, i);
        size_t n = 0;

        if (x.n == 0)
            put_null(o, o->n_rows + i);
        else if (bp_parse_binary((const char *)x.s, (size_t)BP_MAX(x.n, 0),
                                 o->bytes->data + o->bytes_len, &n) != BP_TEXT_OK)
            return false;
        o->bytes_len += n;
        off[i] = (int32_t)o->bytes_len;
    }
    return true;
}

CSV_INLINE bool convert(struct csv_out *o, const struct csv_span *f)
{
    switch (o->type.kind) {
    case BP_INT8: return loop_int8(o, f);
    case BP_INT16: return loop_int16(o, f);
    case BP_INT32: return loop_int32(o, f);
    case BP_INT64: return loop_int64(o, f);
    case BP_UINT8: return loop_uint8(o, f);
    case BP_UINT16: return loop_uint16(o, f);
    case BP_UINT32: return loop_uint32(o, f);
    case BP_FLOAT64: return loop_float64(o, f);
    case BP_DECIMAL: return bp_type_is_decimal64(o->type) ? loop_decimal64(o, f) : loop_any(o, f);
    case BP_DATE: return loop_date(o, f);
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ: return loop_timestamp(o, f);
    case BP_TEXT:
        if (o->dict)
            return f->marked ? loop_codes_marked(o, f) : loop_codes(o, f);
        return f->marked ? loop_text_marked(o, f) : loop_text(o, f);
    case BP_BINARY: return loop_binary(o, f);
    default: return loop_any(o, f);
    }
}

/* True only of types whose readers above, and bp_parse_decimal(), take ASCII alone. */
bool csv_convert_checks(struct bp_type t, bool dict)
{
    switch (t.kind) {
    case BP_INT8:
    case BP_INT16:
    case BP_INT32:
    case BP_INT64:
    case BP_UINT8:
    case BP_UINT16:
    case BP_UINT32:
    case BP_FLOAT64:
    case BP_DECIMAL:
    case BP_DATE:
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ: return true;
    case BP_TEXT: return dict;
    default: return false;
    }
}

static bool convert_base(struct csv_out *o, const struct csv_span *f)
{
    return convert(o, f);
}

#if defined(__x86_64__)
__attribute__((target("bmi,bmi2,lzcnt,popcnt,avx2"))) static bool
convert_bmi2(struct csv_out *o, const struct csv_span *f)
{
    return convert(o, f);
}
#else
#define convert_bmi2 convert_base
#endif

static bool convert_some(struct csv_out *o, const struct csv_span *f, int level)
{
    bool ok = level ? convert_bmi2(o, f) : convert_base(o, f);

    o->n_rows += f->n;
    return ok;
}

/* ---- many fields at a time ---- */

/* Fields [from, from + n) of f. */
static struct csv_span part_of(const struct csv_span *f, int64_t from, int64_t n)
{
    struct csv_span part = *f;

    part.s += (size_t)from * f->step;
    part.e += (size_t)from * f->step;
    part.n = n;
    return part;
}

/* A block of n fields: those of the set bits of `left` are read one by one, the others are there.
 * Appends all. */
static bool convert_left(struct csv_out *o, const struct csv_span *f, uint64_t left)
{
    const int64_t first = o->n_rows;

    while (left) {
        int64_t from = __builtin_ctzll(left);
        uint64_t behind = ~(left >> from);
        int64_t n = behind ? __builtin_ctzll(behind) : CSV_WIDE_ROWS;
        struct csv_span run = part_of(f, from, n);

        o->n_rows = first + from;
        if (!convert_some(o, &run, 1))
            return false;
        left = from + n < CSV_WIDE_ROWS ? left >> (from + n) << (from + n) : 0;
    }
    o->n_rows = first + f->n;
    return true;
}

/* Blocks, until most fields of one are of another shape: then one by one. */
static bool convert_wide(struct csv_out *o, const struct csv_span *f, int level)
{
    int64_t at = 0;
    int misses = 0;

    for (; at < f->n && misses * 2 <= CSV_WIDE_ROWS;) {
        struct csv_span block = part_of(f, at, BP_MIN(f->n - at, CSV_WIDE_ROWS));
        uint64_t empty, rows = UINT64_MAX >> (CSV_WIDE_ROWS - block.n);
        uint64_t left = rows & ~csv_wide(o, &block, (int)block.n, level, &empty);

        misses = __builtin_popcountll(left);
        for (uint64_t x = empty; x; x &= x - 1)
            put_null(o, o->n_rows + __builtin_ctzll(x));
        if (!convert_left(o, &block, left))
            return false;
        at += block.n;
    }
    if (at < f->n) {
        struct csv_span rest = part_of(f, at, f->n - at);

        return convert_some(o, &rest, 1);
    }
    return true;
}

bool csv_convert(struct csv_out *o, const struct csv_span *f, int level)
{
    int64_t end = o->n_rows + f->n;
    bool ok = csv_wide_has(o->type, level) ? convert_wide(o, f, level) : convert_some(o, f, level);

    o->n_rows = end; /* wherever it broke off, nulls may stand behind it */
    return ok;
}
