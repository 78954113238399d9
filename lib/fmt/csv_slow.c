/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow path: libcsv itself, one file from a record border on. It is fed up
 * to each CR or LF, so that a record can only end where a piece ends and its
 * place is known. All errors in the data are worded here.
 */
#include <csv.h>
#include <string.h>

#include "col/text.h"
#include "fmt/csv_reader.h"

struct parser {
    struct csv_parser lib;
    const struct csv_dialect *d;
    bool fresh;  /* the next byte is the first of a field */
    bool quoted; /* the field begun has a quote as its first byte */
    struct csv_record rec;
    bool ended;         /* the record is complete */
    struct bp_err *err; /* a callback ran out of memory */
};

struct csv_slow {
    const struct csv_reader *r;
    const struct csv_file *file;
    struct parser p;
    int64_t record_at, pos; /* offsets of the record begun, of the next byte */
    int64_t line, lines;    /* lines before the record, before pos; < 0: count in the file */
    int64_t skip_before, stop_at;
    bool after_cr;                /* the byte before was a CR that ended a record */
    bool line_cr;                 /* the byte before was a CR */
    int64_t blank_at, blank_line; /* the first empty line that may be at the end; -1 */
    bool done;
    struct csv_out *outs;
    int64_t n_rows;
};

static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

static int parser_open(struct parser *p, const struct csv_dialect *d, struct bp_err *err)
{
    if (csv_init(&p->lib, CSV_REPALL_NL | CSV_EMPTY_IS_NULL) != 0)
        return bp_fail_oom(err, sizeof p->lib);
    csv_set_delim(&p->lib, d->delim);
    csv_set_quote(&p->lib, d->quotes ? d->quote : 0); /* a NUL byte is refused anyway */
    csv_set_space_func(&p->lib, no_space);
    p->d = d;
    p->fresh = true;
    return 0;
}

static void parser_close(struct parser *p)
{
    csv_free(&p->lib);
    csv_record_release(&p->rec);
}

void csv_record_release(struct csv_record *rec)
{
    bp_buf_release(&rec->bytes);
    bp_mem_free(rec->ends);
    bp_mem_free(rec->empty);
    *rec = (struct csv_record){0};
}

static int record_add(struct csv_record *rec, const void *s, size_t n, struct bp_err *err)
{
    if (rec->n == rec->cap) {
        int cap = rec->cap ? rec->cap * 2 : 32;
        void *e = bp_mem_grow(rec->ends, (size_t)cap, sizeof *rec->ends, err);
        void *m;

        if (!e)
            return err->code;
        rec->ends = e;
        m = bp_mem_grow(rec->empty, (size_t)cap, sizeof *rec->empty, err);
        if (!m)
            return err->code;
        rec->empty = m;
        rec->cap = cap;
    }
    if (n)
        BP_TRY(bp_buf_append(&rec->bytes, s, n, err));
    rec->ends[rec->n] = rec->bytes.len;
    rec->empty[rec->n++] = s == NULL;
    return 0;
}

/* libcsv tells quoted from unquoted for empty fields only. */
static bool is_null_text(const struct parser *p, const void *s, size_t n)
{
    return p->d->null_text && !p->quoted && n == p->d->null_len &&
           memcmp(s, p->d->null_text, n) == 0;
}

static void on_field(void *s, size_t n, void *arg)
{
    struct parser *p = arg;

    if (s && is_null_text(p, s, n)) {
        s = NULL;
        n = 0;
    }
    p->fresh = true;
    if (!p->err->code)
        (void)record_add(&p->rec, s, n, p->err); /* the code stays in err */
}

static void on_record(int c, void *arg)
{
    struct parser *p = arg;

    (void)c;
    p->ended = true;
    p->fresh = true;
}

/* s[0, n), n > 0, is a piece as piece_len() cuts it. */
static int parser_feed(struct parser *p, const uint8_t *s, size_t n, struct bp_err *err)
{
    p->err = err;
    p->ended = false;
    if (p->fresh)
        p->quoted = p->d->quotes && s[0] == p->d->quote;
    p->fresh = false;
    if (csv_parse(&p->lib, s, n, on_field, on_record, p) != n && !err->code)
        return bp_fail_oom(err, csv_get_buffer_size(&p->lib));
    return err->code;
}

