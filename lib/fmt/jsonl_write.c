/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON Lines sink. What stands before a value (`{"a":` or `,"b":`) is made once
 * a column; room for a row is asked for once. Text is copied in runs between the few
 * bytes that need an escape.
 */
#include <string.h>

#include "col/text.h"
#include "fmt/jsonl.h"
#include "fmt/value_text.h"

#define FLUSH_BYTES ((size_t)256 << 10)
#define VALUE_BYTES (BP_TEXT_MAX + 16) /* of a value that is not text */
#define ESCAPE_BYTES 6                 /* \u001f */

struct key {
    uint8_t *text; /* with what stands around it */
    size_t n;
};

struct jsonl_sink {
    struct bp_outfile file;
    int n_cols;
    struct key *keys;
    struct bp_buf buf;
    struct value_days days;
};

/* ---- values ---- */

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

static uint8_t *put_escape(uint8_t *out, uint8_t c)
{
    static const char shorts[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    static const char hex[] = "0123456789abcdef";

    *out++ = '\\';
    if (c >= 0x20) {
        *out++ = c;
    } else if (shorts[c]) {
        *out++ = (uint8_t)shorts[c];
    } else {
        memcpy(out, "u00", 3);
        out[3] = (uint8_t)hex[c >> 4];
        out[4] = (uint8_t)hex[c & 15];
        out += 5;
    }
    return out;
}

/* At most ESCAPE_BYTES * n + 2. */
static uint8_t *put_string(uint8_t *out, const uint8_t *p, size_t n)
{
    size_t from = 0, i = 0;

    *out++ = '"';
    while (i < n) {
        while (i < n && is_plain(p[i]))
            i++;
        memcpy(out, p + from, i - from);
        out += i - from;
        if (i < n)
            out = put_escape(out, p[i++]);
        from = i;
    }
    *out++ = '"';
    return out;
}

static uint8_t *put_word(uint8_t *out, const char *word)
{
    size_t n = strlen(word);

    memcpy(out, word, n);
    return out + n;
}

static uint8_t *put_float(uint8_t *out, struct bp_type t, const void *p, double v)
{
    if (isfinite(v) && t.kind == BP_FLOAT64)
        return value_put_float64(out, v);
    if (isnan(v))
        return put_word(out, "\"NaN\"");
    if (isinf(v))
        return put_word(out, v < 0 ? "\"-Infinity\"" : "\"Infinity\"");
    return out + bp_text_format(t, p, (char *)out);
}

/* ISO 8601: T between date and time, the zone with its minutes. */
static uint8_t *put_rare_moment(uint8_t *out, struct bp_type t, const void *p)
{
    char text[BP_TEXT_MAX];
    size_t n = bp_text_format(t, p, text), zone = n;
    char *blank = memchr(text, ' ', n);

    if (blank)
        *blank = 'T';
    if (t.kind == BP_TIMESTAMPTZ)
        for (zone = 0; zone < n && text[zone] != '+'; zone++)
            ;
    zone = BP_MIN(zone + 3, n);
    *out++ = '"';
    memcpy(out, text, zone);
    out += zone;
    if (t.kind == BP_TIMESTAMPTZ)
        out = put_word(out, ":00");
    memcpy(out, text + zone, n - zone);
    out += n - zone;
    *out++ = '"';
    return out;
}

static uint8_t *put_moment(struct jsonl_sink *s, uint8_t *out, struct bp_type t, const void *p)
{
    int64_t v;

    memcpy(&v, p, sizeof v);
    if (!value_is_plain_moment(t, v))
        return put_rare_moment(out, t, p);
    *out++ = '"';
    out = value_put_moment(&s->days, out, t, v, 'T');
    return put_word(out, t.kind == BP_TIMESTAMPTZ ? "+00:00\"" : "\"");
}

static uint8_t *put_value(struct jsonl_sink *s, uint8_t *out, const struct bp_column *c, int64_t i)
{
    size_t w = bp_type_width_bytes(c->type);
    const uint8_t *p = (const uint8_t *)c->data + (size_t)i * w;
    float f;
    double d;

    switch (c->type.kind) {
    case BP_BOOL: return put_word(out, bp_bit_get(c->data, i) ? "true" : "false");
    case BP_FLOAT32: memcpy(&f, p, sizeof f); return put_float(out, c->type, p, (double)f);
    case BP_FLOAT64: memcpy(&d, p, sizeof d); return put_float(out, c->type, p, d);
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ: return put_moment(s, out, c->type, p);
    case BP_INT32: return value_put_int(out, ((const int32_t *)c->data)[i]);
    case BP_INT64: return value_put_int(out, ((const int64_t *)c->data)[i]);
    case BP_DECIMAL:
        return out + bp_format_decimal(bp_column_decimal(c, i), c->type.scale, (char *)out);
    case BP_DATE:
        *out++ = '"';
        out = value_put_day(&s->days, out, ((const int32_t *)c->data)[i]);
        *out++ = '"';
        return out;
    default: break;
    }
    if (bp_type_is_number(c->type))
        return out + bp_text_format(c->type, p, (char *)out);
    *out++ = '"';
    out += bp_text_format(c->type, p, (char *)out);
    *out++ = '"';
    return out;
}

/* "\\x" and hex digits, the backslash escaped. */
static uint8_t *put_binary(uint8_t *out, const uint8_t *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";

    out = put_word(out, "\"\\\\x");
    for (size_t i = 0; i < n; i++) {
        *out++ = (uint8_t)hex[p[i] >> 4];
        *out++ = (uint8_t)hex[p[i] & 15];
    }
    *out++ = '"';
    return out;
}

/* ---- any value ---- */

/* The most bytes that value i of c can take, NULL or not. */
static size_t value_room(const struct bp_column *c, int64_t i)
{
    const int32_t *off;
    size_t room = 8, n = 0;

    if (bp_type_is_bytes(c->type)) {
        bp_column_bytes(c, i, &n);
        return VALUE_BYTES + ESCAPE_BYTES * n;
    }
    if (!bp_type_is_nested(c->type))
        return VALUE_BYTES;
    if (c->type.kind == BP_STRUCT) {
        for (int k = 0; k < c->kids->n; k++)
            room += value_room(&c->kids->cols[k], i) + 4 +
                    ESCAPE_BYTES * strlen(c->type.nest->names[k]);
        return room;
    }
    off = (const int32_t *)c->data + i;
    for (int32_t k = off[0]; k < off[1]; k++)
        room += 1 + value_room(&c->kids->cols[0], k);
    return room;
}

static uint8_t *put_any(struct jsonl_sink *s, uint8_t *out, const struct bp_column *c, int64_t i);

static uint8_t *put_nested(struct jsonl_sink *s, uint8_t *out, const struct bp_column *c, int64_t i)
{
    const int32_t *off;

    if (c->type.kind == BP_STRUCT) {
        *out++ = '{';
        for (int k = 0; k < c->kids->n; k++) {
            const char *name = c->type.nest->names[k];

            if (k)
                *out++ = ',';
            out = put_string(out, (const uint8_t *)name, strlen(name));
            *out++ = ':';
            out = put_any(s, out, &c->kids->cols[k], i);
        }
        *out++ = '}';
        return out;
    }
    *out++ = '[';
    off = (const int32_t *)c->data + i;
    for (int32_t k = off[0]; k < off[1]; k++) {
        if (k > off[0])
            *out++ = ',';
        out = put_any(s, out, &c->kids->cols[0], k);
    }
    *out++ = ']';
    return out;
}

static uint8_t *put_any(struct jsonl_sink *s, uint8_t *out, const struct bp_column *c, int64_t i)
{
    const uint8_t *p;
    size_t n;

    if (bp_column_is_null(c, i))
        return put_word(out, "null");
    if (bp_type_is_nested(c->type))
        return put_nested(s, out, c, i);
    if (!bp_type_is_bytes(c->type))
        return put_value(s, out, c, i);
    p = bp_column_bytes(c, i, &n);
    return c->type.kind == BP_TEXT ? put_string(out, p, n) : put_binary(out, p, n);
}

/* ---- rows ---- */

static int flush(struct jsonl_sink *s, struct bp_err *err)
{
    int rc = s->buf.len ? bp_outfile_write(&s->file, s->buf.data, s->buf.len, err) : 0;

    s->buf.len = 0;
    return rc;
}

/* The most bytes that row i can take. */
static size_t row_room(const struct jsonl_sink *s, const struct bp_batch *b, int64_t i)
{
    size_t room = 4;

    for (int c = 0; c < b->n_cols; c++)
        room += s->keys[c].n + value_room(&b->cols[c], i);
    return room;
}

static int put_row(struct jsonl_sink *s, const struct bp_batch *b, int64_t i, struct bp_err *err)
{
    uint8_t *out;

    BP_TRY(bp_buf_reserve(&s->buf, row_room(s, b, i), err));
    out = s->buf.data + s->buf.len;
    if (!b->n_cols)
        *out++ = '{';
    for (int c = 0; c < b->n_cols; c++) {
        memcpy(out, s->keys[c].text, s->keys[c].n);
        out = put_any(s, out + s->keys[c].n, &b->cols[c], i);
    }
    *out++ = '}';
    *out++ = '\n';
    s->buf.len = (size_t)(out - s->buf.data);
    return s->buf.len >= FLUSH_BYTES ? flush(s, err) : 0;
}

static int jsonl_put(void *self, struct bp_batch *in, struct bp_err *err)
{
    struct jsonl_sink *s = self;
    int rc = 0;

    for (int64_t i = 0; i < in->n_rows && rc == 0; i++)
        rc = put_row(s, in, i, err);
    bp_batch_release(in);
    return rc;
}

static int jsonl_commit(void *self, struct bp_err *err)
{
    struct jsonl_sink *s = self;

    BP_TRY(flush(s, err));
    return bp_outfile_commit(&s->file, err);
}

static void jsonl_abort(void *self, const char *reason)
{
    struct jsonl_sink *s = self;

    (void)reason;
    bp_outfile_abort(&s->file);
}

static void jsonl_free(void *self)
{
    struct jsonl_sink *s = self;

    bp_outfile_abort(&s->file);
    for (int c = 0; s->keys && c < s->n_cols; c++)
        bp_mem_free(s->keys[c].text);
    bp_mem_free(s->keys);
    bp_buf_release(&s->buf);
    bp_mem_free(s);
}

static const struct bp_sink_ops jsonl_ops = {jsonl_put, jsonl_commit, jsonl_abort, jsonl_free};

static int make_keys(struct jsonl_sink *s, const struct bp_schema *schema, struct bp_err *err)
{
    s->keys = bp_mem_new((size_t)schema->n_fields, sizeof *s->keys, err);
    if (!s->keys)
        return err->code;
    s->n_cols = schema->n_fields;
    for (int c = 0; c < s->n_cols; c++) {
        const char *name = schema->fields[c].name;
        uint8_t *end;

        for (int k = 0; k < c; k++)
            if (strcmp(name, schema->fields[k].name) == 0)
                return bp_fail(err, BP_EUSAGE,
                               "two columns are named '%s': an object cannot hold both", name);
        s->keys[c].text = bp_mem_new(ESCAPE_BYTES * strlen(name) + 4, 1, err);
        if (!s->keys[c].text)
            return err->code;
        s->keys[c].text[0] = c ? ',' : '{';
        end = put_string(s->keys[c].text + 1, (const uint8_t *)name, strlen(name));
        *end++ = ':';
        s->keys[c].n = (size_t)(end - s->keys[c].text);
    }
    return 0;
}

int bp_jsonl_sink(struct bp_sink *out, struct bp_outfile *f, const struct bp_schema *schema,
                  struct bp_err *err)
{
    struct jsonl_sink *s = bp_mem_new(1, sizeof *s, err);

    *out = (struct bp_sink){0};
    if (!s) {
        bp_outfile_abort(f);
        return err->code;
    }
    s->file = *f;
    *f = (struct bp_outfile){.fd = -1};
    out->ops = &jsonl_ops;
    out->self = s;
    if (make_keys(s, schema, err) == 0)
        out->name = bp_mem_str(s->file.path ? s->file.path : "", err);
    if (out->name)
        return 0;
    bp_sink_free(out);
    return err->code;
}
