/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema: a tree written in depth-first order, root first. A leaf directly
 * below the root that is not repeated is a column here; what lies deeper stands
 * for a list, map or struct, which is refused when somebody asks for it.
 *
 * The type: LogicalType where there is one, else the older ConvertedType, else
 * the physical type (LogicalTypes.md).
 */
#include "fmt/parquet/format.h"

#include <string.h>

#include "base/mem.h"
#include "fmt/parquet/thrift.h"

#define FIXED_MAX_BYTES (1 << 20)

enum logical { NO_LOGICAL = 0, STRING, MAP, LIST, ENUM, DECIMAL, DATE, TIME, TIMESTAMP };
enum { INTEGER = 10, UNKNOWN = 11, JSON, BSON, UUID, FLOAT16 };

/* ConvertedType's numbers. */
enum {
    C_UTF8 = 0,
    C_ENUM = 4,
    C_DECIMAL,
    C_DATE,
    C_TIME_MILLIS,
    C_TIME_MICROS,
    C_TIMESTAMP_MILLIS,
    C_TIMESTAMP_MICROS,
    C_UINT_8,
    C_UINT_16,
    C_UINT_32,
    C_UINT_64,
    C_INT_8,
    C_INT_16,
    C_INT_32,
    C_INT_64,
    C_JSON,
    C_BSON,
    C_INTERVAL,
};

struct element {
    char *name;
    int type, type_bytes, repetition, n_children, converted, scale, precision;
    int logical; /* the union's field, 0: none */
    int unit;    /* 1 ms, 2 us, 3 ns */
    int bits;
    bool utc, is_signed;
};

/* TimeType, TimestampType: { 1: isAdjustedToUTC, 2: unit }; IntType: { 1: bitWidth,
 * 2: isSigned }; DecimalType: { 1: scale, 2: precision }. */
static void read_logical(struct bp_thrift *t, struct element *e)
{
    struct bp_thrift_fields u = {0}, f, unit;

    while (bp_thrift_next(t, &u)) {
        e->logical = u.id;
        if (u.type != BP_THRIFT_STRUCT) {
            bp_thrift_skip(t, u.type);
            continue;
        }
        f = (struct bp_thrift_fields){0};
        while (bp_thrift_next(t, &f)) {
            if ((u.id == TIME || u.id == TIMESTAMP) && f.id == 2 && f.type == BP_THRIFT_STRUCT) {
                unit = (struct bp_thrift_fields){0};
                while (bp_thrift_next(t, &unit)) {
                    e->unit = unit.id;
                    bp_thrift_skip(t, unit.type);
                }
            } else if ((u.id == TIME || u.id == TIMESTAMP) && f.id == 1) {
                e->utc = bp_thrift_int(t, f.type) != 0;
            } else if (u.id == INTEGER && f.id == 1) {
                e->bits = (int)bp_thrift_int(t, f.type);
            } else if (u.id == INTEGER && f.id == 2) {
                e->is_signed = bp_thrift_int(t, f.type) != 0;
            } else if (u.id == DECIMAL && f.id == 1) {
                e->scale = (int)bp_thrift_int(t, f.type);
            } else if (u.id == DECIMAL && f.id == 2) {
                e->precision = (int)bp_thrift_int(t, f.type);
            } else {
                bp_thrift_skip(t, f.type);
            }
        }
    }
}

static int read_element(struct bp_pq_file *file, struct bp_thrift *t, struct element *e,
                        struct bp_err *err)
{
    struct bp_thrift_fields f = {0};
    const uint8_t *p;
    size_t n;

    *e = (struct element){.type = -1, .converted = -1};
    while (bp_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: e->type = (int)bp_thrift_int(t, f.type); break;
        case 2: e->type_bytes = (int)bp_thrift_int(t, f.type); break;
        case 3: e->repetition = (int)bp_thrift_int(t, f.type); break;
        case 4:
            p = bp_thrift_bytes(t, f.type, &n);
            e->name = bp_arena_strn(&file->arena, (const char *)p, n, err);
            if (!e->name)
                return err->code;
            break;
        case 5: e->n_children = (int)bp_thrift_int(t, f.type); break;
        case 6: e->converted = (int)bp_thrift_int(t, f.type); break;
        case 7: e->scale = (int)bp_thrift_int(t, f.type); break;
        case 8: e->precision = (int)bp_thrift_int(t, f.type); break;
        case 10:
            if (f.type == BP_THRIFT_STRUCT)
                read_logical(t, e);
            else
                bp_thrift_skip(t, f.type);
            break;
        default: bp_thrift_skip(t, f.type);
        }
    }
    if (t->bad)
        return bp_fail(err, BP_EDATA, "the schema is damaged: %s", t->bad);
    if (!e->name)
        return bp_fail(err, BP_EDATA, "the schema has an element without a name");
    return 0;
}

