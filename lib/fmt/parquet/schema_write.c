/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of types, as LogicalType, and as ConvertedType for older readers (LogicalTypes.md). */
#include "fmt/parquet/footer_write.h"

enum { STRING = 1, LIST = 3, DECIMAL = 5, DATE = 6, TIME = 7, TIMESTAMP = 8, INTEGER = 10 };
enum {
    C_UTF8 = 0,
    C_LIST = 3,
    C_DECIMAL = 5,
    C_DATE = 6,
    C_TIME_MILLIS = 7,
    C_TIME_MICROS = 8,
    C_TIMESTAMP_MILLIS = 9,
    C_TIMESTAMP_MICROS = 10,
    C_UINT_8 = 11,
    C_INT_8 = 15,
    C_INTERVAL = 21,
};
enum { REQUIRED = 0, OPTIONAL = 1, REPEATED = 2 };

static void put_empty(struct bp_thrift_out *t, int id)
{
    bp_thrift_open_struct(t, id);
    bp_thrift_close_struct(t);
}

static void put_unit(struct bp_thrift_out *t, const struct bp_type *type, bool utc)
{
    int unit = type->unit <= BP_MILLI ? 1 : type->unit == BP_MICRO ? 2 : 3;

    bp_thrift_put_bool(t, 1, utc);
    bp_thrift_open_struct(t, 2);
    put_empty(t, unit);
    bp_thrift_close_struct(t);
}

static void put_integer(struct bp_thrift_out *t, int bits, bool is_signed)
{
    bp_thrift_open_struct(t, INTEGER);
    bp_thrift_put_i8(t, 1, (int8_t)bits);
    bp_thrift_put_bool(t, 2, is_signed);
    bp_thrift_close_struct(t);
}

/* The bits of integers that need saying; 0: the physical type says it all. */
static int int_bits(enum bp_kind k)
{
    switch (k) {
    case BP_INT8:
    case BP_UINT8: return 8;
    case BP_INT16:
    case BP_UINT16: return 16;
    case BP_UINT32: return 32;
    case BP_UINT64: return 64;
    default: return 0;
    }
}

static bool is_unsigned(enum bp_kind k)
{
    return k >= BP_UINT8 && k <= BP_UINT64;
}

/* -1: none. */
static int converted(struct bp_type t)
{
    int bits = int_bits((enum bp_kind)t.kind);

    if (bits) /* the bits are a power of two, from 8 on */
        return (is_unsigned((enum bp_kind)t.kind) ? C_UINT_8 : C_INT_8) +
               __builtin_ctz((unsigned)bits) - 3;
    switch ((enum bp_kind)t.kind) {
    case BP_TEXT: return C_UTF8;
    case BP_DECIMAL: return C_DECIMAL;
    case BP_DATE: return C_DATE;
    case BP_INTERVAL: return C_INTERVAL;
    case BP_TIMESTAMPTZ: /* the older types are instants; the naive ones have no older name */
        return t.unit == BP_NANO    ? -1
               : t.unit == BP_MICRO ? C_TIMESTAMP_MICROS
                                    : C_TIMESTAMP_MILLIS;
    default: return -1;
    }
}

static void put_logical(struct bp_thrift_out *t, struct bp_type type)
{
    int bits = int_bits((enum bp_kind)type.kind);

    bp_thrift_open_struct(t, 10);
    if (bits) {
        put_integer(t, bits, !is_unsigned((enum bp_kind)type.kind));
    } else if (type.kind == BP_TEXT) {
        put_empty(t, STRING);
    } else if (type.kind == BP_DATE) {
        put_empty(t, DATE);
    } else if (type.kind == BP_DECIMAL) {
        bp_thrift_open_struct(t, DECIMAL);
        bp_thrift_put_i32(t, 1, type.scale);
        bp_thrift_put_i32(t, 2, type.precision);
        bp_thrift_close_struct(t);
    } else {
        bp_thrift_open_struct(t, type.kind == BP_TIME ? TIME : TIMESTAMP);
        put_unit(t, &type, type.kind == BP_TIMESTAMPTZ);
        bp_thrift_close_struct(t);
    }
    bp_thrift_close_struct(t);
}

static bool has_logical(struct bp_type t)
{
    return int_bits((enum bp_kind)t.kind) || t.kind == BP_TEXT || t.kind == BP_DATE ||
           t.kind == BP_DECIMAL || t.kind == BP_TIME || t.kind == BP_TIMESTAMP ||
           t.kind == BP_TIMESTAMPTZ;
}

static void put_leaf(struct bp_thrift_out *t, const char *name, struct bp_type type, bool nullable)
{
    struct bp_pq_layout l;
    int c = converted(type);

    bp_pq_layout(type, &l);
    bp_thrift_open_element(t);
    bp_thrift_put_i32(t, 1, (int32_t)l.physical);
    if (l.physical == BP_PQ_FIXED)
        bp_thrift_put_i32(t, 2, l.width);
    bp_thrift_put_i32(t, 3, nullable ? OPTIONAL : REQUIRED);
    bp_thrift_put_string(t, 4, name);
    if (c >= 0)
        bp_thrift_put_i32(t, 6, c);
    if (type.kind == BP_DECIMAL) {
        bp_thrift_put_i32(t, 7, type.scale);
        bp_thrift_put_i32(t, 8, type.precision);
    }
    if (has_logical(type))
        put_logical(t, type);
    bp_thrift_close_struct(t);
}

static void put_group(struct bp_thrift_out *t, const char *name, int repetition, int n_kids,
                      bool is_list)
{
    bp_thrift_open_element(t);
    bp_thrift_put_i32(t, 3, repetition);
    bp_thrift_put_string(t, 4, name);
    bp_thrift_put_i32(t, 5, n_kids);
    if (is_list) {
        bp_thrift_put_i32(t, 6, C_LIST);
        bp_thrift_open_struct(t, 10);
        put_empty(t, LIST);
        bp_thrift_close_struct(t);
    }
    bp_thrift_close_struct(t);
}

/* The leaves come in the order of bp_pq_leaves_list(). */
static void put_field(struct bp_thrift_out *t, const char *name, struct bp_type type, bool nullable)
{
    bool is_list = type.kind == BP_LIST;

    if (!bp_type_is_nested(type)) {
        put_leaf(t, name, type, nullable);
        return;
    }
    put_group(t, name, nullable ? OPTIONAL : REQUIRED, type.nest->n_kids, is_list);
    if (is_list)
        put_group(t, "list", REPEATED, 1, false);
    for (int i = 0; i < type.nest->n_kids; i++)
        put_field(t, is_list ? "element" : type.nest->names[i], type.nest->kids[i], true);
}

static size_t count_elements(struct bp_type type)
{
    size_t n = type.kind == BP_LIST ? 2 : 1;

    for (int i = 0; type.nest && i < type.nest->n_kids; i++)
        n += count_elements(type.nest->kids[i]);
    return n;
}

void bp_pq_put_schema(struct bp_thrift_out *t, const struct bp_schema *schema)
{
    size_t n = 1;

    for (int i = 0; i < schema->n_fields; i++)
        n += count_elements(schema->fields[i].type);
    bp_thrift_open_list(t, 2, BP_THRIFT_STRUCT, n);
    bp_thrift_open_element(t);
    bp_thrift_put_string(t, 4, "schema");
    bp_thrift_put_i32(t, 5, schema->n_fields);
    bp_thrift_close_struct(t);
    for (int i = 0; i < schema->n_fields; i++)
        put_field(t, schema->fields[i].name, schema->fields[i].type, schema->fields[i].nullable);
}
