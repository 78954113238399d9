/* SPDX-License-Identifier: Apache-2.0 */
/* Which codec an input is written in, by its first bytes. */
#include "base/num.h"
#include "codec/codec.h"

#define HEAD_BYTES 8

static const struct bp_codec *const codecs[] = {
    &bp_codec_gzip, &bp_codec_zstd, &bp_codec_lz4, &bp_codec_bzip2, &bp_codec_xz,
};

int bp_codec_detect(struct bp_input *in, struct bp_err *err)
{
    struct bp_input plain;
    const uint8_t *head;
    size_t n;

    BP_TRY(bp_input_peek(in, HEAD_BYTES, &head, &n, err));
    for (size_t i = 0; i < BP_COUNT_OF(codecs); i++)
        if (codecs[i]->is(head, n)) {
            bp_input_move(&plain, in);
            return bp_codec_open(in, &plain, codecs[i], err);
        }
    return 0;
}
