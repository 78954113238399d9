/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text read by a format, with PostgreSQL's leniency: blanks are skipped before fields, any
 * separator of the format takes one blank or separator of the text or nothing, other characters
 * of the format skip one of the text, what is behind the format is not looked at, and a text may
 * end early. A number takes as many digits as there are, unless the next field is a number, too:
 * then exactly as many as its name has letters. FX turns the leniency off.
 */
#include <string.h>

#include "expr/picture_read.h"

struct reader {
    const char *s, *start, *end;
    bool exact; /* FX */
    int extra;  /* characters skipped that the format does not ask for */
    struct bp_pic_fields *f;
};

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_separator(char c)
{
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', digit = c >= '0' && c <= '9';

    return c > 0x20 && c < 0x7f && !letter && !digit;
}

static void skip_blanks(struct reader *r)
{
    for (; r->s < r->end && is_blank(*r->s); r->s++)
        r->extra++;
}

static void skip_char(struct reader *r)
{
    if (r->s < r->end)
        r->s++;
    while (r->s < r->end && (*r->s & 0xc0) == 0x80)
        r->s++;
}

/* A field that stands twice has to say the same. */
static bool set(int *to, int v)
{
    if (*to && *to != v)
        return false;
    *to = v;
    return true;
}

/* Whether what follows p cannot be a digit. */
static bool ends_number(const struct bp_picture *pic, int k)
{
    const struct bp_piece *p = &pic->pieces[k], *next = p + 1;

    if (p->th || k + 1 == pic->n)
        return true;
    if (next->kind == BP_PIC_FIELD)
        return !next->digits;
    return !(next->bytes == 1 && next->text[0] >= '0' && next->text[0] <= '9');
}

/* A number of at most `max` characters, blanks and sign included; how many were read, 0 if it is
 * none or too large. */
static int read_int(const char *s, const char *end, int *v)
{
    const char *at = s;
    int64_t x = 0;
    bool minus = false;
    int digits = 0;

    while (at < end && is_blank(*at))
        at++;
    if (at < end && (*at == '-' || *at == '+'))
        minus = *at++ == '-';
    for (; at < end && *at >= '0' && *at <= '9'; at++, digits++)
        if ((x = x * 10 + (*at - '0')) > INT32_MAX)
            return 0;
    *v = (int)(minus ? -x : x);
    return digits ? (int)(at - s) : 0;
}

/* The length read, 0 if there is no such number. */
static int read_number(struct reader *r, const struct bp_picture *pic, int k, int width, int *v)
{
    const char *s = r->s, *end;
    int used;

    if (pic->pieces[k].fill || ends_number(pic, k)) {
        used = read_int(s, r->end, v);
        r->s += used;
        return used;
    }
    while (s < r->end && is_blank(*s))
        s++;
    if (r->end - s < width)
        return 0;
    end = s + width;
    used = read_int(s, end, v);
    if (used != width)
        return 0;
    r->s = end;
    return (int)(end - s);
}

/* The index of the name that stands here, -1 for none; the first `max` bytes of each. */
static int read_name(struct reader *r, const char *const *names, int n, size_t max)
{
    for (int i = 0; i < n; i++) {
        size_t k = strlen(names[i]);

        k = k < max ? k : max;
        if ((size_t)(r->end - r->s) >= k && strncasecmp(r->s, names[i], k) == 0) {
            r->s += k;
            return i;
        }
    }
    return -1;
}

static bool number_field(struct reader *r, const struct bp_picture *pic, int k, int *to)
{
    int v;

    return read_number(r, pic, k, pic->pieces[k].bytes, &v) > 0 && set(to, v);
}

/* HH, DD and the like have two digits whatever the field is called. */
static bool short_field(struct reader *r, const struct bp_picture *pic, int k, int width, int *to)
{
    int v;

    return read_number(r, pic, k, width, &v) > 0 && set(to, v);
}

static bool fraction_field(struct reader *r, const struct bp_picture *pic, int k, int digits,
                           int *to)
{
    int v, used = read_number(r, pic, k, digits, &v);

    if (!used || !set(to, v))
        return false;
    for (; used < digits; used++)
        *to *= 10;
    return true;
}

