/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Few files are synced one by one, with their directories. Of many small ones each
 * would take a disk flush: one syncfs() writes them all, and whatever else waits to be
 * written on that disk. It reports what failed to be written since the descriptor was
 * opened, so that is opened before any file.
 */
#include "sys/outtree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sys/dir.h"
#include "sys/outtree_far.h"
#include "sys/remote.h"

#define SYNC_ONE_BY_ONE 64

/* ---- the temporary ---- */

/* path without slashes behind it; what a symbolic link names, not the link. */
static int final_path(struct bp_outtree *t, const char *path, struct bp_err *err)
{
    char real[PATH_MAX];
    size_t n = strlen(path);
    const char *slash;
    char *own;

    while (n > 1 && path[n - 1] == '/')
        n--;
    if (n == 0 || n + 300 > PATH_MAX)
        return bp_fail(err, BP_EUSAGE, "'%s' is no name for a directory", path);
    own = t->path = bp_mem_strn(path, n, err);
    if (!own)
        return err->code;
    slash = strrchr(own, '/');
    slash = slash ? slash + 1 : own;
    if (!*slash || strcmp(slash, ".") == 0 || strcmp(slash, "..") == 0)
        return bp_fail(err, BP_EUSAGE, "'%s' cannot be replaced as a whole: name a directory in it",
                       path);
    if (bp_path_kind(own) == BP_PATH_NONE || !realpath(own, real))
        return 0;
    t->path = bp_mem_str(real, err);
    bp_mem_free(own);
    return t->path ? 0 : err->code;
}

/* The directory that holds t->path, from bp_mem. */
static char *parent(const struct bp_outtree *t, struct bp_err *err)
{
    const char *slash = strrchr(t->path, '/');

    if (!slash)
        return bp_mem_str(".", err);
    return bp_mem_strn(t->path, slash == t->path ? 1 : (size_t)(slash - t->path), err);
}

int bp_outtree_remove(struct bp_outtree *t, const char *name, struct bp_err *err)
{
    if (unlinkat(t->fd, name, 0) < 0)
        return bp_fail_errno(err, errno, "cannot remove '%s' from the new '%s'", name, t->path);
    t->n_files--;
    return 0;
}

static int make_tmp(struct bp_outtree *t, const char *dir, struct bp_err *err)
{
    const char *slash = strrchr(t->path, '/');
    char host[HOST_NAME_MAX + 1] = "";
    struct bp_buf b = {0};

    if (gethostname(host, sizeof host) < 0)
        return bp_fail_errno(err, errno, "cannot read the name of this host");
    host[HOST_NAME_MAX] = '\0';
    if (bp_buf_printf(&b, err, "%s/.tmp-%s.%s.%ld", dir, slash ? slash + 1 : t->path, host,
                      (long)getpid()) < 0 ||
        !bp_buf_str(&b, err)) {
        bp_buf_release(&b);
        return err->code;
    }
    BP_TRY(bp_tree_remove((char *)b.data, err)); /* same host, same process: of a dead one */
    if (mkdir((char *)b.data, 0777) < 0) {
        bp_fail_errno(err, errno, "cannot create '%s'", t->path);
        bp_buf_release(&b);
        return err->code;
    }
    t->tmp_path = (char *)b.data;
    t->fd = open(t->tmp_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t->fd < 0)
        return bp_fail_errno(err, errno, "cannot open directory '%s'", t->tmp_path);
    return 0;
}

int bp_outtree_open(struct bp_outtree *t, const char *path, struct bp_err *err)
{
    char *dir = NULL;
    int rc;

    *t = (struct bp_outtree){.fd = -1};
    if (bp_remote_kind(path)) {
        rc = bp_outtree_far_open(t, path, err);
        goto out;
    }
    BP_GO(final_path(t, path, err));
    dir = parent(t, err);
    if (!dir) {
        rc = err->code;
        goto out;
    }
    BP_GO(bp_dir_make(dir, err));
    BP_GO(bp_dir_sweep(dir, err));
    rc = make_tmp(t, dir, err);
out:
    bp_mem_free(dir);
    if (rc < 0)
        bp_outtree_abort(t);
    return rc;
}

static int make_dirs(const struct bp_outtree *t, const char *name, struct bp_err *err)
{
    char part[PATH_MAX];

    for (const char *p = strchr(name, '/'); p; p = strchr(p + 1, '/')) {
        if ((size_t)(p - name) >= sizeof part)
            return bp_fail(err, BP_EDATA, "the path '%s' is too long", name);
        memcpy(part, name, (size_t)(p - name));
        part[p - name] = '\0';
        if (mkdirat(t->fd, part, 0777) < 0 && errno != EEXIST)
            return bp_fail_errno(err, errno, "cannot make directory '%s' in '%s'", part, t->path);
    }
    return 0;
}

int bp_outtree_create(struct bp_outtree *t, const char *name, struct bp_outfile *f,
                      struct bp_err *err)
{
    struct bp_buf b = {0};

