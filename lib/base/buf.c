/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

int bp_buf_reserve(struct bp_buf *b, size_t extra_bytes, struct bp_err *err)
{
    size_t need, cap;
    uint8_t *p;

    if (__builtin_add_overflow(b->len, extra_bytes, &need))
        return bp_fail_oom(err, SIZE_MAX);
    if (need <= b->cap)
        return 0;
    cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    p = bp_mem_grow(b->data, cap, 1, err);
    if (!p)
        return err->code;
    b->data = p;
    b->cap = cap;
    return 0;
}

int bp_buf_append(struct bp_buf *b, const void *p, size_t n, struct bp_err *err)
{
    BP_TRY(bp_buf_reserve(b, n, err));
    if (n)
        memcpy(b->data + b->len, p, n);
    b->len += n;
    return 0;
}

int bp_buf_puts(struct bp_buf *b, const char *s, struct bp_err *err)
{
    return bp_buf_append(b, s, strlen(s), err);
}

int bp_buf_printf(struct bp_buf *b, struct bp_err *err, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    BP_TRY(bp_buf_reserve(b, (size_t)n + 1, err));
    va_start(ap, fmt);
    vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
    return 0;
}

const char *bp_buf_str(struct bp_buf *b, struct bp_err *err)
{
    if (bp_buf_reserve(b, 1, err) < 0)
        return NULL;
    b->data[b->len] = '\0';
    return (const char *)b->data;
}

void bp_buf_release(struct bp_buf *b)
{
    bp_mem_free(b->data);
    b->data = NULL;
    b->len = b->cap = 0;
}
