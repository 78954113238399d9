/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/publish.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "stage/names.h"
#include "sys/dir.h"
#include "sys/outtree_far.h"

#define RUN_MAX 100

/* ---- runs ---- */

static int check_run(const char *run, struct bp_err *err)
{
    static const char more[] = "-_=+@";
    size_t n = strlen(run), i = 0;
    char file[RUN_MAX + 20];
    const char *suffix;
    int task, n_tasks;

    while (i < n && ((run[i] >= 'a' && run[i] <= 'z') || (run[i] >= 'A' && run[i] <= 'Z') ||
                     (run[i] >= '0' && run[i] <= '9') || (i && strchr(more, run[i]))))
        i++;
    snprintf(file, sizeof file, "%.*s-00001.csv", RUN_MAX, run);
    if (n && n <= RUN_MAX && i == n && !bp_task_parse(file, &task, &n_tasks, &suffix))
        return 0;
    if (n && n <= RUN_MAX && i == n)
        return bp_fail(err, BP_EUSAGE, "--run '%s': its files would look like those of tasks", run);
    return bp_fail(
        err, BP_EUSAGE,
        "--run '%s': a run is named by 1 to %d letters, digits and %s, a letter or digit "
        "first",
        run, RUN_MAX, more);
}

/* Is path, of a list, ID-00000.SUFFIX in whatever directory? */
static bool is_of_run(const char *path, const char *run)
{
    const char *slash = strrchr(path, '/'), *p = slash ? slash + 1 : path;
    size_t n = strlen(run), digits = 0;

    if (strncmp(p, run, n) != 0 || p[n] != '-')
        return false;
    p += n + 1;
    while (p[digits] >= '0' && p[digits] <= '9')
        digits++;
    return digits >= 5 && p[digits] == '.';
}

/* ---- opening ---- */

int bp_publish_other_runs(const struct bp_manifest *m, const char *dir, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA,
                   "'%s' holds files of other runs ('%s'), and this is none of them: add to them "
                   "with --run ID, replace all with --replace, or, by value, the values that are "
                   "written with --replace-parts",
                   dir, m->runs[0]);
}

static int has_runs(const char *dir, struct bp_err *err)
{
    struct bp_manifest old;
    bool present;
    int rc = bp_manifest_read(&old, dir, &present, err);

    if (rc == 0 && old.n_runs)
        rc = bp_publish_other_runs(&old, dir, err);
    bp_manifest_release(&old);
    return rc;
}

static int may_replace(const struct bp_publish *p, struct bp_err *err)
{
    if (p->o.replace)
        return 0;
    BP_TRY(bp_manifest_may_replace(p->o.dir, err));
    return p->run || p->o.replace_parts || bp_path_kind(p->o.dir) != BP_PATH_DIR
               ? 0
               : has_runs(p->o.dir, err);
}

/* Before anything is read. What another run put in the place of the directory in the midst of
 * the look is no reason to refuse: that is seen with the directory locked. */
static int look_first(struct bp_publish *p, struct bp_err *err)
{
    int rc = may_replace(p, err);

    if (rc == 0 || err->code != BP_EDATA)
        return rc;
    bp_err_clear(err);
    BP_TRY(bp_dir_lock(p->tree.path, &p->locked, err));
    rc = p->locked >= 0 ? may_replace(p, err) : 0; /* none: the commit looks again */
    bp_dir_unlock(p->locked);
    p->locked = -1;
    return rc;
}

int bp_publish_open(struct bp_publish *p, const struct bp_publish_opts *o, struct bp_err *err)
{
    *p = (struct bp_publish){.o = *o, .locked = -1, .tree.fd = -1, .n_digits = 5};
    if (o->run) {
        BP_TRY(check_run(o->run, err));
        p->run = bp_mem_str(o->run, err);
        if (!p->run)
            return err->code;
    }
    BP_TRY(bp_outtree_open(&p->tree, o->dir, err));
    return p->tree.is_far ? bp_publish_far_begin(p, err) : look_first(p, err);
}

void bp_publish_release(struct bp_publish *p)
{
    bp_dir_unlock(p->locked);
    p->locked = -1;
    bp_manifest_release(&p->list);
    bp_manifest_release(&p->old);
    bp_outtree_abort(&p->tree);
    bp_mem_free(p->run);
    p->run = NULL;
}

/* ---- files ---- */

void bp_publish_name(const struct bp_publish *p, int64_t i, const char *suffix, char *out,
                     size_t n_bytes)
{
    snprintf(out, n_bytes, "%.*s%s%0*lld%.100s", RUN_MAX, p->run ? p->run : "", p->run ? "-" : "",
             p->n_digits, (long long)i, suffix);
}

int bp_publish_create(struct bp_publish *p, const char *name, struct bp_outfile *f,
                      struct bp_err *err)
{
    return bp_outtree_create(&p->tree, name, f, err);
}

int bp_publish_add(struct bp_publish *p, const char *name, int64_t n_rows, struct bp_err *err)
{
    int64_t n_bytes;

    BP_TRY(bp_outtree_size(&p->tree, name, &n_bytes, err));
    return bp_manifest_add(&p->list, name, n_rows, n_bytes, err);
}

