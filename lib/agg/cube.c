/* SPDX-License-Identifier: Apache-2.0 */
#include "agg/cube.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

#define PLACES_MAX ((uint64_t)1 << 20) /* 4 MiB; of one column of texts: any number */
/* For few groups an array is kept small: a window of few groups has one of its own. */
#define PLACES_LEAST ((uint64_t)1 << 18)
#define PLACES_PER_GROUP 16

bool bp_cube_init(struct bp_cube *c, const struct bp_pack *pack)
{
    *c = (struct bp_cube){.n_sides = pack->n_cols, .n_words = pack->n_words, .n_max = PLACES_MAX};
    if (pack->n_cols < 1 || pack->n_cols > BP_CUBE_SIDES)
        return false;
    for (int i = 0; i < pack->n_cols; i++) {
        const struct bp_pack_col *k = &pack->cols[i];
        bool texts = bp_type_is_bytes(k->type); /* numbered from 0 */

        if (k->width > 8 || bp_type_is_float(k->type))
            return false;
        c->sides[i] = (struct bp_cube_side){
            .word = k->word,
            .shift = k->shift,
            .null_word = k->null_word,
            .null_shift = k->null_shift,
            .mask = k->width == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * k->width) - 1,
            .seen = texts,
            .gap = texts};
        if (texts && pack->n_cols == 1)
            c->n_max = UINT32_MAX;
    }
    return true;
}

void bp_cube_release(struct bp_cube *c)
{
    bp_mem_free(c->ids);
    c->ids = NULL;
    c->n = 0;
}

int64_t bp_cube_held_bytes(const struct bp_cube *c)
{
    return (int64_t)c->n * (int64_t)sizeof *c->ids;
}

int64_t bp_cube_growth_bytes(const struct bp_cube *c)
{
    return (int64_t)BP_MIN(c->n, c->n_max - c->n) * (int64_t)sizeof *c->ids;
}

static inline uint64_t value_of(const struct bp_cube_side *s, const uint64_t *row)
{
    return (row[s->word] >> s->shift) & s->mask;
}

static inline bool is_null(const struct bp_cube_side *s, const uint64_t *row)
{
    return (row[s->null_word] >> s->null_shift) & 1;
}

/* ---- places ---- */

/*
 * The place of a value; its null bit is not looked at. The division is one multiplication: by the
 * inverse of the odd part of the gap, then a rotation by its twos; what is no multiple of the gap
 * comes out larger than any quotient (Granlund and Montgomery, "Division by Invariant Integers
 * using Multiplication", section 9). So do values below lo.
 */
static inline uint64_t place_in(const struct bp_cube_side *s, const uint64_t *row)
{
    uint64_t q = (value_of(s, row) - s->lo) * s->inverse;

    return q >> s->twos | q << (-s->twos & 63);
}

/* Adds to at. False: one of the rows has no place here. */
static bool add_places(const struct bp_cube_side *s, const uint64_t *rows, int n_words, int64_t n,
                       uint32_t *at)
{
    const struct bp_cube_side side = *s;
    const uint32_t step = (uint32_t)s->step;
    bool out = false;

    for (int64_t i = 0; i < n; i++, rows += n_words) {
        uint64_t q = place_in(&side, rows);
        bool null = is_null(&side, rows);

        out |= !null & (q >= side.n);
        at[i] += (uint32_t)(null ? side.n : q) * step;
    }
    return !out;
}

static int find_places(const struct bp_cube *c, const uint64_t *rows, int64_t n, uint32_t *at)
{
    for (int64_t i = 0; i < n; i++)
        at[i] = 0;
    for (int k = 0; k < c->n_sides; k++)
        if (!add_places(&c->sides[k], rows, c->n_words, n, at))
            return k;
    return c->n_sides;
}

/* The places of rows, where some have none: how many. */
static int64_t mark_outside(const struct bp_cube *c, const uint64_t *rows, int64_t n, uint32_t *at)
{
    int64_t n_outside = 0;

    for (int64_t i = 0; i < n; i++, rows += c->n_words) {
        uint64_t place = 0;
        bool out = false;

        for (int k = 0; k < c->n_sides; k++) {
            const struct bp_cube_side *s = &c->sides[k];
            bool null = is_null(s, rows);
            uint64_t q = place_in(s, rows);

            out |= !null & (q >= s->n);
            place += (null ? s->n : q) * s->step;
        }
        at[i] = out ? BP_CUBE_OUTSIDE : (uint32_t)place;
        n_outside += out;
    }
    return n_outside;
}

