/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames decoded by threads, where they are small and tell their length (codec.h: look).
 *
 *     bp_frames_open(); bp_frames_read() between any two frames; bp_frames_free()
 */
#ifndef BP_CODEC_FRAMES_H
#define BP_CODEC_FRAMES_H

#include "codec/codec.h"
#include "codec/window.h"

struct bp_frames;

/* Nothing is started before there is work for more than one thread. */
int bp_frames_open(struct bp_frames **out, const struct bp_codec *codec, int n_threads,
                   struct bp_err *err) BP_MUST;
/* Up to n decoded bytes of the frames that w shows next, which are taken from it. *got 0: all
 * that was taken was given, and what w shows now is none of them, or damaged: the next frame is
 * the caller's to go through. */
int bp_frames_read(struct bp_frames *f, struct bp_window *w, void *p, size_t n, size_t *got,
                   struct bp_err *err) BP_MUST;
bool bp_frames_any(const struct bp_frames *f); /* was any frame taken? */
void bp_frames_free(struct bp_frames *f);      /* NULL is a no-op */

#endif
