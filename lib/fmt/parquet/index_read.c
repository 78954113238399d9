/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/index_read.h"

#include <string.h>

#include "base/mem.h"
#include "flow/flow.h"
#include "fmt/parquet/decode.h"
#include "fmt/parquet/thrift.h"

#define INDEX_MAX_BYTES ((int64_t)8 << 20)
#define PLACE_LEAST_BYTES 4 /* of an element */
#define PAGES_MAX 16384     /* what is known of more takes too much memory */

/* n bytes from `at` on -> out; BP_DONE where they cannot be an index. */
static int load(const struct bp_pq_file *f, int64_t at, int64_t n, struct bp_buf *out,
                struct bp_err *err)
{
    size_t got;

    if (at < 4 || n <= 0 || n > INDEX_MAX_BYTES || at > f->in.size_bytes - n)
        return BP_DONE;
    BP_TRY(bp_buf_reserve(out, (size_t)n, err));
    BP_TRY(bp_input_read_at(&f->in, out->data, (size_t)n, at, &got, err));
    out->len = got;
    return got == (size_t)n ? 0 : BP_DONE;
}

/* ---- where pages lie ---- */

void bp_pq_places_release(struct bp_pq_places *p)
{
    bp_mem_free(p->items);
    *p = (struct bp_pq_places){0};
}

static int read_places(struct bp_thrift *t, int type, struct bp_pq_places *out, struct bp_err *err)
{
    int element;
    size_t n = bp_thrift_list(t, type, &element);

    bp_pq_places_release(out);
    if (element != BP_THRIFT_STRUCT || n > PAGES_MAX ||
        n > (size_t)(t->end - t->p) / PLACE_LEAST_BYTES)
        return BP_DONE;
    out->items = bp_mem_new(n + 1, sizeof *out->items, err);
    if (!out->items)
        return err->code;
    for (; (size_t)out->n < n && !t->bad; out->n++) {
        struct bp_thrift_fields f = {0};
        struct bp_pq_place *p = &out->items[out->n];

        while (bp_thrift_next(t, &f)) {
            if (f.id == 1)
                p->offset = bp_thrift_int(t, f.type);
            else if (f.id == 2)
                p->n_bytes = bp_thrift_int(t, f.type);
            else if (f.id == 3)
                p->first_row = bp_thrift_int(t, f.type);
            else
                bp_thrift_skip(t, f.type);
        }
    }
    return 0;
}

static bool is_sound(const struct bp_pq_places *p, const struct bp_pq_chunk *c, int64_t n_rows)
{
    int64_t end = c->from, row = -1;

    for (int i = 0; i < p->n; i++) {
        const struct bp_pq_place *q = &p->items[i];

        if (q->offset < end || q->n_bytes <= 0 || q->n_bytes > c->to - q->offset ||
            q->first_row <= row || q->first_row >= n_rows)
            return false;
        end = q->offset + q->n_bytes;
        row = q->first_row;
    }
    return p->n > 0 && p->items[0].first_row == 0;
}

int bp_pq_places_read(const struct bp_pq_file *f, const struct bp_pq_chunk *c, int64_t n_rows,
                      struct bp_pq_places *out, struct bp_err *err)
{
    struct bp_thrift_fields fields = {0};
    struct bp_buf b = {0};
    struct bp_thrift t;
    int rc;

    *out = (struct bp_pq_places){0};
    rc = load(f, c->offset_index, c->offset_index_bytes, &b, err);
    if (rc)
        goto out;
    t = (struct bp_thrift){.p = b.data, .end = b.data + b.len};
    while (rc == 0 && bp_thrift_next(&t, &fields)) {
        if (fields.id == 1)
            rc = read_places(&t, fields.type, out, err);
        else
            bp_thrift_skip(&t, fields.type);
    }
    if (rc == 0 && (t.bad || !is_sound(out, c, n_rows)))
        rc = BP_DONE;
out:
    bp_buf_release(&b);
    if (rc)
        bp_pq_places_release(out);
    return rc;
}