/* BP_DONE: a quote is not closed. */
static int parser_finish(struct parser *p, struct bp_err *err)
{
    p->err = err;
    p->ended = false;
    csv_set_opts(&p->lib, CSV_REPALL_NL | CSV_EMPTY_IS_NULL | CSV_STRICT | CSV_STRICT_FINI);
    if (csv_fini(&p->lib, on_field, on_record, p) != 0)
        return BP_DONE;
    return err->code;
}

/* Up to and with the next CR or LF; where fields are compared, or delimiter: so
 * that what ends, ends with a piece. */
static size_t piece_len(const struct csv_dialect *d, const uint8_t *p, size_t n)
{
    uint8_t other = d->null_text ? d->delim : '\n';

    for (size_t i = 0; i < n; i++)
        if (p[i] == '\n' || p[i] == '\r' || p[i] == other)
            return i + 1;
    return n;
}

int csv_record_first(const struct csv_dialect *d, const uint8_t *s, size_t n, bool at_end,
                     struct csv_record *rec, size_t *used, struct bp_err *err)
{
    struct parser p = {0};
    size_t at = 0;
    int rc;

    BP_TRY(parser_open(&p, d, err));
    rc = 0;
    while (at < n && !p.ended) {
        size_t len = piece_len(d, s + at, n - at);

        BP_GO(parser_feed(&p, s + at, len, err));
        at += len;
    }
    /* a CR as the last byte known may have its LF behind it */
    if (!p.ended && at_end)
        BP_GO(parser_finish(&p, err));
    else if (!p.ended || (!at_end && at == n && s[at - 1] == '\r'))
        rc = BP_DONE;
    if (rc == 0 && at && at < n && s[at - 1] == '\r' && s[at] == '\n')
        at++;
    *used = at;
    *rec = p.rec;
    p.rec = (struct csv_record){0};
out:
    parser_close(&p);
    return rc;
}

/* ---- opening ---- */

int csv_slow_open(struct csv_slow **out, const struct csv_reader *r, int file, int64_t offset,
                  int64_t skip_before, int64_t stop_at, int64_t line, struct bp_err *err)
{
    struct csv_slow *s = bp_mem_new(1, sizeof *s, err);
    int rc;

    if (!s)
        return err->code;
    s->r = r;
    s->file = &r->files[file];
    s->record_at = s->pos = offset;
    s->skip_before = skip_before;
    s->stop_at = stop_at;
    s->line = s->lines = line;
    s->blank_at = -1;
    s->outs = bp_mem_new((size_t)r->n_cols, sizeof *s->outs, err);
    rc = s->outs ? parser_open(&s->p, &r->dialect, err) : err->code;
    if (rc < 0) {
        bp_mem_free(s->outs);
        bp_mem_free(s);
        return rc;
    }
    for (int c = 0; c < r->n_cols; c++)
        s->outs[c].type = r->cols[c].type;
    *out = s;
    return 0;
}

void csv_slow_free(struct csv_slow *s)
{
    if (!s)
        return;
    parser_close(&s->p);
    for (int c = 0; c < s->r->n_cols; c++)
        csv_out_release(&s->outs[c]);
    bp_mem_free(s->outs);
    bp_mem_free(s);
}

int64_t csv_slow_pos(const struct csv_slow *s)
{
    return s->pos;
}

int64_t csv_slow_rows(const struct csv_slow *s)
{
    return s->n_rows;
}

int csv_slow_take(struct csv_slow *s, struct bp_batch *out, struct bp_err *err)
{
    BP_TRY(bp_batch_init(out, s->r->n_cols, err));
    for (int c = 0; c < s->r->n_cols; c++)
        csv_out_finish(&s->outs[c], &out->cols[c]);
    out->n_rows = s->n_rows;
    s->n_rows = 0;
    return 0;
}

/* ---- errors ---- */

/* "FILE:LINE: ..." in front, for the line in which offset at lies. */
static int at_line(const struct csv_slow *s, int64_t lines, int64_t at, struct bp_err *err)
{
    struct bp_err other = {0};

    if (lines < 0 && csv_lines_before(s->r, &s->file->in, at, &lines, &other) < 0)
        return bp_err_prefix(err, "%s: byte %lld", s->file->in.name, (long long)at);
    return bp_err_prefix(err, "%s:%lld", s->file->in.name, (long long)lines + 1);
}

