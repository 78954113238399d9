/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates driven directly: exact sums against 2000-bit integers, wire forms, types. */
#include <math.h>

#include "agg/agg.h"
#include "agg/exact.h"
#include "unit.h"

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* A double with an exponent in [-span, span] around 1, of either sign. */
static double random_double(int span)
{
    double m = (double)(int64_t)next_random() / 0x1p63;

    return ldexp(m, (int)(next_random() % (uint64_t)(2 * span + 1)) - span);
}

static struct bp_agg *new_agg(const char *func, struct bp_type type)
{
    struct bp_err err = {0};
    struct bp_agg *a = NULL;

    if (bp_agg_new(&a, func, &type, 1, "x", &err) < 0)
        printf("# %s\n", err.msg);
    return a;
}

static int give(struct bp_agg *a, const struct bp_column *c, bool merge)
{
    struct bp_err err = {0};
    struct bp_agg_rows r = {.cols = c, .n_rows = c->n_rows};
    int rc = a->kind->ops->grow(a, 1, &err);

    if (rc == 0)
        rc = merge ? a->kind->ops->merge(a, &r, &err) : a->kind->ops->update(a, &r, &err);
    return rc;
}

static void give_doubles(struct bp_agg *a, const double *v, int64_t n)
{
    struct bp_column c = {.type = BP_TYPE(BP_FLOAT64), .n_rows = n, .data = v};

    CHECK(give(a, &c, false) == 0);
}

static double final_double(struct bp_agg *a)
{
    struct bp_err err = {0};
    struct bp_column out = {0};
    uint32_t id = 0;
    double d = -12345;

    if (a->kind->ops->final(a, &id, 1, &out, &err) == 0)
        memcpy(&d, out.data, sizeof d);
    else
        printf("# %s\n", err.msg);
    bp_column_release(&out);
    return d;
}

static double sum_of(const double *v, int64_t n)
{
    struct bp_agg *a = new_agg("sum", BP_TYPE(BP_FLOAT64));
    double d;

    give_doubles(a, v, n);
    d = final_double(a);
    bp_agg_free(a);
    return d;
}

/* ---- an oracle: the plainest fixed point over the whole range ---- */

#define ORACLE_BITS 2400
#define ORACLE_POINT 1200

static void oracle_add(uint8_t *bits, double v)
{
    int exp, at;
    int64_t m = (int64_t)ldexp(frexp(v, &exp), 53);
    int sign = m < 0 ? -1 : 1, carry = 0;

    m = m < 0 ? -m : m;
    at = exp - 53 + ORACLE_POINT;
    for (int i = 0; at + i < ORACLE_BITS; i++) {
        int bit = i < 53 ? (int)(m >> i & 1) : 0, s = bits[at + i] + sign * bit + carry;

        bits[at + i] = (uint8_t)(s & 1);
        carry = s >> 1; /* -1, 0 or 1 */
    }
}

static double oracle_round(const uint8_t *in)
{
    uint8_t bits[ORACLE_BITS];
    bool neg = in[ORACLE_BITS - 1], rest = false;
    int top = ORACLE_BITS - 1, low, carry = 1;
    double d = 0;

    for (int i = 0; i < ORACLE_BITS; i++) {
        int s = neg ? !in[i] + carry : in[i];

        bits[i] = (uint8_t)(s & 1);
        carry = s >> 1;
    }
    while (top >= 0 && !bits[top])
        top--;
    if (top < 0)
        return 0;
    low = top - 52 > ORACLE_POINT - 1074 ? top - 52 : ORACLE_POINT - 1074;
    for (int i = top; i >= low; i--)
        d = d * 2 + bits[i];
    for (int i = 0; i < low - 1; i++)
        rest |= bits[i];
    if (bits[low - 1] && (rest || bits[low]))
        d += 1;
    d = ldexp(d, low - ORACLE_POINT);
    return neg ? -d : d;
}

