/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns and batches. A column's pointers live on reference-counted blocks
 * (own[]); a filled column is never edited, only shared, sliced or gathered
 * from. A batch is moved: whoever takes it owns its columns.
 *
 * Null slots: fixed-width values are 0, booleans false, text has length 0.
 * Whoever makes a column keeps this (lib/ipc establishes it on reading).
 * Fixed-width data is aligned to 16 bytes at least, and BP_BLOCK_PAD_BYTES
 * behind the data may be read.
 */
#ifndef BP_COL_COLUMN_H
#define BP_COL_COLUMN_H

#include "base/mem.h"
#include "col/schema.h"
#include "col/type.h"

struct bp_dict;
struct bp_kids;

struct bp_column {
    struct bp_type type;
    int64_t n_rows;
    int64_t n_nulls;         /* exact; valid may be NULL only if 0 */
    const uint8_t *valid;    /* bitmap, 1 = value present; NULL = all present */
    const void *data;        /* values; bits; int32 offsets [n_rows + 1]; int32 codes if dict;
                              * NULL for structs */
    const uint8_t *bytes;    /* of text and binary; offsets need not begin at 0 */
    struct bp_dict *dict;    /* text only: data are codes into dict->values */
    struct bp_kids *kids;    /* lists and structs only */
    struct bp_block *own[3]; /* what valid, data, bytes live on; NULL: nothing owned */
};

/*
 * The child columns of a list (one: the elements of all rows one behind the other;
 * offsets need not begin at 0 nor end at its last row) or of a struct (one a
 * field, as many rows as the struct). Shared, immutable. Kids have no dictionary;
 * what a null list or struct holds is nothing: no elements, null fields.
 */
struct bp_kids {
    atomic_int refs;
    int n;
    struct bp_column cols[];
};

/* n zeroed columns to be filled; one reference. */
int bp_kids_new(struct bp_kids **out, int n, struct bp_err *err) BP_MUST;
void bp_kids_unref(struct bp_kids *k); /* NULL is a no-op */

/* A shared, immutable set of values. id changes whenever the values do. */
struct bp_dict {
    atomic_int refs;
    uint64_t id;
    struct bp_column values; /* plain text, no dict of its own */
};

/* Takes values over (also on error). */
int bp_dict_new(struct bp_dict **out, struct bp_column *values, struct bp_err *err) BP_MUST;
struct bp_dict *bp_dict_ref(struct bp_dict *d);
void bp_dict_unref(struct bp_dict *d);

static inline bool bp_column_is_null(const struct bp_column *c, int64_t i)
{
    return c->valid && !bp_bit_get(c->valid, i);
}

/* Value i of a decimal column, without its scale; of a null 0. */
static inline bp_int128 bp_column_decimal(const struct bp_column *c, int64_t i)
{
    return bp_type_is_decimal64(c->type) ? ((const int64_t *)c->data)[i]
                                         : ((const bp_int128 *)c->data)[i];
}

/* The bytes of text or binary value i (dictionary or plain); valid or not. */
static inline const uint8_t *bp_column_bytes(const struct bp_column *c, int64_t i, size_t *n);

void bp_column_release(struct bp_column *c); /* and zero it */
/* *dst (overwritten) shares what src has. Cannot fail. */
void bp_column_ref(struct bp_column *dst, const struct bp_column *src);
/* Rows [from, from + n); shares the data, copies bits when from is odd to 8. */
int bp_column_slice(struct bp_column *dst, const struct bp_column *src, int64_t from, int64_t n,
                    struct bp_err *err) BP_MUST;
/* dst[i] = src[idx[i]]; idx -1 gives NULL. */
int bp_column_gather(struct bp_column *dst, const struct bp_column *src, const int32_t *idx,
                     int64_t n, struct bp_err *err) BP_MUST;
/* dst[i] = row (ref[i] & 0xffffffff) of *srcs[ref[i] >> 32]; ref UINT64_MAX gives
 * NULL. All srcs have one type. For rows held in many batches (sort, join). */
int bp_column_gather_many(struct bp_column *dst, const struct bp_column *const srcs[], int n_srcs,
                          const uint64_t *refs, int64_t n, struct bp_err *err) BP_MUST;
/* The rows of srcs one after the other. Dictionaries are kept when all share one. */
int bp_column_concat(struct bp_column *dst, const struct bp_column *const srcs[], int n_srcs,
                     struct bp_err *err) BP_MUST;
