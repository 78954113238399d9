/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as text by a format. A number becomes its sign, the digits before the point and
 * those behind it, as many as the format has; then the format is walked, a place for each of
 * its digits. In front of the first digit stand blanks, or zeros from the first 0 of the
 * format on; the sign is written right before what is no blank.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "col/text.h"
#include "expr/digits.h"
#include "expr/function.h"
#include "expr/text_arg.h"
#include "expr/wide.h"

#define TEXT_BYTES 600 /* of a number: 309 digits, point, 100 behind it */

struct number {
    bool negative;
    char text[TEXT_BYTES]; /* digits, a point and post digits if the format has any */
    int whole;             /* digits before the point */
    int post;              /* digits behind the point, where they are fewer than the format's */
};

static void add_zeros(struct number *x, int post)
{
    size_t n = strlen(x->text);

    if (post <= 0)
        return;
    x->text[n++] = '.';
    memset(x->text + n, '0', (size_t)post);
    x->text[n + (size_t)post] = '\0';
}

static void from_decimal(struct number *x, bp_int128 v, int scale, int post, int multi)
{
    bp_uint128 u;
    char digits[48];
    int n = 0, have = scale - multi;

    if (have > post) {
        v = bp_round_pow10(v, have - post);
        have = post;
    }
    x->negative = v < 0;
    for (u = bp_abs128(v); u || n == 0; u /= 10)
        digits[n++] = (char)('0' + (int)(u % 10));
    for (; n <= have; n++)
        digits[n] = '0';
    x->whole = 0;
    while (n > BP_MAX(have, 0))
        x->text[x->whole++] = digits[--n];
    for (; have < 0; have++)
        x->text[x->whole++] = '0';
    if (x->whole > 1 && x->text[0] == '0') { /* zero times a power of ten */
        x->text[0] = '0';
        x->whole = 1;
    }
    x->text[x->whole] = '\0';
    if (post > 0) {
        int at = x->whole;

        x->text[at++] = '.';
        while (n > 0)
            x->text[at++] = digits[--n];
        for (; have < post; have++)
            x->text[at++] = '0';
        x->text[at] = '\0';
    }
}

/* No more digits than the type has, 15 or 6. NaN and Infinity are written as if they were digits.
 */
static void from_float(struct number *x, double v, int digits, int post, int multi)
{
    double a = fabs(multi ? v * pow(10, multi) : v);

    x->negative = signbit(v) && !isnan(v);
    x->whole = isfinite(a) ? snprintf(x->text, sizeof x->text, "%.0f", a)
                           : sprintf(x->text, isnan(a) ? "NaN" : "Infinity");
    x->post = x->whole >= digits ? 0 : BP_MIN(post, digits - x->whole);
    if (!isfinite(a))
        return;
    snprintf(x->text, sizeof x->text, "%.*f", x->post, a);
    x->whole = (int)strcspn(x->text, ".");
}

/* ---- walking the format ---- */

struct walk {
    const struct bp_digits *f;
    const struct number *x;
    char *to;
    int n;      /* bytes written */
    int place;  /* digits of the format passed */
    int at;     /* in the number's text */
    int blanks; /* places in front of the first digit */
    int last;   /* FM: the last byte of the number to be written; -1: all */
    int end;    /* the place behind which the number ends */
    int cut;    /* bytes in front of the first digit that a float does not have: PostgreSQL's text
                   ends there, sign and all; -1: it has all */
    bool in, signed_already, trailing;
    bool bracket; /* PR; not with FM, where there is nothing to mark */
};

static void put(struct walk *w, char c)
{
    w->to[w->n++] = c;
}

/* 0.5 is written .5, unless a 0 of the format keeps the zero. */
static bool hides_zero(const struct walk *w)
{
    return w->f->zero_from < 0 && w->at == 0 && w->x->text[0] == '0' && w->f->post != 0;
}

