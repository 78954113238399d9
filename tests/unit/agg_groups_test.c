/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys to group ids: by places in an array, as far as that goes, and by hashing are the same. A
 * column of floating point beside the others is never looked up by places.
 */
#include <stdlib.h>

#include "agg/groups.h"
#include "base/mem.h"
#include "unit.h"

#define ROWS 3000
#define BATCHES 12
#define COLS 4

static struct bp_err err;
static uint64_t state = 7;
static bool to_and_fro; /* every third batch drifts to the other side */
static bool stays;      /* by place to the end */
static bool rests;      /* what finds groups is given back now and then */

static uint64_t rnd(uint64_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 20) % n;
}

struct key {
    int kind;
    /* values of batch b: around (base + b * drift), apart by gap, `spread` of them; one in
     * `nulls` is NULL, one in 500 is `rare` */
    int64_t base, drift, gap, spread;
    uint64_t nulls;
    int64_t rare;
};

struct keys {
    struct key k[COLS];
    int n;
};

static void fill(struct bp_column *c, const struct key *k, int batch)
{
    int64_t drift = to_and_fro && batch % 3 == 0 ? -k->drift : k->drift;
    int64_t *v = (int64_t *)(uintptr_t)c->data;
    int32_t *v32 = (int32_t *)(uintptr_t)c->data;
    uint8_t *valid = (uint8_t *)(uintptr_t)c->valid;

    c->type = (struct bp_type){.kind = (uint8_t)k->kind};
    c->n_rows = ROWS;
    c->n_nulls = 0;
    memset(valid, 0xff, ROWS / 8 + 8);
    for (int i = 0; i < ROWS; i++) {
        uint64_t at = (uint64_t)k->base + (uint64_t)batch * (uint64_t)drift +
                      rnd((uint64_t)k->spread) * (uint64_t)k->gap;

        if (k->rare && rnd(500) == 0)
            at = (uint64_t)k->rare;
        if (k->nulls && rnd(k->nulls) == 0) {
            bp_bit_clear(valid, i);
            c->n_nulls++;
            at = 0;
        }
        if (k->kind == BP_INT32)
            v32[i] = (int32_t)at;
        else
            v[i] = (int64_t)at;
    }
}

/* The ids of all batches, and the keys of the groups, agree. */
static void compare(const struct keys *keys)
{
    static int64_t room[COLS][ROWS + 8];
    static uint8_t valid[COLS][ROWS / 8 + 8];
    static double zeros[ROWS + 8];
    static uint32_t a[ROWS + 8], b[ROWS + 8];
    struct bp_column cols[COLS + 1], back;
    const struct bp_column *ptrs[COLS + 1];
    struct bp_type types[COLS + 1];
    struct bp_groups *by_place, *by_hash;

    for (int k = 0; k < keys->n; k++) {
        cols[k] = (struct bp_column){.data = room[k], .valid = valid[k]};
        types[k] = (struct bp_type){.kind = (uint8_t)keys->k[k].kind};
        ptrs[k] = &cols[k];
    }
    cols[keys->n] = (struct bp_column){.type = BP_TYPE(BP_FLOAT64), .n_rows = ROWS, .data = zeros};
    types[keys->n] = cols[keys->n].type;
    ptrs[keys->n] = &cols[keys->n];
    NEED(bp_groups_new(&by_place, types, keys->n, &err) == 0);
    NEED(bp_groups_new(&by_hash, types, keys->n + 1, &err) == 0);
    for (int batch = 0; batch < BATCHES; batch++) {
        for (int k = 0; k < keys->n; k++)
            fill(&cols[k], &keys->k[k], batch);
        if (rests && batch % 5 == 3) {
            int64_t held = bp_groups_held_bytes(by_place);

            bp_groups_rest(by_place);
            CHECK(bp_groups_held_bytes(by_place) < held);
            bp_groups_rest(by_hash);
        }
        NEED(bp_groups_find(by_place, ptrs, ROWS, a, &err) == 0);
        NEED(bp_groups_find(by_hash, ptrs, ROWS, b, &err) == 0);
        CHECK(memcmp(a, b, ROWS * sizeof *a) == 0);
        for (int k = 0; k < keys->n; k++) {
            NEED(bp_groups_column(by_place, k, a, ROWS, &back, &err) == 0);
            CHECK(back.n_nulls == cols[k].n_nulls);
            CHECK(memcmp(back.data, cols[k].data, ROWS * bp_type_width_bytes(types[k])) == 0);
            bp_column_release(&back);
        }
    }
    CHECK(bp_groups_count(by_place) == bp_groups_count(by_hash));
    CHECK(!stays || rests || bp_groups_are_by_place(by_place));
    CHECK(!bp_groups_are_by_place(by_hash));
    bp_groups_free(by_place);
    bp_groups_free(by_hash);
}

