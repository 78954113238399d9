/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The type of a column that is not declared, from a sample of its values: each strikes
 * out the types that it is none of; what is left first, in the order below, is the type,
 * and text if nothing is left or no value was seen. How large the sample is, and where
 * it is taken: of each file at most a share, in pieces at even places, never of a share
 * of a task, so that all tasks infer the same.
 */
#ifndef BP_FMT_GUESS_H
#define BP_FMT_GUESS_H

#include "col/type.h"
#include "sys/input.h"

enum {
    BP_IS_BOOL = 1,
    BP_IS_INT = 2,
    BP_IS_FLOAT = 4,
    BP_IS_DATE = 8,
    BP_IS_TIMESTAMP = 16,
    BP_IS_TIMESTAMPTZ = 32,
};

struct bp_guess {
    unsigned left;
    bool seen;
};

#define BP_GUESS_ANY ((struct bp_guess){.left = ~0u})

struct bp_type bp_guess_type(struct bp_guess g);
/* Which of the types of dates and times the text is; 0: none. */
unsigned bp_guess_time(const char *s, size_t n);

/* Most bytes of each of n_files to look at. */
size_t bp_sample_bytes(int n_files);
/* A piece of a file: n bytes that begin `front` bytes behind p, with `behind` bytes of room behind
 * them. at_start, at_end: it begins, ends where the sample may. */
typedef int bp_sample_piece(void *ctx, uint8_t *p, size_t n, bool at_start, bool at_end,
                            struct bp_err *err);
struct bp_sample {
    size_t most; /* bytes to look at; where there are more, in pieces all over the file */
    size_t front, behind;
    bp_sample_piece *piece;
    void *ctx;
};
/* The bytes of in from `from` on. */
int bp_sample_file(const struct bp_sample *s, const struct bp_input *in, int64_t from,
                   struct bp_err *err) BP_MUST;

#endif
