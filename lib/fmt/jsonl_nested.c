/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value is walked together with its type: a list's elements one by one, a struct's
 * fields by name. The walk runs twice over a block: without a builder it judges, row by
 * row, where an error can still be told by its line; with one it builds, when the rows
 * that stay are known.
 *
 * A field that an object does not have is NULL; one that the struct does not have, or
 * that stands twice, does not fit. Text takes numbers, booleans, lists and objects as
 * the JSON that stands there; other types take strings that hold a value of theirs.
 */
#include "fmt/jsonl_nested.h"

#include <string.h>

#include "base/mem.h"
#include "col/text.h"
#include "fmt/jsonl_token.h"

struct walk {
    struct bp_buf *scratch;
    struct jsonl_misfit *bad;
    int status; /* enum bp_text_status */
    struct bp_err *err;
};

static const uint8_t *value(struct walk *w, struct bp_type t, struct bp_builder *b,
                            const uint8_t *q);

static const uint8_t *misfit(struct walk *w, struct bp_type t, const uint8_t *q, int status,
                             const char *why)
{
    w->status = status;
    *w->bad = (struct jsonl_misfit){.at = q, .end = jsonl_good_end(q), .type = t, .why = why};
    return NULL;
}

/* ---- scalars ---- */

static const uint8_t *put_null(struct walk *w, struct bp_builder *b, const uint8_t *q)
{
    return b && bp_builder_add_null(b, w->err) < 0 ? NULL : q + 4;
}

static const uint8_t *put_text(struct walk *w, struct bp_type t, struct bp_builder *b,
                               const uint8_t *q, const uint8_t *end)
{
    const uint8_t *p = *q == '"' ? q + 1 : q;
    size_t n = *q == '"' ? (size_t)(end - q) - 2 : (size_t)(end - q);
    int status = BP_TEXT_OK;

    w->scratch->len = 0;
    if (bp_buf_reserve(w->scratch, 2 * n + 1, w->err) < 0)
        return NULL;
    if (*q == '"' && memchr(p, '\\', n)) {
        n = jsonl_unescape(w->scratch->data + n, p, n);
        p = w->scratch->data + ((size_t)(end - q) - 2);
    }
    if (t.kind == BP_BINARY) {
        if (*q == '{' || *q == '[')
            return misfit(w, t, q, BP_TEXT_BAD, NULL);
        status = bp_parse_binary((const char *)p, n, w->scratch->data, &n);
        p = w->scratch->data;
    }
    if (status != BP_TEXT_OK)
        return misfit(w, t, q, status, NULL);
    return b && bp_builder_add_bytes(b, p, n, w->err) < 0 ? NULL : end;
}

static const uint8_t *put_scalar(struct walk *w, struct bp_type t, struct bp_builder *b,
                                 const uint8_t *q)
{
    const uint8_t *end = jsonl_good_end(q), *p = q;
    bp_int128 room[2];
    size_t n = (size_t)(end - q);
    int status;

    if (bp_type_is_bytes(t))
        return put_text(w, t, b, q, end);
    if (*q == '{' || *q == '[')
        return misfit(w, t, q, BP_TEXT_BAD, NULL);
    if (*q == '"') {
        w->scratch->len = 0;
        if (bp_buf_reserve(w->scratch, n, w->err) < 0)
            return NULL;
        n = jsonl_unescape(w->scratch->data, q + 1, n - 2);
        p = w->scratch->data;
    }
    status = bp_text_parse(t, (const char *)p, n, room);
    if (status != BP_TEXT_OK)
        return misfit(w, t, q, status, NULL);
    return b && bp_builder_add(b, room, w->err) < 0 ? NULL : end;
}

/* ---- lists and objects ---- */

static const uint8_t *put_list(struct walk *w, struct bp_type t, struct bp_builder *b,
                               const uint8_t *q)
{
    if (*q != '[')
        return misfit(w, t, q, BP_TEXT_BAD, NULL);
    q = jsonl_blanks(q + 1);
    while (*q != ']') {
        q = value(w, t.nest->kids[0], b ? &b->kids[0] : NULL, q);
        if (!q)
            return NULL;
        q = jsonl_blanks(q);
        if (*q == ',')
            q = jsonl_blanks(q + 1);
    }
    return b && bp_builder_add_nested(b, w->err) < 0 ? NULL : q + 1;
}

static int find_field(struct walk *w, struct bp_type t, const uint8_t *name, size_t n, bool escaped)
{
    if (!escaped)
        return bp_type_field(t, (const char *)name, n);
    w->scratch->len = 0;
    if (bp_buf_reserve(w->scratch, n, w->err) < 0)
        return -1;
    n = jsonl_unescape(w->scratch->data, name, n);
    return bp_type_field(t, (const char *)w->scratch->data, n);
}

