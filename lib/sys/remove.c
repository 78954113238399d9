/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing a tree. Every step goes by a descriptor of the directory it is in and
 * follows no symbolic link, so that nothing outside of the tree is ever touched.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sys/dir.h"

#define MAX_DEPTH 100

/* What is in the directory fd, which is closed. The first failure stops. */
static int remove_in(int fd, int depth)
{
    DIR *d = fdopendir(fd);
    struct dirent *e;
    int why = 0;

    if (!d) {
        why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    while (!why && (errno = 0, e = readdir(d)) != NULL) {
        int sub;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(d), e->d_name, 0) == 0 || errno == ENOENT)
            continue;
        sub = depth < MAX_DEPTH && (errno == EISDIR || errno == EPERM)
                  ? openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                  : -1;
        if (sub < 0 || remove_in(sub, depth + 1) < 0 ||
            (unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT))
            why = errno;
    }
    why = why ? why : errno;
    closedir(d);
    errno = why;
    return why ? -1 : 0;
}

int bp_tree_remove(const char *path, struct bp_err *err)
{
    int fd;

    if (unlink(path) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return bp_fail_errno(err, errno, "cannot remove '%s'", path);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || remove_in(fd, 0) < 0 || (rmdir(path) < 0 && errno != ENOENT))
        return bp_fail_errno(err, errno, "cannot remove directory '%s'", path);
    return 0;
}
