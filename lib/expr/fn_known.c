/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More names of other engines, and date_part, written out in our functions: codings by their
 * own names, strftime by to_char, substring_index.
 */
#include <string.h>

#include "expr/function.h"
#include "expr/text_arg.h"

static int answer(struct bp_node **args, struct bp_node *nd, struct bp_call *c)
{
    args[0] = nd;
    c->run = NULL;
    return 0;
}

static int text(struct bp_bind *b, int tok, const char *s, size_t n, struct bp_node **out)
{
    return bp_node_const_bytes(b, tok, BP_TYPE(BP_TEXT), s, n, out);
}

/* ---- the same under another name ---- */

enum same { SAME_SIGN, SAME_ASCII, SAME_OCTETS };

static int bind_same(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    static const char *const names[] = {"sign", "ascii", "octet_length"};
    struct bp_node *nd;

    BP_TRY(bp_bind_function(b, tok, names[c->op], args, *n, &nd));
    return answer(args, nd, c);
}

/* repeat(' ', n) */
static int bind_space(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_node *pair[2] = {NULL, args[0]}, *nd;

    (void)n;
    BP_TRY(text(b, tok, " ", 1, &pair[0]));
    BP_TRY(bp_bind_function(b, tok, "repeat", pair, 2, &nd));
    return answer(args, nd, c);
}

/* ---- codings ---- */

static int as_bytes(struct bp_bind *b, int tok, struct bp_node **nd)
{
    struct bp_node *pair[2] = {*nd, NULL};

    if ((*nd)->type.kind == BP_BINARY)
        return 0;
    BP_TRY(text(b, tok, "UTF8", 4, &pair[1]));
    return bp_bind_function(b, tok, "convert_to", pair, 2, nd);
}

/* op: the coding. Hex in upper case; base64 in one line. */
static int bind_encode(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_node *call[3] = {args[0], NULL, NULL}, *nd;

    (void)n;
    BP_TRY(as_bytes(b, tok, &call[0]));
    BP_TRY(c->op ? text(b, tok, "base64", 6, &call[1]) : text(b, tok, "hex", 3, &call[1]));
    BP_TRY(bp_bind_function(b, tok, "encode", call, 2, &nd));
    call[0] = nd;
    if (c->op) {
        BP_TRY(text(b, tok, "\n", 1, &call[1]));
        BP_TRY(text(b, tok, "", 0, &call[2]));
    }
    BP_TRY(bp_bind_function(b, tok, c->op ? "replace" : "upper", call, c->op ? 3 : 1, &nd));
    return answer(args, nd, c);
}

static int bind_hex_int(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                        struct bp_call *c)
{
    struct bp_node *nd;

    BP_TRY(bp_bind_function(b, tok, "to_hex", args, *n, &nd));
    BP_TRY(bp_bind_function(b, tok, "upper", &nd, 1, &nd));
    return answer(args, nd, c);
}

static int bind_decode(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_node *pair[2] = {args[0], NULL}, *nd;

    (void)n;
    BP_TRY(c->op ? text(b, tok, "base64", 6, &pair[1]) : text(b, tok, "hex", 3, &pair[1]));
    BP_TRY(bp_bind_function(b, tok, "decode", pair, 2, &nd));
    return answer(args, nd, c);
}

/* ---- date_part(field, x): as extract, a float; a date is a timestamp ---- */

static int bind_part(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_node *nd;

    if (args[1]->type.kind == BP_DATE)
        BP_TRY(bp_coerce(b, &args[1], BP_TYPE_UNIT(BP_TIMESTAMP, BP_MICRO)));
    BP_TRY(bp_bind_function(b, tok, "extract", args, *n, &nd));
    BP_TRY(bp_bind_cast(b, tok, nd, BP_TYPE(BP_FLOAT64), &nd));
    return answer(args, nd, c);
}

/* ---- strftime(x, format) ---- */

static const char *picture_of(char code)
{
    switch (code) {
    case 'Y': return "YYYY";
    case 'y': return "YY";
    case 'm': return "MM";
    case 'd': return "DD";
    case 'H': return "HH24";
    case 'I': return "HH12";
    case 'M': return "MI";
    case 'S': return "SS";
    case 'f': return "US";
    case 'g': return "MS";
    case 'j': return "DDD";
    case 'p': return "AM";
    case 'a': return "Dy";
    case 'A': return "FMDay";
    case 'b': return "Mon";
    case 'B': return "FMMonth";
    case 'G': return "IYYY";
    case 'V': return "IW";
    case 'u': return "ID";
    case 'F': return "YYYY-MM-DD";
    case 'T': return "HH24:MI:SS";
    default: return NULL;
    }
}

/* The to_char format of a strftime format: its codes, and all else between double quotes. */
static int write_picture(struct bp_bind *b, int tok, const char *s, size_t n, char *to, size_t *len)
{
    size_t w = 0;

    for (size_t i = 0; i < n; i++) {
        const char *picture = NULL;

        if (s[i] == '%' && i + 1 < n && s[i + 1] == '%') {
            i++;
        } else if (s[i] == '%') {
            picture = i + 1 < n ? picture_of(s[++i]) : NULL;
            if (!picture)
                return bp_bind_fail(b, tok, "strftime has no %%%.1s here: use to_char",
                                    i < n ? s + i : "");
            memcpy(to + w, picture, strlen(picture));
            w += strlen(picture);
            continue;
        }
        to[w++] = '"';
        if (s[i] == '"' || s[i] == '\\')
            to[w++] = '\\';
        to[w++] = s[i];
        while (i + 1 < n && ((uint8_t)s[i + 1] & 0xc0) == 0x80) /* the rest of a character */
            to[w++] = s[++i];
        to[w++] = '"';
    }
    *len = w;
    return 0;
}

