/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/openfile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"

#define MAX_OPEN 256
#define MIN_OPEN 4
#define LIMIT_SHARE 2 /* outputs, temporary files and others want descriptors, too */

struct bp_openfile {
    char *path;
    int fd; /* -1: closed */
    int n_users;
    struct stat was;
    struct bp_openfile *older, *newer; /* of those that are open */
};

static struct {
    pthread_mutex_t lock;
    struct bp_openfile *oldest, *newest;
    int n_open, max_open; /* max_open 0: not asked yet */
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- under the lock ---- */

static int max_open(void)
{
    struct rlimit r;

    if (!all.max_open) {
        all.max_open = MAX_OPEN;
        if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur / LIMIT_SHARE < MAX_OPEN)
            all.max_open = BP_MAX((int)(r.rlim_cur / LIMIT_SHARE), MIN_OPEN);
    }
    return all.max_open;
}

static void unlink_file(struct bp_openfile *f)
{
    *(f->older ? &f->older->newer : &all.oldest) = f->newer;
    *(f->newer ? &f->newer->older : &all.newest) = f->older;
    f->older = f->newer = NULL;
    all.n_open--;
}

static void link_newest(struct bp_openfile *f)
{
    f->older = all.newest;
    *(all.newest ? &all.newest->newer : &all.oldest) = f;
    all.newest = f;
    all.n_open++;
}

static void close_file(struct bp_openfile *f)
{
    unlink_file(f);
    close(f->fd); /* read only: nothing can be lost */
    f->fd = -1;
}

/* False: all are being read. */
static bool close_oldest(void)
{
    for (struct bp_openfile *f = all.oldest; f; f = f->newer)
        if (!f->n_users) {
            close_file(f);
            return true;
        }
    return false;
}

static int open_again(struct bp_openfile *f, struct bp_err *err)
{
    struct stat now;
    int fd;

    while (all.n_open >= max_open() && close_oldest())
        ;
    do
        fd = open(f->path, O_RDONLY | O_CLOEXEC);
    while (fd < 0 && (errno == EMFILE || errno == ENFILE) && close_oldest());
    if (fd < 0)
        return bp_fail_errno(err, errno, "cannot open '%s' again", f->path);
    if (fstat(fd, &now) < 0 || now.st_dev != f->was.st_dev || now.st_ino != f->was.st_ino ||
        now.st_size < f->was.st_size) {
        close(fd);
        return bp_fail(err, BP_EDATA, "'%s' was replaced while it was read", f->path);
    }
    f->fd = fd;
    link_newest(f);
    return 0;
}

/* ---- */

int bp_openfile_descriptor(const char *path)
{
    bool again = true;
    int fd = -1;

    while (again) {
        fd = open(path, O_RDONLY | O_CLOEXEC);
        again = fd < 0 && (errno == EMFILE || errno == ENFILE);
        if (again) {
            int was = errno;

            pthread_mutex_lock(&all.lock);
            again = close_oldest();
            pthread_mutex_unlock(&all.lock);
            errno = was;
        }
    }
    return fd;
}

int bp_openfile_new(struct bp_openfile **out, const char *path, int fd, struct bp_err *err)
{
    struct bp_openfile *f = bp_mem_new(1, sizeof *f, err);

    *out = NULL;
    if (f)
        f->path = bp_mem_str(path, err);
    if (!f || !f->path) {
        bp_mem_free(f);
        close(fd);
        return err->code;
    }
    f->fd = fd;
    if (fstat(fd, &f->was) < 0) {
        bp_fail_errno(err, errno, "cannot read '%s'", path);
        bp_mem_free(f->path);
        bp_mem_free(f);
        close(fd);
        return err->code;
    }
    pthread_mutex_lock(&all.lock);
    while (all.n_open >= max_open() && close_oldest())
        ;
    link_newest(f);
    pthread_mutex_unlock(&all.lock);
    *out = f;
    return 0;
}

int bp_openfile_use(struct bp_openfile *f, int *fd, struct bp_err *err)
{
    int rc = 0;

    pthread_mutex_lock(&all.lock);
    if (f->fd < 0) {
        rc = open_again(f, err);
    } else if (all.newest != f) {
        unlink_file(f);
        link_newest(f);
    }
    if (rc == 0)
        f->n_users++;
    *fd = f->fd;
    pthread_mutex_unlock(&all.lock);
    return rc;
}

void bp_openfile_done(struct bp_openfile *f)
{
    pthread_mutex_lock(&all.lock);
    f->n_users--;
    pthread_mutex_unlock(&all.lock);
}

void bp_openfile_free(struct bp_openfile *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&all.lock);
    if (f->fd >= 0)
        close_file(f);
    pthread_mutex_unlock(&all.lock);
    bp_mem_free(f->path);
    bp_mem_free(f);
}
