/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of a piece that no file holds. Private to lib/tool. */
#ifndef BP_TOOL_CONSTANTS_H
#define BP_TOOL_CONSTANTS_H

#include "tool/pieces.h"

/* What is declared of columns that the directories tell is their types, and no column of
 * the file: it leaves the schema. */
int bp_piece_take_hive(const struct bp_piece *p, struct bp_schema *schema,
                       struct bp_err *err) BP_MUST;
/* The names in `columns` (-c; NULL: all) but for those that the directories tell. */
int bp_piece_own_columns(const struct bp_piece *p, const char *columns, char ***names, int *n,
                         struct bp_err *err) BP_MUST;
/* file, taken over, -> out: behind its columns what p's directories tell, and _file where it
 * is wanted. A column of the file itself of that name stays; a stream is no file. */
int bp_piece_dress(const struct bp_piece *p, bool names_file, struct bp_source *file,
                   struct bp_source *out, struct bp_err *err) BP_MUST;

#endif
