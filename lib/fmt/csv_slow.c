/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow path: libcsv itself, one file from a record border on. It is fed up
 * to each CR or LF, so that a record can only end where a piece ends and its
 * place is known. All errors in the data are worded here, and tolerated where the
 * reader has an account for rejects: a row whose shape is wrong is left out, never
 * padded; what a bad value does, the account says.
 */
#include <string.h>

#include "col/text.h"
#include "fmt/csv_record.h"

#define RAW_BYTES ((size_t)64 << 10)

struct spot {
    int64_t at, line, record; /* offset of a record; lines and records before it */
};

/* Empty lines, one behind the other. Those that tolerance does not report need the
 * first place only. */
struct blanks {
    struct spot first;
    int64_t n, stride;
};

struct csv_slow {
    const struct csv_reader *r;
    const struct csv_file *file;
    struct csv_splitter p;
    int64_t record_at, pos; /* offsets of the record begun, of the next byte */
    int64_t line, lines;    /* lines before the record, before pos; < 0: count in the file */
    int64_t skip_before, stop_at;
    struct csv_place behind; /* the first record at or behind stop_at; at -1 */
    bool after_cr;           /* the byte before was a CR that ended a record */
    bool line_cr;            /* the byte before was a CR */
    int64_t record;          /* records before the one begun, in the file */
    struct blanks *blanks;   /* empty lines that may be at the end */
    int n_blanks;
    bool done;
    /* where errors are tolerated */
    struct bp_rejects *rejects;
    struct bp_buf raw; /* of the record begun, up to RAW_BYTES */
    int64_t nul_at;    /* the first NUL byte in it; -1 */
    uint8_t *bad;      /* [n_cols]: the value becomes NULL */
    struct bp_err why;
    struct csv_out *outs;
    int64_t n_rows;
};

/* ---- opening ---- */

int csv_slow_open(struct csv_slow **out, const struct csv_reader *r, int file, int64_t offset,
                  int64_t skip_before, int64_t stop_at, int64_t line, int64_t record,
                  struct bp_err *err)
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
    s->record = record;
    s->rejects = r->rejects;
    s->nul_at = s->behind.at = -1;
    s->outs = bp_mem_new((size_t)r->n_cols, sizeof *s->outs, err);
    s->bad = s->outs ? bp_mem_new((size_t)r->n_cols, 1, err) : NULL;
    rc = s->bad ? csv_splitter_open(&s->p, &r->dialect, err) : err->code;
    if (rc < 0) {
        bp_mem_free(s->bad);
        bp_mem_free(s->outs);
        bp_mem_free(s);
        return rc;
    }
    for (int c = 0; c < r->n_cols; c++) {
        s->outs[c].type = r->cols[c].type;
        s->outs[c].dict = r->cols[c].dict ? &r->dicts[c] : NULL;
    }
    *out = s;
    return 0;
}

void csv_slow_free(struct csv_slow *s)
{
    if (!s)
        return;
    csv_splitter_close(&s->p);
    for (int c = 0; c < s->r->n_cols; c++)
        csv_out_release(&s->outs[c]);
    bp_buf_release(&s->raw);
    bp_mem_free(s->blanks);
    bp_mem_free(s->bad);
    bp_mem_free(s->outs);
    bp_mem_free(s);
}

int64_t csv_slow_pos(const struct csv_slow *s)
{
    return s->pos;
}

struct csv_place csv_slow_behind(const struct csv_slow *s)
{
    return s->behind;
}

bool csv_slow_between(const struct csv_slow *s, struct csv_place *place)
{
    *place = (struct csv_place){s->record_at, s->line, s->record};
    return s->record_at == s->pos && !s->n_blanks && !s->after_cr;
}

int64_t csv_slow_rows(const struct csv_slow *s)
{
    return s->n_rows;
}

int csv_slow_take(struct csv_slow *s, struct bp_batch *out, struct bp_err *err)
{
    BP_TRY(bp_batch_init(out, s->r->n_cols, err));
    for (int c = 0; c < s->r->n_cols; c++)
        if (csv_out_finish(&s->outs[c], &out->cols[c], err) < 0) {
            bp_batch_release(out);
            return err->code;
        }
    out->n_rows = s->n_rows;
    s->n_rows = 0;
    return 0;
}

/* ---- errors ---- */

static struct spot here(const struct csv_slow *s)
{
    return (struct spot){s->record_at, s->line, s->record};
}

/* "FILE:LINE: ..." in front, for the line in which offset at lies. */
static int at_line(const struct csv_slow *s, int64_t lines, int64_t at, struct bp_err *err)
{
    struct bp_err other = {0};

    if (lines < 0 && csv_lines_between(s->r, &s->file->in, 0, at, &lines, &other) < 0)
        return bp_err_prefix(err, "%s: byte %lld", s->file->in.name, (long long)at);
    return bp_err_prefix(err, "%s:%lld", s->file->in.name, (long long)lines + 1);
}