/* ---- types ---- */

/* The older annotation said in terms of the newer. */
static void modernize(struct element *e)
{
    static const uint8_t of[] = {[C_UTF8] = STRING,
                                 [C_ENUM] = ENUM,
                                 [C_DECIMAL] = DECIMAL,
                                 [C_DATE] = DATE,
                                 [C_TIME_MILLIS] = TIME,
                                 [C_TIME_MICROS] = TIME,
                                 [C_TIMESTAMP_MILLIS] = TIMESTAMP,
                                 [C_TIMESTAMP_MICROS] = TIMESTAMP,
                                 [C_JSON] = JSON,
                                 [C_BSON] = BSON};
    int c = e->converted;

    if (e->logical || c < 0)
        return;
    if (c >= C_UINT_8 && c <= C_INT_64) {
        e->logical = INTEGER;
        e->is_signed = c >= C_INT_8;
        e->bits = 8 << ((c - C_UINT_8) & 3);
        return;
    }
    if (c < (int)sizeof of)
        e->logical = of[c];
    /* an instant: that is how the older types were defined */
    e->utc = true;
    e->unit = c == C_TIME_MILLIS || c == C_TIMESTAMP_MILLIS ? 1 : 2;
}

static int decimal(const struct element *e, struct bp_pq_column *c, struct bp_err *err)
{
    if (e->precision < 1 || e->precision > 38 || e->scale < 0 || e->scale > e->precision)
        return bp_fail(err, BP_EDATA,
                       "column %s is a decimal(%d,%d): up to 38 digits are read here", c->name,
                       e->precision, e->scale);
    c->type = BP_TYPE_DECIMAL((uint8_t)e->precision, (uint8_t)e->scale);
    switch (c->physical) {
    case BP_PQ_INT32: c->convert = BP_PQ_INT32_DEC; return 0;
    case BP_PQ_INT64: c->convert = BP_PQ_INT64_DEC; return 0;
    case BP_PQ_FIXED: c->convert = BP_PQ_FIXED_DEC; return 0;
    case BP_PQ_BYTES: c->convert = BP_PQ_BYTES_DEC; return 0;
    default:
        return bp_fail(err, BP_EDATA, "column %s: no decimal lies in that physical type", c->name);
    }
}

static bool integer(const struct element *e, struct bp_pq_column *c)
{
    static const uint8_t kinds[2][4] = {{BP_UINT8, BP_UINT16, BP_UINT32, BP_UINT64},
                                        {BP_INT8, BP_INT16, BP_INT32, BP_INT64}};
    int k = e->bits == 8 ? 0 : e->bits == 16 ? 1 : e->bits == 32 ? 2 : e->bits == 64 ? 3 : -1;

    if (k < 0 || (k == 3) != (c->physical == BP_PQ_INT64) || (k < 3 && c->physical != BP_PQ_INT32))
        return false;
    c->type = BP_TYPE(kinds[e->is_signed][k]);
    c->is_unsigned = !e->is_signed;
    c->convert = k == 0 ? BP_PQ_NARROW_8 : k == 1 ? BP_PQ_NARROW_16 : BP_PQ_AS_IS;
    return true;
}

/* True if the annotation fits its physical type; others are passed over, as every
 * reader must do with what it does not know. */
static bool annotated(const struct element *e, struct bp_pq_column *c)
{
    static const enum bp_unit units[] = {BP_MILLI, BP_MILLI, BP_MICRO, BP_NANO};
    enum bp_unit u = units[e->unit & 3];
    bool is_bytes = c->physical == BP_PQ_BYTES;

    switch (e->logical) {
    case STRING:
    case JSON:
    case ENUM: c->type = BP_TYPE(BP_TEXT); return is_bytes;
    case DATE: c->type = BP_TYPE(BP_DATE); return c->physical == BP_PQ_INT32;
    case TIME:
        c->type = BP_TYPE_UNIT(BP_TIME, (uint8_t)u);
        c->convert = u == BP_MILLI ? BP_PQ_WIDEN : BP_PQ_AS_IS;
        return c->physical == (u == BP_MILLI ? BP_PQ_INT32 : BP_PQ_INT64);
    case TIMESTAMP:
        c->type = BP_TYPE_UNIT(e->utc ? BP_TIMESTAMPTZ : BP_TIMESTAMP, (uint8_t)u);
        return c->physical == BP_PQ_INT64;
    case INTEGER: return integer(e, c);
    case FLOAT16:
        c->type = BP_TYPE(BP_FLOAT32);
        c->convert = BP_PQ_HALF;
        return c->physical == BP_PQ_FIXED && c->fixed_bytes == 2;
    default: return false;
    }
}

