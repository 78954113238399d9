/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levels: how a tree of lists and structs lies in columns of values (Melnik et al.,
 * "Dremel: Interactive Analysis of Web-Scale Datasets", VLDB 2010; README.md of
 * apache/parquet-format, "Nested Encoding").
 *
 * The values of a leaf lie one behind the other, those of all rows and all lists. Beside
 * them every entry of the leaf, a value or the place where there is none, has two numbers:
 *
 * - the definition level: how many of the optional and repeated elements on the way from
 *   the root are there. max_def: all, so there is a value. Less: something on the way is
 *   NULL, or a list is empty.
 * - the repetition level: which of the lists on the way goes on with this entry. 0: a new
 *   row; max_rep: one more element of the innermost list.
 *
 *     a int[]:  {1,2}     def 3 3  rep 0 1      (optional list 1, element 2, optional int 3)
 *               {}        def 1    rep 0
 *               NULL      def 0    rep 0
 *               {NULL,3}  def 2 3  rep 0 1
 *
 * So an entry has a place (slot) in the column at depth r, that of the elements of the r-th
 * list, if its definition level is at least slot_defs[r], and begins a new one if its
 * repetition level is at most r. An entry that goes on with a list (rep r > 0) follows one
 * with a place there, and has one itself: everything else is damage.
 */
#ifndef BP_FMT_PARQUET_LEVELS_H
#define BP_FMT_PARQUET_LEVELS_H

#include "base/mem.h"
#include "fmt/parquet/page.h"

struct bp_pq_levels {
    int64_t n; /* entries */
    const uint8_t *def;
    const uint8_t *rep;   /* NULL: all 0, the leaf lies in no list */
    struct bp_block *own; /* what they live on; NULL: borrowed */
};

/* Of a page; each level is at most max_def and max_rep. Takes nothing over. */
int bp_pq_levels_read(const struct bp_pq_column *c, const struct bp_pq_page *page,
                      struct bp_buf *scratch, struct bp_pq_levels *out, struct bp_err *err) BP_MUST;
void bp_pq_levels_release(struct bp_pq_levels *l);

/* How many levels of n are at least this. */
int64_t bp_pq_levels_count(const uint8_t *levels, int64_t n, int least);
/* How many rows begin among entries [from, to). */
int64_t bp_pq_levels_rows(const struct bp_pq_levels *l, int64_t from, int64_t to);
/* The entry at or behind `from` with which the n-th row (from 0) begins that begins there;
 * l->n: there are fewer. */
int64_t bp_pq_levels_row(const struct bp_pq_levels *l, int64_t from, int64_t n);

#endif
