/* SPDX-License-Identifier: Apache-2.0 */
#include "col/key.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string.h>

#include "base/xxh3_short.h"

enum key_class {
    CLASS_NULL,
    CLASS_BOOL,
    CLASS_EXACT,
    CLASS_FLOAT,
    CLASS_TEXT,
    CLASS_BINARY,
    CLASS_DATE,
    CLASS_TIME,
    CLASS_NAIVE,
    CLASS_INSTANT,
    CLASS_INTERVAL,
    CLASS_LIST,
    CLASS_STRUCT
};

static const uint8_t class_of[BP_N_KINDS] = {
    [BP_BOOL] = CLASS_BOOL,           [BP_INT8] = CLASS_EXACT,        [BP_INT16] = CLASS_EXACT,
    [BP_INT32] = CLASS_EXACT,         [BP_INT64] = CLASS_EXACT,       [BP_UINT8] = CLASS_EXACT,
    [BP_UINT16] = CLASS_EXACT,        [BP_UINT32] = CLASS_EXACT,      [BP_UINT64] = CLASS_EXACT,
    [BP_FLOAT32] = CLASS_FLOAT,       [BP_FLOAT64] = CLASS_FLOAT,     [BP_DECIMAL] = CLASS_EXACT,
    [BP_DATE] = CLASS_DATE,           [BP_TIME] = CLASS_TIME,         [BP_TIMESTAMP] = CLASS_NAIVE,
    [BP_TIMESTAMPTZ] = CLASS_INSTANT, [BP_INTERVAL] = CLASS_INTERVAL, [BP_TEXT] = CLASS_TEXT,
    [BP_BINARY] = CLASS_BINARY,       [BP_LIST] = CLASS_LIST,         [BP_STRUCT] = CLASS_STRUCT,
};

int bp_key_allowed(struct bp_type t, const char *name, struct bp_err *err)
{
    char type[BP_TYPE_NAME_MAX];

    if (!bp_type_is_nested(t))
        return 0;
    return bp_fail(err, BP_EUSAGE,
                   "'%.200s' is %s: lists and structs are no keys; take an element (a[1]), a "
                   "field ((a).b) or their text (a::text)",
                   name, bp_type_name(t, type));
}

int bp_key_class(struct bp_type t)
{
    return class_of[t.kind];
}

/* ---- canonical bytes ---- */

static size_t put_int64(uint8_t *out, int64_t v)
{
    memcpy(out, &v, sizeof v);
    return sizeof v;
}

static size_t put_exact(uint8_t *out, bp_int128 v, int scale)
{
    bp_uint128 mag;
    uint8_t sign;

    while (scale > 0 && v % 10 == 0) {
        v /= 10;
        scale--;
    }
    if (scale == 0 && v >= INT64_MIN && v <= INT64_MAX)
        return put_int64(out, (int64_t)v);
    sign = v < 0;
    mag = sign ? (bp_uint128)0 - (bp_uint128)v : (bp_uint128)v;
    memcpy(out, &mag, sizeof mag);
    out[16] = (uint8_t)scale;
    out[17] = sign;
    return 18;
}

static size_t put_float(uint8_t *out, double v)
{
    uint64_t bits;

    if (v == 0)
        v = 0; /* -0 */
    memcpy(&bits, &v, sizeof bits);
    if (v != v)
        bits = 0x7FF8000000000000u;
    memcpy(out, &bits, sizeof bits);
    return sizeof bits;
}

/* Seconds, rounded down, and nanoseconds of a moment in units of which a second has `per`. */
static inline int64_t split_moment(int64_t v, int64_t per, uint32_t *ns)
{
    int64_t sec = v / per, rest = v % per;

    if (rest < 0) {
        rest += per;
        sec--;
    }
    *ns = (uint32_t)(rest * (1000000000 / per));
    return sec;
}

static size_t put_timestamp(uint8_t *out, int64_t v, enum bp_unit unit)
{
    uint32_t ns;
    int64_t sec = split_moment(v, bp_unit_per_second(unit), &ns);

    memcpy(out, &sec, sizeof sec);
    memcpy(out + 8, &ns, sizeof ns);
    return 12;
}

