/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch rule (bp-stream(5)): a batch on a stream or in a file ends behind
 * the row with which it has 65,536 rows or at least 1 MiB of values, whatever
 * the batches inside; so the cut depends on the rows alone. Values count as in
 * bp_column_size_bytes(): fixed widths, 1 a boolean, 4 + length a text; a field
 * that the schema says is a dictionary counts 4.
 *
 * The dictionary of such a field depends on the rows alone as well: it holds
 * the values of the rows so far, in the order in which they first appear, and
 * begins afresh behind a batch after which it has more than 65,536 values or
 * 1 MiB of text. What dictionaries take is bounded by two more rules, in which a
 * value counts 32 and its length: a batch also ends behind a row whose number in it
 * is a multiple of 256 and with which the dictionaries have gained 1 MiB or more since
 * it began; and all of them begin afresh behind a batch after which they have more than
 * 6 MiB together. A dictionary column of a field that is plain comes out plain.
 *
 *     bp_recut_init()
 *     for each batch: bp_recut_put(), then bp_recut_take() until BP_DONE
 *     bp_recut_flush()
 *
 * A batch is handed on as it is, or as a slice that shares its memory, where
 * the cuts allow it; only what is left over is copied together.
 */
#ifndef BP_FLOW_RECUT_H
#define BP_FLOW_RECUT_H

#include "col/column.h"
#include "flow/dictset.h"

#define BP_RECUT_ROWS 65536
#define BP_RECUT_BYTES (1 << 20)
#define BP_RECUT_DICT_ROWS 256           /* dictionaries end a batch at a multiple */
#define BP_RECUT_DICTS_BYTES (6LL << 20) /* of all dictionaries: they begin afresh */

struct bp_recut_col {
    struct bp_builder builder; /* the pending rows; codes as int32 for a dictionary */
    bool is_dict;              /* the rest is of dictionary fields only */
    struct bp_dictset dict;
    bool is_coded;          /* the rows being cut have codes of their own: */
    struct bp_block *codes; /* one for each row of in, as far as it is used */
};

struct bp_recut {
    int n_cols;
    struct bp_recut_col *cols;
    int64_t row_bytes; /* of the fixed part of a row */
    int64_t pending_rows, pending_bytes;
    int64_t dict_bytes; /* of all dictionaries, when this batch began */
    int64_t last_rows;  /* of the batch before, copied together: as many will come again */
    int64_t pending_first_row;
    struct bp_share share; /* of the pending rows */
    struct bp_batch in;    /* what put() was given, and how far it is used */
    int64_t in_from;
};

/* The rows of a batch by the rule, where all rows have one size: whoever makes batches of so many
 * spares them the copy. 0: it depends on the values. */
int64_t bp_recut_rows(const struct bp_schema *schema);
int bp_recut_init(struct bp_recut *r, const struct bp_schema *schema, struct bp_err *err) BP_MUST;
/* Hand over a batch (taken, also on error); only when the last one is used up. */
int bp_recut_put(struct bp_recut *r, struct bp_batch *in, struct bp_err *err) BP_MUST;
/* 0 and a full batch, or BP_DONE: put more. */
int bp_recut_take(struct bp_recut *r, struct bp_batch *out, struct bp_err *err) BP_MUST;
/* The last, short batch (0 rows if none is pending). The next rows begin anew, as
 * at the start of a stream. */
int bp_recut_flush(struct bp_recut *r, struct bp_batch *out, struct bp_err *err) BP_MUST;
void bp_recut_release(struct bp_recut *r);

#endif
