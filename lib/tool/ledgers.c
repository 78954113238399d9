/* SPDX-License-Identifier: Apache-2.0 */
/* The ledgers of an output directory's part files (bp-write -T OUT/). */
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "fmt/parquet/parquet.h"
#include "ipc/ipc.h"
#include "sys/dir.h"
#include "tool/pieces.h"

static int read_ledger(struct bp_tool *t, const char *path, bool parquet, struct bp_ledger *out)
{
    struct bp_err *err = &t->err;
    struct bp_source file = {0};
    struct bp_input in;
    const char *text;
    int rc;

    BP_TRY(bp_input_open(&in, path, err));
    BP_TRY(parquet ? bp_parquet_source(&file, &in, NULL, &t->ctx, err)
                   : bp_ipc_file_source(&file, &in, NULL, err));
    text = bp_schema_meta(&file.schema, BP_MARK_LEDGER);
    rc = text ? bp_ledger_read(out, text, err) : 0;
    bp_source_free(&file);
    return rc < 0 ? bp_err_prefix(err, "%s", path) : 0;
}

/* The number of the task whose file this is; -1: it is no task's, or
 * of a format without room for a ledger. */
static int task_of(const struct bp_piece *p, int n_tasks)
{
    const char *base = strrchr(p->path, '/'), *suffix;
    int task, n;

    if ((p->kind != BP_PIECE_ARROW && p->kind != BP_PIECE_PARQUET) ||
        !bp_task_parse(base ? base + 1 : p->path, &task, &n, &suffix) || n != n_tasks)
        return -1;
    return task;
}

int bp_pieces_check_ledgers(struct bp_tool *t, const struct bp_pieces *p, int from, const char *dir,
                            int n_tasks)
{
    struct bp_ledger *all = bp_mem_new((size_t)n_tasks, sizeof *all, &t->err);
    const struct bp_ledger **tasks =
        bp_mem_new((size_t)n_tasks, sizeof(struct bp_ledger *), &t->err);
    uint8_t *seen = bp_mem_new((size_t)n_tasks, 1, &t->err);
    int rc = t->err.code, n = 0;

    for (int i = from; i < p->n && rc == 0; i++) {
        int task = task_of(&p->items[i], n_tasks);

        if (task < 0)
            continue;
        n += !seen[task];
        seen[task] = 1;
        rc = read_ledger(t, p->items[i].path, p->items[i].kind == BP_PIECE_PARQUET, &all[task]);
    }
    for (int i = 0; i < n_tasks && rc == 0; i++)
        tasks[i] = &all[i];
    if (rc == 0 && n == n_tasks) {
        rc = bp_ledger_check(tasks, n_tasks, &t->err);
        if (rc < 0)
            bp_err_prefix(&t->err, "%s", dir);
    }
    for (int i = 0; all && i < n_tasks; i++)
        bp_ledger_release(&all[i]);
    bp_mem_free(all);
    bp_mem_free(tasks);
    bp_mem_free(seen);
    return rc;
}

/* ---- for bp-stat: of what is there, complete or not ---- */

/* Of n_tasks that there were; files of another number may have come since. */
static int read_named(struct bp_tool *t, const char *dir, const char *name, int n_tasks,
                      struct bp_ledger *out, bool *has_one)
{
    const char *suffix;
    int task, n;
    char *path;

    *has_one = false;
    if (!bp_task_parse(name, &task, &n, &suffix) || n != n_tasks)
        return 0;
    *has_one = strcmp(suffix, ".arrow") == 0 || strcmp(suffix, ".parquet") == 0;
    if (!*has_one)
        return 0;
    path = bp_arena_printf(t->arena, &t->err, "%s/%s", dir, name);
    return path ? read_ledger(t, path, suffix[1] == 'p', &out[task]) : t->err.code;
}

int bp_tool_ledgers(struct bp_tool *t, const char *dir, struct bp_tool_ledgers *out)
{
    struct bp_names l = {0};
    bool has_one;
    int rc;

    *out = (struct bp_tool_ledgers){0};
    BP_TRY(bp_task_dir_scan(dir, &out->n_tasks, &out->committed, &t->err));
    if (!out->n_tasks)
        return bp_fail(&t->err, BP_EDATA, "%s: no task's file is there", dir);
    out->tasks = bp_mem_new((size_t)out->n_tasks, sizeof *out->tasks, &t->err);
    BP_GO(t->err.code);
    BP_GO(bp_dir_list(dir, false, &l, &t->err));
    for (int i = 0; i < l.n && rc == 0; i++) {
        rc = read_named(t, dir, l.names[i], out->n_tasks, out->tasks, &has_one);
        out->n_with += rc == 0 && has_one;
    }
out:
    bp_names_release(&l);
    if (rc < 0)
        bp_tool_ledgers_release(out);
    return rc;
}

void bp_tool_ledgers_release(struct bp_tool_ledgers *l)
{
    for (int i = 0; l->tasks && i < l->n_tasks; i++)
        bp_ledger_release(&l->tasks[i]);
    bp_mem_free(l->tasks);
    bp_mem_free(l->committed);
    *l = (struct bp_tool_ledgers){0};
}