/* ---- following the data ---- */

/* Which values are taken notice of. */
struct within {
    uint64_t lo, hi;
    uint64_t gap; /* not 0: only a multiple of it away from the first */
};

static const struct within everything = {0, UINT64_MAX, 0};

static void see(struct bp_cube_side *s, const uint64_t *rows, int n_words, int64_t n,
                struct within only)
{
    for (int64_t i = 0; i < n; i++, rows += n_words) {
        uint64_t v = value_of(s, rows), away = v > s->first ? v - s->first : s->first - v;

        if (is_null(s, rows) || v < only.lo || v > only.hi || (only.gap && away % only.gap))
            continue;
        if (!s->seen) {
            s->first = s->min = s->max = v;
            away = 0;
        }
        s->seen = true;
        s->min = BP_MIN(s->min, v);
        s->max = BP_MAX(s->max, v);
        if (away && (!s->gap || away % s->gap))
            s->gap = bp_gcd(away, s->gap);
    }
}

static void set_gap(struct bp_cube_side *s)
{
    uint64_t odd = BP_MAX(s->gap, (uint64_t)1), x;

    s->twos = __builtin_ctzll(odd);
    odd >>= s->twos;
    x = odd * 3 ^ 2; /* right in five bits; each step doubles them */
    for (int bits = 5; bits < 64; bits *= 2)
        x *= 2 - odd * x;
    s->inverse = x;
}

/* Places for all that was seen, and, where there were places before, for 1 / part as many more
 * beyond the end that moved. */
static bool lay_out(struct bp_cube_side *s, uint64_t part, uint64_t n_max)
{
    uint64_t gap = BP_MAX(s->gap, (uint64_t)1), n = (s->max - s->min) / gap, more = 0;
    bool down = s->min < s->lo;

    if (!s->seen)
        return true;
    if (n >= n_max)
        return false;
    if (s->n)
        more = BP_MIN(n / part + 1, (down ? s->min : s->mask - s->max) / gap);
    s->lo = s->min - (down ? more * gap : 0);
    s->n = n + 1 + more;
    set_gap(s);
    return s->n < n_max;
}