#define HOUR 3600000000

static void hours_and_zones(void)
{
    compare(&(struct keys){
        {{BP_TIMESTAMP, 1577836800000000, 5 * HOUR, HOUR, 7, 0, 0}, {BP_INT32, 1, 0, 1, 265, 0, 0}},
        2});
}

/* One row of 500 is of another century, from the first on; or of the next month. */
static void hours_and_zones_and_rows_far_away(void)
{
    stays = true;
    for (int i = 0; i < 4; i++)
        compare(&(struct keys){{{BP_TIMESTAMP, 1577836800000000, (i & 1 ? -5 : 5) * HOUR, HOUR, 7,
                                 i & 2 ? 3 : 0, i & 2 ? 3692217600000000 : -2208988800000000},
                                {BP_INT32, 1, 0, 1, 265, 0, i == 3 ? INT32_MAX : 0}},
                               2});
    compare(&(struct keys){
        {{BP_TIMESTAMP, 1577836800000000, 5 * HOUR, HOUR, 7, 0, 1577836800000000 + 740 * HOUR},
         {BP_INT32, 1, 0, 1, 265, 0, 0}},
        2});
    compare(&(struct keys){
        {{BP_TIMESTAMP, 1577836800000000, 5 * HOUR, HOUR, 7, 0, 1577836800000000 + 20 * HOUR + 1},
         {BP_INT32, 1, 0, 1, 265, 0, 0}},
        2});
    stays = false;
}

static void falling_hours(void)
{
    compare(&(struct keys){{{BP_TIMESTAMP, 1577836800000000, -9 * HOUR, HOUR, 7, 9, 0},
                            {BP_INT32, 500, -20, 2, 90, 5, 0}},
                           2});
}

static void one_column(void)
{
    compare(&(struct keys){{{BP_INT32, -5, 3, 1, 100, 0, 0}}, 1});
    compare(&(struct keys){{{BP_INT64, 0, 1, 1, 1, 3, 0}}, 1});
    compare(&(struct keys){{{BP_INT64, 0, 0, 1, 2000, 0, 1000001}}, 1});
}

static void a_lattice_that_becomes_finer(void)
{
    compare(&(struct keys){{{BP_INT64, 0, 7, 60, 50, 0, 0}, {BP_INT32, 0, 0, 1, 2, 0, 0}}, 2});
    compare(&(struct keys){{{BP_INT64, 0, 0, 1 << 20, 50, 0, 3}}, 1});
    compare(&(struct keys){{{BP_INT64, 1000, 0, 96, 50, 4, 1000 + 48}}, 1});
}

static void values_that_lie_too_far_apart(void)
{
    compare(&(struct keys){{{BP_INT64, 0, 0, 1, 50, 0, INT64_MAX - 1}}, 1});
    compare(&(struct keys){{{BP_INT64, INT64_MIN, 0, 1, 50, 0, INT64_MAX},
                            {BP_INT32, INT32_MIN, 0, 1, 3, 5, INT32_MAX}},
                           2});
    compare(&(struct keys){{{BP_INT32, 0, 0, 1, 5000, 0, 0}, {BP_INT32, 0, 0, 1, 5000, 0, 0}}, 2});
    compare(&(struct keys){{{BP_INT32, 0, 300, 1, 900, 0, 0}, {BP_INT32, 0, 0, 1, 900, 0, 0}}, 2});
}

static void the_ends_of_the_types(void)
{
    compare(&(struct keys){{{BP_INT64, INT64_MAX - 40, -3, 1, 40, 0, 0}}, 1});
    compare(&(struct keys){{{BP_INT64, INT64_MIN, 3, 2, 40, 6, 0}}, 1});
    compare(&(struct keys){
        {{BP_INT32, INT32_MAX - 9, -1, 1, 9, 0, 0}, {BP_INT32, INT32_MIN, 1, 1, 9, 0, 0}}, 2});
    compare(&(struct keys){{{BP_INT64, INT64_MIN, 0, INT64_MAX, 2, 3, 0}}, 1});
}

