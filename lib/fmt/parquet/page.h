/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of one column chunk, front to back, in two steps, so that the second may
 * be done by other threads, several pages at a time:
 *
 *     bp_pq_pages_next   the header, and where the body lies in the file
 *     bp_pq_page_unpack  the rest of the body, checksum, decompression, where levels and
 *                        values stand
 *
 * Memory is that of a read-ahead and of the pages that the caller holds.
 */
#ifndef BP_FMT_PARQUET_PAGE_H
#define BP_FMT_PARQUET_PAGE_H

#include "fmt/parquet/format.h"

struct bp_pq_header {
    int64_t type; /* enum bp_pq_page_type */
    int64_t raw_bytes, packed_bytes;
    int64_t n_values; /* nulls included */
    int64_t encoding, def_encoding, rep_encoding;
    int64_t n_nulls, n_rows, def_bytes, rep_bytes; /* V2; n_nulls, n_rows -1: not known */
    bool have_crc, is_packed;
    uint32_t crc;
};

struct bp_pq_pages {
    const struct bp_pq_file *file;
    const struct bp_pq_column *column;
    const struct bp_pq_chunk *chunk;
    int64_t at;          /* of the file: what was read ahead ends here */
    int64_t stop;        /* behind this place nothing is read ahead; the chunk's end */
    int64_t told;        /* the stop up to which it was said what is wanted */
    bool first_only;     /* no more than the first page is wanted */
    struct bp_buf ahead; /* [ahead_pos, len) are not used yet */
    size_t ahead_pos;
    int64_t n_pages;
};

/* A page as it lies in the file; one owner, its memory is used again by next(). */
struct bp_pq_raw {
    struct bp_pq_header h;
    int64_t number;     /* in the chunk, from 0 */
    int64_t most_bytes; /* that its values may take when they are decoded; 0: any */
    struct bp_buf body;
    const struct bp_input *in; /* the last rest_bytes of the body are still there, */
    int64_t rest_at;           /* from this place on */
    size_t rest_bytes;
};

struct bp_pq_page {
    bool is_dict, is_v2;
    enum bp_pq_encoding encoding;
    int64_t n_values; /* nulls included */
    int64_t n_rows;   /* -1: not known */
    int def_encoding, rep_encoding;
    int64_t most_bytes; /* as raw has it */
    /* inside raw or scratch; wide loads may look BP_BLOCK_PAD_BYTES behind the values */
    const uint8_t *def, *rep, *values;
    size_t def_bytes, rep_bytes, values_bytes;
};

/* p is zero, or was used before: memory is used again. Allocates nothing. */
void bp_pq_pages_open(struct bp_pq_pages *p, const struct bp_pq_file *f,
                      const struct bp_pq_column *column, const struct bp_pq_chunk *chunk);
/* The next dictionary or data page, or BP_DONE behind the last. Data pages that lie wholly
 * within the first *skip values are passed over, and *skip is lowered by what they have. */
int bp_pq_pages_next(struct bp_pq_pages *p, int64_t *skip, struct bp_pq_raw *out,
                     struct bp_err *err) BP_MUST;
/* Go to the page with this number in the chunk, which begins at this place of the file. */
void bp_pq_pages_seek(struct bp_pq_pages *p, int64_t offset, int64_t number);
void bp_pq_pages_close(struct bp_pq_pages *p);

/* Any thread. scratch: the memory of what is decompressed. */
int bp_pq_page_unpack(const struct bp_pq_column *column, int codec, struct bp_pq_raw *raw,
                      struct bp_buf *scratch, struct bp_pq_page *out, struct bp_err *err) BP_MUST;

#endif
