/* SPDX-License-Identifier: Apache-2.0 */
/*
 * median, percentile_cont and percentile_disc of values that are 64-bit codes in order
 * (code.h). Values are logged as they come, with their groups. For results the log is
 * put in order of groups by a counting sort, and of each group the value of a rank is
 * found by radix selection: the bucket of its first byte, of that the bucket of the
 * second, and so on. For states each group is sorted, and equal values become one with
 * a count; so they do when the log has become long, which keeps it short where values
 * repeat. States are those of set.c.
 */
#include <math.h>
#include <string.h>

#include "agg/agg.h"
#include "agg/code.h"
#include "agg/fraction.h"
#include "base/buf.h"
#include "base/mem.h"

#define VERSION 1
#define HEAD_BYTES 9
#define ITEM_BYTES 20 /* count, length 8, code */
#define FEW 24        /* values, that insertion sorts */
#define SHRINK_ROWS ((int64_t)1 << 20)
#define SHRINK_MORE 8 /* times as long, where values hardly repeat */

struct rank {
    struct bp_agg base;
    struct bp_fraction fraction;
    uint64_t *code;
    uint32_t *group;
    int64_t *count; /* NULL: each is 1 */
    int64_t n, cap;
    int64_t shrink_at;
    /* while is_by_group: group g has [start[g], start[g + 1]) */
    int64_t *start;
    bool is_by_group, is_sorted;
    uint64_t *scratch; /* selection's, of the largest group */
    int64_t scratch_cap;
};

static int rank_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    struct rank *s = (struct rank *)a;

    (void)err;
    if (strcmp(a->kind->func, "median") == 0)
        s->fraction = (struct bp_fraction){0.5, true};
    if (n_groups > a->n_groups)
        s->is_by_group = false;
    a->keeps_values = true;
    a->n_groups = n_groups;
    return 0;
}

static void rank_release(struct bp_agg *a)
{
    struct rank *s = (struct rank *)a;

    bp_mem_free(s->code);
    bp_mem_free(s->group);
    bp_mem_free(s->count);
    bp_mem_free(s->start);
    bp_mem_free(s->scratch);
}

/* ---- the log ---- */

/* All is counted twice: to put it in order takes as much again. */
static void count_held(struct rank *s)
{
    s->base.held_bytes = 2 * s->cap * (s->count ? 20 : 12) + 8 * s->base.n_groups;
}

static int log_reserve(struct rank *s, int64_t more, struct bp_err *err)
{
    int64_t cap = BP_MAX(s->n + more, BP_MAX(s->cap + s->cap / 2, 256));
    void *p;

    if (s->n + more <= s->cap)
        return 0;
    p = bp_mem_grow(s->code, (size_t)cap, sizeof *s->code, err);
    if (!p)
        return err->code;
    s->code = p;
    p = bp_mem_grow(s->group, (size_t)cap, sizeof *s->group, err);
    if (!p)
        return err->code;
    s->group = p;
    if (s->count) {
        p = bp_mem_grow(s->count, (size_t)cap, sizeof *s->count, err);
        if (!p)
            return err->code;
        s->count = p;
    }
    s->cap = cap;
    count_held(s);
    return 0;
}

static int have_counts(struct rank *s, struct bp_err *err)
{
    if (s->count)
        return 0;
    s->count = bp_mem_grow(NULL, (size_t)BP_MAX(s->cap, 1), sizeof *s->count, err);
    if (!s->count)
        return err->code;
    for (int64_t i = 0; i < s->n; i++)
        s->count[i] = 1;
    count_held(s);
    return 0;
}

/* ---- in order ---- */