static int wrong_count(const struct csv_slow *s, int n, int64_t lines, int64_t at,
                       struct bp_err *err)
{
    bp_fail(err, BP_EDATA, "%d field%s where %d %s expected (the row begins at byte %lld)", n,
            n == 1 ? "" : "s", s->file->n_fields, s->file->n_fields == 1 ? "is" : "are",
            (long long)at);
    return at_line(s, lines, at, err);
}

static const char *field_name(const struct csv_slow *s, int field)
{
    return s->file->names && field < s->file->n_fields ? s->file->names[field] : "?";
}

static int bad_utf8(const struct csv_slow *s, int field, const uint8_t *p, size_t bad,
                    struct bp_err *err)
{
    bp_fail(err, BP_EDATA,
            "column %s: byte 0x%02x is not valid UTF-8 (field %d of %d, the row begins at byte "
            "%lld)",
            field_name(s, field), p[bad], field + 1, s->file->n_fields, (long long)s->record_at);
    return at_line(s, s->line, s->record_at, err);
}

/* Long values are cut where a character begins. */
static int shown_bytes(const uint8_t *p, size_t n)
{
    size_t max = 80;

    if (n <= max)
        return (int)n;
    while (max && (p[max] & 0xc0) == 0x80)
        max--;
    return (int)max;
}

static int bad_value(const struct csv_slow *s, int c, const uint8_t *p, size_t n, int status,
                     struct bp_err *err)
{
    const struct csv_col *col = &s->r->cols[c];
    char type[BP_TYPE_NAME_MAX];
    int shown = shown_bytes(p, n);
    const char *dots = (size_t)shown < n ? "..." : "";

    bp_type_name(col->type, type);
    if (status == BP_TEXT_RANGE)
        bp_fail(err, BP_EDATA, "column %s: '%.*s%s' is out of range for %s", col->name, shown,
                (const char *)p, dots, type);
    else
        bp_fail(err, BP_EDATA, "column %s: '%.*s%s' is not %s %s", col->name, shown,
                (const char *)p, dots, strchr("aeio", type[0]) ? "an" : "a", type);
    if (col->guessed) {
        struct bp_buf name = {0};
        struct bp_err other = {0};
        size_t used = strlen(err->msg);

        if (bp_name_print(col->name, &name, &other) == 0 && bp_buf_str(&name, &other))
            snprintf(err->msg + used, sizeof err->msg - used,
                     "; the type %s was guessed from the first rows: pass -s '%s text, *'", type,
                     (const char *)name.data);
        bp_buf_release(&name);
    }
    return at_line(s, s->line, s->record_at, err);
}

/* ---- records to rows ---- */

static const uint8_t *field_at(const struct csv_record *rec, int i, size_t *n)
{
    size_t from = i ? rec->ends[i - 1] : 0;

    *n = rec->ends[i] - from;
    return rec->bytes.data ? rec->bytes.data + from : (const uint8_t *)"";
}

static int add_value(struct csv_slow *s, int c, int field, struct bp_err *err)
{
    const struct csv_record *rec = &s->p.rec;
    struct csv_out *o = &s->outs[c];
    bp_int128 room[2] = {0, 0};
    const uint8_t *p = NULL;
    size_t n = 0;
    int status;

    if (field >= 0)
        p = field_at(rec, field, &n);
    BP_TRY(csv_out_reserve(o, 1, n, err));
    if (field < 0 || rec->empty[field]) {
        if (s->r->cols[c].not_null) {
            bp_fail(err, BP_EDATA, "column %s: an empty field, but it is NOT NULL",
                    s->r->cols[c].name);
            return at_line(s, s->line, s->record_at, err);
        }
        csv_out_nulls(o, 1);
    } else if (o->type.kind == BP_TEXT) {
        csv_out_bytes(o, p, n);
    } else {
        status = bp_text_parse(o->type, (const char *)p, n, room);
        if (status != BP_TEXT_OK)
            return bad_value(s, c, p, n, status, err);
        csv_out_value(o, room);
    }
    return 0;
}

