/* SPDX-License-Identifier: Apache-2.0 */
#include "agg/cube.h"

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
 * Adds to at. The division is one multiplication: by the inverse of the odd part of the gap,
 * then a rotation by its twos; what is no multiple of the gap comes out larger than any quotient
 * (Granlund and Montgomery, "Division by Invariant Integers using Multiplication", section 9).
 * So do values below lo. False: one of the rows has no place here.
 */
static bool add_places(const struct bp_cube_side *s, const uint64_t *rows, int n_words, int64_t n,
                       uint32_t *at)
{
    const uint64_t lo = s->lo, inverse = s->inverse, n_places = s->n;
    const uint32_t step = (uint32_t)s->step;
    const int twos = s->twos;
    bool out = false;

    for (int64_t i = 0; i < n; i++, rows += n_words) {
        uint64_t q = (value_of(s, rows) - lo) * inverse;
        bool null = is_null(s, rows);

        q = q >> twos | q << (-twos & 63);
        out |= !null & (q >= n_places);
        at[i] += (uint32_t)(null ? n_places : q) * step;
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

/* ---- following the data ---- */

static void see(struct bp_cube_side *s, const uint64_t *rows, int n_words, int64_t n)
{
    for (int64_t i = 0; i < n; i++, rows += n_words) {
        uint64_t v = value_of(s, rows), away;

        if (is_null(s, rows))
            continue;
        if (!s->seen)
            s->first = s->min = s->max = v;
        s->seen = true;
        s->min = BP_MIN(s->min, v);
        s->max = BP_MAX(s->max, v);
        away = v > s->first ? v - s->first : s->first - v;
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

static bool open_cube(struct bp_cube *c, const uint64_t *rows, int64_t n)
{
    for (int i = 0; i < c->n_sides; i++) {
        see(&c->sides[i], rows, c->n_words, n);
        if (!lay_out(&c->sides[i], 1, c->n_max))
            return false;
    }
    return set_steps(c);
}

/* Side k gets places for n more rows. It doubles, or grows by a quarter: less would be done again
 * too often. */
static bool widen(struct bp_cube *c, int k, const uint64_t *rows, int64_t n)
{
    struct bp_cube_side *s = &c->sides[k], was;

    if (s->n) { /* there may be values in all the places that there are */
        s->min = BP_MIN(s->min, s->lo);
        s->max = BP_MAX(s->max, s->lo + (s->n - 1) * BP_MAX(s->gap, (uint64_t)1));
    }
    see(s, rows, c->n_words, n);
    was = *s;
    if (lay_out(s, 1, c->n_max) && set_steps(c))
        return true;
    *s = was;
    return lay_out(s, 4, c->n_max) && set_steps(c);
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

        (void)find_places(c, keys + from * c->n_words, n, at);
        for (int64_t i = 0; i < n; i++)
            c->ids[at[i]] = (uint32_t)(from + i) + 1;
    }
    return 0;
}

int bp_cube_find(struct bp_cube *c, const uint64_t *rows, int64_t n, const uint64_t *keys,
                 int64_t n_groups, uint32_t *at, bool *fits, struct bp_err *err)
{
    bool changed = !c->n;
    int k;

    if (c->n_max != UINT32_MAX)
        c->n_max = BP_MIN(PLACES_LEAST + PLACES_PER_GROUP * (uint64_t)n_groups, PLACES_MAX);
    *fits = c->n || open_cube(c, rows, n);
    while (*fits && (k = find_places(c, rows, n, at)) < c->n_sides) {
        *fits = widen(c, k, rows, n);
        changed = true;
    }
    if (!*fits)
        bp_cube_release(c);
    return changed && *fits ? put_in(c, keys, n_groups, err) : 0;
}
