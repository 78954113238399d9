/* SPDX-License-Identifier: Apache-2.0 */
/* bp-todo: the tasks of a stage or output that are not committed yet, or are stale. */
#include "base/arena.h"
#include "stage/manifest.h"
#include "stage/stage.h"
#include "sys/dir.h"
#include "tool/tool.h"

#include <string.h>

struct opts {
    int64_t n_tasks;
    bool indexes;
};

static const struct bp_option options[] = {
    {'n', "tasks", BP_OPT_COUNT, offsetof(struct opts, n_tasks), "N",
     "how many tasks there are in all"},
    {'i', "indexes", BP_OPT_FLAG, offsetof(struct opts, indexes), NULL,
     "one line 3,5,7 (for sbatch --array)"},
};

static const struct bp_command command = {
    .name = "bp-todo",
    .synopsis = "-n N [-i] OUT [FILE...]",
    .summary = "list the tasks of OUT that are missing, or older than one of FILE..., as I/N",
    .examples = {"bp-todo -n 4 stage/yellow", "bp-todo -n 4 stage/yellow trips.csv",
                 "bp-todo -n 4 -i stage/yellow"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .min_operands = 1,
    .max_operands = -1,
    .order = "by task",
    .memory = "a bit a task",
};

/* The newest of the files that tasks are made from. */
static int newest(struct bp_tool *t, int64_t *out)
{
    int64_t ns;

    *out = INT64_MIN;
    for (int i = 1; i < t->n_operands; i++) {
        BP_TRY(bp_path_mtime_ns(t->operands[i], &ns, &t->err));
        *out = BP_MAX(*out, ns);
    }
    return 0;
}

/* A task's directory on an object store that its writer has not ended is no task's output. */
static int is_ended(const char *path, bool *ended, struct bp_err *err)
{
    int rc = bp_manifest_finished(path, err);

    *ended = rc == 0;
    if (rc == BP_EDATA) {
        bp_err_clear(err);
        rc = 0;
    }
    return rc;
}

/* Clears the tasks whose file is older than limit_ns, or was not ended. */
static int drop_stale(struct bp_tool *t, const char *dir, int64_t limit_ns, uint8_t *committed)
{
    struct bp_names l;
    int rc = 0;

    BP_TRY(bp_dir_list(dir, false, &l, &t->err));
    for (int i = 0; i < l.n && rc == 0; i++) {
        const char *suffix;
        int64_t ns = limit_ns;
        int task, n;
        char *path;
        bool ended = true;

        if (!bp_task_parse(l.names[i], &task, &n, &suffix))
            continue;
        path = bp_arena_printf(t->arena, &t->err, "%s/%s", dir, l.names[i]);
        rc = path ? 0 : t->err.code;
        if (rc == 0 && !*suffix)
            rc = is_ended(path, &ended, &t->err);
        if (rc == 0 && limit_ns > INT64_MIN)
            rc = bp_path_mtime_ns(path, &ns, &t->err);
        if (rc == 0 && (!ended || ns < limit_ns))
            committed[task] = 0;
    }
    bp_names_release(&l);
    return rc;
}

static int print(struct bp_tool *t, const struct opts *o, const uint8_t *committed)
{
    struct bp_buf b = {0};
    bool any = false;
    int rc = 0;

    for (int64_t i = 0; i < o->n_tasks && rc == 0; i++) {
        if (committed && committed[i])
            continue;
        if (o->indexes)
            rc = bp_buf_printf(&b, &t->err, "%s%lld", any ? "," : "", (long long)i);
        else
            rc = bp_buf_printf(&b, &t->err, "%lld/%lld\n", (long long)i, (long long)o->n_tasks);
        any = true;
    }
    if (rc == 0 && o->indexes && any)
        rc = bp_buf_puts(&b, "\n", &t->err);
    if (rc == 0)
        rc = bp_tool_print(t, b.data, b.len);
    bp_buf_release(&b);
    return rc;
}

static int run(struct bp_tool *t, const struct opts *o)
{
    const char *dir = t->operands[0];
    uint8_t *committed = NULL;
    int64_t limit_ns;
    int n = 0, rc;

    if (o->n_tasks < 1 || o->n_tasks > 1000000)
        return bp_fail(&t->err, BP_EUSAGE, "-n: how many tasks are there? from 1 to 1000000");
    BP_TRY(newest(t, &limit_ns));
    if (bp_path_kind(dir) == BP_PATH_DIR)
        BP_GO(bp_task_dir_scan(dir, &n, &committed, &t->err));
    if (n && n != o->n_tasks)
        BP_GO(
            bp_fail(&t->err, BP_EDATA,
                    "'%s' was written by %d tasks, not %lld: write it elsewhere, or with --replace",
                    dir, n, (long long)o->n_tasks));
    if (n)
        BP_GO(drop_stale(t, dir, limit_ns, committed));
    rc = print(t, o, committed);
out:
    bp_mem_free(committed);
    return rc;
}

int main(int argc, char **argv)
{
    struct opts o = {0};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv))
        (void)run(&t, &o);
    return bp_tool_end(&t);
}
