/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/stage: what a stage file says about itself, in the metadata of
 * its Arrow footer (bp-stage(5)):
 *
 *   bp.stage     JSON: version, keys, classes, parts, even, task, tasks, identity,
 *                rows, blocks; by range: range, borders; with hot keys: hot, and
 *                split or copied
 *   bp.blocks    a line per block: PART INDEX ROWS OFFSET BYTES XXH3, by part, then
 *                index; so the blocks of a partition are in the order of its rows
 *   bp.ledger    JSON: which bytes of which input the task read (flow/ledger.h)
 *   bp.checksum  XXH3-64 of the three above, the columns and their metadata
 *
 * The schema's own metadata carries bp.file = "stage", so that one damaged key
 * cannot turn a stage into a plain directory of Arrow files.
 */
#ifndef BP_STAGE_FOOTER_H
#define BP_STAGE_FOOTER_H

#include "flow/ledger.h"
#include "ipc/ipc.h"

#define BP_STAGE_MARK "bp.file"
#define BP_STAGE_MARK_VALUE "stage"
#define BP_PARTS_MAX 65536

struct bp_stage_block {
    uint32_t part;
    int32_t index; /* of the batch in the file */
    int64_t n_rows;
    int64_t offset_bytes, n_bytes; /* of message and body */
    uint64_t checksum;             /* XXH3-64 of these bytes */
};

struct bp_stage_foot {
    char **keys; /* n_keys names */
    int *classes;
    int n_keys;
    uint32_t parts;
    bool even;
    bool split;       /* rows of hot keys are in many partitions */
    bool copied;      /* or in none: blocks of the partition `parts`, for every share */
    char hot[17];     /* of either: which keys */
    char *range;      /* by range: ORDER BY list of the keys; else NULL */
    char borders[17]; /* by range: which borders (flow/marks.h) */
    int task, n_tasks;
    char identity[33];
    int64_t n_rows;
    struct bp_stage_block *blocks; /* by part, then index */
    int64_t n_blocks;
    struct bp_ledger ledger;
};

/* The same keys, partitions and way to them. */
bool bp_stage_foot_alike(const struct bp_stage_foot *a, const struct bp_stage_foot *b);
/* Sorts the blocks and writes the footer of w. schema: as it was given to w. ledger:
 * what is written (foot's own is of readers); may be NULL. */
int bp_stage_foot_write(struct bp_stage_foot *foot, const struct bp_schema *schema,
                        struct bp_ledger *ledger, struct bp_ipc_writer *w,
                        struct bp_err *err) BP_MUST;
/* Reads and checks what f says; only blocks of partitions first..last, and of copied
 * keys, are kept (first < 0: all). What is damaged or does not add up is BP_EDATA. */
int bp_stage_foot_read(const struct bp_ipc_file *f, int64_t first, int64_t last,
                       struct bp_stage_foot *out, struct bp_err *err) BP_MUST;
void bp_stage_foot_release(struct bp_stage_foot *f);
/* f carries any of the marks of a stage. */
bool bp_stage_foot_is(const struct bp_ipc_file *f);

#endif
