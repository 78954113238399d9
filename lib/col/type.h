/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of columns. In memory every value has the layout of the Arrow
 * columnar format (version 1.5), with two simplifications, undone by lib/ipc:
 * time is always int64, whatever its unit; all text has int32 offsets.
 */
#ifndef BP_COL_TYPE_H
#define BP_COL_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/num.h"

enum bp_kind {
    BP_NO_TYPE = 0,
    BP_BOOL, /* bits */
    BP_INT8,
    BP_INT16,
    BP_INT32,
    BP_INT64,
    BP_UINT8,
    BP_UINT16,
    BP_UINT32,
    BP_UINT64,
    BP_FLOAT32,
    BP_FLOAT64,
    BP_DECIMAL,     /* value * 10^scale; precision 1..38, 0 <= scale <= precision; up to 18 digits
                     * int64, else bp_int128 */
    BP_DATE,        /* int32 days since 1970-01-01 */
    BP_TIME,        /* int64 units since midnight */
    BP_TIMESTAMP,   /* int64 units since 1970-01-01T00:00:00, no zone */
    BP_TIMESTAMPTZ, /* int64 units since the epoch, an instant */
    BP_INTERVAL,    /* struct bp_interval */
    BP_TEXT,        /* int32 offsets, UTF-8 bytes */
    BP_BINARY,      /* int32 offsets, bytes */
    BP_LIST,        /* int32 offsets into the one child column */
    BP_STRUCT,      /* no data of its own: one child column a field, as many rows */
    BP_N_KINDS
};

enum bp_unit { BP_SECOND, BP_MILLI, BP_MICRO, BP_NANO }; /* of time and timestamps */

struct bp_nest;

struct bp_type {
    uint8_t kind;      /* enum bp_kind */
    uint8_t unit;      /* enum bp_unit; 0 where it has no meaning */
    uint8_t precision; /* decimals; else 0 */
    uint8_t scale;     /* decimals; else 0 */
    /* lists and structs: what they are made of; else NULL. There is one bp_nest for
     * each such type in a process, so that equal types have equal pointers. */
    const struct bp_nest *nest;
};

/* Never freed, never changed. A list has one kid and no names. */
struct bp_nest {
    int n_kids, depth; /* depth: 1 + that of the deepest kid */
    const struct bp_type *kids;
    const char *const *names;
};

#define BP_NEST_DEPTH_MAX 64

struct bp_interval {
    int32_t months, days;
    int64_t ns;
};

#define BP_TYPE(k) ((struct bp_type){.kind = (k)})
#define BP_TYPE_UNIT(k, u) ((struct bp_type){.kind = (k), .unit = (u)})
#define BP_TYPE_DECIMAL(p, s) ((struct bp_type){.kind = BP_DECIMAL, .precision = (p), .scale = (s)})

static inline bool bp_type_equal(struct bp_type a, struct bp_type b)
{
    return a.kind == b.kind && a.unit == b.unit && a.precision == b.precision &&
           a.scale == b.scale && a.nest == b.nest;
}

#define BP_DECIMAL64_DIGITS 18 /* that always fit an int64 */

/* A decimal that is held as int64. */
static inline bool bp_type_is_decimal64(struct bp_type t)
{
    return t.kind == BP_DECIMAL && t.precision <= BP_DECIMAL64_DIGITS;
}
static inline bool bp_type_is_decimal128(struct bp_type t)
{
    return t.kind == BP_DECIMAL && t.precision > BP_DECIMAL64_DIGITS;
}
static inline bool bp_type_is_int(struct bp_type t)
{
    return t.kind >= BP_INT8 && t.kind <= BP_UINT64;
}
static inline bool bp_type_is_float(struct bp_type t)
{
    return t.kind == BP_FLOAT32 || t.kind == BP_FLOAT64;
}
static inline bool bp_type_is_number(struct bp_type t)
{
    return t.kind >= BP_INT8 && t.kind <= BP_DECIMAL;
}
static inline bool bp_type_is_bytes(struct bp_type t) /* text or binary */
{
    return t.kind == BP_TEXT || t.kind == BP_BINARY;
}
static inline bool bp_type_is_nested(struct bp_type t)
{
    return t.kind >= BP_LIST;
}

/* The type of a list of elem; of a struct of n fields (at least 1), whose names are
 * copied. Deeper than BP_NEST_DEPTH_MAX is BP_EDATA. Thread safe. */
int bp_type_list(struct bp_type elem, struct bp_type *out, struct bp_err *err) BP_MUST;
int bp_type_struct(const char *const *names, const struct bp_type *kids, int n, struct bp_type *out,
                   struct bp_err *err) BP_MUST;
/* The field of a struct by name: exactly, then ignoring ASCII case where that is
 * unique; -1 if there is none, -2 if there are several. */
int bp_type_field(struct bp_type t, const char *name, size_t n);

/* Bytes of one value in memory; 0 for BP_BOOL (a bit), text, binary, lists, structs. */
size_t bp_type_width_bytes(struct bp_type t);
/* What one counts in the batch rule (bp-stream(5)): as many, but for decimals, which are 16 there
 * whatever their digits. */
size_t bp_type_counted_bytes(struct bp_type t);

#define BP_TYPE_NAME_MAX 120
/* The SQL name: "integer", "decimal(10,2)", "timestamp(3) with time zone" is
 * written "timestamptz(3)", "integer[]", "struct(a integer, b text)"; see the
 * table in type.c. Returns buf. For messages: a long nested name ends in "...";
 * bp_type_print() (schema.h) writes it whole. */
const char *bp_type_name(struct bp_type t, char buf[BP_TYPE_NAME_MAX]);
/* A type name as it stands in a schema or a cast: PostgreSQL's names and
 * aliases (int4, double precision, character varying, numeric(10,2) ...)
 * and tinyint, utinyint, usmallint, uinteger, ubigint; T[], struct(name T, ...),
 * map(K, V), which is struct(key K, value V)[]. Reads from s[0, n);
 * *used is how many bytes the name took; on failure (BP_EUSAGE), how far it was
 * read when the trouble showed. */
int bp_type_parse(const char *s, size_t n, size_t *used, struct bp_type *out,
                  struct bp_err *err) BP_MUST;

/* 1, 1000, 1000000, 1000000000 per second. */
int64_t bp_unit_per_second(enum bp_unit u);

#endif
