/* SPDX-License-Identifier: Apache-2.0 */
/* Scales and units meet at the coarser one: what does not divide has no equal there. */
#include "op/join_key.h"

#include <string.h>

#include "col/key.h"
#include "op/sort_ord.h"

static bp_int128 pow10_of(int n)
{
    bp_int128 p = 1;

    while (n-- > 0)
        p *= 10;
    return p;
}

static bool is_unsigned(struct bp_type t)
{
    return t.kind >= BP_UINT8 && t.kind <= BP_UINT64;
}

static struct bp_join_form exact_form(struct bp_type t, struct bp_type other)
{
    int scale = BP_MIN(t.scale, other.scale);

    if (t.kind == BP_DECIMAL)
        return (struct bp_join_form){BP_FORM_DECIMAL, pow10_of(t.scale - scale)};
    if (is_unsigned(t) && !is_unsigned(other))
        return (struct bp_join_form){BP_FORM_UNSIGNED, 1};
    return (struct bp_join_form){BP_FORM_ORD, 1};
}

static struct bp_join_form form(struct bp_type t, struct bp_type other)
{
    if (bp_type_is_int(t) || t.kind == BP_DECIMAL)
        return exact_form(t, other);
    if (bp_type_is_bytes(t) || t.kind == BP_INTERVAL)
        return (struct bp_join_form){BP_FORM_BYTES, 1};
    if (t.unit > other.unit)
        return (struct bp_join_form){BP_FORM_DIVIDED,
                                     bp_unit_per_second((enum bp_unit)t.unit) /
                                         bp_unit_per_second((enum bp_unit)other.unit)};
    return (struct bp_join_form){BP_FORM_ORD, 1};
}

void bp_join_forms(struct bp_type left, struct bp_type right, struct bp_join_form *left_form,
                   struct bp_join_form *right_form)
{
    *left_form = form(left, right);
    *right_form = form(right, left);
}

static void divide(const struct bp_column *c, int64_t divisor, int64_t from, int64_t n,
                   uint64_t *words, uint8_t *dead)
{
    const int64_t *v = (const int64_t *)c->data + from;

    for (int64_t i = 0; i < n; i++) {
        dead[i] = (uint8_t)(dead[i] | (v[i] % divisor != 0));
        words[i] = (uint64_t)(v[i] / divisor) ^ BP_ORD_SIGN;
    }
}

static void divide_decimals(const struct bp_column *c, bp_int128 divisor, int64_t from, int64_t n,
                            uint64_t *words, uint8_t *dead)
{
    for (int64_t i = 0; i < n; i++) {
        bp_int128 v = bp_column_decimal(c, from + i), q = v;

        if (divisor != 1) {
            q = v / divisor;
            if (q * divisor != v)
                dead[i] = 1;
        }
        if (q > INT64_MAX || q < INT64_MIN)
            dead[i] = 1;
        words[i] = (uint64_t)(int64_t)q ^ BP_ORD_SIGN;
    }
}

void bp_join_words(const struct bp_join_form *f, const struct bp_column *c, int64_t from, int64_t n,
                   uint64_t *words, uint8_t *dead)
{
    switch (f->kind) {
    case BP_FORM_UNSIGNED:
        bp_ord64(c, from, n, words);
        for (int64_t i = 0; i < n; i++) {
            dead[i] = (uint8_t)(dead[i] | (words[i] >> 63));
            words[i] ^= BP_ORD_SIGN;
        }
        break;
    case BP_FORM_DIVIDED: divide(c, (int64_t)f->divisor, from, n, words, dead); break;
    case BP_FORM_DECIMAL: divide_decimals(c, f->divisor, from, n, words, dead); break;
    default: bp_ord64(c, from, n, words); break;
    }
    if (c->n_nulls)
        for (int64_t i = 0; i < n; i++)
            dead[i] = (uint8_t)(dead[i] | bp_column_is_null(c, from + i));
}

bool bp_join_beyond_word(const struct bp_join_form *f, const struct bp_column *c)
{
    if (f->kind != BP_FORM_DECIMAL)
        return f->kind == BP_FORM_BYTES;
    for (int64_t i = 0; i < c->n_rows; i++) {
        bp_int128 v = bp_column_decimal(c, i) / f->divisor;

        if (v > INT64_MAX || v < INT64_MIN)
            return true;
    }
    return false;
}

static int append_text(const struct bp_column *c, int64_t row, struct bp_buf *out,
                       struct bp_err *err)
{
    size_t n;
    const uint8_t *p = bp_column_bytes(c, row, &n);
    uint32_t len = (uint32_t)n;

    BP_TRY(bp_buf_append(out, &len, sizeof len, err));
    return n ? bp_buf_append(out, p, n, err) : 0;
}

static bp_int128 exact_at(const struct bp_column *c, int64_t row)
{
    uint64_t ord;

    if (c->type.kind == BP_DECIMAL)
        return bp_column_decimal(c, row);
    bp_ord64(c, row, 1, &ord);
    return is_unsigned(c->type) ? (bp_int128)ord : (bp_int128)(int64_t)(ord ^ BP_ORD_SIGN);
}

int bp_join_bytes(const struct bp_join_form *f, const struct bp_column *c, int64_t row,
                  struct bp_buf *out, bool *dead, struct bp_err *err)
{
    bp_int128 wide;
    uint64_t word;
    uint8_t is_dead = 0;

    if (bp_column_is_null(c, row)) {
        *dead = true;
        return 0;
    }
    if (bp_type_is_bytes(c->type))
        return append_text(c, row, out, err);
    if (c->type.kind == BP_INTERVAL)
        return bp_buf_append(out, (const struct bp_interval *)c->data + row, 16, err);
    if (bp_type_is_int(c->type) || c->type.kind == BP_DECIMAL) {
        /* the other side may be a decimal of any size */
        wide = exact_at(c, row);
        *dead |= wide % f->divisor != 0;
        wide /= f->divisor;
        return bp_buf_append(out, &wide, sizeof wide, err);
    }
    bp_join_words(f, c, row, 1, &word, &is_dead);
    *dead |= is_dead;
    return bp_buf_append(out, &word, sizeof word, err);
}
