/* SPDX-License-Identifier: Apache-2.0 */
/* Key columns to packed rows of words and back (groups.h draws the row). */
#ifndef BP_AGG_PACK_H
#define BP_AGG_PACK_H

#include "agg/texts.h"

struct bp_pack_col {
    struct bp_type type;
    int width; /* bytes in the row: 16, 8, 4, 2, 1 */
    int word, shift;
    int null_word, null_shift;
    struct bp_texts texts; /* of text and binary */
};

struct bp_pack {
    struct bp_pack_col *cols;
    int n_cols, n_words;
};

int bp_pack_init(struct bp_pack *p, const struct bp_type *types, int n_cols,
                 struct bp_err *err) BP_MUST;
void bp_pack_release(struct bp_pack *p);
/* rows[i * n_words ...] of rows [from, from + n), n <= BP_TEXTS_ROWS. */
int bp_pack_rows(struct bp_pack *p, const struct bp_column *const cols[], int64_t from, int64_t n,
                 uint64_t *rows, struct bp_err *err) BP_MUST;
/* The same into the first words of records of step words; texts come as numbers (NULL for
 * other columns). Thread safe. */
void bp_pack_records(const struct bp_pack *p, const struct bp_column *cols,
                     const uint32_t *const text_ids[], int64_t from, int64_t n, uint64_t *rows,
                     int step);
/* Column col of keys[ids[i] * n_words ...]. */
int bp_pack_column(const struct bp_pack *p, int col, const uint64_t *keys, const uint32_t *ids,
                   int64_t n, struct bp_column *out, struct bp_err *err) BP_MUST;

#endif