/* A counting sort by group. */
static int put_by_group(struct rank *s, struct bp_err *err)
{
    int64_t n_groups = s->base.n_groups, *start = NULL, *count = NULL, at = 0;
    uint64_t *code = NULL;

    if (s->is_by_group)
        return 0;
    start = bp_mem_new((size_t)n_groups + 2, sizeof *start, err);
    code = start ? bp_mem_grow(NULL, (size_t)s->cap + 1, sizeof *code, err) : NULL;
    if (code && s->count)
        count = bp_mem_grow(NULL, (size_t)s->cap + 1, sizeof *count, err);
    if (err->code) {
        bp_mem_free(start);
        bp_mem_free(code);
        return err->code;
    }
    for (int64_t i = 0; i < s->n; i++)
        start[s->group[i] + 2]++;
    for (int64_t g = 2; g < n_groups + 2; g++)
        start[g] = at += start[g];
    for (int64_t i = 0; i < s->n; i++) {
        int64_t to = start[s->group[i] + 1]++;

        code[to] = s->code[i];
        if (count)
            count[to] = s->count[i];
    }
    for (int64_t g = 0; g < n_groups; g++)
        for (int64_t i = start[g]; i < start[g + 1]; i++)
            s->group[i] = (uint32_t)g;
    bp_mem_free(s->code);
    bp_mem_free(s->count);
    bp_mem_free(s->start);
    s->code = code;
    s->count = count;
    s->start = start;
    s->is_by_group = true;
    s->is_sorted = false;
    return 0;
}

static void sort_few(uint64_t *v, int64_t *count, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        uint64_t x = v[i];
        int64_t c = count ? count[i] : 0, k = i;

        for (; k > 0 && x < v[k - 1]; k--) {
            v[k] = v[k - 1];
            if (count)
                count[k] = count[k - 1];
        }
        v[k] = x;
        if (count)
            count[k] = c;
    }
}

/* By bytes from the lowest on; bytes that are all alike are left out. room: as much. */
static void sort_many(uint64_t *v, int64_t *count, int64_t n, uint64_t *room, int64_t *room_count)
{
    uint64_t *a = v, *b = room, *t, all = 0;
    int64_t *ac = count, *bc = room_count, *tc;

    for (int64_t i = 0; i < n; i++)
        all |= v[i] ^ v[0];
    for (int shift = 0; shift < 64; shift += 8) {
        int64_t at[256] = {0}, sum = 0;

        if (!(all >> shift & 255))
            continue;
        for (int64_t i = 0; i < n; i++)
            at[a[i] >> shift & 255]++;
        for (int d = 0; d < 256; d++) {
            int64_t c = at[d];

            at[d] = sum;
            sum += c;
        }
        for (int64_t i = 0; i < n; i++) {
            int64_t to = at[a[i] >> shift & 255]++;

            b[to] = a[i];
            if (count)
                bc[to] = ac[i];
        }
        t = a, a = b, b = t;
        tc = ac, ac = bc, bc = tc;
    }
    if (a != v) {
        memcpy(v, a, (size_t)n * sizeof *v);
        if (count)
            memcpy(count, ac, (size_t)n * sizeof *count);
    }
}

static int64_t largest_group(const struct rank *s)
{
    int64_t most = 0;

    for (int64_t g = 0; g < s->base.n_groups; g++)
        most = BP_MAX(most, s->start[g + 1] - s->start[g]);
    return most;
}

static int have_scratch(struct rank *s, struct bp_err *err)
{
    int64_t n = largest_group(s);

    if (n <= s->scratch_cap)
        return 0;
    bp_mem_free(s->scratch);
    s->scratch_cap = 0;
    s->scratch = bp_mem_grow(NULL, (size_t)n, 2 * sizeof *s->scratch, err);
    if (!s->scratch)
        return err->code;
    s->scratch_cap = n;
    return 0;
}

