/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/tasks.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "flow/marks.h"
#include "stage/names.h"
#include "sys/dir.h"

#define MAX_OPEN 128

void bp_stage_tasks_release(struct bp_stage_tasks *t)
{
    for (int i = 0; t->tasks && i < t->n; i++) {
        bp_ipc_file_free(t->tasks[i].file);
        bp_stage_foot_release(&t->tasks[i].foot);
    }
    bp_mem_free(t->tasks);
    bp_mem_free(t->dir);
    *t = (struct bp_stage_tasks){0};
}

/* ---- files ---- */

int bp_stage_task_open(const char *dir, int task, int n, struct bp_ipc_file **out,
                       struct bp_err *err)
{
    char name[64], *path;
    struct bp_input in;
    int rc;

    (void)bp_task_name(name, task, n, BP_STAGE_SUFFIX);
    path = bp_task_path(dir, name, err);
    if (!path)
        return err->code;
    rc = bp_input_open(&in, path, err);
    bp_mem_free(path);
    return rc < 0 ? rc : bp_ipc_file_open(out, &in, err);
}

static void close_newest(struct bp_stage_tasks *t)
{
    bp_ipc_file_free(t->tasks[t->newest].file);
    t->tasks[t->newest].file = NULL;
    t->n_open--;
}

/*
 * Tasks are read in turn, for each partition: whoever was used last will be
 * wanted last. So that one is closed to make room, and most others stay open.
 */
int bp_stage_tasks_file(struct bp_stage_tasks *t, int task, struct bp_ipc_file **out,
                        struct bp_err *err)
{
    struct bp_stage_task *k = &t->tasks[task];

    if (!k->file) {
        int rc;

        if (t->n_open >= t->max_open)
            close_newest(t);
        rc = bp_stage_task_open(t->dir, task, t->n, &k->file, err);
        if (rc < 0 && t->n_open && (err->sys_errno == EMFILE || err->sys_errno == ENFILE)) {
            bp_err_clear(err);
            close_newest(t);
            t->max_open = BP_MAX(t->n_open, 1);
            rc = bp_stage_task_open(t->dir, task, t->n, &k->file, err);
        }
        BP_TRY(rc);
        t->n_open++;
    }
    t->newest = task;
    *out = k->file;
    return 0;
}

/* ---- completeness ---- */

static int refuse_missing(const char *dir, const uint8_t *committed, int n, int first,
                          int n_missing, struct bp_err *err)
{
    struct bp_buf b = {0};
    char name[64];
    int rc;

    (void)bp_task_name(name, first, n, BP_STAGE_SUFFIX);
    BP_GO(bp_tasks_name(committed, n, 0, &b, err));
    if (!bp_buf_str(&b, err))
        BP_GO(err->code);
    rc = bp_fail(err, BP_EDATA,
                 "%s: %s of %d %s missing (%s%s): run %s again; `bp-todo -n %d %s` lists what is "
                 "missing",
                 dir, (const char *)b.data, n, n_missing > 1 ? "are" : "is", name,
                 n_missing > 1 ? "..." : "", n_missing > 1 ? "them" : "it", n, dir);
out:
    bp_buf_release(&b);
    return rc;
}

static int find_tasks(struct bp_stage_tasks *t, const char *dir, struct bp_err *err)
{
    int first = -1, n_missing = 0, rc = 0;
    uint8_t *committed;

    BP_TRY(bp_task_dir_scan(dir, &t->n, &committed, err));
    for (int i = t->n - 1; i >= 0; i--)
        if (!committed[i]) {
            first = i;
            n_missing++;
        }
    if (!t->n)
        rc = bp_fail(err, BP_EDATA, "%s: no task of this stage is committed yet", dir);
    else if (n_missing)
        rc = refuse_missing(dir, committed, t->n, first, n_missing, err);
    bp_mem_free(committed);
    if (rc < 0)
        t->n = 0;
    return rc;
}

/* ---- partitions ---- */

/* The share of the range; empty ones end one before they begin. */
static int choose_parts(struct bp_stage_tasks *t, struct bp_stage_range range,
                        struct bp_share share, uint32_t parts, struct bp_err *err)
{
    int64_t n;

    if (range.first < 0)
        range = (struct bp_stage_range){0, (int64_t)parts - 1};
    if (range.last >= parts)
        return bp_fail(err, BP_EUSAGE, "%s has partitions 0 to %u: there is no partition %lld",
                       t->dir, parts - 1, (long long)range.last);
    n = range.last - range.first + 1;
    t->first = range.first;
    t->last = range.last;
    if (share.n > 0) {
        t->first = range.first + n * share.i / share.n;
        t->last = range.first + n * (share.i + 1) / share.n - 1;
    }
    return 0;
}

