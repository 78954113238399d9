/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer entry: whatever the bytes, the chunk size, the build of the scan, file
 * or stream, whole or in shares, text plain or as a dictionary, reading CSV gives what a plain loop
 * around libcsv gives: the same values, and the same kind of error on the same line.
 *
 * Input: four bytes of options, then the file.
 */
#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "col/text.h"
#include "fmt/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_COLS 6

struct setup {
    char delim, quote;
    const char *null_text;
    int n_cols;
    struct bp_type types[MAX_COLS];
    bool not_null, all_dicts;
    int chunk_bytes, n_tasks, batch_rows;
    const char *simd;
};

/* What a reading gave: rows as text, and the error if there was one. */
struct outcome {
    struct bp_buf rows;
    bool failed;
    char msg[2048];
};

static struct bp_err scratch; /* memory errors of the harness: not looked at */

static void need(bool ok, const char *what, const struct outcome *a, const struct outcome *b)
{
    if (ok)
        return;
    fprintf(stderr, "csv_fuzz: %s\n", what);
    if (a)
        fprintf(stderr, "  got: failed %d '%s', %zu bytes of rows\n", a->failed, a->msg,
                a->rows.len);
    if (b)
        fprintf(stderr, "  want: failed %d '%s', %zu bytes of rows\n", b->failed, b->msg,
                b->rows.len);
    abort();
}

static void put(struct bp_buf *out, const void *p, size_t n)
{
    if (n && bp_buf_append(out, p, n, &scratch) < 0)
        abort();
}

/* ---- the reference ---- */

struct reference {
    const struct setup *s;
    struct outcome *out;
    struct bp_buf bytes; /* of the record: fields, each ended by its length */
    size_t ends[256];
    bool empty[256];
    int n_fields; /* may exceed 256: then only counted */
    bool fresh, quoted, ended;
    long line, record_line, blank_line, nul_line;
    bool first;
};

static void ref_fail(struct reference *r, long line, const char *kind)
{
    if (r->out->failed)
        return;
    r->out->failed = true;
    snprintf(r->out->msg, sizeof r->out->msg, "mem:%ld: %s", line, kind);
}

static void ref_field(void *s, size_t n, void *arg)
{
    struct reference *r = arg;
    const char *null = r->s->null_text;
    bool is_null = !s || (null && !r->quoted && n == strlen(null) && memcmp(s, null, n) == 0);

    if (r->n_fields < 256) {
        put(&r->bytes, is_null ? "" : s, is_null ? 0 : n);
        r->ends[r->n_fields] = r->bytes.len;
        r->empty[r->n_fields] = is_null;
    }
    r->n_fields++;
    r->fresh = true;
}

static void ref_value(struct reference *r, int i, struct bp_buf *row)
{
    size_t from = i ? r->ends[i - 1] : 0, n = r->ends[i] - from;
    const char *p = n ? (const char *)r->bytes.data + from : "";
    bp_int128 value[2] = {0, 0};
    char text[BP_TEXT_MAX];

    if (r->empty[i]) {
        if (r->s->not_null)
            ref_fail(r, r->record_line, "NOT NULL");
        put(row, "\0", 1);
    } else if (r->s->types[i].kind == BP_TEXT) {
        put(row, p, n);
    } else if (bp_text_parse(r->s->types[i], p, n, value) != BP_TEXT_OK) {
        ref_fail(r, r->record_line, "column");
    } else {
        put(row, text, bp_text_format(r->s->types[i], value, text));
    }
    put(row, "\x1f", 1);
}

static void ref_row(struct reference *r)
{
    struct bp_buf row = {0};
    size_t bad;

    if (r->n_fields != r->s->n_cols) {
        ref_fail(r, r->record_line, "expected");
        return;
    }
    for (int i = 0; i < r->n_fields; i++) {
        size_t from = i ? r->ends[i - 1] : 0, n = r->ends[i] - from;

        if (n && !bp_utf8_check(r->bytes.data + from, n, &bad))
            ref_fail(r, r->record_line, "UTF-8");
    }
    for (int i = 0; i < r->n_fields && !r->out->failed; i++)
        ref_value(r, i, &row);
    if (!r->out->failed) {
        put(&row, "\x1e", 1);
        put(&r->out->rows, row.data, row.len);
    }
    bp_buf_release(&row);
}

static void ref_record(int c, void *arg)
{
    struct reference *r = arg;

    (void)c;
    r->ended = true;
    r->fresh = true;
}

