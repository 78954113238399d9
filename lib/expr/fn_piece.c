/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of the characters and pieces of a text. */
#include <string.h>

#include "expr/function.h"
#include "expr/text_arg.h"

static int put(struct bp_run *r, struct bp_text_out *o, size_t *used, const void *s, size_t n)
{
    uint8_t *p;

    BP_TRY(bp_text_out_room(o, *used + n, &p, r->ev->err));
    if (n)
        memcpy(p + *used, s, n);
    *used += n;
    return 0;
}

/* Bytes of the character at s. */
static size_t char_bytes(const uint8_t *s, size_t n)
{
    size_t w = 1;

    while (w < n && !is_lead(s[w]))
        w++;
    return w;
}

static int row_initcap(struct bp_run *r, const struct bp_vec *args, int64_t i,
                       struct bp_text_out *o, size_t *used)
{
    size_t n;
    const uint8_t *s = arg_bytes(&args[0], i, &n);
    bool inside = false;
    uint8_t *p;

    BP_TRY(bp_text_out_room(o, n, &p, r->ev->err));
    for (size_t k = 0; k < n; k++) {
        uint8_t low = s[k] | 0x20;
        bool letter = low >= 'a' && low <= 'z';

        p[k] = !letter ? s[k] : inside ? low : (uint8_t)(low - 32);
        inside = letter || (s[k] >= '0' && s[k] <= '9');
    }
    *used = n;
    return 0;
}

/* Piece `want` from 1 of s cut at w; false if there are not so many. */
static bool find_piece(const uint8_t **s, size_t *n, const uint8_t *w, size_t k, int64_t want)
{
    const uint8_t *at = NULL;

    while (*n >= k && (at = memmem(*s, *n, w, k)) && --want > 0) {
        *n -= (size_t)(at - *s) + k;
        *s = at + k;
    }
    if (*n < k)
        at = NULL;
    if (at)
        *n = (size_t)(at - *s);
    return at || want == 1;
}

static int64_t count_pieces(const uint8_t *s, size_t n, const uint8_t *w, size_t k)
{
    int64_t pieces = 1;
    const uint8_t *at;

    for (; n >= k && (at = memmem(s, n, w, k)); pieces++) {
        n -= (size_t)(at - s) + k;
        s = at + k;
    }
    return pieces;
}

static int row_split(struct bp_run *r, const struct bp_vec *args, int64_t i, struct bp_text_out *o,
                     size_t *used)
{
    size_t n, k;
    const uint8_t *s = arg_bytes(&args[0], i, &n), *w = arg_bytes(&args[1], i, &k);
    int64_t want = arg_int64(&args[2], i);

    if (want == 0)
        return bp_run_fail(r, i, "pieces are counted from 1, or from -1 backwards");
    if (k == 0)
        return want == 1 || want == -1 ? put(r, o, used, s, n) : 0;
    if (want < 0)
        want = BP_MAX(want, -INT32_MAX) + 1 + count_pieces(s, n, w, k);
    if (want < 1 || !find_piece(&s, &n, w, k, want))
        return 0;
    return put(r, o, used, s, n);
}

static int row_repeat(struct bp_run *r, const struct bp_vec *args, int64_t i, struct bp_text_out *o,
                      size_t *used)
{
    size_t n;
    const uint8_t *s = arg_bytes(&args[0], i, &n);
    int64_t times = BP_MAX(arg_int64(&args[1], i), 0);
    uint8_t *p;

    if (n && times > INT32_MAX / 2 / (int64_t)n)
        return bp_run_fail(r, i, "the text would be too long: %zu bytes, %lld times", n,
                           (long long)times);
    BP_TRY(bp_text_out_room(o, n * (size_t)times, &p, r->ev->err));
    for (int64_t k = 0; n && k < times; k++)
        memcpy(p + (size_t)k * n, s, n);
    *used = n * (size_t)times;
    return 0;
}

