/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON lists and objects as values of a list's or a struct's type. All of it works on
 * values that jsonl_value_end() found good.
 */
#ifndef BP_FMT_JSONL_NESTED_H
#define BP_FMT_JSONL_NESTED_H

#include "base/arena.h"
#include "col/column.h"
#include "fmt/guess.h"

/* ---- jsonl_nested.c: values ---- */

/* BP_TEXT_OK, or another bp_text_status and the part that is no value of its type
 * (of which *type is the one wanted): q[0, n) is a value. scratch is the caller's. */
struct jsonl_misfit {
    const uint8_t *at, *end;
    struct bp_type type;
    const char *why; /* what stands before the type's name; NULL: it is none of type */
};
int jsonl_nested_check(struct bp_type t, const uint8_t *q, struct bp_buf *scratch,
                       struct jsonl_misfit *bad, int *status, struct bp_err *err) BP_MUST;
/* A column of JSON texts that were checked -> one of type t. */
int jsonl_nested_column(struct bp_column *out, struct bp_type t, const struct bp_column *texts,
                        struct bp_err *err) BP_MUST;

/* ---- jsonl_shape.c: types from a sample ---- */

/* What the values of one place looked like. Zero: nothing was seen yet. */
struct jsonl_shape;

/* Adds the value at q to *s, which is made where it is NULL. */
int jsonl_shape_add(struct jsonl_shape **s, const uint8_t *q, struct bp_arena *mem,
                    struct bp_err *err) BP_MUST;
/* The type that takes them all; text where they are of several kinds, an object has no
 * keys, or more than JSONL_SHAPE_KEYS different ones. NULL: text. */
#define JSONL_SHAPE_KEYS 500
int jsonl_shape_type(const struct jsonl_shape *s, struct bp_type *out, struct bp_err *err) BP_MUST;

/* Scalars: which types the value at q[0, end) may have (BP_IS_*). */
unsigned jsonl_value_bits(const uint8_t *q, const uint8_t *end);

#endif
