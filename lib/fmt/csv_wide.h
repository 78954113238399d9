/* SPDX-License-Identifier: Apache-2.0 */
/* Stage 2 for many fields at a time: numbers of up to eight bytes, dates, timestamps. */
#ifndef BP_FMT_CSV_WIDE_H
#define BP_FMT_CSV_WIDE_H

#include "base/num.h"
#include "fmt/csv_out.h"

#define CSV_WIDE_ROWS 64

/* Is there a build of it for type t, on machines of this level (csv_scan.h)? */
bool csv_wide_has(struct bp_type t, int level);

/*
 * Writes fields [0, n) of f, n up to CSV_WIDE_ROWS, to rows [o->n_rows, o->n_rows + n), which
 * are reserved; o->n_rows and the nulls stay as they are. Bit i of the result: field i was of a
 * plain shape and is written, or empty (its bit is set in *empty too) and written as 0. The
 * other rows hold anything.
 */
uint64_t csv_wide(struct csv_out *o, const struct csv_span *f, int n, int level, uint64_t *empty);

/* Its builds (csv_wide_step.h). */
uint64_t csv_wide_avx2(struct csv_out *o, const struct csv_span *f, int n, uint64_t *empty);
uint64_t csv_wide_avx512(struct csv_out *o, const struct csv_span *f, int n, uint64_t *empty);

#endif
