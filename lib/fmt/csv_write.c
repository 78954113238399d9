/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CSV sink. A batch is written row by row into one buffer, which goes out in
 * pieces of at least FLUSH_BYTES. Room for a whole row is asked for once, so that
 * nothing is checked per value; the text of dates and of short decimals is made
 * here, everything else by lib/col/text.
 */
#include <string.h>

#include "col/text.h"
#include "fmt/csv.h"
#include "fmt/value_text.h"

#define FLUSH_BYTES ((size_t)256 << 10)
#define CELL_BYTES (BP_TEXT_MAX + 8) /* of a value that is not text */

struct csv_sink {
    struct bp_outfile file;
    char delim;
    char *null_text;
    size_t null_len;
    bool header;
    bool special[256]; /* bytes for which a value is quoted */
    bool plain_values; /* numbers, dates and the like never need quotes */
    int n_cols;
    char **names;
    struct bp_buf buf;
    struct value_days days;
};

/* ---- text ---- */

static bool needs_quotes(const struct csv_sink *s, const uint8_t *p, size_t n)
{
    unsigned any = 0;

    if (n == s->null_len && memcmp(p, s->null_text, n) == 0)
        return true;
    if (n == 0)
        return true;
    for (size_t i = 0; i < n; i++)
        any |= s->special[p[i]];
    return any;
}

/* At most 2 n + 2 bytes. */
static uint8_t *put_text(const struct csv_sink *s, uint8_t *out, const uint8_t *p, size_t n)
{
    if (!needs_quotes(s, p, n)) {
        memcpy(out, p, n);
        return out + n;
    }
    *out++ = '"';
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '"')
            *out++ = '"';
        *out++ = p[i];
    }
    *out++ = '"';
    return out;
}

/* ---- values ---- */

static uint8_t *put_timestamp(struct csv_sink *s, uint8_t *out, struct bp_type t, int64_t v)
{
    if (!value_is_plain_moment(t, v))
        return out + bp_text_format(t, &v, (char *)out);
    out = value_put_moment(&s->days, out, t, v, ' ');
    if (t.kind == BP_TIMESTAMPTZ) {
        memcpy(out, "+00", 3);
        out += 3;
    }
    return out;
}

static uint8_t *put_value(struct csv_sink *s, uint8_t *out, const struct bp_column *c, int64_t i)
{
    const void *d = c->data;
    size_t w, n;
    const uint8_t *p;

    switch (c->type.kind) {
    case BP_TEXT: p = bp_column_bytes(c, i, &n); return put_text(s, out, p, n);
    case BP_INT32: return value_put_int(out, ((const int32_t *)d)[i]);
    case BP_INT64: return value_put_int(out, ((const int64_t *)d)[i]);
    case BP_FLOAT64: return value_put_float64(out, ((const double *)d)[i]);
    case BP_DECIMAL:
        return out + bp_format_decimal(((const bp_int128 *)d)[i], c->type.scale, (char *)out);
    case BP_DATE: return value_put_day(&s->days, out, ((const int32_t *)d)[i]);
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ: return put_timestamp(s, out, c->type, ((const int64_t *)d)[i]);
    case BP_BOOL: {
        uint8_t b = bp_bit_get(d, i);
        return out + bp_text_format(c->type, &b, (char *)out);
    }
    default:
        w = bp_type_width_bytes(c->type);
        return out + bp_text_format(c->type, (const uint8_t *)d + (size_t)i * w, (char *)out);
    }
}

/* The other values may hold a delimiter or be the null text; then quotes. */
static uint8_t *put_cell(struct csv_sink *s, uint8_t *out, const struct bp_column *c, int64_t i)
{
    uint8_t copy[CELL_BYTES], *end = put_value(s, out, c, i);
    size_t n = (size_t)(end - out);

    if (s->plain_values || c->type.kind == BP_TEXT || !needs_quotes(s, out, n))
        return end;
    memcpy(copy, out, n);
    return put_text(s, out, copy, n);
}

/* ---- rows ---- */

static int flush(struct csv_sink *s, struct bp_err *err)
{
    int rc = s->buf.len ? bp_outfile_write(&s->file, s->buf.data, s->buf.len, err) : 0;

    s->buf.len = 0;
    return rc;
}

/* The most bytes that row i can take. */
static size_t row_room(const struct csv_sink *s, const struct bp_batch *b, int64_t i)
{
    size_t room = (size_t)b->n_cols * (2 * CELL_BYTES + s->null_len) + 2, n;

    for (int c = 0; c < b->n_cols; c++)
        if (bp_type_is_bytes(b->cols[c].type)) {
            bp_column_bytes(&b->cols[c], i, &n);
            room += 4 * n;
        }
    return room;
}

