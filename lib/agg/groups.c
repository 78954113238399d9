/* SPDX-License-Identifier: Apache-2.0 */
#include "agg/groups.h"

#include <string.h>

#include "agg/cube.h"
#include "base/hash.h"
#include "base/mem.h"

#define CHUNK BP_TEXTS_ROWS /* rows looked up at a time: their words stay in L1 */
#define SLOTS_MIN 1024
#define SLOTS_STEP 65536
#define SPARSE_GROUPS (1 << 20)

struct bp_groups {
    struct bp_pack own;
    const struct bp_pack *pack; /* own, or borrowed */
    uint64_t *keys;             /* packed rows, by id */
    int64_t n, cap;

    uint64_t *slots; /* (hash >> 32) << 32 | id + 1; 0: empty */
    uint64_t mask;
    uint64_t seed;

    bool by_place; /* cube instead of slots, which then have those that are outside */
    struct bp_cube cube;
    int64_t n_outside;

    uint64_t *rows; /* packed rows of a chunk */
    int64_t rows_cap;

    /* of a key that is one column of codes: the group of each code, and 1; 0: not met yet */
    uint32_t *of_code;
    int64_t of_code_cap;
    bool have_codes;
    uint64_t codes_dict; /* the id of the dictionary that they are of */
};

int bp_groups_new(struct bp_groups **out, const struct bp_type *types, int n_cols,
                  struct bp_err *err)
{
    struct bp_groups *g = bp_mem_new(1, sizeof *g, err);
    int rc = 0;

    *out = NULL;
    if (!g)
        return err->code;
    g->seed = bp_table_seed();
    g->pack = &g->own;
    BP_GO(bp_pack_init(&g->own, types, n_cols, err));
    g->by_place = bp_cube_init(&g->cube, &g->own);
    *out = g;
    return 0;
out:
    bp_groups_free(g);
    return rc;
}

int bp_groups_new_packed(struct bp_groups **out, const struct bp_pack *pack, struct bp_err *err)
{
    struct bp_groups *g = bp_mem_new(1, sizeof *g, err);

    *out = g;
    if (!g)
        return err->code;
    g->seed = bp_table_seed();
    g->pack = pack;
    return 0;
}

void bp_groups_free(struct bp_groups *g)
{
    if (!g)
        return;
    bp_pack_release(&g->own);
    bp_mem_free(g->keys);
    bp_mem_free(g->slots);
    bp_cube_release(&g->cube);
    bp_mem_free(g->rows);
    bp_mem_free(g->of_code);
    bp_mem_free(g);
}

void bp_groups_rest(struct bp_groups *g)
{
    g->by_place = false;
    bp_cube_release(&g->cube);
    bp_mem_free(g->slots);
    g->slots = NULL;
    bp_mem_free(g->rows);
    g->rows = NULL;
    g->rows_cap = 0;
    bp_mem_free(g->of_code);
    g->of_code = NULL;
    g->of_code_cap = 0;
    g->have_codes = false;
}

void bp_groups_use_table(struct bp_groups *g)
{
    g->by_place = false;
}

bool bp_groups_are_by_place(const struct bp_groups *g)
{
    return g->by_place && g->cube.n;
}

int64_t bp_groups_count(const struct bp_groups *g)
{
    return g->n;
}

int64_t bp_groups_held_bytes(const struct bp_groups *g)
{
    int64_t n = g->cap * g->pack->n_words * 8 + (int64_t)(g->slots ? (g->mask + 1) * 8 : 0) +
                bp_cube_held_bytes(&g->cube) + g->rows_cap * g->pack->n_words * 8 +
                g->of_code_cap * (int64_t)sizeof *g->of_code;

    for (int i = 0; i < g->own.n_cols; i++)
        n += bp_texts_held_bytes(&g->own.cols[i].texts);
    return n;
}

int bp_groups_column(const struct bp_groups *g, int col, const uint32_t *ids, int64_t n,
                     struct bp_column *out, struct bp_err *err)
{
    return bp_pack_column(g->pack, col, g->keys, ids, n, out, err);
}