    if (t->is_far)
        return bp_outtree_far_create(t, name, f, err);
    *f = (struct bp_outfile){.fd = -1, .guard = -1};
    BP_TRY(make_dirs(t, name, err));
    if (bp_buf_printf(&b, err, "%s/%s", t->path, name) < 0 || !bp_buf_str(&b, err)) {
        bp_buf_release(&b);
        return err->code;
    }
    f->path = (char *)b.data;
    f->fd = openat(t->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    t->n_files++;
    if (f->fd >= 0)
        return 0;
    if (errno == EEXIST)
        bp_fail(err, BP_EDATA, "'%s' would be the name of the files of two different values",
                f->path);
    else
        bp_fail_errno(err, errno, "cannot create '%s'", f->path);
    bp_outfile_abort(f);
    return err->code;
}

int bp_outtree_keep(struct bp_outtree *t, const char *name, struct bp_err *err)
{
    struct bp_buf b = {0};
    int rc;

    BP_GO(make_dirs(t, name, err));
    BP_GO(bp_buf_printf(&b, err, "%s/%s", t->path, name));
    BP_GO(bp_buf_str(&b, err) ? 0 : err->code);
    if (linkat(AT_FDCWD, (const char *)b.data, t->fd, name, 0) < 0)
        rc = bp_fail_errno(err, errno, "cannot keep '%s'", (const char *)b.data);
out:
    bp_buf_release(&b);
    return rc;
}

int bp_outtree_size(const struct bp_outtree *t, const char *name, int64_t *n_bytes,
                    struct bp_err *err)
{
    struct stat st;

    if (t->is_far)
        return bp_outtree_far_size(t, name, n_bytes, err);
    if (fstatat(t->fd, name, &st, 0) < 0)
        return bp_fail_errno(err, errno, "cannot read '%s' in '%s'", name, t->path);
    *n_bytes = st.st_size;
    return 0;
}

/* ---- the commit ---- */

/* All that is in the directory fd, which is closed, and itself; 0, or the errno. */
static int sync_dir(int fd)
{
    DIR *d = fdopendir(fd);
    struct dirent *e;
    int why = 0;

    if (!d) {
        why = errno;
        close(fd);
        return why;
    }
    while (!why && (errno = 0, e = readdir(d)) != NULL) {
        int sub;
        struct stat st;
        bool is_dir = false;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        sub = openat(dirfd(d), e->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (sub < 0 || fstat(sub, &st) < 0)
            why = errno;
        else if ((is_dir = S_ISDIR(st.st_mode)))
            why = sync_dir(sub);
        else if (fsync(sub) < 0)
            why = errno;
        if (sub >= 0 && !is_dir)
            close(sub);
    }
    why = why ? why : errno;
    if (!why && fsync(dirfd(d)) < 0 && errno != EINVAL)
        why = errno;
    closedir(d);
    return why;
}

static int sync_tree(const struct bp_outtree *t, struct bp_err *err)
{
    int why, fd;

    if (t->n_files > SYNC_ONE_BY_ONE) {
        why = syncfs(t->fd) < 0 ? errno : 0;
    } else {
        fd = fcntl(t->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        why = fd < 0 ? errno : sync_dir(fd);
    }
    return why ? bp_fail_errno(err, why, "cannot write '%s' to disk", t->path) : 0;
}

/* BP_DONE: nothing is to be replaced, but something stands there. */
static int take_place(struct bp_outtree *t, bool replace, struct bp_err *err)
{
    int why;

    if (replace && renameat2(AT_FDCWD, t->tmp_path, AT_FDCWD, t->path, RENAME_EXCHANGE) == 0)
        return 0;
    why = replace ? errno : ENOENT; /* nothing stood there, or the file system cannot exchange */
    if ((why == ENOENT || why == EINVAL || why == ENOSYS) && rename(t->tmp_path, t->path) == 0) {
        bp_mem_free(t->tmp_path);
        t->tmp_path = NULL;
        return 0;
    }
    if (!replace && (errno == ENOTEMPTY || errno == EEXIST))
        return BP_DONE;
    return bp_fail_errno(err, why == ENOENT ? errno : why,
                         "cannot put the new '%s' in place of the old", t->path);
}

int bp_outtree_commit(struct bp_outtree *t, bool replace, struct bp_err *err)
{
    char *dir;
    int rc;

    if (t->is_far)
        return bp_outtree_far_commit(t, err);
    BP_TRY(sync_tree(t, err));
    if (bp_path_kind(t->path) == BP_PATH_FILE)
        return bp_fail(err, BP_EDATA, "'%s' is in the way: it is not a directory", t->path);
    rc = take_place(t, replace, err);
    if (rc != 0)
        return rc;
    dir = parent(t, err);
    if (!dir)
        return err->code;
    rc = bp_dir_sync(dir, err);
    bp_mem_free(dir);
    bp_outtree_abort(t); /* removes what was there before */
    return rc;
}

void bp_outtree_abort(struct bp_outtree *t)
{
    struct bp_err ignored = {0};

    if (t->is_far) {
        bp_outtree_far_abort(t);
        return;
    }
    if (t->fd >= 0)
        close(t->fd);
    if (t->tmp_path)
        (void)!bp_tree_remove(t->tmp_path, &ignored); /* the next writer's sweep tries again */
    bp_mem_free(t->tmp_path);
    bp_mem_free(t->path);
    *t = (struct bp_outtree){.fd = -1};
}
