/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed streams: a decoder is a bp_input stacked on another. One file each. */
#ifndef BP_CODEC_CODEC_H
#define BP_CODEC_CODEC_H

#include "sys/input.h"

struct bp_codec {
    const char *name;
    bool (*is)(const uint8_t *head, size_t n); /* by its magic bytes */
    /* Takes inner over (also on error); out reads the decoded bytes. */
    int (*open)(struct bp_input *out, struct bp_input *inner, struct bp_err *err);
};

extern const struct bp_codec bp_codec_gzip; /* gzip.c: RFC 1952, several members */

/* If in begins with the magic of a known codec, *in becomes the decoder over it. */
int bp_codec_detect(struct bp_input *in, struct bp_err *err) BP_MUST;

#endif
