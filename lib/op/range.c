/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routing by range. The place of a row among the borders is found by halving, over one
 * word for each border: the upper bits of its first key, NULL below or above all. Only
 * among borders of the row's own word are values compared.
 */
#include "op/range.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "col/key.h"
#include "flow/marks.h"
#include "op/op.h"
#include "op/sort_key.h"
#include "op/sort_ord.h"

struct bp_range {
    struct bp_stage_router router;
    struct bp_ctx *ctx;
    struct bp_sort_keys keys;  /* over the rows */
    char **names;              /* of the keys, NULL-terminated */
    char *order;               /* as bp.sorted has it */
    struct bp_column *borders; /* of each key, n values */
    int64_t n, taken_bytes;
    uint64_t *words; /* of each border */
    uint64_t *row_words;
    int64_t cap;
};

void bp_range_free(struct bp_range *r)
{
    if (!r)
        return;
    for (int i = 0; r->names && r->names[i]; i++)
        bp_mem_free(r->names[i]);
    for (int i = 0; r->borders && i < r->keys.n; i++)
        bp_column_release(&r->borders[i]);
    bp_budget_give(&r->ctx->budget, r->taken_bytes);
    bp_sort_keys_release(&r->keys);
    bp_mem_free(r->names);
    bp_mem_free(r->order);
    bp_mem_free(r->borders);
    bp_mem_free(r->words);
    bp_mem_free(r->row_words);
    bp_mem_free(r);
}

const char *const *bp_range_keys(const struct bp_range *r)
{
    return (const char *const *)r->names;
}

uint32_t bp_range_parts(const struct bp_range *r)
{
    return (uint32_t)r->n + 1;
}

const struct bp_stage_router *bp_range_router(const struct bp_range *r)
{
    return &r->router;
}

/* ---- words ---- */

static uint64_t text_word(const struct bp_column *c, int64_t i)
{
    uint64_t w = 0;
    size_t n;
    const uint8_t *p = bp_column_bytes(c, i, &n);

    for (size_t k = 0; k < sizeof w; k++)
        w = w << 8 | (k < n ? p[k] : 0);
    return w;
}

/* Words of values of the first key, in its order. */
static void make_words(const struct bp_sort_key *key, const struct bp_column *c, uint64_t *out)
{
    if (!bp_type_is_bytes(c->type))
        bp_ord64(c, 0, c->n_rows, out);
    for (int64_t i = 0; i < c->n_rows; i++) {
        bool is_null = c->n_nulls && bp_column_is_null(c, i);
        uint64_t w;

        if (is_null) {
            out[i] = key->nulls_first ? 0 : UINT64_MAX;
            continue;
        }
        w = bp_type_is_bytes(c->type) ? text_word(c, i) : out[i];
        out[i] = ((key->desc ? ~w : w) >> 1) + 1;
    }
}

/* ---- the borders ---- */

static int find_keys(struct bp_range *r, const struct bp_clause *order,
                     const struct bp_schema *rows, struct bp_err *err)
{
    BP_TRY(bp_sort_keys_open(&r->keys, order, rows, err));
    r->names = bp_mem_new((size_t)r->keys.n + 1, sizeof *r->names, err);
    r->borders = bp_mem_new((size_t)r->keys.n, sizeof *r->borders, err);
    if (!r->names || !r->borders)
        return err->code;
    for (int i = 0; i < r->keys.n; i++) {
        if (r->keys.keys[i].col >= rows->n_fields)
            return bp_fail(err, BP_EUSAGE,
                           "ranges are of columns, and '%s' is none: add it as one (bp-map -a)",
                           r->keys.order.items[i].text);
        r->names[i] = bp_mem_str(rows->fields[r->keys.keys[i].col].name, err);
        if (!r->names[i])
            return err->code;
    }
    return 0;
}

