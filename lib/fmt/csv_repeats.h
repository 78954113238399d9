/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which columns of text have few values that repeat, so that they are read as dictionaries: the
 * rows then carry codes, and whoever groups, joins or compares them looks at each value once.
 * The rule is told by a sample of the first input alone, so that all tasks decide alike: in
 * 1 MiB or more, 1,000 values or more, each of them four times on average, and most of them in its
 * first half: else they are of the kind that comes and goes, as the numbers of sessions in a log,
 * of which there is no end. All columns together have CSV_REPEATS_VALUES at most, those with the
 * fewest first: tables that do not fit the caches cost more than they save.
 */
#ifndef BP_FMT_CSV_REPEATS_H
#define BP_FMT_CSV_REPEATS_H

#include "fmt/csv_reader.h"

#define CSV_REPEATS_BYTES ((int64_t)1 << 20)
#define CSV_REPEATS_VALUES 16384

struct csv_repeats;

/* Counts columns of text, and those whose type is not known yet. */
int csv_repeats_open(struct csv_repeats **out, const struct csv_reader *r,
                     struct bp_err *err) BP_MUST;
bool csv_repeats_any(const struct csv_repeats *s);
bool csv_repeats_counts(const struct csv_repeats *s, int c);
/* False: the input is known to be too small. */
bool csv_repeats_can_tell(const struct csv_file *f);
/* A value of column c, of n > 0 bytes. */
void csv_repeats_add(struct csv_repeats *s, int c, const uint8_t *p, size_t n);
/* The sample was large enough, and is over. */
int csv_repeats_decide(struct csv_repeats *s, struct bp_err *err) BP_MUST;
/* False before that. */
bool csv_repeats_are_few(const struct csv_repeats *s, int c);
/* How many distinct ones the sample had. */
int64_t csv_repeats_values(const struct csv_repeats *s, int c);
void csv_repeats_free(struct csv_repeats *s); /* NULL is a no-op */

#endif