/* The integer at row i of an integer column, as 128 bits. */
static bp_int128 int_at(const struct bp_column *c, int64_t i)
{
    switch (c->type.kind) {
    case BP_INT8: return ((const int8_t *)c->data)[i];
    case BP_INT16: return ((const int16_t *)c->data)[i];
    case BP_INT32: return ((const int32_t *)c->data)[i];
    case BP_INT64: return ((const int64_t *)c->data)[i];
    case BP_UINT8: return ((const uint8_t *)c->data)[i];
    case BP_UINT16: return ((const uint16_t *)c->data)[i];
    case BP_UINT32: return ((const uint32_t *)c->data)[i];
    case BP_UINT64: return ((const uint64_t *)c->data)[i];
    case BP_DECIMAL: return bp_column_decimal(c, i);
    default: return 0;
    }
}

static double float_at(const struct bp_column *c, int64_t i)
{
    return c->type.kind == BP_FLOAT32 ? (double)((const float *)c->data)[i]
                                      : ((const double *)c->data)[i];
}

size_t bp_key_bytes(const struct bp_column *c, int64_t row, uint8_t out[BP_KEY_BYTES_MAX])
{
    uint8_t *p = out + 1;

    if (bp_column_is_null(c, row)) {
        out[0] = CLASS_NULL;
        return 1;
    }
    out[0] = class_of[c->type.kind];
    switch (out[0]) {
    case CLASS_BOOL: *p = bp_bit_get(c->data, row); return 2;
    case CLASS_EXACT: return 1 + put_exact(p, int_at(c, row), c->type.scale);
    case CLASS_FLOAT: return 1 + put_float(p, float_at(c, row));
    case CLASS_DATE: memcpy(p, (const int32_t *)c->data + row, 4); return 5;
    case CLASS_TIME:
        return 1 + put_int64(p, ((const int64_t *)c->data)[row] *
                                    (1000000000 / bp_unit_per_second(c->type.unit)));
    case CLASS_NAIVE:
    case CLASS_INSTANT: return 1 + put_timestamp(p, ((const int64_t *)c->data)[row], c->type.unit);
    default: memcpy(p, (const struct bp_interval *)c->data + row, 16); return 17;
    }
}

/* ---- hashing, a column at a time ---- */

/* XXH3-64 of class byte and a text, without a copy of long ones. */
static uint64_t hash_text(uint8_t cls, const uint8_t *p, size_t n)
{
    uint8_t buf[256];
    XXH3_state_t state;

    if (n < 64)
        return bp_xxh3_tagged(cls, p, n);
    if (n < sizeof buf) {
        buf[0] = cls;
        memcpy(buf + 1, p, n);
        return XXH3_64bits(buf, n + 1);
    }
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, &cls, 1);
    XXH3_64bits_update(&state, p, n);
    return XXH3_64bits_digest(&state);
}

static uint64_t null_hash(void)
{
    uint8_t cls = CLASS_NULL;

    return XXH3_64bits(&cls, 1);
}

static void hash_plain_text(const struct bp_column *c, int64_t n, uint64_t *out)
{
    const int32_t *off = c->data;
    uint8_t cls = class_of[c->type.kind];

    for (int64_t i = 0; i < n; i++)
        out[i] = hash_text(cls, c->bytes + off[i], (size_t)(off[i + 1] - off[i]));
}

static int hash_dict(const struct bp_column *c, int64_t n, uint64_t *out, struct bp_err *err)
{
    const int32_t *codes = c->data;
    int64_t n_values = c->dict->values.n_rows;
    struct bp_block *b;
    uint64_t *table;

    if (n_values == 0) { /* every row is null; the caller sets those */
        memset(out, 0, (size_t)n * sizeof *out);
        return 0;
    }
    BP_TRY(bp_block_new(&b, (size_t)n_values * sizeof *table, err));
    table = (uint64_t *)(void *)b->data;
    hash_plain_text(&c->dict->values, n_values, table);
    for (int64_t i = 0; i < n; i++)
        out[i] = table[codes[i]];
    bp_block_unref(b);
    return 0;
}

#define HASH_INT64(type)                                                                           \
    do {                                                                                           \
        const type *v = c->data;                                                                   \
        for (int64_t i = 0; i < n; i++) {                                                          \
            uint64_t wide = (uint64_t)(int64_t)v[i];                                               \
            out[i] = bp_xxh3_9to16(wide << 8 | key[0], wide, 9);                                   \
        }                                                                                          \
    } while (0)