static void physical(const struct element *e, struct bp_pq_column *c)
{
    static const uint8_t kinds[] = {
        [BP_PQ_BOOLEAN] = BP_BOOL,    [BP_PQ_INT32] = BP_INT32,   [BP_PQ_INT64] = BP_INT64,
        [BP_PQ_INT96] = BP_TIMESTAMP, [BP_PQ_FLOAT] = BP_FLOAT32, [BP_PQ_DOUBLE] = BP_FLOAT64,
        [BP_PQ_BYTES] = BP_BINARY,    [BP_PQ_FIXED] = BP_BINARY,
    };

    c->type = BP_TYPE(kinds[c->physical]);
    c->convert = BP_PQ_AS_IS;
    c->is_unsigned = false;
    if (c->physical == BP_PQ_INT96) {
        c->type.unit = BP_NANO;
        c->convert = BP_PQ_INT96_NS;
    } else if (c->physical == BP_PQ_FIXED) {
        c->convert = BP_PQ_FIXED_BYTES;
        if (e->converted == C_INTERVAL && c->fixed_bytes == 12) {
            c->type = BP_TYPE(BP_INTERVAL);
            c->convert = BP_PQ_DURATION;
        }
    }
}

static int leaf_type(struct element *e, struct bp_pq_column *c, struct bp_err *err)
{
    static const uint8_t widths[] = {[BP_PQ_INT32] = 4, [BP_PQ_INT64] = 8,  [BP_PQ_INT96] = 12,
                                     [BP_PQ_FLOAT] = 4, [BP_PQ_DOUBLE] = 8, [BP_PQ_FIXED] = 0};

    if (e->type < 0 || e->type > BP_PQ_FIXED)
        return bp_fail(err, BP_EDATA, "column %s has an unknown physical type, %d", c->name,
                       e->type);
    c->physical = (enum bp_pq_physical)e->type;
    c->fixed_bytes = widths[c->physical];
    if (c->physical == BP_PQ_FIXED) {
        if (e->type_bytes < 1 || e->type_bytes > FIXED_MAX_BYTES)
            return bp_fail(err, BP_EDATA, "column %s has values of %d bytes", c->name,
                           e->type_bytes);
        c->fixed_bytes = e->type_bytes;
    }
    modernize(e);
    if (e->logical == DECIMAL)
        return decimal(e, c, err);
    if (!annotated(e, c))
        physical(e, c);
    return 0;
}

/* ---- the tree ---- */

struct walk {
    struct bp_pq_file *file;
    struct bp_thrift *t;
    size_t left; /* elements not read yet */
};

#define DEPTH_MAX 64

/* One field below the root, with all that is below it: its leaves are columns. */
static int read_field(struct walk *w, const char *top, const char *what, int depth, int max_def,
                      int max_rep, struct bp_err *err)
{
    struct element e;
    struct bp_pq_column *c;

    if (w->left == 0 || depth > DEPTH_MAX)
        return bp_fail(err, BP_EDATA, "the schema's tree does not add up");
    w->left--;
    BP_TRY(read_element(w->file, w->t, &e, err));
    if (!top)
        top = e.name;
    max_def += e.repetition != 0;
    max_rep += e.repetition == 2;
    if (e.repetition == 2 && !what)
        what = "a list";
    if (e.type < 0) { /* a group */
        if (e.n_children < 0 || (size_t)e.n_children > w->left)
            return bp_fail(err, BP_EDATA, "the schema's tree does not add up");
        if (!what)
            what = e.logical == LIST || e.converted == 3  ? "a list"
                   : e.logical == MAP || e.converted == 1 ? "a map"
                                                          : "a struct";
        for (int i = 0; i < e.n_children; i++)
            BP_TRY(read_field(w, top, what, depth + 1, max_def, max_rep, err));
        return 0;
    }
    c = &w->file->columns[w->file->n_columns++];
    c->name = top;
    c->max_def = max_def;
    c->max_rep = max_rep;
    c->refused = what;
    return leaf_type(&e, c, err);
}

int bp_pq_read_schema(struct bp_pq_file *f, struct bp_thrift *t, int type, struct bp_err *err)
{
    struct walk w = {.file = f, .t = t};
    struct element root;
    int element;

    w.left = bp_thrift_list(t, type, &element);
    if (t->bad || element != BP_THRIFT_STRUCT || w.left == 0 || f->columns)
        return bp_fail(err, BP_EDATA, "the schema is damaged: %s", t->bad ? t->bad : "no elements");
    f->columns = bp_arena_alloc(&f->arena, (w.left + 1) * sizeof *f->columns, err);
    if (!f->columns)
        return err->code;
    w.left--;
    BP_TRY(read_element(f, t, &root, err));
    for (int i = 0; i < root.n_children; i++)
        BP_TRY(read_field(&w, NULL, NULL, 1, 0, 0, err));
    if (w.left)
        return bp_fail(err, BP_EDATA, "the schema's tree does not add up");
    return 0;
}
