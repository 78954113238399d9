/* SPDX-License-Identifier: Apache-2.0 */
/*
 * variance, stddev, covar, corr and regr_*, from the exact sums of x, y and their products:
 *
 *     n^2 covar_pop = n * sum(xy) - sum(x) * sum(y)
 *
 * in integers of many limbs, divided and rounded once: variances and covariances are
 * the nearest doubles, stddev and corr within an ulp or two, in whatever order rows
 * come. A product of two doubles is two doubles (its rounding, and what that lost);
 * each kind has a sum of its own, so that both stay in the fast window of exact.h.
 *
 * Integers and decimals enter as up to three doubles that add up to them exactly,
 * decimals without their point. Products below 2^-969 lose what no double can hold.
 */
#include <math.h>
#include <string.h>

#include "agg/moment.h"
#include "base/mem.h"

/* ---- what each function needs ---- */

static bool named(const struct bp_agg *a, const char *func)
{
    return strcmp(a->kind->func, func) == 0;
}

static bool is_regr(const struct bp_agg *a)
{
    return strncmp(a->kind->func, "regr_", 5) == 0;
}

/* The products whose sums are among the parts. */
bool bp_moment_needs(const struct bp_agg *a, int product)
{
    static const char *const names[BP_PRODUCTS] = {"xx", "yy", "xy"};

    for (int i = 0; i < a->n_parts; i++)
        if (strcmp(a->parts[i].suffix, names[product]) == 0)
            return true;
    return false;
}

static bool is_pop(const struct bp_agg *a)
{
    size_t n = strlen(a->kind->func);

    return strcmp(a->kind->func + n - 4, "_pop") == 0;
}

static int moment_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    struct bp_moment *m = (struct bp_moment *)a;

    BP_TRY(bp_agg_array_grow(a, &m->n, sizeof(int64_t), n_groups, err));
    for (int i = 0; i < a->kind->n_args; i++)
        BP_TRY(bp_exact_grow(&m->sum[i], a, n_groups, err));
    for (int i = 0; i < BP_PRODUCTS; i++) {
        if (!bp_moment_needs(a, i))
            continue;
        BP_TRY(bp_exact_grow(&m->high[i], a, n_groups, err));
        BP_TRY(bp_exact_grow(&m->low[i], a, n_groups, err));
    }
    a->n_groups = n_groups;
    return 0;
}

static void moment_release(struct bp_agg *a)
{
    struct bp_moment *m = (struct bp_moment *)a;

    for (int i = 0; i < 2; i++)
        bp_exact_release(&m->sum[i]);
    for (int i = 0; i < BP_PRODUCTS; i++) {
        bp_exact_release(&m->high[i]);
        bp_exact_release(&m->low[i]);
    }
    bp_mem_free(m->n.p);
}

/* ---- states ---- */

/* The exact sums in the order of the parts, after the count. */
static int list_sums(struct bp_moment *m, struct bp_exact *list[BP_AGG_PARTS_MAX])
{
    int n = 0;

    for (int i = 0; i < m->base.kind->n_args; i++)
        list[n++] = &m->sum[i];
    for (int i = 0; i < BP_PRODUCTS; i++) {
        if (!bp_moment_needs(&m->base, i))
            continue;
        list[n++] = &m->high[i];
        list[n++] = &m->low[i];
    }
    return n;
}

static int moment_merge(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct bp_exact *list[BP_AGG_PARTS_MAX];
    struct bp_moment *m = (struct bp_moment *)a;
    const int64_t *v = r->cols[0].data;
    int64_t *count = m->n.p;
    bool bad = false;

    for (int64_t i = 0; i < r->n_rows; i++) {
        int64_t *to = &count[r->ids ? r->ids[i] : 0];

        bad |= v[i] < 0 || __builtin_add_overflow(*to, v[i], to);
    }
    if (bad)
        return bp_fail(err, BP_EDATA,
                       "column %s: the counts of the partial input are negative or too large",
                       a->name);
    for (int i = 0, n = list_sums(m, list); i < n; i++) {
        struct bp_agg_rows part = *r;

        part.cols = &r->cols[i + 1];
        BP_TRY(bp_exact_merge(list[i], a, &part, err));
    }
    return 0;
}

static int moment_save(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *parts,
                       struct bp_err *err)
{
    struct bp_exact *list[BP_AGG_PARTS_MAX];
    struct bp_moment *m = (struct bp_moment *)a;
    const int64_t *count = m->n.p;
    struct bp_agg_seen all = {0};
    int64_t *to;