static void four_columns(void)
{
    compare(&(struct keys){{{BP_INT32, 1, 1, 1, 6, 3, 0},
                            {BP_INT64, -8, 0, 4, 6, 0, 0},
                            {BP_INT32, 18262, 1, 1, 3, 0, 0},
                            {BP_INT32, 0, 0, 1, 2, 2, 0}},
                           4});
}

static void wider_at_both_ends(void)
{
    to_and_fro = true;
    compare(&(struct keys){{{BP_INT64, 1000, 4, 2, 9, 0, 0}}, 1});
    compare(&(struct keys){{{BP_INT64, 1000, 7, 7, 3, 4, 1003}, {BP_INT32, 0, 0, 1, 5, 0, 0}}, 2});
    to_and_fro = false;
}

static void only_nulls_at_first(void)
{
    compare(&(struct keys){{{BP_INT32, 0, 0, 1, 1, 1, 0}, {BP_INT64, 5, 1, 1, 9, 2, 0}}, 2});
}

/* A dictionary of n values, "first" and on. */
static struct bp_dict *make_dict(int first, int n)
{
    struct bp_dict *d = NULL;
    struct bp_builder b;
    struct bp_column c;
    char text[32];

    bp_builder_init(&b, BP_TYPE(BP_TEXT));
    for (int i = first; i < first + n; i++) {
        int len = snprintf(text, sizeof text, "%d", i);

        CHECK(bp_builder_add_bytes(&b, text, (size_t)len, &err) == 0);
    }
    CHECK(bp_builder_finish(&b, &c, &err) == 0);
    CHECK(bp_dict_new(&d, &c, &err) == 0);
    return d;
}

/* Codes of changing dictionaries, some larger than a batch, give the groups that texts give. */
static void codes_and_texts(void)
{
    static const int firsts[] = {0, 0, 50, 1000, 0, 20, 50, 7},
                     sizes[] = {1, 60, 60, 2000, 30000, 9, 60, 400};
    static int32_t codes[ROWS];
    static uint8_t valid[ROWS / 8 + 8];
    static uint32_t a[ROWS], b[ROWS];
    const struct bp_type text = BP_TYPE(BP_TEXT);
    struct bp_groups *by_code, *by_text;
    struct bp_dict *d[BP_COUNT_OF(firsts)];

    for (size_t i = 0; i < BP_COUNT_OF(firsts); i++)
        d[i] = make_dict(firsts[i], sizes[i]);
    NEED(bp_groups_new(&by_code, &text, 1, &err) == 0);
    NEED(bp_groups_new(&by_text, &text, 1, &err) == 0);
    for (int batch = 0; batch < 60; batch++) {
        size_t k = rnd(BP_COUNT_OF(d));
        struct bp_column c = {
            .type = text, .n_rows = ROWS, .data = codes, .valid = valid, .dict = d[k]};
        const struct bp_column *ptr = &c;
        struct bp_column plain;

        memset(valid, 0xff, sizeof valid);
        for (int i = 0; i < ROWS; i++) {
            codes[i] = (int32_t)rnd((uint64_t)sizes[k]);
            if (batch % 5 == 4 && rnd(9) == 0) {
                bp_bit_clear(valid, i);
                codes[i] = 0;
                c.n_nulls++;
            }
        }
        NEED(bp_groups_find(by_code, &ptr, ROWS, a, &err) == 0);
        NEED(bp_column_plain(&plain, &c, &err) == 0);
        ptr = &plain;
        NEED(bp_groups_find(by_text, &ptr, ROWS, b, &err) == 0);
        CHECK(memcmp(a, b, sizeof a) == 0);
        bp_column_release(&plain);
    }
    CHECK(bp_groups_count(by_code) == bp_groups_count(by_text));
    bp_groups_free(by_code);
    bp_groups_free(by_text);
    for (size_t i = 0; i < BP_COUNT_OF(d); i++)
        bp_dict_unref(d[i]);
}

static void rows_that_come_after_a_rest(void)
{
    rests = true;
    hours_and_zones_and_rows_far_away();
    rests = false;
}

UNIT_MAIN(T(codes_and_texts), T(rows_that_come_after_a_rest), T(hours_and_zones),
          T(hours_and_zones_and_rows_far_away), T(falling_hours), T(one_column),
          T(a_lattice_that_becomes_finer), T(values_that_lie_too_far_apart),
          T(the_ends_of_the_types), T(four_columns), T(wider_at_both_ends), T(only_nulls_at_first))
