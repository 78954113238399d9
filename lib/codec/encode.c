/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip by ISA-L at its highest level (of four), zstd at its default level, with a
 * checksum. Both write one frame, whose end comes with the commit.
 */
#include "codec/encode.h"

#include <isa-l/igzip_lib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/mem.h"
#include "base/num.h"

#define OUT_BYTES ((size_t)128 << 10)
#define GZIP_LEVEL 3

/* ---- gzip ---- */

struct gzip_out {
    struct isal_zstream z;
    uint8_t level_buf[ISAL_DEF_LVL3_DEFAULT];
};

static void *gzip_open(struct bp_err *err)
{
    struct gzip_out *g = bp_mem_new(1, sizeof *g, err);

    if (!g)
        return NULL;
    isal_deflate_init(&g->z);
    g->z.gzip_flag = IGZIP_GZIP;
    g->z.level = GZIP_LEVEL;
    g->z.level_buf = g->level_buf;
    g->z.level_buf_size = sizeof g->level_buf;
    return g;
}

static int gzip_encode(void *self, const void *p, size_t n, bool end, struct bp_buf *out,
                       struct bp_err *err)
{
    struct gzip_out *g = self;

    do { /* in pieces: ISA-L counts in 32 bits */
        size_t piece = BP_MIN(n, (size_t)1 << 30);

        g->z.next_in = (uint8_t *)(uintptr_t)p;
        g->z.avail_in = (uint32_t)piece;
        g->z.end_of_stream = end && piece == n;
        do {
            BP_TRY(bp_buf_reserve(out, OUT_BYTES, err));
            g->z.next_out = out->data + out->len;
            g->z.avail_out = (uint32_t)OUT_BYTES;
            if (isal_deflate(&g->z) != COMP_OK)
                return bp_fail(err, BP_EDATA, "the gzip encoder failed");
            out->len += OUT_BYTES - g->z.avail_out;
        } while (g->z.avail_in || g->z.avail_out == 0);
        p = (const uint8_t *)p + piece;
        n -= piece;
    } while (n);
    return 0;
}

/* ---- zstd ---- */

static void *zstd_open(struct bp_err *err)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();

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
    {"gzip", ".gz", {gzip_encode, bp_mem_free, NULL}, gzip_open},
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

int bp_outfile_encode(struct bp_outfile *f, const struct bp_encoding *e, struct bp_err *err)
{
    f->encoder = e->encoder;
    f->encoder.self = e->open(err);
    return f->encoder.self ? 0 : err->code;
}