int bp_pq_places_find(const struct bp_pq_places *p, int64_t row)
{
    int low = 0, high = p->n - 1;

    while (low < high) {
        int mid = low + (high - low + 1) / 2;

        if (p->items[mid].first_row <= row)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

/* ---- what is known of their values ---- */

void bp_pq_page_facts_release(struct bp_pq_page_facts *p)
{
    for (int i = 0; i < p->n; i++) {
        bp_column_release(&p->low[i]);
        bp_column_release(&p->high[i]);
    }
    bp_mem_free(p->low);
    bp_mem_free(p->high);
    bp_mem_free(p->nulls);
    *p = (struct bp_pq_page_facts){0};
}

static int new_facts(struct bp_pq_page_facts *p, int n, struct bp_err *err)
{
    *p = (struct bp_pq_page_facts){.low = bp_mem_new((size_t)n, sizeof *p->low, err),
                                   .high = bp_mem_new((size_t)n, sizeof *p->high, err),
                                   .nulls = bp_mem_new((size_t)n, sizeof *p->nulls, err)};
    if (!p->low || !p->high || !p->nulls)
        return err->code;
    p->n = n;
    return 0;
}

/* Lists of as many elements as there are pages; else *ok is false. */
static void null_pages(struct bp_thrift *t, int type, struct bp_pq_page_facts *p, bool *ok)
{
    int element;
    size_t n = bp_thrift_list(t, type, &element);

    *ok &= n == (size_t)p->n && (element == BP_THRIFT_TRUE || element == BP_THRIFT_FALSE);
    for (size_t i = 0; *ok && i < n; i++)
        if (bp_thrift_list_bool(t))
            p->nulls[i] = BP_NULLS_ALL;
}

static void null_counts(struct bp_thrift *t, int type, struct bp_pq_page_facts *p, bool *ok)
{
    int element;
    size_t n = bp_thrift_list(t, type, &element);

    *ok &= n == (size_t)p->n;
    for (size_t i = 0; *ok && i < n; i++)
        if (bp_thrift_int(t, element) == 0 && p->nulls[i] != BP_NULLS_ALL)
            p->nulls[i] = BP_NULLS_NONE;
}

static int bounds(struct bp_thrift *t, int type, const struct bp_pq_column *c,
                  const struct bp_pq_page_facts *p, struct bp_column *out, bool *ok,
                  struct bp_err *err)
{
    int element;
    size_t n = bp_thrift_list(t, type, &element);

    *ok &= n == (size_t)p->n && element == BP_THRIFT_BINARY;
    for (size_t i = 0; *ok && i < n; i++) {
        size_t n_bytes;
        const uint8_t *b = bp_thrift_bytes(t, element, &n_bytes);
        bool known = !t->bad && p->nulls[i] != BP_NULLS_ALL && c->convert != BP_PQ_HALF &&
                     c->convert != BP_PQ_DURATION && !(out == p->high && bp_type_is_float(c->type));

        bp_column_release(&out[i]);
        BP_TRY(bp_pq_decode_bound(&out[i], c, known ? b : NULL, n_bytes, err));
    }
    return 0;
}

static int read_facts(struct bp_thrift *t, const struct bp_pq_column *column,
                      struct bp_pq_page_facts *out, struct bp_err *err)
{
    struct bp_thrift_fields f = {0};
    int seen = 0, rc = 0;
    bool ok = true;

    while (rc == 0 && ok && bp_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: null_pages(t, f.type, out, &ok); break;
        case 2: rc = bounds(t, f.type, column, out, out->low, &ok, err); break;
        case 3: rc = bounds(t, f.type, column, out, out->high, &ok, err); break;
        case 5: null_counts(t, f.type, out, &ok); break;
        default: bp_thrift_skip(t, f.type);
        }
        if (f.id >= 1 && f.id <= 3)
            seen |= 1 << f.id;
    }
    if (rc < 0)
        return rc;
    return ok && !t->bad && seen == (1 << 1 | 1 << 2 | 1 << 3) ? 0 : BP_DONE;
}

int bp_pq_page_facts_read(const struct bp_pq_file *f, const struct bp_pq_column *column,
                          const struct bp_pq_chunk *c, int n_pages, struct bp_pq_page_facts *out,
                          struct bp_err *err)
{
    struct bp_buf b = {0};
    struct bp_thrift t;
    int rc;

    *out = (struct bp_pq_page_facts){0};
    if (n_pages < 1 || n_pages > PAGES_MAX)
        return BP_DONE;
    rc = load(f, c->column_index, c->column_index_bytes, &b, err);
    if (rc)
        goto out;
    BP_GO(new_facts(out, n_pages, err));
    t = (struct bp_thrift){.p = b.data, .end = b.data + b.len};
    rc = read_facts(&t, column, out, err);
out:
    bp_buf_release(&b);
    if (rc)
        bp_pq_page_facts_release(out);
    return rc;
}