static int read_foot(struct bp_stage_tasks *t, int task, int64_t first, int64_t last,
                     struct bp_err *err)
{
    struct bp_stage_foot *f = &t->tasks[task].foot;
    struct bp_ipc_file *file;
    char name[64];

    (void)bp_task_name(name, task, t->n, BP_STAGE_SUFFIX);
    BP_TRY(bp_stage_tasks_file(t, task, &file, err));
    if (bp_stage_foot_read(file, first, last, f, err) < 0)
        return bp_err_prefix(err, "%s/%s", t->dir, name);
    if (f->task != task || f->n_tasks != t->n)
        return bp_fail(err, BP_EDATA, "%s/%s is task %d of %d under a wrong name: rename it back",
                       t->dir, name, f->task, f->n_tasks);
    return 0;
}

/* ---- agreement ---- */

/* The identity that most tasks have (of those that any majority has). */
static int majority(const struct bp_stage_tasks *t)
{
    int best = 0, lead = 0;

    for (int i = 0; i < t->n; i++) {
        if (lead == 0)
            best = i;
        lead += strcmp(t->tasks[i].foot.identity, t->tasks[best].foot.identity) == 0 ? 1 : -1;
    }
    return best;
}

/* The lineage of a task as a copy: its file may be closed by the next open. */
static int lineage_of(struct bp_stage_tasks *t, int task, char **out, struct bp_err *err)
{
    struct bp_ipc_file *file;
    const char *text;

    BP_TRY(bp_stage_tasks_file(t, task, &file, err));
    text = bp_schema_meta(bp_ipc_file_schema(file), BP_MARK_LINEAGE);
    *out = text ? bp_mem_str(text, err) : NULL;
    return err->code;
}

static int describe(struct bp_stage_tasks *t, int odd, int usual, struct bp_buf *out,
                    struct bp_err *err)
{
    char *a = NULL, *b = NULL;
    size_t before = out->len + 2;
    int rc;

    BP_GO(lineage_of(t, odd, &a, err));
    BP_GO(lineage_of(t, usual, &b, err));
    BP_GO(bp_buf_puts(out, ": ", err));
    BP_GO(bp_lineage_diff(a, b, out, err));
    if (out->len == before)
        out->len -= 2;
out:
    bp_mem_free(a);
    bp_mem_free(b);
    return rc;
}

/* Some tasks are of another run: which, and what was different. */
static int refuse_runs(struct bp_stage_tasks *t, int usual, struct bp_err *err)
{
    const char *identity = t->tasks[usual].foot.identity;
    uint8_t *odd = bp_mem_new((size_t)t->n, 1, err);
    int rc, first = -1, n_odd = 0;
    struct bp_buf b = {0};

    if (!odd)
        return err->code;
    for (int i = t->n - 1; i >= 0; i--) {
        odd[i] = strcmp(t->tasks[i].foot.identity, identity) != 0;
        first = odd[i] ? i : first;
        n_odd += odd[i];
    }
    BP_GO(bp_tasks_name(odd, t->n, 1, &b, err));
    BP_GO(bp_buf_printf(&b, err, " of %d came from another run than task %d", t->n, usual));
    BP_GO(describe(t, first, usual, &b, err));
    if (!bp_buf_str(&b, err))
        BP_GO(err->code);
    rc = bp_fail(err, BP_EDATA,
                 "%s: %s; run %s again with the command of the others, or all of them", t->dir,
                 (const char *)b.data, n_odd > 1 ? "these" : "it");
out:
    bp_buf_release(&b);
    bp_mem_free(odd);
    return rc;
}

static bool meta_equal(const struct bp_schema *a, const struct bp_schema *b, const char *key)
{
    const char *x = bp_schema_meta(a, key), *y = bp_schema_meta(b, key);

    return x && y ? strcmp(x, y) == 0 : x == y;
}

static int same_columns(struct bp_stage_tasks *t, int task, const struct bp_schema *want, bool *out,
                        struct bp_err *err)
{
    const struct bp_schema *got;
    struct bp_ipc_file *file;

    BP_TRY(bp_stage_tasks_file(t, task, &file, err));
    got = bp_ipc_file_schema(file);
    *out = bp_schema_equal(got, want) && meta_equal(got, want, BP_MARK_PARTIAL);
    return 0;
}

/* Together they read all of the same inputs, each part once. What they read is one
 * version of the stage for those who read it in turn. */