/* 13 bytes: class, seconds, nanoseconds. per is a constant where this is inlined. */
static inline void hash_moments(uint8_t cls, const int64_t *v, int64_t per, int64_t n,
                                uint64_t *out)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t ns;
        uint64_t sec = (uint64_t)split_moment(v[i], per, &ns);

        out[i] = bp_xxh3_9to16(sec << 8 | cls, sec >> 32 | (uint64_t)ns << 32, 13);
    }
}

static void hash_timestamps(const struct bp_column *c, int64_t n, uint64_t *out)
{
    uint8_t cls = class_of[c->type.kind];

    switch (c->type.unit) {
    case BP_SECOND: hash_moments(cls, c->data, 1, n, out); break;
    case BP_MILLI: hash_moments(cls, c->data, 1000, n, out); break;
    case BP_MICRO: hash_moments(cls, c->data, 1000000, n, out); break;
    default: hash_moments(cls, c->data, 1000000000, n, out);
    }
}

/* 5 bytes: class and days. */
static void hash_dates(const struct bp_column *c, int64_t n, uint64_t *out)
{
    const int32_t *v = c->data;
    uint32_t cls = class_of[c->type.kind];

    for (int64_t i = 0; i < n; i++)
        out[i] = bp_xxh3_4to8((uint32_t)v[i] << 8 | cls, (uint32_t)v[i], 5);
}

static int hash_column(const struct bp_column *c, int64_t n, uint64_t *out, struct bp_err *err);

/* A list or a struct: class byte, then the hashes of its elements or fields. */
static int hash_nested(const struct bp_column *c, int64_t n, uint64_t *out, struct bp_err *err)
{
    bool is_list = c->type.kind == BP_LIST;
    const int32_t *off = c->data;
    int64_t first = is_list && n ? off[0] : 0; /* of a slice, elements of others stand before */
    int64_t n_kid = is_list ? (n ? off[n] - first : 0) : n;
    uint8_t cls = class_of[c->type.kind];
    size_t n_kids = (size_t)c->kids->n;
    struct bp_column kid = {0};
    struct bp_block *b;
    uint64_t *kids;
    int rc = 0;

    BP_TRY(bp_block_new(&b, (size_t)n_kid * n_kids * sizeof *kids + 1, err));
    kids = (uint64_t *)(void *)b->data;
    for (size_t k = 0; k < n_kids; k++) {
        BP_GO(bp_column_slice(&kid, &c->kids->cols[k], first, n_kid, err));
        BP_GO(hash_column(&kid, n_kid, kids + k * (size_t)n_kid, err));
        bp_column_release(&kid);
    }
    for (int64_t i = 0; i < n; i++) {
        XXH3_state_t state;

        XXH3_64bits_reset(&state);
        XXH3_64bits_update(&state, &cls, 1);
        if (is_list)
            XXH3_64bits_update(&state, kids + (off[i] - first),
                               (size_t)(off[i + 1] - off[i]) * sizeof *kids);
        for (size_t k = 0; !is_list && k < n_kids; k++)
            XXH3_64bits_update(&state, &kids[k * (size_t)n_kid + (size_t)i], sizeof *kids);
        out[i] = XXH3_64bits_digest(&state);
    }
out:
    bp_column_release(&kid);
    bp_block_unref(b);
    return rc;
}

static int hash_column(const struct bp_column *c, int64_t n, uint64_t *out, struct bp_err *err)
{
    uint8_t key[BP_KEY_BYTES_MAX] = {class_of[c->type.kind]};

    switch (c->type.kind) {
    case BP_INT8: HASH_INT64(int8_t); break;
    case BP_INT16: HASH_INT64(int16_t); break;
    case BP_INT32: HASH_INT64(int32_t); break;
    case BP_INT64: HASH_INT64(int64_t); break;
    case BP_UINT8: HASH_INT64(uint8_t); break;
    case BP_UINT16: HASH_INT64(uint16_t); break;
    case BP_UINT32: HASH_INT64(uint32_t); break;
    case BP_DATE: hash_dates(c, n, out); break;
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ: hash_timestamps(c, n, out); break;
    case BP_TEXT:
    case BP_BINARY:
        if (c->dict)
            BP_TRY(hash_dict(c, n, out, err));
        else
            hash_plain_text(c, n, out);
        break;
    case BP_LIST:
    case BP_STRUCT: BP_TRY(hash_nested(c, n, out, err)); break;
    default:
        for (int64_t i = 0; i < n; i++)
            out[i] = XXH3_64bits(key, bp_key_bytes(c, i, key));
    }
    if (c->n_nulls) {
        uint64_t h = null_hash();

        for (int64_t i = 0; i < n; i++)
            if (bp_column_is_null(c, i))
                out[i] = h;
    }
    return 0;
}