static void float_sums_are_exact_and_rounded_once_over_the_whole_range(void)
{
    static double v[3000];

    for (int round = 0; round < 120; round++) {
        static const int spans[] = {1, 10, 40, 60, 100, 300, 1000};
        int n = (int)(next_random() % 300) + 1;
        uint8_t bits[ORACLE_BITS] = {0};
        double want, got;

        for (int i = 0; i < n; i++) {
            v[i] = random_double(spans[round % 7]);
            if (round % 3 == 0 && i % 2)
                v[i] = -v[i - 1] * (1 + 0x1p-52 * (double)(i % 5)); /* cancellation */
            oracle_add(bits, v[i]);
        }
        want = oracle_round(bits);
        got = sum_of(v, n);
        if (want != got)
            printf("# round %d: want %a, got %a\n", round, want, got);
        CHECK(want == got);
    }
}

static void known_hard_sums_come_out_right(void)
{
    CHECK(sum_of((double[]){1e16, 1, -1e16}, 3) == 1);
    CHECK(sum_of((double[]){1, 1e100, 1, -1e100}, 4) == 2);
    CHECK(sum_of((double[]){1e308, 1e308, -1e308}, 3) == 1e308);
    CHECK(sum_of((double[]){0x1p-1074, 1, -1}, 3) == 0x1p-1074);
    CHECK(sum_of((double[]){0x1p-1074, 0x1p-1074}, 2) == 0x1p-1073);
    CHECK(sum_of((double[]){1, 0x1p-53, 0x1p-106}, 3) == 1 + 0x1p-52);
    CHECK(sum_of((double[]){1, 0x1p-53}, 2) == 1);
    CHECK(sum_of((double[]){0.1, 0.2, 0.3}, 3) == 0.6);
    CHECK(sum_of((double[]){-0.0, 0.0}, 2) == 0);
    CHECK(sum_of((double[]){0x1.fffffffffffffp1023, -0x1.fffffffffffffp1023, 5}, 3) == 5);
}

static void infinities_and_nan_are_as_in_postgresql(void)
{
    CHECK(sum_of((double[]){1, INFINITY, 2}, 3) == INFINITY);
    CHECK(sum_of((double[]){1, -INFINITY, 1e300}, 3) == -INFINITY);
    CHECK(isnan(sum_of((double[]){INFINITY, -INFINITY}, 2)));
    CHECK(isnan(sum_of((double[]){NAN, 1, INFINITY}, 3)));
    /* an infinity must not pass for a number where the numbers are huge */
    CHECK(sum_of((double[]){1.7e308, INFINITY}, 2) == INFINITY);
    CHECK(sum_of((double[]){INFINITY, 1.7e308}, 2) == INFINITY);
}

static void a_sum_beyond_double_precision_is_an_error(void)
{
    struct bp_agg *a = new_agg("sum", BP_TYPE(BP_FLOAT64));
    struct bp_err err = {0};
    struct bp_column out = {0};
    uint32_t id = 0;

    give_doubles(a, (double[]){1.7e308, 1.7e308}, 2);
    CHECK(a->kind->ops->final(a, &id, 1, &out, &err) == BP_EDATA);
    CHECK_STR(err.msg, "column x: the sum is beyond double precision");
    bp_column_release(&out);
    bp_agg_free(a);
}

/* The state of a sum of v[0, n), as bytes. */
static size_t state_of(const double *v, int64_t n, uint8_t *out)
{
    struct bp_agg *a = new_agg("sum", BP_TYPE(BP_FLOAT64));
    struct bp_err err = {0};
    struct bp_column c = {0};
    const uint8_t *p;
    uint32_t id = 0;
    size_t len = 0;

    give_doubles(a, v, n);
    if (a->kind->ops->save(a, &id, 1, &c, &err) == 0) {
        p = bp_column_bytes(&c, 0, &len);
        memcpy(out, p, len);
    }
    bp_column_release(&c);
    bp_agg_free(a);
    return len;
}

static bool state_is(const double *v, int64_t n, const char *want, size_t len)
{
    uint8_t got[BP_EXACT_WIRE_MAX];

    return state_of(v, n, got) == len && memcmp(got, want, len) == 0;
}

