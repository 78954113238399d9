/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/outtree_far.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "sys/input.h"
#include "sys/remote.h"

static char *below(const struct bp_outtree *t, const char *name, struct bp_err *err)
{
    struct bp_buf b = {0};

    if (bp_buf_printf(&b, err, "%s/%s", t->path, name) < 0 || !bp_buf_str(&b, err))
        bp_buf_release(&b);
    return (char *)b.data;
}

int bp_outtree_far_remove(const struct bp_outtree *t, const char *name, struct bp_err *err)
{
    char *url = below(t, name, err);
    int rc = url ? bp_remote_remove(url, err) : err->code;

    bp_mem_free(url);
    return rc;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int bp_outtree_far_list(const struct bp_outtree *t, struct bp_names *out, struct bp_err *err)
{
    char *prefix = below(t, "", err);
    int rc;

    *out = (struct bp_names){0};
    rc = prefix ? bp_remote_list(prefix, true, out, err) : err->code;
    bp_mem_free(prefix);
    if (rc == 0 && out->n)
        qsort(out->names, (size_t)out->n, sizeof *out->names, by_bytes);
    return rc;
}

/* ---- the beginning ---- */

bool bp_outtree_far_has(const struct bp_names *l, const char *name)
{
    return l->n && bsearch(&name, l->names, (size_t)l->n, sizeof *l->names, by_bytes);
}

static int put_mark(struct bp_outtree *t, struct bp_err *err)
{
    char *url = below(t, BP_UNFINISHED_NAME, err);
    struct bp_outfile f;
    uint64_t random;
    int rc;

    if (!url)
        return err->code;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        BP_GO(bp_fail(err, BP_ESYS, "no random number is to be had"));
    snprintf(t->far_mark, sizeof t->far_mark, "%016llx\n", (unsigned long long)random);
    BP_GO(bp_remote_outfile(&f, url, err));
    rc = bp_outfile_write(&f, t->far_mark, strlen(t->far_mark), err);
    if (rc == 0)
        rc = bp_outfile_commit(&f, err);
    bp_outfile_abort(&f);
out:
    bp_mem_free(url);
    if (rc < 0)
        t->far_mark[0] = '\0';
    return rc;
}

int bp_outtree_far_open(struct bp_outtree *t, const char *path, struct bp_err *err)
{
    size_t n = strlen(path);

    if (bp_remote_kind(path) == BP_REMOTE_HTTP)
        return bp_fail(err, BP_EUSAGE, "http can be read, not written; s3:// can be written");
    while (n && path[n - 1] == '/')
        n--;
    if (n <= strlen("s3://"))
        return bp_fail(err, BP_EUSAGE, "'%s' names no bucket", path);
    t->is_far = true;
    t->path = bp_mem_strn(path, n, err);
    if (!t->path)
        return err->code;
    return 0;
}

int bp_outtree_far_begin(struct bp_outtree *t, struct bp_names *there, struct bp_err *err)
{
    t->far_there = *there;
    *there = (struct bp_names){0};
    return put_mark(t, err);
}

/* ---- files ---- */

int bp_outtree_far_create(struct bp_outtree *t, const char *name, struct bp_outfile *f,
                          struct bp_err *err)
{
    char *url = below(t, name, err);
    int rc;

    *f = (struct bp_outfile){.fd = -1, .guard = -1};
    rc = url ? bp_names_add(&t->far_names, name, err) : err->code;
    if (rc == 0)
        rc = bp_remote_outfile(f, url, err);
    bp_mem_free(url);
    t->n_files += rc == 0;
    return rc;
}

int bp_outtree_far_size(const struct bp_outtree *t, const char *name, int64_t *n_bytes,
                        struct bp_err *err)
{
    char *url = below(t, name, err);
    int rc = url ? bp_remote_size(url, n_bytes, err) : err->code;

    bp_mem_free(url);
    return rc;
}

/* ---- the end ---- */

static int mark_is_ours(const struct bp_outtree *t, bool *ours, struct bp_err *err)
{
    char *url = below(t, BP_UNFINISHED_NAME, err);
    struct bp_remote_look look = {.kind = 'n'};
    struct bp_buf b = {0};
    int rc = url ? bp_remote_look_afresh(url, &look, err) : err->code;

    if (rc == 0 && look.kind == 'f')
        rc = bp_read_file(url, sizeof t->far_mark, &b, err);
    *ours = rc == 0 && b.len == strlen(t->far_mark) && memcmp(b.data, t->far_mark, b.len) == 0;
    bp_buf_release(&b);
    bp_mem_free(url);
    return rc;
}

/* Two values of one file name are seen here. */
static int sort_names(struct bp_outtree *t, struct bp_err *err)
{
    struct bp_names *l = &t->far_names;

    if (l->n)
        qsort(l->names, (size_t)l->n, sizeof *l->names, by_bytes);
    for (int i = 1; i < l->n; i++)
        if (strcmp(l->names[i - 1], l->names[i]) == 0)
            return bp_fail(err, BP_EDATA,
                           "'%s/%s' would be the name of the files of two different values",
                           t->path, l->names[i]);
    return 0;
}

static int check_names(const struct bp_outtree *t, struct bp_err *err)
{
    struct bp_names l;
    int rc, n_known = 0;

    BP_GO(bp_outtree_far_list(t, &l, err));
    for (int i = 0; i < l.n; i++)
        n_known += bp_outtree_far_has(&t->far_names, l.names[i]) ||
                   bp_outtree_far_has(&t->far_there, l.names[i]) ||
                   strcmp(l.names[i], BP_UNFINISHED_NAME) == 0;
    if (n_known < l.n || l.n != t->far_names.n + t->far_there.n + 1)
        rc = bp_fail(err, BP_EDATA,
                     "'%s' does not hold what was written to it, and that only: somebody else "
                     "wrote to it meanwhile",
                     t->path);
out:
    bp_names_release(&l);
    return rc;
}

static int check_mark(struct bp_outtree *t, struct bp_err *err)
{
    bool ours;

    BP_TRY(mark_is_ours(t, &ours, err));
    if (ours)
        return 0;
    t->far_mark[0] = '\0'; /* nor is what is there */
    return bp_fail(err, BP_EDATA, "'%s' was begun anew by another bp-write meanwhile", t->path);
}

int bp_outtree_far_check(struct bp_outtree *t, struct bp_err *err)
{
    BP_TRY(check_mark(t, err));
    BP_TRY(sort_names(t, err));
    BP_TRY(check_names(t, err));
    t->far_stays = t->far_there.n > 0;
    return 0;
}

int bp_outtree_far_commit(struct bp_outtree *t, struct bp_err *err)
{
    BP_TRY(check_mark(t, err));
    BP_TRY(bp_outtree_far_remove(t, BP_UNFINISHED_NAME, err));
    t->far_mark[0] = '\0';
    bp_outtree_far_abort(t);
    return 0;
}

void bp_outtree_far_abort(struct bp_outtree *t)
{
    struct bp_err ignored = {0};
    bool ours = false;
    int rc = 0;

    if (t->far_mark[0] && !t->far_stays)
        rc = mark_is_ours(t, &ours, &ignored);
    if (rc == 0 && ours) {
        for (int i = t->far_names.n - 1; i >= 0 && rc == 0; i--)
            rc = bp_outtree_far_remove(t, t->far_names.names[i], &ignored);
        if (rc == 0) /* else it goes on saying what the rest is */
            (void)!bp_outtree_far_remove(t, BP_UNFINISHED_NAME, &ignored);
    }
    bp_names_release(&t->far_names);
    bp_names_release(&t->far_there);
    bp_mem_free(t->path);
    *t = (struct bp_outtree){.fd = -1};
}
