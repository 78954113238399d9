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
/* file, of the n text files from p on or of piece p alone, taken over, -> out: behind its columns
 * what p's directories tell, and those of pseudo (enum bp_pseudo) that such a piece has (but for
 * _line of text, which its source gives). A
 * column of the file itself of that name stays; a stream has none but that. */
int bp_piece_dress(const struct bp_piece *p, int n, unsigned pseudo, struct bp_source *file,
                   struct bp_source *out, struct bp_err *err) BP_MUST;
/* BP_EUSAGE: a pseudo-column is wanted that no piece has, and s, the schema of all, neither. Of
 * streams the clause says it. */
int bp_pieces_check_pseudo(const struct bp_pieces *p, unsigned pseudo, const struct bp_schema *s,
                           struct bp_err *err) BP_MUST;

#endif