static void the_wire_form_is_minimal_and_unique(void)
{
    uint8_t a[BP_EXACT_WIRE_MAX], b[BP_EXACT_WIRE_MAX];
    double many[64];
    size_t n;

    CHECK(state_is((double[]){1}, 1, "\1\0\0\0\1", 5));
    CHECK(state_is((double[]){-1}, 1, "\1\0\0\0\xff", 5));
    CHECK(state_is((double[]){6}, 1, "\1\0\1\0\3", 5));
    CHECK(state_is((double[]){0.5}, 1, "\1\0\xff\xff\1", 5));
    CHECK(state_is((double[]){129}, 1, "\1\0\0\0\x81\0", 6));
    CHECK(state_is((double[]){-129}, 1, "\1\0\0\0\x7f\xff", 6));
    CHECK(state_is((double[]){1, -1}, 2, "\1\0", 2));
    CHECK(state_is((double[]){INFINITY, 3}, 2, "\1\1", 2));
    CHECK(state_is((double[]){INFINITY, -INFINITY}, 2, "\1\4", 2));
    /* whatever the way to it */
    for (int i = 0; i < 64; i++)
        many[i] = random_double(200);
    n = state_of(many, 64, a);
    for (int i = 0; i < 32; i++) {
        double t = many[i];

        many[i] = many[63 - i];
        many[63 - i] = t;
    }
    CHECK(state_of(many, 64, b) == n && memcmp(a, b, n) == 0);
}

static int merge_bytes(struct bp_agg *a, const void *p, size_t n)
{
    int32_t off[2] = {0, (int32_t)n};
    struct bp_column c = {.type = BP_TYPE(BP_BINARY), .n_rows = 1, .data = off, .bytes = p};

    return give(a, &c, true);
}

static void merged_states_give_what_the_values_give(void)
{
    static double v[400];

    for (int round = 0; round < 60; round++) {
        int n = 400, spans = round % 5 == 0 ? 1000 : 20 << round % 5;
        struct bp_agg *a = new_agg("sum", BP_TYPE(BP_FLOAT64));
        uint8_t state[BP_EXACT_WIRE_MAX];

        for (int i = 0; i < n; i++)
            v[i] = random_double(spans) * (i % 7 ? 1 : 0x1p-30);
        for (int i = 0; i < n; i += 40) {
            size_t len = state_of(v + i, 40, state);

            CHECK(merge_bytes(a, state, len) == 0);
        }
        CHECK(final_double(a) == sum_of(v, n));
        bp_agg_free(a);
    }
}

static void damaged_states_are_refused(void)
{
    static const struct {
        const char *p;
        size_t n;
    } bad[] = {
        {"", 0},
        {"\1", 1},
        {"\2\0", 2},
        {"\1\3", 2},
        {"\1\1\0", 3},
        {"\1\0\0\0", 4},
        {"\1\0\0\0\2", 5},
        {"\1\0\0\0\1\0", 6},
        {"\1\0\0\0\xff\xff", 6},
        {"\1\0\xff\x7f\1", 5},
        {"\1\0\0\x80\1", 5},
    };

    for (size_t i = 0; i < BP_COUNT_OF(bad); i++) {
        struct bp_agg *a = new_agg("sum", BP_TYPE(BP_FLOAT64));

        CHECK(merge_bytes(a, bad[i].p, bad[i].n) == BP_EDATA);
        bp_agg_free(a);
    }
}

static double avg_of(const double *v, int64_t n)
{
    struct bp_agg *a = new_agg("avg", BP_TYPE(BP_FLOAT64));
    double d;

    give_doubles(a, v, n);
    d = final_double(a);
    bp_agg_free(a);
    return d;
}

static void float_averages_are_the_exact_quotient_rounded_once(void)
{
    CHECK(avg_of((double[]){1, 2, 2}, 3) == 5.0 / 3);
    CHECK(avg_of((double[]){1e308, 1e308, 1e308}, 3) == 1e308);
    CHECK(avg_of((double[]){0.1, 0.1, 0.1}, 3) == 0.1);
    /* the sum itself would round up to 2^53 + 4, a third of which is ...332 */
    CHECK(avg_of((double[]){0x1p53, 3, 0}, 3) == 3002399751580331.5);
    CHECK(avg_of((double[]){0x1p-1074, 0x1p-1074, 0}, 3) == 0x1p-1074);
    CHECK(avg_of((double[]){0x1p-1074, 0, 0}, 3) == 0);
}

