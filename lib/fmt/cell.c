/* SPDX-License-Identifier: Apache-2.0 */
/* One value as text for a terminal: escapes, width, cut. */
#include "fmt/cell.h"

#include <stdio.h>
#include <string.h>

#include "col/text.h"
#include "fmt/width.h"

#define ELLIPSIS "\xe2\x80\xa6" /* one column */
/* Characters that combine have no width: a cell of width w may still not have
 * more bytes than this. */
#define MAX_BYTES(w) (64 + (size_t)(w)*16)

/* What one step over the input gives: bytes taken, and what is shown for them. */
struct unit {
    size_t taken;
    size_t len;
    int width;
    char text[12];
};

/* The code point at s[0, n) (n > 0) and its length; 0 where this is no UTF-8. */
static size_t utf8_at(const uint8_t *s, size_t n, uint32_t *out)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c = s[0];
    size_t len = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;

    if (len == 0 || len > n)
        return 0;
    if (len > 1)
        c &= 0x7Fu >> len;
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3F);
    }
    if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *out = c;
    return len;
}

/* Would it move the cursor, break the line or turn the text around? */
static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x61C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

static void escape(struct unit *u, uint32_t c, bool is_byte)
{
    static const char letters[] = "abtnvfr"; /* from 7 on */
    int n;

    if (!is_byte && c >= 7 && c <= 13)
        n = snprintf(u->text, sizeof u->text, "\\%c", letters[c - 7]);
    else if (is_byte || c < 0x80)
        n = snprintf(u->text, sizeof u->text, "\\x%02x", (unsigned)c);
    else
        n = snprintf(u->text, sizeof u->text, "\\u%04x", (unsigned)c);
    u->len = (size_t)n;
    u->width = n;
}

static void next_unit(const uint8_t *s, size_t n, struct unit *u)
{
    uint32_t c;

    u->taken = utf8_at(s, n, &c);
    if (u->taken == 0) {
        u->taken = 1;
        escape(u, s[0], true);
    } else if (is_unsafe(c)) {
        escape(u, c, false);
    } else {
        u->len = u->taken;
        u->width = bp_char_width(c);
        memcpy(u->text, s, u->taken);
    }
}

int bp_cell_text(struct bp_buf *out, const void *s, size_t n, int max_width, int64_t *width,
                 struct bp_err *err)
{
    const uint8_t *p = s, *end = p + n;
    size_t from = out->len, cut_at = from; /* the last place with room for the ellipsis */
    int64_t w = 0, cut_width = 0;
    struct unit u;

    for (; p < end; p += u.taken) {
        next_unit(p, (size_t)(end - p), &u);
        if (max_width > 0 && (w + u.width > max_width || out->len - from > MAX_BYTES(max_width))) {
            out->len = cut_at;
            *width = cut_width + 1;
            return bp_buf_puts(out, ELLIPSIS, err);
        }
        BP_TRY(bp_buf_append(out, u.text, u.len, err));
        w += u.width;
        if (w < max_width) {
            cut_at = out->len;
            cut_width = w;
        }
    }
    *width = w;
    return 0;
}

static int binary_text(struct bp_buf *out, const uint8_t *p, size_t n, int max_width,
                       int64_t *width, struct bp_err *err)
{
    static const char digits[] = "0123456789abcdef";
    struct bp_buf hex = {0};
    size_t n_shown = max_width > 0 ? BP_MIN(n, (size_t)max_width) : n; /* more is cut anyway */
    int rc;

    BP_GO(bp_buf_reserve(&hex, 2 + 2 * n_shown, err));
    BP_GO(bp_buf_puts(&hex, "\\x", err));
    for (size_t i = 0; i < n_shown; i++) {
        char two[2] = {digits[p[i] >> 4], digits[p[i] & 15]};

        BP_GO(bp_buf_append(&hex, two, 2, err));
    }
    BP_GO(bp_cell_text(out, hex.data, hex.len, max_width, width, err));
out:
    bp_buf_release(&hex);
    return rc;
}

static int nested_text(struct bp_buf *out, const struct bp_column *c, int64_t i, int max_width,
                       int64_t *width, struct bp_err *err)
{
    struct bp_buf text = {0};
    int rc;

    BP_GO(bp_text_append(c, i, &text, err));
    BP_GO(bp_cell_text(out, text.data, text.len, max_width, width, err));
out:
    bp_buf_release(&text);
    return rc;
}

int bp_cell_value(struct bp_buf *out, const struct bp_column *c, int64_t i, int max_width,
                  int64_t *width, struct bp_err *err)
{
    size_t from = out->len, n;
    const uint8_t *p;

    if (bp_type_is_bytes(c->type)) {
        p = bp_column_bytes(c, i, &n);
        if (c->type.kind == BP_BINARY)
            return binary_text(out, p, n, max_width, width, err);
        if (n == 4 && memcmp(p, "NULL", 4) == 0)
            return bp_cell_text(out, "\"NULL\"", 6, max_width, width, err);
        return bp_cell_text(out, p, n, max_width, width, err);
    }
    if (bp_type_is_nested(c->type))
        return nested_text(out, c, i, max_width, width, err);
    BP_TRY(bp_text_append(c, i, out, err));
    *width = (int64_t)(out->len - from); /* all ASCII, and never cut: it would lie */
    return 0;
}
