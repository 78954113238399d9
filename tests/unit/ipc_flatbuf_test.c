/* SPDX-License-Identifier: Apache-2.0 */
/* The flatbuffer builder against the checked reader. */
#include <stdlib.h>

#include "base/num.h"
#include "ipc/flatbuf.h"
#include "unit.h"

/* { 0: int64, 1: string, 2: table { 0: int16 }, 3: [table], 4: [int64], 6: int8 } */
static int build(struct bp_fbw *w, const uint8_t **p, size_t *n)
{
    static const int64_t numbers[] = {1, -2, 3};
    struct bp_err err = {0};
    size_t s, inner, list, vector, refs[2];

    bp_fbw_start(w);
    s = bp_fbw_string(w, "name", 4);
    bp_fbw_table_open(w);
    bp_fbw_int(w, 0, 2, -7, 0);
    inner = bp_fbw_table_close(w);
    for (int i = 0; i < 2; i++) {
        bp_fbw_table_open(w);
        bp_fbw_int(w, 0, 4, i + 1, 0);
        refs[i] = bp_fbw_table_close(w);
    }
    list = bp_fbw_ref_vector(w, refs, 2);
    vector = bp_fbw_vector(w, numbers, 3, sizeof numbers[0], 8);
    bp_fbw_table_open(w);
    bp_fbw_int(w, 0, 8, INT64_MIN, 0);
    bp_fbw_ref(w, 1, s);
    bp_fbw_ref(w, 2, inner);
    bp_fbw_ref(w, 3, list);
    bp_fbw_ref(w, 4, vector);
    bp_fbw_int(w, 5, 4, 9, 9); /* the default: left out */
    bp_fbw_int(w, 6, 1, 200, 0);
    return bp_fbw_finish(w, bp_fbw_table_close(w), p, n, &err);
}

/* Walks all of it; the sum keeps the compiler from dropping a read. */
static uint64_t walk(struct bp_fb *fb, const uint8_t *p, size_t n)
{
    struct bp_fb_table t = bp_fb_root(fb, p, n), inner = bp_fb_table(&t, 2);
    struct bp_fb_vector list = bp_fb_vector(&t, 3, 4), numbers = bp_fb_vector(&t, 4, 8);
    size_t len;
    const char *s = bp_fb_string(&t, 1, &len);
    uint64_t sum = (uint64_t)bp_fb_int(&t, 0, 8, 0) ^ (uint64_t)bp_fb_int(&inner, 0, 2, 0);

    for (size_t i = 0; i < len; i++)
        sum += (uint8_t)s[i];
    for (uint32_t i = 0; i < list.n; i++) {
        struct bp_fb_table e = bp_fb_vector_table(&list, i);

        sum += (uint64_t)bp_fb_int(&e, 0, 4, 0);
    }
    for (size_t i = 0; i < (size_t)numbers.n * 8; i++)
        sum += numbers.p[i];
    return sum + (uint64_t)bp_fb_int(&t, 6, 1, 0);
}

static void what_is_built_is_read(void)
{
    struct bp_fbw w = {0};
    struct bp_fb fb;
    struct bp_fb_table t, inner, e;
    struct bp_fb_vector v;
    const uint8_t *p;
    const char *s;
    size_t n, len;

    NEED(build(&w, &p, &n) == 0);
    CHECK(n % 8 == 0);
    t = bp_fb_root(&fb, p, n);
    CHECK(bp_fb_int(&t, 0, 8, 0) == INT64_MIN);
    s = bp_fb_string(&t, 1, &len);
    CHECK(s && len == 4 && memcmp(s, "name", 5) == 0);
    inner = bp_fb_table(&t, 2);
    CHECK(bp_fb_int(&inner, 0, 2, 0) == -7 && bp_fb_int(&inner, 1, 4, 42) == 42);
    v = bp_fb_vector(&t, 3, 4);
    CHECK(v.n == 2);
    e = bp_fb_vector_table(&v, 1);
    CHECK(bp_fb_int(&e, 0, 4, 0) == 2);
    v = bp_fb_vector(&t, 4, 8);
    CHECK(v.n == 3 && (v.p - p) % 8 == 0 && (int64_t)bp_load_u64(v.p + 8) == -2);
    CHECK(bp_fb_int(&t, 5, 4, 9) == 9 && bp_fb_int(&t, 6, 1, 0) == 200);
    CHECK(!bp_fb_table(&t, 7).fb && !fb.bad);
    bp_fbw_release(&w);
}

static void a_builder_is_used_again(void)
{
    struct bp_fbw w = {0};
    const uint8_t *p;
    size_t n, m;
    uint8_t *first;

    NEED(build(&w, &p, &n) == 0);
    first = malloc(n);
    NEED(first);
    memcpy(first, p, n);
    NEED(build(&w, &p, &m) == 0);
    CHECK(n == m && memcmp(first, p, n) == 0);
    free(first);
    bp_fbw_release(&w);
}

static void damage_is_noted_or_harmless(void)
{
    struct bp_fbw w = {0};
    struct bp_fb fb;
    const uint8_t *p;
    uint8_t *copy;
    size_t n;
    int n_bad = 0;

    NEED(build(&w, &p, &n) == 0);
    for (size_t cut = 0; cut < n; cut++) { /* exact copies: over-reads show under ASan */
        copy = malloc(cut ? cut : 1);
        NEED(copy);
        memcpy(copy, p, cut);
        walk(&fb, copy, cut);
        n_bad += fb.bad != NULL;
        free(copy);
    }
    CHECK(n_bad > (int)n / 2);
    copy = malloc(n);
    NEED(copy);
    for (size_t i = 0; i < n; i++)
        for (int v = 0; v < 256; v++) {
            memcpy(copy, p, n);
            copy[i] = (uint8_t)v;
            walk(&fb, copy, n);
        }
    free(copy);
    bp_fbw_release(&w);
}

static void a_longest_claim_is_not_believed(void)
{
    struct bp_fbw w = {0};
    struct bp_fb fb;
    struct bp_fb_table t;
    struct bp_fb_vector v;
    const uint8_t *p;
    uint8_t *copy;
    uint32_t huge = UINT32_MAX;
    size_t n;

    NEED(build(&w, &p, &n) == 0);
    copy = malloc(n);
    NEED(copy);
    memcpy(copy, p, n);
    t = bp_fb_root(&fb, copy, n);
    v = bp_fb_vector(&t, 4, 8);
    memcpy(copy + v.at - 4, &huge, 4);
    v = bp_fb_vector(&t, 4, 8);
    CHECK(!v.fb && v.n == 0);
    CHECK_STR(fb.bad, "a vector is longer than the rest");
    free(copy);
    bp_fbw_release(&w);
}

UNIT_MAIN(T(what_is_built_is_read), T(a_builder_is_used_again), T(damage_is_noted_or_harmless),
          T(a_longest_claim_is_not_believed))
