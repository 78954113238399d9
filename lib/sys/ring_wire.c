/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/ring_wire.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_pipe(int fd, struct stat *st)
{
    return fstat(fd, st) == 0 && S_ISFIFO(st->st_mode);
}

bool bp_ring_may(int fd)
{
    const char *says = getenv("BP_RING");
    struct stat st;

    return !bp_mem_is_tight() && !(says && strcmp(says, "off") == 0) && is_pipe(fd, &st);
}

bool bp_ring_address(int fd, struct sockaddr_un *out, socklen_t *len)
{
    struct stat st;
    int n;

    if (!is_pipe(fd, &st))
        return false;
    *out = (struct sockaddr_un){.sun_family = AF_UNIX}; /* the first byte of the path stays 0 */
    n = snprintf(out->sun_path + 1, sizeof out->sun_path - 1, "batchpipe 2 %llx %llx",
                 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    return true;
}

bool bp_ring_is_own(int socket)
{
    struct ucred peer;
    socklen_t n = sizeof peer;

    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && peer.uid == geteuid();
}