static int check_ledgers(struct bp_stage_tasks *t, struct bp_err *err)
{
    const struct bp_ledger **all = bp_mem_new((size_t)t->n, sizeof(struct bp_ledger *), err);
    char *lineage = NULL;
    int rc;

    if (!all)
        return err->code;
    for (int i = 0; i < t->n; i++)
        all[i] = &t->tasks[i].foot.ledger;
    rc = bp_ledger_check(all, t->n, err);
    if (rc < 0)
        bp_err_prefix(err, "%s", t->dir);
    if (rc == 0)
        rc = lineage_of(t, 0, &lineage, err);
    if (rc == 0)
        rc = bp_ledger_version(all, t->n, lineage ? lineage : "", t->version, err);
    for (int i = 0; i < t->n; i++)
        bp_ledger_release(&t->tasks[i].foot.ledger);
    bp_mem_free(lineage);
    bp_mem_free(all);
    return rc;
}

/* Task 0 is read already. want: its schema. Runs are compared first: another
 * command explains other columns. */
static int read_others(struct bp_stage_tasks *t, const struct bp_schema *want, struct bp_err *err)
{
    const struct bp_stage_foot *zero = &t->tasks[0].foot;
    int odd_run = 0, odd_columns = 0, odd_keys = 0;
    bool same;

    for (int i = t->n - 1; i > 0; i--) {
        BP_TRY(read_foot(t, i, t->first, t->last, err));
        BP_TRY(same_columns(t, i, want, &same, err));
        odd_run = strcmp(t->tasks[i].foot.identity, zero->identity) ? i : odd_run;
        odd_columns = same ? odd_columns : i;
        odd_keys = bp_stage_foot_alike(&t->tasks[i].foot, zero) ? odd_keys : i;
    }
    if (odd_run)
        return refuse_runs(t, majority(t), err);
    if (odd_columns)
        return bp_fail(err, BP_EDATA,
                       "%s: the columns of task %d of %d are not those of task 0: give bp-read the "
                       "schema (-s) and run all tasks again",
                       t->dir, odd_columns, t->n);
    if (odd_keys)
        return bp_fail(
            err, BP_EDATA,
            "%s: task %d of %d is partitioned otherwise than task 0: run all tasks again", t->dir,
            odd_keys, t->n);
    return check_ledgers(t, err);
}

/* Task 0 tells the number of partitions, and so which blocks to keep. */
static int read_first(struct bp_stage_tasks *t, struct bp_stage_range range, struct bp_share share,
                      struct bp_err *err)
{
    BP_TRY(read_foot(t, 0, 1, 0, err));
    BP_TRY(choose_parts(t, range, share, t->tasks[0].foot.parts, err));
    bp_stage_foot_release(&t->tasks[0].foot);
    return read_foot(t, 0, t->first, t->last, err);
}

int bp_stage_tasks_open(struct bp_stage_tasks *out, const char *dir, struct bp_stage_range range,
                        struct bp_share share, struct bp_err *err)
{
    struct bp_schema schema = {0};
    struct bp_ipc_file *file;
    int rc;

    *out = (struct bp_stage_tasks){.max_open = MAX_OPEN};
    BP_GO(find_tasks(out, dir, err));
    out->dir = bp_mem_str(dir, err);
    out->tasks = bp_mem_new((size_t)out->n, sizeof *out->tasks, err);
    BP_GO(err->code);
    BP_GO(read_first(out, range, share, err));
    BP_GO(bp_stage_tasks_file(out, 0, &file, err));
    BP_GO(bp_schema_copy(&schema, bp_ipc_file_schema(file), err));
    rc = read_others(out, &schema, err);
out:
    bp_schema_release(&schema);
    if (rc < 0)
        bp_stage_tasks_release(out);
    return rc;
}

int bp_stage_look(const char *dir, bool *out, struct bp_err *err)
{
    bool is = false, readable = false;
    int task, n, n_seen = 0, rc = 0;
    const char *suffix;
    struct bp_names l;

    *out = false;
    if (bp_path_kind(dir) != BP_PATH_DIR)
        return 0;
    BP_TRY(bp_dir_list(dir, false, &l, err));
    /* the first that can be read decides; a damaged one is for others to report */
    for (int i = 0; i < l.n && !readable && rc == 0; i++) {
        struct bp_ipc_file *file;
        struct bp_err why = {0};

        if (!bp_task_parse(l.names[i], &task, &n, &suffix) || strcmp(suffix, BP_STAGE_SUFFIX) != 0)
            continue;
        n_seen++;
        readable = bp_stage_task_open(dir, task, n, &file, &why) == 0;
        if (readable) {
            is = bp_stage_foot_is(file);
            bp_ipc_file_free(file);
        } else if (why.code != BP_EDATA) { /* no memory, no descriptor: nothing is known of it */
            *err = why;
            rc = why.code;
        }
    }
    bp_names_release(&l);
    *out = readable ? is : n_seen > 0;
    return rc;
}

bool bp_stage_is(const char *dir)
{
    struct bp_err ignored = {0};
    bool is;

    return bp_stage_look(dir, &is, &ignored) == 0 && is;
}
