/* SPDX-License-Identifier: Apache-2.0 */
/* zstd (RFC 8878), frame by frame; skippable frames are skipped. */
#include <zstd.h>
#include <zstd_errors.h>

#include "base/num.h"
#include "codec/codec.h"

/* The window is what a frame may ask of our memory; 128 MiB is zstd's own limit. */
#define WINDOW_LOG_MAX 27

static bool zstd_is(const uint8_t *head, size_t n)
{
    uint32_t magic = n >= 4 ? (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 |
                                  (uint32_t)head[3] << 24
                            : 0;

    return magic == ZSTD_MAGICNUMBER || (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == 0x184D2A50;
}

static bool zstd_may_follow(uint8_t first)
{
    return first == 0x28 || (first & 0xf0) == 0x50;
}

static void *zstd_open(struct bp_err *err)
{
    ZSTD_DStream *d = ZSTD_createDStream();

    if (!d)
        bp_fail_oom(err, ZSTD_DStreamOutSize());
    return d;
}

static int zstd_begin(void *self, struct bp_err *err)
{
    size_t rc = ZSTD_DCtx_reset(self, ZSTD_reset_session_only);

    if (!ZSTD_isError(rc))
        rc = ZSTD_DCtx_setParameter(self, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    if (ZSTD_isError(rc))
        return bp_fail(err, BP_EDATA, "zstd cannot be reset (%s)", ZSTD_getErrorName(rc));
    return 0;
}

static int zstd_step(void *self, struct bp_codec_step *io, struct bp_err *err)
{
    ZSTD_inBuffer in = {io->in, io->n_in, 0};
    ZSTD_outBuffer out = {io->out, io->n_out, 0};
    size_t rc = ZSTD_decompressStream(self, &out, &in);

    io->in += in.pos;
    io->n_in -= in.pos;
    io->out += out.pos;
    io->n_out -= out.pos;
    if (ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation)
        return bp_fail_oom(err, (size_t)1 << WINDOW_LOG_MAX);
    if (ZSTD_isError(rc)) {
        io->why = ZSTD_getErrorName(rc);
        return BP_EDATA;
    }
    return rc == 0 ? BP_DONE : 0;
}

static void zstd_free(void *self)
{
    ZSTD_freeDStream(self);
}

const struct bp_codec bp_codec_zstd = {"zstd",    false,      zstd_is,   zstd_may_follow,
                                       zstd_open, zstd_begin, zstd_step, zstd_free};
