/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of text. Positions and lengths count characters; case is ASCII's. */
#include "base/simd.h"

#include <string.h>

#include "expr/function.h"
#include "expr/text_arg.h"

/* ---- lower, upper: all bytes of the column at once ---- */

BP_WIDE static void fold_case(const uint8_t *s, uint8_t *to, size_t n, uint8_t first)
{
    for (size_t i = 0; i < n; i++)
        to[i] = s[i] ^ (uint8_t)((uint8_t)(s[i] - first) < 26 ? 0x20 : 0);
}

static int run_case(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const int32_t *off = args[0].c.data;
    size_t n = (size_t)(off[r->n] - off[0]);
    struct bp_text_out o;
    int32_t *to;

    BP_TRY(bp_text_out_open(&o, r->n, n, r->ev->err));
    to = (int32_t *)(void *)o.off->data;
    for (int64_t i = 0; i <= r->n; i++)
        to[i] = off[i] - off[0];
    if (n)
        fold_case(args[0].c.bytes + off[0], o.bytes->data, n, r->node->op);
    o.n_rows = r->n;
    o.len = n;
    bp_text_out_close(&o, r->node->type, out);
    return 0;
}

/* ---- numbers about text ---- */

static int run_length(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    bool octets = r->node->op;
    int32_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        size_t n;
        const uint8_t *s = arg_bytes(&args[0], i, &n);

        v[i] = (int32_t)(octets ? (int64_t)n : count_chars(s, n));
    }
    return 0;
}

static int run_strpos(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int32_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        size_t n, k;
        const uint8_t *s = arg_bytes(&args[0], i, &n), *w = arg_bytes(&args[1], i, &k), *at;

        at = k <= n ? memmem(s, n, w, k) : NULL;
        v[i] = at ? (int32_t)count_chars(s, (size_t)(at - s)) + 1 : 0;
    }
    return 0;
}

static int run_starts(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    void *bits;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &bits, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        size_t n, k;
        const uint8_t *s = arg_bytes(&args[0], i, &n), *w = arg_bytes(&args[1], i, &k);

        bp_bit_put(bits, i, k <= n && memcmp(s, w, k) == 0);
    }
    return 0;
}

/* ---- parts of text ---- */

static inline int copy_out(struct bp_run *r, const uint8_t *s, size_t n, struct bp_text_out *o,
                           size_t *used)
{
    uint8_t *p;

    BP_TRY(bp_text_out_room(o, n, &p, r->ev->err));
    if (n)
        memcpy(p, s, n);
    *used = n;
    return 0;
}

/* Characters [from, from + count), counted from 1; from may lie before the text. */
static inline int row_substr(struct bp_run *r, const struct bp_vec *args, int64_t i,
                             struct bp_text_out *o, size_t *used)
{
    size_t n, skip;
    const uint8_t *s = arg_bytes(&args[0], i, &n);
    int64_t from = arg_int64(&args[1], i), count, end = INT64_MAX;

    if (r->node->n_args > 2) {
        count = arg_int64(&args[2], i);
        if (count < 0)
            return bp_run_fail(r, i, "the length %lld is negative", (long long)count);
        if (__builtin_add_overflow(from, count, &end))
            end = INT64_MAX;
    }
    from = from < 1 ? 1 : from;
    if (end <= from)
        return 0;
    skip = chars_bytes(s, n, from - 1);
    return copy_out(r, s + skip, chars_bytes(s + skip, n - skip, end - from), o, used);
}

/* A negative count: all but so many from the other end. */
static inline int row_left(struct bp_run *r, const struct bp_vec *args, int64_t i,
                           struct bp_text_out *o, size_t *used)
{
    size_t n;
    const uint8_t *s = arg_bytes(&args[0], i, &n);
    int64_t k = arg_int64(&args[1], i);

    if (k < 0)
        k = BP_MAX(count_chars(s, n) + BP_MAX(k, -INT32_MAX), 0);
    return copy_out(r, s, chars_bytes(s, n, k), o, used);
}

static inline int row_right(struct bp_run *r, const struct bp_vec *args, int64_t i,
                            struct bp_text_out *o, size_t *used)
{
    size_t n, skip;
    const uint8_t *s = arg_bytes(&args[0], i, &n);
    int64_t k = arg_int64(&args[1], i);

