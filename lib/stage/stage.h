/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage directories (bp-stage(5)): hash-partitioned, one committed Arrow file
 * per producing task. Also output directories of part files, which follow the
 * same naming, commit and completeness check.
 */
#ifndef BP_STAGE_STAGE_H
#define BP_STAGE_STAGE_H

#include "flow/flow.h"
#include "flow/ledger.h"

/* Rows to partitions by a rule of an operator's: by range of the keys. */
struct bp_stage_router {
    /* part_of[i], below parts, for each row. */
    int (*route)(void *self, const struct bp_batch *in, uint32_t *part_of, struct bp_err *err);
    void *self;        /* outlives the sink */
    const char *range; /* ORDER BY list of the keys */
    char borders[17];  /* the same for the same rule */
};

struct bp_stage_opts {
    const char *dir;
    const char *const *keys; /* NULL-terminated names; empty: one partition */
    uint32_t parts;
    bool even;                            /* row r of the task goes to r mod parts; keys unused */
    const struct bp_stage_router *router; /* NULL: by hash of the keys */
    const uint64_t *hot;                  /* by hash: n_hot key hashes, ascending */
    int64_t n_hot;
    uint64_t hot_identity; /* the same for the same keys */
    bool split;            /* rows of hot keys go to each partition in turn */
    bool copied;           /* or stand apart: every share of the stage gets all of them */
    int task, n_tasks;     /* n_tasks 0: the only one, 00000-of-00001 */
    bool replace;          /* a directory of another N may be replaced */
};
/* Rows go to partitions, buffered under ctx->budget, and become one file by one
 * rename at commit. schema carries the marks (bp.partial, bp.lineage). */
int bp_stage_sink(struct bp_sink *out, const struct bp_schema *schema,
                  const struct bp_stage_opts *opts, struct bp_ctx *ctx, struct bp_err *err) BP_MUST;

struct bp_stage_range {
    int64_t first, last; /* partitions, inclusive; first < 0: all */
};
/* Does the directory hold files named as a stage's, with a stage's footer? What cannot
 * be looked at is an error: a stage taken for plain files would lose its checks. */
int bp_stage_look(const char *dir, bool *out, struct bp_err *err) BP_MUST;
bool bp_stage_is(const char *dir); /* for tests: a failure is a no */
/* Refuses incomplete or mixed stages. task/n_tasks > 0: the share of the partitions
 * in range. Order: by partition, task, row; rows of copied hot keys behind those of the
 * last partition. Of a share, sets bp.task and bp.parted. A batch's origin is its partition; -1:
 * rows of copied hot keys. */
int bp_stage_source(struct bp_source *out, const char *dir, struct bp_stage_range range, int task,
                    int n_tasks, struct bp_ctx *ctx, struct bp_err *err) BP_MUST;

/*
 * The footers of a stage, complete or not: nothing but them is read, unless verify
 * asks that every block be read and held against its checksum.
 */
struct bp_stage_report {
    char **keys; /* n_keys names */
    int n_keys;
    uint32_t parts;
    bool even, split, copied;
    char *range; /* ORDER BY list of the keys; NULL: by hash */
    int n_tasks, n_committed;
    uint8_t *committed;    /* of each task */
    int64_t *rows, *bytes; /* of each partition, and of what every share gets */
    int64_t n_rows, n_bytes, n_blocks;
    struct bp_ledger *ledgers; /* what each task read of the inputs */
    char borders[17];          /* of the range */
    char identity[33];         /* the run of the first task that is there */
    int other_run;             /* a task of another run than that; -1: none */
};
int bp_stage_report_read(struct bp_stage_report *out, const char *dir, bool verify,
                         struct bp_err *err) BP_MUST;
void bp_stage_report_release(struct bp_stage_report *r);

/* What a task may bring along: -T with a stream that is another share is BP_EDATA.
 * task/n_tasks as given (n_tasks 0: no -T). A share without -T passes here: others
 * may follow; whoever commits asks bp_shareset_whole(). */
int bp_stage_check_share(struct bp_share share, int task, int n_tasks, struct bp_err *err) BP_MUST;

/* ---- directories of task files: stages, and bp-write's OUT/ ---- */

#define BP_TASKS_MAX 1000000

/* "00003-of-00008" + suffix; the length, or -1 if the suffix is too long. */
int bp_task_name(char out[64], int task, int n_tasks, const char *suffix);
/* True and the numbers if name is I-of-N with any suffix ("" or from its dot on). */
bool bp_task_parse(const char *name, int *task, int *n_tasks, const char **suffix);
/* Refuses a directory that holds files of another N, unless replace (then they are
 * removed after the commit: bp_task_dir_retire). A directory that is not there
 * passes. */
int bp_task_dir_check(const char *dir, int n_tasks, bool replace, struct bp_err *err) BP_MUST;
/* Removes the task files of every other N. The order is: commit ours, then this.
 * Killed between, the directory holds files of two N, which readers refuse, and
 * the repeated task finishes the removal. */
int bp_task_dir_retire(const char *dir, int n_tasks, struct bp_err *err) BP_MUST;
/* Task files of a directory: committed[i] for i in 0..n-1 (bp_mem); *n_tasks 0 and
 * NULL if there are none. Files of two N, or of two suffixes, are BP_EDATA. */
int bp_task_dir_scan(const char *dir, int *n_tasks, uint8_t **committed,
                     struct bp_err *err) BP_MUST;

#endif