static bool ends_at_point(const struct walk *w)
{
    return w->last >= 0 && w->x->text[w->last] == '.';
}

static void put_sign(struct walk *w)
{
    bool minus = w->x->negative;

    if (w->f->sign == BP_DIG_LEADING && !w->trailing) {
        put(w, minus ? '-' : '+');
        w->signed_already = true;
    } else if (w->f->sign == BP_DIG_PLAIN) {
        if (w->bracket)
            put(w, minus ? '<' : ' ');
        else if (minus || !w->f->fill)
            put(w, minus ? '-' : ' ');
        w->signed_already = true;
    }
}

static void put_end(struct walk *w)
{
    if (w->signed_already && w->bracket)
        put(w, w->x->negative ? '>' : ' ');
    else if (w->trailing)
        put(w, w->x->negative ? '-' : '+');
}

/* What stands at this place of the number. */
static void put_digit(struct walk *w, bool zero)
{
    char c = w->x->text[w->at];

    if (c == '.') {
        if (!ends_at_point(w) || w->f->fill)
            put(w, '.');
    } else if (w->last >= 0 && w->at > w->last && !zero) {
        ; /* FM: zeros at the end */
    } else if (hides_zero(w)) {
        if (!w->f->fill)
            put(w, ' ');
        else if (ends_at_point(w))
            put(w, '0');
    } else {
        if (!c && w->cut < 0)
            w->cut = w->n;
        else if (c)
            put(w, c);
        w->in = true;
    }
    if (c)
        w->at++;
}

static void put_place(struct walk *w, bool zero)
{
    int zeros = w->f->zero_from;
    bool blank = w->place < w->blanks, padded = zeros >= 0 && zeros <= w->place;
    int end = w->end;

    w->in = false;
    if (!w->signed_already && (!blank || (zeros >= 0 && zeros == w->place)) &&
        (!hides_zero(w) || ends_at_point(w)))
        put_sign(w);
    if (blank && padded) {
        put(w, '0');
        w->in = true;
    } else if (blank) {
        if (!w->f->fill)
            put(w, ' ');
    } else {
        put_digit(w, zero);
    }
    if (w->last >= 0 && w->last == w->at)
        end = w->place;
    if (w->place + 1 == end)
        put_end(w);
    w->place++;
}

static void put_ordinal(struct walk *w, bool lower)
{
    static const char *const ends[] = {"th", "st", "nd", "rd"};
    size_t n = strlen(w->x->text);
    int k;

    if (n == 0 || w->x->negative || w->f->point || w->x->text[0] == '#')
        return;
    k = w->x->text[n - 1] - '0';
    if (k > 3 || (n > 1 && w->x->text[n - 2] == '1'))
        k = 0;
    for (int i = 0; i < 2; i++)
        put(w, (char)(ends[k][i] & (lower ? 0xff : 0xdf)));
}

static void put_roman(struct walk *w, bool lower)
{
    static const char *const parts[] = {"M",  "CM", "D",  "CD", "C",  "XC", "L",
                                        "XL", "X",  "IX", "V",  "IV", "I"};
    static const int values[] = {1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1};
    char text[20] = "###############";
    int v = 0;

    if (!w->x->negative && w->x->whole <= 4)
        (void)sscanf(w->x->text, "%d", &v);
    if (v > 0 && v < 4000) {
        text[0] = '\0';
        for (int i = 0; i < 13; i++)
            for (; v >= values[i]; v -= values[i])
                strcat(text, parts[i]);
    }
    for (char *p = text; lower && *p; p++)
        *p = (char)(*p | (*p >= 'A' ? 0x20 : 0));
    w->n += sprintf(w->to + w->n, w->f->fill ? "%s" : "%15s", text);
}

