/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip is written as BGZF (bgzf.c), by threads. zstd is one frame at the default level, with a
 * checksum, whose end comes with the commit, by the caller alone: of several frames some readers
 * (python-zstandard) take the first for all, and the workers of its library (1.5.4) end by a
 * signal where they are refused memory.
 */
#include "codec/encode.h"

#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/num.h"
#include "codec/bgzf.h"

#define OUT_BYTES ((size_t)128 << 10)

/* ---- zstd ---- */

static void *zstd_open(int n_threads, struct bp_err *err)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();

    (void)n_threads;
    if (!c || ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1))) {
        ZSTD_freeCCtx(c);
        bp_fail_oom(err, OUT_BYTES);
        return NULL;
    }
    return c;
}

static int zstd_encode(void *self, const void *p, size_t n, bool end, struct bp_buf *out,
                       struct bp_err *err)
{
    ZSTD_inBuffer in = {p, n, 0};
    size_t left;

    do {
        ZSTD_outBuffer room;

        BP_TRY(bp_buf_reserve(out, OUT_BYTES, err));
        room = (ZSTD_outBuffer){out->data + out->len, OUT_BYTES, 0};
        left = ZSTD_compressStream2(self, &room, &in, end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
            return bp_fail_oom(err, OUT_BYTES);
        if (ZSTD_isError(left))
            return bp_fail(err, BP_EDATA, "the zstd encoder failed (%s)", ZSTD_getErrorName(left));
        out->len += room.pos;
    } while (end ? left != 0 : in.pos < in.size);
    return 0;
}

static void zstd_free(void *self)
{
    ZSTD_freeCCtx(self);
}

/* ---- all ---- */

static const struct bp_encoding encodings[] = {
    {"gzip", ".gz", {bp_bgzf_encode, bp_bgzf_free, NULL}, bp_bgzf_open},
    {"zstd", ".zst", {zstd_encode, zstd_free, NULL}, zstd_open},
};

const struct bp_encoding *bp_encoding_named(const char *name)
{
    for (size_t i = 0; i < BP_COUNT_OF(encodings); i++)
        if (strcmp(encodings[i].name, name) == 0)
            return &encodings[i];
    return NULL;
}

const struct bp_encoding *bp_encoding_of_path(const char *path)
{
    size_t n = strlen(path), k;

    for (size_t i = 0; i < BP_COUNT_OF(encodings); i++) {
        k = strlen(encodings[i].suffix);
        if (n > k && strcmp(path + n - k, encodings[i].suffix) == 0)
            return &encodings[i];
    }
    return NULL;
}

int bp_outfile_encode(struct bp_outfile *f, const struct bp_encoding *e, int n_threads,
                      struct bp_err *err)
{
    f->encoder = e->encoder;
    f->encoder.self = e->open(n_threads, err);
    return f->encoder.self ? 0 : err->code;
}
