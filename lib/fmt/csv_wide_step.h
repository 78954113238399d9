/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversions that both builds of csv_wide share. One field is a word of eight bytes, LANES
 * fields are a register, and there are no branches: what csv_digits.h does for one value is done
 * for all lanes at once. A short number is loaded so that its last byte is on top of its word;
 * what stands before it is masked off, its sign too, and its point is closed up by moving the
 * bytes before it one byte up. Digits are joined by the multiply-and-add instructions: pairs of
 * bytes, of pairs, of fours. (The idea is W. Mula's; see his "SIMD-ized parsing of numbers".)
 * Days are counted from March on, so that the day of the leap year is the last one; the days
 * before a month are a line (C. Neri and L. Schneider, "Euclidean affine functions and their
 * application to calendar algorithms").
 *
 * A lane that is not of the plain shape has its bit cleared, and is read by others. The words
 * are brought together by plain loads: gathering instructions are slow on many processors.
 *
 * A build defines TARGET, LANES, CSV_WIDE (the function's name), the types vec (LANES words of 64
 * bits) and mask (a yes or no for each), and the operations v_*, m_* on them that are used here.
 */
#include <string.h>

#include "base/num.h"
#include "fmt/csv_digits.h"
#include "fmt/csv_wide.h"

/* ---- words of fields ---- */

struct words {
    uint64_t a[CSV_WIDE_ROWS]; /* numbers: the eight bytes before the end; times: "YYYY-MM-" */
    uint64_t b[CSV_WIDE_ROWS]; /* times: "hh:mm:ss" */
    uint32_t c[CSV_WIDE_ROWS]; /* times: "DD", and a byte behind it */
    uint32_t len[CSV_WIDE_ROWS];
};

static int whole_lanes(struct words *w, int n)
{
    for (; n % LANES; n++) {
        w->a[n] = w->b[n] = 0;
        w->c[n] = w->len[n] = 0;
    }
    return n;
}

static int load_numbers(struct words *w, const struct csv_span *f, int n)
{
    const uint32_t *s = f->s, *e = f->e;

    for (int i = 0; i < n; i++, s += f->step, e += f->step) {
        w->a[i] = bp_load_u64(f->p + *e - 8);
        w->len[i] = *e - *s - 1;
    }
    return whole_lanes(w, n);
}

static int load_times(struct words *w, const struct csv_span *f, int n)
{
    const uint32_t *s = f->s, *e = f->e;

    for (int i = 0; i < n; i++, s += f->step, e += f->step) {
        const uint8_t *p = f->p + *s + 1;

        w->a[i] = bp_load_u64(p);
        memcpy(&w->c[i], p + 8, 4);
        w->b[i] = bp_load_u64(p + 11);
        w->len[i] = *e - *s - 1;
    }
    return whole_lanes(w, n);
}

/* Lanes of which no byte is above its byte of most. */
TARGET CSV_INLINE mask at_most(vec x, uint64_t most)
{
    return m_zero(v_sub_bytes(x, v_all(most)));
}

/* ---- short numbers ---- */

struct number {
    vec digits; /* below 10^8 */
    vec scale;  /* how many of them are behind the point */
    mask minus, ok;
};

/* Digits, the most significant in the lowest byte -> their number. */
TARGET CSV_INLINE vec join8(vec x)
{
    x = v_pairs(x, v_all(0x010a010a010a010a));
    x = v_fours(x, v_all(0x0001006400010064));
    return v_add(v_mul(x, v_all(10000)), v_shr(x, 32));
}

/* Takes the point out of x, whose field begins at bit *from; lanes with one at an end of the
 * digits are no numbers. */
TARGET CSV_INLINE mask close_point(vec *x, vec *from, vec *scale)
{
    vec z = v_equal_bytes(*x, v_all(CSV_REP('.')));
    vec low = v_and(z, v_sub(v_all(0), z));
    vec below = v_sub(low, v_all(1)); /* no point: all bits, as in the next */
    vec upto = v_sub(v_shl(low, 8), v_all(1));
    mask none = m_zero(z), first = m_equal(low, v_shl_by(v_all(1), *from));

    *scale = v_sum_bytes(v_andnot(upto, v_all(CSV_REP(1))));
    *from = v_pick(none, *from, v_add(*from, v_all(8)));
    *x = v_pick(none, *x, v_or(v_shl(v_and(*x, below), 8), v_andnot(upto, *x)));
    return m_or(none, m_not(m_or(first, m_zero(*scale))));
}

TARGET CSV_INLINE struct number read_numbers(const struct words *w, int i, bool point)
{
    vec x = v_load(w->a + i), len = v_load32(w->len + i);
    vec from = v_sub(v_all(64), v_shl(len, 3));
    vec sign = v_and(v_shr_by(x, from), v_all(0xff));
    struct number r = {.scale = v_all(0)};

    r.minus = m_equal(sign, v_all('-'));
    from = v_pick(r.minus, v_add(from, v_all(8)), from);
    r.ok = m_below(from, 64); /* one to eight bytes */
    x = v_and(x, v_shl_by(v_all(UINT64_MAX), from));
    if (point)
        r.ok = m_and(r.ok, close_point(&x, &from, &r.scale));
    x = v_xor(x, v_shl_by(v_all(CSV_REP('0')), from));
    r.ok = m_and(r.ok, at_most(x, CSV_REP(9)));
    r.digits = join8(x);
    return r;
}

TARGET CSV_INLINE vec negate(vec v, mask minus)
{
    return v_pick(minus, v_sub(v_all(0), v), v);
}

TARGET CSV_INLINE mask put_ints(const struct words *w, int i, unsigned in, void *out, bool wide)
{
    struct number r = read_numbers(w, i, false);
    vec v = v_keep(r.ok, negate(r.digits, r.minus));

    if (wide)
        v_store((int64_t *)out + i, in, v);
    else
        v_store32((int32_t *)out + i, in, v);
    return r.ok;
}

/* digits / 10^scale is one correctly rounded operation on exact operands. */
TARGET CSV_INLINE mask put_floats(const struct words *w, int i, unsigned in, double *out)
{
    struct number r = read_numbers(w, i, true);
    vec v = v_or(v_quotient(r.digits, v_pow10(r.scale)), v_keep(r.minus, v_all((uint64_t)1 << 63)));

    v_store(out + i, in, v_keep(r.ok, v));
    return r.ok;
}

TARGET CSV_INLINE mask put_decimals(struct bp_type t, const struct words *w, int i, unsigned in,
                                    int64_t *out)
{
    struct number r = read_numbers(w, i, true);
    vec up = v_sub(v_all(t.scale), r.scale); /* zeros that are not written */
    vec v = v_mul(r.digits, v_pow10(up));

    r.ok = m_and(r.ok, m_and(m_below(up, 8), m_below(v, bp_pow10_u64[t.precision])));
    v_store(out + i, in, v_keep(r.ok, negate(v, r.minus)));
    return r.ok;
}

/* ---- dates and times ---- */

/* Is there a February 29? Years up to 9999. */
TARGET CSV_INLINE mask is_leap(vec year)
{
    vec q100 = v_shr(v_mul(year, v_all(5243)), 19);
    mask by4 = m_zero(v_and(year, v_all(3)));
    mask by100 = m_equal(year, v_mul(q100, v_all(100)));

    return m_andnot(m_andnot(m_zero(v_and(q100, v_all(3))), by100), by4);
}

/* Of years and months that begin in March; month 3 to 14. */
TARGET CSV_INLINE vec days_before(vec year, vec month)
{
    vec q100 = v_shr(v_mul(year, v_all(5243)), 19); /* year / 100 */
    vec x = v_add(v_mul(year, v_all(365)), v_shr(year, 2));

    x = v_add(v_sub(x, q100), v_shr(q100, 2));
    return v_add(x, v_shr(v_sub(v_mul(month, v_all(979)), v_all(2919)), 5));
}

/* "YYYY-MM-" and "DD" -> days since 1970-01-01. */
TARGET CSV_INLINE mask read_days(vec head, vec tail, vec *days)
{
    static const uint8_t longest[16] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    vec x = v_xor(head, v_all(0x2d30302d30303030)); /* "0000-00-" */
    vec d = v_xor(v_and(tail, v_all(0xffff)), v_all(0x3030));
    mask ok = m_and(at_most(x, 0x0009010009090909), at_most(d, 0x0903)), late, feb29;
    vec year, month, most;

    x = v_pairs(x, v_all(0x00010a00010a010a));
    x = v_fours(x, v_all(0x0001000100010064));
    year = v_and(x, v_all(UINT32_MAX));
    month = v_shr(x, 32);
    d = v_pairs(d, v_all(0x010a));
    most = v_look_up(longest, month);
    feb29 = m_and(is_leap(year), m_and(m_equal(month, v_all(2)), m_equal(d, v_all(29))));
    ok = m_and(ok, m_or(m_andnot(m_less(most, d), m_less(v_all(0), d)), feb29));
    ok = m_and(ok, m_and(m_below(v_sub(month, v_all(1)), 12), m_less(v_all(0), year)));
    late = m_less(month, v_all(3)); /* months 13 and 14 of the year before */
    year = v_pick(late, v_sub(year, v_all(1)), year);
    month = v_pick(late, v_add(month, v_all(12)), month);
    *days = v_sub(v_add(days_before(year, month), d), v_all(719469));
    return ok;
}

/* "hh:mm:ss" */
TARGET CSV_INLINE mask read_clock(vec x, vec *seconds)
{
    mask ok;

    x = v_xor(x, v_all(0x30303a30303a3030)); /* "00:00:00" */
    ok = at_most(x, 0x0905000905000902);
    x = v_pairs(x, v_all(0x010a00010a00010a));
    ok = m_and(ok, m_below(v_and(x, v_all(0xffff)), 24));
    x = v_fours(x, v_all(0x0001003c003c0e10)); /* 1, 60, 60, 3600 */
    *seconds = v_add(v_and(x, v_all(UINT32_MAX)), v_shr(x, 32));
    return ok;
}

TARGET CSV_INLINE mask put_dates(const struct words *w, int i, unsigned in, int32_t *out)
{
    vec days;
    mask ok = read_days(v_load(w->a + i), v_load32(w->c + i), &days);

    ok = m_and(ok, m_equal(v_load32(w->len + i), v_all(10)));
    v_store32(out + i, in, v_keep(ok, days));
    return ok;
}

TARGET CSV_INLINE mask put_timestamps(uint32_t per_second, const struct words *w, int i,
                                      unsigned in, int64_t *out)
{
    vec days, seconds, tail = v_load32(w->c + i), between = v_and(tail, v_all(0xff0000));
    mask ok = read_days(v_load(w->a + i), tail, &days);

    ok = m_and(ok, read_clock(v_load(w->b + i), &seconds));
    ok = m_and(ok, m_equal(v_load32(w->len + i), v_all(19)));
    ok = m_and(ok, m_or(m_equal(between, v_all(' ' << 16)), m_equal(between, v_all('T' << 16))));
    seconds = v_add(v_mul_signed(days, v_all(86400)), seconds);
    v_store(out + i, in, v_keep(ok, v_mul_u32(seconds, per_second)));
    return ok;
}

/* ---- blocks ---- */

/* put sees i, the lanes' first row, in, those that are rows, and out, the first row's place. */
#define EACH_LANES(type, load, put)                                                                \
    {                                                                                              \
        type *out = (type *)(void *)o->data->data + o->n_rows;                                     \
        int whole = load(&w, f, n);                                                                \
        for (int i = 0; i < whole; i += LANES) {                                                   \
            unsigned in = (unsigned)(rows >> i) & ((1u << LANES) - 1);                             \
            read |= m_bits(put) << i;                                                              \
            none |= m_bits(m_zero(v_load32(w.len + i))) << i;                                      \
        }                                                                                          \
        break;                                                                                     \
    }

TARGET uint64_t CSV_WIDE(struct csv_out *o, const struct csv_span *f, int n, uint64_t *empty)
{
    const uint64_t rows = UINT64_MAX >> (CSV_WIDE_ROWS - n);
    const struct bp_type t = o->type;
    const uint32_t per_second = (uint32_t)bp_unit_per_second(t.unit);
    uint64_t read = 0, none = 0;
    struct words w;

    switch (t.kind) {
    case BP_INT32: EACH_LANES(int32_t, load_numbers, put_ints(&w, i, in, out, false))
    case BP_INT64: EACH_LANES(int64_t, load_numbers, put_ints(&w, i, in, out, true))
    case BP_FLOAT64: EACH_LANES(double, load_numbers, put_floats(&w, i, in, out))
    case BP_DECIMAL: EACH_LANES(int64_t, load_numbers, put_decimals(t, &w, i, in, out))
    case BP_DATE: EACH_LANES(int32_t, load_times, put_dates(&w, i, in, out))
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ: EACH_LANES(int64_t, load_times, put_timestamps(per_second, &w, i, in, out))
    default: break;
    }
    *empty = none & rows;
    return (read | none) & rows;
}
