/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/csv_cells.h"

#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "fmt/csv_put.h"
#include "fmt/csv_stamps.h"

#define BLOCK_ROWS 256
#define SLOT_BYTES 64 /* of a value that a loop formats, with room behind */
#define DICT_SHARE 4  /* a dictionary of more values than rows times this is not prepared */

struct cell {
    const uint8_t *p; /* 16 bytes behind the text are readable */
    size_t n;
};

struct csv_col {
    uint8_t *slots;   /* BLOCK_ROWS of SLOT_BYTES; NULL: not used yet */
    uint64_t dict_id; /* whose values stand in dict_cells; 0: none */
    struct cell *dict_cells;
    int64_t cap_dict;
    struct bp_buf dict_text;
};

struct csv_cells {
    const struct csv_text *text;
    int n_cols;
    struct csv_col *cols;
    struct cell *cells; /* BLOCK_ROWS rows of n_cols */
    struct put_days days;
    struct put_small small;
    struct bp_buf side; /* cells of this block that stand nowhere else; never moved while used */
};

struct run { /* rows [from, from + n) of a column, and where their cells go */
    const struct bp_column *col;
    int64_t from;
    int n, step;
    struct cell *cells;
};

int csv_cells_open(struct csv_cells **out, const struct csv_text *text, int n_cols,
                   struct bp_err *err)
{
    struct csv_cells *c = bp_mem_new(1, sizeof *c, err);

    if (!c)
        return err->code;
    c->text = text;
    c->n_cols = n_cols;
    put_days_clear(&c->days);
    put_small_make(&c->small);
    c->cols = bp_mem_new((size_t)n_cols, sizeof *c->cols, err);
    c->cells = bp_mem_new((size_t)n_cols * BLOCK_ROWS, sizeof *c->cells, err);
    if (err->code) {
        csv_cells_free(c);
        return err->code;
    }
    *out = c;
    return 0;
}

void csv_cells_free(struct csv_cells *c)
{
    if (!c)
        return;
    for (int i = 0; c->cols && i < c->n_cols; i++) {
        bp_mem_free(c->cols[i].slots);
        bp_mem_free(c->cols[i].dict_cells);
        bp_buf_release(&c->cols[i].dict_text);
    }
    bp_mem_free(c->cols);
    bp_mem_free(c->cells);
    bp_buf_release(&c->side);
    bp_mem_free(c);
}

/* ---- quotes ---- */

static bool needs_quotes(const struct csv_text *t, const uint8_t *p, size_t n)
{
    unsigned any = 0;

    if (n == t->null_len && memcmp(p, t->null_text, n) == 0)
        return true;
    for (size_t i = 0; i < n; i++)
        any |= t->special[p[i]];
    return any || n == 0;
}

uint8_t *csv_put_text(const struct csv_text *t, uint8_t *out, const uint8_t *p, size_t n)
{
    if (!needs_quotes(t, p, n)) {
        memcpy(out, p, n);
        return out + n;
    }
    *out++ = '"';
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '"')
            *out++ = '"';
        *out++ = p[i];
    }
    *out++ = '"';
    return out;
}

typedef uint8_t vec16 __attribute__((vector_size(16)));

/* Is there a delimiter, a quote or a line end in p[0, n)? 16 bytes at a time, on any
 * processor that has such vectors; the compiler splits them where there are none. */
static bool has_special(const struct csv_text *t, const uint8_t *p, size_t n)
{
    vec16 any = {0}, x;
    uint64_t half[2];

    for (; n >= 16; p += 16, n -= 16) {
        memcpy(&x, p, 16);
        any |= (vec16)((x == (uint8_t)t->delim) | (x == '"') | (x == '\r') | (x == '\n'));
    }
    memcpy(half, &any, 16);
    if (half[0] | half[1])
        return true;
    while (n > 0)
        if (t->special[p[--n]])
            return true;
    return false;
}

/* ---- cells of a column ---- */

#define EACH_ROW(r, i) for (int64_t i = 0; i < (r)->n; i++)

/* Formats each value of one type into its slot. `put` sees v, the value, and s, the slot. */
#define SLOT_LOOP(type, put)                                                                       \
    EACH_ROW(r, i)                                                                                 \
    {                                                                                              \
        uint8_t *s = slots + i * SLOT_BYTES;                                                       \
        type v = ((const type *)r->col->data)[r->from + i];                                        \
        r->cells[i * r->step] = (struct cell){s, (size_t)((put)-s)};                               \
    }