static void ref_end_record(struct reference *r)
{
    if (r->n_fields == 0 && (r->s->n_cols == 1 || r->first)) {
        r->bytes.len = r->ends[0] = 0;
        r->empty[0] = true;
        r->n_fields = 1;
    }
    if (r->first && r->n_fields != r->s->n_cols)
        ref_fail(r, 1, "where the schema has");
    if (r->nul_line)
        ref_fail(r, r->nul_line, "NUL");
    r->first = false;
    if (r->n_fields == 0) {
        if (r->blank_line < 0)
            r->blank_line = r->record_line;
    } else if (r->blank_line >= 0) {
        ref_fail(r, r->blank_line, "expected");
    } else if (!r->out->failed) {
        ref_row(r);
    }
    r->n_fields = 0;
    r->bytes.len = 0;
}

static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

/* Byte by byte. */
static void ref_read(const struct setup *s, const uint8_t *p, size_t n, struct outcome *out)
{
    struct reference r = {.s = s, .out = out, .fresh = true, .blank_line = -1, .line = 1};
    struct csv_parser lib;
    bool cr_record = false, cr = false, quotes_on = s->quote != 0;

    r.first = true;
    r.record_line = 1;
    csv_init(&lib, CSV_REPALL_NL | CSV_EMPTY_IS_NULL);
    csv_set_delim(&lib, (unsigned char)s->delim);
    csv_set_quote(&lib, (unsigned char)s->quote);
    csv_set_space_func(&lib, no_space);
    for (size_t i = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; i < n && !out->failed;
         i++) {
        if (cr_record && p[i] == '\n') {
            cr_record = cr = false;
            continue;
        }
        if (p[i] == 0 && !r.nul_line)
            r.nul_line = r.line;
        if (r.nul_line && !r.first) { /* in the first row the count comes before */
            ref_fail(&r, r.nul_line, "NUL");
            break;
        }
        if (r.fresh)
            r.quoted = quotes_on && p[i] == (uint8_t)s->quote;
        r.fresh = r.ended = false;
        csv_parse(&lib, p + i, 1, ref_field, ref_record, &r);
        if (p[i] == '\r' || (p[i] == '\n' && !cr))
            r.line++;
        cr = p[i] == '\r';
        cr_record = r.ended && cr;
        if (r.ended) {
            ref_end_record(&r);
            r.record_line = r.line;
        }
    }
    csv_set_opts(&lib, CSV_REPALL_NL | CSV_EMPTY_IS_NULL | CSV_STRICT | CSV_STRICT_FINI);
    r.ended = false;
    if (!out->failed && csv_fini(&lib, ref_field, ref_record, &r) != 0)
        ref_fail(&r, r.first ? 1 : r.record_line, "closed");
    if (!out->failed && r.ended)
        ref_end_record(&r);
    csv_free(&lib);
    bp_buf_release(&r.bytes);
}

/* ---- ours ---- */

static void dump(const struct bp_batch *b, struct bp_buf *out)
{
    for (int64_t i = 0; i < b->n_rows; i++) {
        for (int c = 0; c < b->n_cols; c++) {
            if (bp_column_is_null(&b->cols[c], i))
                put(out, "\0", 1);
            else if (bp_text_append(&b->cols[c], i, out, &scratch) < 0)
                abort();
            put(out, "\x1f", 1);
        }
        put(out, "\x1e", 1);
    }
}

static void our_read(const struct setup *s, const uint8_t *p, size_t n, bool stream, int task,
                     int n_tasks, struct outcome *out)
{
    struct bp_schema schema = {0};
    struct bp_ctx ctx = {.n_threads = 1, .batch_rows = s->batch_rows};
    struct bp_csv_opts opts = {.delim = s->delim,
                               .quote = s->quote,
                               .header = BP_CSV_HEADER_NO,
                               .null_text = s->null_text,
                               .schema = &schema,
                               .task = task,
                               .n_tasks = n_tasks,
                               .chunk_bytes = s->chunk_bytes};
    struct bp_source src;
    struct bp_input in;
    struct bp_batch b;
    struct bp_err err = {0};
    char name[8];
    int rc;

    setenv("BP_SIMD", s->simd, 1);
    for (int c = 0; c < s->n_cols; c++) {
        snprintf(name, sizeof name, "k%d", c);
        if (bp_schema_add(&schema, name, s->types[c], &err) < 0)
            abort();
        schema.fields[c].nullable = !s->not_null;
        if (s->types[c].kind == BP_TEXT && (s->all_dicts || c & 1))
            schema.fields[c].dict = BP_DICT_KNOWN;
    }
    if (bp_input_from_memory(&in, "mem", p, n, &err) < 0)
        abort();
    in.is_file = !stream;
    rc = bp_csv_source(&src, &in, 1, &opts, &ctx, &err);
    while (rc == 0 && (rc = bp_source_next(&src, &b, &err)) == 0) {
        dump(&b, &out->rows);
        bp_batch_release(&b);
    }
    out->failed = rc < 0;
    snprintf(out->msg, sizeof out->msg, "%s", err.msg);
    if (src.ops)
        bp_source_free(&src);
    bp_schema_release(&schema);
}

