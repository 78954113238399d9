/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Literals. A number is an integer if it fits, then bigint, then decimal, and
 * remembers its digits, so that beside a float64 it is the float64 nearest to
 * what was written. A string, a variable and the word null have no type until
 * they meet something that has one.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "col/text.h"
#include "expr/cast.h"

/* Digits behind the point that the text of a number needs; -1 if it is none. */
static int natural_scale(const char *s, size_t n)
{
    size_t i = 0, frac = 0, sig = 0;
    long exp = 0;

    while (i < n && isspace((unsigned char)s[i]))
        i++;
    if (i < n && (s[i] == '-' || s[i] == '+'))
        i++;
    for (; i < n && isdigit((unsigned char)s[i]); i++)
        sig++;
    if (i < n && s[i] == '.')
        for (i++; i < n && isdigit((unsigned char)s[i]); i++)
            frac++;
    if (sig + frac == 0 || n - i > 32)
        return -1;
    if (i < n && (s[i] == 'e' || s[i] == 'E'))
        exp = strtol(s + i + 1, NULL, 10);
    if (exp < -1000 || exp > 1000)
        return -1;
    return (long)frac - exp < 0 ? 0 : (int)((long)frac - exp);
}

static int count_digits(bp_int128 v)
{
    int n = 0;

    for (bp_uint128 u = v < 0 ? -(bp_uint128)v : (bp_uint128)v; u; u /= 10)
        n++;
    return n;
}

int bp_decimal_parse_any(const char *s, size_t n, bp_int128 *v, int *scale)
{
    *scale = natural_scale(s, n);
    if (*scale < 0)
        return BP_TEXT_BAD;
    return *scale > 38 ? BP_TEXT_RANGE : bp_parse_decimal(s, n, 38, *scale, v);
}

/* The text as a decimal with the scale it needs. */
static int parse_decimal(const char *s, size_t n, bp_int128 *v, struct bp_type *t)
{
    int scale, rc = bp_decimal_parse_any(s, n, v, &scale);

    if (rc)
        return rc;
    *t = BP_TYPE_DECIMAL((uint8_t)BP_MAX(BP_MAX(count_digits(*v), scale), 1), (uint8_t)scale);
    return BP_TEXT_OK;
}

static int number_node(struct bp_bind *b, int tok, const char *text, struct bp_node **out)
{
    size_t n = strlen(text);
    bp_int128 dec;
    struct bp_type t;
    int64_t i;
    double f;

    if (bp_parse_int64(text, n, &i) == BP_TEXT_OK) {
        int32_t small = (int32_t)i;

        if (small == i)
            return bp_node_const_fixed(b, tok, BP_TYPE(BP_INT32), &small, out);
        return bp_node_const_fixed(b, tok, BP_TYPE(BP_INT64), &i, out);
    }
    if (parse_decimal(text, n, &dec, &t) == BP_TEXT_OK)
        return bp_node_const_fixed(b, tok, t, &dec, out);
    if (bp_parse_float64(text, n, &f) != BP_TEXT_OK)
        return bp_bind_fail(b, tok, "the number %.60s is out of range", text);
    return bp_node_const_fixed(b, tok, BP_TYPE(BP_FLOAT64), &f, out);
}

int bp_bind_number(struct bp_bind *b, int tok, const char *text, struct bp_node **out)
{
    BP_TRY(number_node(b, tok, text, out));
    (*out)->literal = bp_arena_str(&b->e->mem, text, b->err);
    return (*out)->literal ? 0 : b->err->code;
}

int bp_bind_literal(struct bp_bind *b, int tok, const char *text, struct bp_node **out)
{
    *out = bp_node_new(b, BP_N_LITERAL, BP_TYPE(BP_NO_TYPE), tok, 0);
    if (!*out)
        return b->err->code;
    if (text) {
        (*out)->literal = bp_arena_str(&b->e->mem, text, b->err);
        if (!(*out)->literal)
            return b->err->code;
    }
    return 0;
}