    k = k < 0 ? BP_MIN(-BP_MAX(k, -INT32_MAX), (int64_t)n) : BP_MAX(count_chars(s, n) - k, 0);
    skip = chars_bytes(s, n, k);
    return copy_out(r, s + skip, n - skip, o, used);
}

/* op: 1 pads on the left, 0 on the right. */
static inline int row_pad(struct bp_run *r, const struct bp_vec *args, int64_t i,
                          struct bp_text_out *o, size_t *used)
{
    size_t n, k = 1, room, pad = 0;
    const uint8_t *s = arg_bytes(&args[0], i, &n), *fill = (const uint8_t *)" ";
    int64_t want = BP_MAX(arg_int64(&args[1], i), 0), have;
    uint8_t *p, *body;

    if (r->node->n_args > 2)
        fill = arg_bytes(&args[2], i, &k);
    have = count_chars(s, n);
    if (want <= have || k == 0)
        return copy_out(r, s, chars_bytes(s, n, want), o, used);
    if (want > INT32_MAX / 4)
        return bp_run_fail(r, i, "the length %lld is too large", (long long)want);
    room = (size_t)(want - have) * 4 + n;
    BP_TRY(bp_text_out_room(o, room, &p, r->ev->err));
    body = r->node->op ? p : p + n;
    for (int64_t left = want - have; left > 0;) {
        size_t part = chars_bytes(fill, k, left);

        memcpy(body + pad, fill, part);
        left -= count_chars(fill, part);
        pad += part;
    }
    memcpy(r->node->op ? p + pad : p, s, n);
    *used = pad + n;
    return 0;
}

/* op: 1 at the start, 2 at the end, 3 both. */
static inline bool in_set(const uint8_t *c, size_t len, const uint8_t *set, size_t n)
{
    for (size_t k = 0; k < n;) {
        size_t w = 1;

        while (k + w < n && !is_lead(set[k + w]))
            w++;
        if (w == len && memcmp(c, set + k, w) == 0)
            return true;
        k += w;
    }
    return false;
}

static inline int row_trim(struct bp_run *r, const struct bp_vec *args, int64_t i,
                           struct bp_text_out *o, size_t *used)
{
    size_t n, k = 1, from = 0, w;
    const uint8_t *s = arg_bytes(&args[0], i, &n), *set = (const uint8_t *)" ";

    if (r->node->n_args > 1)
        set = arg_bytes(&args[1], i, &k);
    while ((r->node->op & 1) && from < n) {
        for (w = 1; from + w < n && !is_lead(s[from + w]); w++)
            ;
        if (!in_set(s + from, w, set, k))
            break;
        from += w;
    }
    while ((r->node->op & 2) && n > from) {
        for (w = 1; w < n - from && !is_lead(s[n - w]); w++)
            ;
        if (!in_set(s + n - w, w, set, k))
            break;
        n -= w;
    }
    return copy_out(r, s + from, n - from, o, used);
}

static inline int row_replace(struct bp_run *r, const struct bp_vec *args, int64_t i,
                              struct bp_text_out *o, size_t *used)
{
    size_t n, k, m;
    const uint8_t *s = arg_bytes(&args[0], i, &n), *what = arg_bytes(&args[1], i, &k);
    const uint8_t *by = arg_bytes(&args[2], i, &m), *at;
    uint8_t *p;

    if (k == 0)
        return copy_out(r, s, n, o, used);
    BP_TRY(bp_text_out_room(o, m > k ? n / k * m + n : n, &p, r->ev->err));
    while (n >= k && (at = memmem(s, n, what, k))) {
        memcpy(p + *used, s, (size_t)(at - s));
        *used += (size_t)(at - s);
        if (m)
            memcpy(p + *used, by, m);
        *used += m;
        n -= (size_t)(at - s) + k;
        s = at + k;
    }
    if (n)
        memcpy(p + *used, s, n);
    *used += n;
    return 0;
}

static inline int row_reverse(struct bp_run *r, const struct bp_vec *args, int64_t i,
                              struct bp_text_out *o, size_t *used)
{
    size_t n, w;
    const uint8_t *s = arg_bytes(&args[0], i, &n);
    uint8_t *p;

