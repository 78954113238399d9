/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that have the same bytes between their values as a line before: the same keys in
 * the same order, with the same blanks. Several of them are read at the same time.
 */
#ifndef BP_FMT_JSONL_ALIKE_H
#define BP_FMT_JSONL_ALIKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define JSONL_LANES 4 /* lines at the same time */

struct jsonl_line;
struct jsonl_alike;

struct jsonl_alike *jsonl_alike_new(int n_keys, int n_cols, struct bp_err *err);
void jsonl_alike_free(struct jsonl_alike *a); /* NULL is a no-op */

/* The next lines, as many as there are lanes, from begin[0] on. True: they are good, their values
 * are in rows `row` and up of the spans, line i begins at begin[i], and the last ends before
 * begin[JSONL_LANES]. False: nothing is known of them. All must begin before stop, and the last
 * byte of whole lines, to[-1], is an LF. p: what spans count from. */
bool jsonl_alike_parse(struct jsonl_line *l, const uint8_t *p, const uint8_t *stop,
                       const uint8_t *to, int row, const uint8_t *begin[JSONL_LANES + 1]);
/* The line that jsonl_line_parse() read last, [q, lf), was good: it may be the one to learn. */
void jsonl_alike_passed(struct jsonl_line *l, const uint8_t *q, const uint8_t *lf);

#endif