int bp_key_hash(const struct bp_column *const cols[], int n_cols, int64_t n_rows, uint64_t *out,
                struct bp_err *err)
{
    struct bp_block *b;
    uint64_t *all, *row, few[8];
    int rc = 0;

    if (n_cols == 0) {
        memset(out, 0, (size_t)n_rows * sizeof *out);
        return 0;
    }
    if (n_cols == 1)
        return hash_column(cols[0], n_rows, out, err);
    /* hashes column by column, then gathered into rows of n_cols */
    BP_TRY(bp_block_new(&b, ((size_t)n_rows + 1) * (size_t)n_cols * sizeof *all, err));
    all = (uint64_t *)(void *)b->data;
    row = all + (size_t)n_rows * (size_t)n_cols;
    for (int k = 0; k < n_cols; k++)
        BP_GO(hash_column(cols[k], n_rows, all + (size_t)k * (size_t)n_rows, err));
    if (n_cols <= (int)BP_COUNT_OF(few)) {
        for (int64_t i = 0; i < n_rows; i++) {
            for (int k = 0; k < n_cols; k++)
                few[k] = all[(size_t)k * (size_t)n_rows + (size_t)i];
            out[i] = bp_xxh3_words(few, n_cols);
        }
        goto out;
    }
    for (int64_t i = 0; i < n_rows; i++) {
        for (int k = 0; k < n_cols; k++)
            row[k] = all[(size_t)k * (size_t)n_rows + (size_t)i];
        out[i] = XXH3_64bits(row, (size_t)n_cols * sizeof *row);
    }
out:
    bp_block_unref(b);
    return rc;
}

/* ---- comparing ---- */

static int compare_bytes(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
    size_t n = na < nb ? na : nb;
    int c = n ? memcmp(a, b, n) : 0;

    return c ? c : (na > nb) - (na < nb);
}

typedef int (*compare_rows)(const struct bp_column *a, int64_t ra, const struct bp_column *b,
                            int64_t rb);

/* Element by element, then the shorter first; field by field. */
static int compare_nested(const struct bp_column *a, int64_t ra, const struct bp_column *b,
                          int64_t rb, compare_rows compare)
{
    const int32_t *x, *y;
    int c = 0;

    if (a->type.kind == BP_STRUCT) {
        for (int i = 0; i < a->kids->n && c == 0; i++)
            c = compare(&a->kids->cols[i], ra, &b->kids->cols[i], rb);
        return c;
    }
    x = (const int32_t *)a->data + ra;
    y = (const int32_t *)b->data + rb;
    for (int32_t i = x[0], j = y[0]; i < x[1] && j < y[1] && c == 0; i++, j++)
        c = compare(&a->kids->cols[0], i, &b->kids->cols[0], j);
    return c ? c : (x[1] - x[0] > y[1] - y[0]) - (x[1] - x[0] < y[1] - y[0]);
}

int bp_key_compare_bytes(const struct bp_column *a, int64_t ra, const struct bp_column *b,
                         int64_t rb)
{
    uint8_t ka[BP_KEY_BYTES_MAX], kb[BP_KEY_BYTES_MAX];
    const uint8_t *pa = ka + 1, *pb = kb + 1;
    size_t na, nb;

    ka[0] = bp_column_is_null(a, ra) ? CLASS_NULL : class_of[a->type.kind];
    kb[0] = bp_column_is_null(b, rb) ? CLASS_NULL : class_of[b->type.kind];
    if (ka[0] != kb[0])
        return ka[0] < kb[0] ? -1 : 1;
    if (ka[0] == CLASS_NULL)
        return 0;
    if (ka[0] >= CLASS_LIST)
        return compare_nested(a, ra, b, rb, bp_key_compare_bytes);
    if (ka[0] == CLASS_TEXT || ka[0] == CLASS_BINARY) {
        pa = bp_column_bytes(a, ra, &na);
        pb = bp_column_bytes(b, rb, &nb);
    } else {
        na = bp_key_bytes(a, ra, ka) - 1;
        nb = bp_key_bytes(b, rb, kb) - 1;
    }
    return compare_bytes(pa, na, pb, nb);
}