static int sort_groups(struct rank *s, struct bp_err *err)
{
    BP_TRY(put_by_group(s, err));
    if (s->is_sorted)
        return 0;
    BP_TRY(have_scratch(s, err));
    for (int64_t g = 0; g < s->base.n_groups; g++) {
        int64_t from = s->start[g], n = s->start[g + 1] - from;
        int64_t *count = s->count ? s->count + from : NULL;

        if (n <= FEW)
            sort_few(s->code + from, count, n);
        else
            sort_many(s->code + from, count, n, s->scratch,
                      (int64_t *)(void *)(s->scratch + s->scratch_cap));
    }
    s->is_sorted = true;
    return 0;
}

/* Equal values of a group become one. */
static int unite(struct rank *s, struct bp_err *err)
{
    int64_t to = 0;

    BP_TRY(sort_groups(s, err));
    BP_TRY(have_counts(s, err));
    for (int64_t g = 0, i = 0; g < s->base.n_groups; g++) {
        int64_t end = s->start[g + 1], begin = to;

        s->start[g] = begin;
        for (; i < end; i++) {
            if (to > begin && s->code[to - 1] == s->code[i] &&
                !__builtin_add_overflow(s->count[to - 1], s->count[i], &s->count[to - 1]))
                continue;
            s->code[to] = s->code[i];
            s->count[to] = s->count[i];
            s->group[to++] = (uint32_t)g;
        }
    }
    s->start[s->base.n_groups] = s->n = to;
    return 0;
}

/* Behind rows that came: a long log is united. */
static int shrink(struct rank *s, struct bp_err *err)
{
    int64_t before = s->n;

    if (s->n < BP_MAX(s->shrink_at, SHRINK_ROWS))
        return 0;
    if (!s->count) { /* are there repeats worth the counts? */
        int64_t same = 0;

        BP_TRY(sort_groups(s, err));
        for (int64_t i = 1; i < s->n; i++)
            same += s->code[i] == s->code[i - 1] && s->group[i] == s->group[i - 1];
        s->shrink_at = s->n * SHRINK_MORE;
        if (same < s->n / 2)
            return 0;
    }
    BP_TRY(unite(s, err));
    s->shrink_at = s->n > before / 2 ? s->n * SHRINK_MORE : s->n * 2;
    return 0;
}

/* ---- taking in ---- */

static int rank_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct rank *s = (struct rank *)a;
    const struct bp_column *c = &r->cols[0];

    if (a->kind->n_args == 2)
        BP_TRY(bp_fraction_take_column(&s->fraction, a, &r->cols[1], err));
    if (!r->n_rows)
        return 0;
    BP_TRY(log_reserve(s, r->n_rows, err));
    bp_agg_codes64(c, s->code + s->n);
    for (int64_t i = 0; i < r->n_rows; i++) {
        s->group[s->n + i] = r->ids ? r->ids[i] : 0;
        if (s->count)
            s->count[s->n + i] = 1;
    }
    if (c->n_nulls) {
        int64_t to = s->n;

        for (int64_t i = 0; i < r->n_rows; i++) {
            s->code[to] = s->code[s->n + i];
            s->group[to] = s->group[s->n + i];
            to += bp_bit_get(c->valid, i);
        }
        s->n = to;
    } else {
        s->n += r->n_rows;
    }
    s->is_by_group = false;
    return shrink(s, err);
}

static int bad_state(const struct bp_agg *a, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "column %s: a partial state is damaged", a->name);
}

static uint64_t load_code(const uint8_t *p)
{
    return __builtin_bswap64(bp_load_u64(p));
}

static int read_state(struct rank *s, const uint8_t *p, size_t n, uint32_t id, struct bp_err *err)
{
    double f;

    if (n < HEAD_BYTES || p[0] != VERSION || (n - HEAD_BYTES) % ITEM_BYTES)
        return bad_state(&s->base, err);
    memcpy(&f, p + 1, sizeof f);
    if (!(f >= 0 && f <= 1))
        return bad_state(&s->base, err);
    BP_TRY(bp_fraction_take(&s->fraction, &s->base, f, err));
    BP_TRY(log_reserve(s, (int64_t)((n - HEAD_BYTES) / ITEM_BYTES), err));
    for (p += HEAD_BYTES, n -= HEAD_BYTES; n; p += ITEM_BYTES, n -= ITEM_BYTES) {
        int64_t count = (int64_t)bp_load_u64(p);

        if (count <= 0 || bp_load_u32(p + 8) != 8 ||
            !bp_agg_code_is_good(s->base.args[0], p + 12, 8))
            return bad_state(&s->base, err);
        if (count > 1)
            BP_TRY(have_counts(s, err));
        s->code[s->n] = load_code(p + 12);
        s->group[s->n] = id;
        if (s->count)
            s->count[s->n] = count;
        s->n++;
    }
    return 0;
}

