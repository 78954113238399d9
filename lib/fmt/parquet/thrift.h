/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thrift's compact protocol (apache/thrift, doc/specs/thrift-compact-protocol.md),
 * as far as Parquet's metadata needs it, without a compiler for .thrift files.
 *
 * Reading pulls: the caller walks the fields of a struct and reads or skips each.
 * Every length and count is checked against the bytes that are there. A getter
 * that meets a bad byte notes it in t->bad and returns 0; from then on everything
 * returns 0, so a decoder may look at t->bad once, at the end.
 *
 *     struct bp_thrift_fields f = {0};
 *     while (bp_thrift_next(t, &f))
 *         switch (f.id) { case 1: x = bp_thrift_int(t, f.type); break;
 *                         default: bp_thrift_skip(t, f.type); }
 *
 * Writing appends to a bp_buf; the first failure sticks in w->err.
 */
#ifndef BP_FMT_PARQUET_THRIFT_H
#define BP_FMT_PARQUET_THRIFT_H

#include <stdbool.h>

#include "base/buf.h"

enum bp_thrift_type {
    BP_THRIFT_STOP = 0,
    BP_THRIFT_TRUE = 1, /* a field of these two types is its value */
    BP_THRIFT_FALSE = 2,
    BP_THRIFT_BYTE = 3,
    BP_THRIFT_I16 = 4,
    BP_THRIFT_I32 = 5,
    BP_THRIFT_I64 = 6,
    BP_THRIFT_DOUBLE = 7,
    BP_THRIFT_BINARY = 8,
    BP_THRIFT_LIST = 9,
    BP_THRIFT_SET = 10,
    BP_THRIFT_MAP = 11,
    BP_THRIFT_STRUCT = 12,
};

/* ---- reading ---- */

struct bp_thrift {
    const uint8_t *p, *end;
    const char *bad; /* what is wrong, NULL: nothing yet */
};

struct bp_thrift_fields {
    int id, type; /* of the field that next() came to */
};

/* The next field of a struct; false at its end, or when something is bad. */
bool bp_thrift_next(struct bp_thrift *t, struct bp_thrift_fields *f);
/* Integers of any width, and booleans (1, 0). Another type is bad. */
int64_t bp_thrift_int(struct bp_thrift *t, int type);
/* The bytes lie in the buffer. */
const uint8_t *bp_thrift_bytes(struct bp_thrift *t, int type, size_t *n);
/* The number of elements, at most the bytes that are left; *element is their type. */
size_t bp_thrift_list(struct bp_thrift *t, int type, int *element);
/* A boolean inside a list. */
bool bp_thrift_list_bool(struct bp_thrift *t);
void bp_thrift_skip(struct bp_thrift *t, int type);

/* ---- writing ---- */

#define BP_THRIFT_DEPTH 8

struct bp_thrift_out {
    struct bp_buf *out;
    int last[BP_THRIFT_DEPTH]; /* the last field's number, per open struct */
    int depth;
    struct bp_err err;
};

/* The outermost struct is open. */
void bp_thrift_out_init(struct bp_thrift_out *w, struct bp_buf *out);
void bp_thrift_put_bool(struct bp_thrift_out *w, int id, bool v);
void bp_thrift_put_i8(struct bp_thrift_out *w, int id, int8_t v);
void bp_thrift_put_i16(struct bp_thrift_out *w, int id, int16_t v);
void bp_thrift_put_i32(struct bp_thrift_out *w, int id, int32_t v);
void bp_thrift_put_i64(struct bp_thrift_out *w, int id, int64_t v);
void bp_thrift_put_bytes(struct bp_thrift_out *w, int id, const void *p, size_t n);
void bp_thrift_put_string(struct bp_thrift_out *w, int id, const char *s);
void bp_thrift_open_struct(struct bp_thrift_out *w, int id);
void bp_thrift_open_list(struct bp_thrift_out *w, int id, int element, size_t n);
/* Elements of an open list. */
void bp_thrift_open_element(struct bp_thrift_out *w); /* a struct; closed as a struct is */
void bp_thrift_put_element_i32(struct bp_thrift_out *w, int32_t v);
void bp_thrift_put_element_i64(struct bp_thrift_out *w, int64_t v);
void bp_thrift_put_element_bool(struct bp_thrift_out *w, bool v);
void bp_thrift_put_element_bytes(struct bp_thrift_out *w, const void *p, size_t n);
void bp_thrift_close_struct(struct bp_thrift_out *w);
/* Closes the outermost struct; the first failure, if any. */
int bp_thrift_finish(struct bp_thrift_out *w, struct bp_err *err) BP_MUST;

#endif
