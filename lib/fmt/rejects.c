/* SPDX-License-Identifier: Apache-2.0 */
/* The account of tolerated input: counting, batches for its sink, JSON Lines. */
#include "fmt/rejects.h"

#include <string.h>

#include "base/buf.h"
#include "col/text.h"
#include "fmt/show.h"

#define FLUSH_ROWS 1024
#define FLUSH_BYTES ((int64_t)1 << 20)

enum { FILE_NAME, LINE, BYTE, RECORD, COLUMN, REASON, TEXT };

static const struct {
    const char *name;
    struct bp_type type;
} fields[BP_REJECT_COLUMNS] = {
    [FILE_NAME] = {"file", {.kind = BP_TEXT}}, [LINE] = {"line", {.kind = BP_INT64}},
    [BYTE] = {"byte", {.kind = BP_INT64}},     [RECORD] = {"record", {.kind = BP_INT64}},
    [COLUMN] = {"column", {.kind = BP_TEXT}},  [REASON] = {"reason", {.kind = BP_TEXT}},
    [TEXT] = {"text", {.kind = BP_TEXT}},
};

int bp_rejects_schema(struct bp_schema *out, struct bp_err *err)
{
    for (int c = 0; c < BP_REJECT_COLUMNS; c++)
        BP_TRY(bp_schema_add(out, fields[c].name, fields[c].type, err));
    return 0;
}

/* ---- adding ---- */

/* What is no UTF-8 becomes U+FFFD. */
static int add_text(struct bp_builder *b, const uint8_t *p, size_t n, struct bp_err *err)
{
    struct bp_buf clean = {0};
    size_t bad;
    int rc;

    if (bp_utf8_check(p, n, &bad))
        return bp_builder_add_bytes(b, p, n, err);
    while (!bp_utf8_check(p, n, &bad)) {
        BP_GO(bp_buf_append(&clean, p, bad, err));
        BP_GO(bp_buf_puts(&clean, "\xef\xbf\xbd", err));
        p += bad + 1;
        n -= bad + 1;
    }
    BP_GO(bp_buf_append(&clean, p, n, err));
    rc = bp_builder_add_bytes(b, clean.data, clean.len, err);
out:
    bp_buf_release(&clean);
    return rc;
}

static int add_string(struct bp_builder *b, const char *s, struct bp_err *err)
{
    return add_text(b, (const uint8_t *)s, strlen(s), err);
}

static int flush(struct bp_rejects *r, struct bp_err *err)
{
    struct bp_batch b;
    int rc = 0;

    if (!r->cols[LINE].n_rows)
        return 0;
    BP_TRY(bp_batch_init(&b, BP_REJECT_COLUMNS, err));
    b.n_rows = r->cols[LINE].n_rows;
    r->n_bytes = 0;
    for (int c = 0; c < BP_REJECT_COLUMNS; c++)
        BP_GO(bp_builder_finish(&r->cols[c], &b.cols[c], err));
    return bp_sink_put(&r->sink, &b, err);
out:
    bp_batch_release(&b);
    return rc;
}

static int keep(struct bp_rejects *r, const struct bp_reject *x, struct bp_err *err)
{
    struct bp_builder *c = r->cols;

    if (!c[LINE].type.kind)
        for (int i = 0; i < BP_REJECT_COLUMNS; i++)
            bp_builder_init(&c[i], fields[i].type);
    BP_TRY(add_string(&c[FILE_NAME], x->file, err));
    BP_TRY(bp_builder_add(&c[LINE], &x->line, err));
    BP_TRY(bp_builder_add(&c[BYTE], &x->byte, err));
    BP_TRY(bp_builder_add(&c[RECORD], &x->record, err));
    if (x->column)
        BP_TRY(add_string(&c[COLUMN], x->column, err));
    else
        BP_TRY(bp_builder_add_null(&c[COLUMN], err));
    BP_TRY(add_string(&c[REASON], x->reason, err));
    BP_TRY(add_text(&c[TEXT], x->text ? x->text : (const uint8_t *)"", x->n_text, err));
    r->n_bytes += (int64_t)x->n_text;
    return c[LINE].n_rows >= FLUSH_ROWS || r->n_bytes >= FLUSH_BYTES ? flush(r, err) : 0;
}

static int place(const struct bp_reject *x, struct bp_buf *out, struct bp_err *err)
{
    BP_TRY(bp_buf_printf(out, err, "%s:%lld: ", x->file, (long long)x->line));
    if (x->column)
        BP_TRY(bp_buf_printf(out, err, "column %s: ", x->column));
    return bp_buf_puts(out, x->reason, err);
}

