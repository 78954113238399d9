/* SPDX-License-Identifier: Apache-2.0 */
/* bzip2, stream by stream (pbzip2 writes many). */
#include <bzlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "codec/codec.h"

struct bzip2 {
    bz_stream z;
    bool open;
};

static bool bzip2_is(const uint8_t *head, size_t n)
{
    return n >= 4 && memcmp(head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9';
}

static bool bzip2_may_follow(uint8_t first)
{
    return first == 'B';
}

static void *bzip2_open(struct bp_err *err)
{
    return bp_mem_new(1, sizeof(struct bzip2), err);
}

static void bzip2_end(struct bzip2 *b)
{
    if (b->open)
        BZ2_bzDecompressEnd(&b->z);
    b->open = false;
}

static int bzip2_begin(void *self, struct bp_err *err)
{
    struct bzip2 *b = self;

    bzip2_end(b);
    memset(&b->z, 0, sizeof b->z);
    b->open = BZ2_bzDecompressInit(&b->z, 0, 0) == BZ_OK;
    return b->open ? 0 : bp_fail_oom(err, 1 << 16);
}

static int bzip2_step(void *self, struct bp_codec_step *io, struct bp_err *err)
{
    struct bzip2 *b = self;
    int rc;

    b->z.next_in = (char *)(uintptr_t)io->in;
    b->z.avail_in = (unsigned)io->n_in;
    b->z.next_out = (char *)io->out;
    b->z.avail_out = (unsigned)io->n_out;
    rc = BZ2_bzDecompress(&b->z);
    io->in = (const uint8_t *)b->z.next_in;
    io->n_in = b->z.avail_in;
    io->out = (uint8_t *)b->z.next_out;
    io->n_out = b->z.avail_out;
    if (rc == BZ_MEM_ERROR)
        return bp_fail_oom(err, (size_t)4 << 20); /* a block of 900,000 bytes */
    if (rc == BZ_OK)
        return 0;
    if (rc == BZ_STREAM_END)
        return BP_DONE;
    io->why = rc == BZ_DATA_ERROR_MAGIC ? "an invalid header" : "incorrect data check";
    return BP_EDATA;
}

static void bzip2_free(void *self)
{
    bzip2_end(self);
    bp_mem_free(self);
}

const struct bp_codec bp_codec_bzip2 = {
    .name = "bzip2",
    .is = bzip2_is,
    .may_follow = bzip2_may_follow,
    .open = bzip2_open,
    .begin = bzip2_begin,
    .step = bzip2_step,
    .free = bzip2_free,
};