static int rank_merge(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct rank *s = (struct rank *)a;

    s->is_by_group = false;
    for (int64_t i = 0; i < r->n_rows; i++) {
        size_t n;
        const uint8_t *p = bp_column_bytes(&r->cols[0], i, &n);

        if (!bp_column_is_null(&r->cols[0], i))
            BP_TRY(read_state(s, p, n, r->ids ? r->ids[i] : 0, err));
    }
    return shrink(s, err);
}

/* ---- giving out ---- */

static int add_state(const struct rank *s, int64_t from, int64_t to, struct bp_buf *buf,
                     struct bp_builder *out, struct bp_err *err)
{
    uint8_t head[HEAD_BYTES] = {VERSION};
    uint32_t len = 8;

    if (from == to)
        return bp_builder_add_null(out, err);
    memcpy(head + 1, &s->fraction.v, sizeof s->fraction.v);
    buf->len = 0;
    BP_TRY(bp_buf_append(buf, head, sizeof head, err));
    for (int64_t i = from; i < to; i++) {
        uint64_t code = __builtin_bswap64(s->code[i]);

        BP_TRY(bp_buf_append(buf, &s->count[i], 8, err));
        BP_TRY(bp_buf_append(buf, &len, 4, err));
        BP_TRY(bp_buf_append(buf, &code, 8, err));
    }
    if (buf->len > INT32_MAX)
        return bp_fail(err, BP_EDATA, "column %s: one group's state for %s is larger than 2 GiB",
                       s->base.name, s->base.kind->func);
    return bp_builder_add_bytes(out, buf->data, buf->len, err);
}

static int rank_save(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *parts,
                     struct bp_err *err)
{
    struct rank *s = (struct rank *)a;
    struct bp_buf buf = {0};
    struct bp_builder out;
    int rc;

    bp_builder_init(&out, BP_TYPE(BP_BINARY));
    BP_GO(s->is_by_group && s->is_sorted && s->count ? 0 : unite(s, err));
    for (int64_t i = 0; i < n; i++)
        BP_GO(add_state(s, s->start[ids[i]], s->start[ids[i] + 1], &buf, &out, err));
    BP_GO(bp_builder_finish(&out, parts, err));
out:
    bp_builder_release(&out);
    bp_buf_release(&buf);
    return rc;
}

/* The value of that rank, from 0, among v[0, n); room for as many. */
static uint64_t select_rank(const uint64_t *v, int64_t n, int64_t rank, uint64_t *room)
{
    const uint64_t *from = v;

    for (int shift = 56; n > FEW && shift >= 0; shift -= 8) {
        int64_t at[256] = {0}, left = n, to = 0;
        unsigned d = 0;

        for (int64_t i = 0; i < n; i++)
            at[from[i] >> shift & 255]++;
        while (rank >= at[d])
            rank -= at[d++];
        if (at[d] == left)
            continue;
        for (int64_t i = 0; i < n; i++) {
            room[to] = from[i];
            to += (from[i] >> shift & 255) == d;
        }
        from = room;
        n = to;
    }
    if (from != room)
        memmove(room, from, (size_t)BP_MIN(n, FEW) * sizeof *room);
    if (n > FEW)
        return from[0]; /* all alike */
    sort_few(room, NULL, n);
    return room[rank];
}