static void put_item(struct walk *w, const struct bp_dig *d)
{
    bool minus = w->x->negative, fill = w->f->fill;

    switch (d->key) {
    case BP_DIG_CHAR:
        memcpy(w->to + w->n, d->text, d->bytes);
        w->n += d->bytes;
        break;
    case BP_DIG_9:
    case BP_DIG_0:
    case BP_DIG_POINT:
        if (!w->f->roman)
            put_place(w, d->key == BP_DIG_0);
        break;
    case BP_DIG_COMMA:
        if (w->in || !fill)
            put(w, w->in ? ',' : ' ');
        break;
    case BP_DIG_L: put(w, ' '); break; /* the C locale has no currency */
    case BP_DIG_RN: put_roman(w, d->lower); break;
    case BP_DIG_TH: put_ordinal(w, d->lower); break;
    case BP_DIG_MI:
        if (minus || !fill)
            put(w, minus ? '-' : ' ');
        break;
    case BP_DIG_PL:
        if (!minus || !fill)
            put(w, minus ? ' ' : '+');
        break;
    case BP_DIG_SG: put(w, minus ? '-' : '+'); break;
    default: break;
    }
}

/* FM strips zeros from the end, but for those that a 0 keeps. */
static int last_kept(const struct bp_digits *f, const struct number *x, int blanks)
{
    const char *point = strchr(x->text, '.');
    int last;

    if (!f->fill || !f->point || !point)
        return -1;
    last = (int)(point - x->text);
    for (int i = last + 1; x->text[i]; i++)
        if (x->text[i] != '0')
            last = i;
    if (f->zero_to > blanks)
        last = BP_MAX(last, BP_MIN((int)strlen(x->text) - 1, f->zero_to - blanks));
    return last;
}

static size_t walk_format(const struct bp_digits *f, struct number *x, char *to)
{
    struct walk w = {.f = f, .x = x, .to = to, .cut = -1};
    int pre = f->pre + f->multi;

    if (x->whole > pre && !f->roman) { /* it does not fit */
        x->whole = pre;
        memset(x->text, '#', (size_t)(pre + x->post + 1));
        x->text[pre] = '.';
        x->text[pre + x->post + 1] = '\0';
        if (!f->point)
            x->text[pre] = '\0';
    }
    w.blanks = f->roman ? 0 : pre - x->whole;
    w.last = last_kept(f, x, w.blanks);
    w.bracket = f->bracket && (x->negative || !f->fill);
    w.signed_already = f->plus || f->minus;
    if (f->plus && !f->minus)
        w.signed_already = false;
    if (!f->plus && !f->minus && !x->negative && f->fill && f->sign == BP_DIG_PLAIN)
        w.signed_already = true;
    w.trailing = f->sign == BP_DIG_TRAILING || (f->sign == BP_DIG_LEADING && f->sign_pre == f->pre);
    w.end = x->post + pre - 1 + (!w.signed_already && w.blanks == 0) + (w.blanks > 0) + f->point;
    for (int i = 0; i < f->n; i++)
        put_item(&w, &f->at[i]);
    return (size_t)(w.cut < 0 ? w.n : w.cut);
}

/* ---- 1.23e+04 ---- */

static size_t write_science(const struct bp_digits *f, bp_int128 v, int scale, char *to)
{
    char digits[48];
    int n = 0, e, drop;
    bp_uint128 u = bp_abs128(v);

    for (bp_uint128 t = u; t; t /= 10)
        n++;
    e = n - 1 - scale;
    drop = n - 1 - f->post;
    if (drop > 0) {
        u = bp_abs128(bp_round_pow10((bp_int128)u, drop));
        if (u >= bp_ten_to[f->post + 1]) {
            u /= 10;
            e++;
        }
    }
    for (int i = 0; i < -drop && n; i++)
        digits[f->post - i] = '0';
    for (int i = BP_MIN(f->post, n - 1); i >= 0; i--, u /= 10)
        digits[i] = (char)('0' + (int)(u % 10));
    if (!n)
        memset(digits, '0', sizeof digits);
    return (size_t)sprintf(to, "%c%c%s%.*se%+03d", v < 0 ? '-' : ' ', digits[0], f->post ? "." : "",
                           f->post, digits + 1, n ? e : 0);
}

