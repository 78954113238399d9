/* SPDX-License-Identifier: Apache-2.0 */
/* Sketches: their errors, the step from exact to approximate, states that come again. */
#include <math.h>
#include <stdlib.h>

#include "agg/agg.h"
#include "base/mem.h"
#include "unit.h"

#define MANY 300000

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static struct bp_agg *begin(const char *func, int n_args)
{
    struct bp_type t[2] = {BP_TYPE(BP_FLOAT64), BP_TYPE(BP_FLOAT64)};
    struct bp_err err = {0};
    struct bp_agg *a = NULL;

    CHECK(bp_agg_new(&a, func, t, n_args, "x", &err) == 0);
    CHECK(a->kind->ops->grow(a, 1, &err) == 0);
    return a;
}

static void give(struct bp_agg *a, const double *v, int64_t n, double fraction)
{
    double *f = malloc((size_t)(n + 1) * sizeof *f);
    struct bp_column c[2] = {{.type = BP_TYPE(BP_FLOAT64), .n_rows = n, .data = v},
                             {.type = BP_TYPE(BP_FLOAT64), .n_rows = n, .data = f}};
    struct bp_agg_rows r = {.cols = c, .n_rows = n};
    struct bp_err err = {0};

    for (int64_t i = 0; i < n; i++)
        f[i] = fraction;
    CHECK(a->kind->ops->update(a, &r, &err) == 0);
    free(f);
}

static void save(struct bp_agg *a, struct bp_column *state)
{
    struct bp_err err = {0};
    uint32_t id = 0;

    CHECK(a->kind->ops->save(a, &id, 1, state, &err) == 0);
}

static void merge(struct bp_agg *a, const struct bp_column *state)
{
    struct bp_agg_rows r = {.cols = state, .n_rows = 1};
    struct bp_err err = {0};

    CHECK(a->kind->ops->merge(a, &r, &err) == 0);
}

/* Eight bytes, of either type. */
static uint64_t finish(struct bp_agg *a)
{
    struct bp_column out = {0};
    struct bp_err err = {0};
    uint32_t id = 0;
    uint64_t v = 0;

    CHECK(a->kind->ops->final(a, &id, 1, &out, &err) == 0);
    memcpy(&v, out.data, sizeof v);
    bp_column_release(&out);
    bp_agg_free(a);
    return v;
}

static double as_double(uint64_t v)
{
    double d;

    memcpy(&d, &v, sizeof d);
    return d;
}

static bool equal(const struct bp_column *a, const struct bp_column *b)
{
    size_t n, m;
    const uint8_t *p = bp_column_bytes(a, 0, &n), *q = bp_column_bytes(b, 0, &m);

    return n == m && memcmp(p, q, n) == 0;
}

static double *distinct_doubles(int64_t n)
{
    double *v = malloc((size_t)n * sizeof *v);

    for (int64_t i = 0; i < n; i++)
        v[i] = (double)i * 1.25;
    return v;
}

static void few_distinct_values_are_counted_exactly(void)
{
    double *v = distinct_doubles(256);

    for (int64_t n = 0; n <= 256; n += 16) {
        struct bp_agg *a = begin("approx_count_distinct", 1);

        give(a, v, n, 0);
        give(a, v, n, 0);
        CHECK(finish(a) == (uint64_t)n);
    }
    free(v);
}

/* 1.6 % is one standard deviation; the values are fixed, so this passes always or never. */
static void many_are_within_four_standard_errors(void)
{
    double *v = distinct_doubles(MANY), squares = 0;
    int cases = 0;

    for (int64_t n = 257; n <= MANY; n = n * 3 / 2) {
        struct bp_agg *a = begin("approx_count_distinct", 1);
        double off;

        give(a, v, n, 0);
        off = ((double)finish(a) - (double)n) / (double)n;
        CHECK(fabs(off) < 4 * 0.01625);
        squares += off * off;
        cases++;
    }
    CHECK(sqrt(squares / cases) < 2 * 0.01625);
    free(v);
}