static int keep_first(struct bp_rejects *r, const struct bp_reject *x, struct bp_err *err)
{
    struct bp_buf b = {0};
    const char *s = place(x, &b, err) < 0 ? NULL : bp_buf_str(&b, err);

    if (s)
        r->first = bp_mem_str(s, err);
    bp_buf_release(&b);
    return r->first ? 0 : err->code;
}

static int too_many(const struct bp_rejects *r, const struct bp_reject *x, struct bp_err *err)
{
    struct bp_buf b = {0};
    const char *s = place(x, &b, err) < 0 ? NULL : bp_buf_str(&b, err);

    if (s)
        bp_fail(err, BP_EDATA, "%s (more than --max-errors %lld)", s, (long long)r->max_errors);
    bp_buf_release(&b);
    return err->code;
}

int bp_rejects_add(struct bp_rejects *r, const struct bp_reject *x, struct bp_err *err)
{
    if (r->max_errors >= 0 && r->n_rows + r->n_values >= r->max_errors)
        return too_many(r, x, err);
    if (!r->first)
        BP_TRY(keep_first(r, x, err));
    if (x->is_value)
        r->n_values++;
    else
        r->n_rows++;
    return r->sink.ops ? keep(r, x, err) : 0;
}

int bp_rejects_commit(struct bp_rejects *r, struct bp_err *err)
{
    if (!r->sink.ops)
        return 0;
    BP_TRY(flush(r, err));
    BP_TRY(r->sink.ops->commit(r->sink.self, err));
    r->committed = true;
    return 0;
}

void bp_rejects_free(struct bp_rejects *r)
{
    for (int c = 0; c < BP_REJECT_COLUMNS; c++)
        bp_builder_release(&r->cols[c]);
    bp_sink_free(&r->sink);
    bp_mem_free(r->first);
    r->first = NULL;
}

/* ---- JSON Lines ---- */

struct jsonl_sink {
    struct bp_outfile file;
    struct bp_buf buf;
};

static int put_value(struct bp_buf *out, const struct bp_column *c, int64_t row, struct bp_err *err)
{
    const uint8_t *p;
    size_t n;

    if (bp_column_is_null(c, row))
        return bp_buf_puts(out, "null", err);
    if (c->type.kind == BP_INT64)
        return bp_buf_printf(out, err, "%lld", (long long)((const int64_t *)c->data)[row]);
    p = bp_column_bytes(c, row, &n);
    return bp_show_json_text(p, n, out, err);
}

static int put_row(struct bp_buf *out, const struct bp_batch *b, int64_t row, struct bp_err *err)
{
    for (int c = 0; c < BP_REJECT_COLUMNS; c++) {
        BP_TRY(bp_buf_printf(out, err, "%s\"%s\": ", c ? ", " : "{", fields[c].name));
        BP_TRY(put_value(out, &b->cols[c], row, err));
    }
    return bp_buf_puts(out, "}\n", err);
}

static int jsonl_put(void *self, struct bp_batch *in, struct bp_err *err)
{
    struct jsonl_sink *s = self;
    int rc = 0;

    s->buf.len = 0;
    for (int64_t i = 0; i < in->n_rows; i++)
        BP_GO(put_row(&s->buf, in, i, err));
    rc = bp_outfile_write(&s->file, s->buf.data, s->buf.len, err);
out:
    bp_batch_release(in);
    return rc;
}

static int jsonl_commit(void *self, struct bp_err *err)
{
    struct jsonl_sink *s = self;

    return bp_outfile_commit(&s->file, err);
}

static void jsonl_free(void *self)
{
    struct jsonl_sink *s = self;

    bp_outfile_abort(&s->file);
    bp_buf_release(&s->buf);
    bp_mem_free(s);
}

static const struct bp_sink_ops jsonl_ops = {
    .put = jsonl_put, .commit = jsonl_commit, .free = jsonl_free};

int bp_rejects_jsonl_sink(struct bp_sink *out, struct bp_outfile *f, struct bp_err *err)
{
    struct jsonl_sink *s = bp_mem_new(1, sizeof *s, err);

    *out = (struct bp_sink){0};
    if (!s) {
        bp_outfile_abort(f);
        return err->code;
    }
    s->file = *f;
    *f = (struct bp_outfile){.fd = -1};
    *out = (struct bp_sink){.ops = &jsonl_ops, .self = s};
    return 0;
}