/* at[i]: where the value of field i stands; NULL: nowhere. */
static const uint8_t *find_fields(struct walk *w, struct bp_type t, const uint8_t *q,
                                  const uint8_t **at)
{
    const uint8_t *whole = q;
    struct jsonl_bad bad;

    q = jsonl_blanks(q + 1);
    while (*q != '}') {
        bool escaped = false;
        const uint8_t *name = q + 1, *end = jsonl_string_end(name, &escaped, &bad);
        int i = find_field(w, t, name, (size_t)(end - name), escaped);

        if (w->err->code)
            return NULL;
        if (i < 0)
            return misfit(w, t, whole, BP_TEXT_BAD, "has a field twice, or one that is not in");
        if (at[i])
            return misfit(w, t, whole, BP_TEXT_BAD, "has a field twice, or one that is not in");
        q = jsonl_blanks(end + 1);
        at[i] = q = jsonl_blanks(q + 1);
        q = jsonl_blanks(jsonl_good_end(q));
        if (*q == ',')
            q = jsonl_blanks(q + 1);
    }
    return q + 1;
}

#define FEW 16

static const uint8_t *put_struct(struct walk *w, struct bp_type t, struct bp_builder *b,
                                 const uint8_t *q)
{
    const uint8_t *few[FEW] = {0}, **at = few, *end;
    int n = t.nest->n_kids;

    if (*q != '{')
        return misfit(w, t, q, BP_TEXT_BAD, NULL);
    if (n > FEW && !(at = bp_mem_new((size_t)n, sizeof(*at), w->err)))
        return NULL;
    end = find_fields(w, t, q, at);
    for (int i = 0; end && i < n; i++) {
        struct bp_builder *kid = b ? &b->kids[i] : NULL;

        if (at[i] ? !value(w, t.nest->kids[i], kid, at[i])
                  : kid && bp_builder_add_null(kid, w->err) < 0)
            end = NULL;
    }
    if (at != few)
        bp_mem_free(at);
    return end && b && bp_builder_add_nested(b, w->err) < 0 ? NULL : end;
}

/* The value at q -> behind it; NULL: status or err say what is wrong. */
static const uint8_t *value(struct walk *w, struct bp_type t, struct bp_builder *b,
                            const uint8_t *q)
{
    if (b && bp_builder_reserve(b, 1, w->err) < 0)
        return NULL;
    if (*q == 'n')
        return put_null(w, b, q);
    if (t.kind == BP_LIST)
        return put_list(w, t, b, q);
    return t.kind == BP_STRUCT ? put_struct(w, t, b, q) : put_scalar(w, t, b, q);
}

int jsonl_nested_check(struct bp_type t, const uint8_t *q, struct bp_buf *scratch,
                       struct jsonl_misfit *bad, int *status, struct bp_err *err)
{
    struct walk w = {.scratch = scratch, .bad = bad, .err = err};

    (void)value(&w, t, NULL, q);
    *status = w.status;
    return err->code;
}

int jsonl_nested_column(struct bp_column *out, struct bp_type t, const struct bp_column *texts,
                        struct bp_err *err)
{
    struct bp_buf scratch = {0}, text = {0};
    struct jsonl_misfit bad;
    struct walk w = {.scratch = &scratch, .bad = &bad, .err = err};
    struct bp_builder b;
    int rc = 0;

    bp_builder_init(&b, t);
    BP_GO(bp_builder_reserve(&b, texts->n_rows, err));
    for (int64_t i = 0; i < texts->n_rows; i++) {
        size_t n;
        const uint8_t *p = bp_column_bytes(texts, i, &n);

        if (bp_column_is_null(texts, i)) {
            BP_GO(bp_builder_add_null(&b, err));
            continue;
        }
        text.len = 0; /* tokens want an LF and room behind it */
        BP_GO(bp_buf_reserve(&text, n + 1 + JSONL_PAD_BYTES, err));
        memcpy(text.data, p, n);
        memset(text.data + n, '\n', 1 + JSONL_PAD_BYTES);
        if (!value(&w, t, &b, text.data)) {
            rc = err->code ? err->code : bp_fail(err, BP_EDATA, "a nested value is damaged");
            goto out;
        }
    }
    rc = bp_builder_finish(&b, out, err);
out:
    bp_builder_release(&b);
    bp_buf_release(&scratch);
    bp_buf_release(&text);
    return rc;
}