/* Only the key columns, by the rows' names, with the rows' types. */
static int cast_borders(const struct bp_range *r, struct bp_source *borders, struct bp_err *err)
{
    struct bp_source cast = {0};
    struct bp_clause list = {0};
    struct bp_buf b = {0};
    char type[BP_TYPE_NAME_MAX];
    int rc = 0, col;

    for (int i = 0; i < r->keys.n; i++) {
        BP_GO(bp_schema_index(&borders->schema, r->names[i], &col, err));
        BP_GO(bp_buf_puts(&b, i ? ", CAST(" : "CAST(", err));
        BP_GO(bp_name_print(borders->schema.fields[col].name, &b, err));
        BP_GO(bp_buf_printf(&b, err, " AS %s) AS ", bp_type_name(r->keys.keys[i].type, type)));
        BP_GO(bp_name_print(r->names[i], &b, err));
    }
    list.text = bp_buf_str(&b, err);
    BP_GO(list.text ? 0 : err->code);
    BP_GO(bp_map_open(&cast, borders, BP_MAP_SELECT, &list, r->ctx, err));
    bp_source_move(borders, &cast);
out:
    bp_buf_release(&b);
    return rc;
}

static int add_borders(struct bp_range *r, const struct bp_batch *in, struct bp_err *err)
{
    struct bp_column both;

    if (r->n + in->n_rows > BP_BORDERS_MAX)
        return bp_fail(err, BP_EUSAGE, "more than %d borders: there may be 65536 partitions",
                       BP_BORDERS_MAX);
    for (int k = 0; k < r->keys.n; k++) {
        const struct bp_column *srcs[] = {&r->borders[k], &in->cols[k]};
        int64_t n = r->n + in->n_rows;
        uint64_t *refs = bp_mem_new((size_t)n + 1, sizeof *refs, err);
        int rc;

        if (!refs)
            return err->code;
        for (int64_t i = 0; i < n; i++)
            refs[i] = i < r->n ? (uint64_t)i : (uint64_t)1 << 32 | (uint64_t)(i - r->n);
        srcs[0] = r->n ? srcs[0] : srcs[1]; /* there is no first column yet */
        rc = bp_column_gather_many(&both, srcs, 2, refs, n, err);
        bp_mem_free(refs);
        BP_TRY(rc);
        bp_column_release(&r->borders[k]);
        r->borders[k] = both;
        r->taken_bytes += bp_column_size_bytes(&in->cols[k]);
        (void)bp_budget_take(&r->ctx->budget, bp_column_size_bytes(&in->cols[k]));
    }
    r->n += in->n_rows;
    return 0;
}

static int read_borders(struct bp_range *r, struct bp_source *borders, struct bp_err *err)
{
    struct bp_batch b = {0};
    int rc;

    while ((rc = bp_source_next(borders, &b, err)) == 0) {
        if (b.n_rows)
            rc = add_borders(r, &b, err);
        bp_batch_release(&b);
        BP_TRY(rc);
    }
    return rc < 0 ? rc : 0;
}

/* Border a against row b; rows NULL: against border b. */
static int compare(const struct bp_sort_keys *keys, const struct bp_column *borders, int64_t a,
                   const struct bp_batch *rows, int64_t b)
{
    for (int k = 0; k < keys->n; k++) {
        const struct bp_sort_key *key = &keys->keys[k];
        const struct bp_column *ca = &borders[k], *cb = rows ? &rows->cols[key->col] : ca;
        bool na = bp_column_is_null(ca, a), nb = bp_column_is_null(cb, b);
        int c;

        if (na && nb)
            continue;
        if (na || nb)
            return na == key->nulls_first ? -1 : 1;
        c = bp_value_compare(ca, a, cb, b);
        if (c)
            return key->desc ? -c : c;
    }
    return 0;
}

static int check_order(const struct bp_range *r, struct bp_err *err)
{
    for (int64_t i = 1; i < r->n; i++)
        if (compare(&r->keys, r->borders, i - 1, NULL, i) > 0)
            return bp_fail(err, BP_EDATA,
                           "border %" PRId64 " comes after border %" PRId64
                           " by %s: bp-sort --borders gives them in order",
                           i, i + 1, r->order);
    return 0;
}

/* The same for the same partitions of the same values: names do not count. */
static int name_borders(struct bp_range *r, struct bp_err *err)
{
    const struct bp_column **cols =
        bp_mem_new((size_t)r->keys.n, sizeof(const struct bp_column *), err);
    size_t n_words = (size_t)r->keys.n + (size_t)r->n;
    uint64_t *words = bp_mem_new(n_words, sizeof *words, err);
    int rc = words && cols ? 0 : err->code;

    for (int k = 0; rc == 0 && k < r->keys.n; k++) {
        const struct bp_sort_key *key = &r->keys.keys[k];

        words[k] = (uint64_t)bp_key_class(key->type) << 2 | (uint64_t)key->desc << 1 |
                   (uint64_t)key->nulls_first;
        cols[k] = &r->borders[k];
    }
    if (rc == 0 && r->n)
        rc = bp_key_hash(cols, r->keys.n, r->n, words + r->keys.n, err);
    if (rc == 0)
        snprintf(r->router.borders, sizeof r->router.borders, "%016" PRIx64,
                 bp_xxh3(words, n_words * sizeof *words));
    bp_mem_free(cols);
    bp_mem_free(words);
    return rc;
}

