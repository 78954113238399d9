/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressed streams. A codec is one const record in one file; unpack.c makes a
 * decoder of it, a bp_input stacked on another, and detect.c chooses by magic.
 */
#ifndef BP_CODEC_CODEC_H
#define BP_CODEC_CODEC_H

#include "sys/input.h"

/* One step of decoding: both ends are moved on by what was taken and given. */
struct bp_codec_step {
    const uint8_t *in;
    size_t n_in;
    uint8_t *out;
    size_t n_out;
    const char *why; /* with BP_EDATA: what is wrong with the data; a constant */
};

struct bp_codec {
    const char *name;
    bool padded;                               /* zeros may stand behind the last frame */
    bool (*is)(const uint8_t *head, size_t n); /* by its magic bytes */
    bool (*may_follow)(uint8_t first);         /* may a further frame begin with this byte? */
    void *(*open)(struct bp_err *err);         /* NULL with *err */
    /* A frame (gzip: a member) begins. */
    int (*begin)(void *self, struct bp_err *err);
    /* Takes what it can and gives what it can. BP_DONE: the frame is whole, its
     * checksum was right, and nothing behind it was taken; BP_EDATA with io->why
     * (and *err empty): the data are damaged. */
    int (*step)(void *self, struct bp_codec_step *io, struct bp_err *err);
    void (*free)(void *self);
};

extern const struct bp_codec bp_codec_gzip;  /* gzip.c: RFC 1952 */
extern const struct bp_codec bp_codec_zstd;  /* zstd.c: RFC 8878 */
extern const struct bp_codec bp_codec_lz4;   /* lz4.c: LZ4 frames */
extern const struct bp_codec bp_codec_bzip2; /* bzip2.c */
extern const struct bp_codec bp_codec_xz;    /* xz.c */

/* Takes inner over (also on error); out reads the decoded bytes. */
int bp_codec_open(struct bp_input *out, struct bp_input *inner, const struct bp_codec *codec,
                  struct bp_err *err) BP_MUST;

/* If in begins with the magic of a known codec, *in becomes the decoder over it. */
int bp_codec_detect(struct bp_input *in, struct bp_err *err) BP_MUST;

#endif