/* A plain text column with the same values (a ref if it is plain already). */
int bp_column_plain(struct bp_column *dst, const struct bp_column *src, struct bp_err *err) BP_MUST;
/* n rows of NULL. */
int bp_column_nulls(struct bp_column *dst, struct bp_type type, int64_t n,
                    struct bp_err *err) BP_MUST;
/* Bytes of values in rows [0, n): what a budget is asked for, and what the
 * batch rule counts: bp_type_counted_bytes() (bool 1), text 4 + length,
 * lists 4 + their elements, structs their fields. */
int64_t bp_column_size_bytes(const struct bp_column *c);
/* The same of rows [from, from + n). */
int64_t bp_column_range_bytes(const struct bp_column *c, int64_t from, int64_t n);
/* Of text or binary, plain or by codes: the values of all rows, one behind the other. */
int64_t bp_column_text_bytes(const struct bp_column *c);

/* ---- making a column value by value or in bulk ---- */
struct bp_builder {
    struct bp_type type;
    int64_t n_rows, n_nulls, cap_rows;
    struct bp_block *valid, *data, *bytes; /* valid stays NULL until the first null */
    size_t bytes_len;                      /* of text; lists: elements so far */
    struct bp_builder *kids; /* lists and structs: there after the first reserve or add */
};

/* No allocation; type as plain (no dict). */
void bp_builder_init(struct bp_builder *b, struct bp_type type);
void bp_builder_release(struct bp_builder *b);
/* Room for n more rows (fixed part). */
int bp_builder_reserve(struct bp_builder *b, int64_t n_rows, struct bp_err *err) BP_MUST;
int bp_builder_add_null(struct bp_builder *b, struct bp_err *err) BP_MUST;
/* value: the in-memory value (bool: uint8_t 0/1); for text use _add_bytes. */
int bp_builder_add(struct bp_builder *b, const void *value, struct bp_err *err) BP_MUST;
int bp_builder_add_bytes(struct bp_builder *b, const void *p, size_t n, struct bp_err *err) BP_MUST;
/* Ends a row of a list or a struct: what was added to b->kids since the last row is
 * its elements; each field of a struct got one value. Before the first row,
 * bp_builder_reserve() makes the kids. */
int bp_builder_add_nested(struct bp_builder *b, struct bp_err *err) BP_MUST;
/* Rows [from, from + n) of c (dictionary or plain), copied. */
int bp_builder_add_rows(struct bp_builder *b, const struct bp_column *c, int64_t from, int64_t n,
                        struct bp_err *err) BP_MUST;
/* Moves the contents out; the builder is empty again (same type). */
int bp_builder_finish(struct bp_builder *b, struct bp_column *out, struct bp_err *err) BP_MUST;

/* ---- batches ---- */
struct bp_share {
    int32_t i, n; /* task i of n; n == 0: not a share */
};

struct bp_batch {
    int64_t n_rows;
    int n_cols;
    struct bp_column *cols; /* n_cols of them, from bp_mem */
    int64_t first_row;      /* ordinal of row 0 in its input, from 0: for messages */
    struct bp_share share;  /* which share of the input these rows belong to (flow.h) */
    int64_t origin;         /* which file of a text source, or partition of a stage, they are of:
                             * for what stands right behind it */
};

/* Zeroed columns; n_rows is set by the caller. */
int bp_batch_init(struct bp_batch *b, int n_cols, struct bp_err *err) BP_MUST;
void bp_batch_release(struct bp_batch *b);
void bp_batch_move(struct bp_batch *dst, struct bp_batch *src); /* empties src */
int bp_batch_ref(struct bp_batch *dst, const struct bp_batch *src, struct bp_err *err) BP_MUST;
int bp_batch_slice(struct bp_batch *dst, const struct bp_batch *src, int64_t from, int64_t n,
                   struct bp_err *err) BP_MUST;
int bp_batch_gather(struct bp_batch *dst, const struct bp_batch *src, const int32_t *idx, int64_t n,
                    struct bp_err *err) BP_MUST;
int64_t bp_batch_size_bytes(const struct bp_batch *b);
/* What b's dictionaries are beside that; those of before (NULL, or the batch before it) are
 * not counted again. */
int64_t bp_batch_dict_bytes(const struct bp_batch *b, const struct bp_batch *before);

static inline const uint8_t *bp_column_bytes(const struct bp_column *c, int64_t i, size_t *n)
{
    const int32_t *off;

    if (c->dict) {
        i = ((const int32_t *)c->data)[i];
        c = &c->dict->values;
    }
    off = (const int32_t *)c->data + i;
    *n = (size_t)(off[1] - off[0]);
    return c->bytes + off[0];
}

#endif