static bool set_steps(struct bp_cube *c)
{
    uint64_t n = 1;

    for (int i = c->n_sides - 1; i >= 0; i--) {
        struct bp_cube_side *s = &c->sides[i];

        s->step = n;
        if (__builtin_mul_overflow(n, s->n + 1, &n) || n > c->n_max)
            return false;
    }
    c->n = n;
    return true;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* The range of most values, a sixteenth left out at either end. */
static void most_values(const struct bp_cube_side *s, const uint64_t *rows, int n_words, int64_t n,
                        struct within *most)
{
    uint64_t v[BP_CUBE_ROWS];
    int64_t n_values = 0;

    for (int64_t i = 0; i < n; i++, rows += n_words)
        if (!is_null(s, rows))
            v[n_values++] = value_of(s, rows);
    if (!n_values)
        return;
    qsort(v, (size_t)n_values, sizeof *v, by_value);
    most->lo = v[n_values / 16];
    most->hi = v[n_values - 1 - n_values / 16];
}

static bool open_cube(struct bp_cube *c, const uint64_t *rows, int64_t n, bool most)
{
    for (int i = 0; i < c->n_sides; i++) {
        struct within only = everything;

        if (most)
            most_values(&c->sides[i], rows, c->n_words, n, &only);
        see(&c->sides[i], rows, c->n_words, n, only);
        if (!lay_out(&c->sides[i], 1, c->n_max))
            return false;
    }
    return set_steps(c);
}

/* Side k gets places for these values of n more rows. It doubles, or grows by a quarter: less would
 * be done again too often. False: it is as it was. */
static bool widen(struct bp_cube *c, int k, const uint64_t *rows, int64_t n, struct within only)
{
    const struct bp_cube before = *c;
    struct bp_cube_side *s = &c->sides[k], was;

    if (s->n) { /* there may be values in all the places that there are */
        s->min = BP_MIN(s->min, s->lo);
        s->max = BP_MAX(s->max, s->lo + (s->n - 1) * BP_MAX(s->gap, (uint64_t)1));
    }
    see(s, rows, c->n_words, n, only);
    was = *s;
    if (lay_out(s, 1, c->n_max) && set_steps(c))
        return true;
    *s = was;
    if (lay_out(s, 4, c->n_max) && set_steps(c))
        return true;
    *c = before;
    return false;
}

/* For the values that lie as near as the side is wide, or for those of them that lie on its
 * lattice. False: it has places for all of these, or it would be too large even so. */
static bool widen_near(struct bp_cube *c, int k, const uint64_t *rows, int64_t n)
{
    const struct bp_cube_side *s = &c->sides[k];
    const uint64_t gap = BP_MAX(s->gap, (uint64_t)1), span = s->n * gap;
    const uint64_t from = s->lo, to = s->lo + (s->n ? s->n - 1 : 0) * gap;
    struct within near = {from - BP_MIN(from, span), to + BP_MIN(s->mask - to, span), 0};
    bool any = false, off = false;

    for (int64_t i = 0; i < n; i++) {
        const uint64_t *row = rows + i * c->n_words;
        uint64_t v = value_of(s, row), away = v > from ? v - from : from - v;

        if (is_null(s, row) || v < near.lo || v > near.hi)
            continue;
        off |= away % gap != 0;
        any |= away % gap == 0 && (v < from || v > to);
    }
    if ((any || off) && widen(c, k, rows, n, near))
        return true;
    near.gap = gap;
    return any && off && widen(c, k, rows, n, near);
}

static int put_in(struct bp_cube *c, const uint64_t *keys, int64_t n_groups, struct bp_err *err)
{
    uint32_t at[BP_CUBE_ROWS];

    bp_mem_free(c->ids);
    c->ids = bp_mem_new(c->n, sizeof *c->ids, err);
    if (!c->ids)
        return err->code;
    for (int64_t from = 0; from < n_groups; from += BP_CUBE_ROWS) {
        int64_t n = BP_MIN(n_groups - from, BP_CUBE_ROWS);

        if (find_places(c, keys + from * c->n_words, n, at) < c->n_sides)
            (void)mark_outside(c, keys + from * c->n_words, n, at);
        for (int64_t i = 0; i < n; i++)
            if (at[i] != BP_CUBE_OUTSIDE)
                c->ids[at[i]] = (uint32_t)(from + i) + 1;
    }
    return 0;
}

/* Makes room for rows that have no place; those too far away were tried when there was as much
 * room as now, or half of it. False: nothing came of it. */
static bool follow(struct bp_cube *c, const uint64_t *rows, int64_t n)
{
    bool any = false, all = c->n_max >= 2 * c->tried_max;
    uint32_t at[BP_CUBE_ROWS];

    for (int k = 0; k < c->n_sides; k++) {
        memset(at, 0, (size_t)n * sizeof *at);
        if (add_places(&c->sides[k], rows, c->n_words, n, at))
            continue;
        if (all && widen(c, k, rows, n, everything)) {
            any = true;
            continue;
        }
        c->tried_max = all ? c->n_max : c->tried_max;
        any |= widen_near(c, k, rows, n);
    }
    return any;
}

/* For all of the first rows, or for most of them. */
static bool open_any(struct bp_cube *c, const uint64_t *rows, int64_t n)
{
    const struct bp_cube before = *c;

    if (open_cube(c, rows, n, false))
        return true;
    *c = before;
    return open_cube(c, rows, n, true);
}

int bp_cube_find(struct bp_cube *c, const uint64_t *rows, int64_t n, const uint64_t *keys,
                 int64_t n_groups, uint32_t *at, bool *fits, struct bp_err *err)
{
    bool changed = !c->n;

    if (c->n_max != UINT32_MAX)
        c->n_max = BP_MIN(PLACES_LEAST + PLACES_PER_GROUP * (uint64_t)n_groups, PLACES_MAX);
    *fits = c->n || open_any(c, rows, n);
    while (*fits && find_places(c, rows, n, at) < c->n_sides) {
        if (!follow(c, rows, n)) {
            *fits = mark_outside(c, rows, n, at) * BP_CUBE_OUTSIDE_SHARE <= n;
            break;
        }
        changed = true;
    }
    if (!*fits)
        bp_cube_release(c);
    return changed && *fits ? put_in(c, keys, n_groups, err) : 0;
}
