/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of task files, and directories of them. A name appears by rename only,
 * so the set of names is the truth about what is committed: all of 0..N-1, or
 * no table.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "stage/names.h"
#include "sys/dir.h"

int bp_task_name(char out[64], int task, int n_tasks, const char *suffix)
{
    int n = snprintf(out, 64, "%05d-of-%05d%s", task, n_tasks, suffix);

    return n > 0 && n < 64 ? n : -1;
}

/* Five digits, or more without a leading zero: one spelling for each number. */
static const char *read_number(const char *p, int *out)
{
    int n = 0;

    for (*out = 0; p[n] >= '0' && p[n] <= '9'; n++) {
        if (n == 7)
            return NULL;
        *out = *out * 10 + (p[n] - '0');
    }
    return n < 5 || (n > 5 && *p == '0') ? NULL : p + n;
}

bool bp_task_parse(const char *name, int *task, int *n_tasks, const char **suffix)
{
    const char *p = read_number(name, task);

    if (!p || strncmp(p, "-of-", 4) != 0)
        return false;
    p = read_number(p + 4, n_tasks);
    if (!p || (*p && *p != '.') || *task >= *n_tasks || *n_tasks > BP_TASKS_MAX)
        return false;
    *suffix = p;
    return true;
}

char *bp_task_path(const char *dir, const char *name, struct bp_err *err)
{
    struct bp_buf b = {0};
    size_t n = strlen(dir);

    if (bp_buf_printf(&b, err, "%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name) < 0 ||
        !bp_buf_str(&b, err))
        bp_buf_release(&b);
    return (char *)b.data;
}

int bp_task_dir_check(const char *dir, int n_tasks, bool replace, struct bp_err *err)
{
    int task, n, rc = 0, n_others = 0;
    const char *suffix, *first = NULL;
    struct bp_names l;

    if (replace || bp_path_kind(dir) != BP_PATH_DIR)
        return 0;
    BP_TRY(bp_dir_list(dir, false, &l, err));
    for (int i = 0; i < l.n; i++) {
        if (!bp_task_parse(l.names[i], &task, &n, &suffix) || n == n_tasks)
            continue;
        first = first ? first : l.names[i];
        n_others++;
    }
    if (n_others)
        rc = bp_fail(err, BP_EDATA,
                     "'%s' holds %d file%s of another number of tasks (%s), and this is one of %d: "
                     "write to another directory, or replace them with --replace",
                     dir, n_others, n_others > 1 ? "s" : "", first, n_tasks);
    bp_names_release(&l);
    return rc;
}

int bp_task_dir_retire(const char *dir, int n_tasks, struct bp_err *err)
{
    struct bp_names l;
    const char *suffix;
    int task, n, rc = 0;

    BP_TRY(bp_dir_list(dir, false, &l, err));
    for (int i = 0; i < l.n && rc == 0; i++) {
        char *path;

        if (!bp_task_parse(l.names[i], &task, &n, &suffix) || n == n_tasks)
            continue;
        path = bp_task_path(dir, l.names[i], err);
        rc = path ? bp_tree_remove(path, err) : err->code;
        bp_mem_free(path);
    }
    bp_names_release(&l);
    return rc;
}

static int refuse_mixture(const char *dir, const char *a, const char *b, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA,
                   "'%s' holds files of two runs, %s and %s: remove those you do not want, or "
                   "repeat the newer run with --replace",
                   dir, a, b);
}

int bp_task_dir_scan(const char *dir, int *n_tasks, uint8_t **committed, struct bp_err *err)
{
    const char *suffix, *first_suffix = NULL, *first = NULL;
    struct bp_names l;
    int task, n, rc = 0;

    *n_tasks = 0;
    *committed = NULL;
    BP_TRY(bp_dir_list(dir, false, &l, err));
    for (int i = 0; i < l.n; i++) {
        if (!bp_task_parse(l.names[i], &task, &n, &suffix))
            continue;
        if (!first) {
            first = l.names[i];
            first_suffix = suffix;
            *n_tasks = n;
            *committed = bp_mem_new((size_t)n, 1, err);
            if (!*committed)
                BP_GO(err->code);
        }
        if (n != *n_tasks || strcmp(suffix, first_suffix) != 0)
            BP_GO(refuse_mixture(dir, first, l.names[i], err));
        (*committed)[task] = 1;
    }
out:
    bp_names_release(&l);
    if (rc < 0) {
        bp_mem_free(*committed);
        *committed = NULL;
        *n_tasks = 0;
    }
    return rc;
}

int bp_stage_check_share(struct bp_share share, int task, int n_tasks, struct bp_err *err)
{
    if (!share.n || !n_tasks || (share.i == task && share.n == n_tasks))
        return 0;
    return bp_fail(err, BP_EDATA,
                   "the input is share %d/%d of its table, but this is task %d/%d: give both "
                   "commands the same -T",
                   share.i, share.n, task, n_tasks);
}