static int near_2020(int y)
{
    return y < 70 ? y + 2000 : y < 100 ? y + 1900 : y < 520 ? y + 2000 : y < 1000 ? y + 1000 : y;
}

static bool year_field(struct reader *r, const struct bp_picture *pic, int k)
{
    int v, digits = pic->pieces[k].number, used = read_number(r, pic, k, digits, &v);

    if (used > 0 && digits < 4 && used < 4)
        v = near_2020(v);
    r->f->year_digits = digits;
    return used > 0 && set(&r->f->year, v);
}

static bool comma_year_field(struct reader *r)
{
    int thousands, rest = 0, n = read_int(r->s, r->end, &thousands), k = 0;

    r->s += n;
    if (!n || r->s == r->end || *r->s++ != ',' || thousands > 2000000)
        return false;
    for (; k < 3 && r->s < r->end && *r->s >= '0' && *r->s <= '9'; k++)
        rest = rest * 10 + (*r->s++ - '0');
    r->f->year_digits = 4;
    return k > 0 && set(&r->f->year, thousands * 1000 + rest);
}

static bool zone_field(struct reader *r, const struct bp_picture *pic, int k)
{
    struct bp_pic_fields *f = r->f;

    if (pic->pieces[k].key == BP_PIC_TZM) {
        f->zone_sign = f->zone_sign ? f->zone_sign : 1;
        return short_field(r, pic, k, 2, &f->zone_minute);
    }
    if (r->s < r->end && strchr("+- ", *r->s))
        f->zone_sign = *r->s++ == '-' ? -1 : 1;
    else /* a separator of the format may have taken the minus */
        f->zone_sign = r->extra > 0 && r->s > r->start && r->s[-1] == '-' ? -1 : 1;
    return short_field(r, pic, k, 2, &f->zone_hour);
}

static bool half_field(struct reader *r, const struct bp_piece *p)
{
    static const char *const am[] = {"am", "pm", "a.m.", "p.m."};
    static const char *const ad[] = {"ad", "bc", "a.d.", "b.c."};
    bool clock = p->key == BP_PIC_AM;
    int i = read_name(r, (clock ? am : ad) + (p->dots ? 2 : 0), 2, 4);

    r->f->half_day |= clock;
    return i >= 0 && set(clock ? &r->f->pm : &r->f->bc, i);
}

static bool roman_field(struct reader *r)
{
    int i = -1;

    for (int m = 11; m >= 0 && i < 0; m--) /* VIII before VII before VI */
        if (read_name(r, bp_roman_months + m, 1, 4) == 0)
            i = m;
    return i >= 0 && set(&r->f->month, i + 1);
}

static bool name_field(struct reader *r, const struct bp_piece *p)
{
    struct bp_pic_fields *f = r->f;
    int i;

    switch (p->key) {
    case BP_PIC_MONTH:
    case BP_PIC_MON:
        i = read_name(r, bp_month_names, 12, p->key == BP_PIC_MONTH ? 9 : 3);
        return i >= 0 && set(&f->month, i + 1);
    case BP_PIC_DAY:
    case BP_PIC_DY:
        i = read_name(r, bp_day_names, 7, p->key == BP_PIC_DAY ? 9 : 3);
        return i >= 0 && set(&f->wday, i + 1);
    case BP_PIC_RM: return roman_field(r);
    default: return half_field(r, p);
    }
}

static bool clock_field(struct reader *r, const struct bp_picture *pic, int k)
{
    const struct bp_piece *p = &pic->pieces[k];
    struct bp_pic_fields *f = r->f;

    switch (p->key) {
    case BP_PIC_HH12: f->half_day = true; return short_field(r, pic, k, 2, &f->hour);
    case BP_PIC_HH24: return short_field(r, pic, k, 2, &f->hour);
    case BP_PIC_MI: return number_field(r, pic, k, &f->minute);
    case BP_PIC_SS: return number_field(r, pic, k, &f->second);
    case BP_PIC_SSSS: return number_field(r, pic, k, &f->second_of_day);
    case BP_PIC_MS: return fraction_field(r, pic, k, 3, &f->ms);
    case BP_PIC_FF: /* always read to microseconds */
        return fraction_field(r, pic, k, p->number, &f->us) &&
               (f->us_done || (f->us_done = true, f->us *= bp_pic_pow10[6 - p->number], true));
    default: return fraction_field(r, pic, k, 6, &f->us);
    }
}

