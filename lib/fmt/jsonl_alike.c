/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a key stands is known when the value before it has ended, so the values of one line
 * are a chain of instructions that wait for one another. Here it is broken: the bytes between
 * the values are expected to be those of a line before, and the lines' ends are searched
 * first, so that several lines go from value to value in step, and their chains run side by
 * side. Whatever is not as expected is left to jsonl_line.c, which alone says what is wrong.
 */
#include "fmt/jsonl_alike.h"

#include <string.h>

#include "base/mem.h"
#include "fmt/jsonl_value.h"

#if defined(__x86_64__) && defined(__SSE2__)
#define HAS_AVX2
#include <immintrin.h>
#define TARGET __attribute__((target("bmi,bmi2,lzcnt,popcnt,avx2")))
#endif

/* Each lane has its place in a register. */
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

#define PART_BYTES JSONL_PAD_BYTES /* longer text between two values is not learned */
#define PARTS_MOST 1024            /* nor are lines of more keys */
#define LONGEST_WAIT 64            /* lines until the next one is learned */

/* What stands before a value: a brace or comma, the key, the colon, and blanks. */
struct part {
    uint8_t text[PART_BYTES];
    uint32_t mask[2]; /* bits of the bytes that count */
    uint32_t n;
    int col; /* of the value */
};

struct jsonl_alike {
    struct part *parts; /* the last stands behind the last value, with the LF */
    int n_parts;        /* 0: none is known */
    int cap_parts;
    int *missing; /* columns without a value */
    int n_missing;
    size_t least_bytes; /* of the lines so far */
    int misses;         /* since lines were alike */
    int wait;           /* lines that are to be read one by one */
};

struct jsonl_alike *jsonl_alike_new(int n_keys, int n_cols, struct bp_err *err)
{
    struct jsonl_alike *a = bp_mem_new(1, sizeof *a, err);

    if (!a)
        return NULL;
    a->cap_parts = BP_MIN(n_keys + 1, PARTS_MOST);
    a->parts = bp_mem_new((size_t)a->cap_parts, sizeof *a->parts, err);
    a->missing = a->parts ? bp_mem_new((size_t)n_cols, sizeof *a->missing, err) : NULL;
    a->least_bytes = SIZE_MAX;
    a->wait = 1;
    if (a->missing)
        return a;
    jsonl_alike_free(a);
    return NULL;
}

void jsonl_alike_free(struct jsonl_alike *a)
{
    if (!a)
        return;
    bp_mem_free(a->parts);
    bp_mem_free(a->missing);
    bp_mem_free(a);
}

/* ---- learning ---- */

static bool add_part(struct jsonl_alike *a, const uint8_t *from, const uint8_t *to, int col)
{
    struct part *t = &a->parts[a->n_parts];
    size_t n = (size_t)(to - from);

    if (n > PART_BYTES || a->n_parts == a->cap_parts)
        return false;
    memset(t, 0, sizeof *t);
    memcpy(t->text, from, n);
    for (size_t i = 0; i < n; i++)
        t->mask[i / 32] |= (uint32_t)1 << i % 32;
    t->n = (uint32_t)n;
    t->col = col;
    a->n_parts++;
    return true;
}

static bool learn_parts(struct jsonl_line *l, const uint8_t *q, const uint8_t *lf)
{
    struct jsonl_alike *a = l->alike;
    const uint8_t *from = q;

    a->n_parts = 0;
    q = jsonl_blanks(q + 1);
    while (*q != '}') {
        int k = jsonl_line_key(l, &q);

        if (k < 0)
            return false;
        q = jsonl_blanks(jsonl_blanks(q) + 1);
        if (!add_part(a, from, q, l->col_of[k]))
            return false;
        from = jsonl_good_end(q);
        q = jsonl_blanks(from);
        if (*q == ',')
            q = jsonl_blanks(q + 1);
    }
    return add_part(a, from, lf + 1, -1);
}

static void learn(struct jsonl_line *l, const uint8_t *q, const uint8_t *lf)
{
    struct jsonl_alike *a = l->alike;

    a->n_missing = 0;
    if (!learn_parts(l, q, lf)) {
        a->n_parts = 0;
        return;
    }
    for (int c = 0; c < l->r->n_cols; c++)
        if (c != l->r->line_col && l->seen[l->r->cols[c].key] != l->number)
            a->missing[a->n_missing++] = c;
}

void jsonl_alike_passed(struct jsonl_line *l, const uint8_t *q, const uint8_t *lf)
{
    struct jsonl_alike *a = l->alike;

    a->least_bytes = BP_MIN(a->least_bytes, (size_t)(lf - q));
    if (a->wait > 0 && --a->wait == 0 && !a->n_parts) {
        learn(l, q, lf);
        if (!a->n_parts)
            a->wait = LONGEST_WAIT;
    }
}

/* ---- reading ---- */

/* Bits of the first 32 bytes that are the same. */
JSONL_INLINE uint32_t same_base(const uint8_t *q, const uint8_t *text)
{
    uint32_t same = 0;

#if defined(__SSE2__)
    for (int i = 0; i < 32; i += 16) {
        __m128i a = _mm_loadu_si128((const void *)(q + i));
        __m128i b = _mm_loadu_si128((const void *)(text + i));

        same |= (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) << i;
    }
#else
    for (int i = 0; i < 32; i++)
        same |= (uint32_t)(q[i] == text[i]) << i;
#endif
    return same;
}

