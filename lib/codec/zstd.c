/* SPDX-License-Identifier: Apache-2.0 */
/* zstd (RFC 8878), frame by frame; skippable frames are skipped. */
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/mem.h"
#include "base/num.h"
#include "codec/codec.h"

/* The window is what a frame may ask of our memory; 128 MiB is zstd's own limit. */
#define WINDOW_LOG_MAX 27

static uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool zstd_is(const uint8_t *head, size_t n)
{
    uint32_t magic = n >= 4 ? u32_at(head) : 0;

    return magic == ZSTD_MAGICNUMBER || (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == 0x184D2A50;
}

static bool zstd_may_follow(uint8_t first)
{
    return first == 0x28 || (first & 0xf0) == 0x50;
}

#define HEAD_MOST_BYTES 18

/* The library does not hold the size that a frame's head tells against what an empty last block
 * ends. */
struct zstd {
    ZSTD_DStream *d;
    uint8_t head[HEAD_MOST_BYTES];
    size_t n_head;
    unsigned long long n_out;
};

static void zstd_free(void *self)
{
    struct zstd *z = self;

    ZSTD_freeDStream(z->d);
    bp_mem_free(z);
}

static void *zstd_open(struct bp_err *err)
{
    struct zstd *z = bp_mem_new(1, sizeof *z, err);

    if (!z)
        return NULL;
    z->d = ZSTD_createDStream();
    if (z->d)
        return z;
    bp_fail_oom(err, ZSTD_DStreamOutSize());
    bp_mem_free(z);
    return NULL;
}

static int zstd_begin(void *self, struct bp_err *err)
{
    struct zstd *z = self;
    size_t rc = ZSTD_DCtx_reset(z->d, ZSTD_reset_session_only);

    z->n_head = 0;
    z->n_out = 0;
    if (!ZSTD_isError(rc))
        rc = ZSTD_DCtx_setParameter(z->d, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    if (ZSTD_isError(rc))
        return bp_fail(err, BP_EDATA, "zstd cannot be reset (%s)", ZSTD_getErrorName(rc));
    return 0;
}

static bool is_all(const struct zstd *z)
{
    unsigned long long told = ZSTD_getFrameContentSize(z->head, z->n_head);

    return told == ZSTD_CONTENTSIZE_UNKNOWN || told == z->n_out;
}

static int zstd_step(void *self, struct bp_codec_step *io, struct bp_err *err)
{
    struct zstd *z = self;
    ZSTD_inBuffer in = {io->in, io->n_in, 0};
    ZSTD_outBuffer out = {io->out, io->n_out, 0};
    size_t rc = ZSTD_decompressStream(z->d, &out, &in);
    size_t more = BP_MIN(in.pos, sizeof z->head - z->n_head);

    if (more)
        memcpy(z->head + z->n_head, io->in, more);
    z->n_head += more;
    z->n_out += out.pos;
    io->in += in.pos;
    io->n_in -= in.pos;
    io->out += out.pos;
    io->n_out -= out.pos;
    if (ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation)
        return bp_fail_oom(err, (size_t)1 << WINDOW_LOG_MAX);
    if (!ZSTD_isError(rc) && (rc || is_all(z)))
        return rc == 0 ? BP_DONE : 0;
    io->why = rc ? ZSTD_getErrorName(rc) : "not as long as it says";
    return BP_EDATA;
}

/* ---- frames that tell their size ---- */

#define SKIPPABLE_HEAD_BYTES 8
#define SINGLE_SEGMENT 0x20 /* of the descriptor: no window is asked for */

static bool zstd_look(const uint8_t *p, size_t n, struct bp_codec_frame *f)
{
    unsigned long long plain;
    size_t packed;

    *f = (struct bp_codec_frame){0};
    if (n < SKIPPABLE_HEAD_BYTES || !zstd_is(p, n))
        return false;
    if (u32_at(p) != ZSTD_MAGICNUMBER) {
        f->packed_bytes = SKIPPABLE_HEAD_BYTES + (size_t)u32_at(p + 4);
        return f->packed_bytes <= BP_CODEC_FRAME_BYTES;
    }
    f->packed_bytes = HEAD_MOST_BYTES;
    if (n < HEAD_MOST_BYTES)
        return true;
    plain = ZSTD_getFrameContentSize(p, n);
    if (plain > BP_CODEC_FRAME_BYTES || /* or not known */
        (!(p[4] & SINGLE_SEGMENT) && 10 + (p[5] >> 3) > WINDOW_LOG_MAX))
        return false;
    packed = ZSTD_findFrameCompressedSize(p, n);
    if (ZSTD_isError(packed)) /* not all of it, or damaged: a frame does not grow much */
        packed = n + 1;
    f->packed_bytes = packed;
    f->plain_bytes = (size_t)plain;
    return packed <= ZSTD_compressBound((size_t)plain) + HEAD_MOST_BYTES;
}

static void *zstd_whole_open(struct bp_err *err)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();

    if (!d)
        bp_fail_oom(err, 1);
    return d;
}

static bool zstd_whole(void *self, const uint8_t *p, const struct bp_codec_frame *f, uint8_t *out)
{
    return ZSTD_decompressDCtx(self, out, f->plain_bytes, p, f->packed_bytes) == f->plain_bytes;
}

static void zstd_whole_free(void *self)
{
    ZSTD_freeDCtx(self);
}

const struct bp_codec bp_codec_zstd = {
    .name = "zstd",
    .is = zstd_is,
    .may_follow = zstd_may_follow,
    .open = zstd_open,
    .begin = zstd_begin,
    .step = zstd_step,
    .free = zstd_free,
    .look = zstd_look,
    .whole_open = zstd_whole_open,
    .whole = zstd_whole,
    .whole_free = zstd_whole_free,
};
