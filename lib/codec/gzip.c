/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip (RFC 1952) by zlib: members one after the other, each with its checksum
 * and length checked; zeros may pad the end, anything else there is an error.
 * An end within a member is an error, so a cut file never passes for a short one.
 */
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "codec/codec.h"

#define IN_BYTES ((size_t)128 << 10)

struct gzip {
    struct bp_input inner;
    z_stream z;
    bool z_open;
    bool in_member;      /* a member has begun and not ended */
    bool done;           /* the end of the input, at a good place */
    bool any;            /* a member was read */
    int64_t taken_bytes; /* compressed bytes given to zlib or passed over */
    uint8_t *buf;
};

static long long gzip_at(const struct gzip *g)
{
    return (long long)(g->taken_bytes - (int64_t)g->z.avail_in);
}

/* More compressed bytes, if there are none; avail_in 0 then is the end. */
static int gzip_refill(struct gzip *g, struct bp_err *err)
{
    size_t got;

    if (g->z.avail_in)
        return 0;
    BP_TRY(bp_input_read_some(&g->inner, g->buf, IN_BYTES, &got, err));
    g->z.next_in = g->buf;
    g->z.avail_in = (uInt)got;
    g->taken_bytes += (int64_t)got;
    return 0;
}

/* Behind a member: nothing, padding, or the next one. */
static int gzip_between(struct gzip *g, struct bp_err *err)
{
    bool padded = false;

    for (;;) {
        BP_TRY(gzip_refill(g, err));
        if (!g->z.avail_in) {
            g->done = true;
            return 0;
        }
        if (*g->z.next_in != 0)
            break;
        padded = true;
        g->z.next_in++;
        g->z.avail_in--;
    }
    if (g->any && (padded || *g->z.next_in != 0x1f))
        return bp_fail(err, BP_EDATA,
                       "%s: compressed byte %lld: bytes that are not gzip data behind its end",
                       g->inner.name, gzip_at(g));
    if (inflateReset(&g->z) != Z_OK)
        return bp_fail(err, BP_EDATA, "%s: zlib cannot be reset", g->inner.name);
    g->in_member = true;
    g->any = true;
    return 0;
}

static int gzip_bad(const struct gzip *g, int z_rc, struct bp_err *err)
{
    if (z_rc == Z_MEM_ERROR)
        return bp_fail_oom(err, 1 << 16);
    return bp_fail(err, BP_EDATA, "%s: compressed byte %lld: the gzip data is damaged (%s)",
                   g->inner.name, gzip_at(g), g->z.msg ? g->z.msg : "no reason given");
}

static int gzip_read(void *self, void *p, size_t n, size_t *got, struct bp_err *err)
{
    struct gzip *g = self;
    int rc;

    *got = 0;
    n = BP_MIN(n, (size_t)INT_MAX);
    while (!*got && n && !g->done) {
        if (!g->in_member) {
            BP_TRY(gzip_between(g, err));
            continue;
        }
        BP_TRY(gzip_refill(g, err));
        if (!g->z.avail_in)
            return bp_fail(err, BP_EDATA, "%s: compressed byte %lld: the gzip data ends early",
                           g->inner.name, gzip_at(g));
        g->z.next_out = p;
        g->z.avail_out = (uInt)n;
        rc = inflate(&g->z, Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return gzip_bad(g, rc, err);
        *got = n - g->z.avail_out;
        g->in_member = rc != Z_STREAM_END;
    }
    return 0;
}

static void gzip_free(void *self)
{
    struct gzip *g = self;

    if (g->z_open)
        inflateEnd(&g->z);
    bp_input_close(&g->inner);
    bp_mem_free(g->buf);
    bp_mem_free(g);
}

static const struct bp_input_ops gzip_ops = {gzip_read, gzip_free};

static bool gzip_is(const uint8_t *head, size_t n)
{
    return n >= 2 && head[0] == 0x1f && head[1] == 0x8b;
}

static int gzip_open(struct bp_input *out, struct bp_input *inner, struct bp_err *err)
{
    struct gzip *g = bp_mem_new(1, sizeof *g, err);
    char *name = g ? bp_mem_str(inner->name, err) : NULL;

    memset(out, 0, sizeof *out);
    out->fd = -1;
    if (!name) {
        bp_mem_free(g);
        bp_input_close(inner);
        return err->code;
    }
    bp_input_move(&g->inner, inner);
    g->buf = bp_mem_new(IN_BYTES, 1, err);
    g->z_open = g->buf && inflateInit2(&g->z, 15 + 16) == Z_OK; /* 16: gzip only */
    if (!g->z_open) {
        gzip_free(g);
        bp_mem_free(name);
        return bp_fail_oom(err, IN_BYTES);
    }
    out->name = name;
    out->size_bytes = g->inner.size_bytes; /* on disk: places the input among others */
    out->mtime_ns = g->inner.mtime_ns;
    out->ops = &gzip_ops;
    out->self = g;
    return 0;
}

const struct bp_codec bp_codec_gzip = {"gzip", gzip_is, gzip_open};
