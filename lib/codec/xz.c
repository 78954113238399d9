/* SPDX-License-Identifier: Apache-2.0 */
/* xz, stream by stream. */
#include <lzma.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "codec/codec.h"

/* What the data may ask for: xz -9 wants 65 MiB. */
#define MEMORY_MAX ((uint64_t)128 << 20)

static bool xz_is(const uint8_t *head, size_t n)
{
    return n >= 6 && memcmp(head, "\xFD\x37zXZ", 6) == 0;
}

static bool xz_may_follow(uint8_t first)
{
    return first == 0xFD;
}

static void *xz_open(struct bp_err *err)
{
    lzma_stream *z = bp_mem_new(1, sizeof *z, err);

    if (z)
        *z = (lzma_stream)LZMA_STREAM_INIT;
    return z;
}

static int xz_begin(void *self, struct bp_err *err)
{
    if (lzma_stream_decoder(self, MEMORY_MAX, LZMA_TELL_UNSUPPORTED_CHECK) != LZMA_OK)
        return bp_fail_oom(err, 1 << 16);
    return 0;
}

static int xz_step(void *self, struct bp_codec_step *io, struct bp_err *err)
{
    lzma_stream *z = self;
    lzma_ret rc;

    z->next_in = io->in;
    z->avail_in = io->n_in;
    z->next_out = io->out;
    z->avail_out = io->n_out;
    rc = lzma_code(z, LZMA_RUN);
    io->in = z->next_in;
    io->n_in = z->avail_in;
    io->out = z->next_out;
    io->n_out = z->avail_out;
    switch (rc) {
    case LZMA_OK:
    case LZMA_BUF_ERROR: return 0; /* no progress for want of input */
    case LZMA_STREAM_END: return BP_DONE;
    case LZMA_MEM_ERROR: return bp_fail_oom(err, 1 << 20);
    case LZMA_MEMLIMIT_ERROR: io->why = "its dictionary wants more than 128 MiB"; break;
    case LZMA_FORMAT_ERROR: io->why = "an invalid header"; break;
    case LZMA_UNSUPPORTED_CHECK:
    case LZMA_OPTIONS_ERROR: io->why = "a filter or checksum that is not known"; break;
    default: io->why = "incorrect data check"; break;
    }
    return BP_EDATA;
}

static void xz_free(void *self)
{
    lzma_end(self);
    bp_mem_free(self);
}

const struct bp_codec bp_codec_xz = {
    .name = "xz",
    .padded = true,
    .is = xz_is,
    .may_follow = xz_may_follow,
    .open = xz_open,
    .begin = xz_begin,
    .step = xz_step,
    .free = xz_free,
};
