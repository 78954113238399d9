/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader's side. Of streams behind each other in one pipe each has a ring of its own; that of
 * the one before stays until its blocks are gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "sys/ring_wire.h"

#define LEFT_SLOTS 1  /* that the writer has at least */
#define SLOTS_MOST 64 /* of a hello that is believed */
#define STRIDE_MOST ((uint64_t)16 << 20)
#define BACKLOG 8

struct slot {
    struct ring *ring;
    uint8_t number;
};

/* One writer's. */
struct ring {
    atomic_int refs; /* ours, and a block's each */
    int socket;
    uint32_t token;
    uint32_t n_slots;
    size_t stride_bytes;
    uint8_t *memory;
    atomic_int n_held; /* by blocks */
    struct slot *slots;
};

struct bp_ring_in {
    int listening;
    struct ring *now; /* NULL: none yet */
};

static void unref(struct ring *r)
{
    if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
        return;
    if (r->memory)
        munmap(r->memory, r->n_slots * r->stride_bytes);
    close(r->socket);
    bp_mem_free(r->slots);
    bp_mem_free(r);
}

/* Where the writer has gone, nobody wants it any more. */
static void give_back(const struct ring *r, uint8_t slot)
{
    while (send(r->socket, &slot, 1, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

static void release(void *ctx)
{
    struct slot *s = ctx;
    struct ring *r = s->ring;

    atomic_fetch_sub(&r->n_held, 1);
    give_back(r, s->number);
    unref(r);
}

/* ---- a writer comes ---- */

static int bad(struct bp_err *err, const char *what)
{
    return bp_fail(err, BP_EDATA, "the stream says that a part of it lies in shared memory, %s",
                   what);
}

/* Its hello; -1 where it is none. The memory's descriptor in *fd. */
static int receive_hello(int socket, struct bp_ring_hello *hello, int *fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec iov = {hello, sizeof *hello};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

    *fd = -1;
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(fd, CMSG_DATA(c), sizeof *fd);
    return n == (ssize_t)sizeof *hello && *fd >= 0 &&
                   memcmp(hello->magic, BP_RING_MAGIC, sizeof hello->magic) == 0
               ? 0
               : -1;
}

static int map_memory(struct ring *r, const struct bp_ring_hello *h, int fd, struct bp_err *err)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat st;

    if (h->n_slots <= LEFT_SLOTS || h->n_slots > SLOTS_MOST || h->stride_bytes > STRIDE_MOST ||
        h->stride_bytes % 64 || h->stride_bytes <= BP_BLOCK_PAD_BYTES)
        return bad(err, "which it describes wrongly");
    /* a file that becomes shorter would kill who reads it */
    if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &st) < 0 ||
        st.st_size < (off_t)(h->n_slots * h->stride_bytes))
        return bad(err, "which is not as large as it says");
    r->token = h->token;
    r->n_slots = h->n_slots;
    r->stride_bytes = h->stride_bytes;
    r->slots = bp_mem_new(h->n_slots, sizeof *r->slots, err);
    if (!r->slots)
        return err->code;
    for (uint32_t i = 0; i < h->n_slots; i++)
        r->slots[i] = (struct slot){r, (uint8_t)i};
    /* written by nobody here; operators may not change a batch in place */
    r->memory = mmap(NULL, h->n_slots * h->stride_bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (r->memory == MAP_FAILED) {
        r->memory = NULL;
        return bp_fail_oom(err, h->n_slots * h->stride_bytes);
    }
    return 0;
}

/* The ring behind a connection, which is taken over; *out NULL: it is nobody's of ours. */
static int welcome(int socket, struct ring **out, struct bp_err *err)
{
    struct bp_ring_hello hello;
    struct ring *r;
    int fd, rc;

    *out = NULL;
    if (!bp_ring_is_own(socket) || receive_hello(socket, &hello, &fd) < 0) {
        close(socket);
        return 0;
    }
    r = bp_mem_new(1, sizeof *r, err);
    if (!r) {
        close(socket);
        close(fd);
        return err->code;
    }
    atomic_init(&r->refs, 1);
    r->socket = socket;
    rc = map_memory(r, &hello, fd, err);
    close(fd);
    if (rc == 0)
        *out = r;
    else
        unref(r);
    return rc;
}

/* The ring with this token: it was announced before the pipe spoke of it. */
static int find_ring(struct bp_ring_in *r, uint32_t token, struct bp_err *err)
{
    while (!r->now || r->now->token != token) {
        int socket = accept4(r->listening, NULL, NULL, SOCK_CLOEXEC);
        struct ring *next;

        if (socket < 0 && errno == EINTR)
            continue;
        if (socket < 0 && errno != EAGAIN)
            return bp_fail_errno(err, errno,
                                 "cannot take the memory that the stream's writer shares");
        if (socket < 0)
            return bad(err, "but nobody has shown any");
        BP_TRY(welcome(socket, &next, err));
        if (!next)
            continue;
        unref(r->now);
        r->now = next;
    }
    return 0;
}

/* ---- the reader ---- */

struct bp_ring_in *bp_ring_in_open(int fd)
{
    struct bp_err ignored = {0}; /* there is the pipe */
    struct sockaddr_un a;
    struct bp_ring_in *r;
    socklen_t n;

    if (!bp_ring_may(fd) || !bp_ring_address(fd, &a, &n))
        return NULL;
    r = bp_mem_new(1, sizeof *r, &ignored);
    if (!r)
        return NULL;
    r->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->listening >= 0 && bind(r->listening, (struct sockaddr *)&a, n) == 0 &&
        listen(r->listening, BACKLOG) == 0)
        return r;
    bp_ring_in_free(r);
    return NULL;
}

int bp_ring_in_take(struct bp_ring_in *r, uint32_t token, uint32_t slot, size_t n,
                    struct bp_block **out, struct bp_err *err)
{
    struct ring *now;
    uint8_t *data;

    *out = NULL;
    if (!r)
        return bad(err, "which was not offered");
    BP_TRY(find_ring(r, token, err));
    now = r->now;
    if (slot >= now->n_slots || n > now->stride_bytes - BP_BLOCK_PAD_BYTES)
        return bad(err, "in a place that is not there");
    data = now->memory + slot * now->stride_bytes;
    if (atomic_load(&now->n_held) < (int)now->n_slots - LEFT_SLOTS) {
        BP_TRY(bp_block_over(out, data, n, release, &now->slots[slot], err));
        atomic_fetch_add(&now->n_held, 1);
        atomic_fetch_add(&now->refs, 1);
        return 0;
    }
    BP_TRY(bp_block_new(out, n, err));
    memcpy((*out)->data, data, n);
    give_back(now, (uint8_t)slot);
    return 0;
}

void bp_ring_in_free(struct bp_ring_in *r)
{
    if (!r)
        return;
    if (r->now) /* the writer need not wait for blocks that live longer */
        (void)shutdown(r->now->socket, SHUT_RDWR);
    unref(r->now);
    if (r->listening >= 0)
        close(r->listening);
    bp_mem_free(r);
}