bool bp_key_equal(const struct bp_column *a, int64_t ra, const struct bp_column *b, int64_t rb)
{
    return bp_key_compare_bytes(a, ra, b, rb) == 0;
}

/* a * 10^-sa against b * 10^-sb. Whole parts first, then fractions of one scale,
 * so that nothing overflows. */
static int compare_exact(bp_int128 a, int sa, bp_int128 b, int sb)
{
    bp_int128 pa = 1, pb = 1, fa, fb;

    if (sa == sb)
        return (a > b) - (a < b);
    for (int i = 0; i < sa; i++)
        pa *= 10;
    for (int i = 0; i < sb; i++)
        pb *= 10;
    if (a / pa != b / pb)
        return a / pa > b / pb ? 1 : -1;
    fa = a % pa; /* below 10^max(sa, sb) <= 10^38 after scaling: fits */
    fb = b % pb;
    for (; sa < sb; sa++)
        fa *= 10;
    for (; sb < sa; sb++)
        fb *= 10;
    return (fa > fb) - (fa < fb);
}

static int compare_float(double a, double b)
{
    if (a != a || b != b)
        return (a != a) - (b != b);
    return (a > b) - (a < b);
}

static int compare_timestamp(const struct bp_column *a, int64_t ra, const struct bp_column *b,
                             int64_t rb)
{
    bp_int128 x = ((const int64_t *)a->data)[ra], y = ((const int64_t *)b->data)[rb];

    x *= 1000000000 / bp_unit_per_second(a->type.unit);
    y *= 1000000000 / bp_unit_per_second(b->type.unit);
    return (x > y) - (x < y);
}

/* Months are 30 days and days 24 hours, as PostgreSQL compares intervals. */
static bp_int128 interval_ns(const struct bp_column *c, int64_t i)
{
    const struct bp_interval *v = (const struct bp_interval *)c->data + i;
    bp_int128 days = (bp_int128)v->months * 30 + v->days;

    return days * 86400 * 1000000000 + v->ns;
}

/* Within lists and structs NULLs are equal and above all values, as in PostgreSQL. */
static int compare_inside(const struct bp_column *a, int64_t ra, const struct bp_column *b,
                          int64_t rb)
{
    bool na = bp_column_is_null(a, ra), nb = bp_column_is_null(b, rb);

    return na || nb ? na - nb : bp_value_compare(a, ra, b, rb);
}

int bp_value_compare(const struct bp_column *a, int64_t ra, const struct bp_column *b, int64_t rb)
{
    const uint8_t *pa, *pb;
    size_t na, nb;

    switch (class_of[a->type.kind]) {
    case CLASS_BOOL: return bp_bit_get(a->data, ra) - bp_bit_get(b->data, rb);
    case CLASS_EXACT:
        return compare_exact(int_at(a, ra), a->type.scale, int_at(b, rb), b->type.scale);
    case CLASS_FLOAT: return compare_float(float_at(a, ra), float_at(b, rb));
    case CLASS_DATE: {
        int32_t x = ((const int32_t *)a->data)[ra], y = ((const int32_t *)b->data)[rb];

        return (x > y) - (x < y);
    }
    case CLASS_TIME:
    case CLASS_NAIVE:
    case CLASS_INSTANT: return compare_timestamp(a, ra, b, rb);
    case CLASS_INTERVAL: {
        bp_int128 x = interval_ns(a, ra), y = interval_ns(b, rb);

        return (x > y) - (x < y);
    }
    case CLASS_LIST:
    case CLASS_STRUCT: return compare_nested(a, ra, b, rb, compare_inside);
    default:
        pa = bp_column_bytes(a, ra, &na);
        pb = bp_column_bytes(b, rb, &nb);
        return compare_bytes(pa, na, pb, nb);
    }
}
