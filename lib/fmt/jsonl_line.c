/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "fmt/jsonl_alike.h"
#include "fmt/jsonl_value.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

int jsonl_line_new(struct jsonl_line **out, const struct jsonl_reader *r, struct bp_err *err)
{
    struct jsonl_line *l = bp_mem_new(1, sizeof *l, err);
    size_t n = (size_t)r->keys.n, cells = ((size_t)r->n_cols + 1) * JSONL_BLOCK_ROWS;

    *out = l;
    if (!l)
        return err->code;
    l->r = r;
    l->next = bp_mem_new(n + 1, sizeof *l->next, err);
    l->col_of = l->next ? bp_mem_new(n, sizeof *l->col_of, err) : NULL;
    l->seen = l->col_of ? bp_mem_new(n, sizeof *l->seen, err) : NULL;
    l->spans.s = l->seen ? bp_mem_new(cells, sizeof *l->spans.s, err) : NULL;
    l->spans.e = l->spans.s ? bp_mem_new(cells, sizeof *l->spans.e, err) : NULL;
    l->spans.marks = l->spans.e ? bp_mem_new((size_t)r->n_cols + 1, 1, err) : NULL;
    l->alike = l->spans.marks ? jsonl_alike_new(r->keys.n, r->n_cols, err) : NULL;
    if (!l->alike)
        return err->code;
    for (int k = 0; k < r->keys.n; k++) {
        l->next[k] = k + 1 < r->keys.n ? k + 1 : 0;
        l->col_of[k] = r->n_cols;
    }
    for (int c = 0; c < r->n_cols; c++)
        if (c != r->line_col)
            l->col_of[r->cols[c].key] = c;
    l->n_wanted = r->n_cols - (r->line_col >= 0);
    return 0;
}

void jsonl_line_free(struct jsonl_line *l)
{
    if (!l)
        return;
    jsonl_alike_free(l->alike);
    bp_mem_free(l->next);
    bp_mem_free(l->col_of);
    bp_mem_free(l->seen);
    bp_mem_free(l->spans.s);
    bp_mem_free(l->spans.e);
    bp_mem_free(l->spans.marks);
    bp_mem_free(l);
}

static const uint8_t *wrong(struct jsonl_line *l, const uint8_t *at, const char *why)
{
    l->bad.at = at;
    l->bad.why = why;
    return NULL;
}

/* ---- keys ---- */

static inline bool is_key_at(const uint8_t *q, const struct jsonl_key *k)
{
#if defined(__SSE2__)
    if (JSONL_LIKELY(k->n_quoted <= 32)) {
        __m128i a = _mm_loadu_si128((const void *)q);
        __m128i b = _mm_loadu_si128((const void *)k->quoted);
        __m128i c = _mm_loadu_si128((const void *)(q + 16));
        __m128i d = _mm_loadu_si128((const void *)(k->quoted + 16));
        uint32_t same = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) |
                        (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(c, d)) << 16;

        return (uint32_t)__builtin_ctzll(~(uint64_t)same) >= k->n_quoted;
    }
#endif
    return k->n_quoted <= JSONL_PAD_BYTES && memcmp(q, k->quoted, k->n_quoted) == 0;
}

static const uint8_t *unknown_key(struct jsonl_line *l, const uint8_t *at, const uint8_t *name,
                                  size_t n)
{
    const struct jsonl_reader *r = l->r;
    int shown = (int)BP_MIN(n, 60u);

    if (!n || memchr(name, 0, n))
        return wrong(l, at, n ? "a key with a NUL character" : "an empty key");
    for (int k = 0; k < r->keys.n; k++)
        if (r->keys.items[k].n_quoted == n + 2 &&
            strncasecmp(r->keys.items[k].name, (const char *)name, n) == 0) {
            snprintf(l->why, sizeof l->why, "several columns match key '%.*s' when case is ignored",
                     shown, (const char *)name);
            return wrong(l, at, l->why);
        }
    if (r->inferred)
        snprintf(l->why, sizeof l->why,
                 "key '%.*s' was not in the sample that the columns were taken from: pass -s "
                 "'%.80s%s%.*s text, *'",
                 shown, (const char *)name, r->declared ? r->declared : "", r->declared ? ", " : "",
                 shown, (const char *)name);
    else
        snprintf(l->why, sizeof l->why,
                 "key '%.*s' is not in the schema (end it with * to take all)", shown,
                 (const char *)name);
    return wrong(l, at, l->why);
}