/* Integers; of those below PUT_SMALL the text is there already. */
#define INT_LOOP(type, put)                                                                        \
    EACH_ROW(r, i)                                                                                 \
    {                                                                                              \
        uint8_t *s = slots + i * SLOT_BYTES;                                                       \
        type v = ((const type *)r->col->data)[r->from + i];                                        \
        if ((uint64_t)v < PUT_SMALL)                                                               \
            r->cells[i * r->step] = (struct cell){c->small.of[v].text, c->small.of[v].len};        \
        else                                                                                       \
            r->cells[i * r->step] = (struct cell){s, (size_t)((put)-s)};                           \
    }

/* Whole seconds of usual years, which is what there mostly is. False: another is among them. */
static bool put_plain_stamps(struct csv_cells *c, const struct run *r, uint8_t *slots)
{
    const int64_t *v = (const int64_t *)r->col->data + r->from;
    bool zone = r->col->type.kind == BP_TIMESTAMPTZ;
    uint64_t clock[BLOCK_ROWS];
    int32_t day[BLOCK_ROWS];

    if (!csv_split_stamps(v, r->n, bp_unit_per_second(r->col->type.unit), day, clock))
        return false;
    EACH_ROW(r, i)
    {
        uint8_t *s = slots + i * SLOT_BYTES;

        memcpy(s, put_day(&c->days, day[i]), 12);
        put_word(s + 11, clock[i]);
        if (zone)
            (void)put_zone(s + 19);
        r->cells[i * r->step] = (struct cell){s, zone ? 22 : 19};
    }
    return true;
}

static void put_timestamps(struct csv_cells *c, const struct run *r, uint8_t *slots)
{
    bool zone = r->col->type.kind == BP_TIMESTAMPTZ;

    if (put_plain_stamps(c, r, slots))
        return;
    switch ((enum bp_unit)r->col->type.unit) {
    case BP_SECOND: SLOT_LOOP(int64_t, put_timestamp(s, &c->days, v, 1, BP_SECOND, zone)) break;
    case BP_MILLI: SLOT_LOOP(int64_t, put_timestamp(s, &c->days, v, 1000, BP_MILLI, zone)) break;
    case BP_MICRO: SLOT_LOOP(int64_t, put_timestamp(s, &c->days, v, 1000000, BP_MICRO, zone)) break;
    case BP_NANO:
        SLOT_LOOP(int64_t, put_timestamp(s, &c->days, v, 1000000000, BP_NANO, zone)) break;
    }
}

/* False: no loop for this type. */
static bool put_slots(struct csv_cells *c, const struct run *r, uint8_t *slots)
{
    struct bp_type t = r->col->type;
    uint64_t per = t.scale <= 8 ? bp_pow10_u64[t.scale] : 1;

    switch (t.kind) {
    case BP_INT8: SLOT_LOOP(int8_t, put_int(s, v)) return true;
    case BP_INT16: INT_LOOP(int16_t, put_int(s, v)) return true;
    case BP_INT32: INT_LOOP(int32_t, put_int(s, v)) return true;
    case BP_INT64: INT_LOOP(int64_t, put_int(s, v)) return true;
    case BP_UINT8: SLOT_LOOP(uint8_t, put_uint(s, v)) return true;
    case BP_UINT16: INT_LOOP(uint16_t, put_uint(s, v)) return true;
    case BP_UINT32: INT_LOOP(uint32_t, put_uint(s, v)) return true;
    case BP_UINT64: INT_LOOP(uint64_t, put_uint(s, v)) return true;
    case BP_FLOAT32: SLOT_LOOP(float, s + bp_format_float32(v, (char *)s)) return true;
    case BP_FLOAT64: SLOT_LOOP(double, put_float64(s, v)) return true;
    case BP_DECIMAL:
        if (bp_type_is_decimal64(t))
            SLOT_LOOP(int64_t, put_decimal64(s, v, t.scale, per))
        else
            SLOT_LOOP(bp_int128, put_decimal128(s, v, t.scale, per))
        return true;
    case BP_TIME:
        SLOT_LOOP(int64_t, s + bp_format_time(v, (enum bp_unit)t.unit, (char *)s))
        return true;
    case BP_DATE: SLOT_LOOP(int32_t, put_date(s, &c->days, v)) return true;
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ: put_timestamps(c, r, slots); return true;
    default: return false;
    }
}

static void put_bools(const struct run *r)
{
    static const uint8_t words[2][16] = {"false", "true"};

    EACH_ROW(r, i)
    {
        bool v = bp_bit_get(r->col->data, r->from + i);

        r->cells[i * r->step] = (struct cell){words[v], v ? 4 : 5};
    }
}

