/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/remote.h"

enum bp_path_kind bp_path_kind(const char *path)
{
    struct stat st;

    if (bp_remote_kind(path))
        return bp_remote_path_kind(path);
    if (stat(path, &st) < 0)
        return BP_PATH_NONE;
    if (S_ISREG(st.st_mode))
        return BP_PATH_FILE;
    return S_ISDIR(st.st_mode) ? BP_PATH_DIR : BP_PATH_OTHER;
}

int64_t bp_file_size(const char *path)
{
    struct bp_err ignored = {0};
    struct stat st;
    int64_t n;

    if (bp_remote_kind(path))
        return bp_remote_path_kind(path) == BP_PATH_FILE && bp_remote_size(path, &n, &ignored) == 0
                   ? n
                   : -1;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
}

int bp_path_mtime_ns(const char *path, int64_t *out, struct bp_err *err)
{
    struct stat st;

    if (bp_remote_kind(path))
        return bp_remote_mtime(path, out, err);
    if (stat(path, &st) < 0)
        return bp_fail_errno(err, errno, "cannot read '%s'", path);
    *out = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int bp_names_add(struct bp_names *out, const char *name, struct bp_err *err)
{
    char **grown;

    if (out->n % 64 == 0) {
        grown = bp_mem_grow(out->names, (size_t)out->n + 64, sizeof *grown, err);
        if (!grown)
            return err->code;
        out->names = grown;
    }
    out->names[out->n] = bp_mem_str(name, err);
    if (!out->names[out->n])
        return err->code;
    out->n++;
    return 0;
}

int bp_dir_list(const char *path, bool hidden, struct bp_names *out, struct bp_err *err)
{
    struct dirent *e;
    DIR *d;
    int rc = 0;

    out->names = NULL;
    out->n = 0;
    if (bp_remote_kind(path))
        return bp_remote_dir_list(path, hidden, out, err);
    d = opendir(path);
    if (!d)
        return bp_fail_errno(err, errno, "cannot read directory '%s'", path);
    for (;;) {
        errno = 0;
        e = readdir(d);
        if (!e)
            break;
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (!hidden && (e->d_name[0] == '.' || e->d_name[0] == '_'))
            continue;
        BP_GO(bp_names_add(out, e->d_name, err));
    }
    if (errno)
        rc = bp_fail_errno(err, errno, "cannot read directory '%s'", path);
    else if (out->n)
        qsort(out->names, (size_t)out->n, sizeof *out->names, by_bytes);
out:
    closedir(d);
    if (rc < 0)
        bp_names_release(out);
    return rc;
}

void bp_names_release(struct bp_names *n)
{
    for (int i = 0; i < n->n; i++)
        bp_mem_free(n->names[i]);
    bp_mem_free(n->names);
    n->names = NULL;
    n->n = 0;
}

int bp_dir_make(const char *path, struct bp_err *err)
{
    char part[PATH_MAX];
    size_t n = strlen(path);

    if (bp_remote_kind(path))
        return 0;
    if (n == 0 || n >= sizeof part)
        return bp_fail(err, BP_EUSAGE, "'%s' is no name for a directory", path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST && bp_path_kind(part) != BP_PATH_DIR)
            return bp_fail_errno(err, errno, "cannot make directory '%s'", part);
    }
    if (bp_path_kind(path) != BP_PATH_DIR)
        return bp_fail(err, BP_EDATA, "'%s' is in the way: it is not a directory", path);
    return 0;
}

/* The process id at the end of `.tmp-NAME.HOST.PID` if HOST is ours, else 0. */
static long tmp_pid(const char *name, const char *host)
{
    const char *dot = strrchr(name, '.');
    size_t host_len = strlen(host);
    char *end;
    long pid;

    if (strncmp(name, ".tmp-", 5) != 0 || !dot || dot[1] < '1' || dot[1] > '9')
        return 0;
    pid = strtol(dot + 1, &end, 10);
    if (*end || (size_t)(dot - name) < host_len + 6)
        return 0;
    if (dot[-1 - (long)host_len] != '.' || strncmp(dot - host_len, host, host_len) != 0)
        return 0;
    return pid;
}

