/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of a wide table kept as rows, so that to fetch one at random costs a few
 * cache misses and not one for each column. A row has a bit for each column (1 =
 * value present), then its values, numbers in the bytes they need (col/narrow.h); of a
 * text its length and all of its bytes, or where in its chunk's heap it stands; of a
 * dictionary text its code. Chunks are those of bp_held, and so are the numbers of rows.
 *
 * What values need is known when all are there: a chunk has the widths that were needed so
 * far, and keeps them, so that one wide value late does not widen what is held.
 */
#ifndef BP_OP_SORT_ROWS_H
#define BP_OP_SORT_ROWS_H

#include "op/sort_held.h"
#include "op/sort_slab.h"

struct bp_sort_rows_col {
    struct bp_type type;
    uint8_t width;        /* bytes of it, so far */
    bool has_nulls;       /* in any chunk */
    bool has_plain;       /* text: in some chunk without a dictionary */
    struct bp_dict *dict; /* of all chunks so far, if one; borrowed from a chunk */
    bool many_dicts;
};

struct bp_sort_layout {
    uint8_t *widths; /* [n_cols] */
    uint32_t *at;    /* [n_cols]: bytes from the row's start */
    size_t row_bytes;
};

struct bp_sort_rows_chunk {
    uint8_t *rows; /* of the slab */
    int layout;
    int64_t n_rows;
    struct bp_block *heap;  /* of long texts; may be NULL */
    struct bp_dict **dicts; /* [n_cols], or NULL if there is none */
};

struct bp_sort_rows {
    struct bp_sort_rows_col *cols;
    int n_cols;
    struct bp_sort_layout *layouts; /* the last one has the widths of cols */
    int n_layouts;
    struct bp_sort_rows_chunk *chunks;
    int n_chunks, cap_chunks;
    bool packed; /* may be set before the first chunk: rows take no more than they need */
    struct bp_slab slab;
};

/* limit_bytes: of memory; 0: none. */
int bp_sort_rows_open(struct bp_sort_rows *r, const struct bp_schema *schema, int64_t limit_bytes,
                      struct bp_err *err) BP_MUST;
void bp_sort_rows_release(struct bp_sort_rows *r);
/* The next chunk, copied; of its columns the first n_cols. */
int bp_sort_rows_add(struct bp_sort_rows *r, const struct bp_batch *chunk,
                     struct bp_err *err) BP_MUST;
/* The same in two steps: begin makes room, in the order of chunks; put copies, whenever, on any
 * thread. */
struct bp_sort_rows_put {
    struct bp_sort_layout layout; /* arrays are those of the rows */
    uint8_t *rows, *heap;
    int n_cols;
};
int bp_sort_rows_begin(struct bp_sort_rows *r, const struct bp_batch *chunk,
                       struct bp_sort_rows_put *put, struct bp_err *err) BP_MUST;
void bp_sort_rows_put(const struct bp_sort_rows_put *put, const struct bp_batch *chunk);
/* What a row takes whose bits and values have so many bytes; never less for more. */
size_t bp_sort_rows_row_bytes(const struct bp_sort_rows *r, size_t bytes);
/* What text column c of the next chunk takes, in the rows and in the heap; *width is that of its
 * places so far, 0 at first, and becomes what it will be. */
int64_t bp_sort_rows_text_bytes(const struct bp_column *c, size_t *width);
/* What the rows of chunk i take. */
static inline int64_t bp_sort_rows_bytes(const struct bp_sort_rows *r, int i)
{
    return r->chunks[i].n_rows * (int64_t)r->layouts[r->chunks[i].layout].row_bytes;
}
/* out gets columns and n_rows: the rows (chunk << 32 | row) in refs. Thread safe. */
int bp_sort_rows_gather(const struct bp_sort_rows *r, const uint64_t *refs, int64_t n,
                        struct bp_batch *out, struct bp_err *err) BP_MUST;

#endif