static void a_state_that_comes_twice_changes_nothing(void)
{
    double *v = distinct_doubles(5000);

    for (int64_t n = 100; n <= 5000; n += 4900) {
        struct bp_agg *a = begin("approx_count_distinct", 1), *b;
        struct bp_column once = {0}, twice = {0};

        b = begin("approx_count_distinct", 1);
        give(a, v, n, 0);
        save(a, &once);
        merge(a, &once);
        merge(b, &once);
        merge(b, &once);
        save(b, &twice);
        CHECK(equal(&once, &twice));
        CHECK(finish(a) == finish(b));
        bp_column_release(&once);
        bp_column_release(&twice);
    }
    free(v);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void check_percentiles(double *v, int64_t n, double error)
{
    static const double fractions[] = {0, 0.001, 0.25, 0.5, 0.9, 0.999, 1};
    double *sorted = malloc((size_t)n * sizeof *sorted);

    memcpy(sorted, v, (size_t)n * sizeof *v);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    for (size_t i = 0; i < BP_COUNT_OF(fractions); i++) {
        struct bp_agg *a = begin("approx_percentile", 2);
        double at = ceil(fractions[i] * (double)n), want = sorted[at < 1 ? 0 : (int64_t)at - 1];
        double got;

        give(a, v, n, fractions[i]);
        got = as_double(finish(a));
        CHECK(fabs(got - want) <= error * fabs(want));
    }
    free(sorted);
}

static void percentiles_are_exact_of_few_values_and_close_of_many(void)
{
    double *v = malloc(MANY * sizeof *v);

    for (int i = 0; i < MANY; i++)
        v[i] = (double)(next_random() % 256) - 100;
    check_percentiles(v, MANY / 10, 0);
    for (int i = 0; i < MANY; i++)
        v[i] = ldexp((double)(int64_t)next_random(), (int)(next_random() % 100) - 100);
    check_percentiles(v, MANY, 1.0 / 256);
    for (int i = 0; i < MANY; i++)
        v[i] = (double)(next_random() % 1000000) / 100;
    check_percentiles(v, MANY, 1.0 / 256);
    free(v);
}

static void infinities_and_nan_have_their_places(void)
{
    const double special[3] = {-HUGE_VAL, HUGE_VAL, (double)NAN};
    double *v = distinct_doubles(997);

    for (int i = 0; i < 2; i++) {
        static const double fractions[] = {0, 0.9985, 1};
        double got[3];

        for (int k = 0; k < 3; k++) {
            struct bp_agg *a = begin("approx_percentile", 2);

            give(a, special, 3, fractions[k]);
            give(a, v, i ? 997 : 3, fractions[k]);
            got[k] = as_double(finish(a));
        }
        CHECK(got[0] == -HUGE_VAL);
        CHECK(i == 0 || got[1] == HUGE_VAL);
        CHECK(isnan(got[2]));
    }
    free(v);
}

static void the_bytes_of_a_state_depend_on_the_values_alone(void)
{
    static const char *const funcs[] = {"approx_count_distinct", "approx_percentile"};
    double v[2000];

    for (int i = 0; i < 2000; i++)
        v[i] = (double)(int64_t)next_random();
    for (int64_t n = 250; n <= 2000; n *= 2)
        for (int f = 0; f < 2; f++) {
            struct bp_agg *a = begin(funcs[f], f + 1), *b = begin(funcs[f], f + 1);
            struct bp_agg *c = begin(funcs[f], f + 1);
            struct bp_column forth = {0}, back = {0}, part = {0};

            give(a, v, n, 0.5);
            save(a, &forth);
            give(c, v, n / 3, 0.5);
            save(c, &part);
            for (int64_t i = n - 1; i >= n / 3; i--)
                give(b, v + i, 1, 0.5);
            merge(b, &part);
            save(b, &back);
            CHECK(equal(&forth, &back));
            bp_column_release(&forth);
            bp_column_release(&back);
            bp_column_release(&part);
            bp_agg_free(a);
            bp_agg_free(b);
            bp_agg_free(c);
        }
}

UNIT_MAIN(T(few_distinct_values_are_counted_exactly), T(many_are_within_four_standard_errors),
          T(a_state_that_comes_twice_changes_nothing),
          T(percentiles_are_exact_of_few_values_and_close_of_many),
          T(infinities_and_nan_have_their_places),
          T(the_bytes_of_a_state_depend_on_the_values_alone))
