/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One column chunk being written. Rows come in any pieces; pages have PAGE_ROWS rows, or end behind
 * the piece with which they have PAGE_BYTES of values (or, of lists, PAGE_ROWS of them), so by the
 * rows alone when the pieces are. A chunk begins with a dictionary, which is dropped after
 * the first page when most values are new, and not used any more when it is full. Behind one that
 * was dropped some chunks begin without.
 * Finished pages wait here, compressed, until the row group is complete.
 *
 *     bp_pq_writer_open; _add ..., _finish; the pages go to the file; _clear; ...
 */
#ifndef BP_FMT_PARQUET_COLUMN_WRITE_H
#define BP_FMT_PARQUET_COLUMN_WRITE_H

#include "codec/pack.h"
#include "fmt/parquet/bloom.h"
#include "fmt/parquet/encoded.h"
#include "fmt/parquet/shred.h"
#include "fmt/parquet/value_dict.h"

/* What a page needs while it is made: one for each thread that encodes. Zero-initialise. */
struct bp_pq_write_scratch {
    struct bp_pq_words words;
    struct bp_pq_entries entries;
    struct bp_buf head, raw, packed, used;
};

struct bp_pq_writer {
    /* set by open */
    const struct bp_pq_leaf *leaf;
    struct bp_pq_layout layout;
    enum bp_pack codec;
    bool v2, wants_dict, wants_bloom;

    /* the page being filled */
    bool by_codes;
    int64_t page_rows, page_values, page_nulls;
    struct bp_buf valid;    /* bits, of a flat column that is nullable */
    struct bp_buf def, rep; /* int32, of a nested one */
    struct bp_buf codes;    /* int32 */
    struct bp_buf plain;    /* PLAIN bytes; bits for booleans */
    int64_t plain_bits;
    struct bp_pq_range page_range;

    /* the chunk */
    struct bp_pq_value_dict dict;
    struct bp_dict *mapped; /* the stream's dictionary that map translates */
    struct bp_buf map;      /* int32: its codes -> ours; -1 not met yet */
    struct bp_pq_bloom bloom;
    int plain_groups;           /* so many that come do without a dictionary */
    enum bp_pack_way way;       /* of its plain pages */
    struct bp_pq_encoded chunk; /* finished pages; the caller may take them out at any time */

    struct bp_pq_write_scratch *tmp; /* of the call that runs */
};

/* Zeroed before; no allocation. leaf outlives it. */
void bp_pq_writer_open(struct bp_pq_writer *w, const struct bp_pq_leaf *leaf, enum bp_pack codec,
                       bool v2, bool dict);
/* Chunks get a Bloom filter; of at most so many rows. */
void bp_pq_writer_filter(struct bp_pq_writer *w, int64_t group_rows);
/* Rows of the column that leaf is of. */
int bp_pq_writer_add(struct bp_pq_writer *w, const struct bp_column *c,
                     struct bp_pq_write_scratch *t, struct bp_err *err) BP_MUST;
/* The chunk is complete. */
int bp_pq_writer_finish(struct bp_pq_writer *w, struct bp_pq_write_scratch *t,
                        struct bp_err *err) BP_MUST;
/*
 * Between two pieces, or before the first, what takes memory can wait elsewhere (column_park.c):
 * parked, a writer has only its facts, its ranges and its Bloom filter. Encoded pages are taken
 * from `pages` before.
 */
int64_t bp_pq_writer_state_bytes(const struct bp_pq_writer *w);
int bp_pq_writer_park(struct bp_pq_writer *w, struct bp_buf *out, struct bp_err *err) BP_MUST;
int bp_pq_writer_unpark(struct bp_pq_writer *w, const struct bp_buf *in,
                        struct bp_err *err) BP_MUST;
/* Gives back the memory of the page and the dictionary; the chunk stays. */
void bp_pq_writer_rest(struct bp_pq_writer *w);
/* For the next chunk. */
void bp_pq_writer_clear(struct bp_pq_writer *w);
void bp_pq_writer_release(struct bp_pq_writer *w);
int64_t bp_pq_write_scratch_bytes(const struct bp_pq_write_scratch *t);
void bp_pq_write_scratch_release(struct bp_pq_write_scratch *t);

#endif
