/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema as the footer has it: elements in depth-first order, the root first
 * (parquet.thrift, SchemaElement). What they mean together: schema_tree.c.
 */
#ifndef BP_FMT_PARQUET_SCHEMA_ELEMENT_H
#define BP_FMT_PARQUET_SCHEMA_ELEMENT_H

#include "fmt/parquet/format.h"

/* The fields of LogicalType, which is a union. */
enum {
    BP_PQ_L_STRING = 1,
    BP_PQ_L_MAP,
    BP_PQ_L_LIST,
    BP_PQ_L_ENUM,
    BP_PQ_L_DECIMAL,
    BP_PQ_L_DATE,
    BP_PQ_L_TIME,
    BP_PQ_L_TIMESTAMP,
    BP_PQ_L_INTEGER = 10,
    BP_PQ_L_UNKNOWN,
    BP_PQ_L_JSON,
    BP_PQ_L_BSON,
    BP_PQ_L_UUID,
    BP_PQ_L_FLOAT16,
};

/* ConvertedType's numbers. */
enum {
    BP_PQ_C_UTF8 = 0,
    BP_PQ_C_MAP,
    BP_PQ_C_MAP_KEY_VALUE,
    BP_PQ_C_LIST,
    BP_PQ_C_ENUM,
    BP_PQ_C_DECIMAL,
    BP_PQ_C_DATE,
    BP_PQ_C_TIME_MILLIS,
    BP_PQ_C_TIME_MICROS,
    BP_PQ_C_TIMESTAMP_MILLIS,
    BP_PQ_C_TIMESTAMP_MICROS,
    BP_PQ_C_UINT_8,
    BP_PQ_C_UINT_16,
    BP_PQ_C_UINT_32,
    BP_PQ_C_UINT_64,
    BP_PQ_C_INT_8,
    BP_PQ_C_INT_16,
    BP_PQ_C_INT_32,
    BP_PQ_C_INT_64,
    BP_PQ_C_JSON,
    BP_PQ_C_BSON,
    BP_PQ_C_INTERVAL,
};

enum { BP_PQ_REQUIRED, BP_PQ_OPTIONAL, BP_PQ_REPEATED };

struct bp_pq_element {
    const char *name;
    int type; /* -1: a group */
    int type_bytes, repetition, n_children, converted, scale, precision;
    int logical; /* the union's field, 0: none */
    int unit;    /* 1 ms, 2 us, 3 ns */
    int bits;
    bool utc, is_signed;
};

/* The older annotation is said in terms of the newer. */
int bp_pq_read_element(struct bp_pq_file *file, struct bp_thrift *t, struct bp_pq_element *out,
                       struct bp_err *err) BP_MUST;
/* physical, fixed_bytes, type, convert of a leaf; its name is there. */
int bp_pq_leaf_type(const struct bp_pq_element *e, struct bp_pq_column *c,
                    struct bp_err *err) BP_MUST;

#endif