static bool calendar_field(struct reader *r, const struct bp_picture *pic, int k)
{
    const struct bp_piece *p = &pic->pieces[k];
    struct bp_pic_fields *f = r->f;
    int v;

    switch (p->key) {
    case BP_PIC_CC: return number_field(r, pic, k, &f->century);
    case BP_PIC_DDD: return number_field(r, pic, k, &f->yday);
    case BP_PIC_IDDD: return short_field(r, pic, k, 3, &f->yday);
    case BP_PIC_DD: return number_field(r, pic, k, &f->day);
    case BP_PIC_D: return number_field(r, pic, k, &f->wday);
    case BP_PIC_ID:
        if (read_number(r, pic, k, 1, &v) == 0 || !set(&f->wday, v))
            return false;
        f->wday = f->wday + 1 > 7 ? 1 : f->wday + 1;
        return true;
    case BP_PIC_IW:
    case BP_PIC_WW: return number_field(r, pic, k, &f->week);
    case BP_PIC_J: return number_field(r, pic, k, &f->julian);
    case BP_PIC_MM: return number_field(r, pic, k, &f->month);
    case BP_PIC_Q: v = 0; return number_field(r, pic, k, &v);
    case BP_PIC_W: return number_field(r, pic, k, &f->week_of_month);
    case BP_PIC_Y_YYY: return comma_year_field(r);
    default: return year_field(r, pic, k);
    }
}

static bool is_clock(int key)
{
    return key == BP_PIC_HH12 || key == BP_PIC_HH24 || key == BP_PIC_MI || key == BP_PIC_SS ||
           key == BP_PIC_SSSS || key == BP_PIC_MS || key == BP_PIC_FF || key == BP_PIC_US;
}

static bool read_field(struct reader *r, const struct bp_picture *pic, int k)
{
    const struct bp_piece *p = &pic->pieces[k];
    bool ok;

    if (p->key == BP_PIC_FX) {
        r->exact = true;
        return true;
    }
    if (p->key == BP_PIC_TZH || p->key == BP_PIC_TZM)
        ok = zone_field(r, pic, k);
    else if (!p->digits)
        ok = name_field(r, p);
    else if (is_clock(p->key))
        ok = clock_field(r, pic, k);
    else
        ok = calendar_field(r, pic, k);
    for (int i = 0; i < 2 && p->th && p->digits; i++)
        skip_char(r);
    return ok;
}

static void pass_plain(struct reader *r, const struct bp_piece *p)
{
    if (p->kind == BP_PIC_CHAR) {
        if (!r->exact && r->extra > 0)
            r->extra--;
        else
            skip_char(r);
        return;
    }
    if (r->exact) {
        skip_char(r);
        return;
    }
    r->extra--;
    if (is_blank(*r->s) || is_separator(*r->s)) {
        r->s++;
        r->extra++;
    }
}

bool bp_picture_read(const struct bp_picture *pic, const char *s, size_t n,
                     struct bp_pic_fields *out)
{
    struct reader r = {.s = s, .start = s, .end = s + n, .f = out};

    memset(out, 0, sizeof *out);
    for (int k = 0; k < pic->n && r.s < r.end; k++) {
        const struct bp_piece *p = &pic->pieces[k];

        if (!r.exact && (p->kind == BP_PIC_FIELD || k == 0))
            skip_blanks(&r);
        if (p->kind != BP_PIC_FIELD) {
            if (r.s < r.end)
                pass_plain(&r, p);
            continue;
        }
        if (!read_field(&r, pic, k))
            return false;
        if (!r.exact) {
            r.extra = 0;
            skip_blanks(&r);
        }
    }
    return true;
}