/* The place of a character in a set, counted in characters; -1 if it is not there. */
static int64_t place(const uint8_t *c, size_t len, const uint8_t *set, size_t n)
{
    int64_t at = 0;

    for (size_t k = 0, w; k < n; k += w, at++) {
        w = char_bytes(set + k, n - k);
        if (w == len && memcmp(set + k, c, w) == 0)
            return at;
    }
    return -1;
}

static int row_translate(struct bp_run *r, const struct bp_vec *args, int64_t i,
                         struct bp_text_out *o, size_t *used)
{
    size_t n, k, m;
    const uint8_t *s = arg_bytes(&args[0], i, &n), *from = arg_bytes(&args[1], i, &k);
    const uint8_t *to = arg_bytes(&args[2], i, &m);
    uint8_t *p;

    BP_TRY(bp_text_out_room(o, n * 4, &p, r->ev->err));
    for (size_t at = 0, w; at < n; at += w) {
        const uint8_t *by = s + at;
        size_t len, skip;
        int64_t which;

        len = w = char_bytes(by, n - at);
        which = place(by, w, from, k);
        if (which >= 0) {
            skip = chars_bytes(to, m, which);
            by = to + skip;
            len = skip < m ? char_bytes(by, m - skip) : 0;
        }
        memcpy(p + *used, by, len);
        *used += len;
    }
    return 0;
}

/* Characters before from, then by, then those from from + count on. */
static int row_overlay(struct bp_run *r, const struct bp_vec *args, int64_t i,
                       struct bp_text_out *o, size_t *used)
{
    size_t n, m, skip;
    const uint8_t *s = arg_bytes(&args[0], i, &n), *by = arg_bytes(&args[1], i, &m);
    int64_t from = arg_int64(&args[2], i), count, end;

    count = r->node->n_args > 3 ? arg_int64(&args[3], i) : count_chars(by, m);
    if (from <= 0)
        return bp_run_fail(r, i, "the position %lld is not above 0", (long long)from);
    if (__builtin_add_overflow(from, count, &end))
        return bp_run_fail(r, i, "the position is out of range");
    BP_TRY(put(r, o, used, s, chars_bytes(s, n, from - 1)));
    BP_TRY(put(r, o, used, by, m));
    skip = end > 1 ? chars_bytes(s, n, end - 1) : 0;
    return put(r, o, used, s + skip, n - skip);
}

/* ---- joining with a separator; NULLs are passed over, a NULL separator gives NULL ---- */

static int join_row(struct bp_run *r, const struct bp_vec *args, int64_t i, struct bp_text_out *o,
                    size_t *used)
{
    bool first = true;
    size_t n, k;
    const uint8_t *w = arg_bytes(&args[0], i, &k);

    for (int a = 1; a < r->node->n_args; a++) {
        const uint8_t *s;

        if (bp_column_is_null(&args[a].c, args[a].one ? 0 : i))
            continue;
        s = arg_bytes(&args[a], i, &n);
        if (!first)
            BP_TRY(put(r, o, used, w, k));
        BP_TRY(put(r, o, used, s, n));
        first = false;
    }
    return 0;
}

static int run_concat_ws(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_block *valid = NULL;
    struct bp_text_out o;
    int rc = 0;

    BP_TRY(bp_text_out_open(&o, r->n, (size_t)r->n * 12, r->ev->err));
    if (args[0].c.n_nulls)
        rc = bp_block_new(&valid, (size_t)(r->n + 7) / 8, r->ev->err);
    for (int64_t i = 0; i < r->n && rc >= 0; i++) {
        bool null = bp_column_is_null(&args[0].c, args[0].one ? 0 : i);
        size_t used = 0;

        if (valid)
            bp_bit_put(valid->data, i, !null);
        if (!null)
            rc = join_row(r, args, i, &o, &used);
        bp_text_out_end(&o, used);
    }
    if (rc < 0) {
        bp_block_unref(valid);
        bp_text_out_release(&o);
        return rc;
    }
    bp_text_out_close(&o, r->node->type, out);
    if (valid)
        bp_vec_set_valid(out, valid);
    return 0;
}

/* ---- code points ---- */

