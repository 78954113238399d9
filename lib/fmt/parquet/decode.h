/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page -> a column, of what is nested with its levels. Dictionary pages become a column of
 * values, in which the codes of data pages are looked up; texts stay dictionary-encoded where the
 * dictionary is small. Any number of threads, each with its own scratch.
 */
#ifndef BP_FMT_PARQUET_DECODE_H
#define BP_FMT_PARQUET_DECODE_H

#include "col/column.h"
#include "fmt/parquet/levels.h"

/* The dictionary of a chunk: shared by the pages being decoded. */
struct bp_pq_dict {
    atomic_int refs;
    struct bp_column values;
    struct bp_dict *shared; /* of texts, where columns keep the codes; else NULL */
};

struct bp_pq_scratch {
    struct bp_buf page;   /* decompressed */
    struct bp_buf values; /* physical, or codes */
};

int bp_pq_dict_decode(struct bp_pq_dict **out, const struct bp_pq_column *column, int codec,
                      struct bp_pq_raw *raw, struct bp_pq_scratch *s, struct bp_err *err) BP_MUST;
struct bp_pq_dict *bp_pq_dict_ref(struct bp_pq_dict *d);
void bp_pq_dict_unref(struct bp_pq_dict *d); /* NULL is a no-op */

/* dict: of the chunk, or NULL. Of a nested column out has the places of its entries, and
 * levels say which they are; of others levels stay empty. */
int bp_pq_decode(struct bp_column *out, struct bp_pq_levels *levels,
                 const struct bp_pq_column *column, int codec, struct bp_pq_raw *raw,
                 const struct bp_pq_dict *dict, struct bp_pq_scratch *s,
                 struct bp_err *err) BP_MUST;
/* One value as statistics have it -> a column of one row; NULL if it is no value. */
int bp_pq_decode_bound(struct bp_column *out, const struct bp_pq_column *column, const uint8_t *p,
                       size_t n, struct bp_err *err) BP_MUST;
void bp_pq_scratch_release(struct bp_pq_scratch *s);

#endif