/* Room for the keys of n more groups. */
static int reserve_keys(struct bp_groups *g, int64_t n, struct bp_err *err)
{
    int64_t cap;
    void *p;

    if (g->n + n <= g->cap)
        return 0;
    if (g->n + n > (int64_t)UINT32_MAX)
        return bp_fail(err, BP_EDATA, "more than 4 thousand million groups");
    cap = BP_MAX(g->n + n, g->cap * 2);
    p = bp_mem_grow(g->keys, (size_t)cap, sizeof *g->keys * (size_t)g->pack->n_words, err);
    if (!p)
        return err->code;
    g->keys = p;
    g->cap = cap;
    return 0;
}

static inline void copy_words(uint64_t *to, const uint64_t *from, int words)
{
    for (int w = 0; w < words; w++)
        to[w] = from[w];
}

/* ---- the hash table ---- */

static int reserve_slots(struct bp_groups *g, int64_t n_rows, struct bp_err *err);

/* From now on all groups are in the hash table. */
static int leave_cube(struct bp_groups *g, struct bp_err *err)
{
    if (!g->by_place)
        return 0;
    g->by_place = false;
    bp_cube_release(&g->cube);
    bp_mem_free(g->slots); /* they have some of the groups only */
    g->slots = NULL;
    return reserve_slots(g, CHUNK, err); /* which puts in what is there */
}

static inline uint64_t hash_row(const uint64_t *row, int words, uint64_t seed)
{
    uint64_t h = seed;

    if (words == 1)
        return bp_mix64(row[0], seed);
    for (int w = 0; w < words; w++)
        h = bp_fold64(row[w] ^ h, 0x9E3779B97F4A7C15u) + (uint64_t)w;
    return bp_fold64(h ^ 0xD6E8FEB86659FD93u, 0xC2B2AE3D27D4EB4Fu);
}

static inline bool equal_rows(const uint64_t *a, const uint64_t *b, int words)
{
    uint64_t d = 0;

    for (int w = 0; w < words; w++)
        d |= a[w] ^ b[w];
    return !d;
}

static void put_slot(const struct bp_groups *g, uint64_t *slots, uint64_t mask, int64_t id)
{
    int words = g->pack->n_words;
    uint64_t h = hash_row(g->keys + id * words, words, g->seed), pos = h & mask;

    while (slots[pos])
        pos = (pos + 1) & mask;
    slots[pos] = (h >> 32 << 32) | (uint64_t)(id + 1);
}

static int grow_slots(struct bp_groups *g, uint64_t n_slots, struct bp_err *err)
{
    uint64_t *slots = bp_mem_new(n_slots, sizeof *slots, err), mask = n_slots - 1;

    if (!slots)
        return err->code;
    for (int64_t id = 0; id < g->n && !g->by_place; id++)
        put_slot(g, slots, mask, id);
    for (uint64_t i = 0; g->by_place && g->slots && i <= g->mask; i++)
        if (g->slots[i])
            put_slot(g, slots, mask, (int64_t)(uint32_t)g->slots[i] - 1);
    bp_mem_free(g->slots);
    g->slots = slots;
    g->mask = mask;
    return 0;
}

/* At most a quarter full (a large table half), even if each of the next n_rows is a new
 * group: a second probe costs more than the larger table. */
static uint64_t slots_for(const struct bp_groups *g, int64_t n_rows)
{
    int64_t held = g->by_place ? g->n_outside : g->n;
    uint64_t sparse = held < SPARSE_GROUPS ? 4 : 2, n = g->slots ? g->mask + 1 : SLOTS_MIN;
    uint64_t need = (uint64_t)(held + n_rows) * sparse;

    while (n < need) /* small ones in longer steps: a step looks up all keys again */
        n *= n < SLOTS_STEP ? 4 : 2;
    return n;
}

static int reserve_slots(struct bp_groups *g, int64_t n_rows, struct bp_err *err)
{
    uint64_t n = slots_for(g, n_rows);

    return g->slots && n == g->mask + 1 ? 0 : grow_slots(g, n, err);
}

int64_t bp_groups_growth_bytes(const struct bp_groups *g, int64_t n_rows)
{
    uint64_t now = g->slots ? g->mask + 1 : 0;
    uint64_t then = !g->by_place ? slots_for(g, n_rows)
                    : g->slots   ? slots_for(g, n_rows / BP_CUBE_OUTSIDE_SHARE + 1)
                                 : now;
    int64_t n = then > now ? (int64_t)then * 8 : 0;

    if (g->by_place)
        n += bp_cube_growth_bytes(&g->cube);
    if (g->n + n_rows > g->cap)
        n += BP_MAX(g->n + n_rows - g->cap, g->cap) * g->pack->n_words * 8;
    for (int i = 0; i < g->own.n_cols; i++)
        if (bp_type_is_bytes(g->own.cols[i].type))
            n += bp_texts_growth_bytes(&g->own.cols[i].texts, n_rows);
    return n;
}