    BP_TRY(bp_agg_column(&parts[0], BP_TYPE(BP_INT64), n, err));
    to = (int64_t *)(void *)parts[0].own[1]->data;
    for (int64_t i = 0; i < n; i++)
        to[i] = count[ids[i]];
    for (int i = 0, sums = list_sums(m, list); i < sums; i++)
        BP_TRY(bp_exact_column(list[i], &all, ids, n, &parts[i + 1], err));
    return 0;
}

/* ---- integers of many limbs ---- */

/* Products of two sums span 4,400 bits. */
#define LIMBS 84

struct wide {
    uint64_t limb[LIMBS];
    int n, exp2;
    bool neg;
};

/* w = a * b */
static void multiply(struct wide *w, const struct bp_big *a, const struct bp_big *b)
{
    w->n = a->n + b->n;
    w->exp2 = a->exp2 + b->exp2;
    w->neg = a->neg != b->neg;
    memset(w->limb, 0, (size_t)w->n * sizeof w->limb[0]);
    for (int i = 0; i < a->n; i++) {
        bp_uint128 carry = 0;

        for (int k = 0; k < b->n; k++) {
            carry += (bp_uint128)a->limb[i] * b->limb[k] + w->limb[i + k];
            w->limb[i + k] = (uint64_t)carry;
            carry >>= 64;
        }
        w->limb[i + b->n] = (uint64_t)carry;
    }
}

