/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of snappy (format_description.txt of google/snappy): its size as a varint, then
 * elements: literal bytes, or a copy of bytes made before. Parquet's columns of numbers are
 * mostly elements of five bytes; the library of Debian needs more than half as
 * much time again for them.
 */
#ifndef BP_CODEC_SNAPPY_UNPACK_H
#define BP_CODEC_SNAPPY_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False: in is no block, or not one of out_bytes; what is in out then is anything. */
bool bp_snappy_unpack(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes);

#endif