static int put_row(struct csv_sink *s, const struct bp_batch *b, int64_t i, struct bp_err *err)
{
    uint8_t *out;

    BP_TRY(bp_buf_reserve(&s->buf, row_room(s, b, i), err));
    out = s->buf.data + s->buf.len;
    for (int c = 0; c < b->n_cols; c++) {
        const struct bp_column *col = &b->cols[c];

        if (bp_column_is_null(col, i)) {
            memcpy(out, s->null_text, s->null_len);
            out += s->null_len;
        } else if (col->type.kind == BP_BINARY) {
            s->buf.len = (size_t)(out - s->buf.data);
            BP_TRY(bp_text_append(col, i, &s->buf, err)); /* \x and hex digits */
            out = s->buf.data + s->buf.len;
        } else {
            out = put_cell(s, out, col, i);
        }
        *out++ = (uint8_t)s->delim;
    }
    if (b->n_cols)
        out--;
    *out++ = '\n';
    s->buf.len = (size_t)(out - s->buf.data);
    return s->buf.len >= FLUSH_BYTES ? flush(s, err) : 0;
}

static int put_header(struct csv_sink *s, struct bp_err *err)
{
    if (!s->header)
        return 0;
    s->header = false;
    for (int c = 0; c < s->n_cols; c++) {
        size_t n = strlen(s->names[c]);

        BP_TRY(bp_buf_reserve(&s->buf, 2 * n + 4, err));
        s->buf.len =
            (size_t)(put_text(s, s->buf.data + s->buf.len, (const uint8_t *)s->names[c], n) -
                     s->buf.data);
        s->buf.data[s->buf.len++] = (uint8_t)(c + 1 < s->n_cols ? s->delim : '\n');
    }
    return 0;
}

static int csv_put(void *self, struct bp_batch *in, struct bp_err *err)
{
    struct csv_sink *s = self;
    int rc = put_header(s, err);

    for (int64_t i = 0; i < in->n_rows && rc == 0; i++)
        rc = put_row(s, in, i, err);
    bp_batch_release(in);
    return rc;
}

static int csv_commit(void *self, struct bp_err *err)
{
    struct csv_sink *s = self;

    BP_TRY(put_header(s, err));
    BP_TRY(flush(s, err));
    return bp_outfile_commit(&s->file, err);
}

static void csv_abort(void *self, const char *reason)
{
    struct csv_sink *s = self;

    (void)reason;
    bp_outfile_abort(&s->file);
}

static void csv_sink_free(void *self)
{
    struct csv_sink *s = self;

    bp_outfile_abort(&s->file);
    for (int c = 0; c < s->n_cols; c++)
        bp_mem_free(s->names[c]);
    bp_mem_free(s->names);
    bp_mem_free(s->null_text);
    bp_buf_release(&s->buf);
    bp_mem_free(s);
}

static const struct bp_sink_ops csv_sink_ops = {csv_put, csv_commit, csv_abort, csv_sink_free};

/* Quoted, the text for NULL would be a text like others. */
static bool needs_special(const struct csv_sink *s)
{
    for (size_t i = 0; i < s->null_len; i++)
        if (s->special[(uint8_t)s->null_text[i]])
            return true;
    return false;
}

static int take_names(struct csv_sink *s, const struct bp_schema *schema, struct bp_err *err)
{
    s->names = bp_mem_new((size_t)schema->n_fields, sizeof *s->names, err);
    if (!s->names)
        return err->code;
    for (int c = 0; c < schema->n_fields; c++) {
        s->names[c] = bp_mem_str(schema->fields[c].name, err);
        if (!s->names[c])
            return err->code;
        s->n_cols++;
    }
    return 0;
}

int bp_csv_sink(struct bp_sink *out, struct bp_outfile *f, const struct bp_schema *schema,
                const struct bp_csv_out_opts *opts, struct bp_err *err)
{
    struct csv_sink *s = bp_mem_new(1, sizeof *s, err);

    *out = (struct bp_sink){0};
    if (!s) {
        bp_outfile_abort(f);
        return err->code;
    }
    s->file = *f;
    *f = (struct bp_outfile){.fd = -1};
    s->delim = opts->delim;
    s->header = opts->header;
    s->special[(uint8_t)opts->delim] = s->special['"'] = true;
    s->special['\r'] = s->special['\n'] = true;
    s->plain_values = strchr(",\t;|", opts->delim) && !(opts->null_text && *opts->null_text);
    out->ops = &csv_sink_ops;
    out->self = s;
    s->null_text = bp_mem_str(opts->null_text ? opts->null_text : "", err);
    if (!s->null_text)
        goto fail;
    s->null_len = strlen(s->null_text);
    if (needs_special(s)) {
        bp_fail(err, BP_EUSAGE,
                "the text for NULL must not hold the delimiter, quotes or line ends");
        goto fail;
    }
    if (take_names(s, schema, err) < 0)
        goto fail;
    out->name = bp_mem_str(s->file.path ? s->file.path : "", err);
    if (out->name)
        return 0;
fail:
    bp_sink_free(out);
    return err->code;
}
