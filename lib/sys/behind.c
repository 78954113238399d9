/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why past the page cache (O_DIRECT): a page of the cache that was not used before must be
 * found, and on a virtual machine be given by the host at its first touch, which costs several
 * times what the copying does; and a file that is written and then synced waits for the disk
 * only after it was copied. Here the disk works all the time and the pages are always the same.
 *
 *      head: the thread's block      tail: the caller's block
 *      tail - head blocks are filled, at most n_blocks - 1
 *
 * Blocks begin at multiples of ALIGN_BYTES in the file and in memory, as the kernel asks for
 * (4 KiB suits every disk). Where the file system will not have it nevertheless, or writes a
 * part of a block only, the rest goes through the cache. So do the first bytes, up to such a
 * multiple, and the last, less than a block.
 */
#include "sys/behind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "sys/thread.h"

#define ALIGN_BYTES 4096
#define FILES_MAX 2 /* at once in a process: more share the disk, and each costs its blocks */

struct bp_behind {
    int fd;
    const char *path;
    struct bp_block *memory;
    unsigned n_blocks;
    size_t block_bytes;
    uint8_t *blocks;   /* [n_blocks][block_bytes] in memory */
    int64_t at_bytes;  /* of the file: where the thread writes next */
    size_t lead_bytes; /* that go through the cache before the first block */
    size_t used_bytes; /* of the caller's block */
    bool is_direct;
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    unsigned head, tail;
    bool ending, drop;
    struct bp_err err; /* the thread's; under the lock */
    pthread_t thread;
    bool started;
};

static atomic_int n_files;

static int failed(const struct bp_behind *b, struct bp_err *err)
{
    return bp_fail_errno(err, errno, "cannot write to '%s'", b->path);
}

static void set_direct(struct bp_behind *b, bool on)
{
    int flags = fcntl(b->fd, F_GETFL);

    b->is_direct =
        flags >= 0 && fcntl(b->fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0 && on;
}

static int write_at(struct bp_behind *b, const uint8_t *p, size_t n, struct bp_err *err)
{
    while (n) {
        ssize_t w = pwrite(b->fd, p, n, b->at_bytes);

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0 && !(errno == EINVAL && b->is_direct))
            return failed(b, err);
        if (b->is_direct && (w < 0 || w % ALIGN_BYTES))
            set_direct(b, false);
        if (w > 0) {
            p += w;
            n -= (size_t)w;
            b->at_bytes += w;
        }
    }
    return 0;
}

static void *run(void *arg)
{
    struct bp_behind *b = arg;
    struct bp_err err = {0};

    pthread_mutex_lock(&b->lock);
    for (;;) {
        const uint8_t *block = b->blocks + b->head % b->n_blocks * b->block_bytes;

        while (!b->ending && !b->drop && b->head == b->tail)
            pthread_cond_wait(&b->filled, &b->lock);
        if (b->drop || b->head == b->tail)
            break;
        pthread_mutex_unlock(&b->lock);
        (void)write_at(b, block, b->block_bytes, &err);
        pthread_mutex_lock(&b->lock);
        b->head++;
        b->err = err;
        b->drop = b->drop || err.code < 0;
        pthread_cond_signal(&b->emptied);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

struct bp_behind *bp_behind_open(int fd, const char *path, int64_t at_bytes, unsigned n_blocks,
                                 size_t block_bytes)
{
    struct bp_err ignored = {0};
    struct bp_behind *b;

    if (atomic_fetch_add(&n_files, 1) >= FILES_MAX || !(b = bp_mem_new(1, sizeof *b, &ignored))) {
        atomic_fetch_sub(&n_files, 1);
        return NULL;
    }
    b->n_blocks = n_blocks;
    b->block_bytes = block_bytes;
    b->fd = fd;
    b->path = path;
    b->at_bytes = at_bytes;
    b->lead_bytes = (size_t)-at_bytes % ALIGN_BYTES;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->filled, NULL);
    pthread_cond_init(&b->emptied, NULL);
    if (bp_block_new(&b->memory, b->n_blocks * b->block_bytes + ALIGN_BYTES, &ignored) < 0)
        goto fail;
    b->blocks = b->memory->data + ((uintptr_t) - (uintptr_t)b->memory->data % ALIGN_BYTES);
    if (bp_thread_start(&b->thread, run, b, &ignored) < 0)
        goto fail;
    b->started = true;
    return b;
fail:
    bp_behind_free(b);
    return NULL;
}

/* The caller's block is the thread's; then the next one is free, or there was an error. */
static int hand_over(struct bp_behind *b, struct bp_err *err)
{
    int rc;

    if (!b->tail) /* nothing was handed over yet, so the thread does not write */
        set_direct(b, true);
    pthread_mutex_lock(&b->lock);
    b->tail++;
    pthread_cond_signal(&b->filled);
    while (!b->err.code && b->tail - b->head >= b->n_blocks)
        pthread_cond_wait(&b->emptied, &b->lock);
    rc = b->err.code;
    if (rc < 0)
        *err = b->err;
    pthread_mutex_unlock(&b->lock);
    b->used_bytes = 0;
    return rc;
}

int bp_behind_write(struct bp_behind *b, const void *p, size_t n, struct bp_err *err)
{
    const uint8_t *from = p;

    if (b->lead_bytes) {
        size_t lead = BP_MIN(n, b->lead_bytes);

        BP_TRY(write_at(b, from, lead, err));
        b->lead_bytes -= lead;
        from += lead;
        n -= lead;
    }
    while (n) {
        size_t step = BP_MIN(n, b->block_bytes - b->used_bytes);

        memcpy(b->blocks + b->tail % b->n_blocks * b->block_bytes + b->used_bytes, from, step);
        b->used_bytes += step;
        from += step;
        n -= step;
        if (b->used_bytes == b->block_bytes)
            BP_TRY(hand_over(b, err));
    }
    return 0;
}

static void stop(struct bp_behind *b, bool drop)
{
    if (!b->started)
        return;
    pthread_mutex_lock(&b->lock);
    b->ending = true;
    b->drop = b->drop || drop;
    pthread_cond_signal(&b->filled);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    b->started = false;
}

int bp_behind_finish(struct bp_behind *b, struct bp_err *err)
{
    stop(b, false);
    if (b->err.code) {
        *err = b->err;
        return err->code;
    }
    set_direct(b, false);
    BP_TRY(write_at(b, b->blocks + b->tail % b->n_blocks * b->block_bytes, b->used_bytes, err));
    b->used_bytes = 0;
    return 0;
}

void bp_behind_free(struct bp_behind *b)
{
    if (!b)
        return;
    stop(b, true);
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->filled);
    pthread_cond_destroy(&b->emptied);
    bp_block_unref(b->memory);
    bp_mem_free(b);
    atomic_fetch_sub(&n_files, 1);
}