/* Room in side for n bytes more, without moving what is there: asked for in one go. */
static int side_reserve(struct csv_cells *c, size_t n, struct bp_err *err)
{
    return bp_buf_reserve(&c->side, n + 16, err);
}

/* A cell with the text p[0, n) quoted as it must be, on side. */
static struct cell side_cell(struct csv_cells *c, const uint8_t *p, size_t n)
{
    uint8_t *from = c->side.data + c->side.len, *to = csv_put_text(c->text, from, p, n);

    c->side.len += (size_t)(to - from);
    return (struct cell){from, (size_t)(to - from)};
}

static const uint8_t empty_text[16] = "\"\"";

/* Text that is not a dictionary: pointed at. Where a byte of the block's asks for
 * quotes, value by value. side has room. */
static void put_texts(struct csv_cells *c, const struct run *r)
{
    const int32_t *off = (const int32_t *)r->col->data + r->from;
    const uint8_t *p = r->col->bytes;
    bool check =
        c->text->null_len || has_special(c->text, p + off[0], (size_t)(off[r->n] - off[0]));

    EACH_ROW(r, i)
    {
        size_t n = (size_t)(off[i + 1] - off[i]);
        struct cell *to = &r->cells[i * r->step];

        if (n == 0)
            *to = (struct cell){empty_text, 2};
        else if (check && needs_quotes(c->text, p + off[i], n))
            *to = side_cell(c, p + off[i], n);
        else
            *to = (struct cell){p + off[i], n};
    }
}

/* The cells of all values of a dictionary, once. */
static int prepare_dict(struct csv_cells *c, struct csv_col *k, const struct bp_dict *d,
                        struct bp_err *err)
{
    const struct bp_column *v = &d->values;
    const int32_t *off = v->data;
    uint8_t *out;

    if (k->dict_id == d->id)
        return 0;
    k->dict_id = 0;
    if (v->n_rows > k->cap_dict) {
        struct cell *grown = bp_mem_grow(k->dict_cells, (size_t)v->n_rows, sizeof *grown, err);

        if (!grown)
            return err->code;
        k->dict_cells = grown;
        k->cap_dict = v->n_rows;
    }
    k->dict_text.len = 0;
    BP_TRY(bp_buf_reserve(&k->dict_text,
                          2 * ((size_t)(off[v->n_rows] - off[0]) + (size_t)v->n_rows) + 16, err));
    out = k->dict_text.data;
    for (int64_t i = 0; i < v->n_rows; i++) {
        uint8_t *end = csv_put_text(c->text, out, v->bytes + off[i], (size_t)(off[i + 1] - off[i]));

        k->dict_cells[i] = (struct cell){out, (size_t)(end - out)};
        out = end;
    }
    k->dict_id = d->id;
    return 0;
}

static int put_dict(struct csv_cells *c, struct csv_col *k, const struct run *r, int64_t n_rows,
                    struct bp_err *err)
{
    const int32_t *codes = (const int32_t *)r->col->data + r->from;
    const struct bp_column *v = &r->col->dict->values;

    if (r->col->n_nulls == r->col->n_rows)
        return 0; /* there may be no values at all */
    if (v->n_rows <= n_rows * DICT_SHARE || k->dict_id == r->col->dict->id) {
        BP_TRY(prepare_dict(c, k, r->col->dict, err));
        EACH_ROW(r, i)
        r->cells[i * r->step] = k->dict_cells[codes[i]];
        return 0;
    }
    EACH_ROW(r, i)
    {
        size_t n;
        const uint8_t *p = bp_column_bytes(r->col, r->from + i, &n);

        r->cells[i * r->step] =
            needs_quotes(c->text, p, n) ? side_cell(c, p, n) : (struct cell){p, n};
    }
    return 0;
}

/* Everything else, and values that may need quotes, by lib/col; side has room. */
static int put_others(struct csv_cells *c, const struct run *r, struct bp_err *err)
{
    struct bp_buf text = {0};
    int rc = 0;

    for (int64_t i = 0; i < r->n && rc == 0; i++) {
        text.len = 0;
        if (bp_column_is_null(r->col, r->from + i))
            continue;
        rc = bp_text_append(r->col, r->from + i, &text, err);
        if (rc == 0)
            r->cells[i * r->step] = side_cell(c, text.data, text.len);
    }
    bp_buf_release(&text);
    return rc;
}

