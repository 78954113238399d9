/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that wait for their group-by. Where nearly every row is a new group, one table
 * of all groups is far larger than the caches: to look a row up costs several misses,
 * and so does every value of the result, which comes in another order. So rows are not
 * looked up. They are packed into records, and those written behind one another by
 * ranges of the hash that orders the result:
 *
 *     rows -> records [ key | hash | arguments ] -> part 0 | part 1 | ... | part 511
 *
 * Each part is a group-by of its own, in a table that fits the second level cache; parts
 * in order are the result in order; and any number of threads can work on them. (Radix
 * partitioning, as in Manegold, Boncz, Kersten, "Optimizing Main-Memory Join on Modern
 * Hardware", 2002.)
 *
 * A record is 64-bit words: the packed key (agg/groups.h; text is its number), the
 * partition hash, each argument in one word or two, and NULL bits where the batch it
 * came with had NULLs. Records of a part stand in chunks, all of one task and one form
 * (reduce_chunks.h). When memory is full, records go to disk as they are: grouping them would
 * make no fewer, and each part is to be read only once, at the end.
 *
 *     bp_parts_open
 *     bp_parts_room, bp_parts_add   for each batch
 *     bp_parts_flush                before parts are read, and before bp_parts_put_off
 *     bp_parts_put_off              when there is no room
 *     bp_parts_fill                 a part into a table: thread safe
 */
#ifndef BP_OP_REDUCE_PARTS_H
#define BP_OP_REDUCE_PARTS_H

#include "op/op.h"
#include "op/reduce_table.h"

#define BP_PARTS_BITS 9
#define BP_PARTS (1 << BP_PARTS_BITS)
#define BP_PARTS_ARGS_MAX 64

struct bp_parts;

/* Only arguments of fixed width, no FILTER, and memory for buffers worth the name. */
bool bp_parts_suit(const struct bp_reduce_plan *plan, const struct bp_ctx *ctx);
/* plan, and the pack whose texts give keys their numbers, are borrowed. */
int bp_parts_open(struct bp_parts **out, const struct bp_reduce_plan *plan, struct bp_pack *pack,
                  struct bp_ctx *ctx, struct bp_err *err) BP_MUST;
void bp_parts_free(struct bp_parts *p); /* NULL is a no-op */

/* Takes from the budget what n_rows more rows may need. False: there is not enough, or
 * one part has become too large; rows are to be put off or elsewhere first. */
bool bp_parts_room(struct bp_parts *p, int64_t n_rows);
/* n_rows rows: keys and args (of all aggregates, in order) are refs that are taken over.
 * Their records come into being on the worker threads. */
int bp_parts_add(struct bp_parts *p, struct bp_column *keys, struct bp_column *args, int64_t n_rows,
                 uint32_t task, int64_t first_row, struct bp_err *err) BP_MUST;
int bp_parts_flush(struct bp_parts *p, struct bp_err *err) BP_MUST;
int64_t bp_parts_rows(const struct bp_parts *p, int part); /* flushed ones */
const struct bp_pack *bp_parts_pack(const struct bp_parts *p);
int64_t bp_parts_all_rows(const struct bp_parts *p);
/* All rows that are flushed to disk; the next flush ends that. BP_DONE: no, as a part would be too
 * large to be grouped in memory, or the texts of keys take too much of it. */
int bp_parts_put_off(struct bp_parts *p, struct bp_err *err) BP_MUST;
bool bp_parts_on_disk(const struct bp_parts *p);
/* Rows of a part update t, whose groups are packed alike. hash, if not NULL, gets the
 * hash of each group's key: there is room for all rows and groups. */
int bp_parts_fill(const struct bp_parts *p, int part, struct bp_reduce_table *t, uint64_t *hash,
                  struct bp_err *err) BP_MUST;
/* The part is not filled from again: its room on disk is free. Thread safe. */
void bp_parts_discard(const struct bp_parts *p, int part);

#endif
