/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types for columns that are not declared, from a sample of every input (never
 * of a share): of each file at most SAMPLE_FILE_BYTES, in PIECES pieces at even
 * places, and SAMPLE_ALL_BYTES in all; of a stream its beginning, which stays
 * peeked. A value strikes out the types that it is none of; what is left first in
 * the list below is the type, text if nothing is left or no value was seen.
 */
#include <string.h>

#include "col/text.h"
#include "fmt/csv_reader.h"

#define SAMPLE_FILE_BYTES ((size_t)8 << 20)
#define SAMPLE_ALL_BYTES ((size_t)64 << 20)
#define SAMPLE_LEAST_BYTES ((size_t)16 << 10)
#define PIECES 8

enum { IS_BOOL = 1, IS_INT = 2, IS_FLOAT = 4, IS_DATE = 8, IS_TIMESTAMP = 16, IS_TIMESTAMPTZ = 32 };

static const struct {
    unsigned bit;
    struct bp_type type;
} order[] = {
    {IS_BOOL, {.kind = BP_BOOL}},
    {IS_INT, {.kind = BP_INT64}},
    {IS_FLOAT, {.kind = BP_FLOAT64}},
    {IS_DATE, {.kind = BP_DATE}},
    {IS_TIMESTAMP, {.kind = BP_TIMESTAMP, .unit = BP_MICRO}},
    {IS_TIMESTAMPTZ, {.kind = BP_TIMESTAMPTZ, .unit = BP_MICRO}},
};

struct guess {
    unsigned left;
    bool seen;
};

struct sample {
    const struct csv_reader *r;
    const struct csv_file *file;
    struct guess *guess; /* [n_cols] */
    struct csv_scan scan;
    size_t idx_cap;
};

/* ---- one value ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(const char *s, size_t n, const char *word)
{
    return n == strlen(word) && memcmp(s, word, n) == 0;
}

/* A number as a person would not want it as text: no '+', no 007. */
static unsigned number_bits(const char *s, size_t n)
{
    size_t i = *s == '-';
    bool whole = true;
    int64_t v;
    double d;

    if (i >= n || !(is_digit(s[i]) || (s[i] == '.' && i + 1 < n && is_digit(s[i + 1]))))
        return 0;
    if (s[i] == '0' && i + 1 < n && is_digit(s[i + 1]))
        return 0;
    for (size_t k = i; k < n; k++)
        whole &= is_digit(s[k]);
    if (whole)
        return bp_parse_int64(s, n, &v) == BP_TEXT_OK ? IS_INT | IS_FLOAT : 0;
    return bp_parse_float64(s, n, &d) == BP_TEXT_OK ? IS_FLOAT : 0;
}

static bool has_date_shape(const char *s, size_t n)
{
    static const char shape[] = "dddd-dd-dd";

    if (n < 10)
        return false;
    for (size_t i = 0; i < 10; i++)
        if (shape[i] == 'd' ? !is_digit(s[i]) : s[i] != shape[i])
            return false;
    return true;
}

static unsigned time_bits(const char *s, size_t n)
{
    bool zone = false;
    int64_t v;
    int32_t d;

    if (!has_date_shape(s, n))
        return 0;
    if (n == 10)
        return bp_parse_date(s, n, &d) == BP_TEXT_OK ? IS_DATE | IS_TIMESTAMP : 0;
    if ((s[10] != ' ' && s[10] != 'T') || n < 16 || s[13] != ':')
        return 0;
    for (size_t i = 16; i < n; i++)
        zone |= s[i] == 'Z' || s[i] == '+' || s[i] == '-';
    if (bp_parse_timestamp(s, n, BP_MICRO, zone, &v) != BP_TEXT_OK)
        return 0;
    return zone ? IS_TIMESTAMPTZ : IS_TIMESTAMP;
}

static void look_at(struct guess *g, const uint8_t *p, size_t n, bool quoted)
{
    const char *s = (const char *)p;

    if (!n && !quoted)
        return;
    g->seen = true;
    if (!g->left)
        return;
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    while (n && (*s == ' ' || *s == '\t')) {
        s++;
        n--;
    }
    if (!n)
        g->left = 0;
    else if (is_word(s, n, "true") || is_word(s, n, "false"))
        g->left &= IS_BOOL;
    else if (n >= 10 && s[4] == '-' && s[7] == '-')
        g->left &= time_bits(s, n);
    else
        g->left &= number_bits(s, n);
}

/* ---- one piece of a file ---- */

/* The field between two separators: quotes, CR and null text off. */
static void look_at_field(const struct sample *m, struct guess *g, const uint8_t *p, uint32_t from,
                          uint32_t to, bool last)
{
    const struct csv_dialect *d = &m->r->dialect;
    bool quoted;

    if (last && to > from && p[to - 1] == '\r')
        to--;
    quoted = d->quotes && to > from && p[from] == d->quote;
    if (quoted) {
        from++;
        to--;
    } else if (d->null_text && to - from == d->null_len &&
               memcmp(p + from, d->null_text, d->null_len) == 0) {
        to = from;
    }
    look_at(g, p + from, to - from, quoted);
}

/* The next row from separator k on (the one behind which it begins); false: it is
 * not as long as it should be. */
