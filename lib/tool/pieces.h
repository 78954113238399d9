/* SPDX-License-Identifier: Apache-2.0 */
/* Operands told apart: what each name stands for. Private to lib/tool. */
#ifndef BP_TOOL_PIECES_H
#define BP_TOOL_PIECES_H

#include "op/constants.h"
#include "stage/stage.h"
#include "sys/input.h"
#include "tool/tool.h"

enum bp_piece_kind {
    BP_PIECE_STREAM, /* an Arrow stream */
    BP_PIECE_ARROW,  /* an Arrow file */
    BP_PIECE_PARQUET,
    BP_PIECE_CSV,
    BP_PIECE_TSV,
    BP_PIECE_JSONL,
    BP_PIECE_STAGE,
    BP_PIECE_EMPTY, /* an output of ours without rows: schema_text has its columns */
};

struct bp_piece {
    enum bp_piece_kind kind;
    char *path;                   /* in the tool's arena */
    struct bp_input in;           /* open, but for stages; goes with the first source made of it */
    const char *command;          /* a helper that has its rows as a stream; NULL: none */
    bool opened;                  /* one was made (open.c) */
    int64_t size_bytes, mtime_ns; /* of the file that was told apart: bp_piece_reopen() */
    char version[17];
    struct bp_stage_range range;
    struct bp_constant *hive; /* n_hive columns that its directories tell; from the arena */
    int n_hive;
    const char *schema_text;    /* of text in an output of ours, where its list tells; or NULL */
    bool unite;                 /* one of all the files of a complete output directory */
    int first_batch, n_batches; /* under -T (open.c): record batches, row groups */
};

struct bp_pieces {
    struct bp_piece *items;
    int n;
    int n_batches; /* of all such files together */
};

/* names[0..n), n == 0: stdin, in the order given; a directory and a glob by name. */
int bp_pieces_find(struct bp_tool *t, char *const *names, int n, const struct bp_open *o,
                   struct bp_pieces *out) BP_MUST;
/* p's input again, which must be the file that it was. */
int bp_piece_reopen(struct bp_tool *t, const struct bp_open *o, struct bp_piece *p) BP_MUST;
/* by_helper.c: is it of a format that a helper reads? Then in is what that writes. table: of a
 * database, or "". */
int bp_piece_by_helper(struct bp_tool *t, struct bp_piece *p, const char *table,
                       const uint8_t *head, size_t n, bool *is_one) BP_MUST;
/* Is this name a table of a server, which is no path? Then p, whose path it is, reads it. */
bool bp_is_database_name(const char *name);
int bp_piece_of_database(struct bp_tool *t, struct bp_piece *p) BP_MUST;
/* The task files of an output directory, pieces [from, n): their ledgers against one
 * another. Only Arrow files have one (ledgers.c). */
int bp_pieces_check_ledgers(struct bp_tool *t, const struct bp_pieces *p, int from, const char *dir,
                            int n_tasks) BP_MUST;
void bp_pieces_release(struct bp_pieces *p);

#endif
