/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inputs, cut into jobs, in order: a file at multiples of the chunk size, anywhere (a worker
 * finds the records); a stream into blocks of whole records.
 */
#ifndef BP_FMT_CSV_CUT_H
#define BP_FMT_CSV_CUT_H

#include "fmt/csv_reader.h"

struct csv_cutter {
    struct csv_reader *r;
    int file; /* the file that is cut now */
    bool file_open;
    int64_t at, end;        /* of a regular file: the next chunk, and where it stops */
    bool fresh;             /* a record begins at `at` */
    int64_t seq;            /* of the next job */
    struct bp_block *carry; /* of a stream: the record begun in the last block */
    size_t carry_bytes;
    bool stream_end;
    bool waits; /* the last job is a block that no record ends in: is to be taken first */
};

/* The next job; *out NULL: there is none. */
int csv_cut_next(struct csv_cutter *k, struct csv_job **out, struct bp_err *err) BP_MUST;
/* The next block of the stream at hand, whole records; *out NULL at its end. */
int csv_cut_block(struct csv_cutter *k, struct csv_job **out, struct bp_err *err) BP_MUST;
void csv_cut_release(struct csv_cutter *k);

#endif
