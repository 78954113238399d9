/* SPDX-License-Identifier: Apache-2.0 */
/* LZ4 frames, one after the other; skippable frames behind the first are skipped. */
#include <lz4frame.h>
#include <string.h>

#include "base/num.h"
#include "codec/codec.h"

static bool lz4_is(const uint8_t *head, size_t n)
{
    return n >= 4 && memcmp(head, "\x04\x22\x4d\x18", 4) == 0;
}

static bool lz4_may_follow(uint8_t first)
{
    return first == 0x04 || (first & 0xf0) == 0x50;
}

static void *lz4_open(struct bp_err *err)
{
    LZ4F_dctx *d = NULL;

    if (LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION))) {
        bp_fail_oom(err, 1 << 16);
        return NULL;
    }
    return d;
}

static int lz4_begin(void *self, struct bp_err *err)
{
    (void)err;
    LZ4F_resetDecompressionContext(self);
    return 0;
}

static int lz4_step(void *self, struct bp_codec_step *io, struct bp_err *err)
{
    size_t n_in = io->n_in, n_out = io->n_out;
    size_t rc = LZ4F_decompress(self, io->out, &n_out, io->in, &n_in, NULL);

    io->in += n_in;
    io->n_in -= n_in;
    io->out += n_out;
    io->n_out -= n_out;
    if (LZ4F_isError(rc) && strcmp(LZ4F_getErrorName(rc), "ERROR_allocation_failed") == 0)
        return bp_fail_oom(err, (size_t)4 << 20); /* the largest block */
    if (LZ4F_isError(rc)) {
        io->why = LZ4F_getErrorName(rc);
        return BP_EDATA;
    }
    return rc == 0 ? BP_DONE : 0;
}

static void lz4_free(void *self)
{
    (void)LZ4F_freeDecompressionContext(self); /* tells its state only */
}

const struct bp_codec bp_codec_lz4 = {
    .name = "lz4",
    .is = lz4_is,
    .may_follow = lz4_may_follow,
    .open = lz4_open,
    .begin = lz4_begin,
    .step = lz4_step,
    .free = lz4_free,
};
