/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers out of text by a format. As in PostgreSQL the format says where digits may stand and
 * which signs and commas may be there, not that they have to: each of its places takes one
 * character, digits where there are some, and the text may end early.
 */
#include <string.h>

#include "col/text.h"
#include "expr/cast.h"
#include "expr/decimals.h"
#include "expr/digits.h"
#include "expr/function.h"
#include "expr/text_arg.h"
#include "expr/wide.h"

struct reader {
    const struct bp_digits *f;
    const char *s;
    size_t n, at;
    char sign; /* 0: none seen */
    bool point;
    int whole, behind; /* digits read before and behind the point */
    bp_int128 v;       /* the digits */
    bool overflow;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_sign(char c)
{
    return c == '-' || c == '+';
}

static bool at_end(const struct reader *r)
{
    return r->at >= r->n;
}

/* In front of the first digit. */
static void take_leading_sign(struct reader *r)
{
    char c = r->s[r->at];

    if (is_sign(c) || (c == '<' && r->f->bracket)) {
        r->sign = c == '<' ? '-' : c;
        r->at++;
    }
}

static bool take_digit(struct reader *r)
{
    char c = r->s[r->at];

    if (is_digit(c)) {
        r->overflow |=
            __builtin_mul_overflow(r->v, 10, &r->v) || __builtin_add_overflow(r->v, c - '0', &r->v);
        r->behind += r->point;
        r->whole += !r->point;
        return true;
    }
    if (c == '.' && r->f->point && !r->point) {
        r->point = true;
        return true;
    }
    return false;
}

/* A sign that stands behind the last digit: its place is known by what is read. */
static void take_trailing_sign(struct reader *r, bool read)
{
    if (r->f->sign != BP_DIG_PLAIN && read && r->at + 1 < r->n && is_sign(r->s[r->at + 1]))
        r->sign = r->s[++r->at];
    else if (!read && (r->f->plus || r->f->minus) && is_sign(r->s[r->at]))
        r->sign = r->s[r->at];
}

/* A 9, a 0 or the point; leaves at on the last character that it took. false: the digits behind
 * the point are all there, and the character stays. */
static void take_place(struct reader *r, bool point)
{
    bool read;

    if (r->s[r->at] == ' ')
        r->at++;
    if (at_end(r))
        return;
    if (!r->sign && !point && r->whole + r->behind == 0)
        take_leading_sign(r);
    if (at_end(r) || (r->point && r->behind == r->f->post && is_digit(r->s[r->at])))
        return;
    read = take_digit(r);
    if (!r->sign && r->whole + r->behind > 0)
        take_trailing_sign(r, read);
}

/* A character of the format that is none of its patterns skips one that is no part of a number. */
static void skip_plain(struct reader *r, int chars)
{
    for (; chars > 0 && !at_end(r); chars--) {
        if (is_digit(r->s[r->at]) || strchr(".,+-", r->s[r->at]))
            return;
        do
            r->at++;
        while (!at_end(r) && !is_lead((uint8_t)r->s[r->at]));
    }
}

static void take_item(struct reader *r, const struct bp_dig *d)
{
    char c = r->s[r->at];

    switch (d->key) {
    case BP_DIG_9:
    case BP_DIG_0:
    case BP_DIG_POINT:
        take_place(r, d->key == BP_DIG_POINT);
        r->at++;
        break;
    case BP_DIG_COMMA: r->at += c == ','; break;
    case BP_DIG_MI:
    case BP_DIG_PL:
    case BP_DIG_SG:
        if ((c == '-' && d->key != BP_DIG_PL) || (c == '+' && d->key != BP_DIG_MI)) {
            r->sign = c;
            r->at++;
        } else {
            skip_plain(r, 1);
        }
        break;
    case BP_DIG_TH: skip_plain(r, 2); break;
    case BP_DIG_L: skip_plain(r, 1); break;
    case BP_DIG_CHAR: /* whether it is the same or not */
        do
            r->at++;
        while (!at_end(r) && !is_lead((uint8_t)r->s[r->at]));
        break;
    default: break;
    }
}

/* enum bp_text_status; the value has the type's scale. */
static int read_number(const struct bp_digits *f, const char *s, size_t n, int scale, bp_int128 *v)
{
    struct reader r = {.f = f, .s = s, .n = n};
    int up;

    for (int i = 0; i < f->n && !at_end(&r); i++)
        take_item(&r, &f->at[i]);
    if (r.whole + r.behind == 0)
        return BP_TEXT_BAD;
    up = scale - r.behind - f->multi;
    if (r.overflow || up < 0 || up > 38 ||
        __builtin_mul_overflow(r.v, (bp_int128)bp_ten_to[up], &r.v) || r.v > BP_DECIMAL_MAX ||
        r.v >= (bp_int128)bp_ten_to[BP_MIN(f->pre + f->multi + f->post, 38)])
        return BP_TEXT_RANGE; /* more digits than the format has */
    *v = r.sign == '-' ? -r.v : r.v;
    return BP_TEXT_OK;
}

static int run_to_number(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_decimals d;
    bp_int128 *v;

    BP_TRY(bp_decimals_start(&d, r, NULL, 0, out));
    v = d.to;
    for (int64_t i = 0; i < r->n; i++) {
        const char *s;
        size_t n;
        int rc;

        v[i] = 0;
        if (!bp_run_is_valid(r, i))
            continue;
        s = (const char *)bp_column_bytes(&args[0].c, i, &n);
        rc = read_number(r->node->param, s, n, r->node->type.scale, &v[i]);
        if (rc)
            BP_TRY(bp_cast_fail(r, i, &args[0], rc == BP_TEXT_RANGE));
    }
    bp_decimals_end(&d, out);
    return 0;
}

static int bind_to_number(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                          struct bp_call *c)
{
    struct bp_digits *f = bp_arena_alloc(&b->e->mem, sizeof *f, b->err);
    struct bp_err why = {0};
    const char *s = "";
    size_t len = 0;

    (void)tok;
    if (!f)
        return b->err->code;
    if (!bp_node_const_text(args[1], &s, &len) || len == 0)
        return bp_bind_fail(b, args[1]->tok, "the format has to be a constant, as in '9,990.00'");
    if (bp_digits_parse(&b->e->mem, s, len, f, &why) < 0)
        return why.code == BP_EUSAGE ? bp_bind_fail(b, args[1]->tok, "%s", why.msg)
                                     : bp_fail(b->err, why.code, "%s", why.msg);
    if (f->roman || f->eeee)
        return bp_bind_fail(b, args[1]->tok, "RN and EEEE are only written, by to_char()");
    if (f->post + f->multi > 38)
        return bp_bind_fail(b, args[1]->tok, "the format has more than 38 digits behind the point");
    c->param = f;
    c->type = BP_TYPE_DECIMAL(38, (uint8_t)(f->post + f->multi));
    *n = 1;
    return 0;
}

static const struct bp_fn fns[] = {
    {.name = "to_number",
     .args = {BP_TEXT, BP_TEXT},
     .result = BP_DECIMAL,
     .flags = BP_FN_FALLIBLE,
     .run = run_to_number,
     .bind = bind_to_number},
};

const struct bp_fn_table bp_fns_to_number = {fns, BP_COUNT_OF(fns)};
