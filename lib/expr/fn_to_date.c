/* SPDX-License-Identifier: Apache-2.0 */
/* Dates out of text: to_date(). */
#include <string.h>

#include "col/civil.h"
#include "col/text.h"
#include "expr/cast.h"
#include "expr/function.h"

static int bind_to_date(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                        struct bp_call *c)
{
    struct bp_call cast;

    (void)n;
    if (args[0]->type.kind == BP_DATE)
        return 0; /* run stays NULL: the argument itself */
    if (!bp_cast_find(args[0]->type, BP_TYPE(BP_DATE), &cast))
        return bp_bind_fail(b, tok, "to_date() takes a text or a timestamp");
    *c = cast;
    return 0;
}

/* One part of a format: digits of a field, or bytes that stand for themselves. */
static int read_digits(const char **s, const char *end, int max, int *out)
{
    int n = 0;

    for (*out = 0; n < max && *s < end && **s >= '0' && **s <= '9'; n++)
        *out = *out * 10 + *(*s)++ - '0';
    return n;
}

static bool same_word(const char *s, const char *end, const char *word, size_t n)
{
    return (size_t)(end - s) >= n && strncasecmp(s, word, n) == 0;
}

static int read_month(const char **s, const char *end)
{
    static const char *const months[] = {"january",   "february", "march",    "april",
                                         "may",       "june",     "july",     "august",
                                         "september", "october",  "november", "december"};

    for (int m = 0; m < 12; m++) {
        size_t n = strlen(months[m]);

        if (same_word(*s, end, months[m], n)) {
            *s += n;
            return m + 1;
        }
        if (same_word(*s, end, months[m], 3)) {
            *s += 3;
            return m + 1;
        }
    }
    return 0;
}

struct date_parts {
    int year, month, day;
};

/* One step through the format. false: the text does not have what it asks for. */
static bool read_part(const char **f, const char *fend, const char **s, const char *end,
                      struct date_parts *d)
{
    bool tight = *f + 4 < fend && ((*f)[4] | 0x20) >= 'a' && ((*f)[4] | 0x20) <= 'z';

    if (same_word(*f, fend, "YYYY", 4)) {
        *f += 4;
        return read_digits(s, end, tight ? 4 : 6, &d->year) > 0;
    }
    if (same_word(*f, fend, "MONTH", 5) || same_word(*f, fend, "MON", 3)) {
        *f += same_word(*f, fend, "MONTH", 5) ? 5 : 3;
        d->month = read_month(s, end);
        return d->month > 0;
    }
    if (same_word(*f, fend, "MM", 2)) {
        *f += 2;
        return read_digits(s, end, 2, &d->month) > 0;
    }
    if (same_word(*f, fend, "DD", 2)) {
        *f += 2;
        return read_digits(s, end, 2, &d->day) > 0;
    }
    if (same_word(*f, fend, "YY", 2)) {
        *f += 2;
        if (read_digits(s, end, 2, &d->year) == 0)
            return false;
        d->year += d->year < 70 ? 2000 : 1900;
        return true;
    }
    /* A separator stands for any one separator. */
    (*f)++;
    if (*s < end && !(**s >= '0' && **s <= '9') && !((**s | 0x20) >= 'a' && (**s | 0x20) <= 'z'))
        (*s)++;
    return true;
}

static int format_date(const char *s, size_t n, const char *f, size_t nf, int32_t *out)
{
    const char *end = s + n, *fend = f + nf;
    struct date_parts d = {.year = 1, .month = 1, .day = 1};

    while (s < end && *s == ' ')
        s++;
    while (f < fend)
        if (!read_part(&f, fend, &s, end, &d))
            return BP_TEXT_BAD;
    if (d.year < 1 || d.month < 1 || d.month > 12 || d.day < 1 ||
        d.day > bp_days_in_month(d.year, d.month))
        return BP_TEXT_RANGE;
    *out = (int32_t)bp_days_from_civil(d.year, d.month, d.day);
    return BP_TEXT_OK;
}

static int run_format_date(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int32_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    memset(v, 0, (size_t)r->n * sizeof *v);
    for (int64_t i = 0; i < r->n; i++) {
        size_t n, nf;
        const uint8_t *s, *f;
        int rc;

        if (!bp_run_is_valid(r, i))
            continue;
        s = bp_column_bytes(&args[0].c, args[0].one ? 0 : i, &n);
        f = bp_column_bytes(&args[1].c, args[1].one ? 0 : i, &nf);
        rc = format_date((const char *)s, n, (const char *)f, nf, &v[i]);
        if (rc)
            BP_TRY(bp_cast_fail(r, i, &args[0], rc == BP_TEXT_RANGE));
    }
    return 0;
}

/* Letters of a format that mean something else would be read as separators. */
static int bind_format_date(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                            struct bp_call *c)
{
    static const char *const words[] = {"YYYY", "YY", "MONTH", "MON", "MM", "DD"};
    const char *s;
    size_t len;

    (void)tok, (void)n, (void)c;
    if (!bp_node_const_text(args[1], &s, &len))
        return bp_bind_fail(b, args[1]->tok, "the format has to be a constant");
    for (const char *p = s, *end = s + len; p < end;) {
        size_t step = 1, w;

        for (w = 0; w < BP_COUNT_OF(words); w++)
            if (same_word(p, end, words[w], strlen(words[w])))
                break;
        if (w < BP_COUNT_OF(words))
            step = strlen(words[w]);
        else if (((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') || *p == '"')
            return bp_bind_fail(b, args[1]->tok,
                                "formats know YYYY, YY, MM, MON, MONTH, DD and separators, not "
                                "'%.*s'",
                                (int)(end - p), p);
        p += step;
    }
    return 0;
}

static const struct bp_fn fns[] = {
    {.name = "to_date", .args = {BP_ANY}, .result = BP_DATE, .bind = bind_to_date},
    {.name = "to_date",
     .args = {BP_TEXT, BP_TEXT},
     .result = BP_DATE,
     .flags = BP_FN_FALLIBLE,
     .run = run_format_date,
     .bind = bind_format_date},
};

const struct bp_fn_table bp_fns_to_date = {fns, BP_COUNT_OF(fns)};
