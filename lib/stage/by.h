/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file for each value of some columns, in a directory that appears as a whole.
 * Rows of one value keep their order. A bounded number of files is open: the values
 * that appear first are written as they come, the rows of all others are brought
 * together first (regroup.h) and written one file after the other. What is written does
 * not depend on which.
 */
#ifndef BP_STAGE_BY_H
#define BP_STAGE_BY_H

#include "flow/flow.h"
#include "sys/outfile.h"

/* Where an output of several files goes, and what of the directory stays (publish.h). */
struct bp_publish_opts {
    const char *dir;    /* outlives the sink */
    const char *run;    /* NULL: none; files of other runs stay */
    bool replace;       /* whatever the directory holds */
    bool replace_parts; /* only the directories COLUMN=VALUE that get rows; others stay */
    bool fixed_names;   /* the files' names are not of the form that bp_publish_name() gives */
};
/* A sink of the format on f (taken over). */
typedef int (*bp_open_file)(void *arg, struct bp_outfile *f, const struct bp_schema *schema,
                            struct bp_sink *out, struct bp_err *err);

struct bp_by_opts {
    struct bp_publish_opts to;
    const char *const *columns; /* NULL-terminated names: directories COLUMN=VALUE, and the
                                 * columns left out of the files */
    const char *suffix;         /* of the file in each such directory */
    const char *pattern;        /* instead: the files' names, with {COLUMN} in them; the columns
                                 * stay in the files */
    bp_open_file open;
    void *arg;
    int64_t file_bytes; /* memory that a file being written takes */
};

int bp_by_sink(struct bp_sink *out, const struct bp_schema *schema, const struct bp_by_opts *opts,
               struct bp_ctx *ctx, struct bp_err *err) BP_MUST;

#endif