static int add_row(struct csv_slow *s, struct bp_err *err)
{
    const struct csv_record *rec = &s->p.rec;
    const uint8_t *p;
    size_t n, bad;

    if (rec->n != s->file->n_fields)
        return wrong_count(s, rec->n, s->line, s->record_at, err);
    for (int i = 0; i < rec->n; i++) {
        p = field_at(rec, i, &n);
        if (!bp_utf8_check(p, n, &bad))
            return bad_utf8(s, i, p, bad, err);
    }
    for (int c = 0; c < s->r->n_cols; c++)
        BP_TRY(add_value(s, c, s->file->field_of[c], err));
    s->n_rows++;
    return 0;
}

/* A record has ended at pos. */
static int end_record(struct csv_slow *s, struct bp_err *err)
{
    struct csv_record *rec = &s->p.rec;
    bool wanted = s->record_at >= s->skip_before;

    if (rec->n == 0 && s->file->n_fields == 1) /* an empty line is a row */
        BP_TRY(record_add(rec, NULL, 0, err));
    if (rec->n == 0) {
        if (s->blank_at < 0) {
            s->blank_at = s->record_at;
            s->blank_line = s->line;
        }
    } else {
        if (s->blank_at >= 0)
            return wrong_count(s, 0, s->blank_line, s->blank_at, err);
        if (wanted)
            BP_TRY(add_row(s, err));
    }
    rec->n = 0;
    rec->bytes.len = 0;
    s->record_at = s->pos;
    s->line = s->lines;
    return 0;
}

/* ---- feeding ---- */

/* Behind a piece of len bytes that ends with c. */
static void count_line(struct csv_slow *s, uint8_t c, size_t len)
{
    if (s->lines >= 0 && (c == '\r' || (c == '\n' && !(s->line_cr && len == 1))))
        s->lines++;
    s->line_cr = c == '\r';
}

static int feed_end(struct csv_slow *s, struct bp_err *err)
{
    int rc = parser_finish(&s->p, err);

    if (rc == BP_DONE) {
        bp_fail(err, BP_EDATA,
                "a quote is not closed before the end of the file (field %d of %d, the row begins "
                "at byte %lld)",
                s->p.rec.n + 1, s->file->n_fields, (long long)s->record_at);
        return at_line(s, s->line, s->record_at, err);
    }
    BP_TRY(rc);
    if (s->p.ended)
        BP_TRY(end_record(s, err));
    s->done = true;
    return BP_DONE;
}

static int feed_piece(struct csv_slow *s, const uint8_t *p, size_t len, struct bp_err *err)
{
    const uint8_t *nul = memchr(p, 0, len);

    if (nul) {
        bp_fail(err, BP_EDATA, "a NUL byte (byte %lld of the file)",
                (long long)(s->pos + (nul - p)));
        return at_line(s, s->lines, s->pos + (nul - p), err);
    }
    if ((size_t)(s->pos - s->record_at) + len > CSV_RECORD_MAX_BYTES) {
        bp_fail(err, BP_EDATA, "the row is longer than %zu MiB; is a quote not closed?",
                CSV_RECORD_MAX_BYTES >> 20);
        return at_line(s, s->line, s->record_at, err);
    }
    BP_TRY(parser_feed(&s->p, p, len, err));
    s->pos += (int64_t)len;
    count_line(s, p[len - 1], len);
    s->after_cr = s->p.ended && p[len - 1] == '\r';
    return s->p.ended ? end_record(s, err) : 0;
}

/* The share is read; unless an empty line waits to be the last. */
static bool is_behind(const struct csv_slow *s)
{
    return s->record_at >= s->stop_at && s->blank_at < 0;
}

int csv_slow_feed(struct csv_slow *s, const uint8_t *p, size_t n, int64_t rows, size_t *used,
                  struct bp_err *err)
{
    *used = 0;
    if (s->done)
        return BP_DONE;
    if (n == 0)
        return is_behind(s) ? BP_DONE : feed_end(s, err);
    while (*used < n && s->n_rows < rows) {
        size_t len = piece_len(&s->r->dialect, p + *used, n - *used);

        if (s->after_cr && p[*used] == '\n') { /* the LF of CRLF */
            s->after_cr = false;
            s->line_cr = false;
            s->pos++;
            s->record_at = s->pos;
            ++*used;
            continue;
        }
        if (is_behind(s)) {
            s->done = true;
            return BP_DONE;
        }
        BP_TRY(feed_piece(s, p + *used, len, err));
        *used += len;
    }
    return 0;
}