static bool same_error(const struct outcome *got, const struct outcome *want)
{
    const char *kind = strchr(strchr(want->msg, ':') + 1, ':');
    size_t place = (size_t)(kind - want->msg) + 1;

    return strncmp(got->msg, want->msg, place) == 0 && strstr(got->msg, kind + 2);
}

static void compare(const struct outcome *got, const struct outcome *want, const char *what)
{
    need(got->failed == want->failed, what, got, want);
    need(got->rows.len <= want->rows.len &&
             memcmp(got->rows.data ? got->rows.data : (const uint8_t *)"",
                    want->rows.data ? want->rows.data : (const uint8_t *)"", got->rows.len) == 0,
         what, got, want);
    if (got->failed)
        need(same_error(got, want), what, got, want);
    else
        need(got->rows.len == want->rows.len, what, got, want);
}

static void read_shares(const struct setup *s, const uint8_t *p, size_t n,
                        const struct outcome *want)
{
    struct outcome all = {0};

    for (int t = 0; t < s->n_tasks && !all.failed; t++)
        our_read(s, p, n, false, t, s->n_tasks, &all);
    need(all.failed == want->failed, "shares: failure", &all, want);
    if (!all.failed)
        need(all.rows.len == want->rows.len &&
                 (!all.rows.len || memcmp(all.rows.data, want->rows.data, all.rows.len) == 0),
             "shares: rows", &all, want);
    bp_buf_release(&all.rows);
}

static struct setup choose(const uint8_t o[4])
{
    static const char *const simd[] = {"avx512", "avx2", "portable", "avx512"};
    static const struct bp_type kinds[] = {{.kind = BP_TEXT},
                                           {.kind = BP_INT32},
                                           {.kind = BP_FLOAT64},
                                           {.kind = BP_DATE},
                                           {.kind = BP_DECIMAL, .precision = 6, .scale = 2},
                                           {.kind = BP_TIMESTAMP, .unit = BP_MICRO},
                                           {.kind = BP_INT64},
                                           {.kind = BP_BOOL}};
    struct setup s = {.delim = o[0] & 1 ? '\t' : ',',
                      .quote = o[0] & 2 ? 0 : '"',
                      .null_text = o[0] & 4 ? "NA" : NULL,
                      .not_null = (o[0] & 0x18) == 0x18,
                      .all_dicts = o[3] & 0x20,
                      .n_cols = 1 + (o[0] >> 5) % MAX_COLS,
                      .chunk_bytes = 1 + o[1] * (o[1] < 128 ? 1 : 40),
                      .n_tasks = 1 + o[2] % 21,
                      .batch_rows = o[2] & 0x80 ? 1 : 100,
                      .simd = simd[o[3] & 3]};

    for (int c = 0; c < s.n_cols; c++)
        s.types[c] = o[3] & 0x80 ? kinds[(o[3] >> 2) % 8] : kinds[0];
    if (o[3] & 0x40)
        s.types[0] = kinds[0];
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome want = {0}, file = {0}, stream = {0};
    struct setup s;

    if (size < 4)
        return 0;
    s = choose(data);
    data += 4;
    size -= 4;
    ref_read(&s, data, size, &want);
    our_read(&s, data, size, false, 0, 0, &file);
    compare(&file, &want, "file");
    our_read(&s, data, size, true, 0, 0, &stream);
    compare(&stream, &want, "stream");
    read_shares(&s, data, size, &want);
    bp_buf_release(&want.rows);
    bp_buf_release(&file.rows);
    bp_buf_release(&stream.rows);
    return 0;
}