/*
 * One chunk: hash all rows, so that the table's lines are on their way; touch the
 * candidates' keys likewise; then compare. words is a constant where it is inlined.
 */
static inline __attribute__((always_inline)) void
probe(struct bp_groups *g, const uint64_t *rows, int step, int64_t n, uint32_t *ids, int words)
{
    const uint64_t mask = g->mask;
    uint64_t h[CHUNK], *slots = g->slots, *keys = g->keys;
    uint64_t count = (uint64_t)g->n;

    for (int64_t i = 0; i < n; i++) {
        h[i] = hash_row(rows + i * step, words, g->seed);
        __builtin_prefetch(&slots[h[i] & mask]);
    }
    for (int64_t i = 0; i < n; i++) {
        uint64_t s = slots[h[i] & mask];

        __builtin_prefetch(&keys[(s ? (uint32_t)s - 1 : 0) * (uint64_t)words]);
    }
    for (int64_t i = 0; i < n; i++) {
        const uint64_t *row = rows + i * step;
        uint64_t pos = h[i] & mask, s;

        for (; (s = slots[pos]) != 0; pos = (pos + 1) & mask)
            if (s >> 32 == h[i] >> 32 &&
                equal_rows(keys + ((uint32_t)s - 1) * (uint64_t)words, row, words))
                break;
        if (!s) {
            copy_words(keys + count * (uint64_t)words, row, words);
            s = slots[pos] = (h[i] >> 32 << 32) | ++count;
        }
        ids[i] = (uint32_t)s - 1;
    }
    g->n = (int64_t)count;
}

static void find_hashed(struct bp_groups *g, const uint64_t *rows, int step, int64_t n,
                        uint32_t *ids)
{
    switch (g->pack->n_words) {
    case 1: probe(g, rows, step, n, ids, 1); break;
    case 2: probe(g, rows, step, n, ids, 2); break;
    case 3: probe(g, rows, step, n, ids, 3); break;
    case 4: probe(g, rows, step, n, ids, 4); break;
    default: probe(g, rows, step, n, ids, g->pack->n_words); break;
    }
}

int bp_groups_reserve(struct bp_groups *g, int64_t n_rows, struct bp_err *err)
{
    BP_TRY(reserve_keys(g, n_rows, err));
    return reserve_slots(g, n_rows, err);
}

int bp_groups_find_rows(struct bp_groups *g, const uint64_t *rows, int step, int64_t n_rows,
                        uint32_t *ids, struct bp_err *err)
{
    BP_TRY(leave_cube(g, err));
    for (int64_t from = 0; from < n_rows; from += CHUNK) {
        int64_t n = BP_MIN(n_rows - from, CHUNK);

        BP_TRY(bp_groups_reserve(g, n, err));
        find_hashed(g, rows + from * step, step, n, ids + from);
    }
    return 0;
}

struct bp_pack *bp_groups_own_pack(struct bp_groups *g)
{
    return &g->own;
}

void bp_groups_rows(const struct bp_groups *g, const uint32_t *ids, int64_t n, uint64_t *rows)
{
    int words = g->pack->n_words;

    for (int64_t i = 0; i < n; i++)
        copy_words(rows + i * words, g->keys + ids[i] * (uint64_t)words, words);
}

/* ---- the cube ---- */

static uint32_t new_group(struct bp_groups *g, const uint64_t *row)
{
    copy_words(g->keys + g->n * g->pack->n_words, row, g->pack->n_words);
    return (uint32_t)++g->n;
}

/* A row that has no place. */
static int find_outside(struct bp_groups *g, const uint64_t *row, uint32_t *id, struct bp_err *err)
{
    int64_t before = g->n;

    BP_TRY(reserve_slots(g, 1, err));
    find_hashed(g, row, g->pack->n_words, 1, id);
    g->n_outside += g->n - before;
    return 0;
}