static bp_int128 decimal_final(const char *func, struct bp_type type, const bp_int128 *v, int64_t n,
                               int *rc)
{
    struct bp_column c = {.type = type, .n_rows = n, .data = v}, out = {0};
    struct bp_agg *a = new_agg(func, type);
    struct bp_err err = {0};
    int64_t few[8];
    bp_int128 r = 0;
    uint32_t id = 0;

    for (int64_t i = 0; i < n && bp_type_is_decimal64(type); i++) {
        few[i] = (int64_t)v[i];
        c.data = few;
    }

    *rc = give(a, &c, false);
    if (*rc == 0)
        *rc = a->kind->ops->final(a, &id, 1, &out, &err);
    if (*rc == 0)
        r = bp_column_decimal(&out, 0);
    bp_column_release(&out);
    bp_agg_free(a);
    return r;
}

static bp_int128 power_of_ten(int n)
{
    bp_int128 p = 1;

    while (n--)
        p *= 10;
    return p;
}

static void decimal_sums_may_pass_38_digits_on_the_way_but_not_at_the_end(void)
{
    const bp_int128 big = power_of_ten(38) - 1;
    struct bp_type t = BP_TYPE_DECIMAL(38, 2);
    int rc;

    CHECK(decimal_final("sum", t, (bp_int128[]){big, big, big, -big, -big}, 5, &rc) == big);
    CHECK(rc == 0);
    CHECK(decimal_final("sum", t, (bp_int128[]){-big, -big, -big, big, big}, 5, &rc) == -big);
    CHECK(rc == 0);
    decimal_final("sum", t, (bp_int128[]){big, 1}, 2, &rc);
    CHECK(rc == BP_EDATA);
}

static void decimal_averages_round_half_away_from_zero(void)
{
    struct bp_type t = BP_TYPE_DECIMAL(10, 2), wide = BP_TYPE_DECIMAL(38, 36);
    const bp_int128 big = power_of_ten(38) - 1;
    int rc;

    /* scale 2 -> 8 */
    CHECK(decimal_final("avg", t, (bp_int128[]){100, 0, 0}, 3, &rc) == 33333333);
    CHECK(decimal_final("avg", t, (bp_int128[]){200, 0, 0}, 3, &rc) == 66666667);
    CHECK(decimal_final("avg", t, (bp_int128[]){-200, 0, 0}, 3, &rc) == -66666667);
    /* scale 36 -> 38 */
    CHECK(decimal_final("avg", wide, (bp_int128[]){1, 0, 0, 0, 0, 0, 0, 0}, 8, &rc) == 13);
    CHECK(decimal_final("avg", wide, (bp_int128[]){-1, 0, 0, 0, 0, 0, 0, 0}, 8, &rc) == -13);
    CHECK(rc == 0);
    decimal_final("avg", wide, (bp_int128[]){big, big, big}, 3, &rc);
    CHECK(rc == BP_EDATA);
    CHECK(decimal_final("avg", BP_TYPE_DECIMAL(38, 38), (bp_int128[]){big, big, big}, 3, &rc) ==
          big);
    CHECK(rc == 0);
}

static void decimal_extremes_go_by_all_of_the_value(void)
{
    struct bp_type t = BP_TYPE_DECIMAL(38, 2), few = BP_TYPE_DECIMAL(18, 2);
    bp_int128 above = (bp_int128)1 << 64, v[] = {7, above + 5, -above - 3, 9};
    bp_int128 edges[] = {7, power_of_ten(18) - 1, 1 - power_of_ten(18), -9};
    int rc;

    CHECK(decimal_final("min", few, edges, 4, &rc) == edges[2]);
    CHECK(decimal_final("max", few, edges, 4, &rc) == edges[1]);
    CHECK(decimal_final("sum", few, edges, 4, &rc) == -2);

    CHECK(decimal_final("min", t, v, 4, &rc) == -above - 3);
    CHECK(decimal_final("max", t, v, 4, &rc) == above + 5);
}

