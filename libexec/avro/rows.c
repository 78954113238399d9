/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a file, as an Arrow stream. */
#include <string.h>

#include "avro.h"
#include "base/mem.h"
#include "col/column.h"
#include "col/text.h"
#include "ipc/rows.h"

struct reading {
    struct avro_file file;
    struct avro_schema schema;
    struct bp_ipc_rows rows;
    int column; /* whose value is read */
};

/* The bytes of a block that are not yet read. */
struct cursor {
    const uint8_t *p, *end;
};

static int wrong(const struct reading *r, const char *what, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "%s: row %lld: column %s: %s", r->file.name,
                   (long long)r->rows.n_rows + 1, r->schema.columns.fields[r->column].name, what);
}

static int cut(const struct reading *r, struct bp_err *err)
{
    return wrong(r, "damaged Avro file: the block ends, or a number is none", err);
}

static bool take(struct cursor *at, size_t n, const uint8_t **p)
{
    if ((size_t)(at->end - at->p) < n)
        return false;
    *p = at->p;
    at->p += n;
    return true;
}

/* ---- values ---- */

static int add_integer(const struct reading *r, const struct avro_type *t, struct bp_builder *b,
                       struct cursor *at, struct bp_err *err)
{
    int64_t v, day = 86400 * bp_unit_per_second(t->type.unit);
    int32_t v32;

    if (!avro_long(&at->p, at->end, &v))
        return cut(r, err);
    if (t->wire == AVRO_INT && (v < INT32_MIN || v > INT32_MAX))
        return wrong(r, "a number beyond 32 bits, where an int is declared", err);
    if (t->type.kind == BP_TIME && (v < 0 || v >= day))
        return wrong(r, "a time that is not within a day", err);
    v32 = (int32_t)v;
    if (t->type.kind == BP_INT32 || t->type.kind == BP_DATE)
        return bp_builder_add(b, &v32, err);
    return bp_builder_add(b, &v, err);
}

/* Big-endian, two's complement, of any length. */
static int add_decimal(const struct reading *r, const struct avro_type *t, struct bp_builder *b,
                       const uint8_t *p, size_t n, struct bp_err *err)
{
    uint8_t fill = n && p[0] & 0x80 ? 0xff : 0;
    bp_uint128 bits = fill ? ~(bp_uint128)0 : 0, limit = 1;
    bp_int128 v;

    for (; n > 16 && p[0] == fill; n--)
        p++;
    if (n > 16 || (n == 16 && (p[0] & 0x80) != (fill & 0x80)))
        return wrong(r, "a decimal that is too large", err);
    for (size_t i = 0; i < n; i++)
        bits = bits << 8 | p[i];
    for (int i = 0; i < t->type.precision; i++)
        limit *= 10;
    v = (bp_int128)bits;
    if ((v < 0 ? -bits : bits) >= limit)
        return wrong(r, "a decimal that has more digits than are declared", err);
    return bp_builder_add(b, &v, err);
}

static int add_bytes(const struct reading *r, const struct avro_type *t, struct bp_builder *b,
                     struct cursor *at, struct bp_err *err)
{
    int64_t n = (int64_t)t->fixed_bytes;
    const uint8_t *p;
    size_t bad_at;

    if ((t->wire != AVRO_FIXED && !avro_long(&at->p, at->end, &n)) || n < 0 ||
        !take(at, (size_t)n, &p))
        return cut(r, err);
    if (t->type.kind == BP_DECIMAL)
        return add_decimal(r, t, b, p, (size_t)n, err);
    if (t->type.kind == BP_TEXT && !bp_utf8_check(p, (size_t)n, &bad_at))
        return wrong(r, "it is not valid UTF-8", err);
    return bp_builder_add_bytes(b, p, (size_t)n, err);
}

static int add_symbol(const struct reading *r, const struct avro_type *t, struct bp_builder *b,
                      struct cursor *at, struct bp_err *err)
{
    const json_t *symbols = t->symbols, *symbol;
    int64_t i;

    if (!avro_long(&at->p, at->end, &i))
        return cut(r, err);
    if (i < 0 || (uint64_t)i >= json_array_size(symbols))
        return wrong(r, "a symbol that its enum does not have", err);
    symbol = json_array_get(symbols, (size_t)i);
    return bp_builder_add_bytes(b, json_string_value(symbol), json_string_length(symbol), err);
}

/* Booleans and floats, which lie as they do in memory. */
static int add_plain(const struct reading *r, struct bp_builder *b, size_t n, struct cursor *at,
                     struct bp_err *err)
{
    uint64_t value = 0;
    const uint8_t *p;

    if (!take(at, n, &p))
        return cut(r, err);
    memcpy(&value, p, n);
    if (n == 1 && p[0] > 1)
        return wrong(r, "a boolean that is neither 0 nor 1", err);
    return bp_builder_add(b, &value, err);
}

static int add_value(const struct reading *r, const struct avro_type *t, struct bp_builder *b,
                     struct cursor *at, struct bp_err *err);

