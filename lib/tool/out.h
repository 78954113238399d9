/* SPDX-License-Identifier: Apache-2.0 */
/* What an output file is made of: a format and, for text, a codec; by options and name. */
#ifndef BP_TOOL_OUT_H
#define BP_TOOL_OUT_H

#include "tool/tool.h"

struct bp_out_opts { /* of the command line; NULL: not given */
    const char *format, *null_text, *header, *delim, *codec;
    int64_t group_rows, page_version; /* of Parquet; 0: the default */
    const char *bloom;                /* names of columns; NULL: none */
};

struct bp_out_format;
struct bp_encoding;

struct bp_out { /* zero-initialise */
    struct bp_tool *t;
    const struct bp_out_opts *o;
    const struct bp_out_format *format;
    const struct bp_encoding *codec; /* NULL: none */
    char suffix[32];                 /* of a file that we name: ".csv.gz" */
    int64_t file_bytes;              /* memory that a file takes while it is written */
    bool one_of_many;                /* other files are written at the same time */
};

/* By the options, else by the suffix of path; NULL: stdout or a directory. */
int bp_out_choose(struct bp_out *out, struct bp_tool *t, const struct bp_out_opts *o,
                  const char *path) BP_MUST;
/* by_helper.c: the command that writes the Arrow stream on its stdin to the table of this name, in
 * the tool's arena; NULL: the name is none of a database. */
int bp_out_by_helper(struct bp_tool *t, const char *name, bool replace, const char **text) BP_MUST;
/* A sink on f (taken over, also on error). */
int bp_out_open(const struct bp_out *out, struct bp_outfile *f, const struct bp_schema *schema,
                struct bp_sink *sink) BP_MUST;

#endif