static void integer_averages_round_once(void)
{
    struct bp_agg *a = new_agg("avg", BP_TYPE(BP_INT64));
    int64_t v[3] = {INT64_MAX, INT64_MAX, INT64_MAX - 1};
    struct bp_column c = {.type = BP_TYPE(BP_INT64), .n_rows = 3, .data = v};

    CHECK(give(a, &c, false) == 0);
    CHECK(final_double(a) == 0x1p63);
    bp_agg_free(a);
}

static void unknown_aggregates_and_types_are_refused_with_what_there_is(void)
{
    struct bp_type t = BP_TYPE(BP_TEXT), b = BP_TYPE(BP_BOOL);
    struct bp_err err = {0};
    struct bp_agg *a;

    CHECK(bp_agg_new(&a, "sum", &t, 1, "x", &err) == BP_EUSAGE);
    CHECK(strstr(err.msg, "there is no sum(text); there is sum(integer)"));
    bp_err_clear(&err);
    CHECK(bp_agg_new(&a, "frobnicate", &t, 1, "x", &err) == BP_EUSAGE);
    CHECK(strstr(err.msg,
                 "there is no aggregate frobnicate(); there are count, count_if, regr_count, sum"));
    bp_err_clear(&err);
    CHECK(bp_agg_new(&a, "max", &b, 1, "x", &err) == BP_EUSAGE);
    bp_err_clear(&err);
    CHECK(bp_agg_new(&a, "sum", NULL, 0, "x", &err) == BP_EUSAGE);
}

static void result_types_are_the_documented_ones(void)
{
    static const struct {
        const char *func;
        struct bp_type arg, want;
    } rows[] = {
        {"sum", {.kind = BP_INT8}, {.kind = BP_INT64}},
        {"sum", {.kind = BP_UINT32}, {.kind = BP_INT64}},
        {"sum", {.kind = BP_INT64}, {.kind = BP_DECIMAL, .precision = 38}},
        {"sum", {.kind = BP_UINT64}, {.kind = BP_DECIMAL, .precision = 38}},
        {"sum",
         {.kind = BP_DECIMAL, .precision = 10, .scale = 2},
         {.kind = BP_DECIMAL, .precision = 38, .scale = 2}},
        {"sum", {.kind = BP_FLOAT32}, {.kind = BP_FLOAT64}},
        {"sum", {.kind = BP_INTERVAL}, {.kind = BP_INTERVAL}},
        {"avg", {.kind = BP_INT32}, {.kind = BP_FLOAT64}},
        {"avg",
         {.kind = BP_DECIMAL, .precision = 10, .scale = 2},
         {.kind = BP_DECIMAL, .precision = 38, .scale = 8}},
        {"min", {.kind = BP_DATE}, {.kind = BP_DATE}},
        {"count", {.kind = BP_BOOL}, {.kind = BP_INT64}},
    };

    for (size_t i = 0; i < BP_COUNT_OF(rows); i++) {
        struct bp_agg *a = new_agg(rows[i].func, rows[i].arg);

        NEED(a);
        CHECK(bp_type_equal(a->result, rows[i].want));
        bp_agg_free(a);
    }
}

UNIT_MAIN(T(float_sums_are_exact_and_rounded_once_over_the_whole_range),
          T(known_hard_sums_come_out_right), T(infinities_and_nan_are_as_in_postgresql),
          T(a_sum_beyond_double_precision_is_an_error), T(the_wire_form_is_minimal_and_unique),
          T(merged_states_give_what_the_values_give), T(damaged_states_are_refused),
          T(float_averages_are_the_exact_quotient_rounded_once),
          T(decimal_sums_may_pass_38_digits_on_the_way_but_not_at_the_end),
          T(decimal_averages_round_half_away_from_zero), T(decimal_extremes_go_by_all_of_the_value),
          T(integer_averages_round_once),
          T(unknown_aggregates_and_types_are_refused_with_what_there_is),
          T(result_types_are_the_documented_ones))
