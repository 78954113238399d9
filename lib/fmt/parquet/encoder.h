/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches to column chunks, by the threads of a pool. A batch is as many tasks as there are
 * ranges of columns; the tasks of a range run one after the other, those of different ranges
 * side by side, also of different batches: no thread waits for the slowest column of a batch.
 * What comes out does not depend on the number of threads.
 *
 *     open
 *     while more:  if (has_room) give  else  take, write what is finished, rest
 *     take until NULL, for all that was given
 */
#ifndef BP_FMT_PARQUET_ENCODER_H
#define BP_FMT_PARQUET_ENCODER_H

#include "col/column.h"
#include "fmt/parquet/column_write.h"
#include "sys/pool.h"

#define BP_PQ_FLIGHTS 4

struct bp_pq_task;

/* A batch on its way. */
struct bp_pq_flight {
    struct bp_batch batch; /* may have no rows */
    int64_t bytes;
    bool last;          /* its row group ends behind it */
    int64_t group_rows; /* those of the row group up to here */
    /* last: the row group's, one a leaf; whoever takes it empties them */
    struct bp_pq_encoded *chunks;
    struct bp_pq_task *tasks;
};

struct bp_pq_encoder {
    struct bp_pq_writer *writers; /* one a leaf */
    int n_leaves, n_tasks;
    struct bp_pool *pool;
    struct bp_pq_write_scratch *scratch; /* one a worker */
    int n_scratch;
    struct bp_pq_flight flights[BP_PQ_FLIGHTS];
    int64_t given, taken; /* counted without end; a flight's place is % BP_PQ_FLIGHTS */
    int64_t flying_bytes;
    int64_t *pages_bytes, *state_bytes; /* of each range's columns, as far as batches were taken */
    int64_t *scratch_bytes;             /* of each worker's scratch, the same */
    bool *failed;                       /* the tasks of a range, which then do nothing any more */
};

/* Zeroed before, released also after an error. leaves outlive it. */
int bp_pq_encoder_open(struct bp_pq_encoder *e, const struct bp_pq_leaves *leaves,
                       enum bp_pack codec, bool v2, bool dict, int n_threads,
                       struct bp_err *err) BP_MUST;
/* For a batch of so many bytes, if those on their way are to take at most so many. */
bool bp_pq_encoder_has_room(const struct bp_pq_encoder *e, int64_t bytes, int64_t most_bytes);
/* Needs a place, if not room. b is emptied; NULL: only the end of the row group. */
void bp_pq_encoder_give(struct bp_pq_encoder *e, struct bp_batch *b, int64_t bytes,
                        int64_t group_rows, bool last);
/* The batch given last, if it is on its way; else NULL. */
const struct bp_batch *bp_pq_encoder_last(const struct bp_pq_encoder *e);
/* The oldest, when it is encoded; its batch has gone. *out NULL: none was given. Then rest() it. */
int bp_pq_encoder_take(struct bp_pq_encoder *e, struct bp_pq_flight **out,
                       struct bp_err *err) BP_MUST;
void bp_pq_encoder_rest(struct bp_pq_encoder *e, struct bp_pq_flight *f);
/* What encoded pages take; what columns and threads take besides. Of batches that were taken. */
int64_t bp_pq_encoder_pages_bytes(const struct bp_pq_encoder *e);
int64_t bp_pq_encoder_state_bytes(const struct bp_pq_encoder *e);
/* The same from the columns themselves: nothing is on its way. */
void bp_pq_encoder_measure(struct bp_pq_encoder *e);
void bp_pq_encoder_release(struct bp_pq_encoder *e);

#endif