/* The same in a group with counts, which is sorted. */
static uint64_t counted_rank(const struct rank *s, int64_t from, int64_t rank)
{
    while (rank >= s->count[from])
        rank -= s->count[from++];
    return s->code[from];
}

static uint64_t value_at(const struct rank *s, int64_t from, int64_t to, int64_t rank)
{
    if (s->count)
        return counted_rank(s, from, rank);
    return select_rank(s->code + from, to - from, rank, s->scratch);
}

static int add_result(const struct rank *s, int64_t from, int64_t to, struct bp_builder *out,
                      struct bp_err *err)
{
    struct bp_type t = s->base.args[0];
    int64_t total = s->count ? 0 : to - from;
    double at, lo, hi;
    uint64_t code;

    if (from == to)
        return bp_builder_add_null(out, err);
    for (int64_t i = from; s->count && i < to; i++)
        total += s->count[i];
    if (strcmp(s->base.kind->func, "percentile_disc") == 0) {
        at = BP_MAX(ceil(s->fraction.v * (double)total), 1.0) - 1;
        code = __builtin_bswap64(value_at(s, from, to, (int64_t)at));
        return bp_agg_code_add(out, (const uint8_t *)&code, 8, err);
    }
    at = s->fraction.v * (double)(total - 1);
    lo = hi = bp_agg_code64_number(t, value_at(s, from, to, (int64_t)floor(at)));
    if (ceil(at) != floor(at))
        hi = bp_agg_code64_number(t, value_at(s, from, to, (int64_t)ceil(at)));
    lo = bp_fraction_between(at, lo, hi);
    return bp_builder_add(out, &lo, err);
}

static int rank_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                      struct bp_err *err)
{
    struct rank *s = (struct rank *)a;
    struct bp_builder to;
    int rc;

    bp_builder_init(&to, a->result);
    BP_GO(s->count ? sort_groups(s, err) : put_by_group(s, err));
    BP_GO(have_scratch(s, err));
    BP_GO(bp_builder_reserve(&to, n, err));
    for (int64_t i = 0; i < n; i++)
        BP_GO(add_result(s, s->start[ids[i]], s->start[ids[i] + 1], &to, err));
    BP_GO(bp_builder_finish(&to, out, err));
out:
    bp_builder_release(&to);
    return rc;
}

static const struct bp_agg_ops rank_ops = {
    sizeof(struct rank), rank_grow, rank_update, rank_merge, rank_save, rank_final, rank_release,
};

/* ---- the records ---- */

static bool number(const struct bp_type *t)
{
    return bp_type_is_number(*t) && bp_agg_code_bytes(*t) == 8;
}

static bool number_and_fraction(const struct bp_type *t)
{
    return number(&t[0]) && bp_type_is_number(t[1]);
}

static bool code_and_fraction(const struct bp_type *t)
{
    return bp_agg_flat(t) && bp_agg_code_bytes(t[0]) == 8 && bp_type_is_number(t[1]);
}

static int number_types(const struct bp_type *args, struct bp_type *result,
                        struct bp_agg_part *parts)
{
    (void)args;
    *result = BP_TYPE(BP_FLOAT64);
    parts[0] = (struct bp_agg_part){NULL, BP_TYPE(BP_BINARY)};
    return 1;
}

static int same_types(const struct bp_type *args, struct bp_type *result, struct bp_agg_part *parts)
{
    *result = *args;
    parts[0] = (struct bp_agg_part){NULL, BP_TYPE(BP_BINARY)};
    return 1;
}

const struct bp_agg_kind bp_agg_rank_kinds[] = {
    {"median", "integer or float", 1, number, number_types, &rank_ops},
    {"percentile_cont", "integer or float, fraction", 2, number_and_fraction, number_types,
     &rank_ops},
    {"percentile_disc", "number or time, fraction", 2, code_and_fraction, same_types, &rank_ops},
    {0},
};
