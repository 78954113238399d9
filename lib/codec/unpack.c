/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all decoders share: frames one after the other, zero padding behind the
 * last where the format has it, nothing else. An end within a frame is an error,
 * so a cut file never passes for a short one; so is an end within a row of blocks
 * that wants a marker there. Errors say where in the compressed bytes they were seen.
 * Frames that can be decoded by threads are offered to them first.
 */
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "codec/codec.h"
#include "codec/frames.h"
#include "codec/window.h"

#define HEAD_BYTES 32 /* shown at the begin of a frame: a marker of BGZF has 28 */

struct unpack {
    const struct bp_codec *codec;
    struct bp_window window;
    void *decoder;
    bool in_frame; /* a frame has begun and not ended */
    bool any;      /* a frame was begun */
    bool done;     /* the end of the input, at a good place */
    int n_threads; /* that may decode; 0, 1: none but the caller's */
    struct bp_frames *frames;
};

static int failed(const struct unpack *u, const char *what, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "%s: compressed byte %lld: %s", u->window.inner.name,
                   bp_window_offset(&u->window), what);
}

static int ended(struct unpack *u, struct bp_err *err)
{
    u->done = !u->window.in_row;
    return u->done ? 0
                   : failed(u,
                            "the BGZF data ends without its end marker: it was cut (if not, "
                            "unpack it by gzip -dc)",
                            err);
}

/* Behind a frame: nothing, padding, or the next one. */
static int between(struct unpack *u, struct bp_err *err)
{
    struct bp_window *w = &u->window;
    struct bp_codec_frame frame;
    bool padded = false;

    for (;;) {
        BP_TRY(bp_window_show(w, HEAD_BYTES, err));
        if (!bp_window_left(w))
            return ended(u, err);
        if (*bp_window_at(w) != 0 || !u->codec->padded)
            break;
        padded = true;
        bp_window_take(w, 1);
    }
    if (u->any && (padded || !u->codec->may_follow(*bp_window_at(w))))
        return bp_fail(err, BP_EDATA,
                       "%s: compressed byte %lld: bytes that are not %s data behind its end",
                       w->inner.name, bp_window_offset(w), u->codec->name);
    u->in_frame = u->any = true;
    w->in_row = u->codec->look && u->codec->look(bp_window_at(w), bp_window_left(w), &frame) &&
                frame.is_block && !frame.is_marker;
    return u->codec->begin(u->decoder, err);
}

static void drop_decoder(struct unpack *u)
{
    if (u->decoder)
        u->codec->free(u->decoder);
    bp_frames_free(u->frames);
    u->decoder = NULL;
    u->frames = NULL;
}

static int make_decoder(struct unpack *u, struct bp_err *err)
{
    u->decoder = u->codec->open(err);
    return u->decoder ? 0 : err->code;
}

static int step(struct unpack *u, void *p, size_t n, size_t *got, struct bp_err *err)
{
    struct bp_window *w = &u->window;
    struct bp_codec_step io;
    int rc;

    BP_TRY(bp_window_show(w, 1, err));
    io = (struct bp_codec_step){
        .in = bp_window_at(w), .n_in = bp_window_left(w), .out = p, .n_out = n};
    rc = u->codec->step(u->decoder, &io, err);
    bp_window_take(w, bp_window_left(w) - io.n_in);
    *got = n - io.n_out;
    if (rc < 0 && io.why)
        return bp_fail(err, BP_EDATA, "%s: compressed byte %lld: the %s data is damaged (%s)",
                       w->inner.name, bp_window_offset(w), u->codec->name, io.why);
    BP_TRY(rc);
    u->in_frame = rc != BP_DONE;
    if (u->in_frame && !*got && !bp_window_left(w) && w->end)
        return bp_fail(err, BP_EDATA, "%s: compressed byte %lld: the %s data ends early",
                       w->inner.name, bp_window_offset(w), u->codec->name);
    return 0;
}

/* What threads can decode here. */
static int by_threads(struct unpack *u, void *p, size_t n, size_t *got, struct bp_err *err)
{
    if (u->n_threads < 2 || !u->codec->look)
        return 0;
    if (!u->frames)
        BP_TRY(bp_frames_open(&u->frames, u->codec, u->n_threads, err));
    BP_TRY(bp_frames_read(u->frames, &u->window, p, n, got, err));
    u->any = u->any || bp_frames_any(u->frames);
    return 0;
}

static int unpack_read(void *self, void *p, size_t n, size_t *got, struct bp_err *err)
{
    struct unpack *u = self;

    *got = 0;
    n = BP_MIN(n, (size_t)1 << 30);
    if (!u->decoder && !u->done)
        BP_TRY(make_decoder(u, err));
    while (!*got && n && !u->done) {
        if (!u->in_frame) {
            BP_TRY(by_threads(u, p, n, got, err));
            if (!*got)
                BP_TRY(between(u, err));
        } else {
            BP_TRY(step(u, p, n, got, err));
        }
    }
    return 0;
}

static void unpack_threads(void *self, int n_threads)
{
    struct unpack *u = self;

    u->n_threads = n_threads;
}

/* What can be read again is a file, or can say so. */
static bool unpack_rewind(void *self)
{
    struct unpack *u = self;
    struct bp_input *inner = &u->window.inner;

    if (!inner->file && !(inner->ops && inner->ops->rewind))
        return false;
    drop_decoder(u);
    inner->pos_bytes = 0;
    bp_input_rest(inner);
    bp_window_reset(&u->window);
    u->in_frame = u->any = u->done = false;
    return true;
}

static void unpack_free(void *self)
{
    struct unpack *u = self;

    drop_decoder(u);
    bp_window_reset(&u->window);
    bp_input_close(&u->window.inner);
    bp_mem_free(u);
}

static const struct bp_input_ops unpack_ops = {
    .read = unpack_read, .free = unpack_free, .rewind = unpack_rewind, .threads = unpack_threads};

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
    bp_input_move(&u->window.inner, inner);
    if (make_decoder(u, err) < 0) {
        unpack_free(u);
        bp_mem_free(name);
        return err->code;
    }
    out->name = name;
    out->size_bytes = u->window.inner.size_bytes; /* on disk: places the input among others */
    out->mtime_ns = u->window.inner.mtime_ns;
    out->is_named = u->window.inner.is_named;
    memcpy(out->version, u->window.inner.version, sizeof out->version);
    out->ops = &unpack_ops;
    out->self = u;
    return 0;
}
