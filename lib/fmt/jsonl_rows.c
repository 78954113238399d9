/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of lines becomes rows. First a column at a time, by the loops that CSV has;
 * where a value is not plain (escapes, nested values, NULL in a NOT NULL column, a
 * value that does not convert) the block is undone and judged a row at a time. Both
 * give the same values.
 */
#include <stdio.h>
#include <string.h>

#include "col/text.h"
#include "fmt/jsonl_nested.h"
#include "fmt/jsonl_reader.h"

/* ---- a column at a time ---- */

/* What the columns hold now. */
static void save(struct jsonl_rows *b)
{
    for (int c = 0; c < b->r->n_cols; c++)
        b->marks[c] =
            (struct jsonl_rows_mark){b->outs[c].n_rows, b->outs[c].n_nulls, b->outs[c].bytes_len};
}

/* Take back what was added behind that. */
static void undo(struct jsonl_rows *b)
{
    for (int c = 0; c < b->r->n_cols; c++) {
        struct csv_out *o = &b->outs[c];
        const struct jsonl_rows_mark *m = &b->marks[c];

        if (o->n_rows > m->n_rows) {
            bp_bits_fill(o->valid->data, m->n_rows, o->n_rows - m->n_rows, true);
            if (o->type.kind == BP_BOOL)
                bp_bits_fill(o->data->data, m->n_rows, o->n_rows - m->n_rows, false);
        }
        o->n_rows = m->n_rows;
        o->n_nulls = m->n_nulls;
        o->bytes_len = m->bytes_len;
    }
}

static void add_texts(struct csv_out *o, const uint8_t *p, const uint32_t *s, const uint32_t *e,
                      int n, unsigned marks)
{
    int32_t *off = (int32_t *)(void *)o->data->data + o->n_rows + 1;
    uint8_t *base = o->bytes->data, *out = base + o->bytes_len;

    for (int i = 0; i < n; i++) {
        const uint8_t *from = p + s[i] + 1;
        int32_t len = (int32_t)(e[i] - s[i] - 1);

        if (len == 0) {
            bp_bit_clear(o->valid->data, o->n_rows + i);
            o->n_nulls++;
        } else if (len > 0 && (marks & JSONL_ESCAPED) && p[s[i]] == '"') {
            out += jsonl_unescape(out, from, (size_t)len);
        } else if (len > 0) {
            memcpy(out, from, 16); /* most are short */
            if (len > 16)
                memcpy(out + 16, from + 16, (size_t)len - 16);
            out += len;
        }
        off[i] = (int32_t)(out - base);
    }
    o->n_rows += n;
    o->bytes_len = (size_t)(out - base);
}

/* Lists and structs wait as JSON text until the chunk is whole; here it is seen that
 * they will fit. */
static bool add_nested(struct jsonl_rows *b, int c)
{
    const uint32_t *s = b->line->spans.s + (size_t)c * JSONL_BLOCK_ROWS;
    const uint32_t *e = b->line->spans.e + (size_t)c * JSONL_BLOCK_ROWS;
    struct jsonl_misfit bad;
    struct bp_err err = {0};
    int status;

    for (int i = 0; i < b->n; i++)
        if (b->p[s[i]] == '"' || /* a string */
            (e[i] != s[i] + 1 && (jsonl_nested_check(b->r->cols[c].type, b->p + s[i] + 1,
                                                     &b->scratch, &bad, &status, &err) < 0 ||
                                  status != BP_TEXT_OK)))
            return false;
    add_texts(&b->outs[c], b->p, s, e, b->n, 0);
    return true;
}

static bool add_column(struct jsonl_rows *b, int c)
{
    const struct jsonl_spans *spans = &b->line->spans;
    size_t from = (size_t)c * JSONL_BLOCK_ROWS;
    unsigned marks = spans->marks[c];
    struct csv_out *o = &b->outs[c];
    struct csv_span f = {.p = b->p,
                         .s = spans->s + from,
                         .e = spans->e + from,
                         .step = 1,
                         .n = b->n,
                         .dates = &b->dates};

    if (c == b->r->line_col) {
        for (int i = 0; i < b->n; i++)
            csv_out_value(o, &b->lines[i]);
        return true;
    }
    if ((marks & JSONL_NULL) && b->r->cols[c].not_null)
        return false;
    if (bp_type_is_nested(b->r->cols[c].type))
        return add_nested(b, c);
    if (o->type.kind == BP_TEXT) {
        add_texts(o, b->p, f.s, f.e, b->n, marks);
        return true;
    }
    if (o->type.kind == BP_BINARY || (marks & ~(unsigned)JSONL_NULL))
        return false;
    return csv_convert(o, &f, b->r->level);
}