/* An item of an array, or an entry of a map: a struct of a key, which is text, and a value. */
static int add_item(const struct reading *r, const struct avro_type *t, struct bp_builder *b,
                    struct cursor *at, struct bp_err *err)
{
    static const struct avro_type key = {.wire = AVRO_STRING, .type = {.kind = BP_TEXT}};

    if (t->wire == AVRO_ARRAY)
        return add_value(r, t->kids, b, at, err);
    BP_TRY(bp_builder_reserve(b, 1, err));
    BP_TRY(add_value(r, &key, &b->kids[0], at, err));
    BP_TRY(add_value(r, t->kids, &b->kids[1], at, err));
    return bp_builder_add_nested(b, err);
}

/* Blocks of items: how many, the items; a negative number is followed by their bytes; none ends. */
static int add_list(const struct reading *r, const struct avro_type *t, struct bp_builder *b,
                    struct cursor *at, struct bp_err *err)
{
    int64_t n, n_bytes;

    BP_TRY(bp_builder_reserve(b, 1, err));
    do {
        if (!avro_long(&at->p, at->end, &n) || (n < 0 && !avro_long(&at->p, at->end, &n_bytes)))
            return cut(r, err);
        if (n < -(at->end - at->p) || n > at->end - at->p) /* each has a byte at least */
            return wrong(r, "damaged Avro file: a list of more items than the block has bytes",
                         err);
        for (int64_t i = n < 0 ? -n : n; i > 0; i--)
            BP_TRY(add_item(r, t, &b->kids[0], at, err));
    } while (n);
    return bp_builder_add_nested(b, err);
}

static int add_record(const struct reading *r, const struct avro_type *t, struct bp_builder *b,
                      struct cursor *at, struct bp_err *err)
{
    BP_TRY(bp_builder_reserve(b, 1, err));
    for (int i = 0; i < t->n_kids; i++)
        BP_TRY(add_value(r, &t->kids[i], &b->kids[i], at, err));
    return bp_builder_add_nested(b, err);
}

static int add_value(const struct reading *r, const struct avro_type *t, struct bp_builder *b,
                     struct cursor *at, struct bp_err *err)
{
    int64_t branch;

    if (t->n_branches) {
        if (!avro_long(&at->p, at->end, &branch))
            return cut(r, err);
        if (branch < 0 || branch >= t->n_branches)
            return wrong(r, "a type that its union does not have", err);
        if (branch == t->null_branch)
            return bp_builder_add_null(b, err);
    }
    switch (t->wire) {
    case AVRO_BOOLEAN: return add_plain(r, b, 1, at, err);
    case AVRO_FLOAT: return add_plain(r, b, 4, at, err);
    case AVRO_DOUBLE: return add_plain(r, b, 8, at, err);
    case AVRO_INT:
    case AVRO_LONG: return add_integer(r, t, b, at, err);
    case AVRO_ENUM: return add_symbol(r, t, b, at, err);
    case AVRO_RECORD: return add_record(r, t, b, at, err);
    case AVRO_ARRAY:
    case AVRO_MAP: return add_list(r, t, b, at, err);
    default: return add_bytes(r, t, b, at, err);
    }
}

/* ---- rows ---- */

static int copy_block(struct reading *r, int64_t n_rows, struct bp_err *err)
{
    struct cursor at = {r->file.rows.data, r->file.rows.data};

    if (r->file.rows.len) /* else there may be no memory at all */
        at.end += r->file.rows.len;
    for (int64_t i = 0; i < n_rows; i++) {
        const uint8_t *from = at.p;

        for (int c = 0; c < r->rows.n_cols; c++) {
            r->column = c;
            BP_TRY(add_value(r, &r->schema.record.kids[c], &r->rows.cols[c], &at, err));
        }
        BP_TRY(bp_ipc_rows_next(&r->rows, (size_t)(at.p - from), err));
    }
    if (at.p != at.end)
        return bp_fail(err, BP_EDATA, "%s: damaged Avro file: block %lld has bytes behind its rows",
                       r->file.name, (long long)r->file.n_blocks);
    return 0;
}

static int copy_rows(struct reading *r, struct bp_err *err)
{
    int64_t n_rows;
    int rc;

    while ((rc = avro_block(&r->file, &n_rows, err)) == 0)
        BP_TRY(copy_block(r, n_rows, err));
    return BP_MIN(rc, 0);
}

static int run(struct reading *r, const char *path, int fd, struct bp_err *err)
{
    BP_TRY(avro_open(&r->file, path, err));
    BP_TRY(avro_schema_read(&r->schema, &r->file, err));
    BP_TRY(bp_ipc_rows_open(&r->rows, fd, "stdout", &r->schema.columns, err));
    return copy_rows(r, err);
}

int avro_read(const char *path, int fd, bp_ipc_say *say, struct bp_err *err)
{
    struct reading r = {0};
    int rc = bp_ipc_rows_end(&r.rows, run(&r, path, fd, err), say, err);

    avro_schema_release(&r.schema);
    avro_close(&r.file);
    return rc;
}
