/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One element of the schema, and the type of a leaf: LogicalType where there is one, else
 * the older ConvertedType, else the physical type (LogicalTypes.md).
 */
#include "fmt/parquet/schema_element.h"
#include "base/mem.h"
#include "fmt/parquet/thrift.h"

#define FIXED_MAX_BYTES (1 << 20)

/* TimeType, TimestampType: { 1: isAdjustedToUTC, 2: unit }; IntType: { 1: bitWidth,
 * 2: isSigned }; DecimalType: { 1: scale, 2: precision }. */
static void read_logical(struct bp_thrift *t, struct bp_pq_element *e)
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
            if ((u.id == BP_PQ_L_TIME || u.id == BP_PQ_L_TIMESTAMP) && f.id == 2 &&
                f.type == BP_THRIFT_STRUCT) {
                unit = (struct bp_thrift_fields){0};
                while (bp_thrift_next(t, &unit)) {
                    e->unit = unit.id;
                    bp_thrift_skip(t, unit.type);
                }
            } else if ((u.id == BP_PQ_L_TIME || u.id == BP_PQ_L_TIMESTAMP) && f.id == 1) {
                e->utc = bp_thrift_int(t, f.type) != 0;
            } else if (u.id == BP_PQ_L_INTEGER && f.id == 1) {
                e->bits = (int)bp_thrift_int(t, f.type);
            } else if (u.id == BP_PQ_L_INTEGER && f.id == 2) {
                e->is_signed = bp_thrift_int(t, f.type) != 0;
            } else if (u.id == BP_PQ_L_DECIMAL && f.id == 1) {
                e->scale = (int)bp_thrift_int(t, f.type);
            } else if (u.id == BP_PQ_L_DECIMAL && f.id == 2) {
                e->precision = (int)bp_thrift_int(t, f.type);
            } else {
                bp_thrift_skip(t, f.type);
            }
        }
    }
}

/* The older annotation said in terms of the newer. */
static void modernize(struct bp_pq_element *e)
{
    static const uint8_t of[] = {[BP_PQ_C_UTF8] = BP_PQ_L_STRING,
                                 [BP_PQ_C_MAP] = BP_PQ_L_MAP,
                                 [BP_PQ_C_MAP_KEY_VALUE] = BP_PQ_L_MAP,
                                 [BP_PQ_C_LIST] = BP_PQ_L_LIST,
                                 [BP_PQ_C_ENUM] = BP_PQ_L_ENUM,
                                 [BP_PQ_C_DECIMAL] = BP_PQ_L_DECIMAL,
                                 [BP_PQ_C_DATE] = BP_PQ_L_DATE,
                                 [BP_PQ_C_TIME_MILLIS] = BP_PQ_L_TIME,
                                 [BP_PQ_C_TIME_MICROS] = BP_PQ_L_TIME,
                                 [BP_PQ_C_TIMESTAMP_MILLIS] = BP_PQ_L_TIMESTAMP,
                                 [BP_PQ_C_TIMESTAMP_MICROS] = BP_PQ_L_TIMESTAMP,
                                 [BP_PQ_C_JSON] = BP_PQ_L_JSON,
                                 [BP_PQ_C_BSON] = BP_PQ_L_BSON};
    int c = e->converted;

    if (e->logical || c < 0)
        return;
    if (c >= BP_PQ_C_UINT_8 && c <= BP_PQ_C_INT_64) {
        e->logical = BP_PQ_L_INTEGER;
        e->is_signed = c >= BP_PQ_C_INT_8;
        e->bits = 8 << ((c - BP_PQ_C_UINT_8) & 3);
        return;
    }
    if (c < (int)sizeof of)
        e->logical = of[c];
    /* an instant: that is how the older types were defined */
    e->utc = true;
    e->unit = c == BP_PQ_C_TIME_MILLIS || c == BP_PQ_C_TIMESTAMP_MILLIS ? 1 : 2;
}

int bp_pq_read_element(struct bp_pq_file *file, struct bp_thrift *t, struct bp_pq_element *e,
                       struct bp_err *err)
{
    struct bp_thrift_fields f = {0};
    const uint8_t *p;
    size_t n;

    *e = (struct bp_pq_element){.type = -1, .converted = -1};
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
    modernize(e);
    return 0;
}

/* ---- types ---- */

static int decimal(const struct bp_pq_element *e, struct bp_pq_column *c, struct bp_err *err)
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

static bool integer(const struct bp_pq_element *e, struct bp_pq_column *c)
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
static bool annotated(const struct bp_pq_element *e, struct bp_pq_column *c)
{
    static const enum bp_unit units[] = {BP_MILLI, BP_MILLI, BP_MICRO, BP_NANO};
    enum bp_unit u = units[e->unit & 3];
    bool is_bytes = c->physical == BP_PQ_BYTES;

    switch (e->logical) {
    case BP_PQ_L_STRING:
    case BP_PQ_L_JSON:
    case BP_PQ_L_ENUM: c->type = BP_TYPE(BP_TEXT); return is_bytes;
    case BP_PQ_L_DATE: c->type = BP_TYPE(BP_DATE); return c->physical == BP_PQ_INT32;
    case BP_PQ_L_TIME:
        c->type = BP_TYPE_UNIT(BP_TIME, (uint8_t)u);
        c->convert = u == BP_MILLI ? BP_PQ_WIDEN : BP_PQ_AS_IS;
        return c->physical == (u == BP_MILLI ? BP_PQ_INT32 : BP_PQ_INT64);
    case BP_PQ_L_TIMESTAMP:
        c->type = BP_TYPE_UNIT(e->utc ? BP_TIMESTAMPTZ : BP_TIMESTAMP, (uint8_t)u);
        return c->physical == BP_PQ_INT64;
    case BP_PQ_L_INTEGER: return integer(e, c);
    case BP_PQ_L_FLOAT16:
        c->type = BP_TYPE(BP_FLOAT32);
        c->convert = BP_PQ_HALF;
        return c->physical == BP_PQ_FIXED && c->fixed_bytes == 2;
    default: return false;
    }
}

static void physical(const struct bp_pq_element *e, struct bp_pq_column *c)
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
        if (e->converted == BP_PQ_C_INTERVAL && c->fixed_bytes == 12) {
            c->type = BP_TYPE(BP_INTERVAL);
            c->convert = BP_PQ_DURATION;
        }
    }
}

int bp_pq_leaf_type(const struct bp_pq_element *e, struct bp_pq_column *c, struct bp_err *err)
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
    if (e->logical == BP_PQ_L_DECIMAL)
        return decimal(e, c, err);
    if (!annotated(e, c))
        physical(e, c);
    return 0;
}