static int words_of_borders(struct bp_range *r, struct bp_err *err)
{
    r->words = bp_mem_new((size_t)r->n + 1, sizeof *r->words, err);
    if (!r->words)
        return err->code;
    if (r->n)
        make_words(&r->keys.keys[0], &r->borders[0], r->words);
    return 0;
}

/* ---- rows ---- */

/* How many borders have a word below w, or below and equal. */
static int64_t count_below(const struct bp_range *r, uint64_t w, bool or_equal)
{
    int64_t low = 0, high = r->n;

    while (low < high) {
        int64_t mid = low + (high - low) / 2;

        if (r->words[mid] < w || (or_equal && r->words[mid] == w))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static uint32_t place(const struct bp_range *r, const struct bp_batch *in, int64_t row, uint64_t w)
{
    int64_t low = count_below(r, w, false), high;

    if (low == r->n || r->words[low] != w)
        return (uint32_t)low;
    high = count_below(r, w, true);
    while (low < high) {
        int64_t mid = low + (high - low) / 2;

        if (compare(&r->keys, r->borders, mid, in, row) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return (uint32_t)low;
}

static int range_route(void *self, const struct bp_batch *in, uint32_t *part_of, struct bp_err *err)
{
    struct bp_range *r = self;
    void *grown;

    if (in->n_rows > r->cap) {
        grown = bp_mem_grow(r->row_words, (size_t)in->n_rows, sizeof *r->row_words, err);
        if (!grown)
            return err->code;
        r->row_words = grown;
        r->cap = in->n_rows;
    }
    make_words(&r->keys.keys[0], &in->cols[r->keys.keys[0].col], r->row_words);
    for (int64_t i = 0; i < in->n_rows; i++)
        part_of[i] = place(r, in, i, r->row_words[i]);
    return 0;
}

static int open_range(struct bp_range *r, struct bp_source *borders, const struct bp_clause *order,
                      const struct bp_schema *rows, struct bp_err *err)
{
    const char *sorted = bp_schema_meta(&borders->schema, BP_MARK_SORTED);
    struct bp_clause clause = order->text ? *order : (struct bp_clause){.text = sorted};
    struct bp_schema named = {0};
    int rc;

    if (!clause.text)
        return bp_fail(err, BP_EUSAGE,
                       "by which keys, in which order? the borders are not marked as sorted "
                       "(bp-sort --borders marks them, as an Arrow stream): say it with -k");
    BP_TRY(find_keys(r, &clause, rows, err));
    BP_TRY(cast_borders(r, borders, err));
    rc = bp_schema_copy(&named, rows, err);
    if (rc == 0)
        rc = bp_sort_keys_mark(&r->keys, &named, err);
    if (rc == 0) {
        r->order = bp_mem_str(bp_schema_meta(&named, BP_MARK_SORTED), err);
        rc = r->order ? 0 : err->code;
    }
    bp_schema_release(&named);
    BP_TRY(rc);
    BP_TRY(read_borders(r, borders, err));
    BP_TRY(check_order(r, err));
    BP_TRY(name_borders(r, err));
    return words_of_borders(r, err);
}

int bp_range_open(struct bp_range **out, struct bp_source *borders, const struct bp_clause *order,
                  const struct bp_schema *rows, struct bp_ctx *ctx, struct bp_err *err)
{
    struct bp_range *r = bp_mem_new(1, sizeof *r, err);
    int rc = r ? 0 : err->code;

    *out = NULL;
    if (r)
        r->ctx = ctx;
    if (rc == 0)
        rc = open_range(r, borders, order, rows, err);
    bp_source_free(borders);
    if (rc < 0) {
        bp_range_free(r);
        return rc;
    }
    r->router.route = range_route;
    r->router.self = r;
    r->router.range = r->order;
    *out = r;
    return 0;
}
