/* SPDX-License-Identifier: Apache-2.0 */
/* For every aggregate: rows dealt to random partial states, which are merged in random order, some
 * of them by way of another state, give the bytes of one pass over all rows. */
#include <stdlib.h>

#include "agg/agg.h"
#include "base/mem.h"
#include "col/key.h"
#include "unit.h"

#define ROWS 900
#define GROUPS 4
#define PIECES 7
#define ROUNDS 12

static uint64_t seed = 88172645463325252u;

static uint32_t below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) * n >> 32);
}

static void must(int rc, const struct bp_err *err)
{
    if (rc < 0) {
        printf("Bail out! %s\n", err->msg);
        exit(1);
    }
}

/* ---- rows: one column of each of these types, with NULLs ---- */

enum { INT, FLOAT, DECIMAL, INTERVAL, TEXT, BOOL, COMMA, HALF, KEY, COLUMNS };

static const struct bp_type types[COLUMNS] = {
    [INT] = {.kind = BP_INT32},
    [FLOAT] = {.kind = BP_FLOAT64},
    [DECIMAL] = {.kind = BP_DECIMAL, .precision = 20, .scale = 2},
    [INTERVAL] = {.kind = BP_INTERVAL},
    [TEXT] = {.kind = BP_TEXT},
    [BOOL] = {.kind = BP_BOOL},
    [COMMA] = {.kind = BP_TEXT},
    [HALF] = {.kind = BP_FLOAT64},
    [KEY] = {.kind = BP_BINARY},
};

static void add_value(struct bp_builder *b, int column, struct bp_err *err)
{
    int32_t i = (int32_t)below(600) - 300;
    double f = below(9) ? (double)i * 0.37 : (double)i * 1e300, half = 0.7;
    bp_int128 d = (bp_int128)i * 1000000007;
    struct bp_interval v = {i, -i, (int64_t)i * 1000};
    char text[40];
    uint8_t t = i > 0;

    snprintf(text, sizeof text, "%.*s%d", (int)below(20), "a text of some length", i);
    if (column != COMMA && column != HALF && column != KEY && !below(8))
        must(bp_builder_add_null(b, err), err);
    else if (column == TEXT || column == KEY)
        must(bp_builder_add_bytes(b, text, column == KEY ? below(3) : strlen(text), err), err);
    else if (column == COMMA)
        must(bp_builder_add_bytes(b, ", ", 2, err), err);
    else
        must(bp_builder_add(b,
                            column == INT        ? (void *)&i
                            : column == FLOAT    ? (void *)&f
                            : column == DECIMAL  ? (void *)&d
                            : column == INTERVAL ? (void *)&v
                            : column == HALF     ? (void *)&half
                                                 : (void *)&t,
                            err),
             err);
}

static struct bp_column rows[COLUMNS];
static uint32_t owners[ROWS + BP_AGG_AHEAD];

static void make_rows(void)
{
    struct bp_err err = {0};

    for (int c = 0; c < COLUMNS; c++) {
        struct bp_builder b;

        bp_builder_init(&b, types[c]);
        for (int i = 0; i < ROWS; i++)
            add_value(&b, c, &err);
        must(bp_builder_finish(&b, &rows[c], &err), &err);
    }
    /* the last group has no row; the first most, more than a sketch holds exactly */
    for (int i = 0; i < ROWS; i++)
        owners[i] = below(3) ? 0 : below(GROUPS - 1);
}

static void free_rows(void)
{
    for (int c = 0; c < COLUMNS; c++)
        bp_column_release(&rows[c]);
}

/* ---- one aggregate ---- */

struct call {
    const char *func;
    int args[BP_AGG_ARGS_MAX], n_args;
};

static struct bp_agg *begin(const struct call *c)
{
    struct bp_type args[BP_AGG_ARGS_MAX];
    struct bp_err err = {0};
    struct bp_agg *a = NULL;

