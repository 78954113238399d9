/* SPDX-License-Identifier: Apache-2.0 */
/* Text in other clothes: digests, encodings, quoting, format(). */
#include <stdlib.h>
#include <string.h>

#include "base/md5.h"
#include "col/text.h"
#include "expr/function.h"
#include "expr/text_arg.h"

static const char hex[] = "0123456789abcdef";

static int put(struct bp_run *r, struct bp_text_out *o, size_t *used, const void *s, size_t n)
{
    uint8_t *p;

    BP_TRY(bp_text_out_room(o, *used + n, &p, r->ev->err));
    if (n)
        memcpy(p + *used, s, n);
    *used += n;
    return 0;
}

/* ---- md5, encode, decode ---- */

static void to_hex(const uint8_t *s, size_t n, uint8_t *to)
{
    for (size_t k = 0; k < n; k++) {
        to[2 * k] = (uint8_t)hex[s[k] >> 4];
        to[2 * k + 1] = (uint8_t)hex[s[k] & 15];
    }
}

static int row_md5(struct bp_run *r, const struct bp_vec *args, int64_t i, struct bp_text_out *o,
                   size_t *used)
{
    size_t n;
    const uint8_t *s = arg_bytes(&args[0], i, &n);
    uint8_t digest[16], text[32];

    bp_md5(s, n, digest);
    to_hex(digest, 16, text);
    return put(r, o, used, text, 32);
}

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* With a newline after each 76 characters, but not at the end; returns the length. */
static size_t to_base64(const uint8_t *s, size_t n, uint8_t *to)
{
    size_t at = 0;

    for (size_t k = 0; k < n; k += 3) {
        size_t have = BP_MIN(n - k, 3);
        uint32_t v = (uint32_t)s[k] << 16 | (have > 1 ? (uint32_t)s[k + 1] << 8 : 0) |
                     (have > 2 ? s[k + 2] : 0);

        if (k && k % 57 == 0)
            to[at++] = '\n';
        for (size_t c = 0; c < 4; c++)
            to[at++] = (uint8_t)(c <= have ? base64[v >> (18 - 6 * c) & 63] : '=');
    }
    return at;
}

/* Bytes that are no ASCII, and NUL, as \ooo; a backslash twice. */
static size_t to_escape(const uint8_t *s, size_t n, uint8_t *to)
{
    size_t at = 0;

    for (size_t k = 0; k < n; k++) {
        if (s[k] == 0 || s[k] >= 0x80) {
            to[at++] = '\\';
            to[at++] = (uint8_t)('0' + (s[k] >> 6));
            to[at++] = (uint8_t)('0' + (s[k] >> 3 & 7));
            to[at++] = (uint8_t)('0' + (s[k] & 7));
            continue;
        }
        if (s[k] == '\\')
            to[at++] = s[k];
        to[at++] = s[k];
    }
    return at;
}

enum coding { HEX, BASE64, ESCAPE };
static const char *const codings[] = {"hex", "base64", "escape"};

