/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer's side. Of the free slots the one that was freed last is taken: it is most likely
 * still in a cache, and slots that are not needed are never touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/num.h"
#include "sys/ring_wire.h"

struct bp_ring_out {
    int socket;
    uint32_t token;
    uint8_t *memory;
    uint32_t free[BP_RING_SLOTS]; /* a stack */
    int n_free;
    bool gone; /* the reader */
};

#define MEMORY_BYTES (BP_RING_SLOTS * BP_RING_STRIDE_BYTES)

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u /* Linux 6.3 */
#endif

/* The memory, whose size nobody can change: -1 where there is none. */
static int make_memory(void)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("batchpipe ring", flags | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("batchpipe ring", flags);
    if (fd >= 0 && (ftruncate(fd, (off_t)MEMORY_BYTES) < 0 ||
                    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool send_hello(struct bp_ring_out *r, int memory_fd)
{
    struct bp_ring_hello hello = {.magic = BP_RING_MAGIC,
                                  .token = r->token,
                                  .n_slots = BP_RING_SLOTS,
                                  .stride_bytes = BP_RING_STRIDE_BYTES};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec iov = {&hello, sizeof hello};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &memory_fd, sizeof memory_fd);
    return sendmsg(r->socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof hello;
}

static int connect_to_reader(int fd)
{
    struct sockaddr_un a;
    socklen_t n;
    int s;

    if (!bp_ring_address(fd, &a, &n))
        return -1;
    /* others may connect, too, and fill the reader's queue: nobody waits for a place in that */
    s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s >= 0 && (connect(s, (struct sockaddr *)&a, n) < 0 || !bp_ring_is_own(s) ||
                   fcntl(s, F_SETFL, 0) < 0)) { /* slots are waited for */
        close(s);
        return -1;
    }
    return s;
}

static bool share_memory(struct bp_ring_out *r)
{
    int fd = make_memory();
    bool ok = false;

    if (fd < 0)
        return false;
    r->memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (r->memory == MAP_FAILED)
        r->memory = NULL;
    else
        ok = getrandom(&r->token, sizeof r->token, 0) == (ssize_t)sizeof r->token &&
             send_hello(r, fd);
    close(fd);
    return ok;
}

struct bp_ring_out *bp_ring_out_open(int fd)
{
    struct bp_err ignored = {0}; /* there is the pipe */
    int s = connect_to_reader(fd);
    struct bp_ring_out *r;

    if (s < 0)
        return NULL;
    r = bp_mem_new(1, sizeof *r, &ignored);
    if (!r) {
        close(s);
        return NULL;
    }
    r->socket = s;
    while (r->n_free < BP_RING_SLOTS) {
        r->free[r->n_free] = (uint32_t)(BP_RING_SLOTS - 1 - r->n_free);
        r->n_free++;
    }
    if (share_memory(r))
        return r;
    bp_ring_out_free(r);
    return NULL;
}

uint32_t bp_ring_out_token(const struct bp_ring_out *r)
{
    return r->token;
}

/* Slots that came back; waits for one where there is none. */
static void take_back(struct bp_ring_out *r)
{
    uint8_t slots[BP_RING_SLOTS];
    ssize_t n;

    do {
        n = recv(r->socket, slots, (size_t)(BP_RING_SLOTS - r->n_free),
                 r->n_free ? MSG_DONTWAIT : 0);
    } while (n < 0 && errno == EINTR);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        r->gone = true;
    for (ssize_t i = 0; i < n; i++) {
        if (slots[i] >= BP_RING_SLOTS)
            r->gone = true;
        else
            r->free[r->n_free++] = slots[i];
    }
}

uint8_t *bp_ring_out_slot(struct bp_ring_out *r, uint32_t *slot)
{
    if (!r->gone && r->n_free < BP_RING_SLOTS)
        take_back(r);
    if (r->gone)
        return NULL;
    *slot = r->free[--r->n_free];
    return r->memory + *slot * BP_RING_STRIDE_BYTES;
}

void bp_ring_out_free(struct bp_ring_out *r)
{
    if (!r)
        return;
    if (r->memory)
        munmap(r->memory, MEMORY_BYTES);
    close(r->socket);
    bp_mem_free(r);
}