static int bind_strftime(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                         struct bp_call *c)
{
    struct bp_node *pair[2] = {args[0], args[1]}, *nd;
    const char *s;
    size_t len;
    char *to;

    (void)n;
    if (bp_node_const_text(args[1], &s, &len)) {
        to = bp_arena_alloc(&b->e->mem, 10 * len + 1, b->err);
        if (!to)
            return b->err->code;
        BP_TRY(write_picture(b, args[1]->tok, s, len, to, &len));
        BP_TRY(text(b, tok, to, len, &pair[1]));
    } else if (!bp_node_is_null(args[1])) {
        return bp_bind_fail(b, args[1]->tok, "the format has to be a constant, as in '%%Y-%%m'");
    }
    BP_TRY(bp_bind_function(b, tok, "to_char", pair, 2, &nd));
    return answer(args, nd, c);
}

/* ---- substring_index(s, w, i): what stands before the i-th w, or behind the -i-th from the end
 * ---- */

static int row_index(struct bp_run *r, const struct bp_vec *args, int64_t i, struct bp_text_out *o,
                     size_t *used)
{
    size_t n, k, from = 0, to;
    const uint8_t *s = arg_bytes(&args[0], i, &n), *w = arg_bytes(&args[1], i, &k), *at;
    int64_t count = arg_int64(&args[2], i);
    uint8_t *p;

    to = count && k ? n : 0;
    if (count > 0 && k) {
        for (at = s, from = 0; count > 0; count--) {
            const uint8_t *found = memmem(at, (size_t)(s + n - at), w, k);

            if (!found)
                break;
            to = count == 1 ? (size_t)(found - s) : n;
            at = found + k;
        }
        from = 0;
    } else if (count < 0 && k) {
        size_t end = n;

        for (; count < 0 && end >= k; count++) {
            size_t x = end - k + 1;

            while (x > 0 && memcmp(s + x - 1, w, k) != 0)
                x--;
            if (x == 0)
                break;
            end = x - 1;
            from = count == -1 ? end + k : 0;
        }
    }
    BP_TRY(bp_text_out_room(o, to - from, &p, r->ev->err));
    if (to > from)
        memcpy(p, s + from, to - from);
    *used = to - from;
    return 0;
}
BP_TEXT_KERNEL(run_index, row_index)

#define KNOWN(NAME, RESULT, BIND, OP, ...)                                                         \
    {                                                                                              \
        .name = NAME, .result = RESULT, .bind = BIND, .op = OP, .args = { __VA_ARGS__ }            \
    }

static const struct bp_fn fns[] = {
    KNOWN("signum", BP_DECIMAL, bind_same, SAME_SIGN, BP_DECIMAL),
    KNOWN("signum", BP_FLOAT64, bind_same, SAME_SIGN, BP_FLOAT64),
    KNOWN("ord", BP_INT32, bind_same, SAME_ASCII, BP_TEXT),
    KNOWN("unicode", BP_INT32, bind_same, SAME_ASCII, BP_TEXT),
    KNOWN("strlen", BP_INT32, bind_same, SAME_OCTETS, BP_TEXT),
    KNOWN("space", BP_TEXT, bind_space, 0, BP_INT64),
    KNOWN("hex", BP_TEXT, bind_encode, 0, BP_TEXT),
    KNOWN("hex", BP_TEXT, bind_encode, 0, BP_BINARY),
    KNOWN("hex", BP_TEXT, bind_hex_int, 0, BP_INT64),
    KNOWN("unhex", BP_BINARY, bind_decode, 0, BP_TEXT),
    KNOWN("base64", BP_TEXT, bind_encode, 1, BP_TEXT),
    KNOWN("base64", BP_TEXT, bind_encode, 1, BP_BINARY),
    KNOWN("to_base64", BP_TEXT, bind_encode, 1, BP_TEXT),
    KNOWN("to_base64", BP_TEXT, bind_encode, 1, BP_BINARY),
    KNOWN("unbase64", BP_BINARY, bind_decode, 1, BP_TEXT),
    KNOWN("from_base64", BP_BINARY, bind_decode, 1, BP_TEXT),
    KNOWN("date_part", BP_FLOAT64, bind_part, 0, BP_TEXT, BP_DATE),
    KNOWN("date_part", BP_FLOAT64, bind_part, 0, BP_TEXT, BP_TIME),
    KNOWN("date_part", BP_FLOAT64, bind_part, 0, BP_TEXT, BP_TIMESTAMP),
    KNOWN("date_part", BP_FLOAT64, bind_part, 0, BP_TEXT, BP_TIMESTAMPTZ),
    KNOWN("date_part", BP_FLOAT64, bind_part, 0, BP_TEXT, BP_INTERVAL),
    KNOWN("strftime", BP_TEXT, bind_strftime, 0, BP_TIMESTAMP, BP_TEXT),
    KNOWN("strftime", BP_TEXT, bind_strftime, 0, BP_TIMESTAMPTZ, BP_TEXT),
    {.name = "substring_index",
     .result = BP_TEXT,
     .run = run_index,
     .args = {BP_TEXT, BP_TEXT, BP_INT64}},
};

const struct bp_fn_table bp_fns_known = {fns, BP_COUNT_OF(fns)};
