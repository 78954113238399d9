/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stage/hive.h"
#include "stage/names.h"
#include "sys/dir.h"
#include "sys/input.h"
#include "sys/outtree.h"
#include "sys/remote.h"

#define HEAD "batchpipe\t1\n"
#define MAX_BYTES ((size_t)1 << 30)

void bp_manifest_release(struct bp_manifest *m)
{
    for (int64_t i = 0; i < m->n_files; i++)
        bp_mem_free(m->files[i].path);
    bp_mem_free(m->files);
    for (int i = 0; i < m->n_runs; i++)
        bp_mem_free(m->runs[i]);
    bp_mem_free(m->runs);
    bp_schema_release(&m->by);
    bp_schema_release(&m->columns);
    *m = (struct bp_manifest){0};
}

int bp_manifest_add(struct bp_manifest *m, const char *path, int64_t n_rows, int64_t n_bytes,
                    struct bp_err *err)
{
    struct bp_manifest_file *f;

    if ((m->n_files & (m->n_files - 1)) == 0) { /* full at powers of two */
        size_t cap = m->n_files ? (size_t)m->n_files * 2 : 1;

        f = bp_mem_grow(m->files, cap, sizeof *f, err);
        if (!f)
            return err->code;
        m->files = f;
    }
    f = &m->files[m->n_files];
    *f = (struct bp_manifest_file){bp_mem_str(path, err), n_rows, n_bytes};
    if (!f->path)
        return err->code;
    m->n_files++;
    return 0;
}

int bp_manifest_add_run(struct bp_manifest *m, const char *run, struct bp_err *err)
{
    char **grown;

    for (int i = 0; i < m->n_runs; i++)
        if (strcmp(m->runs[i], run) == 0)
            return 0;
    grown = bp_mem_grow(m->runs, (size_t)m->n_runs + 1, sizeof *grown, err);
    if (!grown)
        return err->code;
    m->runs = grown;
    m->runs[m->n_runs] = bp_mem_str(run, err);
    if (!m->runs[m->n_runs])
        return err->code;
    m->n_runs++;
    return 0;
}

