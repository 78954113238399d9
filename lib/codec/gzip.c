/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip (RFC 1952), member by member, by ISA-L: the same bytes as zlib's inflate at
 * about three times its speed, in the same bounded memory, and it checks the checksum
 * and the length. (libdeflate is as fast, but wants whole members in memory.)
 */
#include <isa-l/igzip_lib.h>

#include "base/mem.h"
#include "base/num.h"
#include "codec/codec.h"

static bool gzip_is(const uint8_t *head, size_t n)
{
    return n >= 2 && head[0] == 0x1f && head[1] == 0x8b;
}

static bool gzip_may_follow(uint8_t first)
{
    return first == 0x1f;
}

static void *gzip_open(struct bp_err *err)
{
    struct inflate_state *z = bp_mem_new(1, sizeof *z, err);

    if (z)
        isal_inflate_init(z);
    return z;
}

static int gzip_begin(void *self, struct bp_err *err)
{
    struct inflate_state *z = self;

    (void)err;
    isal_inflate_reset(z);
    z->crc_flag = ISAL_GZIP;
    return 0;
}

static const char *reason(int rc)
{
    switch (rc) {
    case ISAL_INVALID_BLOCK: return "an invalid block";
    case ISAL_INVALID_SYMBOL: return "an invalid code";
    case ISAL_INVALID_LOOKBACK: return "a distance too far back";
    case ISAL_INVALID_WRAPPER: return "an invalid header";
    case ISAL_UNSUPPORTED_METHOD: return "an unknown method";
    case ISAL_INCORRECT_CHECKSUM: return "incorrect data check";
    default: return "no reason given";
    }
}

static int gzip_step(void *self, struct bp_codec_step *io, struct bp_err *err)
{
    struct inflate_state *z = self;
    uint32_t n_in = (uint32_t)io->n_in, n_out = (uint32_t)io->n_out;
    int rc;

    (void)err;
    z->next_in = (uint8_t *)(uintptr_t)io->in;
    z->avail_in = n_in;
    z->next_out = io->out;
    z->avail_out = n_out;
    rc = isal_inflate(z);
    io->in = z->next_in;
    io->n_in = z->avail_in;
    io->out = z->next_out;
    io->n_out = z->avail_out;
    if (rc < 0) {
        io->why = reason(rc);
        return BP_EDATA;
    }
    return z->block_state == ISAL_BLOCK_FINISH ? BP_DONE : 0;
}

const struct bp_codec bp_codec_gzip = {"gzip",    true,       gzip_is,   gzip_may_follow,
                                       gzip_open, gzip_begin, gzip_step, bp_mem_free};
