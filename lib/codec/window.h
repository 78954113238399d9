/* SPDX-License-Identifier: Apache-2.0 */
/* The compressed bytes that were read and not yet decoded. */
#ifndef BP_CODEC_WINDOW_H
#define BP_CODEC_WINDOW_H

#include "sys/input.h"

struct bp_window {
    struct bp_input inner;
    struct bp_buf buf; /* data[from, len) are shown */
    size_t from;
    int64_t taken_bytes; /* read from inner */
    bool end;            /* inner has no more */
    bool in_row;         /* the last frame taken is of a row whose end marker is still to come */
};

static inline const uint8_t *bp_window_at(const struct bp_window *w)
{
    return w->buf.data + w->from;
}

static inline size_t bp_window_left(const struct bp_window *w)
{
    return w->buf.len - w->from;
}

/* Where the first byte shown is, in the compressed bytes. */
static inline long long bp_window_offset(const struct bp_window *w)
{
    return (long long)(w->taken_bytes - (int64_t)bp_window_left(w));
}

/* Shows at least n bytes; fewer only at the end of inner. */
int bp_window_show(struct bp_window *w, size_t n, struct bp_err *err) BP_MUST;
static inline void bp_window_take(struct bp_window *w, size_t n)
{
    w->from += n;
}
/* Bytes that were taken, in front of those shown. */
int bp_window_put_back(struct bp_window *w, const void *p, size_t n, struct bp_err *err) BP_MUST;
/* Forgets everything but inner, which is read from its beginning. */
void bp_window_reset(struct bp_window *w);

#endif