static int row_encode(struct bp_run *r, const struct bp_vec *args, int64_t i, struct bp_text_out *o,
                      size_t *used)
{
    size_t n;
    const uint8_t *s = arg_bytes(&args[0], i, &n);
    uint8_t *p;

    BP_TRY(bp_text_out_room(o, (r->node->op == ESCAPE ? 4 : 2) * n + 8, &p, r->ev->err));
    if (r->node->op == HEX)
        to_hex(s, n, p);
    *used = r->node->op == HEX      ? 2 * n
            : r->node->op == BASE64 ? to_base64(s, n, p)
                                    : to_escape(s, n, p);
    return 0;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static int hex_digit(uint8_t c)
{
    uint8_t low = c | 0x20;

    return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

static bool from_hex(const uint8_t *s, size_t n, uint8_t *to, size_t *used)
{
    for (size_t k = 0; k < n; k += 2) {
        if (is_blank(s[k])) {
            k--;
            continue;
        }
        if (k + 1 >= n || hex_digit(s[k]) < 0 || hex_digit(s[k + 1]) < 0)
            return false;
        to[(*used)++] = (uint8_t)(hex_digit(s[k]) << 4 | hex_digit(s[k + 1]));
    }
    return true;
}

static bool from_base64(const uint8_t *s, size_t n, uint8_t *to, size_t *used)
{
    uint32_t v = 0;
    int have = 0, pads = 0;

    for (size_t k = 0; k < n; k++) {
        const char *d = s[k] ? strchr(base64, s[k]) : NULL;

        if (is_blank(s[k]))
            continue;
        if ((!d && s[k] != '=') || (d && pads) || (s[k] == '=' && have < 2))
            return false;
        pads += s[k] == '=';
        v = v << 6 | (d ? (uint32_t)(d - base64) : 0);
        if (++have < 4)
            continue;
        for (int c = 0; c < 3 - pads; c++)
            to[(*used)++] = (uint8_t)(v >> (16 - 8 * c));
        v = 0;
        have = 0;
    }
    return have == 0;
}

static bool from_coded(int coding, const uint8_t *s, size_t n, uint8_t *to, size_t *used)
{
    switch (coding) {
    case HEX: return from_hex(s, n, to, used);
    case BASE64: return from_base64(s, n, to, used);
    default:
        return (n < 2 || s[0] != '\\' || s[1] != 'x') &&
               bp_parse_binary((const char *)s, n, to, used) == BP_TEXT_OK;
    }
}

static int row_decode(struct bp_run *r, const struct bp_vec *args, int64_t i, struct bp_text_out *o,
                      size_t *used)
{
    size_t n;
    const uint8_t *s = arg_bytes(&args[0], i, &n);
    uint8_t *p;

    BP_TRY(bp_text_out_room(o, n + 4, &p, r->ev->err));
    if (from_coded(r->node->op, s, n, p, used))
        return 0;
    *used = 0;
    return bp_run_fail(r, i, "'%.*s' is not %s", (int)BP_MIN(n, 60), s, codings[r->node->op]);
}

static int bind_coding(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    const char *s;
    size_t len;

    if (!bp_node_const_text(args[1], &s, &len))
        return bp_bind_fail(b, tok, "the coding has to be a constant: hex, base64 or escape");
    for (size_t i = 0; i < BP_COUNT_OF(codings); i++)
        if (len == strlen(codings[i]) && strncasecmp(s, codings[i], len) == 0) {
            c->op = (uint8_t)i;
            *n = 1;
            return 0;
        }
    return bp_bind_fail(b, args[1]->tok, "there is no coding '%.*s': use hex, base64 or escape",
                        (int)BP_MIN(len, 40), s);
}

/* ---- quoting ---- */

/* SQL's words that are no plain names, each with a blank behind. */
static const char reserved[] =
    " "
    "all analyse analyze and any array as asc asymmetric authorization between bigint "
    "binary bit boolean both case cast char character check coalesce collate collation "
    "column concurrently constraint create cross current_catalog current_date "
    "current_role current_schema current_time current_timestamp current_user dec decimal "
    "default deferrable desc distinct do else end except exists extract false fetch float "
    "for foreign freeze from full grant greatest group grouping having ilike in initially "
    "inner inout int integer intersect interval into is isnull join lateral leading least "
    "left like limit localtime localtimestamp national natural nchar none normalize not "
    "notnull null nullif numeric offset on only or order out outer overlaps overlay "
    "placing position precision primary real references returning right row select "
    "session_user setof similar smallint some substring symmetric table tablesample then "
    "time timestamp to trailing treat trim true union unique user using values varchar "
    "variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists "
    "xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable ";

static bool is_plain_name(const uint8_t *s, size_t n)
{
    char word[40];

    if (!n || (s[0] >= '0' && s[0] <= '9'))
        return false;
    for (size_t k = 0; k < n; k++)
        if (!(s[k] >= 'a' && s[k] <= 'z') && !(s[k] >= '0' && s[k] <= '9') && s[k] != '_')
            return false;
    if (n + 3 > sizeof word)
        return true;
    word[0] = ' ';
    memcpy(word + 1, s, n);
    memcpy(word + 1 + n, " ", 2);
    return !strstr(reserved, word);
}

/* Between q, every q and every byte `also` twice. */
static int put_quoted(struct bp_run *r, struct bp_text_out *o, size_t *used, const uint8_t *s,
                      size_t n, uint8_t q, uint8_t also)
{
    uint8_t *p;

    BP_TRY(bp_text_out_room(o, *used + 2 * n + 2, &p, r->ev->err));
    p[(*used)++] = q;
    for (size_t k = 0; k < n; k++) {
        if (s[k] == q || s[k] == also)
            p[(*used)++] = s[k];
        p[(*used)++] = s[k];
    }
    p[(*used)++] = q;
    return 0;
}

static int put_ident(struct bp_run *r, struct bp_text_out *o, size_t *used, const uint8_t *s,
                     size_t n)
{
    return is_plain_name(s, n) ? put(r, o, used, s, n) : put_quoted(r, o, used, s, n, '"', '"');
}

static int put_literal(struct bp_run *r, struct bp_text_out *o, size_t *used, const uint8_t *s,
                       size_t n)
{
    if (n && memchr(s, '\\', n))
        BP_TRY(put(r, o, used, "E", 1));
    return put_quoted(r, o, used, s, n, '\'', '\\');
}

static int row_ident(struct bp_run *r, const struct bp_vec *args, int64_t i, struct bp_text_out *o,
                     size_t *used)
{
    size_t n;
    const uint8_t *s = arg_bytes(&args[0], i, &n);

    return put_ident(r, o, used, s, n);
}

static int row_literal(struct bp_run *r, const struct bp_vec *args, int64_t i,
                       struct bp_text_out *o, size_t *used)
{
    size_t n;
    const uint8_t *s = arg_bytes(&args[0], i, &n);

    if (bp_column_is_null(&args[0].c, args[0].one ? 0 : i))
        return put(r, o, used, "NULL", 4);
    return put_literal(r, o, used, s, n);
}

/* ---- format ---- */

struct directive {
    int arg; /* from 1; 0: the next */
    int width;
    bool left;
    uint8_t kind;
};

/* At the byte behind %; false if it is none of ours. */
static bool read_directive(const uint8_t *s, size_t n, size_t *at, struct directive *d)
{
    size_t k = *at, start;
    int v = 0;

    memset(d, 0, sizeof *d);
    for (start = k; k < n && s[k] >= '0' && s[k] <= '9' && v < 100000; k++)
        v = v * 10 + (s[k] - '0');
    if (k > start && k < n && s[k] == '$') {
        if (v == 0)
            return false;
        d->arg = v;
        k++;
    } else {
        k = start;
    }
    for (; k < n && s[k] == '-'; k++)
        d->left = true;
    for (; k < n && s[k] >= '0' && s[k] <= '9' && d->width < 1000000; k++)
        d->width = d->width * 10 + (s[k] - '0');
    if (k >= n || !strchr("sIL", s[k]))
        return false;
    d->kind = s[k];
    *at = k + 1;
    return true;
}

static int put_pad(struct bp_run *r, struct bp_text_out *o, size_t *used, int64_t count)
{
    uint8_t *p;

    if (count <= 0)
        return 0;
    BP_TRY(bp_text_out_room(o, *used + (size_t)count, &p, r->ev->err));
    memset(p + *used, ' ', (size_t)count);
    *used += (size_t)count;
    return 0;
}

static int put_value(struct bp_run *r, int64_t i, const struct directive *d, const struct bp_vec *a,
                     struct bp_text_out *o, size_t *used)
{
    bool null = bp_column_is_null(&a->c, a->one ? 0 : i);
    size_t n, from = *used;
    const uint8_t *s = arg_bytes(a, i, &n);
    int64_t pad;
    uint8_t *p;

    if (null && d->kind == 'I')
        return bp_run_fail(r, i, "format: a name is null");
    if (d->kind == 'I')
        BP_TRY(put_ident(r, o, used, s, n));
    else if (d->kind == 'L')
        BP_TRY(null ? put(r, o, used, "NULL", 4) : put_literal(r, o, used, s, n));
    else
        BP_TRY(put(r, o, used, s, null ? 0 : n));
    BP_TRY(bp_text_out_room(o, *used, &p, r->ev->err));
    pad = d->width - count_chars(p + from, *used - from);
    BP_TRY(put_pad(r, o, used, pad));
    BP_TRY(bp_text_out_room(o, *used, &p, r->ev->err));
    if (pad > 0 && !d->left) {
        n = *used - from - (size_t)pad;
        memmove(p + from + pad, p + from, n);
        memset(p + from, ' ', (size_t)pad);
    }
    return 0;
}

static int row_format(struct bp_run *r, const struct bp_vec *args, int64_t i, struct bp_text_out *o,
                      size_t *used)
{
    size_t n, at = 0;
    const uint8_t *s = arg_bytes(&args[0], i, &n), *pc;
    struct directive d;
    int next = 1;

    while (at < n) {
        pc = memchr(s + at, '%', n - at);
        BP_TRY(put(r, o, used, s + at, pc ? (size_t)(pc - s) - at : n - at));
        if (!pc)
            break;
        at = (size_t)(pc - s) + 1;
        if (at < n && s[at] == '%') {
            BP_TRY(put(r, o, used, "%", 1));
            at++;
            continue;
        }
        if (!read_directive(s, n, &at, &d))
            return bp_run_fail(r, i, "format: behind %% stands one of s, I, L, %%");
        if (d.arg)
            next = d.arg;
        if (next >= r->node->n_args)
            return bp_run_fail(r, i, "format: there is no argument %d", next);
        BP_TRY(put_value(r, i, &d, &args[next++], o, used));
    }
    return 0;
}

BP_TEXT_KERNEL(run_md5, row_md5)
BP_TEXT_KERNEL(run_encode, row_encode)
BP_TEXT_KERNEL(run_decode, row_decode)
BP_TEXT_KERNEL(run_ident, row_ident)
BP_TEXT_KERNEL(run_literal, row_literal)
BP_TEXT_KERNEL(run_format_rows, row_format)

/* A NULL format gives NULL. */
static int run_format(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_run own = *r;
    struct bp_block *valid = NULL;
    int rc;

    if (!args[0].c.n_nulls)
        return run_format_rows(r, args, out);
    BP_TRY(bp_block_new(&valid, (size_t)(r->n + 7) / 8, r->ev->err));
    for (int64_t i = 0; i < r->n; i++)
        bp_bit_put(valid->data, i, !bp_column_is_null(&args[0].c, args[0].one ? 0 : i));
    own.valid = valid->data;
    rc = run_format_rows(&own, args, out);
    if (rc < 0)
        bp_block_unref(valid);
    else
        bp_vec_set_valid(out, valid);
    return rc;
}

/* Booleans too are long words here. */
static int bind_quoted(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)tok, (void)c, (void)n;
    return args[0]->type.kind == BP_TEXT
               ? 0
               : bp_bind_cast(b, tok, args[0], BP_TYPE(BP_TEXT), &args[0]);
}

static const struct bp_fn fns[] = {
    {.name = "md5", .result = BP_TEXT, .run = run_md5, .args = {BP_TEXT}},
    {.name = "md5", .result = BP_TEXT, .run = run_md5, .args = {BP_BINARY}},
    {.name = "encode",
     .result = BP_TEXT,
     .run = run_encode,
     .args = {BP_BINARY, BP_TEXT},
     .bind = bind_coding},
    {.name = "decode",
     .result = BP_BINARY,
     .run = run_decode,
     .flags = BP_FN_FALLIBLE,
     .args = {BP_TEXT, BP_TEXT},
     .bind = bind_coding},
    {.name = "quote_ident", .result = BP_TEXT, .run = run_ident, .args = {BP_TEXT}},
    {.name = "quote_literal",
     .result = BP_TEXT,
     .run = run_literal,
     .args = {BP_ANY},
     .bind = bind_quoted},
    {.name = "quote_nullable",
     .result = BP_TEXT,
     .run = run_literal,
     .flags = BP_FN_LAX,
     .args = {BP_ANY},
     .bind = bind_quoted},
    {.name = "format",
     .result = BP_TEXT,
     .run = run_format,
     .flags = BP_FN_LAX | BP_FN_FALLIBLE,
     .args = {BP_ANY, BP_MORE},
     .bind = bp_bind_as_texts},
};

const struct bp_fn_table bp_fns_code = {fns, BP_COUNT_OF(fns)};