/* ---- the commit ---- */

/* Are there rows of path's directory among the n first files of the list, which are sorted? */
static bool has_part(const struct bp_manifest *m, int64_t n, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + 1 : 0;
    int64_t from = 0, to = n;

    while (from < to) {
        int64_t mid = from + (to - from) / 2;

        if (strncmp(m->files[mid].path, path, len) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from < n && strncmp(m->files[from].path, path, len) == 0;
}

static int same_columns(const struct bp_schema *a, const struct bp_schema *b, const char *dir,
                        struct bp_err *err)
{
    bool same = a->n_fields == b->n_fields;

    for (int i = 0; same && i < a->n_fields; i++)
        same = strcmp(a->fields[i].name, b->fields[i].name) == 0 &&
               bp_type_equal(a->fields[i].type, b->fields[i].type);
    return same ? 0
                : bp_fail(err, BP_EDATA,
                          "'%s' holds files with other columns than these: bp-schema '%s' lists "
                          "them",
                          dir, dir);
}

static int keep_runs(struct bp_publish *p, const struct bp_manifest *old, struct bp_err *err)
{
    for (int i = 0; i < old->n_runs; i++)
        BP_TRY(bp_manifest_add_run(&p->list, old->runs[i], err));
    return 0;
}

static bool has_run(const struct bp_manifest *m, const char *run)
{
    for (int i = 0; i < m->n_runs; i++)
        if (strcmp(m->runs[i], run) == 0)
            return true;
    return false;
}

/* What stays of what old lists. */
static int keep_listed(struct bp_publish *p, const struct bp_manifest *old, struct bp_err *err)
{
    int64_t n_new = p->list.n_files, n_kept = 0;
    bool again = p->run && has_run(old, p->run); /* else a file of its name is another's */

    bp_manifest_sort(&p->list);
    for (int64_t i = 0; i < old->n_files; i++) {
        const struct bp_manifest_file *f = &old->files[i];

        if (p->run ? again && is_of_run(f->path, p->run) : has_part(&p->list, n_new, f->path))
            continue;
        if (!p->tree.is_far)
            BP_TRY(bp_outtree_keep(&p->tree, f->path, err));
        BP_TRY(bp_manifest_add(&p->list, f->path, f->n_rows, f->n_bytes, err));
        n_kept++;
    }
    if (n_kept) {
        BP_TRY(same_columns(&old->columns, &p->list.columns, p->o.dir, err));
        BP_TRY(same_columns(&old->by, &p->list.by, p->o.dir, err));
    }
    return keep_runs(p, old, err);
}

/* The old directory is locked, or far and marked. */
static int keep_files(struct bp_publish *p, struct bp_err *err)
{
    struct bp_manifest old = {0};
    bool present;
    int rc;

    if (p->tree.is_far)
        return keep_listed(p, &p->old, err);
    rc = bp_manifest_read(&old, p->tree.path, &present, err);
    if (rc == 0)
        rc = keep_listed(p, &old, err);
    bp_manifest_release(&old);
    return rc;
}

static int write_list(struct bp_publish *p, struct bp_err *err)
{
    struct bp_outfile f;
    int rc;

    BP_TRY(bp_outtree_create(&p->tree, BP_MANIFEST_NAME, &f, err));
    rc = bp_manifest_write(&p->list, &f, err);
    if (rc == 0)
        rc = bp_outfile_commit(&f, err);
    bp_outfile_abort(&f);
    return rc;
}

/* The list is whole. */
static int add_old(struct bp_publish *p, bool exists, struct bp_err *err)
{
    if (exists && (p->run || p->o.replace_parts))
        BP_TRY(keep_files(p, err));
    return p->run ? bp_manifest_add_run(&p->list, p->run, err) : 0;
}

/* Once; BP_DONE: there was no old directory, and now there is one. */
static int commit_once(struct bp_publish *p, struct bp_err *err)
{
    bool exists;

    /* whoever wants to replace it waits: what one takes over, or refuses, must still hold
     * when the new directory stands there */
    BP_TRY(bp_dir_lock(p->tree.path, &p->locked, err));
    exists = p->locked >= 0;
    if (exists)
        BP_TRY(may_replace(p, err)); /* others may have come since */
    BP_TRY(add_old(p, exists, err));
    BP_TRY(write_list(p, err));
    return bp_outtree_commit(&p->tree, exists, err);
}

static int commit_far(struct bp_publish *p, struct bp_err *err)
{
    BP_TRY(add_old(p, true, err));
    BP_TRY(bp_outtree_far_check(&p->tree, err));
    BP_TRY(write_list(p, err));
    BP_TRY(bp_publish_far_clear(p, err));
    return bp_outtree_commit(&p->tree, true, err);
}

int bp_publish_commit(struct bp_publish *p, struct bp_err *err)
{
    int rc;

    if (p->tree.is_far)
        return commit_far(p, err);
    while ((rc = commit_once(p, err)) == BP_DONE)
        BP_TRY(bp_outtree_remove(&p->tree, BP_MANIFEST_NAME, err));
    return rc;
}
