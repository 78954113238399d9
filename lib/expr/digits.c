/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of numbers, taken apart and checked. */
#include "expr/digits.h"

#include <string.h>

#include "base/num.h"

static const struct {
    const char *name;
    uint8_t key;
} names[] = {
    {"EEEE", BP_DIG_EEEE}, {"FM", BP_DIG_FM},   {"MI", BP_DIG_MI},   {"PL", BP_DIG_PL},
    {"PR", BP_DIG_PR},     {"RN", BP_DIG_RN},   {"SG", BP_DIG_SG},   {"SP", BP_DIG_B},
    {"TH", BP_DIG_TH},     {"9", BP_DIG_9},     {"0", BP_DIG_0},     {".", BP_DIG_POINT},
    {"D", BP_DIG_POINT},   {",", BP_DIG_COMMA}, {"G", BP_DIG_COMMA}, {"S", BP_DIG_S},
    {"L", BP_DIG_L},       {"V", BP_DIG_V},     {"B", BP_DIG_B},
};

/* In capitals or small letters. */
static size_t read_name(const char *s, size_t n, struct bp_dig *d)
{
    for (size_t i = 0; i < BP_COUNT_OF(names); i++) {
        size_t k = strlen(names[i].name), up = 0, low = 0;

        if (k > n)
            continue;
        for (size_t c = 0; c < k; c++) {
            up += s[c] == names[i].name[c];
            low += s[c] == (names[i].name[c] >= 'A' ? names[i].name[c] | 0x20 : names[i].name[c]);
        }
        if (up < k && low < k)
            continue;
        d->key = names[i].key;
        d->lower = up < k;
        d->bytes = (uint8_t)k;
        return k;
    }
    return 0;
}

static const char *add_sign(struct bp_digits *f)
{
    if (f->sign != BP_DIG_PLAIN)
        return "S stands twice, or with another sign";
    if (f->plus || f->minus || f->bracket)
        return "S stands with PL, MI, SG or PR";
    f->sign = f->point ? BP_DIG_TRAILING : BP_DIG_LEADING;
    f->sign_pre = f->pre;
    return NULL;
}

static void add_digit(struct bp_digits *f, bool zero)
{
    if (zero && f->zero_from < 0 && !f->point)
        f->zero_from = f->pre;
    if (!zero && f->v)
        f->multi++;
    else if (f->point)
        f->post++;
    else
        f->pre++;
    if (zero)
        f->zero_to = f->pre + f->post;
}

/* NULL, or why k has no place here. */
static const char *add(struct bp_digits *f, enum bp_dig_key k)
{
    if (f->eeee && k != BP_DIG_CHAR)
        return "EEEE stands last";
    switch (k) {
    case BP_DIG_9:
    case BP_DIG_0:
        if (f->bracket)
            return "digits stand in front of PR";
        add_digit(f, k == BP_DIG_0);
        return NULL;
    case BP_DIG_POINT:
        if (f->point || f->v)
            return "there are two points, or a point and V";
        f->point = true;
        return NULL;
    case BP_DIG_V:
        if (f->point)
            return "there is a point and V";
        f->v = true;
        return NULL;
    case BP_DIG_S: return add_sign(f);
    case BP_DIG_MI:
    case BP_DIG_PL:
    case BP_DIG_SG:
        if (f->sign != BP_DIG_PLAIN)
            return "S stands with another sign";
        f->minus |= k != BP_DIG_PL;
        f->plus |= k != BP_DIG_MI;
        return NULL;
    case BP_DIG_PR:
        if (f->sign != BP_DIG_PLAIN || f->plus || f->minus)
            return "PR stands with another sign";
        f->bracket = true;
        return NULL;
    case BP_DIG_FM: f->fill = true; return NULL;
    case BP_DIG_RN: f->roman = true; return NULL;
    case BP_DIG_EEEE:
        if (f->fill || f->sign != BP_DIG_PLAIN || f->bracket || f->minus || f->plus || f->roman ||
            f->v)
            return "EEEE stands with digits and a point only";
        f->eeee = true;
        return NULL;
    default: return NULL;
    }
}

static size_t read_char(const char *s, size_t n, struct bp_dig *d)
{
    uint8_t c = (uint8_t)s[0];
    size_t k = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    k = BP_MIN(k, n);
    d->key = BP_DIG_CHAR;
    d->bytes = (uint8_t)k;
    memcpy(d->text, s, k);
    return k;
}

int bp_digits_parse(struct bp_arena *mem, const char *s, size_t n, struct bp_digits *out,
                    struct bp_err *err)
{
    size_t at = 0;
    bool quoted = false;

    *out = (struct bp_digits){.zero_from = -1};
    if (n > 100)
        return bp_fail(err, BP_EUSAGE, "the format is longer than 100 bytes");
    out->at = bp_arena_alloc(mem, (n + 1) * sizeof *out->at, err);
    if (!out->at)
        return err->code;
    while (at < n) {
        struct bp_dig *d = &out->at[out->n];
        size_t used = quoted ? 0 : read_name(s + at, n - at, d);
        const char *why;

        if (!used && s[at] == '"') {
            quoted = !quoted;
            at++;
            continue;
        }
        if (!used && s[at] == '\\' && at + 1 < n && (quoted || s[at + 1] == '"'))
            at++;
        if (!used)
            used = read_char(s + at, n - at, d);
        why = add(out, (enum bp_dig_key)d->key);
        if (why)
            return bp_fail(err, BP_EUSAGE, "the format '%.*s': %s", (int)n, s, why);
        at += used;
        out->n++;
    }
    return 0;
}