static int not_a_value(struct bp_bind *b, const struct bp_node *nd, struct bp_type to, int status)
{
    char name[BP_TYPE_NAME_MAX];

    if (status == BP_TEXT_RANGE)
        return bp_bind_fail(b, nd->tok, "'%.200s' is out of range for %s", nd->literal,
                            bp_type_name(to, name));
    return bp_bind_fail(b, nd->tok, "'%.200s' is not %s %s", nd->literal,
                        strchr("aeiou", bp_type_name(to, name)[0]) ? "an" : "a", name);
}

/* A decimal as it is written, whatever precision `to` has. */
static int literal_decimal(struct bp_bind *b, struct bp_node **nd, struct bp_type to, bool is_cast)
{
    bp_int128 v;
    struct bp_type t;
    int rc = parse_decimal((*nd)->literal, strlen((*nd)->literal), &v, &t), tok = (*nd)->tok;

    if (rc)
        return not_a_value(b, *nd, to, rc);
    BP_TRY(bp_node_const_fixed(b, tok, t, &v, nd));
    return is_cast ? bp_bind_cast(b, tok, *nd, to, nd) : 0;
}

/* A timestamp may be written finer than the column that it is compared with. */
static int parse_fixed(const char *s, size_t n, struct bp_type *to, bool is_cast, void *v)
{
    int rc = bp_text_parse(*to, s, n, v);

    while (rc == BP_TEXT_RANGE && !is_cast && to->unit < BP_NANO &&
           (to->kind == BP_TIMESTAMP || to->kind == BP_TIMESTAMPTZ || to->kind == BP_TIME)) {
        to->unit++;
        rc = bp_text_parse(*to, s, n, v);
    }
    return rc;
}

int bp_literal_as(struct bp_bind *b, struct bp_node **nd, struct bp_type to, bool is_cast)
{
    const char *s = (*nd)->literal;
    union {
        bp_int128 wide;
        uint8_t bytes[16];
    } v = {0};
    int rc, tok = (*nd)->tok;
    struct bp_node *text;

    if (!s)
        return bp_node_null(b, tok, to, nd);
    if (to.kind == BP_TEXT)
        return bp_node_const_bytes(b, tok, to, s, strlen(s), nd);
    if (to.kind == BP_DECIMAL)
        return literal_decimal(b, nd, to, is_cast);
    if (bp_type_is_nested(to))
        return not_a_value(b, *nd, to, BP_TEXT_BAD);
    if (to.kind == BP_BINARY || is_cast) {
        /* As a cast of text does it; a failure shows now, since the text stands here. */
        BP_TRY(bp_node_const_bytes(b, tok, BP_TYPE(BP_TEXT), s, strlen(s), &text));
        BP_TRY(bp_bind_cast(b, tok, text, to, &text));
        if (text->kind != BP_N_CONST)
            return not_a_value(b, *nd, to, BP_TEXT_BAD);
        *nd = text;
        return 0;
    }
    rc = parse_fixed(s, strlen(s), &to, is_cast, &v);
    if (rc)
        return not_a_value(b, *nd, to, rc);
    return bp_node_const_fixed(b, tok, to, &v, nd);
}

int bp_coerce(struct bp_bind *b, struct bp_node **nd, struct bp_type to)
{
    struct bp_node *n = *nd;
    double f;

    if (n->kind == BP_N_LITERAL)
        return bp_literal_as(b, nd, to, false);
    if (bp_type_equal(n->type, to))
        return 0;
    if (n->kind == BP_N_CONST && n->literal && to.kind == BP_FLOAT64 &&
        bp_parse_float64(n->literal, strlen(n->literal), &f) == BP_TEXT_OK) {
        int first = n->first, last = n->last;

        BP_TRY(bp_node_const_fixed(b, n->tok, to, &f, nd));
        (*nd)->first = first;
        (*nd)->last = last;
        return 0;
    }
    return bp_bind_cast(b, n->tok, n, to, nd);
}

int bp_settle(struct bp_bind *b, struct bp_node **nd)
{
    return (*nd)->kind == BP_N_LITERAL ? bp_literal_as(b, nd, BP_TYPE(BP_TEXT), false) : 0;
}