/*
 * why says what is wrong, without the place: it fails the reading, or goes to the
 * account. column NULL: the row as a whole; is_value: the value becomes NULL.
 */
static int report(struct csv_slow *s, const struct spot *w, const char *column, bool is_value,
                  struct bp_err *err)
{
    size_t n = s->raw.len;
    struct bp_reject x;

    if (!s->rejects) {
        *err = s->why;
        if (column)
            bp_err_prefix(err, "column %s", column);
        return at_line(s, w->line, w->at, err);
    }
    while (n && (s->raw.data[n - 1] == '\n' || s->raw.data[n - 1] == '\r'))
        n--;
    x = (struct bp_reject){.file = s->file->in.name,
                           .line = w->line + 1,
                           .byte = w->at,
                           .record = w->record + 1,
                           .column = column,
                           .reason = s->why.msg,
                           .text = s->raw.data,
                           .n_text = w->at == s->record_at ? n : 0,
                           .is_value = is_value};
    return bp_rejects_add(s->rejects, &x, err);
}

static struct bp_err *why(struct csv_slow *s)
{
    s->why.code = 0;
    return &s->why;
}

static int wrong_count(struct csv_slow *s, int n, const struct spot *w, struct bp_err *err)
{
    bp_fail(why(s), BP_EDATA, "%d field%s where %d %s expected (the row begins at byte %lld)", n,
            n == 1 ? "" : "s", s->file->n_fields, s->file->n_fields == 1 ? "is" : "are",
            (long long)w->at);
    return report(s, w, NULL, false, err);
}

static const char *field_name(const struct csv_slow *s, int field)
{
    return s->file->names && field < s->file->n_fields ? s->file->names[field] : "?";
}