static int run_ascii(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int32_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        size_t n, w;
        const uint8_t *s = arg_bytes(&args[0], i, &n);

        v[i] = n ? s[0] : 0;
        if (v[i] < 0x80)
            continue;
        w = char_bytes(s, n);
        v[i] &= w == 2 ? 0x1f : w == 3 ? 0x0f : 0x07;
        for (size_t k = 1; k < w && k < 4; k++)
            v[i] = v[i] << 6 | (s[k] & 0x3f);
    }
    return 0;
}

static int row_chr(struct bp_run *r, const struct bp_vec *args, int64_t i, struct bp_text_out *o,
                   size_t *used)
{
    int64_t c = arg_int64(&args[0], i);
    uint8_t u[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    if (c <= 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return bp_run_fail(r, i, "%lld is no character", (long long)c);
    for (size_t k = n; k-- > 1; c >>= 6)
        u[k] = (uint8_t)(0x80 | (c & 0x3f));
    u[0] = (uint8_t)(lead[n] | c);
    return put(r, o, used, u, n);
}

/* ---- tests and sizes ---- */

static int run_ends(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    void *bits;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &bits, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        size_t n, k;
        const uint8_t *s = arg_bytes(&args[0], i, &n), *w = arg_bytes(&args[1], i, &k);

        bp_bit_put(bits, i,
                   r->node->op ? k <= n && memmem(s, n, w, k) != NULL
                               : k <= n && memcmp(s + n - k, w, k) == 0);
    }
    return 0;
}

static int run_bits(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        size_t n;

        arg_bytes(&args[0], i, &n);
        ((int32_t *)data)[i] = n > INT32_MAX / 8 ? INT32_MAX : (int32_t)(n * 8);
    }
    return 0;
}

BP_TEXT_KERNEL(run_initcap, row_initcap)
BP_TEXT_KERNEL(run_split, row_split)
BP_TEXT_KERNEL(run_repeat, row_repeat)
BP_TEXT_KERNEL(run_translate, row_translate)
BP_TEXT_KERNEL(run_overlay, row_overlay)
BP_TEXT_KERNEL(run_chr, row_chr)

#define FN(NAME, RESULT, RUN, FLAGS, ...)                                                          \
    {                                                                                              \
        .name = NAME, .result = RESULT, .run = RUN, .flags = FLAGS, .args = { __VA_ARGS__ }        \
    }

static const struct bp_fn fns[] = {
    FN("initcap", BP_TEXT, run_initcap, 0, BP_TEXT),
    FN("split_part", BP_TEXT, run_split, BP_FN_FALLIBLE, BP_TEXT, BP_TEXT, BP_INT64),
    FN("repeat", BP_TEXT, run_repeat, BP_FN_FALLIBLE, BP_TEXT, BP_INT64),
    FN("translate", BP_TEXT, run_translate, 0, BP_TEXT, BP_TEXT, BP_TEXT),
    FN("overlay", BP_TEXT, run_overlay, BP_FN_FALLIBLE, BP_TEXT, BP_TEXT, BP_INT64),
    FN("overlay", BP_TEXT, run_overlay, BP_FN_FALLIBLE, BP_TEXT, BP_TEXT, BP_INT64, BP_INT64),
    {.name = "concat_ws",
     .result = BP_TEXT,
     .run = run_concat_ws,
     .flags = BP_FN_LAX,
     .args = {BP_ANY, BP_MORE},
     .bind = bp_bind_as_texts},
    FN("ascii", BP_INT32, run_ascii, 0, BP_TEXT),
    FN("chr", BP_TEXT, run_chr, BP_FN_FALLIBLE, BP_INT64),
    FN("ends_with", BP_BOOL, run_ends, 0, BP_TEXT, BP_TEXT),
    {.name = "contains", .result = BP_BOOL, .run = run_ends, .op = 1, .args = {BP_TEXT, BP_TEXT}},
    FN("bit_length", BP_INT32, run_bits, 0, BP_TEXT),
    FN("bit_length", BP_INT32, run_bits, 0, BP_BINARY),
};

const struct bp_fn_table bp_fns_piece = {fns, BP_COUNT_OF(fns)};
