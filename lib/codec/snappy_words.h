/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snappy's format (format_description.txt of google/snappy) for pages of 8-byte words: times,
 * identifiers, large numbers. What such words have in common are their high bytes, so a word is
 * looked up by its upper half only, once, at its place; libsnappy looks at every byte. Of a page
 * of times it makes the same or 2 % more, in half the time; of words that repeat in their
 * low bytes, floating-point numbers with few digits for example, far more: hence a sample first.
 */
#ifndef BP_CODEC_SNAPPY_WORDS_H
#define BP_CODEC_SNAPPY_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* in[0, n), whose words begin behind `lead` bytes -> out, which has room for bp_pack_bound();
 * the bytes there. */
size_t bp_snappy_words(const uint8_t *in, size_t n, size_t lead, uint8_t *out);

#endif
