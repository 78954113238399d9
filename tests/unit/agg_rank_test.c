/* SPDX-License-Identifier: Apache-2.0 */
/* Medians and percentiles of long logs, against sorting. */
#include <stdlib.h>

#include "agg/agg.h"
#include "base/mem.h"
#include "unit.h"

#define GROUPS 5
#define BATCH 5000

static struct bp_err err;
static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

struct values { /* of one group */
    double *v;
    int64_t n, cap;
};

static void keep(struct values *g, double v)
{
    if (g->n == g->cap) {
        g->cap = g->cap ? g->cap * 2 : 64;
        g->v = bp_mem_grow(g->v, (size_t)g->cap, sizeof *g->v, &err);
    }
    g->v[g->n++] = v;
}

/* n_rows doubles into GROUPS - 1 groups (the last sees NULLs alone), `kinds` different
 * ones (0: all). */
static void feed(struct bp_agg *a, struct values *groups, int64_t n_rows, uint64_t kinds)
{
    static double v[BATCH + 8];
    static uint32_t ids[BATCH + BP_AGG_AHEAD];
    static uint8_t valid[BATCH / 8 + 8];
    struct bp_column c = {.type = BP_TYPE(BP_FLOAT64), .n_rows = BATCH, .data = v};

    for (int64_t done = 0; done < n_rows; done += BATCH) {
        struct bp_agg_rows r = {.cols = &c, .n_rows = BATCH, .ids = ids, .n_before = GROUPS};

        memset(valid, 0xff, sizeof valid);
        c.n_nulls = 0;
        for (int i = 0; i < BATCH; i++) {
            uint64_t x = next_random();

            ids[i] = x % 7 == 0 ? 0 : (uint32_t)(x >> 20) % GROUPS;
            v[i] = kinds ? (double)((x >> 32) % kinds) - 3 : (double)(int64_t)x / 1e10;
            if (ids[i] == GROUPS - 1) {
                v[i] = 0;
                valid[i / 8] = (uint8_t)(valid[i / 8] & ~(1u << i % 8));
                c.n_nulls++;
            } else {
                keep(&groups[ids[i]], v[i]);
            }
        }
        c.valid = c.n_nulls ? valid : NULL;
        NEED(a->kind->ops->grow(a, GROUPS, &err) == 0);
        NEED(a->kind->ops->update(a, &r, &err) == 0);
    }
}

static void check(struct bp_agg *a, struct values *groups)
{
    static const uint32_t ids[GROUPS] = {3, 0, 1, 4, 2};
    struct bp_column out = {0};

    NEED(a->kind->ops->final(a, ids, GROUPS, &out, &err) == 0);
    for (int i = 0; i < GROUPS; i++) {
        struct values *g = &groups[ids[i]];
        double want;

        CHECK(bp_column_is_null(&out, i) == (g->n == 0));
        if (!g->n)
            continue;
        qsort(g->v, (size_t)g->n, sizeof *g->v, by_value);
        want = g->n % 2 ? g->v[g->n / 2]
                        : g->v[g->n / 2 - 1] + (g->v[g->n / 2] - g->v[g->n / 2 - 1]) * 0.5;
        CHECK(((const double *)out.data)[i] == want);
    }
    bp_column_release(&out);
}

static struct bp_agg *median(void)
{
    const struct bp_type t = BP_TYPE(BP_FLOAT64);
    struct bp_agg *a = NULL;

    if (bp_agg_new(&a, "median", &t, 1, "m", &err) < 0)
        printf("Bail out! %s\n", err.msg);
    return a;
}

static void check_log(int64_t n_rows, uint64_t kinds, int64_t most_bytes)
{
    static const uint32_t ids[GROUPS + BP_AGG_AHEAD] = {0, 1, 2, 3, 4};
    struct values groups[GROUPS] = {{0}};
    struct bp_column state = {0};
    struct bp_agg_rows r = {.cols = &state, .n_rows = GROUPS, .ids = ids};
    struct bp_agg *a = median(), *b = median();

    NEED(a && b);
    feed(a, groups, n_rows, kinds);
    check(a, groups);
    feed(a, groups, BATCH, kinds); /* results do not end it */
    check(a, groups);
    CHECK(a->held_bytes <= most_bytes);
    NEED(a->kind->ops->save(a, ids, GROUPS, &state, &err) == 0);
    check(a, groups);
    NEED(b->kind->ops->grow(b, GROUPS, &err) == 0);
    NEED(b->kind->ops->merge(b, &r, &err) == 0);
    check(b, groups);
    feed(b, groups, BATCH, kinds); /* states and rows */
    check(b, groups);
    bp_column_release(&state);
    bp_agg_free(a);
    bp_agg_free(b);
    for (int i = 0; i < GROUPS; i++)
        bp_mem_free(groups[i].v);
}

static void a_short_log(void)
{
    check_log(BATCH, 0, 1 << 20);
}

static void few_values_again_and_again(void)
{
    check_log(BATCH, 3, 1 << 20);
}

static void a_long_log_of_different_values(void)
{
    check_log(240 * BATCH, 0, 48 << 20);
}

/* As doubles that repeat they take no more room than they are. */
static void a_long_log_of_few_values_is_kept_short(void)
{
    check_log(600 * BATCH, 1000, 64 << 20);
}

UNIT_MAIN(T(a_short_log), T(few_values_again_and_again), T(a_long_log_of_different_values),
          T(a_long_log_of_few_values_is_kept_short))