/* acc[0, n), two's complement, += w x 2^shift (or -=). */
static void add_shifted(uint64_t *acc, int n, const struct wide *w, int shift, bool minus)
{
    int at = shift >> 6, s = shift & 63;
    uint64_t flip = minus ? UINT64_MAX : 0;
    bp_uint128 carry = minus;

    for (int i = at; i < n; i++) {
        int k = i - at;
        uint64_t v = k < w->n ? w->limb[k] << s : 0;

        if (s && k && k - 1 < w->n)
            v |= w->limb[k - 1] >> (64 - s);
        carry += (bp_uint128)acc[i] + (v ^ flip);
        acc[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

/* Low limbs of zeros only cost time. */
static void drop_zeros(struct bp_big *b)
{
    int n = 0;

    while (n < b->n && !b->limb[n])
        n++;
    b->n -= n;
    b->exp2 = b->n ? b->exp2 + 64 * n : 0;
    memmove(b->limb, b->limb + n, (size_t)b->n * sizeof b->limb[0]);
}

/* The highest limbs: what was cut off is sticky. Leaves room for six divisions. */
#define KEPT_LIMBS 26

static void to_big(uint64_t *acc, int n, int exp2, struct bp_big *out)
{
    uint64_t carry = 1;
    int cut;

    *out = (struct bp_big){.neg = acc[n - 1] >> 63};
    for (int i = 0; out->neg && i < n; i++) {
        acc[i] = ~acc[i] + carry;
        carry = carry && !acc[i];
    }
    while (n && !acc[n - 1])
        n--;
    cut = BP_MAX(n - KEPT_LIMBS, 0);
    for (int i = 0; i < cut; i++)
        out->sticky |= acc[i] != 0;
    out->n = n - cut;
    out->exp2 = exp2 + 64 * cut;
    memcpy(out->limb, acc + cut, (size_t)out->n * sizeof acc[0]);
}

/* n * sum(product) - sum * sum, exactly. */
static void numerator(const struct bp_moment *m, int product, uint32_t id, struct bp_big *out)
{
    uint64_t acc[LIMBS + 2] = {0};
    struct bp_big n, a, b;
    struct wide term[3];
    int low = INT32_MAX, high = INT32_MIN, limbs;

    bp_big_from_int(&n, ((const int64_t *)m->n.p)[id], 0);
    bp_exact_total(&m->high[product], id, &a);
    drop_zeros(&a);
    multiply(&term[0], &n, &a);
    bp_exact_total(&m->low[product], id, &a);
    drop_zeros(&a);
    multiply(&term[1], &n, &a);
    bp_exact_total(&m->sum[product == BP_YY], id, &a);
    bp_exact_total(&m->sum[product != BP_XX], id, &b);
    drop_zeros(&a);
    drop_zeros(&b);
    multiply(&term[2], &a, &b);
    term[2].neg = !term[2].neg;
    for (int i = 0; i < 3; i++) {
        /* limbs of zeros do not count: one factor may be 0 */
        while (term[i].n && !term[i].limb[term[i].n - 1])
            term[i].n--;
        if (!term[i].n)
            continue;
        low = BP_MIN(low, term[i].exp2);
        high = BP_MAX(high, term[i].exp2 + 64 * term[i].n);
    }
    *out = (struct bp_big){0};
    if (high < low)
        return;
    limbs = (high - low + 63) / 64 + 1;
    for (int i = 0; i < 3; i++)
        if (term[i].n)
            add_shifted(acc, limbs, &term[i], term[i].exp2 - low, term[i].neg);
    to_big(acc, limbs, low, out);
}

/* ---- results ---- */

static void divide_by_scale(struct bp_big *b, int digits)
{
    while (digits > 0) {
        uint64_t ten = 1;

        for (int i = 0; i < 19 && digits > 0; i++, digits--)
            ten *= 10;
        bp_big_divide(b, ten);
    }
}

static int scale_of(struct bp_type t)
{
    return t.kind == BP_DECIMAL ? t.scale : 0;
}

/* The numerator over n * d: a variance or covariance, rounded once. */
static double spread(const struct bp_moment *m, int product, uint32_t id, uint64_t d)
{
    const struct bp_type *args = m->base.args;
    struct bp_big b;

    numerator(m, product, id, &b);
    bp_big_divide(&b, (uint64_t)((const int64_t *)m->n.p)[id]);
    bp_big_divide(&b, d);
    divide_by_scale(&b, scale_of(args[product == BP_YY]));
    divide_by_scale(&b, scale_of(args[product != BP_XX]));
    if (product != BP_XY && b.neg)
        return 0; /* of values so small that their squares were cut off */
    return bp_big_round(&b);
}

static double correlation(const struct bp_moment *m, uint32_t id, uint64_t n, bool *is_null)
{
    double xx = spread(m, BP_XX, id, n), yy = spread(m, BP_YY, id, n), r;

    *is_null = xx == 0 || yy == 0;
    if (*is_null)
        return 0;
    r = spread(m, BP_XY, id, n) / (sqrt(xx) * sqrt(yy));
    return r > 1 ? 1 : r < -1 ? -1 : r;
}

static double mean(const struct bp_moment *m, int arg, uint32_t id)
{
    struct bp_big b;

    bp_exact_total(&m->sum[arg], id, &b);
    bp_big_divide(&b, (uint64_t)((const int64_t *)m->n.p)[id]);
    divide_by_scale(&b, scale_of(m->base.args[arg]));
    return bp_big_round(&b);
}

/* regr_f(y, x): the sums are rounded once, what is made of them as often as it is written. */
static double regression(const struct bp_moment *m, uint32_t id, bool *is_null)
{
    const char *what = m->base.kind->func + 5;
    double xx, xy, yy;

    if (strcmp(what, "syy") == 0)
        return spread(m, BP_XX, id, 1);
    if (strcmp(what, "sxy") == 0)
        return spread(m, BP_XY, id, 1);
    if (strcmp(what, "avgx") == 0)
        return mean(m, 1, id);
    if (strcmp(what, "avgy") == 0)
        return mean(m, 0, id);
    xx = spread(m, BP_YY, id, 1);
    if (strcmp(what, "sxx") == 0)
        return xx;
    *is_null = xx == 0;
    if (*is_null)
        return 0;
    xy = spread(m, BP_XY, id, 1);
    if (strcmp(what, "slope") == 0)
        return xy / xx;
    if (strcmp(what, "intercept") == 0)
        return mean(m, 0, id) - mean(m, 1, id) * (xy / xx);
    yy = spread(m, BP_XX, id, 1); /* regr_r2 */
    return yy == 0 ? 1 : xy / xx * (xy / yy);
}

/* Whether argument arg plays a part; of both sides' rows in any case. */
static bool reads(const struct bp_agg *a, int arg)
{
    static const char *const one_sided[2][2] = {{"regr_syy", "regr_avgy"},
                                                {"regr_sxx", "regr_avgx"}};

    for (int i = 0; i < 2; i++)
        if (named(a, one_sided[1 - arg][i]))
            return false;
    return true;
}

static int result_of(const struct bp_moment *m, uint32_t id, double *to, bool *is_null,
                     struct bp_err *err)
{
    uint64_t n = (uint64_t)((const int64_t *)m->n.p)[id];
    const struct bp_agg *a = &m->base;
    bool corr = named(a, "corr"), regr = is_regr(a), pop = corr || regr || is_pop(a);

    *is_null = n < (pop ? 1 : 2);
    if (*is_null)
        return 0;
    for (int i = 0; i < a->kind->n_args; i++)
        if (reads(a, i) && !bp_exact_is_finite(&m->sum[i], id)) {
            *to = strncmp(a->kind->func, "regr_avg", 8) == 0 ? bp_exact_round(&m->sum[i], id, 1)
                                                             : (double)NAN;
            return 0;
        }
    if (corr)
        *to = correlation(m, id, n, is_null);
    else if (regr)
        *to = regression(m, id, is_null);
    else
        *to = spread(m, a->kind->n_args == 1 ? BP_XX : BP_XY, id, pop ? n : n - 1);
    if (isinf(*to))
        return bp_fail(err, BP_EDATA, "column %s: the %s is beyond double precision", a->name,
                       a->kind->func);
    if (a->kind->func[0] == 's')
        *to = sqrt(*to);
    return 0;
}

static int moment_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                        struct bp_err *err)
{
    const struct bp_moment *m = (struct bp_moment *)a;
    struct bp_builder b;
    int rc;

    bp_builder_init(&b, a->result);
    BP_GO(bp_builder_reserve(&b, n, err));
    for (int64_t i = 0; i < n; i++) {
        double d = 0;
        bool is_null;

        BP_GO(result_of(m, ids[i], &d, &is_null, err));
        if (is_null)
            BP_GO(bp_builder_add_null(&b, err));
        else
            BP_GO(bp_builder_add(&b, &d, err));
    }
    rc = bp_builder_finish(&b, out, err);
out:
    bp_builder_release(&b);
    return rc;
}

static const struct bp_agg_ops moment_ops = {
    sizeof(struct bp_moment),
    moment_grow,
    bp_moment_update,
    moment_merge,
    moment_save,
    moment_final,
    moment_release,
};

/* ---- the records ---- */

static bool number(const struct bp_type *t)
{
    return bp_type_is_int(*t) || bp_type_is_float(*t) || t->kind == BP_DECIMAL;
}

static bool two_numbers(const struct bp_type *t)
{
    return number(&t[0]) && number(&t[1]);
}

/* The count, the sums of n_args arguments (x, then y), those of products, in two halves. */
static int parts_of(int n_args, unsigned products, struct bp_type *result,
                    struct bp_agg_part *parts)
{
    static const char *const names[] = {"xx", "xx_low", "yy", "yy_low", "xy", "xy_low"};
    int n = 0;

    *result = BP_TYPE(BP_FLOAT64);
    parts[n++] = (struct bp_agg_part){"n", BP_TYPE(BP_INT64)};
    for (int i = 0; i < n_args; i++)
        parts[n++] = (struct bp_agg_part){i ? "y" : "x", BP_TYPE(BP_BINARY)};
    for (int i = 0; i < 2 * BP_PRODUCTS; i++)
        if (products >> (i / 2) & 1)
            parts[n++] = (struct bp_agg_part){names[i], BP_TYPE(BP_BINARY)};
    return n;
}

#define TYPES(name, n_args, products)                                                              \
    static int name(const struct bp_type *args, struct bp_type *result, struct bp_agg_part *parts) \
    {                                                                                              \
        (void)args;                                                                                \
        return parts_of(n_args, products, result, parts);                                          \
    }

TYPES(one_types, 1, 1 << BP_XX)
TYPES(mean_types, 2, 0)
TYPES(first_types, 2, 1 << BP_XX)
TYPES(second_types, 2, 1 << BP_YY)
TYPES(covar_types, 2, 1 << BP_XY)
TYPES(line_types, 2, 1 << BP_YY | 1 << BP_XY)
TYPES(corr_types, 2, 1 << BP_XX | 1 << BP_YY | 1 << BP_XY)

const struct bp_agg_kind bp_agg_moment_kinds[] = {
    {"stddev_samp", "number", 1, number, one_types, &moment_ops},
    {"stddev_pop", "number", 1, number, one_types, &moment_ops},
    {"var_samp", "number", 1, number, one_types, &moment_ops},
    {"var_pop", "number", 1, number, one_types, &moment_ops},
    {"covar_samp", "number, number", 2, two_numbers, covar_types, &moment_ops},
    {"covar_pop", "number, number", 2, two_numbers, covar_types, &moment_ops},
    {"corr", "number, number", 2, two_numbers, corr_types, &moment_ops},
    {"regr_slope", "y, x", 2, two_numbers, line_types, &moment_ops},
    {"regr_intercept", "y, x", 2, two_numbers, line_types, &moment_ops},
    {"regr_r2", "y, x", 2, two_numbers, corr_types, &moment_ops},
    {"regr_sxx", "y, x", 2, two_numbers, second_types, &moment_ops},
    {"regr_syy", "y, x", 2, two_numbers, first_types, &moment_ops},
    {"regr_sxy", "y, x", 2, two_numbers, covar_types, &moment_ops},
    {"regr_avgx", "y, x", 2, two_numbers, mean_types, &moment_ops},
    {"regr_avgy", "y, x", 2, two_numbers, mean_types, &moment_ops},
    {0},
};