static size_t write_float_science(const struct bp_digits *f, double v, char *to)
{
    int n;

    if (!isfinite(v)) {
        n = sprintf(to, " ");
        memset(to + n, '#', (size_t)(f->pre + f->post + 5));
        to[n + f->pre] = '.';
        return (size_t)(n + f->pre + f->post + 5);
    }
    n = sprintf(to, "%+.*e", f->post, v);
    if (to[0] == '+')
        to[0] = ' ';
    return (size_t)n;
}

static int row_number(struct bp_run *r, const struct bp_vec *args, int64_t i, struct bp_text_out *o,
                      size_t *used)
{
    const struct bp_digits *f = r->node->param;
    const struct bp_column *c = &args[0].c;
    bool is_float = bp_type_is_float(c->type);
    int post = f->roman ? 0 : f->post;
    struct number x = {.post = post};
    bp_int128 v = 0;
    double d = 0;
    uint8_t *to;

    BP_TRY(bp_text_out_room(o, TEXT_BYTES + 16 * (size_t)f->n, &to, r->ev->err));
    if (is_float)
        d = c->type.kind == BP_FLOAT32 ? (double)((const float *)c->data)[i]
                                       : ((const double *)c->data)[i];
    else
        v = c->type.kind == BP_INT64 ? ((const int64_t *)c->data)[i] : bp_column_decimal(c, i);
    if (f->eeee) {
        *used = is_float ? write_float_science(f, d, (char *)to)
                         : write_science(f, v, c->type.scale, (char *)to);
        return 0;
    }
    if (is_float)
        from_float(&x, d, c->type.kind == BP_FLOAT32 ? 6 : 15, post, f->multi);
    else if (c->type.kind == BP_INT64)
        from_decimal(&x, v, 0, 0, f->multi);
    else
        from_decimal(&x, v, c->type.scale, post, f->multi);
    if (c->type.kind == BP_INT64)
        add_zeros(&x, post);
    *used = walk_format(f, &x, (char *)to);
    return 0;
}

BP_TEXT_KERNEL(run_number, row_number)

static int bind_number(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_digits *f = bp_arena_alloc(&b->e->mem, sizeof *f, b->err);
    struct bp_err why = {0};
    const char *s = "";
    size_t len = 0;

    if (!f)
        return b->err->code;
    if (!bp_node_is_null(args[1]) && !bp_node_const_text(args[1], &s, &len))
        return bp_bind_fail(b, args[1]->tok, "the format has to be a constant, as in '9,990.00'");
    if (bp_node_is_null(args[1])) {
        c->run = NULL;
        return bp_node_null(b, tok, c->type, &args[0]);
    }
    c->param = f;
    *n = 1;
    if (bp_digits_parse(&b->e->mem, s, len, f, &why) < 0)
        return why.code == BP_EUSAGE ? bp_bind_fail(b, args[1]->tok, "%s", why.msg)
                                     : bp_fail(b->err, why.code, "%s", why.msg);
    if (f->post > 38 || f->multi > 30)
        return bp_bind_fail(b, args[1]->tok, "the format has more than 38 digits behind the point");
    return 0;
}

#define TO_CHAR(KIND)                                                                              \
    {                                                                                              \
        .name = "to_char", .args = {KIND, BP_TEXT}, .result = BP_TEXT, .run = run_number,          \
        .bind = bind_number                                                                        \
    }

static const struct bp_fn fns[] = {TO_CHAR(BP_INT64), TO_CHAR(BP_DECIMAL), TO_CHAR(BP_FLOAT64),
                                   TO_CHAR(BP_FLOAT32)};

const struct bp_fn_table bp_fns_to_char_number = {fns, BP_COUNT_OF(fns)};