static void say_bad_utf8(struct csv_slow *s, int field, uint8_t byte)
{
    bp_fail(why(s), BP_EDATA,
            "byte 0x%02x is not valid UTF-8 (field %d of %d, the row begins at byte %lld)", byte,
            field + 1, s->file->n_fields, (long long)s->record_at);
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

/* The -s to pass: what is declared already, and this column as text. */
static void say_schema(const struct csv_slow *s, const struct text_col *col, const char *type,
                       struct bp_err *e)
{
    struct bp_buf name = {0};
    struct bp_err other = {0};
    size_t used = strlen(e->msg);

    if (!s->r->header)
        snprintf(e->msg + used, sizeof e->msg - used,
                 "; the type %s was guessed from a sample: declare the columns with -s "
                 "(bp-schema --infer prints what was guessed)",
                 type);
    else if (bp_name_print(col->name, &name, &other) == 0 && bp_buf_str(&name, &other))
        snprintf(e->msg + used, sizeof e->msg - used,
                 "; the type %s was guessed from a sample: pass -s '%s%s%s text, *'", type,
                 s->r->declared ? s->r->declared : "", s->r->declared ? ", " : "",
                 (const char *)name.data);
    bp_buf_release(&name);
}

static void say_bad_value(struct csv_slow *s, int c, const uint8_t *p, size_t n, int status)
{
    const struct text_col *col = &s->r->cols[c];
    struct bp_err *e = why(s);
    char type[BP_TYPE_NAME_MAX];
    int shown = shown_bytes(p, n);
    const char *dots = (size_t)shown < n ? "..." : "";

    bp_type_name(col->type, type);
    if (status == BP_TEXT_RANGE)
        bp_fail(e, BP_EDATA, "'%.*s%s' is out of range for %s", shown, (const char *)p, dots, type);
    else
        bp_fail(e, BP_EDATA, "'%.*s%s' is not %s %s", shown, (const char *)p, dots,
                strchr("aeio", type[0]) ? "an" : "a", type);
    if (col->guessed)
        say_schema(s, col, type, e);
}

/* ---- records to rows ---- */

static const uint8_t *field_at(const struct csv_record *rec, int i, size_t *n)
{
    size_t from = i ? rec->ends[i - 1] : 0;

    *n = rec->ends[i] - from;
    return rec->bytes.data ? rec->bytes.data + from : (const uint8_t *)"";
}

/* Is the field a value of column c, or NULL where it may be? If not, why says so.
 * The value is in room, unless it is text or NULL. */
static bool is_good(struct csv_slow *s, int c, int field, bp_int128 room[2], bool *is_null)
{
    const struct csv_record *rec = &s->p.rec;
    const uint8_t *p;
    size_t n, bad;
    int status;

    *is_null = field < 0 || rec->empty[field];
    if (*is_null) {
        if (s->r->cols[c].not_null)
            bp_fail(why(s), BP_EDATA, "an empty field, but it is NOT NULL");
        return !s->r->cols[c].not_null;
    }
    p = field_at(rec, field, &n);
    if (s->rejects && !bp_utf8_check(p, n, &bad)) {
        say_bad_utf8(s, field, p[bad]);
        return false;
    }
    if (s->outs[c].type.kind == BP_TEXT)
        return true;
    if (s->outs[c].type.kind == BP_BINARY)
        status = bp_parse_binary((const char *)p, n, NULL, &bad);
    else
        status = bp_text_parse(s->outs[c].type, (const char *)p, n, room);
    if (status != BP_TEXT_OK)
        say_bad_value(s, c, p, n, status);
    return status == BP_TEXT_OK;
}

static int add_line(struct csv_slow *s, int c, struct bp_err *err)
{
    int64_t line = s->line + 1;

    BP_TRY(csv_out_reserve(&s->outs[c], 1, 0, err));
    csv_out_value(&s->outs[c], &line);
    return 0;
}

static int add_value(struct csv_slow *s, int c, int field, struct bp_err *err)
{
    struct csv_out *o = &s->outs[c];
    bp_int128 room[2] = {0, 0};
    const uint8_t *p = NULL;
    struct spot w = here(s);
    size_t n = 0;
    bool is_null = true;

    if (!s->bad[c] && !is_good(s, c, field, room, &is_null))
        return report(s, &w, s->r->cols[c].name, false, err);
    if (!is_null)
        p = field_at(&s->p.rec, field, &n);
    BP_TRY(csv_out_reserve(o, 1, n, err));
    if (is_null)
        csv_out_nulls(o, 1);
    else if (o->type.kind == BP_TEXT)
        return csv_out_add_text(o, p, n, err);
    else if (o->type.kind == BP_BINARY)
        (void)csv_out_binary(o, p, n);
    else
        csv_out_value(o, room);
    return 0;
}

/*
 * Whole rows are judged before a value is added. BP_DONE: the row was reported and
 * is left out; else bad[] has the values that become NULL, reported too.
 */
static int judge_values(struct csv_slow *s, struct bp_err *err)
{
    bp_int128 room[2] = {0, 0};
    struct spot w = here(s);
    bool is_null, any = false;

    memset(s->bad, 0, (size_t)s->r->n_cols);
    for (int c = 0; c < s->r->n_cols; c++) {
        if (is_good(s, c, s->file->field_of[c], room, &is_null))
            continue;
        if (s->rejects->skip || s->r->cols[c].not_null) {
            BP_TRY(report(s, &w, s->r->cols[c].name, false, err));
            return BP_DONE;
        }
        s->bad[c] = 1;
        any = true;
    }
    for (int c = 0; any && c < s->r->n_cols; c++)
        if (s->bad[c] && !is_good(s, c, s->file->field_of[c], room, &is_null))
            BP_TRY(report(s, &w, s->r->cols[c].name, true, err));
    return 0;
}

/* BP_DONE: some field is no UTF-8, which was reported. */
static int judge_utf8(struct csv_slow *s, struct bp_err *err)
{
    const struct csv_record *rec = &s->p.rec;
    struct spot w = here(s);
    const uint8_t *p;
    size_t n, bad;

    for (int i = 0; i < rec->n; i++) {
        p = field_at(rec, i, &n);
        if (!bp_utf8_check(p, n, &bad)) {
            say_bad_utf8(s, i, p[bad]);
            BP_TRY(report(s, &w, field_name(s, i), false, err));
            return BP_DONE;
        }
    }
    return 0;
}

static int add_row(struct csv_slow *s, struct bp_err *err)
{
    struct spot w = here(s);
    int rc = 0;

    if (s->nul_at >= 0) {
        bp_fail(why(s), BP_EDATA, "a NUL byte (byte %lld of the file)", (long long)s->nul_at);
        return report(s, &w, NULL, false, err);
    }
    if (s->p.rec.n != s->file->n_fields)
        return wrong_count(s, s->p.rec.n, &w, err);
    if (!s->rejects || s->rejects->skip)
        rc = judge_utf8(s, err);
    if (rc == 0 && s->rejects)
        rc = judge_values(s, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    for (int c = 0; c < s->r->n_cols; c++)
        BP_TRY(c == s->r->line_col ? add_line(s, c, err)
                                   : add_value(s, c, s->file->field_of[c], err));
    s->n_rows++;
    return 0;
}

/* ---- empty lines ---- */

static int note_blank(struct csv_slow *s, struct bp_err *err)
{
    struct blanks *b = s->n_blanks ? &s->blanks[s->n_blanks - 1] : NULL;

    if (b && (!s->rejects || b->n == 1 || s->record_at == b->first.at + b->n * b->stride)) {
        if (b->n == 1)
            b->stride = s->record_at - b->first.at;
        b->n++;
        return 0;
    }
    b = bp_mem_grow(s->blanks, (size_t)s->n_blanks + 1, sizeof *b, err);
    if (!b)
        return err->code;
    s->blanks = b;
    b[s->n_blanks++] = (struct blanks){.first = here(s), .n = 1};
    return 0;
}

/* They were not at the end: rows without fields. */
static int report_blanks(struct csv_slow *s, struct bp_err *err)
{
    for (int i = 0; i < s->n_blanks; i++)
        for (int64_t k = 0; k < s->blanks[i].n; k++) {
            struct spot w = s->blanks[i].first;

            w.at += k * s->blanks[i].stride;
            w.line += w.line < 0 ? 0 : k;
            w.record += k;
            if (!s->rejects || (w.at >= s->skip_before && w.at < s->stop_at))
                BP_TRY(wrong_count(s, 0, &w, err));
        }
    s->n_blanks = 0;
    return 0;
}

/* A record has ended at pos. */
static int end_record(struct csv_slow *s, struct bp_err *err)
{
    struct csv_record *rec = &s->p.rec;
    bool wanted = s->record_at >= s->skip_before && s->record_at < s->stop_at;

    if (rec->n == 0 && s->file->n_fields == 1) /* an empty line is a row */
        BP_TRY(csv_record_add(rec, NULL, 0, err));
    if (rec->n == 0) {
        BP_TRY(note_blank(s, err));
    } else {
        BP_TRY(report_blanks(s, err));
        if (wanted)
            BP_TRY(add_row(s, err));
    }
    rec->n = 0;
    rec->bytes.len = 0;
    s->raw.len = 0;
    s->nul_at = -1;
    s->record_at = s->pos;
    s->line = s->lines;
    s->record++;
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
    int rc = csv_splitter_finish(&s->p, err);

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

/* A NUL byte is an error, or, tolerated, a blank in a row that is left out. */
static int feed_nul(struct csv_slow *s, const uint8_t *p, size_t len, int64_t nul_at,
                    struct bp_err *err)
{
    uint8_t *copy;
    int rc;

    if (!s->rejects) {
        bp_fail(err, BP_EDATA, "a NUL byte (byte %lld of the file)", (long long)nul_at);
        return at_line(s, s->lines, nul_at, err);
    }
    if (s->nul_at < 0)
        s->nul_at = nul_at;
    copy = bp_mem_new(len, 1, err);
    if (!copy)
        return err->code;
    for (size_t i = 0; i < len; i++)
        copy[i] = p[i] ? p[i] : ' ';
    rc = csv_splitter_feed(&s->p, copy, len, err);
    bp_mem_free(copy);
    return rc;
}

static int keep_raw(struct csv_slow *s, const uint8_t *p, size_t len, struct bp_err *err)
{
    if (!s->rejects || s->raw.len >= RAW_BYTES)
        return 0;
    return bp_buf_append(&s->raw, p, BP_MIN(len, RAW_BYTES - s->raw.len), err);
}

static int feed_piece(struct csv_slow *s, const uint8_t *p, size_t len, struct bp_err *err)
{
    const uint8_t *nul = memchr(p, 0, len);

    if ((size_t)(s->pos - s->record_at) + len > s->r->record_max_bytes) {
        bp_fail(err, BP_EDATA,
                "the row is longer than %zu MiB " TEXT_RECORD_MAX_WORDS "; is a quote not closed?",
                s->r->record_max_bytes >> 20);
        return at_line(s, s->line, s->record_at, err);
    }
    BP_TRY(keep_raw(s, p, len, err));
    if (nul)
        BP_TRY(feed_nul(s, p, len, s->pos + (nul - p), err));
    else
        BP_TRY(csv_splitter_feed(&s->p, p, len, err));
    s->pos += (int64_t)len;
    count_line(s, p[len - 1], len);
    s->after_cr = s->p.ended && p[len - 1] == '\r';
    return s->p.ended ? end_record(s, err) : 0;
}

/* The share is read; unless an empty line waits to be the last. */
static bool is_behind(struct csv_slow *s)
{
    if (s->record_at >= s->stop_at && s->behind.at < 0)
        s->behind = (struct csv_place){s->record_at, s->line, s->record};
    return s->record_at >= s->stop_at && !s->n_blanks;
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
        size_t len = csv_piece_len(&s->r->dialect, p + *used, n - *used);

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
