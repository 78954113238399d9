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

/* What the head of a frame tells of it. */
struct bp_codec_frame {
    size_t packed_bytes; /* its length, head and checksum with it */
    size_t plain_bytes;  /* what it gives; set once packed_bytes are shown */
    bool is_block;       /* one of a row that an end marker is to close (BGZF) */
    bool is_marker;      /* that marker */
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
    /* Optional, for frames that are small and tell their length, so that threads can decode
     * them: does one begin at p[0, n)? packed_bytes > n: show that many (it may ask for more
     * again; what is shown to the end of the input is all that there is). False: go through
     * it by step(). step() is what a frame means: what whole() cannot do is done again by it. */
    bool (*look)(const uint8_t *p, size_t n, struct bp_codec_frame *f);
    void *(*whole_open)(struct bp_err *err); /* a thread's own; freed by whole_free */
    /* p, one frame, gives exactly f->plain_bytes into out; else false. */
    bool (*whole)(void *self, const uint8_t *p, const struct bp_codec_frame *f, uint8_t *out);
    void (*whole_free)(void *self);
};

/* A frame for look() is at most so long, packed and plain: they wait in memory. */
#define BP_CODEC_FRAME_BYTES ((size_t)4 << 20)

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
