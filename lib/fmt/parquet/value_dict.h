/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dictionary of a column chunk that is being written: its distinct values, in the
 * order in which they first appear. Zero-initialise; clear() for the next chunk.
 */
#ifndef BP_FMT_PARQUET_VALUE_DICT_H
#define BP_FMT_PARQUET_VALUE_DICT_H

#include "fmt/parquet/physical.h"

#define BP_PQ_SMALL 8192 /* identifiers, counts, amounts in cents */

struct bp_pq_value_dict {
    int64_t n;
    struct bp_buf words;          /* of values that are words */
    struct bp_buf bytes, offsets; /* of others; offsets: n + 1 int32 */
    uint32_t *slots;              /* open addressing: code + 1; 0 is empty */
    uint32_t n_slots;
    uint16_t *small; /* code + 1 of integers below BP_PQ_SMALL, found without hashing; 0: not yet */
};

/* Codes of w's values -> out[0, w->n). */
int bp_pq_value_dict_encode(struct bp_pq_value_dict *d, const struct bp_pq_words *w, int32_t *out,
                            struct bp_err *err) BP_MUST;
/* Bytes of the values as a dictionary page has them. */
int64_t bp_pq_value_dict_bytes(const struct bp_pq_value_dict *d, const struct bp_pq_layout *l);
/* The values, borrowed. */
void bp_pq_value_dict_words(const struct bp_pq_value_dict *d, struct bp_pq_words *out);
/* Of a released one words, or bytes and offsets, were set to those of n values: they can be
 * looked up again, and more added. */
int bp_pq_value_dict_rebuild(struct bp_pq_value_dict *d, int64_t n, struct bp_err *err) BP_MUST;
void bp_pq_value_dict_clear(struct bp_pq_value_dict *d);
void bp_pq_value_dict_release(struct bp_pq_value_dict *d);

#endif