#if defined(HAS_AVX2)
TARGET static inline uint32_t same_avx2(const uint8_t *q, const uint8_t *text)
{
    __m256i a = _mm256_loadu_si256((const void *)q), b = _mm256_loadu_si256((const void *)text);

    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b));
}
#else
#define same_avx2 same_base
#endif

JSONL_INLINE bool is_part_at(const uint8_t *q, const struct part *t, int half, bool avx2)
{
    const uint8_t *text = t->text + 32 * half;

    q += 32 * half;
    return !(t->mask[half] & ~(avx2 ? same_avx2(q, text) : same_base(q, text)));
}

/* Where the next lines begin: the first at begin[0], the end of all in the last. */
static bool find_lines(const struct jsonl_alike *a, const uint8_t *stop, const uint8_t *to,
                       const uint8_t *begin[JSONL_LANES + 1])
{
    for (int i = 0; i < JSONL_LANES; i++) {
        const uint8_t *q = begin[i], *lf;

        if (q >= stop || a->least_bytes >= (size_t)(to - q))
            return false;
        lf = memchr(q + a->least_bytes, '\n', (size_t)(to - q) - a->least_bytes);
        if (!lf)
            return false;
        begin[i + 1] = lf + 1;
    }
    return true;
}

/* The lane that has another part at q[]; -1: none. */
JSONL_INLINE int other_part(const uint8_t *const q[JSONL_LANES], const struct part *t, bool avx2)
{
    UNROLL
    for (int i = 0; i < JSONL_LANES; i++)
        if (!is_part_at(q[i], t, 0, avx2))
            return i;
    if (JSONL_LIKELY(t->n <= 32))
        return -1;
    for (int i = 0; i < JSONL_LANES; i++)
        if (!is_part_at(q[i], t, 1, avx2))
            return i;
    return -1;
}

/* -1: all lines are alike; else the one that is not. */
JSONL_INLINE int parse_lines(struct jsonl_line *l, const uint8_t *p, int row,
                             const uint8_t *const begin[JSONL_LANES + 1], bool avx2)
{
    const struct jsonl_alike *a = l->alike;
    const struct part *t = a->parts, *last = t + a->n_parts - 1;
    const uint8_t *q[JSONL_LANES];
    int lane;

    for (int i = 0; i < JSONL_LANES; i++)
        q[i] = begin[i];
    for (; t < last; t++) {
        struct jsonl_cell cell = jsonl_cell_at(&l->spans, t->col, row);

        lane = other_part(q, t, avx2);
        if (lane >= 0)
            return lane;
        UNROLL
        for (int i = 0; i < JSONL_LANES; i++) {
            q[i] = jsonl_value(&cell, i, p, q[i] + t->n, &l->bad);
            if (!q[i])
                return i;
        }
    }
    lane = other_part(q, t, avx2);
    for (int i = 0; i < JSONL_LANES && lane < 0; i++)
        if (q[i] + t->n != begin[i + 1])
            return i;
    return lane;
}

static int parse_base(struct jsonl_line *l, const uint8_t *p, int row,
                      const uint8_t *const begin[JSONL_LANES + 1])
{
    return parse_lines(l, p, row, begin, false);
}

#if defined(HAS_AVX2)
TARGET static int parse_avx2(struct jsonl_line *l, const uint8_t *p, int row,
                             const uint8_t *const begin[JSONL_LANES + 1])
{
    return parse_lines(l, p, row, begin, true);
}
#else
#define parse_avx2 parse_base
#endif

/* Line `lane` is not alike. If it is the only odd one, the next groups begin behind it; else
 * lines are of another kind now, or of many, and the next one to learn from is further away each
 * time. */
static void miss(struct jsonl_alike *a, int lane)
{
    a->wait = lane + 1;
    if (a->misses) {
        a->n_parts = 0;
        a->wait = BP_MIN(1 << (a->misses - 1), LONGEST_WAIT);
    }
    a->misses = BP_MIN(a->misses + 1, 16);
}

bool jsonl_alike_parse(struct jsonl_line *l, const uint8_t *p, const uint8_t *stop,
                       const uint8_t *to, int row, const uint8_t *begin[JSONL_LANES + 1])
{
    struct jsonl_alike *a = l->alike;
    int lane;

    if (a->wait || !find_lines(a, stop, to, begin))
        return false;
    lane = l->r->level ? parse_avx2(l, p, row, begin) : parse_base(l, p, row, begin);
    if (lane >= 0) {
        miss(a, lane);
        return false;
    }
    a->misses = 0;
    for (int i = 0; i < JSONL_LANES; i++)
        a->least_bytes = BP_MIN(a->least_bytes, (size_t)(begin[i + 1] - 1 - begin[i]));
    for (int m = 0; m < a->n_missing; m++) {
        struct jsonl_cell cell = jsonl_cell_at(&l->spans, a->missing[m], row);

        for (int i = 0; i < JSONL_LANES; i++)
            jsonl_put_null(&cell, i, (uint32_t)(begin[i] - p));
    }
    return true;
}