int jsonl_line_key(struct jsonl_line *l, const uint8_t **q)
{
    const uint8_t *from = *q + 1, *end, *name = from;
    uint8_t buf[1024];
    bool escaped = false;
    size_t n;
    int k;

    if (**q != '"') {
        wrong(l, *q, **q == '\n' ? JSONL_CUT : "no key");
        return -1;
    }
    end = jsonl_string_end(from, &escaped, &l->bad);
    if (!end)
        return -1;
    n = (size_t)(end - from);
    if (escaped && n <= sizeof buf) {
        n = jsonl_unescape(buf, from, n);
        name = buf;
    }
    k = jsonl_keys_match(&l->r->keys, name, n);
    if (k < 0)
        unknown_key(l, *q, name, n);
    *q = end + 1;
    return k;
}

/* ---- the line ---- */

/* Columns whose key the line did not have. */
static void fill_missing(struct jsonl_line *l, uint32_t at, int row)
{
    for (int c = 0; c < l->r->n_cols; c++)
        if (c != l->r->line_col && l->seen[l->r->cols[c].key] != l->number) {
            struct jsonl_cell cell = jsonl_cell_at(&l->spans, c, row);

            jsonl_put_null(&cell, 0, at);
        }
}

const uint8_t *jsonl_line_parse(struct jsonl_line *l, const uint8_t *p, const uint8_t *q, int row)
{
    const struct jsonl_key *keys = l->r->keys.items;
    const int n_keys = l->r->keys.n;
    const uint8_t *const begin = q;
    int last = n_keys, n_wanted = 0;

    if (*q != '{')
        return wrong(l, q,
                     *q == '[' ? "a JSON array where an object is expected, one on each "
                                 "line (jq -c '.[]' makes them)"
                               : "no JSON object, which begins with {");
    l->number++;
    q = jsonl_blanks(q + 1);
    if (*q == '}') {
        q++;
    } else {
        for (;;) {
            struct jsonl_cell cell;
            int k = l->next[last];

            if (JSONL_LIKELY(n_keys && is_key_at(q, &keys[k]))) {
                q += keys[k].n_quoted;
            } else {
                k = jsonl_line_key(l, &q);
                if (k < 0)
                    return NULL;
                l->next[last] = k;
            }
            if (l->seen[k] == l->number) {
                snprintf(l->why, sizeof l->why, "key '%.100s' twice in one object", keys[k].name);
                return wrong(l, q, l->why);
            }
            l->seen[k] = l->number;
            last = k;
            if (*q != ':') {
                q = jsonl_blanks(q);
                if (*q != ':')
                    return wrong(l, q, "no colon behind a key");
            }
            q++;
            q = jsonl_blanks(q);
            cell = jsonl_cell_at(&l->spans, l->col_of[k], row);
            n_wanted += l->col_of[k] < l->r->n_cols;
            q = jsonl_value(&cell, 0, p, q, &l->bad);
            if (!q)
                return NULL;
            q = jsonl_blanks(q);
            if (JSONL_LIKELY(*q == ',')) {
                q = jsonl_blanks(q + 1);
                continue;
            }
            if (*q != '}')
                return wrong(l, q, *q == '\n' ? JSONL_CUT : "no comma or } behind a value");
            q++;
            break;
        }
    }
    q = jsonl_blanks(q);
    if (*q != '\n')
        return wrong(l, q, "more behind the object; each has a line of its own");
    if (n_wanted != l->n_wanted)
        fill_missing(l, (uint32_t)(begin - p), row);
    return q;
}
