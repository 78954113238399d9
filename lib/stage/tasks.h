/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/stage: the files of a complete stage, one per task, that agree
 * with one another. Any number of tasks with a bounded number of open files.
 */
#ifndef BP_STAGE_TASKS_H
#define BP_STAGE_TASKS_H

#include "stage/footer.h"
#include "stage/stage.h"

struct bp_stage_task {
    struct bp_ipc_file *file; /* NULL while closed */
    struct bp_stage_foot foot;
};

struct bp_stage_tasks {
    char *dir;
    int n;
    struct bp_stage_task *tasks;
    int64_t first, last; /* partitions whose blocks are kept; last < first: none */
    char version[17];    /* of what was done and read, not of how it was cut */
    int n_open, max_open, newest;
};

/* The file of one task. */
int bp_stage_task_open(const char *dir, int task, int n_tasks, struct bp_ipc_file **out,
                       struct bp_err *err) BP_MUST;
/* Opens dir and refuses what is incomplete, damaged or mixed. range and share as
 * in bp_stage_source(); out->first and last become the partitions to read. */
int bp_stage_tasks_open(struct bp_stage_tasks *out, const char *dir, struct bp_stage_range range,
                        struct bp_share share, struct bp_err *err) BP_MUST;
/* The file of a task, opened again if it was closed; valid until the next call. */
int bp_stage_tasks_file(struct bp_stage_tasks *t, int task, struct bp_ipc_file **out,
                        struct bp_err *err) BP_MUST;
void bp_stage_tasks_release(struct bp_stage_tasks *t);

#endif
