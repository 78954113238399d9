/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows in their order to the files of a directory that appears as a whole: N of the same
 * number of rows (but for one), or of about a size. What is in which file depends on the
 * rows alone.
 */
#ifndef BP_STAGE_PARTS_H
#define BP_STAGE_PARTS_H

#include "stage/by.h"

#define BP_PARTS_FILES_MAX 99999

struct bp_parts_opts {
    struct bp_publish_opts to;
    const char *suffix;
    int64_t n_parts;    /* 0: by size */
    int64_t part_bytes; /* of values (bp_batch_size_bytes) */
    int64_t file_bytes; /* memory that a file being written takes */
    bp_open_file open;
    void *arg;
};

int bp_parts_sink(struct bp_sink *out, const struct bp_schema *schema,
                  const struct bp_parts_opts *opts, struct bp_ctx *ctx, struct bp_err *err) BP_MUST;

#endif