static int by_path(const void *a, const void *b)
{
    const struct bp_manifest_file *x = a, *y = b;

    return strcmp(x->path, y->path);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void bp_manifest_sort(struct bp_manifest *m)
{
    if (m->n_files)
        qsort(m->files, (size_t)m->n_files, sizeof *m->files, by_path);
    if (m->n_runs)
        qsort(m->runs, (size_t)m->n_runs, sizeof *m->runs, by_bytes);
}

/* ---- out ---- */

static int write_columns(const char *word, const struct bp_schema *s, struct bp_buf *b,
                         struct bp_err *err)
{
    for (int i = 0; i < s->n_fields; i++) {
        const char *name = s->fields[i].name;

        BP_TRY(bp_buf_printf(b, err, "%s\t", word));
        BP_TRY(bp_hive_escape(name, strlen(name), b, err));
        BP_TRY(bp_buf_puts(b, "\t", err));
        BP_TRY(bp_type_print(s->fields[i].type, b, err));
        BP_TRY(bp_buf_puts(b, "\n", err));
    }
    return 0;
}

int bp_manifest_write(struct bp_manifest *m, struct bp_outfile *f, struct bp_err *err)
{
    struct bp_buf b = {0};
    int rc;

    bp_manifest_sort(m);
    BP_GO(bp_buf_puts(&b, HEAD, err));
    BP_GO(write_columns("by", &m->by, &b, err));
    BP_GO(write_columns("column", &m->columns, &b, err));
    for (int i = 0; i < m->n_runs; i++)
        BP_GO(bp_buf_printf(&b, err, "run\t%s\n", m->runs[i]));
    for (int64_t i = 0; i < m->n_files; i++)
        BP_GO(bp_buf_printf(&b, err, "file\t%lld\t%lld\t%s\n", (long long)m->files[i].n_rows,
                            (long long)m->files[i].n_bytes, m->files[i].path));
    rc = bp_outfile_write(f, b.data, b.len, err);
out:
    bp_buf_release(&b);
    return rc;
}

/* ---- in ---- */

static int read_column(struct bp_schema *to, char *name, const char *type, struct bp_err *err)
{
    struct bp_buf column = {0};
    struct bp_type t;
    size_t used;
    int rc;

    BP_GO(bp_hive_unescape(name, strlen(name), &column, err));
    if (!bp_buf_str(&column, err)) {
        rc = err->code;
        goto out;
    }
    BP_GO(bp_type_parse(type, strlen(type), &used, &t, err));
    rc = bp_schema_add(to, (const char *)column.data, t, err);
out:
    bp_buf_release(&column);
    return rc;
}

/* One line without its end; its fields are cut. */
static int read_line(struct bp_manifest *m, char *line, struct bp_err *err)
{
    char *field[4];
    int n = 0;

    for (char *p = line; p && n < 4; n++) {
        field[n] = p;
        p = n < 3 ? strchr(p, '\t') : NULL;
        if (p)
            *p++ = '\0';
    }
    if (n == 3 && strcmp(field[0], "by") == 0)
        return read_column(&m->by, field[1], field[2], err);
    if (n == 3 && strcmp(field[0], "column") == 0)
        return read_column(&m->columns, field[1], field[2], err);
    if (n == 2 && strcmp(field[0], "run") == 0)
        return bp_manifest_add_run(m, field[1], err);
    if (n == 4 && strcmp(field[0], "file") == 0)
        return bp_manifest_add(m, field[3], strtoll(field[1], NULL, 10),
                               strtoll(field[2], NULL, 10), err);
    return bp_fail(err, BP_EDATA, "a line is neither a column nor a file: '%s'", line);
}

static int read_text(struct bp_manifest *m, char *text, struct bp_err *err)
{
    char *end;

    for (; *text; text = end + 1) {
        end = strchr(text, '\n');
        if (!end)
            return bp_fail(err, BP_EDATA, "it is cut off in the middle of a line");
        *end = '\0';
        BP_TRY(read_line(m, text, err));
    }
    return 0;
}

static int is_finished(const char *dir, struct bp_err *err)
{
    char *path = bp_task_path(dir, BP_UNFINISHED_NAME, err);
    struct bp_remote_look look;
    int rc = path ? bp_remote_look(path, &look, err) : err->code;

    /* what cannot be looked at may be there */
    if (rc == 0 && look.kind != 'n')
        rc = bp_fail(err, BP_EDATA,
                     "'%s' is not complete: its writer has not ended, or died (there is "
                     "'" BP_UNFINISHED_NAME "'): wait for it, or write it again",
                     dir);
    bp_mem_free(path);
    return rc;
}

int bp_manifest_finished(const char *dir, struct bp_err *err)
{
    size_t n = strlen(dir);
    char *own;
    int rc;

    if (bp_remote_kind(dir) != BP_REMOTE_S3)
        return 0;
    while (n && dir[n - 1] == '/')
        n--;
    own = bp_mem_strn(dir, n, err);
    if (!own)
        return err->code;
    while ((rc = is_finished(own, err)) == 0) {
        char *slash = strrchr(own, '/');

        if (!slash || !strchr(slash, '=') || slash[-1] == '/')
            break;
        *slash = '\0';
    }
    bp_mem_free(own);
    return rc;
}

int bp_manifest_load(struct bp_manifest *m, const char *dir, bool *present, struct bp_err *err)
{
    char *path = bp_task_path(dir, BP_MANIFEST_NAME, err);
    struct bp_buf b = {0};
    int rc = 0;

    *m = (struct bp_manifest){0};
    *present = false;
    if (!path)
        return err->code;
    if (bp_path_kind(path) != BP_PATH_FILE)
        goto out;
    BP_GO(bp_read_file(path, MAX_BYTES, &b, err));
    if (b.len < strlen(HEAD) || memcmp(b.data, HEAD, strlen(HEAD)) != 0)
        goto out;
    if (!bp_buf_str(&b, err)) {
        rc = err->code;
        goto out;
    }
    *present = true;
    if (read_text(m, (char *)b.data + strlen(HEAD), err) < 0) {
        rc = bp_err_prefix(err, "'%s'", path);
        bp_manifest_release(m);
    }
out:
    bp_buf_release(&b);
    bp_mem_free(path);
    return rc;
}

int bp_manifest_read(struct bp_manifest *m, const char *dir, bool *present, struct bp_err *err)
{
    *m = (struct bp_manifest){0};
    *present = false;
    BP_TRY(bp_manifest_finished(dir, err));
    return bp_manifest_load(m, dir, present, err);
}

/* ---- against the directory ---- */

struct walk {
    const struct bp_manifest *m; /* sorted: as it was read */
    const char *dir;
    bool hidden;         /* names that begin with "." or "_" count, too */
    struct bp_buf path;  /* of the entry, relative */
    struct bp_buf first; /* the first that is not listed */
    int64_t n_listed, n_others;
};

bool bp_manifest_has(const struct bp_manifest *m, const char *path)
{
    struct bp_manifest_file key = {.path = (char *)(uintptr_t)path};

    return m->n_files &&
           bsearch(&key, m->files, (size_t)m->n_files, sizeof *m->files, by_path) != NULL;
}

static int walk_dir(struct walk *w, int depth, struct bp_err *err);

static int walk_entry(struct walk *w, const char *name, int depth, struct bp_err *err)
{
    size_t len = w->path.len;
    char *full;
    int rc = 0;

    if (len)
        BP_TRY(bp_buf_puts(&w->path, "/", err));
    BP_TRY(bp_buf_puts(&w->path, name, err));
    if (!bp_buf_str(&w->path, err))
        return err->code;
    full = bp_task_path(w->dir, (const char *)w->path.data, err);
    if (!full)
        return err->code;
    if (bp_path_kind(full) == BP_PATH_DIR && depth < 100) {
        rc = walk_dir(w, depth + 1, err);
    } else if (bp_manifest_has(w->m, (const char *)w->path.data)) {
        w->n_listed++;
    } else if (!(depth == 0 && strcmp(name, BP_MANIFEST_NAME) == 0)) {
        if (w->n_others++ == 0)
            rc = bp_buf_append(&w->first, w->path.data, w->path.len, err);
    }
    bp_mem_free(full);
    w->path.len = len;
    return rc;
}

static int walk_dir(struct walk *w, int depth, struct bp_err *err)
{
    struct bp_names l;
    char *full;
    int rc;

    if (!bp_buf_str(&w->path, err))
        return err->code;
    full = bp_task_path(w->dir, (const char *)w->path.data, err);
    if (!full)
        return err->code;
    rc = bp_dir_list(full, w->hidden, &l, err);
    bp_mem_free(full);
    BP_TRY(rc);
    for (int i = 0; i < l.n && rc == 0; i++)
        rc = walk_entry(w, l.names[i], depth, err);
    bp_names_release(&l);
    return rc;
}

static int walk(struct walk *w, struct bp_err *err)
{
    int rc = walk_dir(w, 0, err);

    if (rc == 0 && !bp_buf_str(&w->first, err))
        rc = err->code;
    bp_buf_release(&w->path);
    return rc;
}

static int check_sizes(const struct bp_manifest *m, const char *dir, struct bp_err *err)
{
    for (int64_t i = 0; i < m->n_files; i++) {
        const struct bp_manifest_file *f = &m->files[i];
        int64_t size;
        char *full = bp_task_path(dir, f->path, err);

        if (!full)
            return err->code;
        size = bp_file_size(full);
        bp_mem_free(full);
        if (size < 0)
            return bp_fail(err, BP_EDATA,
                           "'%s' is not complete: '%s', which its " BP_MANIFEST_NAME
                           " lists, is missing (was that meant? remove " BP_MANIFEST_NAME ")",
                           dir, f->path);
        if (size != f->n_bytes)
            return bp_fail(err, BP_EDATA, "'%s': '%s' has %lld bytes, but was written with %lld",
                           dir, f->path, (long long)size, (long long)f->n_bytes);
    }
    return 0;
}

int bp_manifest_check(const struct bp_manifest *m, const char *dir, struct bp_err *err)
{
    struct walk w = {.m = m, .dir = dir};
    int rc;

    BP_TRY(check_sizes(m, dir, err));
    rc = walk(&w, err);
    if (rc == 0 && w.n_others)
        rc = bp_fail(err, BP_EDATA,
                     "'%s' holds '%s', which its " BP_MANIFEST_NAME
                     " does not list: it came from elsewhere (name the files, or remove one of "
                     "the two)",
                     dir, (const char *)w.first.data);
    bp_buf_release(&w.first);
    return rc;
}

int bp_manifest_strangers(const char *dir, int64_t n, const char *path, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA,
                   "'%s' holds %lld file%s that bp-write did not write there as one output "
                   "('%s'): write to another directory, or replace all of it with --replace",
                   dir, (long long)n, n > 1 ? "s" : "", path);
}

int bp_manifest_may_replace(const char *dir, struct bp_err *err)
{
    struct bp_manifest m = {0};
    struct walk w = {.m = &m, .dir = dir, .hidden = true};
    bool present;
    int rc;

    if (bp_path_kind(dir) != BP_PATH_DIR)
        return 0;
    BP_GO(bp_manifest_read(&m, dir, &present, err));
    BP_GO(walk(&w, err));
    if (w.n_others)
        rc = bp_manifest_strangers(dir, w.n_others, (const char *)w.first.data, err);
out:
    bp_buf_release(&w.first);
    bp_manifest_release(&m);
    return rc;
}