static void put_nulls(const struct csv_cells *c, const struct run *r)
{
    const uint8_t *null_text = (const uint8_t *)c->text->null_text;

    if (!r->col->n_nulls)
        return;
    EACH_ROW(r, i)
    if (bp_column_is_null(r->col, r->from + i))
        r->cells[i * r->step] = (struct cell){null_text, c->text->null_len};
}

static bool in_slots(const struct csv_cells *c, struct bp_type t)
{
    return c->text->plain_values && t.kind != BP_TEXT && t.kind != BP_BOOL && t.kind != BP_BINARY &&
           t.kind != BP_INTERVAL;
}

static int put_column(struct csv_cells *c, int i, const struct run *r, int64_t n_rows,
                      struct bp_err *err)
{
    struct csv_col *k = &c->cols[i];
    struct bp_type t = r->col->type;
    int rc = 0;

    if (in_slots(c, t)) {
        if (!k->slots) {
            k->slots = bp_mem_new(BLOCK_ROWS, SLOT_BYTES, err);
            if (!k->slots)
                return err->code;
        }
        (void)put_slots(c, r, k->slots);
    } else if (t.kind == BP_BOOL && c->text->plain_values) {
        put_bools(r);
    } else if (t.kind == BP_TEXT && r->col->dict) {
        rc = put_dict(c, k, r, n_rows, err);
    } else if (t.kind == BP_TEXT) {
        put_texts(c, r);
    } else {
        rc = put_others(c, r, err);
    }
    put_nulls(c, r);
    return rc;
}

/* ---- rows ---- */

/* The most that the cells of a block can take on side. */
static size_t side_room(const struct csv_cells *c, const struct bp_batch *b, int64_t from, int n)
{
    size_t room = 0;

    for (int i = 0; i < c->n_cols; i++) {
        const struct bp_column *col = &b->cols[i];

        if (col->type.kind == BP_TEXT && !col->dict) {
            const int32_t *off = (const int32_t *)col->data + from;

            room += 2 * (size_t)(off[n] - off[0]) + 2 * (size_t)n;
        } else if (bp_type_is_bytes(col->type)) {
            for (int64_t r = from; r < from + n; r++) {
                size_t len;

                if (bp_column_is_null(col, r))
                    continue;

                bp_column_bytes(col, r, &len);
                room += 2 * (2 * len + 2) + 2; /* of binary: \x and two digits a byte */
            }
        } else if (!in_slots(c, col->type)) {
            room += (size_t)n * (2 * BP_TEXT_MAX + 2);
        }
    }
    return room;
}

PUT_INLINE uint8_t *copy_cell(uint8_t *out, struct cell x)
{
    memcpy(out, x.p, 16);
    if (__builtin_expect(x.n > 16, 0)) {
        memcpy(out + 16, x.p + 16, 16);
        if (x.n > 32)
            memcpy(out + 32, x.p + 32, x.n - 32);
    }
    return out + x.n;
}

/* The cells of n rows, with delimiters and line ends. */
static int copy_rows(const struct csv_cells *c, int n, struct bp_buf *out, struct bp_err *err)
{
    size_t n_cells = (size_t)n * (size_t)c->n_cols, bytes = n_cells + (size_t)n + 64;
    const struct cell *x = c->cells;
    uint8_t *p, delim = (uint8_t)c->text->delim;

    for (size_t i = 0; i < n_cells; i++)
        bytes += x[i].n;
    BP_TRY(bp_buf_reserve(out, bytes, err));
    p = out->data + out->len;
    for (int r = 0; r < n; r++) {
        for (int k = 0; k < c->n_cols; k++) {
            p = copy_cell(p, *x++);
            *p++ = delim;
        }
        p -= c->n_cols > 0;
        *p++ = '\n';
    }
    out->len = (size_t)(p - out->data);
    return 0;
}

int csv_cells_append(struct csv_cells *c, const struct bp_batch *b, struct bp_buf *out,
                     struct bp_err *err)
{
    for (int64_t from = 0; from < b->n_rows; from += BLOCK_ROWS) {
        int n = (int)BP_MIN(b->n_rows - from, BLOCK_ROWS);

        c->side.len = 0;
        BP_TRY(side_reserve(c, side_room(c, b, from, n), err));
        for (int i = 0; i < c->n_cols; i++) {
            struct run r = {&b->cols[i], from, n, c->n_cols, c->cells + i};

            BP_TRY(put_column(c, i, &r, b->n_rows, err));
        }
        BP_TRY(copy_rows(c, n, out, err));
    }
    return 0;
}
