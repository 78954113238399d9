/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compression of whole blocks, whose size before and after is known: Parquet's
 * pages. One row of a table a codec. brotli, and snappy to write, are loaded on first use.
 */
#ifndef BP_CODEC_PACK_H
#define BP_CODEC_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum bp_pack { /* the numbers of Parquet's CompressionCodec */
               BP_PACK_NONE = 0,
               BP_PACK_SNAPPY = 1,
               BP_PACK_GZIP = 2,
               BP_PACK_LZO = 3, /* not read */
               BP_PACK_BROTLI = 4,
               BP_PACK_LZ4_HADOOP =
                   5, /* blocks with sizes in front; or, as others wrote it, none */
               BP_PACK_ZSTD = 6,
               BP_PACK_LZ4 = 7,
               BP_N_PACKS
};

/* in -> out, which has exactly out_bytes; anything else is BP_EDATA. Thread safe. */
int bp_unpack(enum bp_pack codec, const uint8_t *in, size_t in_bytes, uint8_t *out,
              size_t out_bytes, struct bp_err *err) BP_MUST;

/* Room that bp_pack_into() may need for n bytes. */
size_t bp_pack_bound(enum bp_pack codec, size_t n);
/* in -> out (bp_pack_bound() bytes there); the same bytes for the same input. */
int bp_pack_into(enum bp_pack codec, const uint8_t *in, size_t in_bytes, uint8_t *out,
                 size_t *out_bytes, struct bp_err *err) BP_MUST;

/*
 * The same for blocks of 8-byte words behind `lead` bytes, for which a codec may have another way.
 * *way is zeroed before the first of several blocks of one kind, and set by a sample of that.
 */
enum bp_pack_way { BP_PACK_NOT_ASKED, BP_PACK_BYTES, BP_PACK_WORDS };
int bp_pack_words_into(enum bp_pack codec, enum bp_pack_way *way, const uint8_t *in,
                       size_t in_bytes, size_t lead, uint8_t *out, size_t *out_bytes,
                       struct bp_err *err) BP_MUST;

/* "snappy", "zstd", ...; -1: no codec of that name is written. */
int bp_pack_by_name(const char *name);
const char *bp_pack_name(enum bp_pack codec); /* NULL: not known */

#endif