/* Sets *done unless the values lie too far apart: then the table takes over for good. */
static int try_cube(struct bp_groups *g, int64_t n, uint32_t *ids, bool *done, struct bp_err *err)
{
    uint32_t at[CHUNK];

    BP_TRY(bp_cube_find(&g->cube, g->rows, n, g->keys, g->n, at, done, err));
    if (!*done)
        return leave_cube(g, err);
    for (int64_t i = 0; i < n; i++) {
        const uint64_t *row = g->rows + i * g->pack->n_words;
        uint32_t *e;

        if (at[i] == BP_CUBE_OUTSIDE) {
            BP_TRY(find_outside(g, row, &ids[i], err));
            continue;
        }
        e = &g->cube.ids[at[i]];
        if (!*e)
            *e = new_group(g, row);
        ids[i] = *e - 1;
    }
    return 0;
}

static int reserve_rows(struct bp_groups *g, int64_t n, struct bp_err *err)
{
    uint64_t *p;

    n = BP_MIN(n, CHUNK);
    if (n <= g->rows_cap)
        return 0;
    p = bp_mem_grow(g->rows, (size_t)n, sizeof *p * (size_t)g->pack->n_words, err);
    if (!p)
        return err->code;
    g->rows = p;
    g->rows_cap = n;
    return 0;
}

/* ---- codes ---- */

#define CODES_A_ROW 4 /* a dictionary that is larger is not worth to be listed for few rows */

/* Is the key a column of codes whose groups are listed? */
static int use_codes(struct bp_groups *g, const struct bp_column *c, bool *yes, struct bp_err *err)
{
    int64_t n = c->dict ? c->dict->values.n_rows : 0;
    uint32_t *p;

    *yes = g->pack->n_cols == 1 && c->dict && !c->n_nulls;
    if (!*yes || (g->have_codes && g->codes_dict == c->dict->id))
        return 0;
    *yes = n <= c->n_rows * CODES_A_ROW;
    if (!*yes)
        return 0;
    g->have_codes = false;
    if (n > g->of_code_cap) {
        p = bp_mem_grow(g->of_code, (size_t)n, sizeof *p, err);
        if (!p)
            return err->code;
        g->of_code = p;
        g->of_code_cap = n;
    }
    if (n)
        memset(g->of_code, 0, (size_t)n * sizeof *g->of_code);
    g->codes_dict = c->dict->id;
    g->have_codes = true;
    return 0;
}

/* The groups of n codes. False: one was not met before. */
static bool find_codes(const struct bp_groups *g, const int32_t *codes, int64_t n, uint32_t *ids)
{
    uint32_t missing = 0;

    for (int64_t i = 0; i < n; i++) {
        uint32_t group = g->of_code[codes[i]];

        ids[i] = group - 1;
        missing |= group == 0;
    }
    return !missing;
}

static void keep_codes(struct bp_groups *g, const int32_t *codes, int64_t n, const uint32_t *ids)
{
    for (int64_t i = 0; i < n; i++)
        g->of_code[codes[i]] = ids[i] + 1;
}

static int find_chunk(struct bp_groups *g, const struct bp_column *const cols[], int64_t from,
                      int64_t n, uint32_t *ids, struct bp_err *err)
{
    bool done = false;

    BP_TRY(reserve_keys(g, n, err));
    BP_TRY(bp_pack_rows(&g->own, cols, from, n, g->rows, err));
    if (g->by_place)
        BP_TRY(try_cube(g, n, ids, &done, err));
    if (done)
        return 0;
    BP_TRY(reserve_slots(g, n, err));
    find_hashed(g, g->rows, g->pack->n_words, n, ids);
    return 0;
}

int bp_groups_find(struct bp_groups *g, const struct bp_column *const cols[], int64_t n_rows,
                   uint32_t *ids, struct bp_err *err)
{
    bool by_code;

    if (!g->pack->n_cols) {
        memset(ids, 0, (size_t)n_rows * sizeof *ids);
        g->n = 1;
        return 0;
    }
    BP_TRY(reserve_rows(g, n_rows, err));
    BP_TRY(use_codes(g, cols[0], &by_code, err));
    for (int64_t from = 0; from < n_rows; from += CHUNK) {
        const int32_t *codes = by_code ? (const int32_t *)cols[0]->data + from : NULL;
        int64_t n = BP_MIN(n_rows - from, CHUNK);

        if (by_code && find_codes(g, codes, n, ids + from))
            continue;
        BP_TRY(find_chunk(g, cols, from, n, ids + from, err));
        if (by_code)
            keep_codes(g, codes, n, ids + from);
    }
    return 0;
}
