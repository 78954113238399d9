/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Join keys as numbers: values of the two sides that are equal (whatever their
 * widths, scales, units) become equal 64-bit words. Values that cannot be equal to
 * any of the other side, as 0.5 to an integer, and NULLs are dead: they match
 * nothing. Text, intervals and decimals beyond 64 bits have no word; they are
 * taken as bytes.
 */
#ifndef BP_OP_JOIN_KEY_H
#define BP_OP_JOIN_KEY_H

#include "base/buf.h"
#include "col/column.h"

/* How one side's column becomes what both sides can be compared by. */
struct bp_join_form {
    enum {
        BP_FORM_ORD,      /* bp_ord64() */
        BP_FORM_UNSIGNED, /* integers without a sign that meet some with: above INT64_MAX is dead */
        BP_FORM_DIVIDED,  /* int64 / divisor; a remainder is dead */
        BP_FORM_DECIMAL,  /* 128 bits / divisor; a remainder, or beyond 64 bits, is dead */
        BP_FORM_BYTES,    /* text, binary, intervals: no word */
    } kind;
    bp_int128 divisor;
};

/* Forms of the columns of one key; types are of one class. */
void bp_join_forms(struct bp_type left, struct bp_type right, struct bp_join_form *left_form,
                   struct bp_join_form *right_form);
/* Words of rows [from, from + n); dead[i] is set, never cleared. Not for BYTES. */
void bp_join_words(const struct bp_join_form *f, const struct bp_column *c, int64_t from, int64_t n,
                   uint64_t *words, uint8_t *dead);
/* True if a value of c has more bits than a word: both sides must use bytes. */
bool bp_join_beyond_word(const struct bp_join_form *f, const struct bp_column *c);
/* Appends the bytes of row's value to out; false if it is dead. Any form. */
int bp_join_bytes(const struct bp_join_form *f, const struct bp_column *c, int64_t row,
                  struct bp_buf *out, bool *dead, struct bp_err *err) BP_MUST;

#endif