/* ---- a row at a time ---- */

enum { GOOD, BAD, IS_NULL };

struct value {
    int verdict;
    const uint8_t *p; /* of text and binary */
    size_t n;
    bp_int128 room[2];
};

static int too_long(int n)
{
    return n > 80 ? 80 : n;
}

/* The -s to pass: what is declared already, and this column as text. */
static void say_schema(const struct jsonl_rows *b, const struct text_col *col, const char *type,
                       char *why, size_t cap)
{
    struct bp_buf name = {0};
    struct bp_err other = {0};
    size_t used = strlen(why);

    if (bp_name_print(col->name, &name, &other) == 0 && bp_buf_str(&name, &other))
        snprintf(why + used, cap - used,
                 "; the type %s was guessed from a sample: pass -s '%s%s%s text, *'", type,
                 b->r->declared ? b->r->declared : "", b->r->declared ? ", " : "",
                 (const char *)name.data);
    bp_buf_release(&name);
}

static void say_bad(const struct jsonl_rows *b, int c, const uint8_t *p, int n, bool nested,
                    int status, char *why, size_t cap)
{
    const struct text_col *col = &b->r->cols[c];
    char type[BP_TYPE_NAME_MAX];
    const char *dots = n > too_long(n) ? "..." : "";
    const char *a = strchr("aeio", bp_type_name(col->type, type)[0]) ? "an" : "a";

    if (nested)
        snprintf(why, cap, "a nested value is not %s %s; a text column takes it as JSON: '%.*s%s'",
                 a, type, too_long(n), (const char *)p, dots);
    else if (status == BP_TEXT_RANGE)
        snprintf(why, cap, "'%.*s%s' is out of range for %s", too_long(n), (const char *)p, dots,
                 type);
    else
        snprintf(why, cap, "'%.*s%s' is not %s %s", too_long(n), (const char *)p, dots, a, type);
    if (col->guessed)
        say_schema(b, col, type, why, cap);
}

/* A list or a struct at q: its JSON, if all of it fits. */
static int judge_nested(struct jsonl_rows *b, int c, const uint8_t *q, struct value *v, char *why,
                        size_t cap, struct bp_err *err)
{
    const struct text_col *col = &b->r->cols[c];
    char type[BP_TYPE_NAME_MAX], whole[BP_TYPE_NAME_MAX];
    struct jsonl_misfit bad;
    int status, n;

    BP_TRY(jsonl_nested_check(col->type, q, &b->scratch, &bad, &status, err));
    if (status == BP_TEXT_OK)
        return 0;
    n = (int)BP_MIN(bad.end - bad.at, 1000);
    v->verdict = BAD;
    snprintf(why, cap, "'%.*s%s' %s %s", too_long(n), (const char *)bad.at,
             n > too_long(n) ? "..." : "",
             bad.why                   ? bad.why
             : status == BP_TEXT_RANGE ? "is out of range for"
                                       : "is no value of",
             bp_type_name(bad.type, type));
    if (col->guessed)
        say_schema(b, col, bp_type_name(col->type, whole), why, cap);
    return 0;
}

/* The value of row i and column c; BAD: why says what is wrong. Text lives in scratch
 * or in the line until the next call. */
static int judge(struct jsonl_rows *b, int i, int c, struct value *v, char *why, size_t cap,
                 struct bp_err *err)
{
    size_t at = (size_t)c * JSONL_BLOCK_ROWS + (size_t)i;
    uint32_t s = b->line->spans.s[at], e = b->line->spans.e[at];
    const struct text_col *col = &b->r->cols[c];
    bool quoted = b->p[s] == '"', nested;
    int status;

