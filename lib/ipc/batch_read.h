/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/ipc: the steps of reading a batch, shared by their files. */
#ifndef BP_IPC_BATCH_READ_H
#define BP_IPC_BATCH_READ_H

#include "ipc/wire.h"

/* Where the reading of a batch stands. */
struct bp_ipc_reading {
    const struct bp_ipc_records *records;
    const struct bp_ipc_body *body;
    const struct bp_ipc_dict *dicts;
    uint32_t next_node, next_buffer, next_variadic;
};

/* One buffer of a batch: in its body, or on a block that it owns. */
struct bp_ipc_bytes {
    const uint8_t *p; /* never NULL */
    int64_t n;
    struct bp_block *block;
    bool is_own;
};

/* What stands where there are no values: any zero-length buffer may point here. */
extern const uint8_t bp_ipc_zeros[128];

/* The next buffer, unpacked if the batch is compressed. Drop it. */
int bp_ipc_take_buffer(struct bp_ipc_reading *r, struct bp_ipc_bytes *out,
                       struct bp_err *err) BP_MUST;
void bp_ipc_bytes_drop(struct bp_ipc_bytes *b);
/* Copied where p is not a multiple of align. */
int bp_ipc_bytes_align(struct bp_ipc_bytes *b, size_t align, struct bp_err *err) BP_MUST;
/* The next column of n_rows (-1: as many as it claims), dictionary aside: what f
 * says of values. */
int bp_ipc_read_plain(struct bp_ipc_reading *r, const struct bp_ipc_field *f, int64_t n_rows,
                      struct bp_column *c, struct bp_err *err) BP_MUST;
/* The same; where f has a dictionary, the column is its codes or values. */
int bp_ipc_read_field(struct bp_ipc_reading *r, const struct bp_ipc_field *f, int64_t n_rows,
                      struct bp_column *c, struct bp_err *err) BP_MUST;
/* The reference that a column needs to live on b; b's own one is given away. */
struct bp_block *bp_ipc_bytes_keep(struct bp_ipc_bytes *b);

/* ---- nested_read.c: c has type, rows and validity; it gets data and kids ---- */

int bp_ipc_read_nested(struct bp_ipc_reading *r, const struct bp_ipc_field *f, struct bp_column *c,
                       struct bp_err *err) BP_MUST;

/* ---- values.c: c has type, rows and validity; these give it data ---- */

int bp_ipc_convert_values(const struct bp_ipc_field *f, const struct bp_ipc_bytes *in,
                          struct bp_column *c, struct bp_err *err) BP_MUST;
/* No value of a decimal that is held in 64 bits has more digits than its type. Nulls are 0. */
int bp_ipc_check_decimals(const struct bp_column *c, struct bp_err *err) BP_MUST;
/* Null slots of c become 0 if they are not; its data is replaced by a copy then. */
int bp_ipc_clean_values(struct bp_column *c, size_t width, struct bp_err *err) BP_MUST;
int bp_ipc_clean_bits(struct bp_column *c, struct bp_err *err) BP_MUST;

/* ---- bytes.c: text and binary ---- */

/* off[0, n_rows] rise and stay within n_bytes. */
int bp_ipc_check_offsets(const int32_t *off, int64_t n_rows, int64_t n_bytes,
                         struct bp_err *err) BP_MUST;
/* int64 offsets -> int32 ones that begin at 0; sets data and bytes. */
int bp_ipc_narrow_offsets(const struct bp_ipc_bytes *off, const struct bp_ipc_bytes *bytes,
                          struct bp_column *c, struct bp_err *err) BP_MUST;
/* Offsets of values of one width. */
int bp_ipc_make_offsets(int64_t width, struct bp_column *c, struct bp_err *err) BP_MUST;
int bp_ipc_convert_views(const struct bp_ipc_bytes *views, const struct bp_ipc_bytes *bytes,
                         int64_t n_bytes, struct bp_column *c, struct bp_err *err) BP_MUST;
/* Null slots get length 0. */
int bp_ipc_clean_bytes(struct bp_column *c, struct bp_err *err) BP_MUST;
int bp_ipc_check_utf8(const struct bp_column *c, struct bp_err *err) BP_MUST;

/* ---- codes.c: dictionary indexes ---- */

int bp_ipc_convert_codes(const struct bp_ipc_field *f, const struct bp_ipc_bytes *in,
                         struct bp_column *c, struct bp_err *err) BP_MUST;
/* c holds int32 codes: checks them against d and makes c a column of d, or a
 * plain one where d is not text. Codes of null values become nulls. */
int bp_ipc_bind_codes(const struct bp_ipc_dict *d, struct bp_column *c, struct bp_err *err) BP_MUST;

#endif
