/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of dates and times, taken apart as PostgreSQL does. */
#include "expr/picture.h"

#include <string.h>

#include "base/num.h"

const char *const bp_month_names[12] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
const char *const bp_day_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                     "Thursday", "Friday", "Saturday"};
const char *const bp_roman_months[12] = {"I",   "II",   "III", "IV", "V",  "VI",
                                         "VII", "VIII", "IX",  "X",  "XI", "XII"};

/* Of two that begin alike the longer one stands first. Those written in letters have a form
 * with a capital; all have one in small letters. */
static const struct {
    const char *name;
    uint8_t key, number;
    bool digits, capital;
} keys[] = {
    {"A.D.", BP_PIC_AD, 0, 0, 0},     {"A.M.", BP_PIC_AM, 0, 0, 0},
    {"AD", BP_PIC_AD, 0, 0, 0},       {"AM", BP_PIC_AM, 0, 0, 0},
    {"B.C.", BP_PIC_AD, 0, 0, 0},     {"BC", BP_PIC_AD, 0, 0, 0},
    {"CC", BP_PIC_CC, 0, 1, 0},       {"DAY", BP_PIC_DAY, 0, 0, 1},
    {"DDD", BP_PIC_DDD, 0, 1, 0},     {"DD", BP_PIC_DD, 0, 1, 0},
    {"DY", BP_PIC_DY, 0, 0, 1},       {"D", BP_PIC_D, 0, 1, 0},
    {"FF1", BP_PIC_FF, 1, 1, 0},      {"FF2", BP_PIC_FF, 2, 1, 0},
    {"FF3", BP_PIC_FF, 3, 1, 0},      {"FF4", BP_PIC_FF, 4, 1, 0},
    {"FF5", BP_PIC_FF, 5, 1, 0},      {"FF6", BP_PIC_FF, 6, 1, 0},
    {"FX", BP_PIC_FX, 0, 0, 0},       {"HH24", BP_PIC_HH24, 0, 1, 0},
    {"HH12", BP_PIC_HH12, 0, 1, 0},   {"HH", BP_PIC_HH12, 0, 1, 0},
    {"IDDD", BP_PIC_IDDD, 0, 1, 0},   {"ID", BP_PIC_ID, 0, 1, 0},
    {"IW", BP_PIC_IW, 0, 1, 0},       {"IYYY", BP_PIC_ISOYEAR, 4, 1, 0},
    {"IYY", BP_PIC_ISOYEAR, 3, 1, 0}, {"IY", BP_PIC_ISOYEAR, 2, 1, 0},
    {"I", BP_PIC_ISOYEAR, 1, 1, 0},   {"J", BP_PIC_J, 0, 1, 0},
    {"MI", BP_PIC_MI, 0, 1, 0},       {"MM", BP_PIC_MM, 0, 1, 0},
    {"MONTH", BP_PIC_MONTH, 0, 0, 1}, {"MON", BP_PIC_MON, 0, 0, 1},
    {"MS", BP_PIC_MS, 0, 1, 0},       {"OF", BP_PIC_OF, 0, 0, 0},
    {"P.M.", BP_PIC_AM, 0, 0, 0},     {"PM", BP_PIC_AM, 0, 0, 0},
    {"Q", BP_PIC_Q, 0, 1, 0},         {"RM", BP_PIC_RM, 0, 0, 0},
    {"SSSSS", BP_PIC_SSSS, 0, 1, 0},  {"SSSS", BP_PIC_SSSS, 0, 1, 0},
    {"SS", BP_PIC_SS, 0, 1, 0},       {"TZH", BP_PIC_TZH, 0, 0, 0},
    {"TZM", BP_PIC_TZM, 0, 1, 0},     {"TZ", BP_PIC_TZ, 0, 0, 0},
    {"US", BP_PIC_US, 0, 1, 0},       {"WW", BP_PIC_WW, 0, 1, 0},
    {"W", BP_PIC_W, 0, 1, 0},         {"Y,YYY", BP_PIC_Y_YYY, 0, 1, 0},
    {"YYYY", BP_PIC_YEAR, 4, 1, 0},   {"YYY", BP_PIC_YEAR, 3, 1, 0},
    {"YY", BP_PIC_YEAR, 2, 1, 0},     {"Y", BP_PIC_YEAR, 1, 1, 0},
};

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Whether s begins with name in one of its forms. */
static bool begins(const char *s, size_t n, const char *name, bool capital, uint8_t *letters)
{
    size_t k = strlen(name);
    bool small = true, rest = true;

    if (n < k)
        return false;
    if (memcmp(s, name, k) == 0) {
        *letters = BP_PIC_UPPER;
        return true;
    }
    for (size_t i = 0; i < k; i++) {
        small &= s[i] == lower(name[i]);
        rest &= s[i] == (i ? lower(name[i]) : name[i]);
    }
    *letters = small ? BP_PIC_LOWER : BP_PIC_CAPITAL;
    return small || (capital && rest);
}