    BP_TRY(bp_text_out_room(o, n, &p, r->ev->err));
    for (size_t k = 0; k < n; k += w) {
        for (w = 1; k + w < n && !is_lead(s[k + w]); w++)
            ;
        memcpy(p + n - k - w, s + k, w);
    }
    *used = n;
    return 0;
}

/* ---- joining ---- */

static inline int row_join(struct bp_run *r, const struct bp_vec *args, int64_t i,
                           struct bp_text_out *o, size_t *used)
{
    size_t n, m;
    const uint8_t *a = arg_bytes(&args[0], i, &n), *b = arg_bytes(&args[1], i, &m);
    uint8_t *p;

    BP_TRY(bp_text_out_room(o, n + m, &p, r->ev->err));
    if (n)
        memcpy(p, a, n);
    if (m)
        memcpy(p + n, b, m);
    *used = n + m;
    return 0;
}

/* NULLs are empty. */
static inline int row_concat(struct bp_run *r, const struct bp_vec *args, int64_t i,
                             struct bp_text_out *o, size_t *used)
{
    for (int a = 0; a < r->node->n_args; a++) {
        size_t n;
        const uint8_t *s = arg_bytes(&args[a], i, &n);
        uint8_t *p;

        BP_TRY(bp_text_out_room(o, *used + n, &p, r->ev->err));
        if (n)
            memcpy(p + *used, s, n);
        *used += n;
    }
    return 0;
}

/* concat() and its kin write booleans as t and f. */
static int short_bool(struct bp_bind *b, struct bp_node **nd)
{
    struct bp_node *c = bp_node_new(b, BP_N_CASE, BP_TYPE(BP_TEXT), (*nd)->tok, 5);

    if (!c)
        return b->err->code;
    c->args[0] = *nd;
    BP_TRY(bp_node_const_bytes(b, (*nd)->tok, c->type, "t", 1, &c->args[1]));
    BP_TRY(bp_bind_not(b, (*nd)->tok, *nd, &c->args[2]));
    BP_TRY(bp_node_const_bytes(b, (*nd)->tok, c->type, "f", 1, &c->args[3]));
    BP_TRY(bp_node_null(b, (*nd)->tok, c->type, &c->args[4]));
    return bp_node_finish(b, c, nd);
}

int bp_bind_as_texts(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)tok, (void)c;
    for (int i = 0; i < *n; i++)
        BP_TRY(args[i]->type.kind == BP_BOOL ? short_bool(b, &args[i])
                                             : bp_coerce(b, &args[i], BP_TYPE(BP_TEXT)));
    return 0;
}

/* ---- numbers as text ---- */

static inline int row_to_hex(struct bp_run *r, const struct bp_vec *args, int64_t i,
                             struct bp_text_out *o, size_t *used)
{
    int64_t j = args[0].one ? 0 : i;
    uint64_t v = args[0].c.type.kind == BP_INT32 ? ((const uint32_t *)args[0].c.data)[j]
                                                 : ((const uint64_t *)args[0].c.data)[j];
    size_t n = v ? (size_t)(67 - __builtin_clzll(v)) / 4 : 1;
    uint8_t *p;

    BP_TRY(bp_text_out_room(o, n, &p, r->ev->err));
    for (size_t k = n; k-- > 0; v >>= 4)
        p[k] = (uint8_t) "0123456789abcdef"[v & 15];
    *used = n;
    return 0;
}

BP_TEXT_KERNEL(run_substr, row_substr)
BP_TEXT_KERNEL(run_left, row_left)
BP_TEXT_KERNEL(run_right, row_right)
BP_TEXT_KERNEL(run_pad, row_pad)
BP_TEXT_KERNEL(run_trim, row_trim)
BP_TEXT_KERNEL(run_replace, row_replace)
BP_TEXT_KERNEL(run_reverse, row_reverse)
BP_TEXT_KERNEL(run_join, row_join)
BP_TEXT_KERNEL(run_concat, row_concat)
BP_TEXT_KERNEL(run_to_hex, row_to_hex)

#define FN(NAME, RESULT, RUN, ...)                                                                 \
    {                                                                                              \
        .name = NAME, .result = RESULT, .run = RUN, .args = { __VA_ARGS__ }                        \
    }
