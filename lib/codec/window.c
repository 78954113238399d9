/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/window.h"

#include <string.h>

#include "base/num.h"

#define READ_BYTES ((size_t)128 << 10)

/* What is shown stands at offset lead of buf, with room for n bytes behind it. */
static int place(struct bp_window *w, size_t lead, size_t n, struct bp_err *err)
{
    size_t left = bp_window_left(w);

    if (lead + left + n > w->buf.cap)
        BP_TRY(bp_buf_reserve(&w->buf, lead + left + n - w->buf.len, err));
    if (left && lead != w->from)
        memmove(w->buf.data + lead, w->buf.data + w->from, left);
    w->from = lead;
    w->buf.len = lead + left;
    return 0;
}

int bp_window_show(struct bp_window *w, size_t n, struct bp_err *err)
{
    size_t got;

    while (bp_window_left(w) < n && !w->end) {
        BP_TRY(place(w, 0, READ_BYTES, err));
        BP_TRY(bp_input_read_some(&w->inner, w->buf.data + w->buf.len, READ_BYTES, &got, err));
        w->buf.len += got;
        w->taken_bytes += (int64_t)got;
        w->end = !got;
    }
    return 0;
}

int bp_window_put_back(struct bp_window *w, const void *p, size_t n, struct bp_err *err)
{
    if (!n)
        return 0;
    if (w->from < n)
        BP_TRY(place(w, n, 0, err));
    w->from -= n;
    memcpy(w->buf.data + w->from, p, n);
    return 0;
}

void bp_window_reset(struct bp_window *w)
{
    bp_buf_release(&w->buf);
    w->from = 0;
    w->taken_bytes = 0;
    w->end = w->in_row = false;
}
