/* SPDX-License-Identifier: Apache-2.0 */
/* States of aggregates that keep values: any damage is refused or harmless. */
#include <stdlib.h>

#include "agg/agg.h"
#include "base/mem.h"
#include "unit.h"

#define ROWS 6

static const int64_t numbers[ROWS] = {5, -3, 900000000000, 0, -3, 12};
static const int32_t offsets[ROWS + 1] = {0, 1, 3, 3, 6, 10, 11};
static const uint8_t letters[] = "aUlm\xc3\xa4xyzzq";

static struct bp_column number_column(void)
{
    return (struct bp_column){.type = BP_TYPE(BP_INT64), .n_rows = ROWS, .data = numbers};
}

static struct bp_column text_column(void)
{
    return (struct bp_column){
        .type = BP_TYPE(BP_BINARY), .n_rows = ROWS, .data = offsets, .bytes = letters};
}

static struct bp_agg *begin(const char *func, const struct bp_type *types, int n)
{
    struct bp_err err = {0};
    struct bp_agg *a = NULL;

    CHECK(bp_agg_new(&a, func, types, n, "x", &err) == 0);
    CHECK(a->kind->ops->grow(a, 1, &err) == 0);
    return a;
}

/* Merge one state into a fresh aggregate and take the result; the code. */
static int merge_bytes(const char *func, const struct bp_type *types, int n_args, const uint8_t *p,
                       size_t n)
{
    int32_t off[2] = {0, (int32_t)n};
    struct bp_column c = {.type = BP_TYPE(BP_BINARY), .n_rows = 1, .data = off};
    struct bp_agg_rows r = {.cols = &c, .n_rows = 1};
    struct bp_agg *a = begin(func, types, n_args);
    uint8_t *exact = malloc(n ? n : 1); /* so that a sanitizer sees a byte too far */
    struct bp_column out = {0};
    struct bp_err err = {0};
    uint32_t id = 0;
    int rc;

    memcpy(exact, p, n);
    c.bytes = exact;
    rc = a->kind->ops->merge(a, &r, &err);
    if (rc == 0)
        rc = a->kind->ops->final(a, &id, 1, &out, &err);
    bp_column_release(&out);
    bp_agg_free(a);
    free(exact);
    return rc;
}

static void damage(const char *func, const struct bp_column *cols, int n_args)
{
    struct bp_type types[2] = {cols[0].type, cols[n_args - 1].type};
    struct bp_agg_rows r = {.cols = cols, .n_rows = ROWS};
    struct bp_agg *a = begin(func, types, n_args);
    struct bp_column state = {0};
    struct bp_err err = {0};
    const uint8_t *p;
    uint8_t copy[200];
    uint32_t id = 0;
    size_t n;

    CHECK(a->kind->ops->update(a, &r, &err) == 0);
    CHECK(a->kind->ops->save(a, &id, 1, &state, &err) == 0);
    p = bp_column_bytes(&state, 0, &n);
    CHECK(n > 1 && n < sizeof copy);
    memcpy(copy, p, n);
    CHECK(merge_bytes(func, types, n_args, copy, n) == 0);
    CHECK(merge_bytes(func, types, n_args, copy, 0) == BP_EDATA);
    copy[0]++;
    CHECK(merge_bytes(func, types, n_args, copy, n) == BP_EDATA);
    copy[0]--;
    for (size_t i = 0; i < n; i++) {
        (void)merge_bytes(func, types, n_args, copy, i);
        for (int bit = 0; bit < 8; bit++) {
            copy[i] = (uint8_t)(copy[i] ^ 1u << bit);
            (void)merge_bytes(func, types, n_args, copy, n);
            copy[i] = (uint8_t)(copy[i] ^ 1u << bit);
        }
    }
    bp_column_release(&state);
    bp_agg_free(a);
}

static struct bp_column comma_column(void)
{
    static const int32_t at[ROWS + 1] = {0, 1, 2, 3, 4, 5, 6};

    return (struct bp_column){
        .type = BP_TYPE(BP_BINARY), .n_rows = ROWS, .data = at, .bytes = (const uint8_t *)",,,,,,"};
}

static struct bp_column half_column(void)
{
    static const double half[ROWS] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5};

    return (struct bp_column){.type = BP_TYPE(BP_FLOAT64), .n_rows = ROWS, .data = half};
}

static void damaged_states_are_refused_or_harmless(void)
{
    struct bp_column n[2] = {number_column(), number_column()}, mixed[2];

    mixed[0] = text_column();
    mixed[1] = number_column();
    damage("any_value", n, 1);
    damage("first", n, 1);
    damage("last", mixed, 1);
    damage("max_by", n, 2);
    damage("min_by", mixed, 2);
    damage("count_distinct", n, 1);
    damage("mode", mixed, 1);
    damage("median", n, 1);
    damage("sum_distinct", n, 1);
    damage("approx_count_distinct", n, 1);
    damage("corr_distinct", n, 2);
    mixed[1] = half_column();
    damage("approx_percentile", (struct bp_column[]){n[0], mixed[1]}, 2);
    mixed[1] = text_column();
    damage("first_ordered", mixed, 2);
    damage("array_agg", mixed, 1);
    damage("array_agg", n, 1);
    damage("last_ordered", mixed, 2);
    mixed[1] = comma_column();
    damage("string_agg", mixed, 2);
    damage("string_agg_distinct", mixed, 2);
}

/* Rows are compared with the key that a state has, without the place behind it. */
static void an_ordered_state_without_a_place_is_refused(void)
{
    static const uint8_t state[] = {1, 3, 0, 0, 0, 'k', 'e', 'y', 0, 'x'};
    struct bp_type types[2] = {BP_TYPE(BP_TEXT), BP_TYPE(BP_BINARY)};

    CHECK(merge_bytes("first_ordered", types, 2, state, sizeof state) == BP_EDATA);
    CHECK(merge_bytes("last_ordered", types, 2, state, sizeof state) == BP_EDATA);
}

UNIT_MAIN(T(damaged_states_are_refused_or_harmless), T(an_ordered_state_without_a_place_is_refused))
