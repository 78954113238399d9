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
};

/* The bytes of a block that are not yet read. */
struct cursor {
    const uint8_t *p, *end;
};

static int wrong(const struct reading *r, int c, const char *what, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "%s: row %lld: column %s: %s", r->file.name,
                   (long long)r->rows.n_rows + 1, r->schema.columns.fields[c].name, what);
}

static int cut(const struct reading *r, int c, struct bp_err *err)
{
    return wrong(r, c, "damaged Avro file: the block ends, or a number is none", err);
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

static int add_integer(struct reading *r, int c, struct cursor *at, struct bp_err *err)
{
    const struct avro_field *f = &r->schema.fields[c];
    int64_t v, day = 86400 * bp_unit_per_second(f->type.unit);
    int32_t v32;

    if (!avro_long(&at->p, at->end, &v))
        return cut(r, c, err);
    if (f->wire == AVRO_INT && (v < INT32_MIN || v > INT32_MAX))
        return wrong(r, c, "a number beyond 32 bits, where an int is declared", err);
    if (f->type.kind == BP_TIME && (v < 0 || v >= day))
        return wrong(r, c, "a time that is not within a day", err);
    v32 = (int32_t)v;
    if (f->type.kind == BP_INT32 || f->type.kind == BP_DATE)
        return bp_builder_add(&r->rows.cols[c], &v32, err);
    return bp_builder_add(&r->rows.cols[c], &v, err);
}

/* Big-endian, two's complement, of any length. */
static int add_decimal(struct reading *r, int c, const uint8_t *p, size_t n, struct bp_err *err)
{
    struct bp_type type = r->schema.fields[c].type;
    uint8_t fill = n && p[0] & 0x80 ? 0xff : 0;
    bp_uint128 bits = fill ? ~(bp_uint128)0 : 0, limit = 1;
    bp_int128 v;

    for (; n > 16 && p[0] == fill; n--)
        p++;
    if (n > 16 || (n == 16 && (p[0] & 0x80) != (fill & 0x80)))
        return wrong(r, c, "a decimal that is too large", err);
    for (size_t i = 0; i < n; i++)
        bits = bits << 8 | p[i];
    for (int i = 0; i < type.precision; i++)
        limit *= 10;
    v = (bp_int128)bits;
    if ((v < 0 ? -bits : bits) >= limit)
        return wrong(r, c, "a decimal that has more digits than are declared", err);
    return bp_builder_add(&r->rows.cols[c], &v, err);
}

static int add_bytes(struct reading *r, int c, struct cursor *at, struct bp_err *err)
{
    const struct avro_field *f = &r->schema.fields[c];
    int64_t n = (int64_t)f->fixed_bytes;
    const uint8_t *p;
    size_t bad_at;

    if ((f->wire != AVRO_FIXED && !avro_long(&at->p, at->end, &n)) || n < 0 ||
        !take(at, (size_t)n, &p))
        return cut(r, c, err);
    if (f->type.kind == BP_DECIMAL)
        return add_decimal(r, c, p, (size_t)n, err);
    if (f->type.kind == BP_TEXT && !bp_utf8_check(p, (size_t)n, &bad_at))
        return wrong(r, c, "it is not valid UTF-8", err);
    return bp_builder_add_bytes(&r->rows.cols[c], p, (size_t)n, err);
}

static int add_symbol(struct reading *r, int c, struct cursor *at, struct bp_err *err)
{
    const json_t *symbols = r->schema.fields[c].symbols, *symbol;
    int64_t i;

    if (!avro_long(&at->p, at->end, &i))
        return cut(r, c, err);
    if (i < 0 || (uint64_t)i >= json_array_size(symbols))
        return wrong(r, c, "a symbol that its enum does not have", err);
    symbol = json_array_get(symbols, (size_t)i);
    return bp_builder_add_bytes(&r->rows.cols[c], json_string_value(symbol),
                                json_string_length(symbol), err);
}

/* Booleans and floats, which lie as they do in memory. */
static int add_plain(struct reading *r, int c, size_t n, struct cursor *at, struct bp_err *err)
{
    uint64_t value = 0;
    const uint8_t *p;

    if (!take(at, n, &p))
        return cut(r, c, err);
    memcpy(&value, p, n);
    if (n == 1 && p[0] > 1)
        return wrong(r, c, "a boolean that is neither 0 nor 1", err);
    return bp_builder_add(&r->rows.cols[c], &value, err);
}

static int add_value(struct reading *r, int c, struct cursor *at, struct bp_err *err)
{
    const struct avro_field *f = &r->schema.fields[c];
    int64_t branch;

    if (f->n_branches) {
        if (!avro_long(&at->p, at->end, &branch))
            return cut(r, c, err);
        if (branch < 0 || branch >= f->n_branches)
            return wrong(r, c, "a type that its union does not have", err);
        if (branch == f->null_branch)
            return bp_builder_add_null(&r->rows.cols[c], err);
    }
    switch (f->wire) {
    case AVRO_BOOLEAN: return add_plain(r, c, 1, at, err);
    case AVRO_FLOAT: return add_plain(r, c, 4, at, err);
    case AVRO_DOUBLE: return add_plain(r, c, 8, at, err);
    case AVRO_INT:
    case AVRO_LONG: return add_integer(r, c, at, err);
    case AVRO_ENUM: return add_symbol(r, c, at, err);
    default: return add_bytes(r, c, at, err);
    }
}

/* ---- rows ---- */

static int copy_block(struct reading *r, int64_t n_rows, struct bp_err *err)
{
    struct cursor at = {r->file.rows.data, r->file.rows.data + r->file.rows.len};

    for (int64_t i = 0; i < n_rows; i++) {
        const uint8_t *from = at.p;

        for (int c = 0; c < r->schema.columns.n_fields; c++)
            BP_TRY(add_value(r, c, &at, err));
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

int avro_read(const char *path, int fd, struct bp_err *err)
{
    struct reading r = {0};
    int rc = bp_ipc_rows_end(&r.rows, run(&r, path, fd, err), err);

    avro_schema_release(&r.schema);
    avro_close(&r.file);
    return rc;
}