    for (int i = 0; i < c->n_args; i++)
        args[i] = types[c->args[i]];
    must(bp_agg_new(&a, c->func, args, c->n_args, c->func, &err), &err);
    must(a->kind->ops->grow(a, GROUPS, &err), &err);
    return a;
}

/* Rows [from, from + n) of all. */
static void update(struct bp_agg *a, const struct call *c, int64_t from, int64_t n)
{
    struct bp_column args[BP_AGG_ARGS_MAX] = {0};
    struct bp_agg_rows r = {.cols = args, .n_rows = n, .gaps = true, .first_row = from};
    uint32_t ids[ROWS + BP_AGG_AHEAD] = {0};
    struct bp_err err = {0};

    memcpy(ids, owners + from, (size_t)n * sizeof *ids);
    r.ids = ids;
    for (int i = 0; i < c->n_args; i++)
        must(bp_column_slice(&args[i], &rows[c->args[i]], from, n, &err), &err);
    must(a->kind->ops->update(a, &r, &err), &err);
    for (int i = 0; i < c->n_args; i++)
        bp_column_release(&args[i]);
}

/* from's states of all groups, in a random order of groups, into to; from is freed. */
static void merge(struct bp_agg *to, struct bp_agg *from)
{
    struct bp_column parts[BP_AGG_PARTS_MAX] = {0};
    struct bp_agg_rows r = {.cols = parts, .n_rows = GROUPS, .gaps = true};
    uint32_t ids[GROUPS + BP_AGG_AHEAD] = {0};
    struct bp_err err = {0};

    for (uint32_t i = 0; i < GROUPS; i++)
        ids[i] = i;
    for (uint32_t i = GROUPS - 1; i > 0; i--) {
        uint32_t k = below(i + 1), t = ids[i];

        ids[i] = ids[k];
        ids[k] = t;
    }
    r.ids = ids;
    must(from->kind->ops->save(from, ids, GROUPS, parts, &err), &err);
    must(to->kind->ops->merge(to, &r, &err), &err);
    for (int i = 0; i < from->n_parts; i++)
        bp_column_release(&parts[i]);
    bp_agg_free(from);
}

static void finish(struct bp_agg *a, struct bp_column *out)
{
    uint32_t ids[GROUPS + BP_AGG_AHEAD] = {0, 1, 2, 3};
    struct bp_err err = {0};

    must(a->kind->ops->final(a, ids, GROUPS, out, &err), &err);
    CHECK(a->held_bytes > 0);
    bp_agg_free(a);
}

static bool same_bytes(const struct bp_column *a, const struct bp_column *b)
{
    size_t width = bp_type_is_bytes(a->type) ? 0 : bp_type_width_bytes(a->type), n_a, n_b;

    for (int64_t i = 0; i < GROUPS; i++) {
        if (bp_column_is_null(a, i) != bp_column_is_null(b, i))
            return false;
        if (bp_type_is_nested(a->type)) {
            if (!bp_key_equal(a, i, b, i))
                return false;
        } else if (bp_type_is_bytes(a->type)) {
            const uint8_t *p = bp_column_bytes(a, i, &n_a), *q = bp_column_bytes(b, i, &n_b);

            if (n_a != n_b || (n_a && memcmp(p, q, n_a) != 0))
                return false;
        } else if (a->type.kind == BP_BOOL) {
            if (bp_bit_get(a->data, i) != bp_bit_get(b->data, i))
                return false;
        } else if (memcmp((const uint8_t *)a->data + i * (int64_t)width,
                          (const uint8_t *)b->data + i * (int64_t)width, width) != 0) {
            return false;
        }
    }
    return true;
}