static bool look_at_row(struct sample *m, const uint8_t *p, size_t k)
{
    const uint32_t *idx = m->scan.idx + k;
    size_t n = (size_t)m->file->n_fields;

    for (size_t i = 1; i <= n; i++)
        if ((p[idx[i]] == '\n') != (i == n))
            return false;
    for (int c = 0; c < m->r->n_cols; c++) {
        int field = m->file->field_of[c];

        if (field >= 0 && m->r->cols[c].guessed)
            look_at_field(m, &m->guess[c], p, idx[field] + 1, idx[field + 1],
                          (size_t)field + 1 == n);
    }
    return true;
}

/* p[64, 64 + n): rows from its start (at_start) or from its first LF on, up to the
 * first that is not plain. At the end of the file the last needs no LF. */
static int look_at_piece(struct sample *m, uint8_t *p, size_t n, bool at_start, bool at_end,
                         struct bp_err *err)
{
    struct csv_scan *s = &m->scan;
    size_t k = 0, nf = (size_t)m->file->n_fields;
    uint32_t *idx;

    if (at_end && n && p[CSV_FRONT_BYTES + n - 1] != '\n')
        p[CSV_FRONT_BYTES + n++] = '\n';
    memset(p + CSV_FRONT_BYTES + n, ' ', CSV_PAD_BYTES);
    p[CSV_FRONT_BYTES - 1] = '\n';
    if (m->idx_cap < n + 256) {
        idx = bp_mem_grow(s->idx, n + 256, sizeof *idx, err);
        if (!idx)
            return err->code;
        s->idx = idx;
        m->idx_cap = n + 256;
    }
    *s = (struct csv_scan){.delim = m->r->dialect.delim,
                           .quote = m->r->dialect.quote,
                           .quotes = m->r->dialect.quotes,
                           .idx = s->idx,
                           .n_idx = 1};
    s->idx[0] = CSV_FRONT_BYTES - 1;
    m->r->kernels->scan(s, p, CSV_FRONT_BYTES, CSV_FRONT_BYTES + (uint32_t)n);
    while (!at_start && k + 1 < s->n_idx && p[s->idx[k + 1]] != '\n')
        k++;
    k += !at_start;
    for (; k + nf < s->n_idx; k += nf)
        if (!look_at_row(m, p, k))
            break;
    return 0;
}

/* ---- inputs ---- */

static int sample_stream(struct sample *m, struct csv_file *f, size_t n_bytes, struct bp_err *err)
{
    const uint8_t *p;
    uint8_t *copy;
    size_t n;
    int rc;

    BP_TRY(bp_input_peek(&f->in, n_bytes, &p, &n, err));
    copy = bp_mem_new(CSV_FRONT_BYTES + n + 1 + CSV_PAD_BYTES, 1, err);
    if (!copy)
        return err->code;
    if (n)
        memcpy(copy + CSV_FRONT_BYTES, p, n);
    rc = look_at_piece(m, copy, n, true, n < n_bytes, err);
    bp_mem_free(copy);
    return rc;
}

static int sample_file(struct sample *m, const struct csv_file *f, size_t n_bytes,
                       struct bp_err *err)
{
    int64_t size = f->in.size_bytes - f->data_start;
    bool whole = size <= (int64_t)n_bytes;
    size_t piece = whole ? (size_t)BP_MAX(size, 0) : n_bytes / PIECES, got;
    uint8_t *buf = bp_mem_new(CSV_FRONT_BYTES + piece + 1 + CSV_PAD_BYTES, 1, err);
    int rc = 0;

    if (!buf)
        return err->code;
    for (int i = 0; i < (whole ? 1 : PIECES); i++) {
        int64_t at =
            f->data_start + (int64_t)((bp_int128)(size - (int64_t)piece) * i / (PIECES - 1));

        BP_GO(bp_input_read_at(&f->in, buf + CSV_FRONT_BYTES, piece, at, &got, err));
        BP_GO(look_at_piece(m, buf, got, i == 0, at + (int64_t)got >= f->in.size_bytes, err));
    }
out:
    bp_mem_free(buf);
    return rc;
}

static struct bp_type choose(struct guess g)
{
    if (g.seen)
        for (size_t i = 0; i < BP_COUNT_OF(order); i++)
            if (g.left & order[i].bit)
                return order[i].type;
    return BP_TYPE(BP_TEXT);
}

int csv_infer(struct csv_reader *r, struct bp_err *err)
{
    size_t each = BP_MIN(SAMPLE_FILE_BYTES, SAMPLE_ALL_BYTES / (size_t)r->n_files);
    struct sample m = {.r = r};
    int rc = 0;

    each = BP_MAX(each, SAMPLE_LEAST_BYTES);
    m.guess = bp_mem_new((size_t)r->n_cols, sizeof *m.guess, err);
    if (!m.guess)
        return err->code;
    for (int c = 0; c < r->n_cols; c++)
        m.guess[c].left = ~0u;
    for (int i = 0; i < r->n_files; i++) {
        m.file = &r->files[i];
        if (r->files[i].in.is_file)
            BP_GO(sample_file(&m, m.file, each, err));
        else
            BP_GO(sample_stream(&m, &r->files[i], each, err));
        if (i >= CSV_AWAKE_FILES)
            bp_input_rest(&r->files[i].in);
    }
    for (int c = 0; c < r->n_cols; c++)
        if (r->cols[c].guessed)
            r->cols[c].type = choose(m.guess[c]);
out:
    bp_mem_free(m.guess);
    bp_mem_free(m.scan.idx);
    return rc;
}