static bool two(const char *s, size_t n, const char *upper, const char *small)
{
    return n >= 2 && (memcmp(s, upper, 2) == 0 || memcmp(s, small, 2) == 0);
}

/* A field with its modifiers; bytes used, 0 if there is none here. */
static size_t read_field(const char *s, size_t n, struct bp_piece *p)
{
    size_t at = 0;

    if (two(s, n, "FM", "fm"))
        p->fill = (at = 2);
    else if (two(s, n, "TM", "tm"))
        p->local = (at = 2);
    for (size_t i = 0; i < BP_COUNT_OF(keys); i++) {
        if (!begins(s + at, n - at, keys[i].name, keys[i].capital, &p->letters))
            continue;
        p->kind = BP_PIC_FIELD;
        p->key = keys[i].key;
        p->number = keys[i].number;
        p->digits = keys[i].digits;
        p->bytes = (uint8_t)strlen(keys[i].name);
        p->dots = keys[i].name[1] == '.';
        at += p->bytes;
        if (n - at >= 2 && (s[at] | 0x20) == 't' && two(s + at, n - at, "TH", "th"))
            p->th = s[at];
        if (p->th || (n - at >= 2 && memcmp(s + at, "SP", 2) == 0))
            at += 2;
        return at;
    }
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One character that stands for itself; bytes used. */
static size_t read_char(const char *s, size_t n, bool quoted, struct bp_piece *p)
{
    uint8_t c = (uint8_t)s[0];
    size_t k = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', digit = c >= '0' && c <= '9';

    p->bytes = (uint8_t)BP_MIN(k, n);
    memcpy(p->text, s, p->bytes);
    p->kind = BP_PIC_CHAR;
    if (!quoted && c > 0x20 && c < 0x7f && !letter && !digit)
        p->kind = BP_PIC_SEPARATOR;
    else if (!quoted && is_blank((char)c))
        p->kind = BP_PIC_SPACE;
    return p->bytes;
}

int bp_picture_parse(struct bp_arena *mem, const char *s, size_t n, struct bp_picture *out,
                     struct bp_err *err)
{
    size_t at = 0;
    bool quoted = false;

    memset(out, 0, sizeof *out);
    out->pieces = bp_arena_alloc(mem, (n + 1) * sizeof *out->pieces, err);
    if (!out->pieces)
        return err->code;
    while (at < n) {
        struct bp_piece *p = &out->pieces[out->n];
        size_t used = quoted ? 0 : read_field(s + at, n - at, p);

        if (used) {
            out->n++;
            at += used;
            continue;
        }
        memset(p, 0, sizeof *p);
        if (!quoted && (two(s + at, n - at, "FM", "fm") || two(s + at, n - at, "TM", "tm"))) {
            at += 2; /* a modifier of nothing */
            if (at == n)
                break;
        }
        if (s[at] == '"') {
            quoted = !quoted;
            at++;
            continue;
        }
        if (s[at] == '\\' && at + 1 < n && (quoted || s[at + 1] == '"'))
            at++;
        at += read_char(s + at, n - at, quoted, p);
        out->n++;
    }
    return 0;
}