int bp_dir_sweep(const char *path, struct bp_err *err)
{
    char host[HOST_NAME_MAX + 1] = "", full[PATH_MAX];
    struct bp_err ignored = {0};
    struct bp_names l;
    long pid;

    if (bp_remote_kind(path))
        return 0;
    if (gethostname(host, sizeof host) < 0)
        return bp_fail_errno(err, errno, "cannot read the name of this host");
    host[HOST_NAME_MAX] = '\0';
    BP_TRY(bp_dir_list(path, true, &l, err));
    for (int i = 0; i < l.n; i++) {
        pid = tmp_pid(l.names[i], host);
        if (pid == 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
            continue;
        if ((size_t)snprintf(full, sizeof full, "%s/%s", path, l.names[i]) < sizeof full)
            (void)!bp_tree_remove(full, &ignored); /* rubbish; another run may have been quicker */
    }
    bp_names_release(&l);
    return 0;
}

int bp_dir_id(const char *path, uint64_t id[2], struct bp_err *err)
{
    struct stat st = {0};

    if (!bp_remote_kind(path) && stat(path, &st) < 0)
        return bp_fail_errno(err, errno, "cannot read '%s'", path);
    id[0] = st.st_dev;
    id[1] = st.st_ino;
    return 0;
}

int bp_dir_lock(const char *path, int *fd, struct bp_err *err)
{
    struct stat locked, there;

    for (;;) {
        *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*fd < 0 && errno == ENOENT)
            return 0;
        if (*fd < 0)
            return bp_fail_errno(err, errno, "cannot open directory '%s'", path);
        while (flock(*fd, LOCK_EX) < 0)
            if (errno != EINTR) {
                bp_fail_errno(err, errno, "cannot lock directory '%s'", path);
                bp_dir_unlock(*fd);
                *fd = -1;
                return err->code;
            }
        /* whoever had the lock may have put another directory in its place */
        if (fstat(*fd, &locked) == 0 && stat(path, &there) == 0 && locked.st_ino == there.st_ino &&
            locked.st_dev == there.st_dev)
            return 0;
        bp_dir_unlock(*fd);
    }
}

void bp_dir_unlock(int fd)
{
    if (fd >= 0)
        close(fd);
}

int bp_dir_sync(const char *path, struct bp_err *err)
{
    int fd, rc;

    if (bp_remote_kind(path))
        return 0;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return bp_fail_errno(err, errno, "cannot open directory '%s'", path);
    rc = fsync(fd);
    if (rc < 0 && errno != EINVAL) /* some file systems do not sync directories */
        rc = bp_fail_errno(err, errno, "cannot write directory '%s' to disk", path);
    else
        rc = 0;
    close(fd);
    return rc;
}

int bp_file_remove(const char *path, struct bp_err *err)
{
    if (bp_remote_kind(path))
        return bp_remote_remove(path, err);
    if (unlink(path) < 0 && errno != ENOENT)
        return bp_fail_errno(err, errno, "cannot remove '%s'", path);
    return 0;
}

int bp_path_size_bytes(const char *path, int64_t *out, struct bp_err *err)
{
    struct bp_names names;
    struct stat st;
    int rc;

    *out = 0;
    if (bp_remote_kind(path))
        return bp_remote_size(path, out, err);
    if (stat(path, &st) < 0)
        return bp_fail_errno(err, errno, "cannot read '%s'", path);
    if (S_ISREG(st.st_mode))
        *out = st.st_size;
    if (!S_ISDIR(st.st_mode))
        return 0;
    BP_TRY(bp_dir_list(path, false, &names, err));
    rc = 0;
    for (int i = 0; i < names.n && rc == 0; i++) {
        char below[PATH_MAX];
        int64_t n;

        if (snprintf(below, sizeof below, "%s/%s", path, names.names[i]) >= (int)sizeof below)
            rc = bp_fail_errno(err, ENAMETOOLONG, "cannot read '%s/%s'", path, names.names[i]);
        else
            rc = bp_path_size_bytes(below, &n, err);
        *out += rc == 0 ? n : 0;
    }
    bp_names_release(&names);
    return rc;
}
