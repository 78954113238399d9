/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressed buffers: LZ4 frames and ZSTD. The length in front is a claim: the
 * block starts at no more than FIRST_BYTES (or a likely multiple of what came)
 * and grows only as bytes come out, so a bogus length costs nothing.
 */
#include <lz4frame.h>
#include <zstd.h>

#include "ipc/wire.h"

#define FIRST_BYTES ((size_t)4 << 20)
#define LIKELY_RATIO 64

static int damaged(struct bp_err *err, const char *codec)
{
    return bp_fail(err, BP_EDATA, "a buffer compressed by %s is damaged", codec);
}

static size_t first_bytes(size_t packed, size_t claimed)
{
    size_t likely = packed > SIZE_MAX / LIKELY_RATIO ? SIZE_MAX : packed * LIKELY_RATIO;

    return BP_MIN(claimed, BP_MAX(FIRST_BYTES, likely));
}

/* More room, up to claimed: doubles. */
static int grow(struct bp_block **b, size_t used, size_t *cap, size_t claimed, struct bp_err *err)
{
    size_t more = *cap > claimed / 2 ? claimed : *cap * 2;

    BP_TRY(bp_block_grow(b, used, more, err));
    *cap = more;
    return 0;
}

static int unpack_zstd(const uint8_t *in, size_t n, size_t claimed, struct bp_block **b,
                       struct bp_err *err)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    ZSTD_inBuffer from = {in, n, 0};
    size_t cap = first_bytes(n, claimed), left = 1;
    ZSTD_outBuffer to = {0};
    int rc = 0;

    if (!ctx)
        return bp_fail_oom(err, 1 << 17);
    BP_GO(bp_block_new(b, cap, err));
    while (left) {
        size_t in_before = from.pos, out_before = to.pos;

        to.dst = (*b)->data;
        to.size = cap;
        left = ZSTD_decompressStream(ctx, &to, &from);
        if (ZSTD_isError(left)) {
            rc = damaged(err, "zstd");
            goto out;
        }
        if (left && to.pos == cap && cap < claimed)
            BP_GO(grow(b, to.pos, &cap, claimed, err));
        else if (left && from.pos == in_before && to.pos == out_before)
            break;
    }
    if (left || to.pos != claimed || from.pos != n)
        rc = damaged(err, "zstd");
out:
    ZSTD_freeDCtx(ctx);
    return rc;
}

static int unpack_lz4(const uint8_t *in, size_t n, size_t claimed, struct bp_block **b,
                      struct bp_err *err)
{
    LZ4F_dctx *ctx = NULL;
    size_t cap = first_bytes(n, claimed), at = 0, out_at = 0, left = 1;
    int rc = 0;

    if (LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION)))
        return bp_fail_oom(err, 1 << 17);
    BP_GO(bp_block_new(b, cap, err));
    while (left) {
        size_t took = n - at, gave = cap - out_at;

        left = LZ4F_decompress(ctx, (*b)->data + out_at, &gave, in + at, &took, NULL);
        if (LZ4F_isError(left)) {
            rc = damaged(err, "lz4");
            goto out;
        }
        at += took;
        out_at += gave;
        if (left && out_at == cap && cap < claimed)
            BP_GO(grow(b, out_at, &cap, claimed, err));
        else if (left && !took && !gave)
            break;
    }
    if (left || out_at != claimed || at != n)
        rc = damaged(err, "lz4");
out:
    LZ4F_freeDecompressionContext(ctx);
    return rc;
}

int bp_ipc_decompress(int codec, const uint8_t *in, size_t n, int64_t out_bytes,
                      struct bp_block **out, struct bp_err *err)
{
    struct bp_block *b = NULL;
    int rc = codec == FB_CODEC_ZSTD ? unpack_zstd(in, n, (size_t)out_bytes, &b, err)
                                    : unpack_lz4(in, n, (size_t)out_bytes, &b, err);

    if (rc < 0)
        bp_block_unref(b);
    else
        *out = b;
    return rc;
}
