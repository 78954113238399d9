/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sum and avg of intervals, field by field as PostgreSQL has them. On the way a field
 * may be as large as it likes: states are wide, only the result has to be an interval.
 *
 * An average divides each field: the rest of the months becomes days of 30 to the month,
 * the rest of the days becomes time, and that is rounded to whole microseconds, half to
 * even; here in integers, so nothing is lost on the way.
 */
#include <string.h>

#include "agg/agg.h"
#include "base/mem.h"

#define DAY_NS ((bp_int128)86400 * 1000000000)
#define MONTH_DAYS 30

enum { MONTHS, DAYS, NS, COUNT };

struct fields {
    bp_int128 ns;
    int64_t months, days;
    int64_t n; /* values that are not NULL */
};

struct intervals {
    struct bp_agg base;
    struct bp_agg_array fields; /* struct fields */
};

static bool is_avg(const struct bp_agg *a)
{
    return a->kind->func[0] == 'a';
}

static int interval_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    BP_TRY(bp_agg_array_grow(a, &((struct intervals *)a)->fields, sizeof(struct fields), n_groups,
                             err));
    a->n_groups = n_groups;
    return 0;
}

static void interval_release(struct bp_agg *a)
{
    bp_mem_free(((struct intervals *)a)->fields.p);
}

/* False: a count of 64 bits is full. The time has to stay a decimal(38,0). */
static bool add(struct fields *to, const struct fields *v)
{
    bp_int128 end = 1;

    for (int i = 0; i < 38; i++)
        end *= 10;
    to->ns += v->ns;
    return !__builtin_add_overflow(to->months, v->months, &to->months) &&
           !__builtin_add_overflow(to->days, v->days, &to->days) &&
           !__builtin_add_overflow(to->n, v->n, &to->n) && to->ns < end && to->ns > -end;
}

static int beyond(const struct bp_agg *a, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "column %s: the %s is beyond interval", a->name, a->kind->func);
}

static int interval_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct fields *to = ((struct intervals *)a)->fields.p;
    const struct bp_column *c = &r->cols[0];
    const struct bp_interval *v = c->data;
    bool fits = true;

    for (int64_t i = 0; i < r->n_rows; i++) {
        struct fields one = {v[i].ns, v[i].months, v[i].days, 1};

        if (!bp_column_is_null(c, i))
            fits &= add(&to[r->ids ? r->ids[i] : 0], &one);
    }
    return fits ? 0 : beyond(a, err);
}

static int interval_merge(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct fields *to = ((struct intervals *)a)->fields.p;
    const int64_t *months = r->cols[MONTHS].data, *days = r->cols[DAYS].data;
    const int64_t *count = r->cols[COUNT].data;
    const bp_int128 *ns = r->cols[NS].data;
    bool fits = true, good = true;

    for (int64_t i = 0; i < r->n_rows; i++) {
        struct fields one = {ns[i], months[i], days[i], count[i]};

        good &= count[i] >= 0;
        fits &= add(&to[r->ids ? r->ids[i] : 0], &one);
    }
    if (!good)
        return bp_fail(err, BP_EDATA, "column %s: a partial state is damaged", a->name);
    return fits ? 0 : beyond(a, err);
}

static int interval_save(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *parts,
                         struct bp_err *err)
{
    const struct fields *from = ((struct intervals *)a)->fields.p;
    int64_t *months, *days, *count;
    bp_int128 *ns;

    for (int i = 0; i < a->n_parts; i++)
        BP_TRY(bp_agg_column(&parts[i], a->parts[i].type, n, err));
    months = (int64_t *)(void *)parts[MONTHS].own[1]->data;
    days = (int64_t *)(void *)parts[DAYS].own[1]->data;
    count = (int64_t *)(void *)parts[COUNT].own[1]->data;
    ns = (bp_int128 *)(void *)parts[NS].own[1]->data;
    for (int64_t i = 0; i < n; i++) {
        const struct fields *f = &from[ids[i]];

        months[i] = f->months;
        days[i] = f->days;
        ns[i] = f->ns;
        count[i] = f->n;
    }
    return 0;
}

/* v / d, half to even. */
static bp_int128 round_even(bp_int128 v, bp_int128 d)
{
    bp_int128 q = v / d, r = v % d, up = v < 0 ? -1 : 1;

    r = r < 0 ? -r : r;
    return r > d - r || (r == d - r && q % 2 != 0) ? q + up : q;
}

static void divide(struct fields *f)
{
    bp_int128 n = f->n, rest_days = (bp_int128)(f->months % f->n) * MONTH_DAYS;
    bp_int128 rest = f->days % f->n + rest_days % n; /* in n-ths of a day */

    f->months /= f->n;
    f->days = (int64_t)(f->days / n + rest_days / n + rest / n);
    f->ns = round_even(f->ns + rest % n * DAY_NS, n * 1000) * 1000;
}

static int interval_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                          struct bp_err *err)
{
    const struct fields *from = ((struct intervals *)a)->fields.p;
    struct bp_builder b;
    int rc;

    bp_builder_init(&b, a->result);
    BP_GO(bp_builder_reserve(&b, n, err));
    for (int64_t i = 0; i < n; i++) {
        struct fields f = from[ids[i]];
        struct bp_interval v;

        if (f.n == 0) {
            BP_GO(bp_builder_add_null(&b, err));
            continue;
        }
        if (is_avg(a))
            divide(&f);
        v = (struct bp_interval){(int32_t)f.months, (int32_t)f.days, (int64_t)f.ns};
        if (v.months != f.months || v.days != f.days || v.ns != f.ns) {
            rc = beyond(a, err);
            goto out;
        }
        BP_GO(bp_builder_add(&b, &v, err));
    }
    rc = bp_builder_finish(&b, out, err);
out:
    bp_builder_release(&b);
    return rc;
}

static const struct bp_agg_ops interval_ops = {
    sizeof(struct intervals), interval_grow,    interval_update, interval_merge, interval_save,
    interval_final,           interval_release,
};

static bool interval(const struct bp_type *t)
{
    return t->kind == BP_INTERVAL;
}

static int interval_types(const struct bp_type *args, struct bp_type *result,
                          struct bp_agg_part *parts)
{
    *result = *args;
    parts[MONTHS] = (struct bp_agg_part){"months", BP_TYPE(BP_INT64)};
    parts[DAYS] = (struct bp_agg_part){"days", BP_TYPE(BP_INT64)};
    parts[NS] = (struct bp_agg_part){"ns", BP_TYPE_DECIMAL(38, 0)};
    parts[COUNT] = (struct bp_agg_part){"n", BP_TYPE(BP_INT64)};
    return 4;
}

const struct bp_agg_kind bp_agg_interval_kinds[] = {
    {"sum", "interval", 1, interval, interval_types, &interval_ops},
    {"avg", "interval", 1, interval, interval_types, &interval_ops},
    {0},
};
