/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caret: where in a clause something is wrong. The line is shown as it
 * stands, cut to a window around the place when it is long; columns are
 * counted in characters as a terminal shows them.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "expr/lex.h"

#define WINDOW_BYTES 100

/* Columns that the character at s takes; *len its bytes. */
static int char_columns(const unsigned char *s, size_t n, size_t *len)
{
    uint32_t c = s[0];
    size_t k = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    if (k > n)
        k = n;
    *len = k;
    if (k == 1)
        return 1;
    c &= k == 2 ? 0x1fu : k == 3 ? 0x0fu : 0x07u;
    for (size_t i = 1; i < k; i++)
        c = c << 6 | (s[i] & 0x3fu);
    if ((c >= 0x300 && c < 0x370) || c == 0x200d || (c >= 0xfe00 && c < 0xfe10))
        return 0;
    if ((c >= 0x1100 && c < 0x1160) || (c >= 0x2e80 && c < 0xa4d0) || (c >= 0xac00 && c < 0xd7a4) ||
        (c >= 0xf900 && c < 0xfb00) || (c >= 0xfe30 && c < 0xfe70) || (c >= 0xff00 && c < 0xff61) ||
        (c >= 0x1f300 && c < 0x1f650) || (c >= 0x1f900 && c < 0x1fa00) ||
        (c >= 0x20000 && c < 0x30000))
        return 2;
    return 1;
}

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

int bp_fail_at(struct bp_err *err, const char *text, int at, const char *fmt, ...)
{
    char msg[1400], pad[2 * WINDOW_BYTES + 8];
    size_t n = strlen(text), from, to, pos, len, p = 0;
    bool cut_left, cut_right;
    va_list ap;

    if (err->code)
        return err->code;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    pos = at < 0 ? 0 : (size_t)at > n ? n : (size_t)at;
    for (from = pos; from > 0 && text[from - 1] != '\n'; from--)
        ;
    for (to = pos; to < n && text[to] != '\n'; to++)
        ;
    cut_left = pos - from > WINDOW_BYTES / 2;
    if (cut_left)
        for (from = pos - WINDOW_BYTES / 2; is_tail(text[from]); from++)
            ;
    cut_right = to - from > WINDOW_BYTES;
    if (cut_right)
        for (to = from + WINDOW_BYTES; is_tail(text[to]); to--)
            ;
    if (cut_left)
        p += (size_t)snprintf(pad, sizeof pad, "   ");
    for (size_t i = from; i < pos; i += len) {
        int w = char_columns((const unsigned char *)text + i, pos - i, &len);

        for (int k = 0; k < w; k++)
            pad[p++] = text[i] == '\t' ? '\t' : ' ';
    }
    return bp_fail(err, BP_EUSAGE, "%s\n  %s%.*s%s\n  %.*s^", msg, cut_left ? "..." : "",
                   (int)(to - from), text + from, cut_right ? "..." : "", (int)p, pad);
}