/* Rows in pieces, each with a state of its own; states are merged as chance has it. */
static void by_chance(const struct call *c, struct bp_column *out)
{
    struct bp_agg *piece[PIECES], *into;
    int64_t at = 0;

    for (int i = 0; i < PIECES; i++) {
        int64_t n = i == PIECES - 1 ? ROWS - at : below((uint32_t)(ROWS - at) / 3 + 1);

        piece[i] = begin(c);
        update(piece[i], c, at, n / 2);
        update(piece[i], c, at + n / 2, n - n / 2);
        at += n;
    }
    for (int n = PIECES; n > 1; n--) {
        int a = (int)below((uint32_t)n), b = (a + 1 + (int)below((uint32_t)n - 1)) % n;

        if (below(2)) {
            into = begin(c);
            merge(into, piece[a]);
            piece[a] = into;
        }
        merge(piece[a], piece[b]);
        piece[b] = piece[n - 1];
        if (a == n - 1)
            piece[b] = piece[a];
    }
    finish(piece[0], out);
}

static const struct call calls[] = {
    {"count", {0}, 0},
    {"count", {TEXT}, 1},
    {"count_if", {BOOL}, 1},
    {"sum", {INT}, 1},
    {"sum", {FLOAT}, 1},
    {"sum", {DECIMAL}, 1},
    {"sum", {INTERVAL}, 1},
    {"avg", {INT}, 1},
    {"avg", {FLOAT}, 1},
    {"avg", {DECIMAL}, 1},
    {"avg", {INTERVAL}, 1},
    {"min", {FLOAT}, 1},
    {"max", {TEXT}, 1},
    {"min", {INTERVAL}, 1},
    {"bit_and", {INT}, 1},
    {"bit_or", {INT}, 1},
    {"bit_xor", {INT}, 1},
    {"bool_and", {BOOL}, 1},
    {"bool_or", {BOOL}, 1},
    {"any_value", {TEXT}, 1},
    {"first", {TEXT}, 1},
    {"last", {INTERVAL}, 1},
    {"first_ordered", {TEXT, KEY}, 2},
    {"last_ordered", {FLOAT, KEY}, 2},
    {"min_by", {TEXT, FLOAT}, 2},
    {"max_by", {INT, TEXT}, 2},
    {"var_samp", {DECIMAL}, 1},
    {"stddev_pop", {INT}, 1},
    {"covar_samp", {INT, DECIMAL}, 2},
    {"corr", {DECIMAL, INT}, 2},
    {"regr_intercept", {DECIMAL, INT}, 2},
    {"regr_count", {DECIMAL, TEXT}, 2},
    {"count_distinct", {TEXT}, 1},
    {"mode", {INT}, 1},
    {"median", {FLOAT}, 1},
    {"percentile_cont", {DECIMAL, HALF}, 2},
    {"percentile_disc", {TEXT, HALF}, 2},
    {"array_agg", {DECIMAL}, 1},
    {"array_agg", {BOOL}, 1},
    {"array_agg_ordered", {TEXT, KEY}, 2},
    {"string_agg", {TEXT, COMMA}, 2},
    {"string_agg_ordered", {TEXT, COMMA, KEY}, 3},
    {"string_agg_distinct", {TEXT, COMMA}, 2},
    {"sum_distinct", {FLOAT}, 1},
    {"corr_distinct", {INT, DECIMAL}, 2},
    {"approx_count_distinct", {TEXT}, 1},
    {"approx_count_distinct", {BOOL}, 1},
    {"approx_percentile", {DECIMAL, HALF}, 2},
    {"approx_percentile", {FLOAT, HALF}, 2},
};

static void states_merge_in_any_order_to_the_same_bytes(void)
{
    make_rows();
    for (size_t i = 0; i < BP_COUNT_OF(calls); i++) {
        struct bp_agg *a = begin(&calls[i]);
        struct bp_column whole = {0};

        update(a, &calls[i], 0, ROWS);
        finish(a, &whole);
        for (int round = 0; round < ROUNDS; round++) {
            struct bp_column again = {0};

            by_chance(&calls[i], &again);
            if (!same_bytes(&whole, &again)) {
                unit_failed++;
                printf("# %s is another in round %d\n", calls[i].func, round);
            }
            bp_column_release(&again);
        }
        bp_column_release(&whole);
    }
    free_rows();
}

UNIT_MAIN(T(states_merge_in_any_order_to_the_same_bytes))