#define FN_OP(NAME, RESULT, RUN, OP, ...)                                                          \
    {                                                                                              \
        .name = NAME, .result = RESULT, .run = RUN, .op = OP, .args = { __VA_ARGS__ }              \
    }
#define FN_CAN_FAIL(NAME, RESULT, RUN, OP, ...)                                                    \
    {                                                                                              \
        .name = NAME, .result = RESULT, .run = RUN, .op = OP, .flags = BP_FN_FALLIBLE, .args = {   \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct bp_fn fns[] = {
    FN_OP("lcase", BP_TEXT, run_case, 'A', BP_TEXT),
    FN_OP("ucase", BP_TEXT, run_case, 'a', BP_TEXT),
    FN("len", BP_INT32, run_length, BP_TEXT),
    FN_OP("lower", BP_TEXT, run_case, 'A', BP_TEXT),
    FN_OP("upper", BP_TEXT, run_case, 'a', BP_TEXT),
    FN("length", BP_INT32, run_length, BP_TEXT),
    FN_OP("length", BP_INT32, run_length, 1, BP_BINARY),
    FN("char_length", BP_INT32, run_length, BP_TEXT),
    FN("character_length", BP_INT32, run_length, BP_TEXT),
    FN_OP("octet_length", BP_INT32, run_length, 1, BP_TEXT),
    FN_OP("octet_length", BP_INT32, run_length, 1, BP_BINARY),
    FN("substr", BP_TEXT, run_substr, BP_TEXT, BP_INT64),
    FN_CAN_FAIL("substr", BP_TEXT, run_substr, 0, BP_TEXT, BP_INT64, BP_INT64),
    FN("substring", BP_TEXT, run_substr, BP_TEXT, BP_INT64),
    FN_CAN_FAIL("substring", BP_TEXT, run_substr, 0, BP_TEXT, BP_INT64, BP_INT64),
    FN("left", BP_TEXT, run_left, BP_TEXT, BP_INT64),
    FN("right", BP_TEXT, run_right, BP_TEXT, BP_INT64),
    FN_CAN_FAIL("lpad", BP_TEXT, run_pad, 1, BP_TEXT, BP_INT64),
    FN_CAN_FAIL("lpad", BP_TEXT, run_pad, 1, BP_TEXT, BP_INT64, BP_TEXT),
    FN_CAN_FAIL("rpad", BP_TEXT, run_pad, 0, BP_TEXT, BP_INT64),
    FN_CAN_FAIL("rpad", BP_TEXT, run_pad, 0, BP_TEXT, BP_INT64, BP_TEXT),
    FN_OP("ltrim", BP_TEXT, run_trim, 1, BP_TEXT),
    FN_OP("ltrim", BP_TEXT, run_trim, 1, BP_TEXT, BP_TEXT),
    FN_OP("rtrim", BP_TEXT, run_trim, 2, BP_TEXT),
    FN_OP("rtrim", BP_TEXT, run_trim, 2, BP_TEXT, BP_TEXT),
    FN_OP("btrim", BP_TEXT, run_trim, 3, BP_TEXT),
    FN_OP("btrim", BP_TEXT, run_trim, 3, BP_TEXT, BP_TEXT),
    FN("replace", BP_TEXT, run_replace, BP_TEXT, BP_TEXT, BP_TEXT),
    FN("reverse", BP_TEXT, run_reverse, BP_TEXT),
    FN("strpos", BP_INT32, run_strpos, BP_TEXT, BP_TEXT),
    FN("position", BP_INT32, run_strpos, BP_TEXT, BP_TEXT),
    FN("starts_with", BP_BOOL, run_starts, BP_TEXT, BP_TEXT),
    FN("||", BP_TEXT, run_join, BP_TEXT, BP_TEXT),
    FN("||", BP_BINARY, run_join, BP_BINARY, BP_BINARY),
    {.name = "concat",
     .result = BP_TEXT,
     .run = run_concat,
     .flags = BP_FN_LAX,
     .args = {BP_ANY, BP_MORE},
     .bind = bp_bind_as_texts},
    FN("to_hex", BP_TEXT, run_to_hex, BP_INT32),
    FN("to_hex", BP_TEXT, run_to_hex, BP_INT64),
};

const struct bp_fn_table bp_fns_text = {fns, BP_COUNT_OF(fns)};
