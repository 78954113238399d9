/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/stage: the name of the file that a row belongs to. */
#ifndef BP_STAGE_BY_NAME_H
#define BP_STAGE_BY_NAME_H

#include "col/column.h"

struct bp_by_piece {
    char *text; /* stands in front of the value */
    int column; /* of the batch; -1: none, the end */
};

struct bp_by_name {
    struct bp_by_piece *pieces;
    int n_pieces;
    int *columns; /* n_columns different ones */
    int n_columns;
    bool is_hive;
    struct bp_buf name; /* scratch */
};

/* columns: COLUMN=VALUE/.../FILE; or pattern, with {COLUMN} in it. A column that is not there is
 * BP_EUSAGE. */
int bp_by_name_init(struct bp_by_name *n, const struct bp_schema *s, const char *const *columns,
                    const char *pattern, struct bp_err *err) BP_MUST;
/* With columns, before the first name: FILE. */
int bp_by_name_file(struct bp_by_name *n, const char *file_name, struct bp_err *err) BP_MUST;
/* That of row i, relative, from bp_mem. No part of it is "." or "..", and none that a
 * value begins is empty or begins with "." or "_"; one too long is BP_EDATA. */
int bp_by_name_make(struct bp_by_name *n, const struct bp_batch *b, int64_t i, char **out,
                    struct bp_err *err) BP_MUST;
void bp_by_name_release(struct bp_by_name *n);

#endif
