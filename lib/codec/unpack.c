/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all decoders share: frames one after the other, zero padding behind the
 * last where the format has it, nothing else. An end within a frame is an error,
 * so a cut file never passes for a short one. Errors say where in the compressed
 * bytes they were seen.
 */
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "codec/codec.h"

#define IN_BYTES ((size_t)128 << 10)

struct unpack {
    const struct bp_codec *codec;
    struct bp_input inner;
    void *decoder;
    bool in_frame;       /* a frame has begun and not ended */
    bool any;            /* a frame was begun */
    bool inner_end;      /* inner has no more */
    bool done;           /* the end of the input, at a good place */
    int64_t taken_bytes; /* compressed bytes read from inner */
    const uint8_t *at;   /* of which these are not decoded yet */
    size_t n_left;
    uint8_t *buf;
};

static long long offset(const struct unpack *u)
{
    return (long long)(u->taken_bytes - (int64_t)u->n_left);
}

static int refill(struct unpack *u, struct bp_err *err)
{
    if (u->n_left || u->inner_end)
        return 0;
    BP_TRY(bp_input_read_some(&u->inner, u->buf, IN_BYTES, &u->n_left, err));
    u->at = u->buf;
    u->taken_bytes += (int64_t)u->n_left;
    u->inner_end = !u->n_left;
    return 0;
}

/* Behind a frame: nothing, padding, or the next one. */
static int between(struct unpack *u, struct bp_err *err)
{
    bool padded = false;

    for (;;) {
        BP_TRY(refill(u, err));
        if (!u->n_left) {
            u->done = true;
            return 0;
        }
        if (*u->at != 0 || !u->codec->padded)
            break;
        padded = true;
        u->at++;
        u->n_left--;
    }
    if (u->any && (padded || !u->codec->may_follow(*u->at)))
        return bp_fail(err, BP_EDATA,
                       "%s: compressed byte %lld: bytes that are not %s data behind its end",
                       u->inner.name, offset(u), u->codec->name);
    u->in_frame = u->any = true;
    return u->codec->begin(u->decoder, err);
}

static void drop_decoder(struct unpack *u)
{
    if (u->decoder)
        u->codec->free(u->decoder);
    bp_mem_free(u->buf);
    u->decoder = NULL;
    u->buf = NULL;
}

static int make_decoder(struct unpack *u, struct bp_err *err)
{
    u->buf = bp_mem_new(IN_BYTES, 1, err);
    u->decoder = u->buf ? u->codec->open(err) : NULL;
    return u->decoder ? 0 : err->code;
}

static int unpack_read(void *self, void *p, size_t n, size_t *got, struct bp_err *err)
{
    struct unpack *u = self;
    struct bp_codec_step io;
    int rc;

    *got = 0;
    n = BP_MIN(n, (size_t)1 << 30);
    if (!u->decoder && !u->done)
        BP_TRY(make_decoder(u, err));
    while (!*got && n && !u->done) {
        if (!u->in_frame) {
            BP_TRY(between(u, err));
            continue;
        }
        BP_TRY(refill(u, err));
        io = (struct bp_codec_step){.in = u->at, .n_in = u->n_left, .out = p, .n_out = n};
        rc = u->codec->step(u->decoder, &io, err);
        u->at = io.in;
        u->n_left = io.n_in;
        *got = n - io.n_out;
        if (rc < 0 && io.why)
            return bp_fail(err, BP_EDATA, "%s: compressed byte %lld: the %s data is damaged (%s)",
                           u->inner.name, offset(u), u->codec->name, io.why);
        BP_TRY(rc);
        u->in_frame = rc != BP_DONE;
        if (u->in_frame && !*got && !u->n_left && u->inner_end)
            return bp_fail(err, BP_EDATA, "%s: compressed byte %lld: the %s data ends early",
                           u->inner.name, offset(u), u->codec->name);
    }
    return 0;
}

/* What can be read again is a file, or can say so. */
static bool unpack_rewind(void *self)
{
    struct unpack *u = self;

    if (!u->inner.file && !(u->inner.ops && u->inner.ops->rewind))
        return false;
    drop_decoder(u);
    u->inner.pos_bytes = 0;
    bp_input_rest(&u->inner);
    u->in_frame = u->any = u->inner_end = u->done = false;
    u->taken_bytes = 0;
    u->n_left = 0;
    return true;
}

static void unpack_free(void *self)
{
    struct unpack *u = self;

    drop_decoder(u);
    bp_input_close(&u->inner);
    bp_mem_free(u);
}

static const struct bp_input_ops unpack_ops = {
    .read = unpack_read, .free = unpack_free, .rewind = unpack_rewind};

int bp_codec_open(struct bp_input *out, struct bp_input *inner, const struct bp_codec *codec,
                  struct bp_err *err)
{
    struct unpack *u = bp_mem_new(1, sizeof *u, err);
    char *name = u ? bp_mem_str(inner->name, err) : NULL;

    memset(out, 0, sizeof *out);
    out->fd = -1;
    if (!name) {
        bp_mem_free(u);
        bp_input_close(inner);
        return err->code;
    }
    u->codec = codec;
    bp_input_move(&u->inner, inner);
    if (make_decoder(u, err) < 0) {
        unpack_free(u);
        bp_mem_free(name);
        return err->code;
    }
    out->name = name;
    out->size_bytes = u->inner.size_bytes; /* on disk: places the input among others */
    out->mtime_ns = u->inner.mtime_ns;
    out->is_named = u->inner.is_named;
    memcpy(out->version, u->inner.version, sizeof out->version);
    out->ops = &unpack_ops;
    out->self = u;
    return 0;
}
