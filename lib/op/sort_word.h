/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Normalised keys. The keys of a row become a few 64-bit words that order as the
 * keys do, word by word. Each word is packed from its top bit down with parts of
 * keys: a number less the least one in its column (so it takes only the bits that
 * the column's range needs), with one more code for NULL; a piece of a text, big
 * end first; DESC is counted from the greatest down.
 *
 *     ORDER BY pickup DESC, zone:   | greatest - pickup : 45 bits | zone - 1 : 9 bits | 0.. |
 *
 * A plan made for rows at hand is as tight as they allow and, unless texts are
 * long, exact: equal words mean equal keys. A plan made from types alone fits any
 * rows: one word that never contradicts the order, for heads of a merge.
 */
#ifndef BP_OP_SORT_WORD_H
#define BP_OP_SORT_WORD_H

#include "op/sort_held.h"
#include "op/sort_key.h"

#define BP_SORT_WORDS_MAX 8
#define BP_SORT_PARTS_MAX 40

enum bp_sort_part_kind {
    BP_PART_CODE, /* (ord - min, or max - ord) >> drop, and a code for NULL */
    BP_PART_NULL, /* one bit */
    BP_PART_HIGH, /* upper and lower half of a 128-bit ord */
    BP_PART_LOW,
    BP_PART_BYTES,  /* n_bytes of a text from offset */
    BP_PART_LENGTH, /* its length */
};

struct bp_sort_part {
    enum bp_sort_part_kind kind;
    int key;
    int bits, shift; /* shift: place of its lowest bit in the word */
    bool has_nulls;
    int drop;
    uint64_t min, max;
    uint32_t offset, n_bytes;
};

struct bp_sort_word {
    int part_from, part_to;
    int first_key; /* rows equal in all words before are equal in the keys before this */
};

struct bp_sort_plan {
    const struct bp_sort_keys *keys;
    struct bp_sort_part parts[BP_SORT_PARTS_MAX];
    int n_parts;
    struct bp_sort_word words[BP_SORT_WORDS_MAX];
    int n_words;
    int rest_key; /* first key that the words do not hold whole; keys->n: they are exact */
};

/* For the rows in held (keyed, finished). */
int bp_sort_plan_rows(struct bp_sort_plan *p, const struct bp_sort_keys *k,
                      const struct bp_held *held, int n_threads, struct bp_err *err) BP_MUST;
/* For any rows: one word, or none if not even a part of the first key fits. */
void bp_sort_plan_types(struct bp_sort_plan *p, const struct bp_sort_keys *k);
/* out[i] = word w of rows [from, from + n); key_cols[i] is key i's column. */
void bp_sort_words(const struct bp_sort_plan *p, int w, const struct bp_column *const key_cols[],
                   int64_t from, int64_t n, uint64_t *out);

/* True if the first word says everything. */
static inline bool bp_sort_plan_is_one_word(const struct bp_sort_plan *p)
{
    return p->n_words <= 1 && p->rest_key == p->keys->n;
}

#endif