    *v = (struct value){.verdict = GOOD, .p = b->p + s + 1, .n = e == s ? 0 : e - s - 1};
    if (c == b->r->line_col) {
        v->n = 0;
        memcpy(v->room, &b->lines[i], sizeof b->lines[i]);
        return 0;
    }
    if (e == s + 1) {
        v->verdict = col->not_null ? BAD : IS_NULL;
        snprintf(why, cap, "NULL, but it is NOT NULL");
        return 0;
    }
    if (bp_type_is_nested(col->type))
        return judge_nested(b, c, v->p - quoted, v, why, cap, err);
    nested = !quoted && (*v->p == '{' || *v->p == '[');
    b->scratch.len = 0;
    BP_TRY(bp_buf_reserve(&b->scratch, 2 * v->n + 1, err));
    if (quoted && v->n && memchr(v->p, '\\', v->n)) {
        v->n = jsonl_unescape(b->scratch.data + v->n, v->p, v->n);
        v->p = b->scratch.data + (e - s - 1);
    }
    if (col->type.kind == BP_TEXT)
        return 0;
    if (nested)
        status = BP_TEXT_BAD;
    else if (col->type.kind == BP_BINARY)
        status = bp_parse_binary((const char *)v->p, v->n, b->scratch.data, &v->n);
    else
        status = bp_text_parse(col->type, (const char *)v->p, v->n, v->room);
    if (status != BP_TEXT_OK) {
        v->verdict = BAD;
        say_bad(b, c, v->p, (int)BP_MIN(v->n, 1000u), nested, status, why, cap);
    } else if (col->type.kind == BP_BINARY) {
        v->p = b->scratch.data;
    }
    return 0;
}

static int add_value(struct jsonl_rows *b, int c, const struct value *v, struct bp_err *err)
{
    struct csv_out *o = &b->outs[c];

    BP_TRY(csv_out_reserve(o, 1, v->n, err));
    if (v->verdict != GOOD)
        csv_out_nulls(o, 1);
    else if (bp_type_is_bytes(o->type)) /* JSON of lists and structs too */
        return csv_out_add_text(o, v->p, v->n, err);
    else
        csv_out_value(o, v->room);
    return 0;
}

/* Row i: whole, or BP_DONE: left out, which is reported. */
static int add_row(struct jsonl_rows *b, int i, struct bp_err *err)
{
    const struct bp_rejects *rejects = b->r->rejects;
    struct value v;
    char why[1024];

    save(b);
    for (int c = 0; c < b->r->n_cols; c++) {
        const struct text_col *col = &b->r->cols[c];

        BP_TRY(judge(b, i, c, &v, why, sizeof why, err));
        if (v.verdict == BAD && (!rejects || rejects->skip || col->not_null)) {
            undo(b);
            BP_TRY(jsonl_rows_reject(b, b->starts[i], b->lines[i], col->name, why, false, err));
            return BP_DONE;
        }
        BP_TRY(add_value(b, c, &v, err));
    }
    return 0;
}

/* The values of row i that became NULL, now that the row stays. */
static int report_nulls(struct jsonl_rows *b, int i, struct bp_err *err)
{
    struct value v;
    char why[1024];

    for (int c = 0; b->r->rejects && c < b->r->n_cols; c++) {
        BP_TRY(judge(b, i, c, &v, why, sizeof why, err));
        if (v.verdict == BAD)
            BP_TRY(jsonl_rows_reject(b, b->starts[i], b->lines[i], b->r->cols[c].name, why, true,
                                     err));
    }
    return 0;
}

static int flush_slow(struct jsonl_rows *b, struct bp_err *err)
{
    for (int i = 0; i < b->n; i++) {
        int rc = add_row(b, i, err);

        if (rc < 0)
            return rc;
        if (rc == BP_DONE)
            continue;
        BP_TRY(report_nulls(b, i, err));
        b->n_rows++;
    }
    return 0;
}

/* ---- the block ---- */

static uint32_t block_end(const struct jsonl_rows *b)
{
    const uint8_t *last = b->p + b->starts[b->n - 1];

    return (uint32_t)((const uint8_t *)rawmemchr(last, '\n') - b->p);
}

/* False: some value is not plain. */
static bool add_columns(struct jsonl_rows *b)
{
    for (int c = 0; c < b->r->n_cols; c++)
        if (!add_column(b, c))
            return false;
    return true;
}

int jsonl_rows_flush(struct jsonl_rows *b, struct bp_err *err)
{
    int rc = 0;

    if (!b->n)
        return 0;
    for (int c = 0; c < b->r->n_cols; c++) /* no value is longer than its line */
        BP_TRY(csv_out_reserve(&b->outs[c], b->n, block_end(b) - b->starts[0], err));
    save(b);
    if (add_columns(b)) {
        b->n_rows += b->n;
    } else {
        undo(b);
        rc = flush_slow(b, err);
    }
    memset(b->line->spans.marks, 0, (size_t)b->r->n_cols);
    b->n = 0;
    return rc;
}
